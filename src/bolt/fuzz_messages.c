#include "bolt/fuzz_messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bolt/chunk.h"
#include "bolt/message.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max); // libFuzzer's own

static void must(enum err err) {
  if (err != ERR_OK) abort();
}

static bool one_in(struct rng *rng, uint64_t n) {
  return rng_below(rng, n) == 0;
}

#define PICK(rng, texts) str_of((texts)[rng_below(rng, ARRAY_SIZE(texts))])

// ---- valid messages ----

static const char *const queries[] = {"UNWIND range(1, 3) AS x RETURN x",
                                      "UNWIND range(1, $n) AS x RETURN x",
                                      "UNWIND $list AS x RETURN x",
                                      "RETURN 1 AS one",
                                      "RETURN $n AS n",
                                      "RETURN null AS n",
                                      "CREATE (n:Test) RETURN n",
                                      "CREATE ()",
                                      "MATCH (n) RETURN n",
                                      "MATCH ()-[r]-() RETURN r",
                                      "MATCH p = () RETURN p",
                                      "RETURN 1/0",
                                      "CALL dbms.routing.getRoutingTable($context)",
                                      "BEGIN",
                                      "COMMIT",
                                      "ROLLBACK",
                                      "no query"};
static const char *const severities[] = {"OFF", "WARNING", "INFORMATION"};
static const char *const names[] = {"neo4j", "system", "none", ""};

static void put_key(struct buf *to, const char *key) {
  must(packstream_write_str(to, str_of(key)));
}

static void put_pair(struct buf *to, const char *key, struct str text) {
  put_key(to, key);
  must(packstream_write_str(to, text));
}

static void put_number(struct buf *to, const char *key, int64_t number) {
  put_key(to, key);
  must(packstream_write_int(to, number));
}

static void put_texts(struct buf *to, const char *key, const char *text) {
  put_key(to, key);
  must(packstream_write_list(to, 1));
  must(packstream_write_str(to, str_of(text)));
}

/// A dictionary of those of eight entries whose bits are set; `put` writes entry `i`.
static void put_map(struct rng *rng, struct buf *to, unsigned bits, void (*put)(struct rng *rng, struct buf *to, int i)) {
  must(packstream_write_map(to, (uint32_t) __builtin_popcount(bits & 0xff)));
  for (int i = 0; i < 8; i++)
    if (bits >> i & 1) put(rng, to, i);
}

/// Of BEGIN and RUN.
static void put_tx_entry(struct rng *rng, struct buf *to, int i) {
  switch (i) {
  case 0: put_pair(to, "notifications_minimum_severity", PICK(rng, severities)); break;
  case 1: put_pair(to, "mode", one_in(rng, 2) ? STR("r") : STR("w")); break;
  case 2: put_number(to, "tx_timeout", (int64_t) rng_below(rng, 2000)); break;
  case 3: put_texts(to, "bookmarks", "Q1:0:1"); break;
  case 4:
    put_key(to, "tx_metadata");
    must(packstream_write_map(to, 1));
    put_pair(to, "app", STR("x"));
    break;
  case 5: put_pair(to, "db", PICK(rng, names)); break;
  case 6: put_texts(to, "notifications_disabled_classifications", "HINT"); break;
  case 7: put_pair(to, "imp_user", PICK(rng, names)); break;
  }
}

/// Mostly few entries.
static void put_tx(struct rng *rng, struct buf *to) {
  put_map(rng, to, (unsigned) (rng_below(rng, 256) & rng_below(rng, 256)), put_tx_entry);
}

static void put_parameters(struct rng *rng, struct buf *to) {
  must(packstream_write_map(to, 3));
  put_number(to, "n", (int64_t) rng_below(rng, 200));
  put_key(to, "list");
  must(packstream_write_list(to, 2));
  must(packstream_write_null(to));
  must(packstream_write_float(to, 0.5));
  put_key(to, "context");
  must(packstream_write_map(to, 0));
}

static void put_auth_entry(struct rng *rng, struct buf *to, int i) {
  switch (i) {
  case 0: put_pair(to, "scheme", one_in(rng, 2) ? STR("basic") : STR("none")); break;
  case 1: put_pair(to, "principal", STR("neo4j")); break;
  case 2: put_pair(to, "credentials", one_in(rng, 4) ? STR("wrong") : STR("secret")); break;
  case 3: put_pair(to, "realm", STR("")); break;
  }
}

static void put_hello_entry(struct rng *rng, struct buf *to, int i) {
  switch (i) {
  case 4: put_texts(to, "patch_bolt", "utc"); break;
  case 5: put_pair(to, "notifications_minimum_severity", PICK(rng, severities)); break;
  case 6:
    put_key(to, "routing");
    must(packstream_write_map(to, 0));
    break;
  case 7:
    put_key(to, "bolt_agent");
    must(packstream_write_map(to, 1));
    put_pair(to, "product", STR("x"));
    break;
  default: put_auth_entry(rng, to, i);
  }
}

static void put_pull(struct rng *rng, struct buf *to) {
  bool with_qid = one_in(rng, 2);
  must(packstream_write_map(to, 1 + with_qid));
  put_number(to, "n", one_in(rng, 2) ? -1 : 1 + (int64_t) rng_below(rng, 3));
  if (with_qid) put_number(to, "qid", (int64_t) rng_below(rng, 4) - 1);
}

static void put_hello(struct rng *rng, const struct bolt_version *v, struct buf *to) {
  must(packstream_write_struct(to, 0x01, v->init ? 2 : 1));
  if (v->init) must(packstream_write_str(to, STR("x")));
  put_map(rng, to, 0x80 | (unsigned) rng_below(rng, 128), put_hello_entry);
}

static void put_run(struct rng *rng, const struct bolt_version *v, struct buf *to) {
  must(packstream_write_struct(to, 0x10, v->run_extra ? 3 : 2));
  must(packstream_write_str(to, PICK(rng, queries)));
  put_parameters(rng, to);
  if (v->run_extra) put_tx(rng, to);
}

static void put_route(struct rng *rng, const struct bolt_version *v, struct buf *to) {
  must(packstream_write_struct(to, 0x66, 3));
  must(packstream_write_map(to, 1));
  put_pair(to, "address", STR("a:1"));
  must(packstream_write_list(to, 0));
  if (v->route == BOLT_ROUTE_EXTRA) {
    must(packstream_write_map(to, 1));
    put_pair(to, "db", PICK(rng, names));
  } else {
    must(packstream_write_null(to));
  }
}

/// A message without its chunks. Those that a conversation is made of come more often than those that begin or end it.
static void put_message(struct rng *rng, const struct bolt_version *v, struct buf *to) {
  static const uint8_t tags[] = {0x10, 0x10, 0x10, 0x3f, 0x3f, 0x2f, 0x11, 0x11, 0x12,
                                 0x13, 0x0f, 0x66, 0x54, 0x6b, 0x6a, 0x01, 0x0e, 0x02};
  uint8_t tag = tags[rng_below(rng, sizeof tags)];
  switch (tag) {
  case 0x01: put_hello(rng, v, to); break;
  case 0x10: put_run(rng, v, to); break;
  case 0x66: put_route(rng, v, to); break;
  case 0x11:
    must(packstream_write_struct(to, tag, 1));
    put_tx(rng, to);
    break;
  case 0x6a:
    must(packstream_write_struct(to, tag, 1));
    put_map(rng, to, (unsigned) rng_below(rng, 16), put_auth_entry);
    break;
  case 0x54:
    must(packstream_write_struct(to, tag, 1));
    must(packstream_write_int(to, (int64_t) rng_below(rng, 4)));
    break;
  case 0x3f:
  case 0x2f:
    must(packstream_write_struct(to, tag, v->pull_n));
    if (v->pull_n) put_pull(rng, to);
    break;
  default: must(packstream_write_struct(to, tag, 0)); break;
  }
}

static void put_framed(struct buf *to, struct str message) {
  size_t start;
  must(bolt_chunk_begin(to, &start));
  must(buf_append_str(to, message));
  must(bolt_chunk_end(to, start));
}

static bool is_legal(const struct bolt_version *v, enum bolt_state state, struct str message) {
  enum bolt_message_kind kind = bolt_message_peek(v, message);
  return kind != BOLT_MESSAGE_KINDS && kind != BOLT_GOODBYE && bolt_state_judge(state, false, kind) == BOLT_HANDLE;
}

/// The state that a message leads to if it does what it asks for.
static enum bolt_state state_behind(const struct bolt_version *v, enum bolt_state state, struct str message) {
  if (!is_legal(v, state, message)) return state;
  enum bolt_message_kind kind = bolt_message_peek(v, message);
  bool logged_in = state != BOLT_NEGOTIATION && state != BOLT_AUTHENTICATION;
  return bolt_state_after(v, state, kind, kind == BOLT_RUN ? BOLT_MORE : BOLT_DONE, logged_in);
}

/// In most cases one that is legal in `state`. Returns the state behind it.
static enum bolt_state put_new(struct rng *rng, const struct bolt_version *v, enum bolt_state state, struct buf *to) {
  CLEANUP(buf_done) struct buf message = BUF_INIT;
  int tries = one_in(rng, 16) ? 1 : 32;
  do {
    buf_clear(&message);
    put_message(rng, v, &message);
  } while (--tries > 0 && !is_legal(v, state, buf_str(&message)));
  put_framed(to, buf_str(&message));
  return state_behind(v, state, buf_str(&message));
}

/// A few messages that follow from one another.
static void put_conversation(struct rng *rng, const struct bolt_version *v, enum bolt_state state, struct buf *to) {
  for (uint64_t left = 1 + rng_below(rng, 6); left > 0; left--) state = put_new(rng, v, state, to);
}

// ---- a stream as messages ----

enum { MESSAGES_MAX = 64 };

/// Where each message begins; what is no whole message, or one too many, counts as the last.
struct stream {
  struct str bytes;
  size_t starts[MESSAGES_MAX + 1];
  size_t count;
};

static size_t message_end(struct str bytes, size_t at) {
  while (at + 2 <= bytes.len) {
    size_t chunk = get_u16_be((const uint8_t *) bytes.ptr + at);
    at += 2 + chunk;
    if (chunk == 0) return at;
  }
  return bytes.len;
}

static struct stream split(struct str bytes) {
  struct stream s = {.bytes = bytes};
  for (size_t at = 0; at < bytes.len;) {
    s.starts[s.count++] = at;
    at = s.count == MESSAGES_MAX ? bytes.len : MIN(message_end(bytes, at), bytes.len);
  }
  s.starts[s.count] = bytes.len;
  return s;
}

static void put_part(struct buf *to, const struct stream *s, size_t from, size_t until) {
  must(buf_append(to, s->bytes.ptr + s->starts[from], s->starts[until] - s->starts[from]));
}

/// The message without its chunks' heads.
static void unframe(struct str framed, struct buf *to) {
  for (size_t at = 0; at + 2 <= framed.len;) {
    size_t chunk = MIN((size_t) get_u16_be((const uint8_t *) framed.ptr + at), framed.len - at - 2);
    must(buf_append(to, framed.ptr + at + 2, chunk));
    at += 2 + chunk;
    if (chunk == 0) return;
  }
}

/// The state in front of message `i`, if every message before it does what it asks for.
static enum bolt_state state_before(const struct bolt_version *v, enum bolt_state state, const struct stream *s, size_t i) {
  for (size_t j = 0; j < i; j++) {
    CLEANUP(buf_done) struct buf message = BUF_INIT;
    unframe((struct str){s->bytes.ptr + s->starts[j], s->starts[j + 1] - s->starts[j]}, &message);
    state = state_behind(v, state, buf_str(&message));
  }
  return state;
}

static void put_mutated(struct buf *to, const struct stream *s, size_t i) {
  CLEANUP(buf_done) struct buf message = BUF_INIT;
  unframe((struct str){s->bytes.ptr + s->starts[i], s->starts[i + 1] - s->starts[i]}, &message);
  must(buf_reserve(&message, 64));
  message.len = LLVMFuzzerMutate((uint8_t *) message.data, message.len, message.len + 64);
  if (message.len > 0) put_framed(to, buf_str(&message));
}

enum change { APPEND, INSERT, REPLACE, REMOVE, REPEAT, MOVE_UP, MUTATE, CHANGES };

static void change(struct rng *rng, const struct bolt_version *v, enum bolt_state beginning, const struct stream *s,
                   struct buf *to) {
  enum change what = s->count == 0 ? APPEND : (enum change) rng_below(rng, CHANGES);
  size_t i = what == APPEND ? s->count : rng_below(rng, s->count);
  enum bolt_state state = state_before(v, beginning, s, i);
  put_part(to, s, 0, i);
  switch (what) {
  case APPEND:
  case INSERT:
    put_conversation(rng, v, state, to);
    put_part(to, s, i, s->count);
    return;
  case REPLACE: (void) put_new(rng, v, state, to); break;
  case REPEAT:
    put_part(to, s, i, i + 1);
    put_part(to, s, i, s->count);
    return;
  case MOVE_UP:
    if (i + 1 < s->count) put_part(to, s, i + 1, i + 2);
    put_part(to, s, i, i + 1);
    put_part(to, s, MIN(i + 2, s->count), s->count);
    return;
  case MUTATE: put_mutated(to, s, i); break;
  case REMOVE:
  case CHANGES: break;
  }
  put_part(to, s, i + 1, s->count);
}

static size_t copy_out(const struct buf *from, uint8_t *to, size_t size_max) {
  size_t size = MIN(from->len, size_max);
  if (size > 0) memcpy(to, from->data, size);
  return size;
}

size_t fuzz_messages_mutate(struct rng *rng, const struct bolt_version *v, enum bolt_state state, uint8_t *stream, size_t size,
                            size_t size_max) {
  if (one_in(rng, 8)) return LLVMFuzzerMutate(stream, size, size_max); // frames, too, must be broken now and then
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct stream s = split((struct str){(const char *) stream, size});
  change(rng, v, state, &s, &out);
  return copy_out(&out, stream, size_max);
}

size_t fuzz_messages_cross(struct rng *rng, struct str a, struct str b, uint8_t *to, size_t size_max) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct stream first = split(a), second = split(b);
  put_part(&out, &first, 0, rng_below(rng, first.count + 1));
  put_part(&out, &second, rng_below(rng, second.count + 1), second.count);
  return copy_out(&out, to, size_max);
}
