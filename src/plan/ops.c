#include "plan/ops.h"

#include <assert.h>

static const struct {
  const char *kind, *name;
} ops[PLAN_OP_MAX] = {
#define PLAN_OP_ROW(kind, member, children, text) [PLAN_##kind] = {#kind, text},
    PLAN_OPS(PLAN_OP_ROW)
#undef PLAN_OP_ROW
};

const char *plan_op_kind_name(enum plan_op_kind kind) {
  assert(kind < PLAN_OP_MAX);
  return ops[kind].kind;
}

static const char *node_index_name(const struct plan_index_seek *s) {
  if (s->equal.count == 0 && s->bound == PLAN_BOUND_EXISTS) return "NodeIndexScan";
  if (s->equal.count == 0) return "NodeIndexSeekByRange";
  return s->unique ? "NodeUniqueIndexSeek" : "NodeIndexSeek";
}

static const char *rel_index_name(const struct plan_index_seek *s) {
  if (s->equal.count == 0 && s->bound == PLAN_BOUND_EXISTS)
    return s->undirected ? "UndirectedRelationshipIndexScan" : "DirectedRelationshipIndexScan";
  if (s->equal.count == 0) return s->undirected ? "UndirectedRelationshipIndexSeekByRange" : "DirectedRelationshipIndexSeekByRange";
  if (s->unique) return s->undirected ? "UndirectedRelationshipUniqueIndexSeek" : "DirectedRelationshipUniqueIndexSeek";
  return s->undirected ? "UndirectedRelationshipIndexSeek" : "DirectedRelationshipIndexSeek";
}

static const char *rel_scan_name(const struct plan_rel_scan *s) {
  if (s->types.count == 0) return s->undirected ? "UndirectedAllRelationshipsScan" : "DirectedAllRelationshipsScan";
  if (s->types.count == 1) return s->undirected ? "UndirectedRelationshipTypeScan" : "DirectedRelationshipTypeScan";
  return s->undirected ? "UndirectedUnionRelationshipTypesScan" : "DirectedUnionRelationshipTypesScan";
}

static const char *set_item_name(const struct plan_set_item *item) {
  switch (item->kind) {
  case PLAN_SET_PROPERTY: return "SetProperty";
  case PLAN_SET_PROPERTY_DYNAMIC: return "SetDynamicProperty";
  case PLAN_SET_PROPERTIES:
  case PLAN_ADD_PROPERTIES: return "SetPropertiesFromMap";
  case PLAN_SET_LABELS: return "SetLabels";
  case PLAN_REMOVE_LABELS: return "RemoveLabels";
  }
  return "SetProperty";
}

static const char *set_name(const struct plan_set *s) {
  bool properties = s->count > 1;
  for (uint32_t i = 0; i < s->count; i++) properties = properties && s->items[i].kind == PLAN_SET_PROPERTY;
  return properties ? "SetProperties" : set_item_name(&s->items[0]);
}

static const char *by_id_name(const struct plan_op *op) {
  bool element = op->kind == PLAN_REL_BY_ELEMENT_ID;
  if (op->by_id.undirected) return element ? "UndirectedRelationshipByElementIdSeek" : "UndirectedRelationshipByIdSeek";
  return ops[op->kind].name;
}

const char *plan_op_name(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_NODE_INDEX_SEEK: return node_index_name(&op->index_seek);
  case PLAN_REL_INDEX_SEEK: return rel_index_name(&op->index_seek);
  case PLAN_REL_SCAN: return rel_scan_name(&op->rel_scan);
  case PLAN_REL_BY_ID:
  case PLAN_REL_BY_ELEMENT_ID: return by_id_name(op);
  case PLAN_SHORTEST_PATH: return op->shortest_path.mode == PLAN_SHORTEST_ALL ? "AllShortestPaths" : "ShortestPath";
  case PLAN_LIMIT: return op->limit.exhaustive ? "ExhaustiveLimit" : "Limit";
  case PLAN_SET: return set_name(&op->set);
  case PLAN_DELETE: return op->delete_.detach ? "DetachDelete" : "Delete";
  default: return ops[op->kind].name;
  }
}
