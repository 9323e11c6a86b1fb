// Where LOAD CSV reads: files below the import folder, as URLs `file:///people.csv`. Private to dbms.
//
// A path cannot leave the folder (os/rooted_file.h). Other schemes are refused. Errors are ERR_EXTERNAL_RESOURCE and name the
// URL, never the folder.
#pragma once

#include "config/config.h"
#include "exec/exec.h"

/// The table for a run; `context` is `config`, which must outlive it.
struct exec_files import_files(const struct config_values *config);
