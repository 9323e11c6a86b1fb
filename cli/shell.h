// The shell: a native cypher-shell, with its options, commands, output and exit codes.
#pragma once

/// Returns the exit code: 0, or 1 after an error.
int shell_main(int argc, const char *const *argv, const char *const *environment);
