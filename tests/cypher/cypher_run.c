// Runs statements on a database in memory: for the text cases and the TCK, which drive it through a pipe.
//
// Input: records that end with a NUL byte. "R": an empty database. "P<map>": parameters, as the text of a Cypher map.
// "Q<statement>": runs it. "E": barriers after every write from now on. "N": no rewrites of plans from now on,
// "A": all that are possible. "W": every page is cold at each statement from now on,
// and reading one waits. "I": runs give up their thread every few batches. "F": no shortcuts, every relationship found becomes a
// row. The small letter ends it. Output: for each Q a record of lines that ends with a NUL byte: "ok" or
// "error<TAB>name<TAB>status<TAB>message", then "columns<TAB>...", "row<TAB>value<TAB>...", and "stats<TAB>name=n..." with the
// counters that are not 0.
#include <stdio.h>
#include <string.h>

#include "lab.h"
#include "value_print.h"

struct printer {
  struct row_sink sink;
  struct buf out;
};

static enum err print_rows(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                           struct error *e UNUSED) {
  struct printer *p = CONTAINER_OF(sink, struct printer, sink);
  for (uint32_t i = 0; i < rows; i++) {
    TRY(buf_append_str(&p->out, STR("row")));
    for (uint32_t k = 0; k < width; k++) {
      TRY(buf_append_byte(&p->out, '\t'));
      TRY(value_print(&p->out, vec_get(&columns[k], sel != NULL ? sel[i] : i)));
    }
    TRY(buf_append_byte(&p->out, '\n'));
  }
  return ERR_OK;
}

static void print_stats(const struct exec_counters *c) {
  const struct {
    const char *name;
    int64_t n;
  } all[] = {{"nodes_created", c->nodes_created},
             {"nodes_deleted", c->nodes_deleted},
             {"relationships_created", c->relationships_created},
             {"relationships_deleted", c->relationships_deleted},
             {"properties_set", c->properties_set},
             {"labels_added", c->labels_added},
             {"labels_removed", c->labels_removed}};
  printf("stats");
  for (size_t i = 0; i < ARRAY_SIZE(all); i++)
    if (all[i].n != 0) printf("\t%s=%lld", all[i].name, (long long) all[i].n);
  printf("\n");
}

static void print_error(const struct error *e) {
  printf("error\t%s\t%s\t", err_name(e->code), err_neo4j_code(e->code));
  for (const char *c = e->message; *c != '\0'; c++) putchar(*c == '\n' || *c == '\t' ? ' ' : *c);
  printf("\n");
}

static void run_query(struct lab *l, struct str text) {
  struct printer p = {.sink = {print_rows}};
  struct lab_result result = {.error = ERROR_INIT};
  struct plan *plan;
  result.err = lab_plan(l, text, &plan, &result.error);
  if (result.err == ERR_OK) {
    const struct ast_statement *s = plan->statement;
    lab_run_plan(l, plan, &p.sink, &result);
    if (result.err == ERR_OK) {
      printf("ok\ncolumns");
      for (uint32_t i = 0; i < s->column_count; i++) printf("\t%.*s", STR_ARG(s->columns[i].name));
      printf("\n%.*s", (int) p.out.len, p.out.data != NULL ? p.out.data : "");
      print_stats(&result.counters);
    }
    plan_unref(plan);
  }
  if (result.err != ERR_OK) print_error(&result.error);
  putchar('\0');
  fflush(stdout);
  buf_done(&p.out);
}

struct keeper {
  struct row_sink sink;
  struct lab *lab;
};

static enum err keep_value(struct row_sink *sink, const struct vec *columns, uint32_t width UNUSED, const uint32_t *sel,
                           uint32_t rows UNUSED, struct error *e) {
  struct lab *l = CONTAINER_OF(sink, struct keeper, sink)->lab;
  return value_copy(&l->arena, vec_get(&columns[0], sel != NULL ? sel[0] : 0), &l->parameters, e);
}

static void set_parameters(struct lab *l, struct str text) {
  struct keeper k = {{keep_value}, l};
  struct buf query = BUF_INIT;
  struct lab_result result;
  l->parameters = V_NULL;
  if (buf_printf(&query, "RETURN %.*s AS p", STR_ARG(text)) == ERR_OK) lab_run(l, buf_str(&query), &k.sink, &result);
  buf_done(&query);
}

static bool reopen(struct lab *l) {
  struct error e = ERROR_INIT;
  struct lab modes = *l;
  if (l->graph != NULL) lab_close(l);
  if (lab_open(l, &e) != ERR_OK) {
    fprintf(stderr, "%s\n", e.message);
    return false;
  }
  l->eager_everywhere = modes.eager_everywhere;
  l->rewrites = modes.rewrites;
  l->cold = modes.cold;
  l->impatient = modes.impatient;
  l->flat = modes.flat;
  return true;
}

/// A capital letter switches a mode on, a small one off again.
static void set_mode(struct lab *l, char what) {
  bool on = what >= 'A' && what <= 'Z';
  switch (on ? what : what - ('a' - 'A')) {
  case 'E': l->eager_everywhere = on; break;
  case 'W': l->cold = on; break;
  case 'I': l->impatient = on; break;
  case 'F': l->flat = on; break;
  case 'N': l->rewrites = on ? PLAN_REWRITES_NONE : PLAN_REWRITES_BY_COST; break;
  case 'A': l->rewrites = on ? PLAN_REWRITES_ALL : PLAN_REWRITES_BY_COST; break;
  default: break;
  }
}

int main(void) {
  struct lab l = {0};
  struct buf record = BUF_INIT;
  if (!reopen(&l)) return 1;
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\0') {
      if (buf_append_byte(&record, (uint8_t) c) != ERR_OK) return 1;
      continue;
    }
    struct str text = {record.data + 1, record.len > 0 ? record.len - 1 : 0};
    char what = record.len > 0 ? record.data[0] : ' ';
    if (what == 'R' && !reopen(&l)) return 1;
    if (what == 'P') set_parameters(&l, text);
    set_mode(&l, what);
    if (what == 'Q') run_query(&l, text);
    buf_clear(&record);
  }
  buf_done(&record);
  lab_close(&l);
  return 0;
}
