// Private to config: a row of the list, and how its text becomes a value.
#pragma once

#include "base/arena.h"
#include "config/config.h"

struct config_row {
  const char *names[3]; // 5.x, 4.x, 3.x
  const char *default_text, *what;
  enum config_type type;
  size_t offset; // of the field in struct config_values
  int64_t low, high;
};

/// Writes the value of `text` into its field of `values`. `key` and `place` are for the message. With a NULL arena the value is only
/// checked and paths are left alone.
enum err config_convert(struct config_values *values, const struct config_row *row, struct str text, struct str home, struct arena *a,
                        struct str key, struct str place, struct error *e) NODISCARD;
