// Who asked for a committed transaction is in its entries.
#include "graph/graph_int.h"
#include "graph/replica.h"

enum { FIND_ENTRIES_MAX = 512, FIND_BYTES_MAX = 8 << 20 }; // in one call

/// Earlier entries of a transaction may be there without the last one, and then it is void.
static bool ends(const struct log_entry *entry, struct graph_origin origin) {
  return entry->origin_member == origin.member && entry->origin_sequence == origin.sequence && !(entry->parts & LOG_PART);
}

static enum err find(struct log_cursor *c, struct graph_origin origin, uint64_t *from, uint64_t last, uint64_t *ret_index,
                     struct error *e) {
  size_t bytes = 0;
  for (int n = 0; n < FIND_ENTRIES_MAX && bytes < FIND_BYTES_MAX && *from <= last; n++) {
    const struct log_entry *entry;
    TRY(log_cursor_next(c, &entry, e));
    if (entry == NULL) return error_set(e, ERR_NOTFOUND, "The log ends before entry %llu.", (unsigned long long) *from);
    bytes += entry->payload.len;
    *from = entry->index + 1;
    if (!ends(entry, origin)) continue;
    *ret_index = entry->index;
    return ERR_OK;
  }
  if (*from <= last) return ERR_WAIT;
  *ret_index = 0;
  return ERR_OK;
}

enum err graph_find_origin(struct graph *g, struct graph_origin origin, uint64_t *from, uint64_t last, uint64_t *ret_index,
                           struct error *e) {
  struct log_cursor *c;
  if (*from > last) {
    *ret_index = 0;
    return ERR_OK;
  }
  TRY(log_cursor_open(store_log(g->store), *from, &c, e));
  enum err err = find(c, origin, from, last, ret_index, e);
  log_cursor_close(c);
  return err;
}
