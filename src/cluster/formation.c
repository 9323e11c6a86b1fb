// The life of a formation: whatever a step decides (formation_decide.c) is on the disk before it is said, and so is what becomes of the
// identity afterwards.
#include "cluster/formation_int.h"

#include "base/mem.h"
#include "base/mutant.h"

enum { SETTLE_MS = 2000, PROGRESS_MS = 10000, PATIENCE_MS = 10000 };

// ---- a step ----

static bool is_another(const struct identity *a, const struct identity *b) {
  return a->state != b->state || a->number != b->number || !same_founding(&a->founding, &b->founding);
}

static uint32_t founders_needed(const struct formation *f, uint32_t listed) {
  return MUTANT(formation_majority) ? f->options.minimum : MIN(MAX(f->options.minimum, listed / 2 + 1), FOUNDERS_MAX);
}

enum err formation_step(struct formation *f, int64_t now_ms, const struct directory_copy *view, uint32_t listed,
                        bool *ret_changed, struct error *e) {
  *ret_changed = false;
  if (f->failed != ERR_OK) return error_set(e, f->failed, "%s", f->why.message);
  if (f->first_step_ms == 0) f->first_step_ms = now_ms;
  struct step s = {.f = f,
                   .self = &f->identity,
                   .own = &view->servers[0].said,
                   .view = view,
                   .now_ms = now_ms,
                   .needed = founders_needed(f, listed),
                   .listed = listed,
                   .next = f->identity};
  TRY(formation_decide(&s, e));
  if (!is_another(&s.next, &f->identity)) return ERR_OK;
  f->failed = identity_save(f->options.disk, f->options.folder, &s.next, &f->why);
  if (f->failed != ERR_OK) return error_set(e, f->failed, "%s", f->why.message);
  f->identity = s.next;
  *ret_changed = true;
  return ERR_OK;
}

void formation_describe(const struct formation *f, struct announcement *self) {
  self->server = f->identity.server;
  self->epoch = f->identity.epoch;
  self->sequence = f->identity.sequence;
  self->number = f->identity.number;
  self->mode = f->options.mode;
  self->state = MIN(f->identity.state, IDENTITY_BOUND); // that it was dropped is what the others say
  self->founding = f->identity.founding.count > 0 ? &f->identity.founding : NULL;
}

bool formation_result(const struct formation *f, struct formation_result *ret) {
  const struct identity *i = &f->identity;
  if (i->state != IDENTITY_BOUND) return false;
  *ret = (struct formation_result){.number = i->number,
                                   .begun = i->begun,
                                   .starts = f->starts,
                                   .joined_existing = founding_find(&i->founding, i->server) == NULL,
                                   .founding = i->founding};
  return true;
}

enum err formation_begun(struct formation *f, struct error *e) {
  struct identity next = f->identity;
  if (next.begun) return ERR_OK;
  next.begun = true;
  TRY(identity_save(f->options.disk, f->options.folder, &next, e));
  f->identity = next;
  return ERR_OK;
}

enum err formation_drop(struct formation *f, struct error *e) {
  struct identity next = f->identity;
  if (next.state != IDENTITY_BOUND) return ERR_OK;
  next.state = IDENTITY_DROPPED;
  TRY(identity_save(f->options.disk, f->options.folder, &next, e));
  f->identity = next;
  return ERR_OK;
}

// ---- older copies ----

/// Above every start that this server is known to have had. Whatever of the two writes is lost, whoever knows says so again.
enum err formation_renew(struct formation *f, struct start known, struct error *e) {
  struct identity next = f->identity;
  next.sequence = MAX(next.sequence, known.number);
  if (next.sequence >= STARTS_NUMBER_MAX) return error_set(e, ERR_CORRUPT, "a start of number %llu cannot be", (unsigned long long) known.number);
  TRY(starts_renew(f->options.disk, f->options.folder, next.server, next.sequence + 1, &f->starts, e));
  TRY(identity_save(f->options.disk, f->options.folder, &next, e));
  f->identity = next;
  return ERR_OK;
}

enum err formation_settle(struct formation *f, struct error *e) {
  return f->starts.renewing ? starts_settle(f->options.disk, f->options.folder, f->identity.server, &f->starts, e) : ERR_OK;
}

static enum err begin_start(struct formation *f, struct start *ret_older, struct error *e) {
  const struct formation_options *o = &f->options;
  return starts_begin(o->disk, o->folder, f->identity.server, f->identity.epoch, o->random, &f->starts, ret_older, e);
}

/// An identity that was put back alone is older than the starts beside it.
static enum err open_starts(struct formation *f, struct error *e) {
  struct start older;
  if (f->options.mode != SERVER_CORE) return ERR_OK;
  TRY(begin_start(f, &older, e));
  if (older.number == 0) return ERR_OK;
  event_raise(f->options.events, EVENT_WARN, "cluster.formation.older",
              "The identity of this server was put back from an older copy: in each of its groups it is another member now. The others "
              "bring it up to date, and vote its former self out.");
  TRY(formation_renew(f, older, e));
  f->identity.epoch = f->identity.sequence;
  return begin_start(f, &older, e);
}

// ---- life ----

static enum err refuse_dropped(const struct identity *i, struct error *e) {
  return error_set(
      e, ERR_INVALID,
      "this server was dropped from cluster %s (DROP SERVER) and takes no part in it any more; its data is as it was then. To "
      "have it "
      "join as a new server, start it with an empty data folder; to have its data served by itself, run `quiver admin server "
      "unbind` and start it with dbms.mode=SINGLE",
      uuid_text(i->founding.cluster).z);
}

/// What a single server founded for its replicas binds no core: it may found a cluster with others now.
static enum err leave_alone(struct formation *f, struct error *e) {
  struct identity *i = &f->identity;
  bool alone = i->state == IDENTITY_BOUND && !i->begun && i->founding.count == 1 && i->founding.seed == i->number;
  if (f->options.mode != SERVER_CORE || !alone) return ERR_OK;
  i->state = IDENTITY_UNBOUND;
  i->founding = (struct founding){0};
  return identity_save(f->options.disk, f->options.folder, i, e);
}

enum err formation_open(const struct formation_options *options, struct formation **ret, struct error *e) {
  if (options->minimum < 1 || options->minimum > FOUNDERS_MAX)
    return error_set(e, ERR_INVALID,
                     "a cluster is founded by 1 to %u servers, not %u: see dbms.cluster.minimum_initial_system_primaries_count",
                     FOUNDERS_MAX, options->minimum);
  struct formation *f = mem_zalloc(sizeof *f);
  if (f == NULL) return error_set(e, ERR_NOMEM, "no memory for the formation of a cluster");
  f->options = *options;
  if (f->options.settle_ms == 0) f->options.settle_ms = SETTLE_MS;
  if (f->options.progress_ms == 0) f->options.progress_ms = PROGRESS_MS;
  if (f->options.patience_ms == 0) f->options.patience_ms = PATIENCE_MS;
  enum err err = identity_open(options->disk, options->folder, options->random, &f->identity, e);
  if (err == ERR_OK && f->identity.state == IDENTITY_DROPPED) err = refuse_dropped(&f->identity, e);
  if (err == ERR_OK) err = leave_alone(f, e);
  if (err == ERR_OK) err = open_starts(f, e);
  if (err != ERR_OK) {
    mem_free(f);
    return err;
  }
  *ret = f;
  return ERR_OK;
}

void formation_close(struct formation *f) {
  mem_free(f);
}

const struct identity *formation_identity(const struct formation *f) {
  return &f->identity;
}
