// Lines and secrets from a person: editing and history where the terminal and the build have them (libedit).
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/// Standard input and output are a terminal.
bool terminal_is_there(void);

/// One line without its end into `ret`. False at the end of the input.
bool terminal_read_line(const char *prompt, struct buf *ret);

/// The same without showing what is typed.
bool terminal_read_secret(const char *prompt, struct buf *ret);

/// Keeps a statement for this and later sessions. Never anything that holds a password: the caller decides.
void terminal_remember(const char *line);
void terminal_history_open(const char *path);
void terminal_history_close(const char *path);
void terminal_history_print(void);
