// CREATE and DROP of indexes and constraints, in Neo4j's words.
#include <string.h>

#include "dbms/command.h"
#include "graph/stats.h"
#include "graph/write.h"

static enum err wanted_index(struct transaction *t, struct str label, const struct ast_list *properties, bool relationship, struct graph_index *ret,
                             struct error *e) {
  *ret = (struct graph_index){.index_kind = GRAPH_INDEX_RANGE, .entity = relationship ? GRAPH_REL : GRAPH_NODE};
  if (properties->count > GRAPH_INDEX_KEYS_MAX) return error_set(e, ERR_ARGUMENT, "An index covers at most %d properties.", GRAPH_INDEX_KEYS_MAX);
  TRY(graph_token_make(t->graph_tx, relationship ? GRAPH_TYPE : GRAPH_LABEL, label, &ret->label_or_type, e));
  AST_EACH(property, *properties) TRY(graph_token_make(t->graph_tx, GRAPH_KEY, property->property.key, &ret->keys[ret->key_count++], e));
  return ERR_OK;
}

static bool same_schema(const struct graph_index *a, const struct graph_index *b) {
  if (a->index_kind != b->index_kind || a->entity != b->entity || a->label_or_type != b->label_or_type || a->key_count != b->key_count) return false;
  return memcmp(a->keys, b->keys, a->key_count * sizeof *a->keys) == 0;
}

static bool has_name(const struct graph_index *index, struct str name) {
  return str_eq(index->name, name) || (index->constraint != GRAPH_CONSTRAINT_NONE && str_eq(index->constraint_name, name));
}

struct schema {
  struct graph_index *indexes;
  uint32_t count;
};

static enum err load_schema(struct transaction *t, struct arena *a, struct schema *ret, struct error *e) {
  return graph_stats_indexes(t->database->graph, a, &ret->indexes, &ret->count) ? ERR_OK : arena_err(a, e);
}

static const struct graph_index *find_name(const struct schema *s, struct str name) {
  for (uint32_t i = 0; i < s->count; i++)
    if (has_name(&s->indexes[i], name)) return &s->indexes[i];
  return NULL;
}

static const struct graph_index *find_same(const struct schema *s, const struct graph_index *wanted) {
  for (uint32_t i = 0; i < s->count; i++)
    if (same_schema(&s->indexes[i], wanted)) return &s->indexes[i];
  return NULL;
}

static bool is_there(enum err err) {
  return err == ERR_INDEX_EXISTS || err == ERR_INDEX_NAME_EXISTS || err == ERR_CONSTRAINT_EXISTS || err == ERR_CONSTRAINT_NAME_EXISTS;
}

/// The command's own index after a wait is no reason to refuse it: it is known by `r->command_begun`.
static enum err create(struct transaction *t, struct result *r, struct graph_index *wanted, struct str name, bool if_not_exists, struct error *e) {
  struct schema schema;
  bool constraint = wanted->constraint != GRAPH_CONSTRAINT_NONE;
  if (!r->command_begun) {
    TRY(load_schema(t, &r->rows.arena, &schema, e));
    const struct graph_index *taken = name.len > 0 ? find_name(&schema, name) : NULL, *same = find_same(&schema, wanted);
    if ((taken != NULL || same != NULL) && if_not_exists) return ERR_OK;
    if (same != NULL && same->constraint != GRAPH_CONSTRAINT_NONE && constraint) {
      return error_set(e, ERR_CONSTRAINT_EXISTS, "An equivalent constraint already exists, '%.*s'.", STR_ARG(same->constraint_name));
    }
    if (same != NULL && same->constraint != GRAPH_CONSTRAINT_NONE) {
      return error_set(e, ERR_CONSTRAINT_EXISTS, "There is a uniqueness constraint on these properties, so an index is already created that matches this: '%.*s'.",
                       STR_ARG(same->constraint_name));
    }
    if (same != NULL && constraint) {
      return error_set(e, ERR_INDEX_EXISTS, "There already exists an index '%.*s' on these properties. A constraint cannot be created until the index has been dropped.",
                       STR_ARG(same->name));
    }
    if (same != NULL) return error_set(e, ERR_INDEX_EXISTS, "An equivalent index already exists, '%.*s'.", STR_ARG(same->name));
    if (taken != NULL && constraint) return error_set(e, ERR_CONSTRAINT_NAME_EXISTS, "There already exists a constraint or index called '%.*s'.", STR_ARG(name));
    if (taken != NULL) return error_set(e, ERR_INDEX_NAME_EXISTS, "There already exists an index called '%.*s'.", STR_ARG(name));
    r->command_begun = true;
  }
  wanted->name = wanted->constraint_name = name;
  uint32_t id;
  enum err err = graph_index_create(t->graph_tx, wanted, &id, e);
  if (if_not_exists && is_there(err)) return ERR_OK; // somebody else made it while this one waited
  TRY(err);
  if (constraint) r->counters.constraints_added++;
  else r->counters.indexes_added++;
  return ERR_OK;
}

static enum err optional_name(const struct ast *n, struct value parameters, struct str *ret, struct error *e) {
  *ret = STR_NONE;
  return n != NULL ? command_text(n, parameters, ret, e) : ERR_OK;
}

enum err command_create_index(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  uint32_t type = n->create_index.type;
  if (type != AST_INDEX_DEFAULT && type != AST_INDEX_RANGE && type != AST_INDEX_BTREE) {
    return error_set(e, ERR_UNSUPPORTED, "This server has range indexes and no other kind: use CREATE INDEX or CREATE RANGE INDEX.");
  }
  if (n->create_index.labels.count != 1) return error_set(e, ERR_SEMANTIC, "A range index is for one label or relationship type.");
  struct str name;
  struct graph_index wanted;
  TRY(optional_name(n->create_index.name, parameters, &name, e));
  TRY(wanted_index(t, n->create_index.labels.first->label.name, &n->create_index.properties, n->create_index.relationship, &wanted, e));
  return create(t, r, &wanted, name, n->create_index.if_not_exists, e);
}

enum err command_create_constraint(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  if (n->create_constraint.type != AST_CONSTRAINT_UNIQUE) {
    return error_set(e, ERR_CONSTRAINT_CREATION, "This server has property uniqueness constraints and no other kind: REQUIRE n.property IS UNIQUE.");
  }
  struct str name;
  struct graph_index wanted;
  TRY(optional_name(n->create_constraint.name, parameters, &name, e));
  TRY(wanted_index(t, n->create_constraint.label, &n->create_constraint.properties, n->create_constraint.relationship, &wanted, e));
  wanted.constraint = GRAPH_CONSTRAINT_UNIQUE;
  return create(t, r, &wanted, name, n->create_constraint.if_not_exists, e);
}

/// After a wait it is called again, when the index may be gone already and is not to be looked for by its name.
static enum err drop(struct transaction *t, struct result *r, uint32_t id, bool constraint, bool if_exists, struct error *e) {
  r->command_begun = true;
  r->command_index = id;
  enum err err = graph_index_drop(t->graph_tx, id, e);
  if (if_exists && err == ERR_INDEX_NOT_FOUND) return ERR_OK; // somebody else dropped it while this one waited
  TRY(err);
  if (constraint) r->counters.constraints_removed++;
  else r->counters.indexes_removed++;
  return ERR_OK;
}

/// By name, or by what it covers in the old form `ON :label(properties)`.
static enum err find_dropped(struct transaction *t, struct result *r, const struct ast *name_node, struct str label, const struct ast_list *properties,
                             bool relationship, struct value parameters, const struct graph_index **ret, struct str *ret_name, struct error *e) {
  struct schema schema;
  TRY(load_schema(t, &r->rows.arena, &schema, e));
  if (name_node != NULL) {
    TRY(command_text(name_node, parameters, ret_name, e));
    *ret = find_name(&schema, *ret_name);
    return ERR_OK;
  }
  struct graph_index wanted;
  *ret_name = label;
  TRY(wanted_index(t, label, properties, relationship, &wanted, e));
  *ret = find_same(&schema, &wanted);
  return ERR_OK;
}

enum err command_drop_index(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  if (r->command_begun) return drop(t, r, r->command_index, false, n->drop_index.if_exists, e);
  const struct graph_index *index;
  struct str name;
  TRY(find_dropped(t, r, n->drop_index.name, n->drop_index.label, &n->drop_index.properties, false, parameters, &index, &name, e));
  if (index != NULL && index->constraint != GRAPH_CONSTRAINT_NONE) {
    return error_set(e, ERR_INDEX_NOT_FOUND, "Unable to drop index: Index belongs to constraint: `%.*s`", STR_ARG(index->constraint_name));
  }
  if (index != NULL) return drop(t, r, index->id, false, n->drop_index.if_exists, e);
  if (n->drop_index.if_exists) return ERR_OK;
  return error_set(e, ERR_INDEX_NOT_FOUND, "Unable to drop index called `%.*s`. There is no such index.", STR_ARG(name));
}

enum err command_drop_constraint(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  if (r->command_begun) return drop(t, r, r->command_index, true, n->drop_constraint.if_exists, e);
  const struct graph_index *index;
  struct str name;
  const struct ast *old = n->drop_constraint.old;
  static const struct ast_list none;
  TRY(find_dropped(t, r, n->drop_constraint.name, old != NULL ? old->create_constraint.label : STR_NONE, old != NULL ? &old->create_constraint.properties : &none,
                   old != NULL && old->create_constraint.relationship, parameters, &index, &name, e));
  if (index != NULL && index->constraint != GRAPH_CONSTRAINT_NONE) return drop(t, r, index->id, true, n->drop_constraint.if_exists, e);
  if (n->drop_constraint.if_exists) return ERR_OK;
  return error_set(e, ERR_CONSTRAINT_NOT_FOUND, "Unable to drop constraint `%.*s`: No such constraint %.*s.", STR_ARG(name), STR_ARG(name));
}
