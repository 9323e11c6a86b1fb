#include "graph/apply_int.h"

#include "base/mem.h"
#include "base/mutant.h"
#include "graph/describe_int.h"
#include "graph/key_int.h"
#include "graph/members_int.h"

enum { POPULATE_DEFAULT = 256, POPULATE_MAX = 4096 };

/// One that is filled waits for a verdict, which the leader alone gives, once (contract 18).
static bool has_step(struct applier *ap, const struct schema_index *x) {
  if (x->index.state != GRAPH_INDEX_POPULATING) return false;
  return x->populated != UINT64_MAX ||
         ((ap->g->commits.term != 0 || MUTANT(replica_verdict)) && map_get(&ap->verdicts, x->index.id) == NULL);
}

/// An index that is being filled, or waits for a verdict that can be given here; NULL when there is none.
static const struct schema_index *next_to_fill(struct applier *ap, const struct schema *s) {
  for (uint32_t i = 0; i < s->count; i++)
    if (has_step(ap, &s->indexes[i])) return &s->indexes[i];
  return NULL;
}

bool populate_has_work(struct applier *ap) {
  struct schema *now = graph_schema(ap->g);
  bool any = next_to_fill(ap, now) != NULL;
  schema_release(now);
  return any;
}

static double percent_of(struct applier *ap, const struct schema_index *x) {
  graph_id high = ap->high_water[x->index.entity];
  return x->populated >= high ? 100 : 100.0 * (double) x->populated / (double) high;
}

static enum err fill_slice(struct applier *ap, uint32_t id, struct error *e) {
  graph_id ids[POPULATE_MAX], next;
  uint32_t n, cap = ap->g->options.index_sample_max;
  struct schema *s = NULL;
  TRY(apply_change_schema(ap, &s, e));
  struct schema_index *x = schema_find(s, id);
  page_id members = x->index.entity == GRAPH_NODE ? ap->g->labels_root : ap->g->types_root;
  cap = cap == 0 ? POPULATE_DEFAULT : MIN(cap, (uint32_t) POPULATE_MAX);
  TRY(members_scan(&ap->view, members, x->index.label_or_type, x->populated, ids, cap, &n, &next, e));
  for (uint32_t i = 0; i < n; i++) {
    arena_reset(&ap->scratch);
    TRY(apply_populate_entity(ap, x, ids[i], e));
  }
  x->populated = next;
  x->index.population_percent = percent_of(ap, x);
  return schema_store(ap->batch, ap->g->schema_root, x, e);
}

enum err populate_to_the_end(struct applier *ap, uint32_t id, struct error *e) {
  const struct schema_index *x;
  while ((x = schema_find(ap->schema, id)) != NULL && x->populated != UINT64_MAX) {
    TRY(applier_publish(ap, e)); // each slice is a batch of its own, and what came before goes with the first
    TRY(applier_begin(ap, e));
    TRY(fill_slice(ap, id, e));
  }
  return ERR_OK;
}

/// Two entities with the same values, if there are any: keys that differ in their ids alone stand side by side.
static enum err find_double(struct applier *ap, const struct schema_index *x, graph_id *ret_one, graph_id *ret_other, bool *ret,
                            struct error *e) {
  CLEANUP(buf_done) struct buf last = BUF_INIT;
  struct btree_cursor c;
  btree_cursor_init(&c, x->tree);
  *ret = false;
  TRY(btree_cursor_first(&ap->view, &c, e));
  while (c.valid) {
    struct bytes key;
    TRY(btree_cursor_get(&ap->view, &c, &key, NULL, e));
    struct str now = {key.ptr, key.len};
    *ret = last.len == now.len && str_eq(key_values(buf_str(&last)), key_values(now));
    if (*ret) {
      *ret_one = key_id(buf_str(&last));
      *ret_other = key_id(now);
      return ERR_OK;
    }
    buf_clear(&last);
    if (buf_append_str(&last, now) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    TRY(btree_cursor_next(&ap->view, &c, e));
  }
  return ERR_OK;
}

static enum err describe_double(struct applier *ap, const struct schema_index *x, graph_id one, graph_id other, struct buf *text,
                                struct error *e) {
  struct value values[GRAPH_INDEX_KEYS_MAX];
  bool in;
  TRY(apply_index_values(ap, &x->index, one, values, &in, e));
  if (!in) return error_set(e, ERR_CORRUPT, "index %u has an entry for an entity that does not belong there", x->index.id);
  struct str name = x->index.constraint_name;
  enum err err = buf_printf(text, "Unable to create Constraint( name='%.*s', type='UNIQUENESS' ): Both ", STR_ARG(name));
  if (err == ERR_OK) err = describe_entity(text, x->index.entity, one);
  if (err == ERR_OK) err = buf_printf(text, " and ");
  if (err == ERR_OK) err = describe_entity(text, x->index.entity, other);
  if (err == ERR_OK) err = buf_printf(text, " have the ");
  if (err == ERR_OK) err = describe_key(text, &ap->g->tokens, &x->index, values);
  return err == ERR_OK ? err : error_ensure(e, err);
}

static void verdict_landed(struct flight *f, enum err err) {
  struct verdict *v = f->context;
  map_remove(&v->g->applier->verdicts, v->index);
  if (err == ERR_NOSPC || err == ERR_NOT_LEADER) { // judged again when there is room, or by who leads then
    buf_done(&v->failure);
    mem_free(v);
    flight_free(f);
    return;
  }
  graph_population_unlock(v->g);
  commits_judged(v->g, v);
  flight_free(f);
}

/// Takes the verdict over.
static enum err submit_verdict(struct applier *ap, struct verdict *v, struct error *e) {
  struct flight *f = flight_make();
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  f->landed = verdict_landed;
  f->context = v;
  struct command c = {.kind = COMMAND_INDEX_VERDICT, .index_id = v->index, .failure = buf_str(&v->failure)};
  uint64_t term = 0;
  enum err err = command_begin(&f->bytes);
  if (err == ERR_OK) err = command_put(&f->bytes, &c);
  if (err == ERR_OK) err = map_put(&ap->verdicts, v->index, 1);
  if (err == ERR_OK) err = commits_term(ap->g, &term, e);
  if (err == ERR_OK) err = commits_submit(ap->g, f, LOG_SCHEMA_VERDICT, term, e);
  if (err == ERR_OK) return ERR_OK;
  map_remove(&ap->verdicts, c.index_id);
  flight_free(f);
  return error_ensure(e, err);
}

/// All entities are in: the leader says what became of it, in the log, so that every member agrees (contract 18).
static enum err judge(struct applier *ap, const struct schema_index *x, struct error *e) {
  graph_id one, other;
  bool twice = false;
  if (x->index.constraint == GRAPH_CONSTRAINT_UNIQUE) TRY(find_double(ap, x, &one, &other, &twice, e));
  struct verdict *v = mem_zalloc(sizeof *v);
  if (v == NULL) return error_ensure(e, ERR_NOMEM);
  v->g = ap->g;
  v->index = x->index.id;
  enum err err = twice ? describe_double(ap, x, one, other, &v->failure, e) : ERR_OK;
  if (err == ERR_OK) err = submit_verdict(ap, v, e);
  if (err == ERR_OK) return ERR_OK;
  buf_done(&v->failure);
  mem_free(v);
  return err == ERR_NOT_LEADER ? ERR_OK : err; // the term has just ended: whoever leads next will judge
}

enum err populate_step(struct applier *ap, bool *ret_more, struct error *e) {
  struct schema *now = graph_schema(ap->g);
  const struct schema_index *x = next_to_fill(ap, now);
  *ret_more = x != NULL;
  uint32_t id = x != NULL ? x->index.id : 0;
  bool filled = x != NULL && x->populated == UINT64_MAX;
  schema_release(now);
  if (id == 0) return ERR_OK;
  enum err err = applier_begin(ap, e);
  if (err == ERR_OK && filled) err = judge(ap, schema_find(ap->schema, id), e);
  if (err == ERR_OK && !filled) err = fill_slice(ap, id, e);
  if (err == ERR_OK) err = applier_publish(ap, e);
  if (err != ERR_OK) applier_abort(ap);
  return err;
}
