// Who asked for a committed transaction is in its entries.
#include "graph/command_int.h"
#include "graph/graph_int.h"
#include "graph/replica.h"

enum { FIND_ENTRIES_MAX = 512, FIND_BYTES_MAX = 8 << 20 }; // in one call

/// Earlier entries of a transaction may be there without the last one, and then it is void.
static bool ends(const struct log_entry *entry, struct graph_origin origin) {
  return entry->origin_member == origin.member && entry->origin_sequence == origin.sequence && !(entry->parts & LOG_PART);
}

/// 0: none. A change of the schema is one command.
static enum err constraint_of(const struct log_entry *entry, uint32_t *ret, struct error *e) {
  struct bytes_in in = bytes_in_of(entry->payload);
  struct command c;
  struct arena a;
  *ret = 0;
  if (entry->kind != LOG_SCHEMA) return ERR_OK;
  arena_init(&a, NULL);
  enum err err = command_open(&in, e);
  if (err == ERR_OK) err = command_take(&in, &a, &c, e);
  if (err == ERR_OK && c.kind == COMMAND_INDEX_CREATE && c.index.index.constraint != GRAPH_CONSTRAINT_NONE)
    *ret = c.index.index.id;
  arena_done(&a);
  return err;
}

static enum err find(struct log_cursor *c, struct graph_origin origin, uint64_t *from, uint64_t last, struct graph_found *ret,
                     struct error *e) {
  size_t bytes = 0;
  for (int n = 0; n < FIND_ENTRIES_MAX && bytes < FIND_BYTES_MAX && *from <= last; n++) {
    const struct log_entry *entry;
    TRY(log_cursor_next(c, &entry, e));
    if (entry == NULL) return error_set(e, ERR_NOTFOUND, "The log ends before entry %llu.", (unsigned long long) *from);
    bytes += entry->payload.len;
    *from = entry->index + 1;
    if (!ends(entry, origin)) continue;
    ret->index = entry->index;
    ret->schema = entry->kind == LOG_SCHEMA;
    return constraint_of(entry, &ret->constraint, e);
  }
  return *from <= last ? ERR_WAIT : ERR_OK;
}

enum err graph_find_origin(struct graph *g, struct graph_origin origin, uint64_t *from, uint64_t last, struct graph_found *ret,
                           struct error *e) {
  struct log_cursor *c;
  *ret = (struct graph_found){0};
  if (*from > last) return ERR_OK;
  TRY(log_cursor_open(store_log(g->store), *from, &c, e));
  enum err err = find(c, origin, from, last, ret, e);
  log_cursor_close(c);
  return err;
}

enum graph_index_state graph_constraint_state(struct graph *g, uint32_t constraint) {
  struct schema *now = graph_schema(g);
  const struct schema_index *x = schema_find(now, constraint);
  enum graph_index_state state = x != NULL ? x->index.state : GRAPH_INDEX_FAILED;
  schema_release(now);
  return state;
}

bool graph_schema_is_on_its_way(struct graph *g, struct graph_origin origin) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  bool is = c->schema_origin.member == origin.member && c->schema_origin.sequence == origin.sequence;
  mutex_unlock(&c->mutex);
  return is;
}
