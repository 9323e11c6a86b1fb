// The home folder and the settings that hold in it.
#pragma once

#include "base/error.h"
#include "config/config.h"
#include "server/arguments.h"

enum { HOME_PATH_MAX = 4096 };

/// The absolute path of the home folder: --home or the environment; else the folder above the one called `bin` in which the program
/// lies. ERR_INVALID says how to name one.
enum err home_find(const struct arguments *a, char ret[HOME_PATH_MAX], struct error *e) NODISCARD;

/// Makes what is missing of conf/ data/ logs/ import/ plugins/ run/ metrics/ and of what settings put in their place.
enum err home_make_folders(const char *home, const struct config_values *v, struct error *e) NODISCARD;

/// Reads the file, the environment and --set, and settles all values. The caller frees `*ret`.
enum err home_read_settings(const char *home, const struct arguments *a, const char *const *environment, struct config **ret, struct error *e) NODISCARD;
