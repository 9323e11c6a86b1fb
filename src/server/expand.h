// Values of the form $(command) in a settings file, replaced by what the command prints: --expand-commands, as Neo4j's charts use it.
#pragma once

#include "base/buf.h"
#include "base/error.h"

/// Commands in a file are run only if nobody but its owner, this user, may write it and nobody but owner and group may read it.
enum err expand_check_file(const char *path, struct error *e) NODISCARD;

/// Replaces each value that is $(...) as a whole. The command runs under /bin/sh without a terminal, at most 30 s; it must exit with 0 and
/// print at most 64 KiB, of which line breaks at the end are dropped.
enum err expand_commands_in(struct buf *text, const char *path, struct error *e) NODISCARD;
