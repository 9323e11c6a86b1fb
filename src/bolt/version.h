// What each Bolt version can do: the one place that knows version numbers. Everything else asks for a flag.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/packstream.h"

enum bolt_route_form {
  BOLT_ROUTE_NONE,     // the routing table is a procedure
  BOLT_ROUTE_DATABASE, // 4.3: the third field is a name or null
  BOLT_ROUTE_EXTRA,    // 4.4 on: the third field is a dictionary
};

struct bolt_version {
  uint8_t major, minor;
  bool init;             // 1 and 2: INIT and ACK_FAILURE; BEGIN, COMMIT and ROLLBACK are texts of RUN
  bool run_extra;        // 3 on: the third field of RUN; BEGIN, COMMIT, ROLLBACK, GOODBYE
  bool pull_n;           // 4.0 on: PULL and DISCARD carry n and qid; has_more
  bool database;         // 4.0 on: `db`
  bool noop_out;         // 4.1 on: we may send NOOP
  bool hints;            // 4.3 on
  bool utc_patch;        // 4.3 and 4.4: `patch_bolt`
  bool imp_user;         // 4.4 on
  bool logon;            // 5.1 on: LOGON, LOGOFF; HELLO has no credentials
  bool notifications;    // 5.2 on: filters; `category` in a notification
  bool bolt_agent;       // 5.3 on: mandatory
  bool telemetry;        // 5.4 on
  bool statuses;         // 5.6 on: `statuses` in place of `notifications`
  bool gql_failures;     // 5.7 on
  bool home_database;    // 5.8 on: BEGIN and RUN tell the resolved `db`; LOGON the advertised address; hint ssr.enabled
  bool contains_updates; // 5.0 on: Booleans in `stats`
  bool legacy_times;     // 1 and 2: result_available_after, result_consumed_after
  bool legacy_bookmarks; // 1 to 3: neo4j:bookmark:v1:tx<N>
  uint8_t neo4j_major;   // of the newest servers that have spoken it: 3 (1 to 3), 4, 5
  enum bolt_route_form route;
  struct packstream_profile values; // without the utc patch
};

/// The profile of a version that this server speaks, or NULL. Static.
const struct bolt_version *bolt_version_find(uint8_t major, uint8_t minor);

/// The highest minor of `major` in [lowest, highest] that this server speaks, or NULL.
const struct bolt_version *bolt_version_best(uint8_t major, uint8_t lowest, uint8_t highest);

/// The complete offer of manifest version 1: marker, ranges, capability mask.
struct str bolt_version_manifest(void);
