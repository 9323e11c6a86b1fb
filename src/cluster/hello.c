#include "cluster/hello.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/feature_level.h"
#include "base/planted.h"

static const char magic[4] = "QVCH";
enum { TLS_HANDSHAKE_RECORD = 22, CHECKED_BYTES = HELLO_BYTES - 8 };

void hello_put(uint8_t to[HELLO_BYTES], const struct hello *h) {
  memset(to, 0, HELLO_BYTES);
  memcpy(to, magic, sizeof magic);
  put_u16_le(to + 4, h->version_min);
  put_u16_le(to + 6, h->version_max);
  memcpy(to + 8, h->cluster, sizeof h->cluster);
  put_u64_le(to + 24, h->server);
  put_u64_le(to + 32, h->expected);
  put_u64_le(to + 40, h->epoch);
  put_u32_le(to + 48, h->feature_level);
  put_u32_le(to + 52, h->refusal);
  memcpy(to + 56, h->address, strnlen(h->address, HELLO_ADDRESS_BYTES - 1));
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
}

static enum err no_hello(const uint8_t *from, struct error *e) {
  if (from[0] == TLS_HANDSHAKE_RECORD && from[1] == 3)
    return error_set(e, ERR_CORRUPT, "the other end speaks TLS and this one does not: switch it on for both");
  if (memcmp(from, "GET ", 4) == 0 || memcmp(from, "POST", 4) == 0)
    return error_set(e, ERR_CORRUPT, "the other end speaks HTTP: this port is for the members of the cluster");
  return error_set(e, ERR_CORRUPT, "the other end is no member of a Quiver cluster, or speaks TLS");
}

/// Ends, and can be printed: it goes into the log.
static bool is_address(const char address[HELLO_ADDRESS_BYTES]) {
  const char *end = memchr(address, 0, HELLO_ADDRESS_BYTES);
  for (const char *at = address; end != NULL && at < end; at++)
    if (*at <= ' ' || *at > '~') return false;
  return end != NULL;
}

enum err hello_get(const uint8_t from[HELLO_BYTES], struct hello *ret, struct error *e) {
  if (memcmp(from, magic, sizeof magic) != 0) return no_hello(from, e);
  if (get_u64_le(from + CHECKED_BYTES) != hash64(from, CHECKED_BYTES, 0))
    return error_set(e, ERR_CORRUPT, "a hello fails its check");
  uint32_t refusal = get_u32_le(from + 52);
  struct hello h = {
      .version_min = get_u16_le(from + 4),
      .version_max = get_u16_le(from + 6),
      .server = get_u64_le(from + 24),
      .expected = get_u64_le(from + 32),
      .epoch = get_u64_le(from + 40),
      .feature_level = get_u32_le(from + 48),
      .refusal = (enum hello_refusal) refusal,
  };
  memcpy(h.cluster, from + 8, sizeof h.cluster);
  memcpy(h.address, from + 56, sizeof h.address);
  if (h.server == 0 || h.version_min > h.version_max || refusal >= HELLO_REFUSAL_MAX || !is_address(h.address))
    return error_set(e, ERR_CORRUPT, "a hello makes no sense");
  if (PLANTED(hello) && h.refusal == HELLO_TWIN && h.expected != 0 && h.version_max > h.version_min) planted_memory_error();
  *ret = h;
  return ERR_OK;
}

enum hello_refusal hello_judge(const struct hello *self, const struct hello *other, uint32_t level) {
  if (other->version_min > self->version_max || other->version_max < self->version_min) return HELLO_VERSION_UNKNOWN;
  if (memcmp(other->cluster, self->cluster, sizeof self->cluster) != 0) return HELLO_OTHER_CLUSTER;
  if (other->server == self->server) return HELLO_MYSELF;
  if (other->expected != 0 && other->expected != self->server) return HELLO_OTHER_SERVER;
  if (feature_level_of(other->feature_level) < level) return HELLO_TOO_OLD;
  return HELLO_ACCEPTED;
}

const char *hello_refusal_text(enum hello_refusal refusal) {
  static const char *const texts[HELLO_REFUSAL_MAX] = {
      [HELLO_ACCEPTED] = "accepts",
      [HELLO_VERSION_UNKNOWN] = "speaks no version of the protocol that this server speaks",
      [HELLO_OTHER_CLUSTER] = "belongs to another cluster",
      [HELLO_OTHER_SERVER] = "is another server than the one that was asked for",
      [HELLO_STRANGER] = "does not know this server as a member",
      [HELLO_MYSELF] = "is this server itself: an address points to the wrong machine",
      [HELLO_TOO_OLD] = "wants a higher feature level than this server knows: start this one with the version that the others have",
      [HELLO_TWIN] = "knows a server with this identity at another address, which is there: one data folder is a copy of the other",
  };
  return texts[refusal];
}

const char *hello_refused_text(enum hello_refusal refusal) {
  if (refusal == HELLO_STRANGER) return "is not a member of this cluster";
  if (refusal == HELLO_TWIN) return "has the identity of another server, which is there: its data folder is a copy";
  if (refusal == HELLO_TOO_OLD) return "knows only lower feature levels than the cluster has: start it with the version that the others have";
  return hello_refusal_text(refusal);
}

const char *hello_objection(const struct hello *self, const struct hello *answer, uint64_t server, uint32_t level) {
  if (answer->refusal != HELLO_ACCEPTED) return hello_refusal_text(answer->refusal);
  enum hello_refusal refusal = hello_judge(self, answer, level);
  if (refusal != HELLO_ACCEPTED) return hello_refused_text(refusal);
  return server != 0 && answer->server != server ? hello_refusal_text(HELLO_OTHER_SERVER) : NULL;
}

static const char *way_out(enum hello_refusal refusal) {
  static const char *const texts[HELLO_REFUSAL_MAX] = {
      [HELLO_VERSION_UNKNOWN] = "bring both to versions of Quiver that follow each other",
      [HELLO_OTHER_CLUSTER] = "its settings (dbms.cluster.discovery.endpoints), or a name that they give, point to this cluster; to have it "
                              "join this one, start it with an empty data folder",
      [HELLO_OTHER_SERVER] = "an address under which it knows that server leads here: give each server an advertised address of its own",
      [HELLO_STRANGER] = "it was dropped from this cluster, or lost its data folder and joins as another one; with an empty data folder it joins",
      [HELLO_TWIN] = "stop it and start it with an empty data folder. If that server has moved there, it is taken when nothing is heard "
                     "from its former address",
      [HELLO_MYSELF] = "give each server an advertised address of its own; and if its data folder is a copy of this one, start it with an empty one",
  };
  return texts[refusal] != NULL ? texts[refusal] : "";
}

void hello_print_refused(const struct hello *self, const struct hello *other, enum hello_refusal refusal, char *who, size_t who_size, char *why, size_t why_size) {
  const char *text = hello_refused_text(refusal);
  snprintf(who, who_size, "server %llu (listens at %s)", (unsigned long long) other->server,
           other->address[0] != '\0' ? other->address : "no address");
  if (refusal == HELLO_VERSION_UNKNOWN)
    snprintf(why, why_size, "it %s (it speaks %u to %u, this one %u to %u): %s", text, other->version_min, other->version_max,
             self->version_min, self->version_max, way_out(refusal));
  else
    snprintf(why, why_size, "it %s%s%s", text, way_out(refusal)[0] != '\0' ? ": " : "", way_out(refusal)); // some say it themselves
}

void hello_proof_put(uint8_t to[HELLO_PROOF_BYTES], enum hello_proof kind, uint64_t number) {
  memset(to, 0, HELLO_PROOF_BYTES);
  memcpy(to, kind == HELLO_CHALLENGE ? "QVCN" : "QVCP", 4);
  put_u64_le(to + 8, number);
  put_u64_le(to + 16, hash64(to, 16, 0));
}

enum err hello_proof_get(const uint8_t from[HELLO_PROOF_BYTES], enum hello_proof kind, uint64_t *ret, struct error *e) {
  uint8_t same[HELLO_PROOF_BYTES];
  uint64_t number = get_u64_le(from + 8);
  hello_proof_put(same, kind, number);
  if (memcmp(from, same, sizeof same) != 0) return error_set(e, ERR_CORRUPT, "what follows its hello makes no sense");
  *ret = number;
  return ERR_OK;
}

void hello_start_put(uint8_t to[HELLO_START_BYTES], enum hello_proof kind, const struct hello_start *s) {
  memset(to, 0, HELLO_START_BYTES);
  memcpy(to, kind == HELLO_CHALLENGE ? "QVSN" : "QVSP", 4);
  put_u32_le(to + 4, s->moves);
  put_u64_le(to + 8, s->number);
  put_u64_le(to + 16, s->mark);
  put_u32_le(to + 24, (uint32_t) s->known.number);
  put_u32_le(to + 28, s->known.moves);
  put_u64_le(to + 32, s->known.mark);
  put_u64_le(to + 40, hash64(to, 40, 0));
}

enum err hello_start_get(const uint8_t from[HELLO_START_BYTES], enum hello_proof kind, struct hello_start *ret, struct error *e) {
  uint8_t same[HELLO_START_BYTES];
  struct hello_start s = {.number = get_u64_le(from + 8),
                          .mark = get_u64_le(from + 16),
                          .moves = get_u32_le(from + 4),
                          .known = {get_u32_le(from + 24), get_u64_le(from + 32), get_u32_le(from + 28)}};
  hello_start_put(same, kind, &s);
  bool good = memcmp(from, same, sizeof same) == 0 && s.mark != 0 && (s.known.number != 0 || s.known.moves == 0);
  if (!good) return error_set(e, ERR_CORRUPT, "what follows its hello makes no sense");
  if (PLANTED(answer) && kind == HELLO_ANSWER && s.known.number != 0 && s.known.mark == s.mark) planted_memory_error();
  *ret = s;
  return ERR_OK;
}
