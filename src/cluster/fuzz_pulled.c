// Fuzzes what looks at a pull before it goes into a log of a read replica: the input is where that log ends, what is said to be
// committed, and entries, whose indexes and terms are put right as a bit for each says. What is taken goes on from there, one by
// one, in terms that do not fall, and is committed.
#include <stdlib.h>

#include "base/buf.h"
#include "base/checksum.h"
#include "cluster/catchup_pulled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 8, ENTRIES_MAX = 16, ENTRY_PLAN_BYTES = 4 };

static void must(bool holds) {
  if (!holds) abort();
}

/// Of each entry: kind, what is wrong with index and term, bytes of metadata and of payload.
static uint32_t put_entries(struct buf *to, struct catchup_place after, const uint8_t **at, const uint8_t *end) {
  static const char content[256];
  uint32_t count = 0;
  uint64_t term = MAX(after.term, UINT64_C(1));
  for (; end - *at >= ENTRY_PLAN_BYTES && count < ENTRIES_MAX && (*at)[0] != 0; *at += ENTRY_PLAN_BYTES) {
    const uint8_t *plan = *at;
    term += plan[1] >> 6;
    struct log_entry entry = {.index = after.index + 1 + count + (plan[1] & 1) * 2,
                              .term = plan[1] & 2 && term > 1 ? term - 1 : term,
                              .kind = (enum log_kind)(1 + plan[0] % (LOG_KIND_MAX - 1)),
                              .parts = plan[1] & 4 ? LOG_PART : LOG_END,
                              .commit_time_ns = plan[1],
                              .metadata = {content, plan[2]},
                              .payload = {content, plan[3]}};
    must(log_put_entry(to, &entry) == ERR_OK);
    count++;
  }
  return count;
}

static void check_taken(struct catchup_place after, uint64_t committed, uint32_t count, const struct log_entry *entries) {
  uint64_t term = after.term;
  for (uint32_t i = 0; i < count; i++) {
    must(entries[i].index == after.index + 1 + i && entries[i].index <= committed && entries[i].term >= term);
    term = entries[i].term;
    (void) hash64(entries[i].payload.ptr, entries[i].payload.len, hash64(entries[i].metadata.ptr, entries[i].metadata.len, 0)); // is all there
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct log_entry entries[ENTRIES_MAX + 256];
  struct buf bytes = BUF_INIT;
  struct error e = ERROR_INIT;
  if (size < HEAD_BYTES) return 0;
  struct catchup_place after = {data[0], data[1]};
  uint64_t committed = data[2];
  const uint8_t *at = data + HEAD_BYTES, *end = data + size;
  uint32_t count = data[3] & 1 ? 0 : put_entries(&bytes, after, &at, end);
  must(buf_append(&bytes, at, (size_t) (end - at)) == ERR_OK); // as they are
  if (data[3] & 2) count = data[4];
  if (catchup_pulled_read(after, committed, count, (uint8_t *) bytes.data, bytes.len, entries, &e) == ERR_OK) {
    check_taken(after, committed, count, entries);
  } else {
    must(e.code == ERR_CORRUPT && e.message[0] != '\0');
  }
  buf_done(&bytes);
  return 0;
}
