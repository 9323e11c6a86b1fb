#include "graph/apply_int.h"

#include "base/mem.h"

enum { COMMANDS_PER_REST = 64 };

struct applier *applier_make(struct graph *g) {
  struct applier *ap = mem_zalloc(sizeof *ap);
  if (ap == NULL) return NULL;
  ap->g = g;
  arena_init(&ap->scratch, NULL);
  return ap;
}

void applier_free(struct applier *ap) {
  if (ap == NULL) return;
  if (ap->batch != NULL) store_abort(ap->g->store, ap->batch);
  schema_release(ap->schema);
  buf_done(&ap->staged);
  map_done(&ap->verdicts);
  buf_done(&ap->key);
  buf_done(&ap->other_key);
  buf_done(&ap->block);
  arena_done(&ap->scratch);
  mem_free(ap);
}

enum err applier_begin(struct applier *ap, struct error *e) {
  if (ap->batch != NULL) return ERR_OK;
  TRY(page_batch_begin(ap->g->space, ap->g->applier_access, &ap->batch, e)); // enters page access until it is published
  ap->view = page_batch_view(ap->batch);
  ap->schema = graph_schema(ap->g);
  ap->schema_changed = false;
  for (int kind = 0; kind < 2; kind++) ap->high_water[kind] = graph_high_water(ap->g, (enum graph_kind) kind);
  ap->applied = store_applied(ap->g->store);
  return ERR_OK;
}

static void end_batch(struct applier *ap) {
  ap->batch = NULL;
  ap->commands = ap->ahead = 0;
  ap->following = NULL;
  schema_release(ap->schema);
  ap->schema = NULL;
  arena_reset(&ap->scratch);
}

enum err applier_publish(struct applier *ap, struct error *e) {
  struct graph *g = ap->g;
  TRY(statistics_flush(&g->statistics, ap->batch, e));
  for (int kind = 0; kind < 2; kind++) put_u64_le(store_meta(g->store) + 8 * kind, ap->high_water[kind]);
  store_publish(g->store, ap->batch, ap->applied);
  statistics_publish(&g->statistics);
  if (ap->schema_changed) graph_schema_publish(g, schema_hold(ap->schema));
  g->batches++;
  end_batch(ap);
  return ERR_OK;
}

void applier_abort(struct applier *ap) {
  if (ap->batch == NULL) return;
  store_abort(ap->g->store, ap->batch);
  statistics_abort(&ap->g->statistics);
  blocks_forget(&ap->g->blocks);
  end_batch(ap);
  struct error e = ERROR_INIT;
  enum err err = graph_load(ap->g, &e);
  if (err != ERR_OK) graph_fail(ap->g, err, &e);
}

enum err apply_rest(struct applier *ap, struct error *e) {
  TRY(page_batch_rest(ap->batch, e));
  ap->view = page_batch_view(ap->batch);
  ap->commands = 0;
  return ERR_OK;
}

static void raise_high_water(struct applier *ap, enum graph_kind kind, graph_id id) {
  ap->high_water[kind] = MAX(ap->high_water[kind], id + 1);
}

static enum err apply_command(struct applier *ap, const struct command *c, struct error *e) {
  switch (c->kind) {
  case COMMAND_CREATE_NODE: raise_high_water(ap, GRAPH_NODE, c->id); return apply_create_node(ap, c, e);
  case COMMAND_CREATE_REL: raise_high_water(ap, GRAPH_REL, c->id); return apply_create_rel(ap, c, e);
  case COMMAND_UPDATE_NODE: return apply_update_node(ap, c, e);
  case COMMAND_UPDATE_REL: return apply_update_rel(ap, c, e);
  case COMMAND_DELETE_REL: return apply_delete_rel(ap, c->id, e);
  case COMMAND_DELETE_NODE: return apply_delete_node(ap, c->id, false, e);
  case COMMAND_DETACH_DELETE_NODE: return apply_delete_node(ap, c->id, true, e);
  case COMMAND_TOKEN: return tokens_apply(&ap->g->tokens, ap->batch, c->token_kind, c->token, c->name, e);
  case COMMAND_INDEX_CREATE: return apply_index_create(ap, c, e);
  case COMMAND_INDEX_DROP: return apply_index_drop(ap, c->index_id, e);
  case COMMAND_INDEX_VERDICT: return apply_index_verdict(ap, c, e);
  case COMMAND_KIND_MAX: break;
  }
  return error_set(e, ERR_CORRUPT, "there is no command %d", (int) c->kind);
}

enum err applier_run(struct applier *ap, struct str bytes, const struct log_entry *entry, struct error *e) {
  struct bytes_in in = bytes_in_of(bytes);
  TRY(applier_begin(ap, e));
  TRY(command_open(&in, e));
  while (!bytes_in_done(&in)) {
    struct command c;
    if (ap->ahead-- == 0) TRY(apply_ahead(ap, in, e));
    arena_reset(&ap->scratch);
    TRY(command_take(&in, &ap->scratch, &c, e));
    enum err err = apply_command(ap, &c, e);
    if (err != ERR_OK) {
      error_ensure(e, err);
      (void) error_prefix(e, "log entry %llu", (unsigned long long) entry->index);
      return err;
    }
    ap->g->commands++;
    if (++ap->commands >= COMMANDS_PER_REST || page_access_should_rest(ap->g->applier_access)) TRY(apply_rest(ap, e));
  }
  ap->applied = store_applied_of(entry);
  return ERR_OK;
}

enum err applier_pass(struct applier *ap, const struct log_entry *entry, struct error *e) {
  TRY(applier_begin(ap, e));
  ap->applied = store_applied_of(entry);
  return ERR_OK;
}

bool applier_has_commands(enum log_kind kind) {
  return kind == LOG_TRANSACTION || kind == LOG_TOKEN || kind == LOG_SCHEMA || kind == LOG_SCHEMA_VERDICT;
}

/// An unfinished run of parts is void when anything else follows (contract 11).
enum err applier_entry(struct applier *ap, const struct log_entry *entry, struct error *e) {
  TRY(applier_begin(ap, e));
  if (ap->staged.len > 0 && entry->term != ap->staged_term) buf_clear(&ap->staged);
  if (!applier_has_commands(entry->kind)) {
    buf_clear(&ap->staged);
    return applier_pass(ap, entry, e);
  }
  ap->staged_term = entry->term;
  if (entry->parts & LOG_PART) return buf_append_str(&ap->staged, entry->payload) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
  if (ap->staged.len == 0) return applier_run(ap, entry->payload, entry, e);
  if (buf_append_str(&ap->staged, entry->payload) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  enum err err = applier_run(ap, buf_str(&ap->staged), entry, e);
  if (err == ERR_OK) buf_clear(&ap->staged);
  return err;
}
