// Forgetting what is durable in the application: what consensus needs no more, and then the log.
#include <string.h>

#include "cluster/group_int.h"

#define PRUNE_SEGMENTS_MAX 4u // in one step: each costs a sync

// The one in force at `index`; NULL if none is known.
static const struct consensus_membership *membership_at(const struct group *g, uint64_t index) {
  const struct consensus_membership *found = NULL;
  for (size_t i = 0; i < g->membership_count; i++)
    if (g->memberships[i].index <= index || MUTANT(group_newest_membership)) found = &g->memberships[i];
  return found;
}

static void forget_memberships_before(struct group *g, uint64_t index) {
  size_t gone = 0;
  while (gone + 1 < g->membership_count && g->memberships[gone + 1].index <= index) gone++;
  memmove(g->memberships, g->memberships + gone, (g->membership_count - gone) * sizeof *g->memberships);
  g->membership_count -= gone;
}

// The place that the group knows from now on: that of a checkpoint, or a later one, which the log may not have remembered yet.
static enum err settle_place(struct group *g, struct group_forgetting *f, struct error *e) {
  if (f->index > g->snapshot_index) {
    g->snapshot_index = f->index;
    g->snapshot_term = f->term;
    g->saves++;
  }
  const struct consensus_membership *m = membership_at(g, g->snapshot_index);
  if (m == NULL)
    return error_set(e, ERR_INTERNAL, "No membership is known at entry %llu.", (unsigned long long) g->snapshot_index);
  f->index = g->snapshot_index;
  f->term = g->snapshot_term;
  f->membership = *m;
  forget_memberships_before(g, f->index);
  return ERR_OK;
}

enum err group_compact(struct group *g, uint64_t index, uint64_t trailing, struct group_forgetting *ret, struct error *e) {
  *ret = (struct group_forgetting){.index = index};
  enum err err = consensus_term_at(g->consensus, index, &ret->term, e);
  if (err == ERR_NOTFOUND) return error_set(e, ERR_BUSY, "There is nothing more to forget.");
  if (err == ERR_OK) err = consensus_compact(g->consensus, g->now_ms, index, trailing, &ret->first, e);
  if (err == ERR_BUSY) return err;
  if (err == ERR_OK) err = group_carry_out(g, e);
  if (err == ERR_OK) err = settle_place(g, ret, e);
  return err == ERR_OK ? ERR_OK : group_fail(g, err, e);
}

// What the log needs to be begun at that place is remembered before anything of it goes: unless it is already.
enum err group_forget(struct log *l, const struct group_forgetting *f, bool *ret_more, struct error *e) {
  unsigned removed = 0;
  if (!MUTANT(group_prune_first)) TRY(group_log_save_snapshot(l, &f->membership, f->index, f->term, e));
  TRY(log_prune(l, f->first, PRUNE_SEGMENTS_MAX, &removed, e));
  *ret_more = removed == PRUNE_SEGMENTS_MAX;
  return ERR_OK;
}
