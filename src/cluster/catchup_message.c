#include "cluster/catchup_message.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

static const char magic[4] = "QVCU";
enum { VERSION = 1, CHECKED_BYTES = 16, WORDS_MAX = 6 };

// What each type has: words of 8 bytes (of a request, behind the uuid), and then some bytes.
struct shape {
  bool known;
  uint8_t words;
  uint32_t tail_min, tail_max;
};

static struct shape shape_of(enum catchup_type type) {
  switch (type) {
  case CATCHUP_ASK_STATUS: return (struct shape){true, 0, 0, 0};
  case CATCHUP_ASK_COPY: return (struct shape){true, 3, 0, 0};
  case CATCHUP_DONE: return (struct shape){true, 1, 0, 0};
  case CATCHUP_ASK_PULL: return (struct shape){true, 4, 0, 0};
  case CATCHUP_STATUS: return (struct shape){true, 6, 0, 0};
  case CATCHUP_HEAD: return (struct shape){true, 0, CHECKPOINT_HEAD_BYTES, CHECKPOINT_HEAD_BYTES};
  case CATCHUP_PIECE: return (struct shape){true, 0, PAGE_BYTES, CHECKPOINT_PIECE_BYTES_MAX};
  case CATCHUP_END: return (struct shape){true, 1, 0, 0};
  case CATCHUP_ENTRIES: return (struct shape){true, 2, 0, CATCHUP_BODY_BYTES_MAX - 16};
  case CATCHUP_REFUSED: return (struct shape){true, 2, 0, 0};
  }
  return (struct shape){0};
}

// In front of the tail.
static uint32_t fixed_bytes(enum catchup_type type) {
  return (catchup_is_request(type) ? 16u : 0u) + shape_of(type).words * 8u;
}

static uint64_t checksum_of(const uint8_t *header, const void *body, size_t bytes) {
  return hash64(body, bytes, hash64(header, CHECKED_BYTES, 0));
}

// ---- writing ----

static void get_words(const struct catchup_message *m, uint64_t words[WORDS_MAX]) {
  switch (m->type) {
  case CATCHUP_ASK_STATUS: break;
  case CATCHUP_ASK_COPY:
    words[0] = m->copy.least_index;
    words[1] = m->copy.identity;
    words[2] = m->copy.position;
    break;
  case CATCHUP_DONE:
  case CATCHUP_END: words[0] = m->identity; break;
  case CATCHUP_ASK_PULL:
    words[0] = m->pull.generation;
    words[1] = m->pull.index;
    words[2] = m->pull.term;
    words[3] = m->pull.bytes_max | (uint64_t) m->pull.wait_ms << 32;
    break;
  case CATCHUP_STATUS:
    words[0] = m->status.generation;
    words[1] = m->status.applied.index;
    words[2] = m->status.applied.term;
    words[3] = (uint64_t) m->status.applied.commit_time_ns;
    words[4] = m->status.first_index;
    words[5] = m->status.commit_index;
    break;
  case CATCHUP_HEAD:
  case CATCHUP_PIECE: break;
  case CATCHUP_ENTRIES:
    words[0] = m->entries.commit_index;
    words[1] = m->entries.count;
    break;
  case CATCHUP_REFUSED:
    words[0] = m->refused.reason;
    words[1] = m->refused.index;
    break;
  }
}

static struct str tail_of(const struct catchup_message *m) {
  switch (m->type) {
  case CATCHUP_HEAD: return (struct str){(const char *) m->head, CHECKPOINT_HEAD_BYTES};
  case CATCHUP_PIECE: return (struct str){(const char *) m->piece.pages, m->piece.bytes};
  case CATCHUP_ENTRIES: return (struct str){(const char *) m->entries.bytes, m->entries.size};
  default: return (struct str){0};
  }
}

static void put_header(uint8_t header[CATCHUP_HEADER_BYTES], enum catchup_type type, uint32_t number, const void *body,
                       size_t bytes) {
  memcpy(header, magic, sizeof magic);
  put_u16_le(header + 4, VERSION);
  header[6] = (uint8_t) type;
  header[7] = 0;
  put_u32_le(header + 8, (uint32_t) bytes);
  put_u32_le(header + 12, number);
  put_u64_le(header + CHECKED_BYTES, checksum_of(header, body, bytes));
}

enum err catchup_message_put(struct buf *to, uint32_t number, const struct catchup_message *m) {
  uint8_t start[CATCHUP_HEADER_BYTES + CATCHUP_REQUEST_BYTES_MAX] = {0}, *at = start + CATCHUP_HEADER_BYTES;
  uint64_t words[WORDS_MAX] = {0};
  struct str tail = tail_of(m);
  size_t fixed = fixed_bytes(m->type), before = to->len;
  if (catchup_is_request(m->type)) {
    memcpy(at, m->database, sizeof m->database);
    at += sizeof m->database;
  }
  get_words(m, words);
  for (size_t i = 0; i < shape_of(m->type).words; i++, at += 8) put_u64_le(at, words[i]);
  TRY(buf_reserve(to, CATCHUP_HEADER_BYTES + fixed + tail.len));
  TRY(buf_append(to, start, CATCHUP_HEADER_BYTES + fixed));
  if (tail.len > 0) TRY(buf_append_str(to, tail));
  uint8_t *message = (uint8_t *) to->data + before;
  put_header(message, m->type, number, message + CATCHUP_HEADER_BYTES, fixed + tail.len);
  return ERR_OK;
}

void catchup_message_put_before(uint8_t *pages, size_t bytes, uint32_t number) {
  put_header(pages - CATCHUP_HEADER_BYTES, CATCHUP_PIECE, number, pages, bytes);
}

// ---- reading ----

enum err catchup_message_peek(const uint8_t *from, size_t bytes, size_t *ret_bytes, struct error *e) {
  if (bytes < CATCHUP_HEADER_BYTES) return ERR_SHORT;
  if (memcmp(from, "QVCF", 4) == 0)
    return error_set(e, ERR_CORRUPT,
                     "the other end speaks Raft: this is the port for transactions (6000 by default), not Raft's (7000)");
  if (memcmp(from, magic, sizeof magic) != 0) return error_set(e, ERR_CORRUPT, "a message does not begin where it should");
  if (get_u16_le(from + 4) != VERSION)
    return error_set(e, ERR_UNSUPPORTED, "a message is of version %u; this server speaks version %d", get_u16_le(from + 4),
                     VERSION);
  enum catchup_type type = (enum catchup_type) from[6];
  struct shape shape = shape_of(type);
  uint32_t body = get_u32_le(from + 8), fixed = fixed_bytes(type);
  if (!shape.known || from[7] != 0) return error_set(e, ERR_CORRUPT, "there is no message of type %u", from[6]);
  if (body < fixed + shape.tail_min || body > fixed + shape.tail_max)
    return error_set(e, ERR_CORRUPT, "a message of type %u cannot have %u bytes", from[6], body);
  *ret_bytes = CATCHUP_HEADER_BYTES + body;
  return ERR_OK;
}

static enum err senseless(struct error *e, enum catchup_type type) {
  return error_set(e, ERR_CORRUPT, "a message of type %d makes no sense", (int) type);
}

static enum err get_body(const uint8_t *at, size_t bytes, struct catchup_message *m, struct error *e) {
  switch (m->type) {
  case CATCHUP_ASK_STATUS: break;
  case CATCHUP_ASK_COPY:
    m->copy.least_index = get_u64_le(at);
    m->copy.identity = get_u64_le(at + 8);
    m->copy.position = get_u64_le(at + 16);
    break;
  case CATCHUP_DONE:
  case CATCHUP_END: m->identity = get_u64_le(at); break;
  case CATCHUP_ASK_PULL:
    m->pull =
        (struct catchup_pull){get_u64_le(at), get_u64_le(at + 8), get_u64_le(at + 16), get_u32_le(at + 24), get_u32_le(at + 28)};
    break;
  case CATCHUP_STATUS:
    m->status = (struct catchup_status){get_u64_le(at),
                                        {get_u64_le(at + 8), get_u64_le(at + 16), (int64_t) get_u64_le(at + 24)},
                                        get_u64_le(at + 32),
                                        get_u64_le(at + 40)};
    break;
  case CATCHUP_HEAD: m->head = at; break;
  case CATCHUP_PIECE:
    m->piece.pages = at;
    m->piece.bytes = bytes;
    if (m->piece.bytes % PAGE_BYTES != 0) return senseless(e, m->type);
    break;
  case CATCHUP_ENTRIES:
    m->entries.commit_index = get_u64_le(at);
    m->entries.count = get_u32_le(at + 8);
    m->entries.bytes = at + 16;
    m->entries.size = bytes - 16;
    if (get_u32_le(at + 12) != 0 || m->entries.count > CATCHUP_ENTRIES_MAX || (m->entries.count == 0) != (bytes == 16))
      return senseless(e, m->type);
    break;
  case CATCHUP_REFUSED:
    m->refused.reason = (enum catchup_refusal) get_u32_le(at);
    m->refused.index = get_u64_le(at + 8);
    if (get_u32_le(at + 4) != 0 || m->refused.reason == CATCHUP_ACCEPTED || get_u32_le(at) >= CATCHUP_REFUSAL_MAX)
      return senseless(e, m->type);
    break;
  }
  return ERR_OK;
}

enum err catchup_message_get(const uint8_t *from, size_t bytes, uint32_t number, struct catchup_message *ret, struct error *e) {
  size_t whole = 0;
  enum err err = catchup_message_peek(from, bytes, &whole, e);
  if (err == ERR_SHORT || (err == ERR_OK && whole != bytes)) return error_set(e, ERR_CORRUPT, "a message is cut short");
  if (err != ERR_OK) return err;
  struct catchup_message m = {.type = (enum catchup_type) from[6]};
  const uint8_t *at = from + CATCHUP_HEADER_BYTES;
  size_t body = bytes - CATCHUP_HEADER_BYTES;
  if (checksum_of(from, at, body) != get_u64_le(from + CHECKED_BYTES))
    return error_set(e, ERR_CORRUPT, "a message fails its checksum");
  if (get_u32_le(from + 12) != number)
    return error_set(e, ERR_CORRUPT, "message %u came where number %u was due", get_u32_le(from + 12), number);
  if (catchup_is_request(m.type)) {
    memcpy(m.database, at, sizeof m.database);
    at += sizeof m.database;
    body -= sizeof m.database;
  }
  TRY(get_body(at, body, &m, e));
  *ret = m;
  return ERR_OK;
}

const char *catchup_refusal_text(enum catchup_refusal reason) {
  static const char *const texts[CATCHUP_REFUSAL_MAX] = {
      [CATCHUP_ACCEPTED] = "nothing is wrong",
      [CATCHUP_NO_DATABASE] = "it does not have the database open",
      [CATCHUP_BUSY] = "it makes as many copies as it may",
      [CATCHUP_BEHIND] = "its durable store has not come as far as is needed",
      [CATCHUP_PRUNED] = "its log no longer has what is needed",
      [CATCHUP_GENERATION] = "its store is of another generation",
      [CATCHUP_DIVERGED] = "its log has another entry there: the histories are different ones",
      [CATCHUP_DAMAGED] = "what is needed is damaged there",
      [CATCHUP_AHEAD] = "it has not committed that much yet",
      [CATCHUP_UNABLE] = "it cannot do it now; its own log tells why",
  };
  return texts[reason];
}
