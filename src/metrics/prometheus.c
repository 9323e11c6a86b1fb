#include "metrics/prometheus.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/// A metric under the name that it has there.
struct line {
  struct str name;
  const struct metric *metric;
};

static bool is_name_byte(char c, bool first) {
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  return letter || (!first && c >= '0' && c <= '9');
}

static struct str name_of(const struct metric *m, bool totals, struct arena *a) {
  const char *end = totals && m->type == METRIC_COUNTER ? "_total" : "";
  struct str name = arena_printf(a, "%.*s%s", STR_ARG(m->name), end);
  char *bytes = (char *) name.ptr; // just made
  for (size_t i = 0; bytes != NULL && i < name.len; i++)
    if (!is_name_byte(bytes[i], i == 0)) bytes[i] = '_';
  return name;
}

static int by_name(const void *a, const void *b) {
  const struct line *x = a, *y = b;
  int c = str_cmp(x->name, y->name);
  return c != 0 ? c : str_cmp(x->metric->database, y->metric->database);
}

static enum err put_label(struct buf *to, struct str database) {
  TRY(buf_append_str(to, STR("{database=\"")));
  for (size_t i = 0; i < database.len; i++) {
    char c = database.ptr[i];
    if (c == '\n') {
      TRY(buf_append_str(to, STR("\\n")));
      continue;
    }
    if (c == '"' || c == '\\') TRY(buf_append_byte(to, '\\'));
    TRY(buf_append_byte(to, (uint8_t) c));
  }
  return buf_append_str(to, STR("\"}"));
}

static enum err put_value(struct buf *to, double v) {
  bool whole = fabs(v) < 9e15 && v == floor(v);
  return whole ? buf_printf(to, " %lld\n", (long long) v) : buf_printf(to, " %.17g\n", v);
}

/// Lines of one name.
static enum err put_family(const struct line *lines, uint32_t n, struct buf *to) {
  const struct metric *m = lines[0].metric;
  TRY(buf_printf(to, "# HELP %.*s %s\n# TYPE %.*s %s\n", STR_ARG(lines[0].name), m->help, STR_ARG(lines[0].name),
                 m->type == METRIC_COUNTER ? "counter" : "gauge"));
  for (uint32_t i = 0; i < n; i++) {
    TRY(buf_append_str(to, lines[i].name));
    if (n > 1) TRY(put_label(to, lines[i].metric->database));
    TRY(put_value(to, lines[i].metric->value));
  }
  return ERR_OK;
}

enum err prometheus_write(const struct metric_list *list, bool totals, struct arena *a, struct buf *to) {
  struct line *lines = ARENA_ARRAY(a, struct line, list->count + 1);
  if (lines == NULL) return ERR_NOMEM;
  for (uint32_t i = 0; i < list->count; i++) {
    lines[i] = (struct line){name_of(&list->of[i], totals, a), &list->of[i]};
    if (lines[i].name.ptr == NULL) return ERR_NOMEM;
  }
  qsort(lines, list->count, sizeof lines[0], by_name);
  for (uint32_t i = 0, n; i < list->count; i += n) {
    for (n = 1; i + n < list->count && str_eq(lines[i + n].name, lines[i].name);) n++;
    TRY(put_family(&lines[i], n, to));
  }
  return ERR_OK;
}
