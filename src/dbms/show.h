// Rows of SHOW and TERMINATE commands. Private to dbms.
#pragma once

#include "exec/exec.h"

/// What exec_options.show points to; the call's context is the transaction.
const struct exec_show *show_table(void);
