// Built-in procedures: what CALL finds. Private to dbms.
#pragma once

#include "cypher/signatures.h"
#include "dbms/record_list.h"
#include "exec/exec.h"
#include "plan/plan.h"

/// For whom a statement is compiled: some procedures are there for members of a cluster alone, some have other columns for
/// clients of Neo4j 3.
struct procedures_scope {
  uint32_t neo4j_major; // of struct dbms_client
  bool is_member;
};

/// For the check of a statement, during which `scope` must live; what is found is static.
struct cypher_signatures procedures_signatures(struct procedures_scope *scope);

/// Rows of SHOW PROCEDURES.
enum err procedures_show(const struct procedures_scope *scope, struct record_list *l, struct error *e) NODISCARD;
