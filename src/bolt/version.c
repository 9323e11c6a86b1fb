#include "bolt/version.h"

#include "base/compiler.h"

#define SINCE(major, minor, from_major, from_minor) \
  ((major) > (from_major) || ((major) == (from_major) && (minor) >= (from_minor)))

// One row a version; the flags follow from the table "what changes for the server" of the Bolt documentation.
#define VERSION(ma, mi)                                                                                                      \
  {                                                                                                                          \
    .major = ma, .minor = mi, .init = !SINCE(ma, mi, 3, 0), .run_extra = SINCE(ma, mi, 3, 0), .pull_n = SINCE(ma, mi, 4, 0), \
    .database = SINCE(ma, mi, 4, 0), .noop_out = SINCE(ma, mi, 4, 1), .hints = SINCE(ma, mi, 4, 3),                          \
    .utc_patch = SINCE(ma, mi, 4, 3) && !SINCE(ma, mi, 5, 0), .imp_user = SINCE(ma, mi, 4, 4), .logon = SINCE(ma, mi, 5, 1), \
    .notifications = SINCE(ma, mi, 5, 2), .bolt_agent = SINCE(ma, mi, 5, 3), .telemetry = SINCE(ma, mi, 5, 4),               \
    .statuses = SINCE(ma, mi, 5, 6), .gql_failures = SINCE(ma, mi, 5, 7), .home_database = SINCE(ma, mi, 5, 8),              \
    .contains_updates = SINCE(ma, mi, 5, 0), .legacy_times = !SINCE(ma, mi, 3, 0), .legacy_bookmarks = !SINCE(ma, mi, 4, 0), \
    .neo4j_major = SINCE(ma, mi, 5, 0)   ? 5                                                                                 \
                   : SINCE(ma, mi, 4, 0) ? 4                                                                                 \
                                         : 3,                                                                                \
    .route = SINCE(ma, mi, 4, 4)   ? BOLT_ROUTE_EXTRA                                                                        \
             : SINCE(ma, mi, 4, 3) ? BOLT_ROUTE_DATABASE                                                                     \
                                   : BOLT_ROUTE_NONE,                                                                        \
    .values = {                                                                                                              \
        .has_temporal = SINCE(ma, mi, 2, 0),                                                                                 \
        .utc_datetimes = SINCE(ma, mi, 5, 0),                                                                                \
        .has_element_ids = SINCE(ma, mi, 5, 0),                                                                              \
        .has_vectors = SINCE(ma, mi, 6, 0),                                                                                  \
        .has_uuids = SINCE(ma, mi, 6, 1),                                                                                    \
    },                                                                                                                       \
  }

// 5.5 is not among them and must never be chosen (Bolt documentation, version 5.5), although clients' ranges cover it.
static const struct bolt_version versions[] = {
    VERSION(1, 0), VERSION(2, 0), VERSION(3, 0), VERSION(4, 0), VERSION(4, 1), VERSION(4, 2),
    VERSION(4, 3), VERSION(4, 4), VERSION(5, 0), VERSION(5, 1), VERSION(5, 2), VERSION(5, 3),
    VERSION(5, 4), VERSION(5, 6), VERSION(5, 7), VERSION(5, 8), VERSION(6, 0),
};

const struct bolt_version *bolt_version_find(uint8_t major, uint8_t minor) {
  return bolt_version_best(major, minor, minor);
}

const struct bolt_version *bolt_version_best(uint8_t major, uint8_t lowest, uint8_t highest) {
  for (size_t i = ARRAY_SIZE(versions); i-- > 0;) {
    const struct bolt_version *v = &versions[i];
    if (v->major == major && v->minor >= lowest && v->minor <= highest) return v;
  }
  return NULL;
}

struct str bolt_version_manifest(void) {
  return STR("\x00\x00\x01\xff"
             "\x05"
             "\x00\x00\x00\x06"
             "\x00\x02\x08\x05"
             "\x00\x04\x04\x05"
             "\x00\x04\x04\x04"
             "\x00\x00\x00\x03"
             "\x00");
}
