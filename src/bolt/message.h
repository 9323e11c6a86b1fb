// A client's message as a typed struct: tags, field counts and field types are checked here, exactly, for the version at hand.
// Pure. Unknown keys of dictionaries are ignored; null counts as absent.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "bolt/version.h"
#include "dbms/session.h"

enum bolt_message_kind {
  BOLT_HELLO, // and INIT
  BOLT_LOGON,
  BOLT_LOGOFF,
  BOLT_GOODBYE,
  BOLT_ACK_FAILURE,
  BOLT_RESET,
  BOLT_RUN,
  BOLT_PULL, // and PULL_ALL
  BOLT_DISCARD,
  BOLT_BEGIN,
  BOLT_COMMIT,
  BOLT_ROLLBACK,
  BOLT_ROUTE,
  BOLT_TELEMETRY,
  BOLT_MESSAGE_KINDS,
};

struct bolt_auth {
  struct str scheme, principal, credentials, realm; // credentials: never to be shown
};

/// What notifications a client wants; from HELLO, and again from BEGIN and RUN.
struct bolt_filter {
  enum dbms_severity min_severity; // DEFAULT: not said
  bool has_categories;
  const struct str *categories;
  uint32_t category_count;
};

struct bolt_hello {
  struct str user_agent;
  struct str product;    // of the bolt_agent, 5.3 on: "neo4j-javascript/6.3.0"
  struct bolt_auth auth; // before 5.1
  bool utc_patch;        // asked for
  bool routed;           // has a routing context: neo4j://
  struct bolt_filter filter;
};

struct bolt_run {
  struct str query;
  struct value parameters;
  struct dbms_tx_options tx;
  struct bolt_filter filter;
  enum bolt_message_kind text; // Bolt 1 and 2: "BEGIN", "COMMIT" and "ROLLBACK" as queries; else BOLT_RUN
};

struct bolt_begin {
  struct dbms_tx_options tx;
  struct bolt_filter filter;
};

struct bolt_pull {
  int64_t n;   // -1: all
  int64_t qid; // -1: the last RUN's
};

struct bolt_route {
  struct str address, database, impersonated_user;
  const struct str *bookmarks;
  uint32_t bookmark_count;
};

struct bolt_message {
  enum bolt_message_kind kind;
  struct value extra; // the dictionary of HELLO, RUN and BEGIN, for what one listener alone takes out of it; otherwise null
  union {
    struct bolt_hello hello;
    struct bolt_auth logon;
    struct bolt_run run;
    struct bolt_begin begin;
    struct bolt_pull pull; // and DISCARD
    struct bolt_route route;
    int64_t telemetry; // 0 managed, 1 explicit, 2 auto-commit, 3 execute_query
  };
};

/// "RUN", ... Static.
const char *bolt_message_name(enum bolt_message_kind kind);

/// What kind of message begins with these bytes in that version; BOLT_MESSAGE_KINDS where it is none. Looks at the tag alone.
enum bolt_message_kind bolt_message_peek(const struct bolt_version *v, struct str bytes);

/// `values`: the version's profile, with the utc patch where that was agreed. Texts of `ret` point into `bytes`, other memory is
/// in `arena`. ERR_PROTOCOL for anything malformed; ERR_TYPE, ERR_ARGUMENT for parameters that cannot be (wire/packstream.h);
/// ERR_NOMEM.
enum err bolt_message_decode(const struct bolt_version *v, const struct packstream_profile *values,
                             struct packstream_limits limits, struct str bytes, struct arena *arena, struct bolt_message *ret,
                             struct error *e) NODISCARD;
