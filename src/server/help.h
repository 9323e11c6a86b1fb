// What `help` prints: a screen for each tool, and the list of settings. Written to standard output.
#pragma once

#include <stdbool.h>

void help_print(bool admin);

/// Every setting with its default and its sentence, as `config/settings.h` has them.
void help_print_settings(void);

/// "quiver 0.1.0, compatible with Neo4j 5.26.0"
void help_print_version(void);

/// "0.1.0"
const char *quiver_version(void);
