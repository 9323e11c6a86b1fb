// LoadCSV: for each input row the rows of a CSV file, as lists or, with headers, as maps.
#include "exec/csv.h"
#include "exec/op.h"

enum { LOAD_CSV_READ_BYTES = 64 << 10 };

struct load_csv {
  struct op op;
  const struct batch *in;
  uint32_t row;
  void *file;
  bool open, at_end;
  struct csv csv;
  char *bytes;
  size_t begin, end;     // bytes read and not parsed
  struct value headers;  // list of text; null before the first row
  struct arena file_arena; // of the headers
};

static enum err load_csv_open(struct op *op, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  arena_init(&s->file_arena, &op->x->budget);
  csv_init(&s->csv, ',');
  s->bytes = arena_alloc(&op->x->arena, LOAD_CSV_READ_BYTES);
  return s->bytes != NULL ? ERR_OK : arena_err(&op->x->arena, e);
}

static enum err separator_of(struct op *op, struct eval *c, const struct batch *in, uint32_t row, char *ret, struct error *e) {
  struct value v;
  *ret = ',';
  if (op->plan->load_csv.terminator == NULL) return ERR_OK;
  TRY(eval_value(c, op->plan->load_csv.terminator, in, row, &v));
  if (v.type != VALUE_STRING || v.len != 1)
    return error_set(e, ERR_ARGUMENT, "CSV field terminator can only be one character wide");
  *ret = v.s[0];
  return ERR_OK;
}

static enum err open_file(struct op *op, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  const struct exec_files *files = op->x->options.files;
  struct eval c = op_eval(op, &op->out, e);
  struct value url;
  char separator;
  if (files == NULL) return error_set(e, ERR_UNSUPPORTED, "LOAD CSV is not available here.");
  TRY(eval_value(&c, op->plan->load_csv.url, s->in, s->row, &url));
  if (url.type != VALUE_STRING) return error_set(e, ERR_TYPE, "Expected the URL of LOAD CSV to be a String, but got %s", value_class_name(url));
  TRY(separator_of(op, &c, s->in, s->row, &separator, e));
  TRY(files->open(files->context, v_text(url), &s->file, e));
  csv_done(&s->csv);
  csv_init(&s->csv, separator);
  arena_reset(&s->file_arena);
  s->headers = V_NULL;
  s->begin = s->end = 0;
  s->open = true;
  s->at_end = false;
  return ERR_OK;
}

static void close_file(struct op *op) {
  struct load_csv *s = (struct load_csv *) op;
  if (s->open) op->x->options.files->close(s->file);
  s->open = false;
}

/// The next row as a list; `*ret_row` is false at the end of the file.
static enum err next_row(struct op *op, struct value *ret, bool *ret_row, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  *ret_row = false;
  while (!*ret_row && !s->at_end) {
    if (s->begin < s->end) {
      size_t used;
      TRY(csv_feed(&s->csv, s->bytes + s->begin, s->end - s->begin, &op->out, &used, ret_row, e));
      s->begin += used;
      continue;
    }
    const struct exec_files *files = op->x->options.files;
    TRY(files->read(s->file, s->bytes, LOAD_CSV_READ_BYTES, &s->end, e));
    s->begin = 0;
    if (s->end > 0) continue;
    TRY(csv_end(&s->csv, &op->out, ret_row, e));
    s->at_end = true;
  }
  if (*ret_row) *ret = csv_take(&s->csv);
  return ERR_OK;
}

static enum err as_map(struct op *op, struct value row, struct value *ret, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  struct value_entry *entries = ARENA_ARRAY(&op->out, struct value_entry, s->headers.len);
  uint32_t n = 0;
  if (entries == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < s->headers.len; i++) {
    if (s->headers.items[i].type != VALUE_STRING) continue;
    entries[n++] = (struct value_entry){v_text(s->headers.items[i]), i < row.len ? row.items[i] : V_NULL};
  }
  *ret = v_map(entries, value_map_sort(entries, n));
  return ERR_OK;
}

/// Rows of the current file until the batch is full or the file ends. A row is parsed whole within one call: its fields are in `out`.
static enum err read_rows(struct op *op, uint32_t cap, struct value *rows, uint32_t *ret_n, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  while (*ret_n < cap && !s->at_end) {
    struct value row;
    bool got;
    TRY(next_row(op, &row, &got, e));
    if (!got) break;
    if (op->plan->load_csv.with_headers && v_is_null(s->headers)) {
      TRY(value_copy(&s->file_arena, row, &s->headers, e));
      continue;
    }
    if (op->plan->load_csv.with_headers) TRY(as_map(op, row, &row, e));
    rows[(*ret_n)++] = row;
  }
  return ERR_OK;
}

static enum err load_csv_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), n = 0;
  arena_reset(&op->out);
  struct value *values = ARENA_ARRAY(&op->out, struct value, cap);
  uint32_t *rows = arena_zalloc(&op->out, cap * sizeof *rows);
  if (values == NULL || rows == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      if (s->in->n == 0) continue;
    }
    TRY(exec_check(op->x, e));
    if (!s->open) TRY(open_file(op, e));
    TRY(read_rows(op, cap, values, &n, e));
    for (uint32_t i = 0; i < n; i++) rows[i] = s->row;
    if (s->at_end) {
      close_file(op);
      s->row++;
    }
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  TRY(vec_from_values(&op->out, values, n, &out->columns[op->plan->load_csv.out], e));
  *ret = out;
  return ERR_OK;
}

static void load_csv_reset(struct op *op) {
  close_file(op);
  ((struct load_csv *) op)->in = NULL;
}

static void load_csv_close(struct op *op) {
  struct load_csv *s = (struct load_csv *) op;
  close_file(op);
  csv_done(&s->csv);
  arena_done(&s->file_arena);
}

const struct op_class op_load_csv_class = {
    .bytes = sizeof(struct load_csv), .open = load_csv_open, .next = load_csv_next, .reset = load_csv_reset, .close = load_csv_close};
