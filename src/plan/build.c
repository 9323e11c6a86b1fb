// Building blocks: operators, chains, slots, names, arrays.
#include <string.h>

#include "plan/plan_int.h"

enum err planner_nomem(struct planner *p) {
  return p->arena->failed != ERR_OK ? arena_err(p->arena, p->error) : arena_err(&p->scratch, p->error);
}

enum err planner_unsupported(struct planner *p, const struct ast *at, const char *feature) {
  enum err err = error_set(p->error, ERR_UNSUPPORTED, "%s is not supported by this version", feature);
  if (p->error == NULL || at == NULL) return err;
  // Positions count UTF-16 units; lines and columns start at 1.
  struct str text = p->statement->text;
  uint32_t offset = 0, line = 1, column = 1;
  for (size_t i = 0; i < at->offset && i < text.len;) {
    uint32_t cp = str_next_code_point(text, &i);
    uint32_t units = cp > 0xFFFF ? 2 : 1;
    offset += units;
    column = cp == '\n' ? 1 : column + units;
    line += cp == '\n';
  }
  p->error->offset = offset;
  p->error->line = line;
  p->error->column = column;
  return err;
}

enum err array_room(struct planner *p, void *items_pointer, uint32_t count, uint32_t *room, size_t size) {
  void **items = items_pointer;
  if (count < *room) return ERR_OK;
  uint32_t wanted = MAX(4, *room * 2);
  void *grown = arena_grow(p->arena, *items, *room * size, wanted * size);
  PLAN_ALLOC(p, grown);
  *items = grown;
  *room = wanted;
  return ERR_OK;
}

enum err list_add(struct planner *p, struct list_builder *l, uint32_t item) {
  TRY(array_room(p, &l->items, l->count, &l->room, sizeof *l->items));
  l->items[l->count++] = item;
  return ERR_OK;
}
struct plan_list list_of(const struct list_builder *l) {
  return (struct plan_list){l->items, l->count};
}

enum err exprs_add(struct planner *p, struct exprs_builder *l, const struct ast *item) {
  TRY(array_room(p, &l->items, l->count, &l->room, sizeof *l->items));
  l->items[l->count++] = item;
  return ERR_OK;
}
struct plan_exprs exprs_of(const struct exprs_builder *l) {
  return (struct plan_exprs){l->items, l->count};
}

enum err items_add(struct planner *p, struct items_builder *l, uint32_t slot, const struct ast *expression) {
  TRY(array_room(p, &l->items, l->count, &l->room, sizeof *l->items));
  l->items[l->count++] = (struct plan_item){slot, expression};
  return ERR_OK;
}
struct plan_items items_of(const struct items_builder *l) {
  return (struct plan_items){l->items, l->count};
}

enum err list_one(struct planner *p, uint32_t item, struct plan_list *ret) {
  uint32_t *copy = arena_copy(p->arena, &item, sizeof item);
  PLAN_ALLOC(p, copy);
  *ret = (struct plan_list){copy, 1};
  return ERR_OK;
}

enum err planner_slot(struct planner *p, struct str name, enum ast_variable_kind kind, uint32_t *ret) {
  bool own = p->slot_count >= p->statement->slot_count; // not a variable of the statement
  if (name.len == 0 || own) name = arena_printf(p->arena, "%.*s_%u", STR_ARG(name.len > 0 ? name : STR("anon")), p->slot_count);
  PLAN_ALLOC(p, name.ptr);
  TRY(array_room(p, &p->slots, p->slot_count, &p->slot_room, sizeof *p->slots));
  *ret = p->slot_count;
  p->slots[p->slot_count++] = (struct plan_slot){name, (uint8_t) kind};
  return ERR_OK;
}

enum err planner_name(struct planner *p, enum graph_token_kind kind, struct str name, plan_name_id *ret) {
  for (uint32_t i = 0; i < p->name_count; i++)
    if (p->names[i].kind == kind && str_eq(p->names[i].name, name)) {
      *ret = i;
      return ERR_OK;
    }
  TRY(array_room(p, &p->names, p->name_count, &p->name_room, sizeof *p->names));
  struct plan_name *made = &p->names[p->name_count];
  *made = (struct plan_name){kind, name, GRAPH_ANY};
  if (!p->catalog->find_token(p->catalog->context, kind, name, &made->token)) made->token = GRAPH_ANY;
  *ret = p->name_count++;
  return ERR_OK;
}

graph_token planner_token(const struct planner *p, plan_name_id name) {
  return p->names[name].token;
}

enum err planner_op(struct planner *p, enum plan_op_kind kind, uint32_t depth, uint32_t children, struct plan_op **ret) {
  struct plan_op *op = ARENA_NEW(p->arena, struct plan_op);
  PLAN_ALLOC(p, op);
  op->kind = kind;
  op->depth = depth;
  op->child_count = children;
  op->rows = 1;
  op->height = 1;
  op->children = children > 0 ? ARENA_ARRAY(p->arena, struct plan_op *, children) : NULL;
  if (children > 0) PLAN_ALLOC(p, op->children);
  *ret = op;
  return ERR_OK;
}

static enum err set_height(struct planner *p, struct plan_op *op) {
  op->height = 1;
  for (uint32_t i = 0; i < op->child_count; i++) op->height = MAX(op->height, op->children[i]->height + 1);
  if (op->height <= PLAN_DEPTH_MAX) return ERR_OK;
  return error_set(p->error, ERR_UNSUPPORTED, "The query needs more than %d steps one after another; split it into several", PLAN_DEPTH_MAX);
}

enum err chain_push(struct planner *p, struct chain *c, enum plan_op_kind kind, struct plan_op **ret) {
  struct plan_op *op;
  TRY(planner_op(p, kind, c->depth, 1, &op));
  op->children[0] = c->op;
  op->rows = c->op->rows;
  op->writes = c->op->writes;
  op->current = c->current;
  c->op = op;
  *ret = op;
  return set_height(p, op);
}

enum err chain_push2(struct planner *p, struct chain *c, enum plan_op_kind kind, struct plan_op *right, struct plan_op **ret) {
  struct plan_op *op;
  TRY(planner_op(p, kind, c->depth, 2, &op));
  op->children[0] = c->op;
  op->children[1] = right;
  op->rows = c->op->rows;
  op->writes = c->op->writes || right->writes;
  op->current = c->current;
  c->op = op;
  *ret = op;
  return set_height(p, op);
}

static enum err chain_start(struct planner *p, uint32_t depth, bool current, struct chain *ret) {
  *ret = (struct chain){.depth = depth, .current = current};
  TRY(planner_op(p, PLAN_ARGUMENT, depth, 0, &ret->op));
  ret->op->current = current;
  return ERR_OK;
}

enum err chain_right(struct planner *p, const struct chain *c, struct chain *ret) {
  TRY(chain_start(p, c->depth + 1, c->current, ret));
  return bits_copy(&p->scratch, &c->bound, &ret->bound) ? ERR_OK : planner_nomem(p);
}

bool chain_at_start(const struct chain *c) {
  return c->op->kind == PLAN_ARGUMENT;
}

enum err chain_fresh(struct planner *p, const struct chain *c, struct chain *ret) {
  TRY(chain_start(p, c->depth, c->current, ret));
  if (!chain_at_start(c)) return ERR_OK;
  return bits_copy(&p->scratch, &c->bound, &ret->bound) ? ERR_OK : planner_nomem(p);
}

enum err chain_bind(struct planner *p, struct chain *c, uint32_t slot) {
  if (slot != PLAN_NONE) PLAN_ADD(p, &c->bound, slot);
  return ERR_OK;
}
