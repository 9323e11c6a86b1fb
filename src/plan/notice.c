// The statement's tree is walked for what it says, then the plan for what became of it.
#include "plan/notice.h"

#include "base/buf.h"
#include "cypher/signatures.h"
#include "plan/plan_int.h"

struct noticing {
  struct planner *p;
  const struct plan_op *root;
  struct plan_notice *all;
  uint32_t count, room;
  enum err err;
};

// ---- entering one ----

static void set_position(const struct planner *p, uint32_t at, struct plan_notice *n) {
  struct str text = p->statement->text;
  n->has_position = true;
  n->line = n->column = 1;
  for (size_t i = 0; i < at && i < text.len;) {
    uint32_t cp = str_next_code_point(text, &i), units = cp > 0xFFFF ? 2 : 1;
    n->offset += units;
    n->column = cp == '\n' ? 1 : n->column + units;
    n->line += cp == '\n';
  }
}

/// Of a property it is the key that is spoken of.
static uint32_t place_of(const struct planner *p, const struct ast *n) {
  struct str text = p->statement->text;
  if (n->kind != AST_PROPERTY || n->at >= text.len) return n->offset;
  uint32_t at = n->at + (text.ptr[n->at] == '.');
  while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\n')) at++;
  return at;
}

/// In the order of the text; what has no place at the end.
static bool is_before(const struct plan_notice *a, const struct plan_notice *b) {
  return a->has_position && (!b->has_position || a->offset < b->offset);
}

/// A notice at `at` (may be NULL); `subject` and `other` live as long as the plan.
static void add(struct noticing *w, enum plan_notice_kind kind, const struct ast *at, struct str subject, struct str other) {
  struct plan_notice n = {.kind = kind, .subject = subject, .other = other};
  if (w->err != ERR_OK) return;
  if (at != NULL) set_position(w->p, place_of(w->p, at), &n);
  w->err = array_room(w->p, &w->all, w->count, &w->room, sizeof n);
  if (w->err != ERR_OK) return;
  uint32_t place = w->count++;
  for (; place > 0 && is_before(&n, &w->all[place - 1]); place--) w->all[place] = w->all[place - 1];
  w->all[place] = n;
}

/// The text in `out` as one of the plan's; the buffer is emptied.
static struct str kept(struct noticing *w, struct buf *out) {
  struct str s = arena_str(w->p->arena, buf_str(out));
  if (s.ptr == NULL && w->err == ERR_OK) w->err = planner_nomem(w->p);
  buf_clear(out);
  return s;
}

static void append(struct noticing *w, struct buf *out, const char *text, struct str s, const char *end) {
  if (buf_printf(out, "%s%.*s%s", text, STR_ARG(s), end) != ERR_OK && w->err == ERR_OK)
    w->err = error_ensure(w->p->error, ERR_NOMEM);
}

/// As it was written.
static void append_source(struct noticing *w, struct buf *out, const char *text, const struct ast *n) {
  struct str all = w->p->statement->text;
  uint32_t end = MIN(n->end, (uint32_t) all.len), begin = MIN(n->offset, end);
  append(w, out, text, (struct str){all.ptr + begin, end - begin}, "");
}

static void append_ast(struct noticing *w, struct buf *out, const char *text, const struct ast *n) {
  append(w, out, text, STR(""), "");
  if (w->err == ERR_OK && ast_print(out, n) != ERR_OK) w->err = error_ensure(w->p->error, ERR_NOMEM);
}

// ---- names ----

/// A name that is looked for and not there: the plan is made anew when it is.
static void look_up(struct noticing *w, enum graph_token_kind token_kind, enum plan_notice_kind kind, const struct ast *at,
                    struct str name) {
  plan_name_id id;
  if (w->err == ERR_OK) w->err = planner_name(w->p, token_kind, name, &id);
  if (w->err != ERR_OK || planner_token(w->p, id) != GRAPH_ANY) return;
  for (uint32_t i = 0; i < w->count; i++)
    if (w->all[i].kind == kind && str_eq(w->all[i].subject, name)) return;
  add(w, kind, at, name, STR(""));
}

static void look_up_labels(struct noticing *w, const struct ast *labels, bool types) {
  if (labels == NULL) return;
  switch (labels->kind) {
  case AST_LABEL:
    look_up(w, types ? GRAPH_TYPE : GRAPH_LABEL, types ? PLAN_NOTICE_UNKNOWN_TYPE : PLAN_NOTICE_UNKNOWN_LABEL, labels,
            labels->label.name);
    break;
  case AST_LABEL_NOT: look_up_labels(w, labels->label_not.operand, types); break;
  case AST_LABEL_AND:
    AST_EACH(operand, labels->label_and.operands) look_up_labels(w, operand, types);
    break;
  case AST_LABEL_OR:
    AST_EACH(operand, labels->label_or.operands) look_up_labels(w, operand, types);
    break;
  default: break;
  }
}

static bool is_variable_of(const struct noticing *w, const struct ast *n, enum ast_variable_kind kind) {
  return n->kind == AST_VARIABLE && n->variable.slot < w->p->statement->slot_count &&
         w->p->statement->slots[n->variable.slot].kind == kind;
}

static bool is_entity(const struct noticing *w, const struct ast *n) {
  return is_variable_of(w, n, AST_NODE_VARIABLE) || is_variable_of(w, n, AST_RELATIONSHIP_VARIABLE);
}

static void look_up_map(struct noticing *w, const struct ast *properties) {
  if (properties == NULL || properties->kind != AST_MAP) return;
  AST_EACH(entry, properties->map.entries) look_up(w, GRAPH_KEY, PLAN_NOTICE_UNKNOWN_KEY, entry, entry->map_entry.key);
}

// ---- MATCH ----

/// Slots of the paths of a MATCH, and those among them that it introduces itself.
struct pattern_slots {
  struct noticing *w;
  struct bits used, declared;
};

static bool collect_slots(struct ast *n, void *context) {
  struct pattern_slots *s = context;
  if (n->kind == AST_VARIABLE && n->variable.slot != AST_NO_SLOT) {
    bool ok = bits_add(&s->w->p->scratch, &s->used, n->variable.slot);
    if (ok && (n->flags & AST_DECLARES)) ok = bits_add(&s->w->p->scratch, &s->declared, n->variable.slot);
    if (!ok && s->w->err == ERR_OK) s->w->err = planner_nomem(s->w->p);
  }
  return n->kind == AST_PATH || n->kind == AST_NODE || n->kind == AST_RELATIONSHIP || n->kind == AST_GROUP;
}

enum { PRODUCT_PATHS_MAX = 64 };

static uint32_t part_of(uint32_t *parts, uint32_t i) {
  while (parts[i] != i) i = parts[i];
  return i;
}

/// Parts of the pattern that nothing connects but that all rows of one meet all of the other. What comes from before counts as
/// connected.
static void notice_product(struct noticing *w, const struct ast *match) {
  struct pattern_slots of[PRODUCT_PATHS_MAX];
  uint32_t parts[PRODUCT_PATHS_MAX], count = 0, bound = PLAN_NONE;
  struct bits all = {0}, declared = {0};
  AST_EACH(path, match->match.paths) {
    if (count == PRODUCT_PATHS_MAX || w->err != ERR_OK) return;
    of[count] = (struct pattern_slots){.w = w};
    ast_visit(path, collect_slots, &of[count]);
    parts[count] = count;
    if (!bits_add_all(&w->p->scratch, &declared, &of[count].declared)) w->err = planner_nomem(w->p);
    count++;
  }
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t k = 0; k < i; k++)
      if (bits_meet(&of[i].used, &of[k].used)) parts[part_of(parts, i)] = part_of(parts, k);
    if (bits_within(&of[i].used, &declared)) continue;
    if (bound != PLAN_NONE) parts[part_of(parts, i)] = part_of(parts, bound);
    bound = i;
  }
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  uint32_t others = 0;
  for (uint32_t i = 1; i < count; i++) {
    if (part_of(parts, i) == part_of(parts, 0)) continue;
    if (!bits_add_all(&w->p->scratch, &all, &of[i].declared)) w->err = planner_nomem(w->p);
    others++;
  }
  if (others == 0) return;
  uint32_t named = 0;
  for (uint32_t i = 0; bits_next(&all, &i); i++)
    if (w->p->statement->slots[i].name.len > 0) append(w, &out, named++ > 0 ? ", " : "", w->p->statement->slots[i].name, "");
  struct str variables = kept(w, &out);
  uint32_t printed = 0;
  AST_EACH(path, match->match.paths) append_source(w, &out, printed++ > 0 ? ", " : "", path);
  add(w, PLAN_NOTICE_CARTESIAN_PRODUCT, match, variables, kept(w, &out));
}

static struct str hint_word(uint32_t type) {
  switch (type) {
  case AST_HINT_TEXT: return STR("TEXT INDEX");
  case AST_HINT_POINT: return STR("POINT INDEX");
  case AST_HINT_RANGE: return STR("RANGE INDEX");
  case AST_HINT_BTREE: return STR("BTREE INDEX");
  default: return STR("INDEX");
  }
}

static bool hinted_index_exists(const struct noticing *w, const struct ast *hint, enum graph_kind kind) {
  const struct planner *p = w->p;
  if (hint->hint.type == AST_HINT_TEXT || hint->hint.type == AST_HINT_POINT) return false; // there are range indexes only
  graph_token label, key;
  if (!p->catalog->find_token(p->catalog->context, kind == GRAPH_NODE ? GRAPH_LABEL : GRAPH_TYPE, hint->hint.label, &label))
    return false;
  for (uint32_t i = 0; i < p->index_count; i++) {
    const struct graph_index *index = &p->indexes[i];
    bool same = index->entity == kind && index->label_or_type == label && index->key_count == hint->hint.properties.count;
    uint32_t k = 0;
    AST_EACH(property, hint->hint.properties)
      same = same && p->catalog->find_token(p->catalog->context, GRAPH_KEY, property->name.text, &key) && index->keys[k++] == key;
    if (same) return true;
  }
  return false;
}

static void notice_index_hint(struct noticing *w, const struct ast *hint) {
  const struct ast *variable = hint->hint.variables.first;
  bool rel = is_variable_of(w, variable, AST_RELATIONSHIP_VARIABLE);
  if (hinted_index_exists(w, hint, rel ? GRAPH_REL : GRAPH_NODE)) return;
  CLEANUP(buf_done) struct buf brief = BUF_INIT;
  CLEANUP(buf_done) struct buf whole = BUF_INIT;
  struct str v = variable->variable.name;
  append(w, &brief, "", hint_word(hint->hint.type), " :");
  append(w, &brief, "", hint->hint.label, "(");
  append(w, &whole, "", hint_word(hint->hint.type), rel ? " FOR ()-[`" : " FOR (`");
  append(w, &whole, "", v, "`:`");
  append(w, &whole, "", hint->hint.label, rel ? "`]-() ON (" : "`) ON (");
  AST_EACH(property, hint->hint.properties) {
    bool first = property == hint->hint.properties.first;
    append(w, &brief, first ? "" : ", ", property->name.text, "");
    append(w, &whole, first ? "`" : ", `", v, "`.`");
    append(w, &whole, "", property->name.text, "`");
  }
  append(w, &brief, ")", STR(""), "");
  append(w, &whole, ")", STR(""), "");
  struct str subject = kept(w, &brief);
  add(w, PLAN_NOTICE_HINTED_INDEX_NOT_FOUND, hint, subject, kept(w, &whole));
}

static bool joins_on(const struct plan_op *op, uint32_t slot) {
  for (;; op = op->children[0]) {
    for (uint32_t i = 0; op->kind == PLAN_NODE_HASH_JOIN && i < op->node_join.slots.count; i++)
      if (op->node_join.slots.items[i] == slot) return true;
    for (uint32_t i = 1; i < op->child_count; i++)
      if (joins_on(op->children[i], slot)) return true;
    if (op->child_count == 0) return false;
  }
}

static void notice_join_hint(struct noticing *w, const struct ast *hint) {
  bool fulfilled = true;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  AST_EACH(variable, hint->hint.variables) {
    fulfilled = fulfilled && joins_on(w->root, variable->variable.slot);
    append(w, &out, variable == hint->hint.variables.first ? "" : ", ", variable->variable.name, "");
  }
  if (!fulfilled) add(w, PLAN_NOTICE_JOIN_HINT_UNFULFILLED, hint, kept(w, &out), STR(""));
}

static void notice_match(struct noticing *w, const struct ast *match) {
  notice_product(w, match);
  AST_EACH(hint, match->match.hints) {
    if (hint->hint.type == AST_HINT_JOIN) {
      notice_join_hint(w, hint);
    } else if (hint->hint.type != AST_HINT_SCAN) {
      notice_index_hint(w, hint);
    }
  }
}

static void notice_path(struct noticing *w, const struct ast *path) {
  bool function = path->path.selector == AST_SHORTEST_PATH_FUNCTION || path->path.selector == AST_ALL_SHORTEST_PATHS_FUNCTION;
  const struct ast *rel = path->path.elements.first != NULL ? path->path.elements.first->next : NULL;
  if (!function || rel == NULL || rel->kind != AST_RELATIONSHIP) return;
  bool fixed = rel->relationship.length == AST_ONE;
  if (!fixed && rel->relationship.max >= 0) return;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  append_source(w, &out, "", path);
  add(w, fixed ? PLAN_NOTICE_DEPRECATED_FIXED_SHORTEST : PLAN_NOTICE_UNBOUNDED_SHORTEST, rel, kept(w, &out), STR(""));
}

// ---- what is deprecated ----

static void notice_separator(struct noticing *w, const struct ast *rel) {
  const struct ast *types = rel->relationship.types;
  if (types == NULL || types->kind != AST_LABEL_OR || !(types->flags & AST_DOUBLE_COLON)) return;
  CLEANUP(buf_done) struct buf old = BUF_INIT;
  CLEANUP(buf_done) struct buf new = BUF_INIT;
  AST_EACH(type, types->label_or.operands) {
    bool first = type == types->label_or.operands.first;
    append_ast(w, &old, first ? ":" : "|:", type);
    append_ast(w, &new, first ? ":" : "|", type);
  }
  struct str subject = kept(w, &old);
  add(w, PLAN_NOTICE_DEPRECATED_SEPARATOR, types, subject, kept(w, &new));
}

static void notice_function(struct noticing *w, const struct ast *n) {
  const struct cypher_function *f = n->function.signature;
  if (f == NULL || !(f->flags & CYPHER_DEPRECATED)) return;
  add(w, PLAN_NOTICE_DEPRECATED_FUNCTION, n, n->function.name,
      f->id == CYPHER_FN_ID ? STR("elementId or consider using an application-generated id") : STR(""));
}

static void notice_set_entity(struct noticing *w, const struct ast *n) {
  if (!is_entity(w, n->set_entity.value)) return;
  CLEANUP(buf_done) struct buf old = BUF_INIT;
  CLEANUP(buf_done) struct buf new = BUF_INIT;
  const char *op = n->set_entity.add ? " += " : " = ";
  append_ast(w, &old, "SET ", n->set_entity.target);
  append_ast(w, &old, op, n->set_entity.value);
  append_ast(w, &new, "SET ", n->set_entity.target);
  append(w, &new, op, STR("properties("), "");
  append_ast(w, &new, "", n->set_entity.value);
  append(w, &new, ")", STR(""), "");
  struct str subject = kept(w, &old);
  add(w, PLAN_NOTICE_DEPRECATED_SET_ENTITY, n, subject, kept(w, &new));
}

static void notice_call_query(struct noticing *w, const struct ast *n) {
  const struct ast *query = n->call_query.query;
  const struct ast *single = query->kind == AST_QUERY ? query->query.branches.first : query;
  const struct ast *first = single->single_query.clauses.first;
  if (n->call_query.has_scope || first == NULL || first->kind != AST_WITH || !(first->flags & AST_IMPORTS)) return;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  AST_EACH(item, first->with.items) append_ast(w, &out, item == first->with.items.first ? "" : ", ", item->projection.expression);
  add(w, PLAN_NOTICE_DEPRECATED_IMPORTING_WITH, n, kept(w, &out), STR(""));
}

// ---- the walk ----

static bool visit(struct ast *n, void *context) {
  struct noticing *w = context;
  switch (n->kind) {
  case AST_CREATE: return false; // names are made there
  case AST_MERGE:
    AST_EACH(action, n->merge.actions) ast_visit(action, visit, w);
    return false;
  case AST_SET_PROPERTY: ast_visit(n->set_property.value, visit, w); return false;
  case AST_SET_LABELS:
  case AST_REMOVE_PROPERTY: return false;
  case AST_SET_ENTITY:
    notice_set_entity(w, n);
    ast_visit(n->set_entity.value, visit, w);
    return false;
  case AST_MATCH: notice_match(w, n); break;
  case AST_PATH: notice_path(w, n); break;
  case AST_NODE:
    look_up_labels(w, n->node.labels, false);
    look_up_map(w, n->node.properties);
    break;
  case AST_RELATIONSHIP:
    notice_separator(w, n);
    look_up_labels(w, n->relationship.types, true);
    look_up_map(w, n->relationship.properties);
    break;
  case AST_HAS_LABELS:
    look_up_labels(w, n->has_labels.labels, is_variable_of(w, n->has_labels.subject, AST_RELATIONSHIP_VARIABLE));
    break;
  case AST_PROPERTY:
    if (is_entity(w, n->property.subject)) look_up(w, GRAPH_KEY, PLAN_NOTICE_UNKNOWN_KEY, n, n->property.key);
    break;
  case AST_FUNCTION: notice_function(w, n); break;
  case AST_CALL:
    if (n->call.signature != NULL && n->call.signature->deprecated)
      add(w, PLAN_NOTICE_DEPRECATED_PROCEDURE, n, n->call.name, STR(""));
    break;
  case AST_CALL_QUERY: notice_call_query(w, n); break;
  default: break;
  }
  return w->err == ERR_OK;
}

struct path_search {
  uint32_t slot;
  const struct ast *found;
};

static bool find_path(struct ast *n, void *context) {
  struct path_search *s = context;
  if (n->kind == AST_PATH && n->path.variable != NULL && n->path.variable->variable.slot == s->slot) s->found = n;
  return s->found == NULL;
}

static void notice_exhaustive(struct noticing *w, const struct plan_op *op) {
  const struct plan_exprs *predicates = &op->shortest_path.path_predicates;
  if (predicates->count == 0) return;
  struct path_search search = {.slot = op->shortest_path.path};
  if (search.slot != PLAN_NONE) ast_visit(w->p->statement->root, find_path, &search);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  for (uint32_t i = 0; i < predicates->count; i++) append_ast(w, &out, i > 0 ? ", " : "", predicates->items[i]);
  add(w, PLAN_NOTICE_EXHAUSTIVE_SHORTEST, search.found, kept(w, &out), STR(""));
}

static bool has_index(const struct planner *p, plan_name_id label) {
  for (uint32_t i = 0; i < p->index_count; i++)
    if (p->indexes[i].entity == GRAPH_NODE && p->indexes[i].label_or_type == planner_token(p, label)) return true;
  return false;
}

/// What LOAD CSV may feed row by row.
struct loading {
  bool csv, eager;
  plan_name_id scanned;
};

static void walk_plan(struct noticing *w, const struct plan_op *op, struct loading *ret) {
  for (;; op = op->children[0]) {
    if (op->kind == PLAN_SHORTEST_PATH) notice_exhaustive(w, op);
    ret->csv = ret->csv || op->kind == PLAN_LOAD_CSV;
    ret->eager = ret->eager || op->kind == PLAN_EAGER;
    if (op->kind == PLAN_LABEL_SCAN && !has_index(w->p, op->node_scan.labels.items[0]))
      ret->scanned = op->node_scan.labels.items[0];
    for (uint32_t i = 1; i < op->child_count; i++) walk_plan(w, op->children[i], ret);
    if (op->child_count == 0) return;
  }
}

enum err pass_notice(struct planner *p, const struct plan_op *root) {
  struct noticing w = {.p = p, .root = root};
  struct loading loading = {.scanned = PLAN_NONE};
  ast_visit(p->statement->root, visit, &w);
  walk_plan(&w, root, &loading);
  if (loading.csv && loading.scanned != PLAN_NONE)
    add(&w, PLAN_NOTICE_NO_APPLICABLE_INDEX, NULL, p->names[loading.scanned].name, STR(""));
  if (loading.csv && loading.eager) add(&w, PLAN_NOTICE_EAGER_LOAD_CSV, NULL, STR(""), STR(""));
  p->plan->notices = w.all;
  p->plan->notice_count = w.count;
  return w.err;
}
