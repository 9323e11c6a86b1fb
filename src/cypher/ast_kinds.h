// The one description of every kind of AST node, from which the structs, the field tables and with them visit, copy,
// equality and hash are made. Read it as the reference of the AST; include cypher/ast.h to use it.
//
//   K(NAME, member, fields)   kind AST_NAME; its fields are `n->member.field`
//   F(type, field)            node: one child or NULL     list: children (struct ast_list)
//                             str, i64, f64, flag, code (an enum as uint32_t), offset: plain contents
//                             slot, function, procedure, slots: filled by the check, no part of equality and hash
//
// Whatever the source may leave out is NULL, empty, or the enum's zero.
#pragma once

// clang-format off

/* Expressions. Each has `types`, the set of types it can have, after the check. */
#define AST_EXPRESSION_KINDS(K, F) \
  K(LITERAL, literal, F(code, type) /* enum ast_literal */ F(flag, boolean) F(i64, integer) F(f64, number) \
      F(str, string)) \
  K(PARAMETER, parameter, F(str, name)) \
  K(VARIABLE, variable, F(str, name) F(slot, slot)) /* a use or a declaration; AST_DECLARES tells */ \
  K(PROPERTY, property, F(node, subject) F(str, key)) \
  K(SUBSCRIPT, subscript, F(node, subject) F(node, index)) \
  K(SLICE, slice, F(node, subject) F(node, from) F(node, to)) \
  K(LIST, list, F(list, items)) \
  K(MAP, map, F(list, entries)) /* of MAP_ENTRY */ \
  K(MAP_ENTRY, map_entry, F(str, key) F(node, value)) \
  K(UNARY, unary, F(code, op) /* enum ast_op: NOT, NEGATE, PLUS */ F(node, operand)) \
  K(BINARY, binary, F(code, op) /* enum ast_op */ F(node, left) F(node, right)) \
  K(LOGICAL, logical, F(code, op) /* AND, OR, XOR */ F(list, operands)) /* two or more */ \
  K(COMPARISON_CHAIN, comparison_chain, F(node, first) F(list, links)) \
      /* a < b <= c: links of (op, operand); the rewrite makes ANDs */ \
  K(COMPARISON_LINK, comparison_link, F(code, op) F(node, operand)) \
  K(IS_NULL, is_null, F(node, operand) F(flag, negated)) \
  K(IS_TYPED, is_typed, F(node, operand) F(flag, negated) F(node, type)) /* a TYPE */ \
  K(IS_NORMALIZED, is_normalized, F(node, operand) F(flag, negated) F(str, form)) /* form: NFC where not said */ \
  K(HAS_LABELS, has_labels, F(node, subject) F(node, labels)) /* n:A|B; on a relationship: of its type */ \
  K(FUNCTION, function, F(str, name) F(list, arguments) F(flag, distinct) F(function, signature)) \
      /* name with its namespace, as written */ \
  K(COUNT_STAR, count_star, F(flag, distinct)) \
  K(CASE, case_, F(node, operand) F(list, branches) F(node, otherwise)) \
  K(CASE_BRANCH, case_branch, F(list, tests) F(node, result)) \
      /* with an operand: predicates on CASE_OPERAND, else one condition */ \
  K(CASE_OPERAND, case_operand, F(code, unused)) /* the value of the nearest CASE's operand */ \
  K(LIST_COMPREHENSION, list_comprehension, F(node, variable) F(node, list) F(node, where) F(node, projection)) \
  K(PATTERN_COMPREHENSION, pattern_comprehension, F(node, path) F(node, where) F(node, projection)) \
  K(QUANTIFIER, quantifier, F(code, op) /* enum ast_quantifier */ F(node, variable) F(node, list) F(node, where)) \
  K(REDUCE, reduce, F(node, accumulator) F(node, init) F(node, variable) F(node, list) F(node, expression)) \
  K(MAP_PROJECTION, map_projection, F(node, subject) F(list, items)) /* of the next three and MAP_ENTRY */ \
  K(MAP_PROJECTION_ALL, map_projection_all, F(code, unused)) /* .* */ \
  K(MAP_PROJECTION_PROPERTY, map_projection_property, F(str, key)) /* .key */ \
  K(MAP_PROJECTION_VARIABLE, map_projection_variable, F(node, variable)) /* key and value */ \
  K(PATTERN_EXPRESSION, pattern_expression, F(node, path)) \
      /* a predicate; or a path with a shortest-path function: a value */ \
  K(SUBQUERY, subquery, F(code, op) /* enum ast_subquery: EXISTS, COUNT, COLLECT */ F(node, query))

/* What may stand behind the colon of a node, a relationship, a predicate or SET. */
#define AST_LABEL_KINDS(K, F) \
  K(LABEL, label, F(str, name)) \
  K(LABEL_DYNAMIC, label_dynamic, F(flag, any) F(node, expression)) /* $(e), $all(e), $any(e) */ \
  K(LABEL_ANY, label_any, F(code, unused)) /* % */ \
  K(LABEL_NOT, label_not, F(node, operand)) \
  K(LABEL_AND, label_and, F(list, operands)) \
  K(LABEL_OR, label_or, F(list, operands)) \
  /* type names of IS ::, constraints: a TYPE is a set of alternatives */ \
  K(TYPE, type, F(list, alternatives)) /* of TYPE_NAME */ \
  K(TYPE_NAME, type_name, F(code, name) /* enum ast_type */ F(flag, not_null) F(node, element)) \
      /* element: a TYPE, of LIST */

#define AST_PATTERN_KINDS(K, F) \
  K(PATH, path, F(node, variable) F(code, selector) /* enum ast_selector */ F(node, count) F(list, elements)) \
  /* elements: NODE (RELATIONSHIP NODE)*, with GROUPs in between */ \
  K(NODE, node, F(node, variable) F(node, labels) F(node, properties) F(node, where)) \
  K(RELATIONSHIP, relationship, F(node, variable) F(node, types) F(node, properties) F(node, where) F(code, direction) \
      /* enum ast_direction */ F(code, length) /* enum ast_length: ONE or VARIABLE_LENGTH */ F(i64, min) F(i64, max)) \
      /* -1: not said */ \
  K(GROUP, group, F(node, path) F(node, where) F(code, length) /* SINGLE: plain parentheses; else QUANTIFIED */ \
      F(i64, min) F(i64, max) /* -1: no bound */ F(slots, slots)) /* of each variable: inside, and as list outside */

/* Queries and their clauses. */
#define AST_CLAUSE_KINDS(K, F) \
  K(QUERY, query, F(list, branches) F(flag, union_all) F(slots, columns)) /* of SINGLE_QUERY; more than one: UNION */ \
  K(SINGLE_QUERY, single_query, F(list, clauses)) \
  K(USE, use, F(str, name) F(list, arguments) F(flag, is_call)) /* graph.byName(...) or a dotted name */ \
  K(MATCH, match, F(flag, optional) F(code, mode) /* enum ast_match_mode */ F(list, paths) F(list, hints) F(node, where)) \
  K(HINT, hint, F(code, type) /* enum ast_hint */ F(flag, seek) F(list, variables) F(str, label) F(list, properties)) \
  K(UNWIND, unwind, F(node, list) F(node, variable)) \
  K(LOAD_CSV, load_csv, F(flag, with_headers) F(node, url) F(node, variable) F(node, terminator) \
      F(node, periodic_commit)) \
  K(WITH, with, F(flag, distinct) F(flag, star) F(list, items) F(list, order_by) F(node, skip) F(node, limit) \
      F(node, where) F(flag, implicit)) /* implicit: ORDER BY, SKIP, LIMIT as a clause of their own */ \
  K(RETURN, return_, F(flag, distinct) F(flag, star) F(list, items) F(list, order_by) F(node, skip) F(node, limit)) \
  K(PROJECTION, projection, F(node, expression) F(str, alias) F(str, name) F(slot, slot)) \
      /* name: of the column; alias is empty unless written */ \
  K(SORT, sort, F(node, expression) F(flag, descending)) \
  K(FINISH, finish, F(code, unused)) \
  K(CREATE, create, F(flag, insert) F(list, paths)) \
  K(MERGE, merge, F(node, path) F(list, actions)) \
  K(MERGE_ACTION, merge_action, F(flag, on_create) F(list, items)) /* ON CREATE SET, ON MATCH SET */ \
  K(SET, set, F(list, items)) \
  K(SET_PROPERTY, set_property, F(node, target) F(node, value)) /* target: PROPERTY or SUBSCRIPT */ \
  K(SET_ENTITY, set_entity, F(node, target) F(node, value) F(flag, add)) /* n = map; add: n += map */ \
  K(SET_LABELS, set_labels, F(node, target) F(list, labels)) /* of LABEL and LABEL_DYNAMIC; also in REMOVE */ \
  K(REMOVE, remove, F(list, items)) /* of SET_LABELS and REMOVE_PROPERTY */ \
  K(REMOVE_PROPERTY, remove_property, F(node, target)) \
  K(DELETE, delete_, F(flag, detach) F(flag, nodetach) F(list, expressions)) \
  K(FOREACH, foreach, F(node, variable) F(node, list) F(list, clauses)) \
  K(CALL, call, F(flag, optional) F(str, name) F(flag, has_arguments) F(list, arguments) F(flag, star) F(list, yields) \
      F(flag, has_yield) F(node, where) F(procedure, signature)) /* has_yield: also `YIELD -` */ \
  K(YIELD, yield, F(str, field) F(node, variable)) \
  K(CALL_QUERY, call_query, F(flag, optional) F(flag, has_scope) F(flag, scope_star) F(list, scope) F(node, query) \
      F(node, transactions) F(slots, slots)) /* of each returned variable: inside, and outside */ \
  K(IN_TRANSACTIONS, in_transactions, F(flag, concurrent) F(node, concurrency) F(node, rows) F(code, on_error) \
      /* enum ast_on_error */ F(node, report)) \
  /* SHOW and TERMINATE, which may be chained and end in RETURN */ \
  K(SHOW, show, F(code, what) /* enum ast_show */ F(code, filter) F(list, names) F(flag, executable) F(node, user) \
      F(code, output) F(node, yield) F(slots, slots)) \
      /* slots: of columns used by name; names: of databases, users, roles, transactions; see parse_show.c */ \
  K(SHOW_YIELD, show_yield, F(flag, star) F(list, yields) F(list, order_by) F(node, skip) F(node, limit) F(node, where))

/* Schema. Names are NAME: text or a parameter. */
#define AST_SCHEMA_KINDS(K, F) \
  K(NAME, name, F(str, text) F(node, parameter)) \
  K(CREATE_INDEX, create_index, F(code, type) /* enum ast_index */ F(flag, or_replace) F(flag, if_not_exists) \
      F(node, name) F(flag, relationship) F(node, variable) F(list, labels) F(list, properties) F(flag, old) \
      F(node, options)) /* labels of LABEL, properties of PROPERTY */ \
  K(DROP_INDEX, drop_index, F(node, name) F(flag, if_exists) F(str, label) F(list, properties)) \
      /* name is NULL: ON :label(properties) */ \
  K(CREATE_CONSTRAINT, create_constraint, F(code, type) /* enum ast_constraint */ F(flag, or_replace) \
      F(flag, if_not_exists) F(node, name) F(flag, relationship) F(node, variable) F(str, label) F(list, properties) \
      F(node, property_type) F(flag, old) F(node, options)) \
  K(DROP_CONSTRAINT, drop_constraint, F(node, name) F(flag, if_exists) F(node, old)) \
      /* old: the CREATE_CONSTRAINT that it undoes */

/* Administration. Every name is a NAME. */
#define AST_ADMIN_KINDS(K, F) \
  K(DATABASE, database, F(code, verb) /* enum ast_verb */ F(flag, composite) F(flag, or_replace) F(flag, if_exists) \
      F(flag, if_not_exists) F(node, name) F(node, primaries) F(node, secondaries) F(node, options) F(code, access) \
      /* enum ast_access */ F(list, set_options) /* MAP_ENTRY */ F(list, remove_options) /* NAME */ F(flag, dump_data) \
      F(flag, destroy_data) F(flag, restrict_aliases) F(flag, cascade_aliases) F(node, language) F(code, wait) \
      /* enum ast_wait */ F(node, wait_seconds)) \
  K(ALIAS, alias, F(code, verb) F(flag, or_replace) F(flag, if_exists) F(flag, if_not_exists) F(node, name) \
      F(node, target) F(node, url) F(node, user) F(node, password) F(node, driver) F(node, properties)) \
  K(SERVER, server, F(code, verb) F(flag, dry_run) F(node, name) F(node, to) F(list, names) F(node, options)) \
  K(USER, user, F(code, verb) F(flag, current) F(flag, or_replace) F(flag, if_exists) F(flag, if_not_exists) \
      F(node, name) F(node, to) F(node, password) F(flag, encrypted) F(node, old_password) F(code, change) \
      /* enum ast_change */ F(code, status) /* enum ast_status */ F(node, home_database) F(flag, remove_home) \
      F(list, set_auth) /* AUTH */ F(list, remove_auth) F(flag, remove_all_auth)) \
  K(AUTH, auth, F(node, provider) F(node, id) F(node, password) F(flag, encrypted) F(code, change)) \
  K(ROLE, role, F(code, verb) F(flag, immutable) F(flag, or_replace) F(flag, if_exists) F(flag, if_not_exists) \
      F(node, name) F(node, to) F(node, copy_of) F(list, roles) F(list, users)) /* verb GRANT, REVOKE: roles to users */ \
  K(PRIVILEGE, privilege, F(code, verb) /* GRANT, DENY, REVOKE */ F(code, revoked) \
      /* REVOKE GRANT, REVOKE DENY or both */ F(flag, immutable) F(code, action) /* enum ast_privilege */ \
      F(list, resources) /* properties, labels, procedures, users */ F(code, scope) /* enum ast_scope */ F(list, graphs) \
      /* none: all */ F(code, segment) /* enum ast_segment */ F(list, labels) /* none: all */ F(node, pattern) \
      F(list, roles))

#define AST_KINDS(K, F) \
  AST_EXPRESSION_KINDS(K, F) \
  AST_LABEL_KINDS(K, F) \
  AST_PATTERN_KINDS(K, F) \
  AST_CLAUSE_KINDS(K, F) \
  AST_SCHEMA_KINDS(K, F) \
  AST_ADMIN_KINDS(K, F)
