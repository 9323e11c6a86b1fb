#include "graph/ordered_int.h"

#include "base/checksum.h"

/// Splits a tree into what is below `key` and what is above; `key` itself is not in it. Iterative: a treap is deep only by
/// chance.
static void ordered_split(struct ordered_node *tree, struct str key, struct ordered_node **below, struct ordered_node **above) {
  while (tree != NULL) {
    if (str_cmp(tree->key, key) < 0) {
      *below = tree;
      below = &tree->right;
      tree = tree->right;
    } else {
      *above = tree;
      above = &tree->left;
      tree = tree->left;
    }
  }
  *below = *above = NULL;
}

enum err ordered_put(struct ordered *o, struct str key, struct ordered_node **ret, struct error *e) {
  uint64_t priority = hash64(key.ptr, key.len, 0);
  struct ordered_node **place = &o->root;
  while (*place != NULL && (*place)->priority >= priority) {
    int c = str_cmp(key, (*place)->key);
    if (c == 0) {
      *ret = *place;
      return ERR_OK;
    }
    place = c < 0 ? &(*place)->left : &(*place)->right;
  }
  struct ordered_node *node = ARENA_NEW(o->arena, struct ordered_node);
  if (node == NULL) return arena_err(o->arena, e);
  node->key = arena_str(o->arena, key);
  if (node->key.ptr == NULL) return arena_err(o->arena, e);
  node->priority = priority;
  ordered_split(*place, key, &node->left, &node->right);
  *place = node;
  o->len++;
  *ret = node;
  return ERR_OK;
}

struct ordered_node *ordered_seek(const struct ordered *o, struct str key, bool after) {
  struct ordered_node *best = NULL;
  for (struct ordered_node *at = o->root; at != NULL;) {
    int c = str_cmp(at->key, key);
    if (c > 0 || (c == 0 && !after)) {
      best = at;
      at = at->left;
    } else {
      at = at->right;
    }
  }
  return best;
}

struct ordered_node *ordered_seek_back(const struct ordered *o, struct str key, bool before) {
  struct ordered_node *best = NULL;
  for (struct ordered_node *at = o->root; at != NULL;) {
    int c = str_cmp(at->key, key);
    if (c < 0 || (c == 0 && !before)) {
      best = at;
      at = at->right;
    } else {
      at = at->left;
    }
  }
  return best;
}
