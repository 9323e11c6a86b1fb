// The log's bytes: docs/formats/log.md. No state, no files.
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/feature_level.h"
#include "store/log_int.h"

#define SEGMENT_MAGIC 0x534C5651u // QVLS
#define BATCH_MAGIC 0x424C5651u   // QVLB

void log_put_segment_header(uint8_t to[LOG_SECTOR], const uint8_t uuid[16], const struct log_segment_header *h) {
  memset(to, 0, LOG_SECTOR);
  put_u32_le(to, SEGMENT_MAGIC);
  put_u16_le(to + 4, LOG_FORMAT_VERSION);
  put_u64_le(to + 8, h->number);
  memcpy(to + 16, uuid, 16);
  put_u64_le(to + 32, h->next_index);
  put_u64_le(to + 40, h->previous_term);
  put_u64_le(to + 48, h->chain);
  put_u64_le(to + 56, h->previous_end);
  put_u64_le(to + 64, (uint64_t) h->previous_time_ns);
  put_u64_le(to + 72, hash64(to, 72, 0));
}

enum err log_get_segment_header(const uint8_t from[LOG_SECTOR], const uint8_t uuid[16], struct log_segment_header *ret, struct error *e) {
  if (get_u32_le(from) != SEGMENT_MAGIC || get_u64_le(from + 72) != hash64(from, 72, 0)) return ERR_CORRUPT;
  if (get_u16_le(from + 4) != LOG_FORMAT_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "it is of format version %u; this server reads version %u.", get_u16_le(from + 4),
                     LOG_FORMAT_VERSION);
  if (memcmp(from + 16, uuid, 16) != 0) return error_set(e, ERR_INVALID, "it belongs to another database.");
  *ret = (struct log_segment_header){
      .number = get_u64_le(from + 8),
      .next_index = get_u64_le(from + 32),
      .previous_term = get_u64_le(from + 40),
      .chain = get_u64_le(from + 48),
      .previous_end = get_u64_le(from + 56),
      .previous_time_ns = (int64_t) get_u64_le(from + 64),
  };
  return ERR_OK;
}

uint64_t log_batch_checksum(const uint8_t *whole, size_t bytes) {
  uint64_t header = hash64(whole, 80, 0);
  return hash64(whole + LOG_BATCH_HEADER_BYTES, bytes - LOG_BATCH_HEADER_BYTES, header);
}

void log_put_batch_header(uint8_t *whole, const uint8_t uuid[16], struct log_batch_header *h) {
  put_u32_le(whole, BATCH_MAGIC);
  put_u16_le(whole + 4, LOG_FORMAT_VERSION);
  put_u16_le(whole + 6, LOG_COMMAND_VERSION);
  put_u32_le(whole + 8, h->feature_level);
  put_u32_le(whole + 12, h->count);
  put_u32_le(whole + 16, h->bytes);
  put_u32_le(whole + 20, h->sector);
  memcpy(whole + 24, uuid, 16);
  put_u64_le(whole + 40, h->generation);
  put_u64_le(whole + 48, h->first_index);
  put_u64_le(whole + 56, h->commit_index);
  put_u64_le(whole + 64, h->chain);
  put_u64_le(whole + 72, h->previous_term);
  h->checksum = log_batch_checksum(whole, h->bytes);
  put_u64_le(whole + 80, h->checksum);
}

uint32_t log_batch_bytes(const uint8_t from[LOG_BATCH_HEADER_BYTES]) {
  uint32_t bytes = get_u32_le(from + 16);
  return get_u32_le(from) == BATCH_MAGIC && bytes >= LOG_BATCH_HEADER_BYTES && bytes <= LOG_BATCH_BYTES_LIMIT ? bytes : 0;
}

enum err log_check_batch_owner(const uint8_t from[LOG_BATCH_HEADER_BYTES], const uint8_t uuid[16], struct error *e) {
  if (get_u16_le(from + 4) != LOG_FORMAT_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "a batch is of format version %u; this server reads version %u.", get_u16_le(from + 4),
                     LOG_FORMAT_VERSION);
  if (get_u16_le(from + 6) != LOG_COMMAND_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "a batch holds commands of version %u; this server reads version %u.", get_u16_le(from + 6),
                     LOG_COMMAND_VERSION);
  if (get_u32_le(from + 8) > feature_level_highest)
    return error_set(e, ERR_UNSUPPORTED,
                     "a batch was written at feature level %u of its cluster; this server knows levels up to %u: start it with the version "
                     "that wrote it.",
                     get_u32_le(from + 8), feature_level_highest);
  if (memcmp(from + 24, uuid, 16) != 0) return error_set(e, ERR_INVALID, "a batch belongs to another database.");
  return ERR_OK;
}

bool log_get_batch_header(const uint8_t from[LOG_BATCH_HEADER_BYTES], const uint8_t uuid[16], uint64_t offset, struct log_batch_header *ret) {
  if (log_batch_bytes(from) == 0 || log_check_batch_owner(from, uuid, NULL) != ERR_OK) return false;
  struct log_batch_header h = {
      .feature_level = get_u32_le(from + 8),
      .count = get_u32_le(from + 12),
      .bytes = get_u32_le(from + 16),
      .sector = get_u32_le(from + 20),
      .generation = get_u64_le(from + 40),
      .first_index = get_u64_le(from + 48),
      .commit_index = get_u64_le(from + 56),
      .chain = get_u64_le(from + 64),
      .previous_term = get_u64_le(from + 72),
      .checksum = get_u64_le(from + 80),
  };
  if ((uint64_t) h.sector * LOG_SECTOR != offset || h.first_index == 0) return false;
  if (h.count > (h.bytes - LOG_BATCH_HEADER_BYTES) / LOG_ENTRY_HEADER_BYTES) return false;
  *ret = h;
  return true;
}

static size_t content_bytes(const struct log_entry *entry) {
  return LOG_ENTRY_HEADER_BYTES + entry->metadata.len + entry->sections.len + entry->payload.len;
}

size_t log_entry_bytes(const struct log_entry *entry) {
  return (content_bytes(entry) + 7) & ~(size_t) 7;
}

enum err log_put_entry(struct buf *to, const struct log_entry *entry) {
  size_t content = content_bytes(entry), whole = log_entry_bytes(entry);
  TRY(buf_reserve(to, whole));
  uint8_t h[LOG_ENTRY_HEADER_BYTES] = {0};
  put_u32_le(h, (uint32_t) content);
  h[4] = (uint8_t) entry->kind;
  h[5] = (uint8_t) entry->parts;
  put_u16_le(h + 6, LOG_ENTRY_HEADER_BYTES);
  put_u64_le(h + 8, entry->index);
  put_u64_le(h + 16, entry->term);
  put_u64_le(h + 24, (uint64_t) entry->commit_time_ns);
  put_u64_le(h + 32, entry->origin_member);
  put_u64_le(h + 40, entry->origin_sequence);
  put_u32_le(h + 48, (uint32_t) entry->metadata.len);
  put_u32_le(h + 52, (uint32_t) entry->sections.len);
  put_u32_le(h + 56, (uint32_t) entry->payload.len);
  TRY(buf_append(to, h, sizeof h));
  TRY(buf_append_str(to, entry->metadata));
  TRY(buf_append_str(to, entry->sections));
  TRY(buf_append_str(to, entry->payload));
  return buf_append(to, "\0\0\0\0\0\0\0", whole - content);
}

bool log_get_entry(const uint8_t *from, size_t bytes, size_t *at, struct log_entry *ret) {
  const uint8_t *h = from + *at;
  if (bytes - *at < LOG_ENTRY_HEADER_BYTES) return false;
  uint64_t content = get_u32_le(h), header = get_u16_le(h + 6);
  uint64_t metadata = get_u32_le(h + 48), sections = get_u32_le(h + 52), payload = get_u32_le(h + 56);
  uint64_t whole = (content + 7) & ~UINT64_C(7);
  if (header < LOG_ENTRY_HEADER_BYTES || header + metadata + sections + payload != content || whole > bytes - *at) return false;
  if (h[4] == 0 || h[4] >= LOG_KIND_MAX || (h[5] != LOG_PART && h[5] != LOG_END)) return false;
  const char *body = (const char *) h + header;
  *ret = (struct log_entry){
      .index = get_u64_le(h + 8),
      .term = get_u64_le(h + 16),
      .kind = h[4],
      .parts = h[5],
      .commit_time_ns = (int64_t) get_u64_le(h + 24),
      .origin_member = get_u64_le(h + 32),
      .origin_sequence = get_u64_le(h + 40),
      .metadata = {body, metadata},
      .sections = {body + metadata, sections},
      .payload = {body + metadata + sections, payload},
  };
  *at += whole;
  return true;
}
