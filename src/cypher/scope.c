// Scopes and slots.
#include <string.h>

#include "base/checksum.h"
#include "cypher/check_int.h"

enum { FEW_ENTRIES = 12 };

struct scope *scope_new(struct checker *c, struct scope *parent) {
  struct scope *s = ARENA_NEW(c->arena, struct scope);
  if (s != NULL) s->parent = parent;
  return s;
}

static uint32_t *table_place(const struct scope *s, struct str name) {
  uint32_t mask = s->table_size - 1;
  uint32_t i = (uint32_t) hash64(name.ptr, name.len, 0) & mask;
  while (s->table[i] != 0 && !str_eq(s->entries[s->table[i] - 1].name, name)) i = (i + 1) & mask;
  return &s->table[i];
}

uint32_t scope_find_here(const struct scope *s, struct str name) {
  if (s->table != NULL) {
    uint32_t place = *table_place(s, name);
    return place != 0 ? s->entries[place - 1].slot : AST_NO_SLOT;
  }
  for (uint32_t i = 0; i < s->count; i++)
    if (str_eq(s->entries[i].name, name)) return s->entries[i].slot;
  return AST_NO_SLOT;
}

uint32_t scope_find(const struct scope *s, struct str name) {
  for (; s != NULL; s = s->parent) {
    uint32_t slot = scope_find_here(s, name);
    if (slot != AST_NO_SLOT) return slot;
  }
  return AST_NO_SLOT;
}

static bool rebuild_table(struct checker *c, struct scope *s) {
  uint32_t size = s->capacity * 4;
  uint32_t *table = arena_zalloc(c->arena, size * sizeof *table);
  if (table == NULL) return false;
  s->table = table;
  s->table_size = size;
  for (uint32_t i = 0; i < s->count; i++) *table_place(s, s->entries[i].name) = i + 1;
  return true;
}

static bool grow(struct checker *c, struct scope *s) {
  uint32_t capacity = s->capacity != 0 ? s->capacity * 2 : 6;
  void *entries = arena_grow(c->arena, s->entries, s->capacity * sizeof *s->entries, capacity * sizeof *s->entries);
  if (entries == NULL) return false;
  s->entries = entries;
  s->capacity = capacity;
  return capacity <= FEW_ENTRIES || rebuild_table(c, s);
}

enum err scope_add(struct checker *c, struct scope *s, struct str name, uint32_t slot) {
  if (s->count == s->capacity && !grow(c, s)) return check_no_memory(c);
  s->entries[s->count++] = (struct scope_entry){name, slot};
  if (s->table != NULL) *table_place(s, name) = s->count;
  return ERR_OK;
}

enum err slot_new(struct checker *c, struct ast_slot slot, uint32_t *ret) {
  if (c->slot_count == c->slot_capacity) {
    uint32_t capacity = c->slot_capacity != 0 ? c->slot_capacity * 2 : 8;
    void *slots = arena_grow(c->arena, c->slots, c->slot_capacity * sizeof slot, capacity * sizeof slot);
    if (slots == NULL) return check_no_memory(c);
    c->slots = slots;
    c->slot_capacity = capacity;
  }
  c->slots[c->slot_count] = slot;
  *ret = c->slot_count++;
  return ERR_OK;
}

enum err declare(struct checker *c, struct ast *variable, enum ast_variable_kind kind, cypher_types types,
                 cypher_types elements) {
  struct ast_slot slot = {.name = variable->variable.name,
                          .kind = kind,
                          .nullable = kind == AST_VALUE_VARIABLE,
                          .offset = variable->offset,
                          .types = types,
                          .elements = elements};
  TRY(slot_new(c, slot, &variable->variable.slot));
  variable->flags |= AST_DECLARES;
  variable->types = types;
  variable->elements = elements;
  return scope_add(c, c->scope, slot.name, variable->variable.slot);
}

enum err expect_undeclared(struct checker *c, const struct ast *variable) {
  if (scope_find(c->scope, variable->variable.name) == AST_NO_SLOT) return ERR_OK;
  return check_fail(c, variable->offset, "Variable `%.*s` already declared", STR_ARG(variable->variable.name));
}

static enum err refuse_unknown(struct checker *c, const struct ast *variable) {
  struct str name = variable->variable.name;
  if (scope_find(c->hidden, name) == AST_NO_SLOT)
    return check_fail(c, variable->offset, "Variable `%.*s` not defined", STR_ARG(name));
  return check_fail(c, variable->offset,
                    "In a WITH/RETURN with DISTINCT or an aggregation, it is not possible to access variables declared before "
                    "the WITH/RETURN: %.*s",
                    STR_ARG(name));
}

enum err resolve(struct checker *c, struct ast *variable) {
  uint32_t slot = scope_find(c->scope, variable->variable.name);
  if (slot == AST_NO_SLOT) {
    const struct scope *s = c->scope;
    while (s != NULL && !s->open) s = s->parent;
    if (s == NULL) return refuse_unknown(c, variable);
    return declare(c, variable, AST_VALUE_VARIABLE, CYPHER_ANY, CYPHER_ANY);
  }
  variable->variable.slot = slot;
  variable->types = c->slots[slot].types;
  variable->elements = c->slots[slot].elements;
  return ERR_OK;
}
