// From the text of a statement to a running result: parse, check, plan, open. Private to dbms.
#pragma once

#include "dbms/database.h"
#include "dbms/result.h"
#include "dbms/session.h"

/// The plan of `text` for `db`, from the cache or compiled; the caller holds a reference. `neo4j_major`: of struct dbms_client.
/// Errors: those of the language, with positions.
enum err pipeline_compile(struct database *db, uint32_t neo4j_major, struct str text, struct plan **ret,
                          struct error *e) NODISCARD;

/// Whether it looks at nodes or relationships.
bool pipeline_reads_graph(const struct plan *p);

/// Opens a statement in `t`: refuses what its transaction does not allow, makes its result and starts its run. The summary tells what `filter` lets pass. Takes over the
/// reference to `p` when it succeeds. A command's result is empty until command_run has filled it.
enum err pipeline_open(struct transaction *t, struct plan *p, struct value parameters, const struct notification_filter *filter, struct result **ret,
                       struct error *e) NODISCARD;
