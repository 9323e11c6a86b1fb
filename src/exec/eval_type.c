// Type predicates (x IS :: INTEGER NOT NULL) and IS NORMALIZED.
#include "exec/eval.h"
#include "exec/exec_int.h"
#include "value/text.h"

static bool is_storable_type(enum value_type type) {
  return type != VALUE_NODE && type != VALUE_REL && type != VALUE_PATH && type != VALUE_MAP;
}

/// A value that a property can hold: no map, no entity; lists of one storable type without nulls.
static bool is_property_value(struct value v) {
  if (v.type != VALUE_LIST) return is_storable_type(v.type);
  for (uint32_t i = 0; i < v.len; i++) {
    enum value_type type = v.items[i].type;
    if (!is_storable_type(type) || type == VALUE_NULL || type == VALUE_LIST || type != v.items[0].type) return false;
  }
  return true;
}

static bool is_list_of(const struct ast *element, struct value v) {
  if (v.type != VALUE_LIST && v.type != VALUE_BYTES) return false;
  if (element == NULL || v.type == VALUE_BYTES) return true;
  for (uint32_t i = 0; i < v.len; i++)
    if (!value_is_of_type(element, v.items[i])) return false;
  return true;
}

static bool is_of_name(const struct ast *name, struct value v) {
  enum value_type type = v.type;
  if (type == VALUE_NULL) return name->type_name.name != AST_TYPE_NOTHING && !name->type_name.not_null;
  switch ((enum ast_type) name->type_name.name) {
  case AST_TYPE_ANY: return true;
  case AST_TYPE_BOOLEAN: return type == VALUE_BOOL;
  case AST_TYPE_STRING: return type == VALUE_STRING;
  case AST_TYPE_INTEGER: return type == VALUE_INT;
  case AST_TYPE_FLOAT: return type == VALUE_FLOAT;
  case AST_TYPE_DATE: return type == VALUE_DATE;
  case AST_TYPE_LOCAL_TIME: return type == VALUE_LOCAL_TIME;
  case AST_TYPE_ZONED_TIME: return type == VALUE_TIME;
  case AST_TYPE_LOCAL_DATETIME: return type == VALUE_LOCAL_DATETIME;
  case AST_TYPE_ZONED_DATETIME: return type == VALUE_DATETIME;
  case AST_TYPE_DURATION: return type == VALUE_DURATION;
  case AST_TYPE_POINT: return type == VALUE_POINT;
  case AST_TYPE_NODE: return type == VALUE_NODE;
  case AST_TYPE_RELATIONSHIP: return type == VALUE_REL;
  case AST_TYPE_MAP: return type == VALUE_MAP;
  case AST_TYPE_PATH: return type == VALUE_PATH;
  case AST_TYPE_LIST: return is_list_of(name->type_name.element, v);
  case AST_TYPE_PROPERTY_VALUE: return is_property_value(v);
  case AST_TYPE_NOTHING:
  case AST_TYPE_NULL:
  case AST_TYPE_VECTOR:
  case AST_TYPE_MAX: return false;
  }
  return false;
}

bool value_is_of_type(const struct ast *type, struct value v) {
  AST_EACH(name, type->type.alternatives)
  if (is_of_name(name, v)) return true;
  return false;
}

enum err eval_is_typed(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  TRY(eval_expression(c, n->is_typed.operand, f, &v));
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  for (uint32_t i = 0; i < f->n; i++) ret->b[i] = value_is_of_type(n->is_typed.type, vec_get(&v, i)) != n->is_typed.negated;
  return ERR_OK;
}

enum err eval_is_normalized(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec v;
  TRY(eval_expression(c, n->is_normalized.operand, f, &v));
  TRY(vec_alloc(c->arena, VEC_BOOL, f->n, ret, c->error));
  for (uint32_t i = 0; i < f->n; i++) {
    struct value text = vec_get(&v, i);
    ret->b[i] = 0;
    if (text.type != VALUE_STRING) {
      ret->nulls[i] = 1; // null for what is no text
      ret->has_nulls = true;
      continue;
    }
    struct str normal;
    TRY(text_normalize(c->arena, v_text(text), n->is_normalized.form, &normal, c->error));
    ret->b[i] = str_eq(normal, v_text(text)) != n->is_normalized.negated;
  }
  return ERR_OK;
}
