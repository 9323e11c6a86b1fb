// Entries in memory: copies, the tail of recent ones, and reading older ones from the log.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/group_int.h"

// ---- copies ----

static struct str copy_text(char **at, struct str from) {
  struct str copy = {*at, from.len};
  if (from.len > 0) memcpy(*at, from.ptr, from.len);
  *at += from.len;
  return copy;
}

static enum err decode_membership(struct group_body *b, struct error *e) {
  if (b->entry.kind != LOG_MEMBERSHIP) return ERR_OK;
  b->membership = mem_alloc(sizeof *b->membership);
  if (b->membership == NULL) return error_ensure(e, ERR_NOMEM);
  return consensus_membership_decode((const uint8_t *) b->entry.payload.ptr, b->entry.payload.len, b->membership, e);
}

enum err group_body_copy(const struct log_entry *entry, struct group_body **ret, struct error *e) {
  size_t texts = entry->metadata.len + entry->sections.len + entry->payload.len;
  struct group_body *b = mem_alloc(sizeof *b + texts);
  if (b == NULL) return error_ensure(e, ERR_NOMEM);
  char *at = (char *) (b + 1);
  *b = (struct group_body){.refs = 1, .bytes = (uint32_t) (sizeof *b + texts), .entry = *entry};
  b->entry.metadata = copy_text(&at, entry->metadata);
  b->entry.sections = copy_text(&at, entry->sections);
  b->entry.payload = copy_text(&at, entry->payload);
  enum err err = decode_membership(b, e);
  if (err != ERR_OK) {
    group_body_unref(b);
    return err;
  }
  *ret = b;
  return ERR_OK;
}

void group_body_unref(struct group_body *b) {
  if (b == NULL || --b->refs > 0) return;
  mem_free(b->membership);
  mem_free(b);
}

enum consensus_entry_kind group_body_kind(const struct group_body *b) {
  if (b->entry.kind == LOG_NOOP) return CONSENSUS_NOOP;
  return b->entry.kind == LOG_MEMBERSHIP ? CONSENSUS_MEMBERSHIP : CONSENSUS_DATA;
}

// ---- the tail ----

static struct group_body **slot(const struct group_tail *t, uint64_t index) {
  return &t->slots[index & (t->capacity - 1)];
}

struct group_body *group_tail_get(const struct group_tail *t, uint64_t index) {
  return index >= t->first && index - t->first < t->count ? *slot(t, index) : NULL;
}

static void forget(struct group_tail *t, uint64_t index) {
  struct group_body *b = *slot(t, index);
  t->bytes -= b->bytes;
  group_body_unref(b);
}

void group_tail_cut(struct group_tail *t, uint64_t first) {
  while (t->count > 0 && t->first + t->count > first) forget(t, t->first + --t->count);
  if (t->count == 0) t->first = MIN(t->first, first);
}

void group_tail_drop(struct group_tail *t, uint64_t first) {
  for (; t->count > 0 && t->first < first; t->count--) forget(t, t->first++);
}

void group_tail_reset(struct group_tail *t, uint64_t first) {
  group_tail_cut(t, 0);
  t->first = first;
}

static enum err grow(struct group_tail *t) {
  size_t larger = MAX(t->capacity * 2, 16u);
  struct group_body **slots = mem_alloc(larger * sizeof *slots);
  if (slots == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < t->count; i++) slots[(t->first + i) & (larger - 1)] = *slot(t, t->first + i);
  mem_free(t->slots);
  t->slots = slots;
  t->capacity = larger;
  return ERR_OK;
}

enum err group_tail_push(struct group_tail *t, struct group_body *b) {
  assert(b->entry.index == t->first + t->count);
  if (t->count == t->capacity) TRY(grow(t));
  *slot(t, b->entry.index) = b;
  b->refs++;
  t->count++;
  t->bytes += b->bytes;
  return ERR_OK;
}

// ---- from the log ----

void group_reader_close(struct group_reader *r) {
  log_cursor_close(r->cursor);
  r->cursor = NULL;
}

static enum err read_next(struct group *g, struct group_reader *r, uint64_t index, const struct log_entry **ret,
                          struct error *e) {
  if (r->cursor != NULL && r->next != index && !MUTANT(group_read_place)) group_reader_close(r);
  if (r->cursor == NULL) TRY(log_cursor_open(g->log, index, &r->cursor, e));
  r->next = index + 1;
  return log_cursor_next(r->cursor, ret, e);
}

// Consensus and the log must speak of the same entry: anything else is memory or disk gone wrong.
static enum err check_same(struct group *g, uint64_t index, const struct log_entry *entry, struct error *e) {
  uint64_t term = 0;
  if (entry == NULL)
    return error_set(e, ERR_CORRUPT, "Log entry %llu should be durable and is not there.", (unsigned long long) index);
  if (consensus_term_at(g->consensus, index, &term, NULL) != ERR_OK || term == entry->term) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "Log entry %llu has term %llu; consensus has it with term %llu.", (unsigned long long) index,
                   (unsigned long long) entry->term, (unsigned long long) term);
}

enum err group_read_entry(struct group *g, struct group_reader *r, uint64_t index, const struct log_entry **ret,
                          struct error *e) {
  enum err err = read_next(g, r, index, ret, e);
  if (err == ERR_OK) err = check_same(g, index, *ret, e);
  if (err != ERR_OK) group_reader_close(r);
  return err;
}
