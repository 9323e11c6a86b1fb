// Delete and DetachDelete: nodes, relationships and paths.
#include "exec/op.h"
#include "exec/write.h"
#include "graph/write.h"

struct delete_ {
  struct op op;
  const struct batch *in;
  struct vec *columns; // held: the entities; evaluated ahead of any deletion, so that no row reads what another has deleted
  uint32_t row, item, part; // part: of a path
};

static enum err evaluate(struct op *op, struct error *e) {
  struct delete_ *s = (struct delete_ *) op;
  struct plan_exprs expressions = op->plan->delete_.expressions;
  struct eval c = op_eval_current(op, &op->held, e);
  struct frame root = frame_of(&c, s->in);
  struct vec *columns = ARENA_ARRAY(&op->held, struct vec, expressions.count);
  if (columns == NULL) return arena_err(&op->held, e);
  for (uint32_t i = 0; i < expressions.count; i++) TRY(eval_expression(&c, expressions.items[i], &root, &columns[i]));
  s->columns = columns;
  s->row = s->item = s->part = 0;
  return ERR_OK;
}

static enum err delete_rel(struct op *op, uint64_t id, struct error *e) {
  bool changed = false;
  TRY(graph_delete_rel(op->x->tx, id, &changed, e));
  op->x->counters.relationships_deleted += changed;
  op->db_hits++;
  return ERR_OK;
}

static enum err delete_node(struct op *op, uint64_t id, struct error *e) {
  bool changed = false;
  uint64_t rels = 0;
  if (op->plan->delete_.detach) {
    TRY(graph_detach_delete_node(op->x->tx, id, &changed, &rels, e));
  } else {
    TRY(graph_delete_node(op->x->tx, id, &changed, e));
  }
  op->x->counters.nodes_deleted += changed;
  op->x->counters.relationships_deleted += (int64_t) rels;
  op->db_hits++;
  return ERR_OK;
}

/// Relationships first: their nodes can go then.
static enum err delete_path(struct op *op, const struct value_path *path, struct error *e) {
  struct delete_ *s = (struct delete_ *) op;
  for (; s->part < path->len; s->part++) TRY(delete_rel(op, v_id(path->rels[s->part]), e));
  for (; s->part < 2 * path->len + 1; s->part++) TRY(delete_node(op, v_id(path->nodes[s->part - path->len]), e));
  s->part = 0;
  return ERR_OK;
}

static enum err delete_value(struct op *op, struct value v, struct error *e) {
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return ERR_OK;
  case VALUE_NODE: return delete_node(op, v_id(v), e);
  case VALUE_REL: return delete_rel(op, v_id(v), e);
  case VALUE_PATH: return delete_path(op, v.path, e);
  default: return error_set(e, ERR_TYPE, "Expected a Node, Relationship or Path, but got a %s", value_class_name(v));
  }
}

static enum err delete_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct delete_ *s = (struct delete_ *) op;
  if (s->in == NULL) {
    TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    s->columns = NULL;
  }
  if (s->columns == NULL) TRY(evaluate(op, e));
  for (; s->row < s->in->n; s->row++, s->item = 0) {
    if (s->row % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    for (; s->item < op->plan->delete_.expressions.count; s->item++) TRY(delete_value(op, vec_get(&s->columns[s->item], s->row), e));
  }
  *ret = s->in;
  s->in = NULL;
  return ERR_OK;
}

static void delete_reset(struct op *op) {
  ((struct delete_ *) op)->in = NULL;
}

const struct op_class op_delete_class = {.bytes = sizeof(struct delete_), .next = delete_next, .reset = delete_reset};
