// What a server says of itself to the others. A value and its bytes (docs/formats/members.md, "Announcement"). Pure.
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "cluster/founding.h"
#include "cluster/identity.h"

enum server_mode {
  SERVER_CORE = 1,
  SERVER_READ_REPLICA,
  SERVER_SINGLE,
  SERVER_GATEWAY, // has no databases and is reached at its discovery port alone: nobody can count on it, follow it or be sent
                  // there
  SERVER_MODE_MAX
};

enum server_address {
  ADDRESS_DISCOVERY,
  ADDRESS_TRANSACTION,
  ADDRESS_RAFT,
  ADDRESS_ROUTING, // for sessions that another server carries on for its clients
  ADDRESS_BOLT,
  ADDRESS_HTTP,
  ADDRESS_HTTPS,
  ADDRESS_MAX
};

enum database_role { ROLE_NONE, ROLE_LEADER, ROLE_FOLLOWER, ROLE_LEARNER, ROLE_MAX };
enum database_status {
  DATABASE_OFFLINE,
  DATABASE_STARTING,
  DATABASE_ONLINE,
  DATABASE_COPYING,
  DATABASE_FAILED,
  DATABASE_QUARANTINED, // it differs from the others', and is not served until it is mended
  DATABASE_STATUS_MAX
};

struct announced_database {
  struct uuid uuid;
  uint64_t term, applied_index;
  uint64_t member;               // this server's id in the database's group: host.h; 0: it is in none
  uint64_t digest_index, digest; // of the last range that was digested: graph/digest.h
  enum database_role role;
  enum database_status status;
};

#define ANNOUNCEMENT_BYTES_MAX (80u << 10)
#define ANNOUNCEMENT_ADDRESS_MAX 111u
#define ANNOUNCEMENT_VERSION_MAX 64u
#define ANNOUNCEMENT_TAG_MAX 64u
#define ANNOUNCEMENT_TAGS_MAX 32u
#define ANNOUNCEMENT_DATABASES_MAX 1024u

struct announcement {
  struct uuid server;
  uint64_t epoch, revision, beat;
  uint64_t sequence; // of its identity
  uint32_t number;
  uint32_t feature_level; // the highest that it knows: base/feature_level.h
  uint32_t cluster_level; // the cluster's, as it knows it; 0: the first, or not known
  enum server_mode mode;
  enum identity_state state;
  struct str addresses[ADDRESS_MAX]; // "host:port" as others reach it, or empty
  struct str version;                // text for people
  uint32_t tag_count;
  struct str tags[ANNOUNCEMENT_TAGS_MAX]; // server groups
  const struct founding *founding;        // prepared or bound, otherwise NULL
  uint32_t database_count;
  const struct announced_database *databases;
};

/// The cluster that the server is bound to, or none.
static inline struct uuid announcement_cluster(const struct announcement *a) {
  return a->state == IDENTITY_BOUND && a->founding != NULL ? a->founding->cluster : (struct uuid){{0}};
}

/// Appends it. ERR_LIMIT: something is longer than the format allows (says what); ERR_NOMEM. `to` is as before then.
enum err announcement_put(struct buf *to, const struct announcement *a, struct error *e) NODISCARD;

/// Reads one that takes all of `bytes`. Texts point into them, the rest is in `arena`. ERR_CORRUPT, ERR_NOMEM.
enum err announcement_get(const uint8_t *from, size_t bytes, struct arena *arena, struct announcement *ret,
                          struct error *e) NODISCARD;

/// Whether both say the same but for revision, beat, applied indexes and digests, which move all the time.
bool announcement_same(const struct announcement *a, const struct announcement *b);

/// -1, 0, 1: whether `a` was said before `b`, with it, after it, by (epoch, revision).
int announcement_cmp_version(uint64_t a_epoch, uint64_t a_revision, uint64_t b_epoch, uint64_t b_revision);

const char *server_mode_text(enum server_mode mode); // "core"
