#include "cli/table.h"

#include "base/mem.h"
#include "cli/render.h"

static size_t width_of(struct str s) {
  size_t n = 0;
  for (size_t i = 0; i < s.len; i++) n += ((unsigned char) s.ptr[i] & 0xC0) != 0x80;
  return n;
}

static void put(struct table *t, struct str s) {
  fwrite(s.ptr, 1, s.len, t->to);
}

static void put_rule(struct table *t) {
  for (uint32_t c = 0; c < t->column_count; c++) {
    fputs("+-", t->to);
    for (size_t i = 0; i < t->widths[c]; i++) fputc('-', t->to);
    fputc('-', t->to);
  }
  fputs("+\n", t->to);
}

/// The part of `*cell` that fits `width`; moves `*cell` behind it.
static struct str take_part(struct str *cell, size_t width) {
  size_t i = 0, n = 0;
  while (i < cell->len && n < width) {
    i++;
    while (i < cell->len && ((unsigned char) cell->ptr[i] & 0xC0) == 0x80) i++;
    n++;
  }
  struct str part = {cell->ptr, i};
  *cell = (struct str){cell->ptr + i, cell->len - i};
  return part;
}

static void put_cell(struct table *t, struct str part, size_t width, bool continued) {
  fputs(continued ? "| \\" : "| ", t->to);
  put(t, part);
  for (size_t n = width_of(part) + continued; n < width; n++) fputc(' ', t->to);
  fputc(' ', t->to);
}

/// One row of cells, in as many lines as the longest of them needs.
static void put_cells(struct table *t, struct str *cells) {
  bool more = true, first = true;
  while (more) {
    more = false;
    for (uint32_t c = 0; c < t->column_count; c++) {
      bool continued = !first && cells[c].len > 0 && t->widths[c] > 1;
      put_cell(t, take_part(&cells[c], t->widths[c] - continued), t->widths[c], continued);
      more |= cells[c].len > 0 && t->wrap;
    }
    fputs("|\n", t->to);
    first = false;
  }
}

static enum err add_cell(struct table *t, const struct packed *v, bool is_name) {
  if (t->cell_count == t->cell_capacity) {
    size_t capacity = MAX(64, t->cell_capacity * 2);
    size_t *ends = mem_realloc(t->ends, capacity * sizeof *ends);
    if (ends == NULL) return ERR_NOMEM;
    t->ends = ends;
    t->cell_capacity = capacity;
  }
  TRY(is_name ? buf_append_str(&t->cells, v->s) : render_value(&t->cells, v));
  t->ends[t->cell_count++] = t->cells.len;
  return ERR_OK;
}

static struct str cell(const struct table *t, size_t i) {
  size_t from = i > 0 ? t->ends[i - 1] : 0;
  return (struct str){t->cells.data + from, t->ends[i] - from};
}

static enum err put_kept(struct table *t, size_t first) {
  struct str *row = mem_alloc((t->column_count + 1) * sizeof *row);
  if (row == NULL) return ERR_NOMEM;
  for (size_t i = first; i + t->column_count <= t->cell_count; i += t->column_count) {
    for (uint32_t c = 0; c < t->column_count; c++) row[c] = cell(t, i + c);
    put_cells(t, row);
  }
  mem_free(row);
  t->cell_count = 0;
  buf_clear(&t->cells);
  return ERR_OK;
}

/// Settles the widths and writes the head and the sample.
static enum err put_sample(struct table *t) {
  t->widths = mem_zalloc((t->column_count + 1) * sizeof *t->widths);
  if (t->widths == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < t->cell_count; i++) t->widths[i % t->column_count] = MAX(t->widths[i % t->column_count], MAX(1, width_of(cell(t, i))));
  put_rule(t);
  struct str *names = mem_alloc(t->column_count * sizeof *names);
  if (names == NULL) return ERR_NOMEM;
  for (uint32_t c = 0; c < t->column_count; c++) names[c] = cell(t, c);
  put_cells(t, names);
  mem_free(names);
  put_rule(t);
  return put_kept(t, t->column_count);
}

enum err table_begin(struct table *t, const struct packed *columns) {
  t->column_count = columns->kind == PACKED_LIST ? columns->len : 0;
  for (uint32_t c = 0; c < t->column_count; c++) {
    const struct packed *name = &columns->items[c];
    if (name->kind != PACKED_STRING) return ERR_PROTOCOL;
    if (t->format == TABLE_VERBOSE) {
      TRY(add_cell(t, name, true));
      continue;
    }
    if (c > 0) fputs(", ", t->to);
    put(t, name->s);
  }
  if (t->format == TABLE_PLAIN && t->column_count > 0) fputc('\n', t->to);
  return ERR_OK;
}

static enum err put_plain(struct table *t, const struct packed *row) {
  for (uint32_t c = 0; c < t->column_count; c++) {
    buf_clear(&t->cells);
    TRY(render_value(&t->cells, &row->items[c]));
    if (c > 0) fputs(", ", t->to);
    put(t, buf_str(&t->cells));
  }
  fputc('\n', t->to);
  return ERR_OK;
}

enum err table_add(struct table *t, const struct packed *row) {
  if (row->kind != PACKED_LIST || row->len != t->column_count) return ERR_PROTOCOL;
  t->rows++;
  if (t->format == TABLE_PLAIN) return put_plain(t, row);
  for (uint32_t c = 0; c < t->column_count; c++) TRY(add_cell(t, &row->items[c], false));
  if (t->widths != NULL) return put_kept(t, 0);
  return t->rows >= t->sample_rows ? put_sample(t) : ERR_OK;
}

enum err table_end(struct table *t) {
  if (t->format == TABLE_PLAIN || t->column_count == 0) return ERR_OK;
  if (t->widths == NULL) TRY(put_sample(t));
  put_rule(t);
  return ERR_OK;
}

void table_done(struct table *t) {
  mem_free(t->widths);
  mem_free(t->ends);
  buf_done(&t->cells);
  *t = (struct table){0};
}
