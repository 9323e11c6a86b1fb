#include "history.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct checking {
  const struct history *h;
  const struct history_end *end;
  int64_t values;  // all are below
  int32_t *writer; // by value: the transaction that appended it
  uint32_t *writer_key;
  int32_t *place;  // by value, in its list; -1: it is not there
  bool *committed; // by transaction
  char *why;
  size_t bytes;
  bool wrong;
};

// ---- writing it down ----

static void *grow(void *p, size_t bytes) {
  p = mem_realloc(p, bytes);
  if (p == NULL) abort();
  return p;
}

struct history_txn *history_add(struct history *h) {
  if (h->txn_count == h->txn_room) {
    h->txn_room = MAX(2 * h->txn_room, 256u);
    h->txns = grow(h->txns, h->txn_room * sizeof h->txns[0]);
  }
  struct history_txn *t = &h->txns[h->txn_count++];
  memset(t, 0, sizeof *t);
  return t;
}

void history_saw(struct history_op *op, const struct answer *a) {
  op->read = true;
  op->seen_count = a->number_count;
  op->seen = grow(NULL, MAX(a->number_count, 1u) * sizeof(int64_t));
  memcpy(op->seen, a->numbers, a->number_count * sizeof(int64_t));
}

void history_merged(struct history *h, uint32_t key, bool acknowledged) {
  if (key >= h->merged_room) {
    uint32_t room = MAX(2 * h->merged_room, key + 64);
    h->merged = grow(h->merged, room);
    memset(h->merged + h->merged_room, 0, room - h->merged_room);
    h->merged_room = room;
  }
  h->merged[key] |= acknowledged ? 3 : 1;
}

// ---- judging ----

static void note(struct checking *c, const char *fmt, ...) {
  va_list args;
  if (c->wrong) return;
  c->wrong = true;
  va_start(args, fmt);
  vsnprintf(c->why, c->bytes, fmt, args);
  va_end(args);
}

/// "transaction 17 of client 3 at core2 (ok, after 12, bookmark 15)".
struct txn_name {
  char z[160];
};
static struct txn_name name_of(const struct history_txn *t) {
  static const char *const outcomes[] = {"ok", "refused", "unknown"};
  struct txn_name name;
  snprintf(name.z, sizeof name.z, "a transaction of client %u at server %u, %.6f to %.6f s (%s, after %llu, bookmark %llu)",
           t->client, t->server, (double) t->begin_ns / NS_PER_S, (double) t->end_ns / NS_PER_S, outcomes[t->outcome],
           (unsigned long long) t->after, (unsigned long long) t->bookmark);
  return name;
}

static void prepare(struct checking *c) {
  const struct history *h = c->h;
  c->values = h->next_value + 1;
  c->writer = grow(NULL, (size_t) c->values * sizeof(int32_t));
  c->writer_key = grow(NULL, (size_t) c->values * sizeof(uint32_t));
  c->place = grow(NULL, (size_t) c->values * sizeof(int32_t));
  c->committed = grow(NULL, h->txn_count + 1);
  memset(c->writer, 0xff, (size_t) c->values * sizeof(int32_t));
  memset(c->place, 0xff, (size_t) c->values * sizeof(int32_t));
  for (uint32_t n = 0; n < h->txn_count; n++)
    for (uint32_t i = 0; i < h->txns[n].op_count; i++) {
      const struct history_op *op = &h->txns[n].ops[i];
      if (!op->append) continue;
      c->writer[op->value] = (int32_t) n;
      c->writer_key[op->value] = op->key;
    }
}

static bool is_known(const struct checking *c, int64_t value, uint32_t key) {
  return value >= 0 && value < c->values && c->writer[value] >= 0 && c->writer_key[value] == key;
}

static void check_lists(struct checking *c) {
  for (uint32_t key = 0; key < LISTS; key++)
    for (uint32_t i = 0; i < c->end->lengths[key] && !c->wrong; i++) {
      int64_t v = c->end->lists[key][i];
      if (!is_known(c, v, key))
        note(c, "nobody appended %lld to list %u", (long long) v, key);
      else if (c->place[v] >= 0)
        note(c, "doubled: %lld is twice in list %u: %s", (long long) v, key, name_of(&c->h->txns[c->writer[v]]).z);
      else if (c->h->txns[c->writer[v]].outcome == OUTCOME_REFUSED)
        note(c, "refused, but %lld is in list %u: %s", (long long) v, key, name_of(&c->h->txns[c->writer[v]]).z);
      else
        c->place[v] = (int32_t) i;
    }
}

static void check_wholeness(struct checking *c) {
  for (uint32_t n = 0; n < c->h->txn_count && !c->wrong; n++) {
    const struct history_txn *t = &c->h->txns[n];
    uint32_t appends = 0, there = 0;
    for (uint32_t i = 0; i < t->op_count; i++) {
      appends += t->ops[i].append;
      there += t->ops[i].append && c->place[t->ops[i].value] >= 0;
    }
    c->committed[n] = t->outcome == OUTCOME_OK || there > 0;
    if (t->outcome == OUTCOME_OK && there < appends)
      note(c, "lost: %u of %u appends of %s", appends - there, appends, name_of(t).z);
    else if (there > 0 && there < appends)
      note(c, "half a transaction: %u of %u appends of %s", there, appends, name_of(t).z);
  }
}

/// What was seen before the transaction's own appends to that list; they must be at its end.
static uint32_t without_own(struct checking *c, const struct history_txn *t, uint32_t at) {
  const struct history_op *op = &t->ops[at];
  uint32_t left = op->seen_count;
  for (uint32_t i = at + 1; i-- > 0;) {
    const struct history_op *own = &t->ops[i];
    if (!own->append || own->key != op->key) continue;
    if (left == 0 || op->seen[left - 1] != own->value) {
      note(c, "own append %lld not seen in list %u by %s", (long long) own->value, op->key, name_of(t).z);
      return 0;
    }
    left--;
  }
  return left;
}

static void check_read(struct checking *c, uint32_t n, uint32_t at) {
  const struct history_txn *t = &c->h->txns[n];
  const struct history_op *op = &t->ops[at];
  uint32_t seen = without_own(c, t, at);
  const int64_t *final = c->end->lists[op->key];
  if (c->wrong) return;
  if (seen > c->end->lengths[op->key] || memcmp(op->seen, final, seen * sizeof(int64_t)) != 0) {
    note(c, "saw a list %u of %u that is no beginning of the last one (%u): %s", op->key, seen, c->end->lengths[op->key],
         name_of(t).z);
    return;
  }
  if (op->append && c->committed[n] && seen < op->seen_count && c->place[op->seen[seen]] != (int32_t) seen)
    note(c, "appended to an older list %u (%u long, at %d): %s", op->key, seen, c->place[op->seen[seen]], name_of(t).z);
  bool half = seen > 0 && seen < c->end->lengths[op->key] && c->writer[final[seen - 1]] == c->writer[final[seen]];
  if (half) note(c, "saw half of a transaction in list %u: %s", op->key, name_of(t).z);
  for (uint32_t i = 0; i < seen && t->bookmark != 0 && !c->wrong; i++) {
    const struct history_txn *w = &c->h->txns[c->writer[final[i]]];
    if (w->bookmark > t->bookmark) note(c, "saw what was committed behind its own place: %s by %s", name_of(w).z, name_of(t).z);
  }
}

// ---- floors: how long a list was at least ----

enum measure { BY_PLACE, BY_TIME };

/// What was acknowledged up to there, or seen by who was told of that place, in the list.
static uint32_t floor_of(const struct checking *c, uint32_t key, enum measure measure, uint64_t at) {
  uint32_t least = 0;
  for (uint32_t n = 0; n < c->h->txn_count; n++) {
    const struct history_txn *t = &c->h->txns[n];
    bool before = measure == BY_PLACE ? t->bookmark != 0 && t->bookmark <= at : (uint64_t) t->end_ns < at;
    if (t->outcome != OUTCOME_OK || !before) continue;
    for (uint32_t i = 0; i < t->op_count; i++) {
      const struct history_op *op = &t->ops[i];
      if (op->key != key) continue;
      if (op->append) least = MAX(least, (uint32_t) c->place[op->value] + 1);
      if (op->read && measure == BY_PLACE && !op->append) least = MAX(least, op->seen_count);
    }
  }
  return least;
}

static void check_floors(struct checking *c, uint32_t n) {
  const struct history_txn *t = &c->h->txns[n];
  bool wrote = false;
  for (uint32_t i = 0; i < t->op_count && !c->wrong; i++) {
    const struct history_op *op = &t->ops[i];
    wrote |= op->append;
    if (!op->read) continue;
    uint32_t seen = without_own(c, t, i);
    uint32_t least = t->after != 0 ? floor_of(c, op->key, BY_PLACE, t->after) : 0;
    if (seen < least && op->seen_count < least)
      note(c, "bookmark not honoured: list %u is %u long where %u are known: %s", op->key, op->seen_count, least, name_of(t).z);
    least = wrote && t->outcome == OUTCOME_OK ? floor_of(c, op->key, BY_TIME, (uint64_t) t->begin_ns) : 0;
    if (op->seen_count < least)
      note(c, "stale under its lease: list %u is %u long where %u were acknowledged: %s", op->key, op->seen_count, least,
           name_of(t).z);
  }
}

static bool wrote(const struct history_txn *t) {
  for (uint32_t i = 0; i < t->op_count; i++)
    if (t->ops[i].append) return true;
  return false;
}

static void check_order(struct checking *c, uint32_t n) {
  const struct history_txn *t = &c->h->txns[n];
  if (t->outcome != OUTCOME_OK || !wrote(t)) return;
  for (uint32_t m = 0; m < c->h->txn_count && !c->wrong; m++) {
    const struct history_txn *u = &c->h->txns[m];
    if (u->outcome != OUTCOME_OK || m == n || !wrote(u)) continue;
    if (u->bookmark == t->bookmark) note(c, "two commits in one place: %s and %s", name_of(t).z, name_of(u).z);
    if (u->end_ns < t->begin_ns && u->bookmark > t->bookmark)
      note(c, "commits out of order: %s was acknowledged before this began: %s", name_of(u).z, name_of(t).z);
  }
}

static void check_counters(struct checking *c) {
  for (uint32_t i = 0; i < COUNTERS; i++) {
    uint64_t least = c->h->counter_acknowledged[i], most = least + c->h->counter_unknown[i];
    int64_t n = c->end->counters[i];
    if (n < (int64_t) least || n > (int64_t) most)
      note(c, "counter %u is %lld after %llu acknowledged and %llu unknown", i, (long long) n, (unsigned long long) least,
           (unsigned long long) (most - least));
  }
}

bool history_check(const struct history *h, const struct history_end *end, char *why, size_t bytes) {
  struct checking c = {.h = h, .end = end, .why = why, .bytes = bytes};
  prepare(&c);
  check_lists(&c);
  check_wholeness(&c);
  for (uint32_t n = 0; n < h->txn_count && !c.wrong; n++) {
    for (uint32_t i = 0; i < h->txns[n].op_count && !c.wrong; i++)
      if (h->txns[n].ops[i].read) check_read(&c, n, i);
    if (!c.wrong) check_floors(&c, n);
    if (!c.wrong) check_order(&c, n);
  }
  check_counters(&c);
  mem_free(c.writer);
  mem_free(c.writer_key);
  mem_free(c.place);
  mem_free(c.committed);
  return !c.wrong;
}
