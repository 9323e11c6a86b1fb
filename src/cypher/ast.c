#include "cypher/ast.h"

#include <assert.h>
#include <string.h>

#include "base/checksum.h"

const struct ast_field *ast_fields(enum ast_kind kind) {
  switch (kind) {
#define AST_ROW_FIELD(type, field) {AST_FIELD_##type, (uint32_t) offsetof(self, field) + BASE, #field},
#define AST_ROW(name, member, fields)                                                         \
  case AST_##name: {                                                                          \
    typedef struct ast_##member##_node self;                                                  \
    enum { BASE = offsetof(struct ast, member) };                                             \
    static const struct ast_field table[] = {fields{AST_FIELD_end, sizeof(self) + BASE, ""}}; \
    return table;                                                                             \
  }
    AST_KINDS(AST_ROW, AST_ROW_FIELD)
#undef AST_ROW
#undef AST_ROW_FIELD
  default: assert(!"kind of node"); return NULL;
  }
}

static const char *const kind_names[AST_KIND_MAX] = {
#define AST_NAME(name, member, fields) #name,
#define AST_NOTHING(type, field)
    AST_KINDS(AST_NAME, AST_NOTHING)
#undef AST_NAME
};

static const uint16_t kind_bytes[AST_KIND_MAX] = {
#define AST_BYTES(name, member, fields) offsetof(struct ast, member) + sizeof(struct ast_##member##_node),
    AST_KINDS(AST_BYTES, AST_NOTHING)
#undef AST_BYTES
};

enum {
#define AST_ONE_MORE(name, member, fields) AST_EXPRESSION_##name,
  AST_EXPRESSION_KINDS(AST_ONE_MORE, AST_NOTHING)
#undef AST_ONE_MORE
#undef AST_NOTHING
      AST_EXPRESSION_KIND_COUNT,
};

const char *ast_kind_name(enum ast_kind kind) {
  return kind < AST_KIND_MAX ? kind_names[kind] : "?";
}

bool ast_is_expression(enum ast_kind kind) {
  return kind < (enum ast_kind) AST_EXPRESSION_KIND_COUNT;
}

const char *ast_op_text(enum ast_op op) {
  static const char *const texts[AST_OP_MAX] = {
#define AST_OP_TEXT(name, text, power) text,
      AST_OPS(AST_OP_TEXT)
#undef AST_OP_TEXT
  };
  return texts[op];
}

struct ast *ast_new(struct arena *a, enum ast_kind kind, uint32_t offset) {
  struct ast *n = arena_zalloc(a, kind_bytes[kind]);
  if (n == NULL) return NULL;
  n->kind = (uint8_t) kind;
  n->height = 1;
  n->offset = n->end = n->at = offset;
  if (kind == AST_VARIABLE) n->variable.slot = AST_NO_SLOT;
  if (kind == AST_PROJECTION) n->projection.slot = AST_NO_SLOT;
  return n;
}

void ast_append(struct ast_list *list, struct ast *item) {
  assert(item->next == NULL && item != list->last);
  if (list->last != NULL)
    list->last->next = item;
  else
    list->first = item;
  list->last = item;
  list->count++;
}

/// The place of a field in a node.
static void *place(const struct ast *n, const struct ast_field *f) {
  return (char *) (uintptr_t) n + f->offset;
}

static bool copy_list(struct arena *a, struct ast_list *list) {
  struct ast_list copies = {0};
  AST_EACH(item, *list) {
    struct ast *copy = ast_copy(a, item);
    if (copy == NULL) return false;
    ast_append(&copies, copy);
  }
  *list = copies;
  return true;
}

struct ast *ast_copy(struct arena *a, const struct ast *from) {
  struct ast *n = arena_copy(a, from, kind_bytes[from->kind]);
  if (n == NULL) return NULL;
  n->next = NULL;
  for (const struct ast_field *f = ast_fields(n->kind); f->type != AST_FIELD_end; f++) {
    if (f->type == AST_FIELD_list && !copy_list(a, place(n, f))) return NULL;
    if (f->type != AST_FIELD_node) continue;
    struct ast **child = place(n, f);
    if (*child != NULL && (*child = ast_copy(a, *child)) == NULL) return NULL;
  }
  return n;
}

void ast_visit(struct ast *n, bool (*enter)(struct ast *n, void *context), void *context) {
  if (!enter(n, context)) return;
  for (const struct ast_field *f = ast_fields(n->kind); f->type != AST_FIELD_end; f++) {
    if (f->type == AST_FIELD_node) {
      struct ast *child = *(struct ast **) place(n, f);
      if (child != NULL) ast_visit(child, enter, context);
    } else if (f->type == AST_FIELD_list) {
      AST_EACH(item, *(struct ast_list *) place(n, f)) ast_visit(item, enter, context);
    }
  }
}

static bool map_list(struct ast_list *list, struct ast *(*map)(struct ast *child, void *context), void *context) {
  struct ast_list mapped = {0};
  for (struct ast *item = list->first, *next; item != NULL; item = next) {
    next = item->next;
    item->next = NULL;
    struct ast *other = map(item, context);
    if (other == NULL) return false;
    ast_append(&mapped, other);
  }
  *list = mapped;
  return true;
}

bool ast_map_children(struct ast *n, struct ast *(*map)(struct ast *child, void *context), void *context) {
  for (const struct ast_field *f = ast_fields(n->kind); f->type != AST_FIELD_end; f++) {
    if (f->type == AST_FIELD_list && !map_list(place(n, f), map, context)) return false;
    if (f->type != AST_FIELD_node) continue;
    struct ast **child = place(n, f);
    if (*child != NULL && (*child = map(*child, context)) == NULL) return false;
  }
  return true;
}

static bool equal_lists(const struct ast_list *a, const struct ast_list *b) {
  if (a->count != b->count) return false;
  const struct ast *y = b->first;
  for (const struct ast *x = a->first; x != NULL; x = x->next, y = y->next)
    if (!ast_equal(x, y)) return false;
  return true;
}

static bool equal_fields(const struct ast_field *f, const void *a, const void *b) {
  switch (f->type) {
  case AST_FIELD_node: return ast_equal(*(struct ast *const *) a, *(struct ast *const *) b);
  case AST_FIELD_list: return equal_lists(a, b);
  case AST_FIELD_str: return str_eq(*(const struct str *) a, *(const struct str *) b);
  case AST_FIELD_i64:
  case AST_FIELD_f64: return memcmp(a, b, 8) == 0;
  case AST_FIELD_flag: return *(const bool *) a == *(const bool *) b;
  case AST_FIELD_code: return *(const uint32_t *) a == *(const uint32_t *) b;
  default: return true;
  }
}

static bool same_variable(const struct ast *a, const struct ast *b) {
  uint32_t x = a->variable.slot, y = b->variable.slot;
  return x != AST_NO_SLOT && y != AST_NO_SLOT ? x == y : str_eq(a->variable.name, b->variable.name);
}

bool ast_equal(const struct ast *a, const struct ast *b) {
  if (a == b) return true;
  if (a == NULL || b == NULL || a->kind != b->kind) return false;
  if (a->kind == AST_VARIABLE) return same_variable(a, b);
  for (const struct ast_field *f = ast_fields(a->kind); f->type != AST_FIELD_end; f++)
    if (!equal_fields(f, place(a, f), place(b, f))) return false;
  return true;
}

static uint64_t hash_list(const struct ast_list *list) {
  uint64_t hash = list->count;
  AST_EACH(item, *list) hash = hash_u64(hash * 31 + ast_hash(item));
  return hash;
}

static uint64_t hash_field(const struct ast_field *f, const void *p) {
  switch (f->type) {
  case AST_FIELD_node: return *(struct ast *const *) p != NULL ? ast_hash(*(struct ast *const *) p) : 0;
  case AST_FIELD_list: return hash_list(p);
  case AST_FIELD_str: return hash64(((const struct str *) p)->ptr, ((const struct str *) p)->len, 1);
  case AST_FIELD_i64:
  case AST_FIELD_f64: return hash64(p, 8, 2);
  case AST_FIELD_flag: return *(const bool *) p;
  case AST_FIELD_code: return *(const uint32_t *) p;
  default: return 0;
  }
}

uint64_t ast_hash(const struct ast *n) {
  uint64_t hash = n->kind + 1u;
  for (const struct ast_field *f = ast_fields(n->kind); f->type != AST_FIELD_end; f++)
    hash = hash_u64(hash * 31 + hash_field(f, place(n, f)));
  return hash;
}
