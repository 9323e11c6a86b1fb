// Typed settings: nobody above parses strings.
//
// Names of three eras (5.x, 4.x, 3.x) mean one setting; an old one is accepted with a warning that names the new one. Sources, strongest
// first: `--set`, environment, file, default. Each value knows where it came from. What is wrong is told with the key, the place and
// the way out. config/settings.h is the list.
//
// Life: config_new, then config_set / config_read_file / config_read_environment in any order, config_finish, then read-only and safe for any
// thread. One owner until then. All text lives as long as the config.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "config/settings.h"

/// "host:port"; an empty host means the default of its listener, port 0 that none was given.
struct config_address {
  struct str host; // without brackets
  uint16_t port;
};

#define CONFIG_C_BOOL bool
#define CONFIG_C_INT int64_t
#define CONFIG_C_BYTES int64_t
#define CONFIG_C_DURATION int64_t // milliseconds
#define CONFIG_C_STRING struct str
#define CONFIG_C_PATH struct str
#define CONFIG_C_ENUM struct str // one of the words, in capitals
#define CONFIG_C_ADDRESS struct config_address

/// All settings, by field name.
struct config_values {
#define CONFIG_FIELD(field, type, v5, v4, v3, text, low, high, what) CONFIG_C_##type field;
  CONFIG_SETTINGS(CONFIG_FIELD)
#undef CONFIG_FIELD
};

enum config_type { CONFIG_BOOL, CONFIG_INT, CONFIG_BYTES, CONFIG_DURATION, CONFIG_STRING, CONFIG_PATH, CONFIG_ENUM, CONFIG_ADDRESS };
enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_COMMAND_LINE };

struct config;

/// One setting as SHOW SETTINGS lists it.
struct config_entry {
  struct str name;  // canonical
  struct str name_4x, name_3x; // in those eras; the same if it was
  struct str value; // text as given, or the default
  struct str default_value, description;
  enum config_type type;
  enum config_source source;
  struct str place; // "conf/neo4j.conf:12", "--set", "NEO4J_..." or empty
};

struct config *config_new(void) NODISCARD;
void config_free(struct config *c);

/// Takes one setting. `place` is told in messages and kept (copied). ERR_INVALID: a value that does not fit, with key, value, place and what
/// would fit. An unknown key is a warning now and, under strict validation, an error of config_finish.
enum err config_set(struct config *c, struct str key, struct str value, enum config_source source, struct str place, struct error *e) NODISCARD;

/// A file in the form of Java properties: `key=value` lines, `#` and `!` comments, `\` at the end continues, blanks around are
/// dropped, UTF-8. `path` is for messages. All lines are looked at; the first error is returned.
enum err config_read_file(struct config *c, struct str text, struct str path, struct error *e) NODISCARD;

/// Variables named NEO4J_a_b__c as the container image has them: "_" is "." and "__" is "_". `environ` ends with NULL. Empty values,
/// names with a digit first and the image's own variables (NEO4J_HOME, NEO4J_AUTH, ...) are passed over.
enum err config_read_environment(struct config *c, const char *const *environment, struct error *e) NODISCARD;

/// Settles all values. `home` (absolute) is what relative paths hang below.
enum err config_finish(struct config *c, struct str home, struct error *e) NODISCARD;

/// After config_finish.
const struct config_values *config_values(const struct config *c);

/// Warnings so far, one line each, in Neo4j's words where it has some.
uint32_t config_warning_count(const struct config *c);
struct str config_warning(const struct config *c, uint32_t i);

/// All settings in the order of the list.
uint32_t config_entry_count(const struct config *c);
struct config_entry config_entry(const struct config *c, uint32_t i);

// Single values, for admin commands too (config/parse.c).

/// "10s", "1h30m", "500ms", "0": milliseconds. A number without unit is in seconds.
bool config_parse_duration(struct str text, int64_t *ret_ms);
/// "512m", "1g", "10KiB", "1024": bytes. k, m, g, t are powers of 1024.
bool config_parse_bytes(struct str text, int64_t *ret);
/// "host:port", "host", ":port", "[::1]:7687".
bool config_parse_address(struct str text, struct config_address *ret);
