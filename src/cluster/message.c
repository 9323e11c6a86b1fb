#include "cluster/message.h"

#include <string.h>

#include "base/bytes.h"

enum {
  FLAG_PRE_VOTE = 1,        // vote
  FLAG_DISRUPT = 2,         // vote
  FLAG_GRANTED = 1,         // vote result
  FLAG_RESULT_PRE_VOTE = 2, // vote result
  FLAG_CONFIRMED = 1,       // read probe result
};

#define WORDS_MAX 3u

// What a type has behind the header.
static const struct shape {
  uint8_t words, flags;
} shapes[CONSENSUS_MESSAGE_TYPE_MAX] = {
    [CONSENSUS_APPEND] = {3, 0},
    [CONSENSUS_APPEND_RESULT] = {2, 0},
    [CONSENSUS_VOTE] = {2, FLAG_PRE_VOTE | FLAG_DISRUPT},
    [CONSENSUS_VOTE_RESULT] = {0, FLAG_GRANTED | FLAG_RESULT_PRE_VOTE},
    [CONSENSUS_INSTALL] = {2, 0},
    [CONSENSUS_TIMEOUT_NOW] = {2, 0},
    [CONSENSUS_READ_PROBE] = {1, 0},
    [CONSENSUS_READ_PROBE_RESULT] = {1, FLAG_CONFIRMED},
    [CONSENSUS_ACKNOWLEDGED] = {2, 0},
};

static size_t padded(size_t bytes) {
  return (bytes + 7) & ~(size_t) 7;
}

// ---- writing ----

static uint8_t flags_of(const struct consensus_message *b) {
  switch (b->type) {
  case CONSENSUS_VOTE: return (b->vote.pre_vote ? FLAG_PRE_VOTE : 0) | (b->vote.disrupt_leader ? FLAG_DISRUPT : 0);
  case CONSENSUS_VOTE_RESULT:
    return (b->vote_result.granted ? FLAG_GRANTED : 0) | (b->vote_result.pre_vote ? FLAG_RESULT_PRE_VOTE : 0);
  case CONSENSUS_READ_PROBE_RESULT: return b->read_probe_result.confirmed ? FLAG_CONFIRMED : 0;
  default: return 0;
  }
}

static void get_words(const struct consensus_message *b, uint64_t to[WORDS_MAX]) {
  switch (b->type) {
  case CONSENSUS_APPEND:
    to[0] = b->append.previous_index;
    to[1] = b->append.previous_term;
    to[2] = b->append.commit_index;
    break;
  case CONSENSUS_APPEND_RESULT:
    to[0] = b->append_result.rejected;
    to[1] = b->append_result.last_index;
    break;
  case CONSENSUS_VOTE:
    to[0] = b->vote.last_index;
    to[1] = b->vote.last_term;
    break;
  case CONSENSUS_INSTALL:
    to[0] = b->install.last_index;
    to[1] = b->install.last_term;
    break;
  case CONSENSUS_TIMEOUT_NOW:
    to[0] = b->timeout_now.last_index;
    to[1] = b->timeout_now.last_term;
    break;
  case CONSENSUS_READ_PROBE: to[0] = b->read_probe.nonce; break;
  case CONSENSUS_READ_PROBE_RESULT: to[0] = b->read_probe_result.nonce; break;
  case CONSENSUS_ACKNOWLEDGED:
    to[0] = b->acknowledged.last_index;
    to[1] = b->acknowledged.last_term;
    break;
  default: break;
  }
}

static size_t membership_bytes(const struct consensus_membership *m) {
  uint8_t scratch[CONSENSUS_MEMBERSHIP_BYTES_MAX];
  return padded(consensus_membership_encode(m, scratch));
}

size_t message_bytes(const struct message *m) {
  size_t bytes = MESSAGE_HEADER_BYTES + 8u * shapes[m->body.type].words;
  if (m->body.type == CONSENSUS_INSTALL) bytes += membership_bytes(m->body.install.membership);
  if (m->body.type == CONSENSUS_APPEND)
    for (uint32_t i = 0; i < m->body.append.count; i++) bytes += log_entry_bytes(&m->entries[i]);
  return bytes;
}

static enum err put_membership(struct buf *to, const struct consensus_membership *m) {
  uint8_t bytes[CONSENSUS_MEMBERSHIP_BYTES_MAX + 8];
  size_t n = consensus_membership_encode(m, bytes);
  memset(bytes + n, 0, padded(n) - n);
  return buf_append(to, bytes, padded(n));
}

static enum err put_all(struct buf *to, const struct message *m) {
  const struct consensus_message *b = &m->body;
  const unsigned words = shapes[b->type].words;
  uint64_t word[WORDS_MAX] = {0};
  uint8_t h[MESSAGE_HEADER_BYTES + 8 * WORDS_MAX] = {0};
  h[4] = (uint8_t) b->type;
  h[5] = flags_of(b);
  memcpy(h + 8, m->group, MESSAGE_GROUP_BYTES);
  put_u64_le(h + 24, m->from);
  put_u64_le(h + 32, m->to);
  put_u64_le(h + 40, b->term);
  if (b->type == CONSENSUS_APPEND) put_u32_le(h + 48, b->append.count);
  get_words(b, word);
  for (unsigned i = 0; i < words; i++) put_u64_le(h + MESSAGE_HEADER_BYTES + 8 * i, word[i]);
  TRY(buf_append(to, h, MESSAGE_HEADER_BYTES + 8 * words));
  if (b->type == CONSENSUS_INSTALL) TRY(put_membership(to, b->install.membership));
  if (b->type == CONSENSUS_APPEND)
    for (uint32_t i = 0; i < b->append.count; i++) TRY(log_put_entry(to, &m->entries[i]));
  return ERR_OK;
}

enum err message_put(struct buf *to, const struct message *m) {
  size_t start = to->len;
  enum err err = put_all(to, m);
  if (err == ERR_OK)
    put_u32_le(to->data + start, (uint32_t) (to->len - start));
  else
    to->len = start;
  return err;
}

// ---- reading ----

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "A message of another member is not well-formed: %s.", what);
}

static void set_words(struct consensus_message *b, const uint64_t w[WORDS_MAX], uint8_t flags) {
  switch (b->type) {
  case CONSENSUS_APPEND:
    b->append.previous_index = w[0];
    b->append.previous_term = w[1];
    b->append.commit_index = w[2];
    break;
  case CONSENSUS_APPEND_RESULT:
    b->append_result.rejected = w[0];
    b->append_result.last_index = w[1];
    break;
  case CONSENSUS_VOTE:
    b->vote.last_index = w[0];
    b->vote.last_term = w[1];
    b->vote.pre_vote = flags & FLAG_PRE_VOTE;
    b->vote.disrupt_leader = flags & FLAG_DISRUPT;
    break;
  case CONSENSUS_VOTE_RESULT:
    b->vote_result.granted = flags & FLAG_GRANTED;
    b->vote_result.pre_vote = flags & FLAG_RESULT_PRE_VOTE;
    break;
  case CONSENSUS_INSTALL:
    b->install.last_index = w[0];
    b->install.last_term = w[1];
    break;
  case CONSENSUS_TIMEOUT_NOW:
    b->timeout_now.last_index = w[0];
    b->timeout_now.last_term = w[1];
    break;
  case CONSENSUS_READ_PROBE: b->read_probe.nonce = w[0]; break;
  case CONSENSUS_READ_PROBE_RESULT:
    b->read_probe_result.nonce = w[0];
    b->read_probe_result.confirmed = flags & FLAG_CONFIRMED;
    break;
  case CONSENSUS_ACKNOWLEDGED:
    b->acknowledged.last_index = w[0];
    b->acknowledged.last_term = w[1];
    break;
  default: break;
  }
}

static enum err get_membership(const uint8_t *from, size_t bytes, struct arena *a, struct consensus_message *b, struct error *e) {
  struct consensus_membership *m = ARENA_NEW(a, struct consensus_membership);
  if (m == NULL) return arena_err(a, e);
  if (bytes < 8) return bad(e, "an install without a membership");
  size_t count = get_u32_le(from + 4);
  size_t content = 16 + count * 120;
  if (count > CONSENSUS_MEMBERS_MAX || padded(content) != bytes || !bytes_are_zero(from + content, bytes - content))
    return bad(e, "the length of its membership is wrong");
  TRY(consensus_membership_decode(from, content, m, e));
  if (m->index > b->install.last_index) return bad(e, "its membership is newer than its place");
  b->install.membership = m;
  return ERR_OK;
}

static enum err check_entry(const struct message *m, const struct log_entry *before, uint64_t index,
                            const struct log_entry *entry, struct error *e) {
  if (entry->index != index) return bad(e, "an entry has another index than its place");
  if (entry->term < (before != NULL ? before->term : m->body.append.previous_term))
    return bad(e, "the terms of its entries fall");
  if (entry->term > m->body.term || entry->term == 0) return bad(e, "the term of an entry is not one the sender can have");
  if ((uint64_t) entry->metadata.len + entry->sections.len + entry->payload.len > LOG_ENTRY_BYTES_MAX)
    return bad(e, "an entry is too long");
  return ERR_OK;
}

static enum err get_entries(const uint8_t *from, size_t bytes, uint32_t count, struct arena *a, struct message *m,
                            struct error *e) {
  if (count > MESSAGE_ENTRIES_MAX || count > bytes / 72) return bad(e, "it says that it has more entries than it can");
  uint64_t previous = m->body.append.previous_index;
  if (previous > UINT64_MAX - MESSAGE_ENTRIES_MAX) return bad(e, "its place is out of range");
  struct log_entry *entries = ARENA_ARRAY(a, struct log_entry, MAX(count, 1u));
  if (entries == NULL) return arena_err(a, e);
  size_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!log_get_entry(from, bytes, &at, &entries[i])) return bad(e, "an entry does not fit");
    TRY(check_entry(m, i > 0 ? &entries[i - 1] : NULL, previous + 1 + i, &entries[i], e));
  }
  if (at != bytes) return bad(e, "something is behind its entries");
  m->body.append.count = count;
  m->entries = entries;
  return ERR_OK;
}

static enum err get_rest(const uint8_t *from, size_t bytes, uint32_t count, struct arena *a, struct message *m, struct error *e) {
  switch (m->body.type) {
  case CONSENSUS_APPEND: return get_entries(from, bytes, count, a, m, e);
  case CONSENSUS_INSTALL: return get_membership(from, bytes, a, &m->body, e);
  default: return bytes == 0 ? ERR_OK : bad(e, "it is too long for its type");
  }
}

static enum err get_header(const uint8_t *from, size_t left, struct message *m, size_t *ret_bytes, struct error *e) {
  if (left < MESSAGE_HEADER_BYTES) return bad(e, "its header is cut");
  size_t bytes = get_u32_le(from);
  uint8_t type = from[4], flags = from[5];
  if (type == 0 || type >= CONSENSUS_MESSAGE_TYPE_MAX) return bad(e, "its type is not known");
  if (bytes > left || bytes % 8 != 0 || bytes < MESSAGE_HEADER_BYTES + 8u * shapes[type].words)
    return bad(e, "its length is wrong");
  if ((flags & ~shapes[type].flags) != 0 || get_u16_le(from + 6) != 0 || get_u32_le(from + 52) != 0)
    return bad(e, "it has unknown flags");
  if (type != CONSENSUS_APPEND && get_u32_le(from + 48) != 0) return bad(e, "it has entries");
  memcpy(m->group, from + 8, MESSAGE_GROUP_BYTES);
  m->from = m->body.peer = get_u64_le(from + 24);
  m->to = get_u64_le(from + 32);
  m->body.type = type;
  m->body.term = get_u64_le(from + 40);
  if (m->from == 0 || m->to == 0) return bad(e, "sender or addressee is missing");
  *ret_bytes = bytes;
  return ERR_OK;
}

enum err message_get(const uint8_t *from, size_t bytes, size_t *at, struct arena *a, struct message *ret, struct error *e) {
  struct message m = {0};
  size_t whole = 0;
  const uint8_t *start = from + *at;
  TRY(get_header(start, bytes - *at, &m, &whole, e));
  uint64_t words[WORDS_MAX] = {0};
  const uint8_t *next = start + MESSAGE_HEADER_BYTES;
  for (unsigned i = 0; i < shapes[m.body.type].words; i++, next += 8) words[i] = get_u64_le(next);
  set_words(&m.body, words, start[5]);
  TRY(get_rest(next, whole - (size_t) (next - start), get_u32_le(start + 48), a, &m, e));
  *at += whole;
  *ret = m;
  return ERR_OK;
}
