// LoadCSV: for each input row the rows of a CSV file, as lists or, with headers, as maps.
#include "exec/op.h"
#include "wire/csv.h"

enum { LOAD_CSV_ROW_BYTES_MAX = 16 << 20 };

struct load_csv {
  struct op op;
  const struct batch *in;
  uint32_t row;
  void *file;
  bool open, at_end;
  struct csv_source source; // reads `file`
  struct csv_reader reader;
  struct value headers;     // list of text; null before the first row
  struct arena file_arena;  // of the headers
};

static enum err read_file(struct csv_source *source, void *to, size_t bytes, size_t *ret_bytes, struct error *e) {
  struct load_csv *s = CONTAINER_OF(source, struct load_csv, source);
  return s->op.x->options.files->read(s->file, to, bytes, ret_bytes, e);
}

static enum err load_csv_open(struct op *op, struct error *e UNUSED) {
  struct load_csv *s = (struct load_csv *) op;
  arena_init(&s->file_arena, &op->x->budget);
  s->source.read = read_file;
  csv_reader_init(&s->reader, &s->source, CSV_DIALECT_DEFAULT, LOAD_CSV_ROW_BYTES_MAX);
  return ERR_OK;
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
  struct csv_dialect dialect = CSV_DIALECT_DEFAULT;
  dialect.delimiter = separator;
  dialect.backslash_escapes = files->backslash_escapes;
  csv_reader_done(&s->reader);
  csv_reader_init(&s->reader, &s->source, dialect, LOAD_CSV_ROW_BYTES_MAX);
  arena_reset(&s->file_arena);
  s->headers = V_NULL;
  s->open = true;
  s->at_end = false;
  return ERR_OK;
}

static void close_file(struct op *op) {
  struct load_csv *s = (struct load_csv *) op;
  if (s->open) op->x->options.files->close(s->file);
  s->open = false;
}

/// The next row as a list; `*ret_row` is false at the end of the file. An unquoted field without text is null.
static enum err next_row(struct op *op, struct value *ret, bool *ret_row, struct error *e) {
  struct load_csv *s = (struct load_csv *) op;
  const struct csv_field *fields;
  uint32_t n;
  TRY(csv_next_row(&s->reader, &fields, &n, e));
  *ret_row = fields != NULL;
  s->at_end = fields == NULL;
  if (fields == NULL) return ERR_OK;
  struct value *items = ARENA_ARRAY(&op->out, struct value, n);
  if (items == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) {
    struct str text = arena_str(&op->out, fields[i].text);
    if (text.ptr == NULL) return arena_err(&op->out, e);
    items[i] = text.len > 0 || fields[i].quoted ? v_str(text) : V_NULL;
  }
  *ret = v_list(items, n);
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
  csv_reader_done(&s->reader);
  arena_done(&s->file_arena);
}

const struct op_class op_load_csv_class = {
    .bytes = sizeof(struct load_csv), .open = load_csv_open, .next = load_csv_next, .reset = load_csv_reset, .close = load_csv_close};
