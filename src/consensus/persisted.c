// What the disk has. The engine is told how far its log is durable, and nothing that is still to be overwritten counts.
#include <string.h>

#include "base/mem.h"
#include "consensus/consensus_int.h"

enum err queue_push(struct consensus *c, const struct pending_write *w, struct error *e) {
  TRY(array_grow(&c->queue, &c->queue_capacity, c->queue_count, sizeof *c->queue, e));
  c->queue[c->queue_count++] = *w;
  return ERR_OK;
}

bool queue_cuts(const struct consensus *c) {
  for (size_t i = 0; i < c->queue_count; i++) {
    if (c->queue[i].cuts) return true;
  }
  return false;
}

/// G11: how far the log is durable when the write at `done` is and those behind it are queued. A queued write voids what the disk
/// has from its first index on, even where the same index comes back with another entry (ABA); a queued install voids all.
static uint64_t durable_after(const struct consensus *c, size_t done) {
  uint64_t reached = c->queue[done].last_index;
  for (size_t i = done + 1; i < c->queue_count && !MUTANT(raft_persisted_aba); i++) {
    if (c->queue[i].kind == CONSENSUS_WRITE_INSTALL) return 0;
    reached = MIN(reached, c->queue[i].first_index - 1);
  }
  return reached;
}

enum err entries_durable(struct consensus *c, uint64_t reached, struct error *e) {
  if (MUTANT(raft_persisted_aba)) reached = MIN(reached, c->terms.last_index);
  if (c->installing || reached <= c->durable_index) return ERR_OK;
  c->durable_index = reached;
  struct engine_output out;
  TRY(engine_persisted(c->engine, c->now_ms, reached, &out, e));
  return update_absorb(c, &out, NULL, e);
}

/// The copy is there, log and store behind it: PERSISTED_SNAPSHOT comes last (G13).
enum err install_durable(struct consensus *c, struct error *e) {
  uint64_t index = c->terms.snapshot_index;
  c->installing = false;
  c->durable_index = index;
  struct engine_output out;
  TRY(engine_installed(c->engine, c->now_ms, index, c->terms.snapshot_term, &c->installing_membership, &out, e));
  TRY(update_absorb(c, &out, NULL, e));
  c->applied_index = MAX(c->applied_index, index);
  c->apply_index = MAX(c->apply_index, index);
  return ERR_OK;
}

/// The last of the queue's first `count` before `from` that the engine is told of at once: up to an install or the end.
static size_t run_end(const struct consensus *c, size_t from, size_t count) {
  size_t end = from + 1;
  if (c->queue[from].kind == CONSENSUS_WRITE_INSTALL) return end;
  while (end < count && c->queue[end].kind == CONSENSUS_WRITE_ENTRIES) end++;
  return end;
}

/// The first `count` of the queue are durable, in order.
static enum err report(struct consensus *c, size_t count, struct error *e) {
  for (size_t from = 0, end; from < count; from = end) {
    end = run_end(c, from, count);
    if (c->queue[from].kind == CONSENSUS_WRITE_INSTALL) {
      TRY(install_durable(c, e));
    } else {
      TRY(entries_durable(c, durable_after(c, end - 1), e));
    }
  }
  return ERR_OK;
}

enum err consensus_persisted(struct consensus *c, uint64_t now_ms, uint64_t id, struct error *e) {
  TRY(usable(c, e));
  update_begin(c, now_ms);
  enum err err = ERR_OK;
  size_t count = 0;
  while (count < c->queue_count && c->queue[count].id <= id) count++;
  if (count == 0 || c->queue[count - 1].id != id) {
    err = error_set(&c->failure, ERR_INVALID, "write %llu is reported durable, which is not queued", (unsigned long long) id);
  }
  if (err == ERR_OK) err = report(c, count, &c->failure);
  c->queue_count -= count;
  if (c->queue_count > 0) memmove(c->queue, c->queue + count, c->queue_count * sizeof *c->queue);
  return update_finish(c, err, e);
}

enum err consensus_applied(struct consensus *c, uint64_t now_ms, uint64_t index, struct error *e) {
  TRY(usable(c, e));
  update_begin(c, now_ms);
  enum err err = ERR_OK;
  if (index > c->apply_index) {
    err = error_set(&c->failure, ERR_INVALID, "entry %llu is reported applied, and only up to %llu may be",
                    (unsigned long long) index, (unsigned long long) c->apply_index);
  }
  c->applied_index = MAX(c->applied_index, MIN(index, c->apply_index));
  return update_finish(c, err, e);
}
