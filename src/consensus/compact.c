// The log may forget what the store holds durably (G13).
#include <inttypes.h>

#include "consensus/consensus_int.h"

/// G13: what is not applied, or not durable, is still needed after a crash.
static enum err refuse(const struct consensus *c, uint64_t index, struct error *e) {
  if (c->installing || queue_cuts(c)) return error_set(e, ERR_BUSY, "the log is being cut or replaced");
  if (MUTANT(raft_compact_unapplied)) return ERR_OK;
  uint64_t most = MIN(c->applied_index, c->durable_index);
  if (index > most) {
    return error_set(e, ERR_INVALID, "the log cannot forget %" PRIu64 ": applied and durable is %" PRIu64, index, most);
  }
  return ERR_OK;
}

/// G5: followers may still ask for as much as can be under way twice over; an append that comes late must find its anchor.
static uint64_t trailing_of(const struct consensus *c, uint64_t trailing) {
  if (MUTANT(raft_trailing)) return trailing;
  return MIN(MAX(trailing, 2 * (uint64_t) c->options.inflight_entries_max), UINT32_MAX);
}

/// Our picture of the log loses what the engine's loses.
static enum err compact(struct consensus *c, uint64_t index, uint64_t trailing, struct error *e) {
  uint64_t term = terms_at(&c->terms, index);
  const struct consensus_membership *m = memberships_at(&c->memberships, index);
  if (term == 0 || m == NULL)
    return error_set(e, ERR_INTERNAL, "entry %" PRIu64 " is applied and has no term or membership", index);
  struct engine_output out;
  TRY(engine_compacted(c->engine, c->now_ms, index, term, m, trailing, &out, e));
  TRY(update_absorb(c, &out, NULL, e));
  c->terms.snapshot_index = index;
  c->terms.snapshot_term = term;
  if (index > trailing && index - trailing >= c->terms.first_index) terms_forget(&c->terms, index - trailing);
  memberships_forget(&c->memberships, index);
  return ERR_OK;
}

enum err consensus_compact(struct consensus *c, uint64_t now_ms, uint64_t index, uint64_t trailing, uint64_t *ret_first,
                           struct error *e) {
  TRY(usable(c, e));
  TRY(refuse(c, index, e));
  update_begin(c, now_ms);
  enum err err = index > c->terms.snapshot_index ? compact(c, index, trailing_of(c, trailing), &c->failure) : ERR_OK;
  err = update_finish(c, err, e);
  if (err == ERR_OK) *ret_first = c->terms.first_index;
  return err;
}
