// Plans as text: short for tests, as a table for people.
#include <inttypes.h>
#include <string.h>

#include "plan/explain.h"

/// The ARGUMENT with which everything starts says nothing.
static bool is_shown(const struct plan_op *op) {
  return op->kind != PLAN_ARGUMENT || op->depth > 0;
}

static enum err print_ops(const struct plan *p, const struct plan_op *op, uint32_t level, struct buf *out) {
  for (;; op = op->children[0]) {
    if (is_shown(op)) {
      CLEANUP(buf_done) struct buf details = BUF_INIT;
      TRY(plan_op_details(p, op, &details));
      TRY(buf_printf(out, "%*s%s%s%.*s\n", (int) level * 2, "", plan_op_name(op), details.len > 0 ? " " : "", (int) details.len, details.data));
    }
    for (uint32_t i = op->child_count; i-- > 1;) TRY(print_ops(p, op->children[i], level + 1, out));
    if (op->child_count == 0) return ERR_OK;
  }
}

enum err plan_print(const struct plan *p, struct buf *out) {
  return p->root != NULL ? print_ops(p, p->root, 0, out) : buf_append_str(out, STR("Command\n"));
}

enum { COLUMN_MAX = 7, DETAILS_WIDTH_MAX = 100 };

struct line {
  const struct plan_op *op; // NULL: between two operators
  struct str cells[COLUMN_MAX];
};

struct table {
  struct arena arena;
  const struct plan *p;
  const struct plan_explain_options *options;
  struct line *lines;
  uint32_t line_count, room;
  uint32_t columns;
  uint64_t hits;
};

static enum err add_line(struct table *t, struct line line) {
  if (t->line_count == t->room) {
    uint32_t room = MAX(16, t->room * 2);
    struct line *grown = arena_grow(&t->arena, t->lines, t->room * sizeof *grown, room * sizeof *grown);
    if (grown == NULL) return arena_err(&t->arena, NULL);
    t->lines = grown;
    t->room = room;
  }
  t->lines[t->line_count++] = line;
  return ERR_OK;
}

static enum err details_cell(struct table *t, const struct plan_op *op, struct str *ret) {
  CLEANUP(buf_done) struct buf details = BUF_INIT;
  TRY(plan_op_details(t->p, op, &details));
  bool cut = details.len > DETAILS_WIDTH_MAX;
  *ret = arena_printf(&t->arena, "%.*s%s", (int) (cut ? DETAILS_WIDTH_MAX - 3 : details.len), details.len > 0 ? details.data : "", cut ? "..." : "");
  return ret->ptr != NULL ? ERR_OK : arena_err(&t->arena, NULL);
}

static enum err op_line(struct table *t, const struct plan_op *op, const char *bars) {
  struct arena *a = &t->arena;
  struct line line = {.op = op};
  line.cells[0] = arena_printf(a, "%s+%s", bars, plan_op_name(op));
  line.cells[1] = arena_printf(a, "%" PRIu32, op->id);
  TRY(details_cell(t, op, &line.cells[2]));
  line.cells[3] = arena_printf(a, "%.0f", op->rows);
  if (t->columns > 4) {
    struct plan_measured m = t->options->measures->of(t->options->measures->context, op->id);
    t->hits += m.db_hits;
    line.cells[4] = arena_printf(a, "%" PRIu64, m.rows);
    line.cells[5] = arena_printf(a, "%" PRIu64, m.db_hits);
    line.cells[6] = arena_printf(a, "%" PRIu64, m.memory_bytes);
  }
  for (uint32_t i = 0; i < t->columns; i++)
    if (line.cells[i].ptr == NULL) return arena_err(a, NULL);
  return add_line(t, line);
}

static enum err gap_line(struct table *t, const char *bars, const char *tail) {
  struct line line = {.cells = {arena_printf(&t->arena, "%s%s", bars, tail)}};
  return line.cells[0].ptr != NULL ? add_line(t, line) : arena_err(&t->arena, NULL);
}

static enum err add_ops(struct table *t, const struct plan_op *op, const char *bars, bool first) {
  for (;; op = op->children[0], first = false) {
    if (!is_shown(op)) return ERR_OK;
    if (!first) TRY(gap_line(t, bars, "|"));
    TRY(op_line(t, op, bars));
    for (uint32_t i = op->child_count; i-- > 1;) {
      struct str deeper = arena_printf(&t->arena, "%s| ", bars);
      if (deeper.ptr == NULL) return arena_err(&t->arena, NULL);
      if (!is_shown(op->children[i])) continue;
      TRY(gap_line(t, bars, "|\\"));
      TRY(add_ops(t, op->children[i], deeper.ptr, true));
    }
    if (op->child_count == 0) return ERR_OK;
  }
}

static enum err rule(const uint32_t *widths, uint32_t from, uint32_t columns, struct buf *out) {
  for (uint32_t i = from; i < columns; i++) {
    TRY(buf_append_byte(out, '+'));
    for (uint32_t k = 0; k < widths[i] + 2; k++) TRY(buf_append_byte(out, '-'));
  }
  return buf_append_str(out, STR("+\n"));
}

static enum err cell(struct str text, uint32_t width, bool right, struct buf *out) {
  uint32_t blanks = width - (uint32_t) text.len;
  return buf_printf(out, "| %*s%.*s%*s ", right ? (int) blanks : 0, "", STR_ARG(text), right ? 0 : (int) blanks, "");
}

static bool is_number(uint32_t column) {
  return column == 1 || column > 2;
}

static enum err write_line(const struct table *t, const struct line *line, const uint32_t *widths, struct buf *out) {
  TRY(cell(line->cells[0], widths[0], false, out));
  if (line->op == NULL) return rule(widths, 1, t->columns, out);
  for (uint32_t i = 1; i < t->columns; i++) TRY(cell(line->cells[i], widths[i], is_number(i), out));
  return buf_append_str(out, STR("|\n"));
}

static enum err write_table(struct table *t, struct buf *out) {
  static const char *const titles[COLUMN_MAX] = {"Operator", "Id", "Details", "Estimated Rows", "Rows", "DB Hits", "Memory (Bytes)"};
  uint32_t widths[COLUMN_MAX];
  for (uint32_t i = 0; i < t->columns; i++) {
    widths[i] = (uint32_t) strlen(titles[i]);
    for (uint32_t k = 0; k < t->line_count; k++) widths[i] = MAX(widths[i], (uint32_t) t->lines[k].cells[i].len);
  }
  TRY(rule(widths, 0, t->columns, out));
  for (uint32_t i = 0; i < t->columns; i++) TRY(cell(str_of(titles[i]), widths[i], false, out));
  TRY(buf_append_str(out, STR("|\n")));
  TRY(rule(widths, 0, t->columns, out));
  for (uint32_t k = 0; k < t->line_count; k++) TRY(write_line(t, &t->lines[k], widths, out));
  TRY(rule(widths, 0, t->columns, out));
  if (t->columns == 4) return buf_append_str(out, STR("\nTotal database accesses: ?\n"));
  return buf_printf(out, "\nTotal database accesses: %" PRIu64 "\n", t->hits);
}

enum err plan_explain_table(const struct plan *p, const struct plan_explain_options *options, struct buf *out) {
  struct table t = {.p = p, .options = options, .columns = options->measures != NULL ? 7 : 4};
  TRY(buf_printf(out, "Planner COST\n\nRuntime BATCHED\n\nRuntime version %.*s\n\n", STR_ARG(options->version)));
  if (p->root == NULL) return ERR_OK;
  arena_init(&t.arena, NULL);
  enum err err = add_ops(&t, p->root, "", true);
  if (err == ERR_OK) err = write_table(&t, out);
  arena_done(&t.arena);
  return err;
}
