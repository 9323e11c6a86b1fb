// MERGE: what matches, or what is made.
#include "plan/plan_int.h"

static enum err add_actions(struct planner *p, struct chain *c, const struct ast *clause, bool on_create, struct plan_set *ret) {
  struct ast_list items = {0};
  *ret = (struct plan_set){0};
  AST_EACH(action, clause->merge.actions) {
    if (action->merge_action.on_create != on_create) continue;
    AST_EACH(item, action->merge_action.items) {
      struct ast *copy = ast_copy(p->arena, item); // a node stands in one list only
      PLAN_ALLOC(p, copy);
      ast_append(&items, copy);
    }
  }
  return items.count > 0 ? plan_set_items(p, c, &items, ret) : ERR_OK;
}

/// What is locked before looking: label and properties of each new node, so that two MERGE of one pattern take turns.
static enum err merge_lock(struct planner *p, const struct plan_create_item *item, struct plan_merge_lock *ret) {
  struct list_builder keys = {0};
  struct exprs_builder values = {0};
  *ret = (struct plan_merge_lock){.kind = item->kind, .label_or_type = item->labels.count > 0 ? item->labels.items[0] : PLAN_NONE};
  if (item->properties != NULL && item->properties->kind == AST_MAP)
    AST_EACH(entry, item->properties->map.entries) {
      plan_name_id key;
      TRY(planner_name(p, GRAPH_KEY, entry->map_entry.key, &key));
      TRY(list_add(p, &keys, key));
      TRY(exprs_add(p, &values, entry->map_entry.value));
    }
  ret->keys = list_of(&keys);
  ret->values = exprs_of(&values);
  return ERR_OK;
}

static enum err add_locks(struct planner *p, struct plan_merge *m) {
  struct plan_merge_lock *locks = ARENA_ARRAY(p->arena, struct plan_merge_lock, m->create.count);
  PLAN_ALLOC(p, locks);
  m->lock_count = 0;
  for (uint32_t i = 0; i < m->create.count; i++)
    if (m->create.items[i].kind == GRAPH_NODE) TRY(merge_lock(p, &m->create.items[i], &locks[m->lock_count++]));
  m->locks = locks;
  return ERR_OK;
}

enum err plan_merge(struct planner *p, struct chain *c, const struct ast *clause) {
  const struct ast *path = clause->merge.path;
  struct plan_merge m;
  struct chain right;
  struct plan_op *op;
  TRY(plan_create_paths(p, c, &path, 1, &m.create));
  TRY(add_locks(p, &m));
  TRY(chain_right(p, c, &right));
  right.current = right.op->current = true;
  TRY(plan_pattern(p, &right, path, NULL));
  struct chain made = *c;
  for (uint32_t i = 0; i < m.create.count; i++) TRY(chain_bind(p, &made, m.create.items[i].slot));
  c->bound = made.bound;
  TRY(add_actions(p, c, clause, true, &m.on_create));
  TRY(add_actions(p, c, clause, false, &m.on_match));
  TRY(chain_push2(p, c, PLAN_MERGE, right.op, &op));
  op->merge = m;
  op->writes = true;
  return plan_written_path(p, c, path);
}
