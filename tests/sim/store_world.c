#include "store_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/fault.h"
#include "base/mem.h"

#define FRAMES_MIN 96u

static bool fail(struct world *w, const char *fmt, ...) PRINTF(2, 3);

static bool fail(struct world *w, const char *fmt, ...) {
  if (w->failed) return false;
  va_list args;
  va_start(args, fmt);
  vsnprintf(w->why, sizeof w->why, fmt, args);
  va_end(args);
  w->failed = true;
  return false;
}

// Errors that the world brought about itself, and that are no news; anything else is a failure of the store.
static bool is_expected(struct world *w, enum err err, const struct error *e, const char *doing) {
  switch (err) {
  case ERR_OK:
  case ERR_IO:
  case ERR_NOSPC:
  case ERR_NOMEM:
  case ERR_MEMORY_POOL: return true;
  default: return fail(w, "%s: %s: %s", doing, err_name(err), e->message);
  }
}

// ---- transactions: a list of operations in bytes, the same for the model and for the store ----

enum op { OP_PUT, OP_DELETE, OP_RAW_WRITE, OP_RAW_FREE, OP_MAX };

#define OP_BYTES 8u

static void model_apply(struct model *m, const uint8_t *payload, uint32_t bytes) {
  for (uint32_t at = 0; at + OP_BYTES <= bytes; at += OP_BYTES) {
    uint16_t what = get_u16_le(payload + at + 2);
    uint32_t value = get_u32_le(payload + at + 4);
    switch (payload[at]) {
    case OP_PUT: m->keys[what] = value; break;
    case OP_DELETE: m->keys[what] = 0; break;
    case OP_RAW_WRITE: m->raw[what] = value; break;
    default: m->raw[what] = 0; break;
    }
  }
  m->digest = hash64(payload, bytes, m->digest);
}

// The model after all whole transactions up to `index`.
static void model_at(const struct world *w, uint64_t index, struct model *m) {
  static uint8_t staged[1 << 16];
  uint32_t bytes = 0;
  uint64_t transaction = 0;
  memset(m, 0, sizeof *m);
  for (uint64_t i = 1; i <= index; i++) {
    const struct world_entry *entry = &w->entries[i];
    if (entry->transaction != transaction) bytes = 0;
    transaction = entry->transaction;
    if (bytes + entry->bytes <= sizeof staged) memcpy(staged + bytes, entry->payload, entry->bytes);
    bytes += entry->bytes;
    if (!(entry->parts & LOG_END)) continue;
    model_apply(m, staged, bytes);
    bytes = 0;
    transaction = 0;
  }
}

static size_t key_of(uint32_t i, uint8_t *to) {
  int n = snprintf((char *) to, 32, "key/%u/%u", i % 7, i);
  size_t pad = i % 31 == 0 ? 700 : i % 11;
  memset(to + n, 'k', pad);
  return (size_t) n + pad;
}

static size_t value_of(uint32_t i, uint32_t version, uint8_t *to) {
  put_u32_le(to, i);
  put_u32_le(to + 4, version);
  size_t pad = version % 40;
  memset(to + 8, (int) version, pad);
  return 8 + pad;
}

static size_t raw_key(uint32_t slot, uint8_t *to) {
  return (size_t) snprintf((char *) to, 32, "raw/%u", slot);
}

static uint64_t raw_word(uint32_t seed, size_t i) {
  return hash_u64((uint64_t) seed << 32 | i);
}

// ---- the applier ----

static enum err apply_raw(struct world *w, struct page_batch *b, page_id root, enum op op, uint32_t slot, uint32_t seed, struct error *e) {
  uint8_t key[32], value[8];
  struct bytes k = {key, raw_key(slot, key)}, got;
  struct page_view v = page_batch_view(b);
  void *page = NULL;
  page_id id = PAGE_NONE;
  enum err err = btree_get(&v, root, k, &got, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  if (err == ERR_OK) id = get_u64_le(got.ptr);
  if (op == OP_RAW_FREE) {
    if (id == PAGE_NONE) return ERR_OK;
    TRY(btree_delete(b, root, k, NULL, e));
    return page_batch_free(b, id, e);
  }
  if (id == PAGE_NONE) {
    TRY(page_batch_allocate(b, &id, &page, e));
    put_u64_le(value, id);
    TRY(btree_put(b, root, k, (struct bytes){value, sizeof value}, NULL, e));
  }
  TRY(page_batch_write(b, id, &page, e));
  for (size_t i = 0; i < PAGE_BYTES / 8; i++) put_u64_le((uint8_t *) page + 8 * i, raw_word(seed, i));
  return ERR_OK;
}

static enum err apply_op(struct world *w, struct page_batch *b, page_id root, const uint8_t *op, struct error *e) {
  uint8_t key[1024], value[300];
  uint32_t what = get_u16_le(op + 2), version = get_u32_le(op + 4);
  struct bytes k = {key, key_of(what, key)};
  switch (op[0]) {
  case OP_PUT: return btree_put(b, root, k, (struct bytes){value, value_of(what, version, value)}, NULL, e);
  case OP_DELETE: return btree_delete(b, root, k, NULL, e);
  default: return apply_raw(w, b, root, op[0], what, version, e);
  }
}

static enum err apply_ops(struct world *w, struct page_batch *b, struct error *e) {
  page_id root = store_root_get(w->store, "tree", true);
  if (root == PAGE_NONE) {
    TRY(btree_create(b, &root, e));
    TRY(store_root_set(w->store, "tree", root, e));
  }
  for (uint32_t at = 0; at + OP_BYTES <= w->staged_bytes; at += OP_BYTES) {
    TRY(apply_op(w, b, root, w->staged + at, e));
    if (rng_chance(&w->rng, 1, 4)) TRY(page_batch_rest(b, e));
  }
  uint8_t *meta = store_meta(w->store);
  put_u64_le(meta, hash64(w->staged, w->staged_bytes, get_u64_le(meta)));
  return ERR_OK;
}

static enum err apply_staged(struct world *w, const struct log_entry *entry, struct error *e) {
  struct page_batch *b = NULL;
  TRY(page_batch_begin(store_space(w->store), w->applier, &b, e));
  enum err err = apply_ops(w, b, e);
  if (err != ERR_OK) {
    store_abort(w->store, b);
    return err;
  }
  store_publish(w->store, b, store_applied_of(entry));
  model_apply(&w->model, w->staged, w->staged_bytes);
  w->transactions_applied++;
  return ERR_OK;
}

// Stages parts until the end; a run that another transaction follows is void.
static enum err apply_entry(void *argument, const struct log_entry *entry, struct error *e) {
  struct world *w = argument;
  if (entry->origin_sequence != w->staged_transaction) w->staged_bytes = 0;
  w->staged_transaction = entry->origin_sequence;
  uint32_t before = w->staged_bytes;
  memcpy(w->staged + w->staged_bytes, entry->payload.ptr, entry->payload.len);
  w->staged_bytes += (uint32_t) entry->payload.len;
  if (entry->parts == LOG_END) {
    enum err err = apply_staged(w, entry, e);
    if (err != ERR_OK) {
      w->staged_bytes = before; // the same entry comes again
      return err;
    }
    w->staged_bytes = 0;
    w->staged_transaction = 0;
  }
  w->applied = entry->index;
  return ERR_OK;
}

// ---- comparing ----

static bool check_key(struct world *w, const struct page_view *v, page_id root, uint32_t i, const struct model *m, const char *when) {
  uint8_t key[1024], value[300];
  struct bytes k = {key, key_of(i, key)}, got = {NULL, 0};
  struct error e = ERROR_INIT;
  enum err err = root != PAGE_NONE ? btree_get(v, root, k, &got, &e) : ERR_NOTFOUND;
  if (err == ERR_NOTFOUND) return m->keys[i] == 0 || fail(w, "%s: key %u is gone: %s", when, i, e.message);
  if (err != ERR_OK) return is_expected(w, err, &e, when);
  if (m->keys[i] == 0) return fail(w, "%s: key %u is there again", when, i);
  size_t bytes = value_of(i, m->keys[i], value);
  return (got.len == bytes && memcmp(got.ptr, value, bytes) == 0) || fail(w, "%s: key %u has another value", when, i);
}

static bool check_raw(struct world *w, const struct page_view *v, page_id root, uint32_t slot, const struct model *m, const char *when) {
  uint8_t key[32];
  struct bytes k = {key, raw_key(slot, key)}, got;
  struct error e = ERROR_INIT;
  const void *page = NULL;
  enum err err = root != PAGE_NONE ? btree_get(v, root, k, &got, &e) : ERR_NOTFOUND;
  if (err == ERR_NOTFOUND) return m->raw[slot] == 0 || fail(w, "%s: raw page %u is gone", when, slot);
  if (err != ERR_OK) return is_expected(w, err, &e, when);
  if (m->raw[slot] == 0) return fail(w, "%s: raw page %u is there again", when, slot);
  err = pages_read(v, get_u64_le(got.ptr), &page, &e);
  if (err != ERR_OK) return is_expected(w, err, &e, when);
  for (size_t i = 0; i < PAGE_BYTES / 8; i++)
    if (get_u64_le((const uint8_t *) page + 8 * i) != raw_word(m->raw[slot], i)) return fail(w, "%s: raw page %u holds something else", when, slot);
  return true;
}

// Leaves and enters between reads, as everybody must who reads more than fits.
static bool check_view(struct world *w, const struct page_snapshot *snap, const struct model *m, unsigned samples, const char *when) {
  struct page_view v = page_view_of(snap, w->reader);
  page_id root = store_root_get(w->store, "tree", false);
  bool good = true;
  for (uint32_t n = 0; good && n < (samples > 0 ? samples : WORLD_KEYS + WORLD_RAW); n++) {
    uint32_t i = samples > 0 ? (uint32_t) rng_below(&w->rng, WORLD_KEYS + WORLD_RAW) : n;
    page_access_enter(w->reader);
    good = i < WORLD_KEYS ? check_key(w, &v, root, i, m, when) : check_raw(w, &v, root, i - WORLD_KEYS, m, when);
    page_access_leave(w->reader);
  }
  return good;
}

static bool check_tree(struct world *w, const struct page_snapshot *snap) {
  struct page_view v = page_view_of(snap, w->reader);
  struct error e = ERROR_INIT;
  page_id root = store_root_get(w->store, "tree", false);
  if (root == PAGE_NONE) return true;
  page_access_enter(w->reader);
  enum err err = btree_check(&v, root, NULL, NULL, &e);
  page_access_leave(w->reader);
  return is_expected(w, err, &e, "tree check");
}

static bool check_newest(struct world *w, const char *when) {
  struct page_snapshot snap = {0};
  struct error e = ERROR_INIT;
  enum err err = page_snapshot_open(store_space(w->store), &snap, &e);
  if (err != ERR_OK) return is_expected(w, err, &e, when);
  bool good = check_view(w, &snap, &w->model, 0, when) && check_tree(w, &snap);
  page_snapshot_close(&snap);
  return good;
}

bool world_fails(struct world *w, const char *why) {
  return fail(w, "%s", why);
}

bool world_expects(struct world *w, enum err err, const struct error *e, const char *doing) {
  return is_expected(w, err, e, doing);
}

bool world_holds(struct world *w, struct store *s, uint64_t index, const char *when) {
  struct store *own = w->store;
  struct page_snapshot snap = {0};
  struct error e = ERROR_INIT;
  struct model m;
  model_at(w, index, &m);
  if (get_u64_le(store_meta(s)) != m.digest) return fail(w, "%s the metadata is not that of entry %" PRIu64, when, index);
  enum err err = page_snapshot_open(store_space(s), &snap, &e);
  if (err != ERR_OK) return is_expected(w, err, &e, when);
  w->store = s;
  bool good = check_view(w, &snap, &m, 0, when) && check_tree(w, &snap);
  w->store = own;
  page_snapshot_close(&snap);
  return good;
}

// ---- the log after a crash: what was durable, then perhaps some of what was queued, in order ----

static bool same_entry(const struct world_entry *a, const struct log_entry *b) {
  return a->bytes == b->payload.len && memcmp(a->payload, b->payload.ptr, a->bytes) == 0 && a->parts == b->parts && a->term == b->term &&
         a->transaction == b->origin_sequence;
}

static bool holds(struct world *w, uint64_t last) {
  struct log *l = store_log(w->store);
  struct log_cursor *c = NULL;
  uint64_t index = log_first_index(l);
  if (log_durable_index(l) != last || log_cursor_open(l, index, &c, NULL) != ERR_OK) return false;
  bool good = true;
  for (; good && index <= last; index++) {
    const struct log_entry *entry = NULL;
    good = log_cursor_next(c, &entry, NULL) == ERR_OK && entry != NULL && entry->index == index && same_entry(&w->entries[index], entry);
  }
  log_cursor_close(c);
  return good;
}

// Takes the oldest thing queued into the durable log.
static void accept_one(struct world *w) {
  const struct world_queued *q = &w->queue[0];
  if (!q->truncate) w->entries[q->index] = q->entry;
  w->last = q->index;
  w->queued--;
  memmove(w->queue, w->queue + 1, w->queued * sizeof *w->queue);
}

static bool check_log(struct world *w) {
  uint64_t durable = w->last, found = log_durable_index(store_log(w->store));
  for (;;) {
    if (holds(w, w->last)) {
      w->queued = 0;
      return true;
    }
    if (w->queued == 0) break;
    accept_one(w);
  }
  return fail(w, "the log ends at %" PRIu64 "; %" PRIu64 " was durable, and no state in between fits", found, durable);
}

// ---- opening ----

static void stop_holding(struct world *w) {
  if (w->held.snapshot.space == NULL) return;
  page_access_leave(w->holder);
  page_snapshot_close(&w->held.snapshot);
}

static void forget_snapshots(struct world *w) {
  stop_holding(w);
  for (unsigned i = 0; i < WORLD_SNAPSHOTS_MAX; i++) page_snapshot_close(&w->snapshots[i].snapshot);
  checkpoint_unpin(&w->pin);
  world_close_copy(w);
}

static void close_store(struct world *w) {
  struct page_space_stats stats = {0};
  fault_disarm(&fault_alloc);
  forget_snapshots(w);
  if (w->store != NULL) page_space_stats(store_space(w->store), &stats);
  w->shrinks += stats.cuts;
  store_close(w->store);
  w->store = NULL;
}

static bool check_superblock(struct world *w) {
  struct model m;
  struct store_applied at = store_applied(w->store);
  uint64_t applied = at.index;
  if (applied > w->commit || applied > w->last)
    return fail(w, "the pages hold entry %" PRIu64 ", only %" PRIu64 " of %" PRIu64 " are committed", applied, w->commit, w->last);
  model_at(w, applied, &m);
  if (get_u64_le(store_meta(w->store)) != m.digest) return fail(w, "the superblock's metadata is not that of entry %" PRIu64, applied);
  if (applied > 0 && (at.term != w->entries[applied].term || at.commit_time_ns != w->entries[applied].commit_time_ns))
    return fail(w, "the superblock has another term or commit time than entry %" PRIu64, applied);
  w->model = m;
  w->applied = applied;
  return true;
}

static bool check_group(struct world *w) {
  static struct log_group_state g;
  if (!w->clustered) return true;
  log_group_state(store_log(w->store), &g);
  if (g.term != w->group_term_saved && g.term != w->group_term_tried)
    return fail(w, "the vote of term %" PRIu64 " is forgotten: %" PRIu64, w->group_term_saved, g.term);
  w->group_term_saved = w->group_term_tried = g.term;
  return true;
}

static bool check_opened(struct world *w) {
  if (!check_log(w)) return false;
  uint64_t mark = log_commit_index(store_log(w->store));
  if (!w->clustered) w->commit = w->last;
  if (mark > w->commit) return fail(w, "the log calls %" PRIu64 " committed, only %" PRIu64 " is", mark, w->commit);
  return check_group(w) && check_superblock(w);
}

static bool check_recovered(struct world *w, bool deep) {
  struct error e = ERROR_INIT;
  if (w->applied != log_commit_index(store_log(w->store)))
    return fail(w, "recovery ended at entry %" PRIu64 " of %" PRIu64, w->applied, log_commit_index(store_log(w->store)));
  struct model m;
  model_at(w, w->applied, &m);
  w->model = m;
  if (!check_newest(w, "after recovery")) return false;
  if (!deep) return true;
  enum err err = store_check(w->store, true, &e);
  return is_expected(w, err, &e, "store check after recovery");
}

// A log without a member may hold no entries when a member of a cluster opens it.
static enum err join_group(struct world *w, struct error *e) {
  static struct log_group_state g;
  if (!w->clustered) return ERR_OK;
  log_group_state(store_log(w->store), &g);
  if (g.member_id != 0) return ERR_OK;
  g.member_id = 1;
  return log_group_save(store_log(w->store), &g, e);
}

// Power comes back, perhaps to go again while the store recovers.
static bool open_once(struct world *w, bool *ret_up) {
  struct error e = ERROR_INIT;
  *ret_up = false;
  if (rng_chance(&w->rng, 1, 6)) sim_disk_cut_after(w->disk, (int64_t) rng_below(&w->rng, 40));
  w->staged_bytes = 0;
  w->staged_transaction = 0;
  enum err err = store_open("db", &w->options, &w->store, &e);
  bool made = w->made;
  if (err == ERR_OK) w->made = true;
  bool good = err == ERR_OK ? check_opened(w) : is_expected(w, err, &e, "open");
  if (good && err == ERR_OK) {
    err = store_recover(w->store, apply_entry, w, NULL, &e);
    good = is_expected(w, err, &e, "recover");
    if (good && err == ERR_OK) good = check_recovered(w, !made || rng_chance(&w->rng, 1, 3));
    if (good && err == ERR_OK) {
      err = join_group(w, &e);
      good = is_expected(w, err, &e, "join");
    }
    *ret_up = err == ERR_OK;
  }
  if (!good && sim_disk_is_off(w->disk) && !w->failed) good = true;
  if (*ret_up && sim_disk_is_off(w->disk)) *ret_up = false;
  return good;
}

bool world_restart(struct world *w) {
  for (;;) {
    bool up = false;
    if (!open_once(w, &up)) return false;
    if (up) {
      sim_disk_cut_after(w->disk, -1);
      return world_check_copy(w);
    }
    w->recoveries_cut++;
    close_store(w);
    if (!sim_disk_is_off(w->disk)) sim_disk_cut(w->disk);
    sim_disk_power_on(w->disk);
  }
}

// ---- things that happen ----

static void put_random_op(struct world *w, uint8_t *to) {
  static const enum op ops[] = {OP_PUT, OP_PUT, OP_PUT, OP_DELETE, OP_RAW_WRITE, OP_RAW_WRITE, OP_RAW_FREE};
  enum op op = ops[rng_below(&w->rng, ARRAY_SIZE(ops))];
  memset(to, 0, OP_BYTES);
  to[0] = (uint8_t) op;
  put_u16_le(to + 2, (uint16_t) rng_below(&w->rng, op == OP_PUT || op == OP_DELETE ? WORLD_KEYS : WORLD_RAW));
  put_u32_le(to + 4, (uint32_t) rng_below(&w->rng, 1u << 30) + 1);
}

static uint64_t queued_last(const struct world *w) {
  return w->queued > 0 ? w->queue[w->queued - 1].index : w->last;
}

// Payloads live as long as the world: the log reads them until they are durable, the model replays them after a crash.
static bool submit(struct world *w) {
  unsigned entries = rng_chance(&w->rng, 1, 6) ? 1 + (unsigned) rng_below(&w->rng, 3) : 1;
  uint64_t first = queued_last(w) + 1;
  if (w->queued + entries > WORLD_QUEUE_MAX || first + entries >= WORLD_ENTRIES_MAX) return true;
  struct log_entry batch[4];
  struct world_queued made[4];
  w->transactions++;
  for (unsigned i = 0; i < entries; i++) {
    uint32_t count = 1 + (uint32_t) rng_below(&w->rng, rng_chance(&w->rng, 1, 10) ? 60 : 6);
    uint8_t *payload = arena_alloc(&w->payloads, count * OP_BYTES);
    if (payload == NULL) return true;
    for (uint32_t n = 0; n < count; n++) put_random_op(w, payload + n * OP_BYTES);
    unsigned parts = i + 1 < entries ? LOG_PART : LOG_END;
    batch[i] = (struct log_entry){.index = first + i, .term = w->term, .kind = LOG_TRANSACTION, .parts = parts, .origin_sequence = w->transactions,
                                  .payload = {(const char *) payload, count * OP_BYTES}, .commit_time_ns = w->clock.now_ns};
    made[i] = (struct world_queued){false, first + i, {payload, count * OP_BYTES, parts, w->term, w->transactions, 0}};
  }
  struct error e = ERROR_INIT;
  enum err err = log_append(store_log(w->store), batch, entries, &e);
  for (unsigned i = 0; i < entries && err == ERR_OK; i++) {
    made[i].entry.term = batch[i].term;
    made[i].entry.commit_time_ns = batch[i].commit_time_ns;
    if (batch[i].index != made[i].index) return fail(w, "entry %" PRIu64 " got index %" PRIu64, made[i].index, batch[i].index);
    w->queue[w->queued++] = made[i];
  }
  return is_expected(w, err, &e, "append");
}

static bool write_round(struct world *w) {
  struct log_stats before, after;
  struct error e = ERROR_INIT;
  bool worked = false;
  log_stats(store_log(w->store), &before);
  enum err err = log_writer_step(store_log(w->store), &worked, &e);
  log_stats(store_log(w->store), &after);
  if (before.queued_entries != w->queued) return fail(w, "the log has %" PRIu64 " things queued, not %u", before.queued_entries, w->queued);
  if (err != ERR_OK) return is_expected(w, err, &e, "log writer");
  for (uint64_t n = before.queued_entries - after.queued_entries; n > 0; n--) accept_one(w);
  if (log_durable_index(store_log(w->store)) != w->last) return fail(w, "the durable index is not that of what was written");
  if (!w->clustered) w->commit = w->last;
  return true;
}

// Plays consensus: marks what is committed, cuts what is not.
static bool decide(struct world *w) {
  struct error e = ERROR_INIT;
  if (!w->clustered) return true;
  if (rng_chance(&w->rng, 1, 8) && queued_last(w) > w->commit && w->queued < WORLD_QUEUE_MAX) {
    uint64_t to = w->commit + rng_below(&w->rng, queued_last(w) - w->commit);
    w->term++;
    enum err err = log_truncate(store_log(w->store), to, &e);
    if (err == ERR_OK) w->queue[w->queued++] = (struct world_queued){.truncate = true, .index = to};
    return is_expected(w, err, &e, "truncate");
  }
  // Only what no queued truncation voids may be called committed.
  uint64_t safe = w->last;
  for (unsigned i = 0; i < w->queued; i++) safe = MIN(safe, w->queue[i].truncate ? w->queue[i].index : safe);
  if (safe > w->commit) w->commit += rng_below(&w->rng, safe - w->commit + 1);
  log_commit_mark(store_log(w->store), w->commit);
  return true;
}

static bool vote(struct world *w) {
  static struct log_group_state g;
  struct error e = ERROR_INIT;
  if (!w->clustered) return true;
  log_group_state(store_log(w->store), &g);
  g.vote = ++g.term;
  w->group_term_tried = g.term;
  enum err err = log_group_save(store_log(w->store), &g, &e);
  if (err == ERR_OK) w->group_term_saved = g.term;
  return is_expected(w, err, &e, "vote");
}

static bool apply_some(struct world *w) {
  struct error e = ERROR_INIT;
  struct log_cursor *c = NULL;
  if (w->applied >= w->commit) return true;
  enum err err = log_cursor_open(store_log(w->store), w->applied + 1, &c, &e);
  if (err != ERR_OK) return is_expected(w, err, &e, "cursor");
  for (uint64_t n = 1 + rng_below(&w->rng, 6); n > 0 && err == ERR_OK && w->applied < w->commit; n--) {
    const struct log_entry *entry = NULL;
    err = log_cursor_next(c, &entry, &e);
    if (err == ERR_OK && entry == NULL) fail(w, "the log hides entry %" PRIu64, w->applied + 1);
    if (err == ERR_OK && entry != NULL && !same_entry(&w->entries[entry->index], entry)) fail(w, "entry %" PRIu64 " reads differently", entry->index);
    if (w->failed) break;
    if (err == ERR_OK) err = apply_entry(w, entry, &e);
  }
  log_cursor_close(c);
  return !w->failed && is_expected(w, err, &e, "apply");
}

static bool checkpoint_some(struct world *w) {
  struct error e = ERROR_INIT;
  bool done = false;
  enum err err = ERR_OK;
  if (!checkpoint_active(w->store))
    err = checkpoint_begin(w->store, &e);
  else
    err = checkpoint_step(w->store, 1 + (unsigned) rng_below(&w->rng, 40), &done, &e);
  w->checkpoints += done;
  return is_expected(w, err, &e, "checkpoint");
}

static bool open_snapshot(struct world *w) {
  struct world_snapshot *s = &w->snapshots[rng_below(&w->rng, WORLD_SNAPSHOTS_MAX)];
  struct error e = ERROR_INIT;
  if (s->snapshot.space != NULL) return true;
  enum err err = page_snapshot_open(store_space(w->store), &s->snapshot, &e);
  s->model = w->model;
  return is_expected(w, err, &e, "snapshot");
}

static bool use_snapshot(struct world *w) {
  struct world_snapshot *s = &w->snapshots[rng_below(&w->rng, WORLD_SNAPSHOTS_MAX)];
  if (s->snapshot.space == NULL) return true;
  bool last = rng_chance(&w->rng, 1, 3);
  bool good = check_view(w, &s->snapshot, &s->model, last ? 0 : 20, "under a snapshot");
  if (last) page_snapshot_close(&s->snapshot);
  return good;
}

static bool start_holding(struct world *w) {
  struct world_held *h = &w->held;
  struct error e = ERROR_INIT;
  enum err err = page_snapshot_open(store_space(w->store), &h->snapshot, &e);
  if (err != ERR_OK) return is_expected(w, err, &e, "snapshot");
  page_access_enter(w->holder);
  struct page_view v = page_view_of(&h->snapshot, w->holder);
  h->count = 0;
  for (unsigned n = 0; n < 40 && h->count < ARRAY_SIZE(h->pages); n++) {
    err = pages_read(&v, 1 + rng_below(&w->rng, 200), &h->pages[h->count], &e);
    if (err != ERR_OK && err != ERR_NOTFOUND) break;
    if (err == ERR_OK) h->digests[h->count] = hash64(h->pages[h->count], PAGE_BYTES, 0);
    h->count += err == ERR_OK;
  }
  return err == ERR_NOTFOUND || is_expected(w, err, &e, "read and hold");
}

static bool hold(struct world *w) {
  struct world_held *h = &w->held;
  if (h->snapshot.space == NULL) return start_holding(w);
  for (unsigned i = 0; i < h->count; i++)
    if (hash64(h->pages[i], PAGE_BYTES, 0) != h->digests[i]) return fail(w, "a page changed under a reader who was inside");
  if (rng_chance(&w->rng, 1, 2)) stop_holding(w);
  return true;
}

static enum err add_page(void *argument, page_id id, const void *page) {
  uint64_t *digest = argument;
  *digest = hash64(page, PAGE_BYTES, *digest + id);
  return ERR_OK;
}

static bool backup(struct world *w) {
  struct error e = ERROR_INIT;
  uint64_t digest = 0;
  bool first = w->pin.store == NULL;
  enum err err = first ? checkpoint_pin(w->store, INT64_MAX, &w->pin, &e) : ERR_OK;
  if (err == ERR_OK) err = checkpoint_pin_each(&w->pin, add_page, &digest, &e);
  if (!first && err == ERR_OK && digest != w->pin_digest) return fail(w, "the pages of a pinned checkpoint changed");
  w->pin_digest = digest;
  if (err != ERR_OK || (!first && rng_chance(&w->rng, 1, 3))) checkpoint_unpin(&w->pin);
  return is_expected(w, err, &e, "backup");
}

static bool prefetch(struct world *w) {
  page_id ids[30];
  struct error e = ERROR_INIT;
  for (size_t i = 0; i < ARRAY_SIZE(ids); i++) ids[i] = 1 + rng_below(&w->rng, 300);
  return is_expected(w, pages_prefetch(store_space(w->store), ids, ARRAY_SIZE(ids), &e), &e, "prefetch");
}

static bool prune(struct world *w) {
  struct checkpoint_status status;
  struct error e = ERROR_INIT;
  checkpoint_status(w->store, &status);
  pages_prune_step(store_space(w->store), 50);
  return is_expected(w, log_prune(store_log(w->store), status.durable_index + 1, 3, NULL, &e), &e, "prune");
}

static bool one_thing(struct world *w) {
  uint64_t dice = rng_below(&w->rng, 100);
  w->clock.now_ns += (int64_t) rng_below(&w->rng, 1000000);
  if (dice < 22) return submit(w);
  if (dice < 40) return write_round(w);
  if (dice < 46) return decide(w);
  if (dice < 62) return apply_some(w);
  if (dice < 80) return checkpoint_some(w);
  if (dice < 84) return open_snapshot(w);
  if (dice < 89) return use_snapshot(w);
  if (dice < 91) return hold(w);
  if (dice < 93) return backup(w);
  if (dice < 94) return world_copy(w);
  if (dice < 96) return prefetch(w);
  if (dice < 97) return vote(w);
  return prune(w);
}

// One of the things that go wrong, or none.
static void arm(struct world *w) {
  uint64_t n = rng_below(&w->rng, 150);
  switch (rng_below(&w->rng, 16)) {
  case 0: sim_disk_fail(w->disk, SIM_SYNC, (int64_t) n / 4, ERR_IO); break;
  case 1: sim_disk_fail(w->disk, SIM_WRITE, (int64_t) n, ERR_IO); break;
  case 2: sim_disk_fail(w->disk, SIM_WRITE, (int64_t) n, ERR_NOSPC); break;
  case 3: sim_disk_fail(w->disk, SIM_ALLOCATE, (int64_t) n / 20, ERR_NOSPC); break;
  case 4: sim_disk_fail(w->disk, SIM_READ, (int64_t) n * 3, ERR_IO); break;
  case 5: fault_arm(&fault_alloc, (int64_t) n * 4, 1); break;
  default: break;
  }
  sim_disk_cut_after(w->disk, (int64_t) rng_below(&w->rng, rng_chance(&w->rng, 1, 4) ? 40 : 400));
}

// A store that has stopped is opened again, as an operator would; so is one whose process was killed.
static bool is_over(struct world *w) {
  if (sim_disk_is_off(w->disk)) return true;
  return store_failure(w->store, NULL) != ERR_OK || rng_chance(&w->rng, 1, 400);
}

bool world_live(struct world *w) {
  arm(w);
  bool good = true;
  while (good && !is_over(w) && w->last + 300 < WORLD_ENTRIES_MAX) good = one_thing(w);
  if (!good) return false;
  bool power = sim_disk_is_off(w->disk) || rng_chance(&w->rng, 1, 2);
  close_store(w);
  if (power) {
    sim_disk_cut(w->disk);
    sim_disk_power_on(w->disk);
    w->crashes++;
  } else {
    for (int op = 0; op < SIM_OP_MAX; op++) sim_disk_fail(w->disk, (enum sim_op) op, -1, ERR_IO);
    sim_disk_cut_after(w->disk, -1);
    w->kills++;
  }
  return true;
}

// ---- bytes that change by themselves ----

static bool rot_is_noticed(struct world *w) {
  struct error e = ERROR_INIT;
  struct page_snapshot snap = {0};
  w->staged_bytes = 0;
  enum err err = store_open("db", &w->options, &w->store, &e);
  if (err == ERR_CORRUPT) return true;
  if (err != ERR_OK) return is_expected(w, err, &e, "open after rot");
  uint64_t applied = store_applied_index(w->store);
  model_at(w, applied, &w->model);
  if (page_snapshot_open(store_space(w->store), &snap, &e) != ERR_OK) return true;
  struct page_view v = page_view_of(&snap, w->reader);
  page_id root = store_root_get(w->store, "tree", false);
  for (uint32_t i = 0; i < WORLD_KEYS + WORLD_RAW && !w->failed; i++) {
    bool failed = w->failed;
    page_access_enter(w->reader);
    bool good = i < WORLD_KEYS ? check_key(w, &v, root, i, &w->model, "after rot") : check_raw(w, &v, root, i - WORLD_KEYS, &w->model, "after rot");
    page_access_leave(w->reader);
    // That a page is damaged may be said; that it holds something else may not.
    if (!good && !failed && strstr(w->why, "CORRUPT") != NULL) w->failed = false;
  }
  page_snapshot_close(&snap);
  return !w->failed;
}

bool world_rot(struct world *w) {
  uint64_t size = sim_disk_file_size(w->disk, "db/store.pages");
  if (w->store != NULL) close_store(w);
  for (uint64_t n = 4 + rng_below(&w->rng, 20); n > 0 && size > 2 * PAGE_BYTES; n--)
    sim_disk_flip(w->disk, "db/store.pages", 2 * PAGE_BYTES + rng_below(&w->rng, size - 2 * PAGE_BYTES), (uint8_t) (1u << rng_below(&w->rng, 8)));
  bool good = rot_is_noticed(w);
  close_store(w);
  return good;
}

// ---- the world itself ----

struct world *world_new(uint64_t seed) {
  struct world *w = mem_zalloc(sizeof *w);
  if (w == NULL) return NULL;
  rng_seed(&w->rng, seed);
  arena_init(&w->payloads, NULL);
  w->disk = sim_disk_new(rng_next(&w->rng));
  clock_manual_init(&w->clock, 1);
  random_seeded_init(&w->random, rng_next(&w->rng));
  w->clustered = rng_chance(&w->rng, 1, 3);
  w->term = w->clustered ? 1 : 0;
  struct page_pool_options pool = {.limit_bytes = (FRAMES_MIN + rng_below(&w->rng, 160)) * PAGE_BYTES, .accesses_max = 8,
                                   .poison = rng_chance(&w->rng, 1, 8)};
  if (page_pool_open(&pool, &w->pool, NULL) != ERR_OK || page_access_open(w->pool, &w->applier, NULL) != ERR_OK ||
      page_access_open(w->pool, &w->reader, NULL) != ERR_OK || page_access_open(w->pool, &w->holder, NULL) != ERR_OK) {
    world_free(w);
    return NULL;
  }
  w->options = (struct store_options){.disk = sim_disk_table(w->disk),
                                      .clock = &w->clock.clock,
                                      .random = &w->random.source,
                                      .pool = w->pool,
                                      .create = true,
                                      .log = {.segment_bytes = 4096 << rng_below(&w->rng, 5), .batch_bytes_max = 1024 << rng_below(&w->rng, 6),
                                              .clustered = w->clustered}};
  return w;
}

void world_free(struct world *w) {
  if (w == NULL) return;
  close_store(w);
  page_access_close(w->applier);
  page_access_close(w->reader);
  page_access_close(w->holder);
  page_pool_close(w->pool);
  sim_disk_free(w->disk);
  arena_done(&w->payloads);
  mem_free(w);
}
