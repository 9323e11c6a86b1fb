// What the tables of procedures share. Private to procedures*.c.
#pragma once

#include "dbms/procedures.h"
#include "dbms/transaction.h"

/// A procedure builds all of its rows when it is called.
struct procedure {
  struct cypher_procedure signature;
  const char *description;
  bool works_on_system;
  /// ERR_WAIT where transaction.polls is set: it is called again soon.
  enum err (*rows)(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e);
  bool members_only; // of a cluster
  enum { PROCEDURE_EVER, PROCEDURE_OF_3, PROCEDURE_SINCE_4 } era;
};

/// How exec calls any of them.
extern struct exec_procedure procedure_implementation;

/// Those about the cluster and about routing. Static.
const struct procedure *procedures_cluster(uint32_t *ret_n);
/// Those about indexes.
const struct procedure *procedures_index(uint32_t *ret_n);

/// Of procedures_level.c.
enum err procedure_upgrade_status(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e);
enum err procedure_upgrade(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e);

#define FIELD(name, type) \
  { #name, #type, CYPHER_##type, CYPHER_ANY, false, NULL, false }
#define TEXTS(name) \
  { #name, "LIST<STRING>", CYPHER_LIST, CYPHER_STRING, false, NULL, false }
#define MAPS(name) \
  { #name, "LIST<MAP>", CYPHER_LIST, CYPHER_MAP, false, NULL, false }
#define OPTIONAL(name, type, text) \
  { #name, #type, CYPHER_##type, CYPHER_ANY, true, text, false }
#define FIELDS(...) (const struct cypher_field[]){__VA_ARGS__}, ARRAY_SIZE(((const struct cypher_field[]){__VA_ARGS__}))
#define NONE NULL, 0
#define PROCEDURE(name, mode, arguments, required, results, works_on_system, rows, description, ...)                           \
  {                                                                                                                            \
    {name, arguments, required, results, CYPHER_PROCEDURE_##mode, false, true, false, &procedure_implementation}, description, \
        works_on_system, rows, __VA_ARGS__                                                                                     \
  }
