// An oracle for the graph: everything in plain arrays, copied whole for each transaction. Slow and obviously right. Tests only.
#pragma once

#include "graph/types.h"

enum { MODEL_NODES = 64, MODEL_RELS = 160, MODEL_LABELS = 4, MODEL_TYPES = 3, MODEL_KEYS = 4 };

/// Property values are small integers, 0 for none: the test maps them to values of many types.
struct model_node {
  graph_id id;
  bool there;
  bool labels[MODEL_LABELS];
  int properties[MODEL_KEYS];
};

struct model_rel {
  graph_id id;
  bool there;
  int start, end; // positions of nodes
  int type;
  int properties[MODEL_KEYS];
};

struct model {
  struct model_node nodes[MODEL_NODES];
  struct model_rel rels[MODEL_RELS];
  int node_count, rel_count;
};

static inline int model_find_node(const struct model *m, graph_id id) {
  for (int i = 0; i < m->node_count; i++)
    if (m->nodes[i].id == id) return i;
  return -1;
}

static inline int model_degree(const struct model *m, int node, enum graph_direction d, int type) {
  int n = 0;
  for (int i = 0; i < m->rel_count; i++) {
    const struct model_rel *r = &m->rels[i];
    if (!r->there || (type >= 0 && r->type != type)) continue;
    bool out = r->start == node && (d & GRAPH_OUT), in = r->end == node && (d & GRAPH_IN);
    n += out && in && r->start == r->end ? (d == GRAPH_BOTH ? 1 : 2) : out + in;
  }
  return n;
}
