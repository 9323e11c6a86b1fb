// Forgetting: pins that hold entries, whole segments removed from the front, and the log begun anew.
#include <string.h>

#include "store/log_int.h"

static struct log_pin_slot *find_pin(struct log *l, uint32_t id) {
  for (size_t i = 0; i < LOG_PINS_MAX; i++)
    if (id != 0 && l->pins[i].id == id) return &l->pins[i];
  return NULL;
}

static void drop_expired(struct log *l) {
  int64_t now_ns = clock_monotonic_ns(l->clock);
  for (size_t i = 0; i < LOG_PINS_MAX; i++)
    if (l->pins[i].id != 0 && l->pins[i].expires_ns <= now_ns) l->pins[i].id = 0;
}

static enum err pin_locked(struct log *l, uint64_t index, int64_t expires_ns, uint32_t *ret_pin, struct error *e) {
  drop_expired(l);
  if (index < l->start_index)
    return error_set(e, ERR_NOTFOUND, "Log entry %llu was pruned; the log begins at %llu.", (unsigned long long) index,
                     (unsigned long long) l->start_index);
  for (size_t i = 0; i < LOG_PINS_MAX; i++) {
    if (l->pins[i].id != 0) continue;
    do l->pin_ids++;
    while (l->pin_ids == 0 || find_pin(l, l->pin_ids) != NULL);
    l->pins[i] = (struct log_pin_slot){l->pin_ids, index, expires_ns};
    *ret_pin = l->pin_ids;
    return ERR_OK;
  }
  return error_set(e, ERR_LIMIT, "The log is pinned by %u readers already.", LOG_PINS_MAX);
}

enum err log_pin(struct log *l, uint64_t index, int64_t expires_ns, uint32_t *ret_pin, struct error *e) {
  mutex_lock(&l->mutex);
  enum err err = pin_locked(l, index, expires_ns, ret_pin, e);
  mutex_unlock(&l->mutex);
  return err;
}

enum err log_pin_move(struct log *l, uint32_t pin, uint64_t index, int64_t expires_ns, struct error *e) {
  mutex_lock(&l->mutex);
  drop_expired(l);
  struct log_pin_slot *slot = find_pin(l, pin);
  enum err err = slot != NULL ? ERR_OK : error_set(e, ERR_NOTFOUND, "The pin on the log has expired.");
  if (slot != NULL) *slot = (struct log_pin_slot){pin, MAX(index, slot->index), expires_ns};
  mutex_unlock(&l->mutex);
  return err;
}

void log_unpin(struct log *l, uint32_t pin) {
  mutex_lock(&l->mutex);
  struct log_pin_slot *slot = find_pin(l, pin);
  if (slot != NULL) slot->id = 0;
  mutex_unlock(&l->mutex);
}

// Takes the first segment out of the list if every entry in it that still counts is below `index`. What a later batch voided does
// not count, so a later segment may begin below where this one ended.
static struct log_segment *take_first(struct log *l, uint64_t index) {
  if (l->segment_count < 2) return NULL;
  struct log_segment *s = l->segments[0];
  size_t batches = 0;
  while (batches < l->batch_count && l->batches[batches].segment == s) batches++;
  const struct log_batch_ref *last = batches > 0 ? &l->batches[batches - 1] : NULL;
  if (last != NULL && last->first_index + last->count > index) return NULL;
  memmove(l->segments, l->segments + 1, --l->segment_count * sizeof *l->segments);
  log_index_cut_front(l, batches);
  return s;
}

static uint64_t lowest_kept(struct log *l, uint64_t index) {
  drop_expired(l);
  for (size_t i = 0; i < LOG_PINS_MAX; i++)
    if (l->pins[i].id != 0) index = MIN(index, l->pins[i].index);
  return index;
}

// Of a segment that left the list, the name may have stayed when removing it failed. It goes before any later one does: what is left
// would have a gap otherwise, and would be refused when the log is opened.
static enum err remove_left(struct log *l, struct error *e) {
  if (l->left_number == 0) return ERR_OK;
  TRY(log_segment_remove(l, l->left_number, e));
  l->left_number = 0;
  return ERR_OK;
}

static enum err remove_segment(struct log *l, struct log_segment *s, struct error *e) {
  l->left_number = s->number;
  log_segment_unref(s);
  return remove_left(l, e);
}

// The name goes before anything else is forgotten for good: after a crash the segment is there or not, both are a log.
static enum err prune(struct log *l, uint64_t index, unsigned segments_max, unsigned *ret_removed, struct error *e) {
  unsigned removed = 0;
  TRY(remove_left(l, e));
  for (; removed < segments_max; removed++) {
    mutex_lock(&l->mutex);
    struct log_segment *s = take_first(l, lowest_kept(l, index));
    mutex_unlock(&l->mutex);
    if (s == NULL) break;
    TRY(remove_segment(l, s, e));
  }
  if (ret_removed != NULL) *ret_removed = removed;
  return ERR_OK;
}

enum err log_prune(struct log *l, uint64_t index, unsigned segments_max, unsigned *ret_removed, struct error *e) {
  mutex_lock(&l->prune_mutex);
  enum err err = prune(l, index, segments_max, ret_removed, e);
  mutex_unlock(&l->prune_mutex);
  return err;
}

// One in front of the segment that begins the log anew; nothing in it counts any more.
static struct log_segment *take_old(struct log *l) {
  mutex_lock(&l->mutex);
  struct log_segment *old = l->segment_count > 1 ? l->segments[0] : NULL;
  if (old != NULL) memmove(l->segments, l->segments + 1, --l->segment_count * sizeof *l->segments);
  mutex_unlock(&l->mutex);
  return old;
}

// The new segment is durable before the old ones go; one that a crash leaves behind is void, because the new one begins a log.
static enum err reset(struct log *l, uint64_t index, uint64_t term, struct error *e) {
  TRY(log_failure(l, e));
  TRY(remove_left(l, e));
  mutex_lock(&l->mutex);
  enum err err = l->queue_count > 0 ? error_set(e, ERR_BUSY, "Entries wait to be written.") : ERR_OK;
  if (err == ERR_OK && log_index_reserve(l, 1) != ERR_OK) err = error_ensure(e, ERR_NOMEM);
  uint64_t number = log_segment_last(l)->number + 1;
  uint64_t old_index = l->durable_index, old_term = l->durable_term;
  if (err == ERR_OK) {
    l->durable_index = index;
    l->durable_term = term;
  }
  mutex_unlock(&l->mutex);
  if (err != ERR_OK) return err;
  struct log_segment *s = NULL;
  struct error cause = ERROR_INIT;
  err = log_segment_create(l, number, 0, 0, &s, &cause);
  mutex_lock(&l->mutex);
  if (err != ERR_OK) {
    l->durable_index = old_index;
    l->durable_term = old_term;
    mutex_unlock(&l->mutex);
    return err == ERR_NOSPC || err == ERR_NOMEM ? error_set(e, err, "%s", cause.message) : log_poison(l, err, &cause, e);
  }
  log_index_clear(l);
  atomic_fetch_add(&l->voids, 1);
  l->segments[l->segment_count++] = s;
  l->start_index = index + 1;
  l->last_index = l->commit_index = index;
  l->last_term = l->start_term = term;
  l->chain = 0;
  mutex_unlock(&l->mutex);
  while ((s = take_old(l)) != NULL) TRY(remove_segment(l, s, e));
  return ERR_OK;
}

enum err log_reset(struct log *l, uint64_t index, uint64_t term, struct error *e) {
  mutex_lock(&l->prune_mutex);
  enum err err = reset(l, index, term, e);
  mutex_unlock(&l->prune_mutex);
  return err;
}
