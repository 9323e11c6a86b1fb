// Built-in procedures: what CALL finds. Private to dbms.
#pragma once

#include "cypher/signatures.h"
#include "dbms/record_list.h"
#include "exec/exec.h"
#include "plan/plan.h"

/// For the check of a statement. The look-ups are static.
struct cypher_signatures procedures_signatures(void);

/// Rows of SHOW PROCEDURES.
enum err procedures_show(struct record_list *l, struct error *e) NODISCARD;
