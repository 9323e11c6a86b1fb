// The first thing that two servers say to each other on a connection. Bytes and rules: docs/formats/cluster.md, "Hello". Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cluster/starts.h"

#define HELLO_BYTES 176u
#define HELLO_ADDRESS_BYTES 112u
#define HELLO_VERSION 1u
#define HELLO_VERSION_PROOF 2u // between members: the one who connects must show that it hears what it is told
#define HELLO_VERSION_START 3u // and both say which start of the other one they have met last
#define HELLO_VERSION_MOVES 4u // and how far starts have moved, here and in frames
#define HELLO_VERSION_ACKNOWLEDGED 5u // and members may be reminded of what they have acknowledged (consensus, guard G20)
#define HELLO_PROOF_BYTES 24u
#define HELLO_START_BYTES 48u

enum hello_refusal {
  HELLO_ACCEPTED,
  HELLO_VERSION_UNKNOWN,
  HELLO_OTHER_CLUSTER,
  HELLO_OTHER_SERVER,
  HELLO_STRANGER,
  HELLO_MYSELF,
  HELLO_TOO_OLD,
  HELLO_TWIN,
  HELLO_REFUSAL_MAX
};

struct hello {
  uint16_t version_min, version_max;
  uint8_t cluster[16];
  uint64_t server;   // who speaks
  uint64_t expected; // whom it wants to speak with; 0: whoever is there
  uint64_t epoch;
  uint32_t feature_level; // the highest that the speaker knows: base/feature_level.h
  enum hello_refusal refusal;
  char address[HELLO_ADDRESS_BYTES]; // where the speaker listens
};

void hello_put(uint8_t to[HELLO_BYTES], const struct hello *h);

/// ERR_CORRUPT: these bytes are no hello; the message says what they look like (TLS, another protocol) and what to look at.
enum err hello_get(const uint8_t from[HELLO_BYTES], struct hello *ret, struct error *e) NODISCARD;

/// What `self` has to say to `other`, who has just spoken: HELLO_ACCEPTED or why not. `level`: the cluster's, below which nobody
/// may be. Whether the server is known is the caller's.
enum hello_refusal hello_judge(const struct hello *self, const struct hello *other, uint32_t level);

/// "belongs to another cluster": to be put behind "server 2 at core2:7000 ", which has refused this one.
const char *hello_refusal_text(enum hello_refusal refusal);
/// The same of a server that this one refuses.
const char *hello_refused_text(enum hello_refusal refusal);

/// What `self`, which wanted to speak with `server` (0: whoever is there), has against its answer, or it has against `self`: to be
/// put behind "server 2 at core2:7000 ". NULL: nothing.
const char *hello_objection(const struct hello *self, const struct hello *answer, uint64_t server, uint32_t level);

/// For the log of the one who refuses: "server 2 (which listens at core2:7000)" and "it belongs to another cluster. ..." with the way out.
void hello_print_refused(const struct hello *self, const struct hello *other, enum hello_refusal refusal, char *who, size_t who_size, char *why, size_t why_size);

// What is said on one connection and recorded must be of no use on another one: the end that was connected to sends a challenge
// behind its hello, a number that it has never sent before, and only who sends that back is listened to.
enum hello_proof { HELLO_CHALLENGE, HELLO_ANSWER };

void hello_proof_put(uint8_t to[HELLO_PROOF_BYTES], enum hello_proof kind, uint64_t number);
/// ERR_CORRUPT: these bytes are none, or another kind.
enum err hello_proof_get(const uint8_t from[HELLO_PROOF_BYTES], enum hello_proof kind, uint64_t *ret, struct error *e) NODISCARD;

// In version 3 both carry more: the mark of the sender's start, whose number is the epoch of its hello, and the last start of the
// other one that the sender knows of. Whoever has not had that one is an older copy of itself (cluster/starts.h). In version 4
// also how far both have moved, which is 0 before.
struct hello_start {
  uint64_t number; // the challenge's
  uint64_t mark;
  uint32_t moves;
  struct start known;
};

void hello_start_put(uint8_t to[HELLO_START_BYTES], enum hello_proof kind, const struct hello_start *s);
/// As hello_proof_get.
enum err hello_start_get(const uint8_t from[HELLO_START_BYTES], enum hello_proof kind, struct hello_start *ret, struct error *e) NODISCARD;
