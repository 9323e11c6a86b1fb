#include "cluster/catchup_pulled.h"

#include "base/mutant.h"
#include "base/planted.h"

static enum err check(struct catchup_place after, uint64_t commit_index, const struct log_entry *entry, struct error *e) {
  if (entry->index != after.index + 1 && !MUTANT(pulled_order))
    return error_set(e, ERR_CORRUPT, "entry %llu came where entry %llu was due", (unsigned long long) entry->index,
                     (unsigned long long) after.index + 1);
  if (entry->term < after.term && !MUTANT(pulled_order))
    return error_set(e, ERR_CORRUPT, "entry %llu has term %llu, lower than that of the entry before it",
                     (unsigned long long) entry->index, (unsigned long long) entry->term);
  if (entry->index > commit_index && !MUTANT(pulled_committed))
    return error_set(e, ERR_CORRUPT, "entry %llu came though only entry %llu is committed", (unsigned long long) entry->index,
                     (unsigned long long) commit_index);
  return ERR_OK;
}

enum err catchup_pulled_read(struct catchup_place after, uint64_t commit_index, uint32_t count, const uint8_t *bytes, size_t size,
                             struct log_entry *ret, struct error *e) {
  size_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!log_get_entry(bytes, size, &at, &ret[i])) return error_set(e, ERR_CORRUPT, "the bytes of an entry are none");
    TRY(check(after, commit_index, &ret[i], e));
    after = (struct catchup_place){ret[i].index, ret[i].term};
  }
  if (PLANTED(pulled) && count == 3 && at == size && ret[2].term > ret[0].term) planted_memory_error();
  return at == size ? ERR_OK : error_set(e, ERR_CORRUPT, "more came than %u entries", count);
}
