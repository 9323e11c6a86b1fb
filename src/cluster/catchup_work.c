// What the server of catch-up does with databases, on its work thread: one job at a time, in the order in which they came.
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "cluster/catchup_server_int.h"

// ---- pins ----

struct catchup_held *catchup_find_held(struct catchup_server *s, uint64_t id) {
  for (struct catchup_held *h = s->held; h != NULL; h = h->next)
    if (h->id == id) return h;
  return NULL;
}

struct catchup_held *catchup_take_held(struct catchup_server *s, const struct catchup_database *database) {
  int64_t now_ns = clock_monotonic_ns(s->options.clock);
  struct catchup_held *taken = NULL;
  for (struct catchup_held **at = &s->held; *at != NULL;) {
    struct catchup_held *h = *at;
    bool goes = database != NULL ? h->database == database : h->users == 0 && h->expires_ns <= now_ns;
    if (!goes) {
      at = &h->next;
      continue;
    }
    *at = h->next;
    h->next = taken;
    taken = h;
    s->held_count--;
  }
  return taken;
}

void catchup_give_back(struct catchup_held *list) {
  for (struct catchup_held *h; (h = list) != NULL;) {
    list = h->next;
    h->database->source->unpin(h->database->source, &h->pin);
    mem_free(h);
  }
}

static int64_t pin_until_ns(const struct catchup_server *s) {
  return clock_monotonic_ns(s->options.clock) + (s->options.pin_ms + s->options.idle_ms) * NS_PER_MS;
}

// ---- answers ----

static enum err answer(struct catchup_job *j, const struct catchup_message *m) {
  return catchup_message_put(&j->answer, j->number, m);
}

static void count(struct catchup_server *s, uint64_t *counter, uint64_t more) {
  mutex_lock(&s->lock);
  *counter += more;
  mutex_unlock(&s->lock);
}

static enum err refuse(struct catchup_job *j, enum catchup_refusal reason, uint64_t index) {
  struct catchup_server *s = j->client->server;
  count(s, &s->stats.refused, 1);
  return answer(j, &(struct catchup_message){.type = CATCHUP_REFUSED, .refused = {reason, index}});
}

static enum err refuse_error(struct catchup_job *j, enum err err, const struct error *e) {
  struct catchup_server *s = j->client->server;
  event_raise(s->options.events, EVENT_WARN, "cluster.catchup.unable", "cannot give server %llu at %s what it asks for: %s",
              (unsigned long long) j->client->number, j->client->remote, e->message);
  return refuse(j, err == ERR_CORRUPT ? CATCHUP_DAMAGED : err == ERR_LIMIT ? CATCHUP_BUSY : CATCHUP_UNABLE, 0);
}

// ---- copies ----

static struct catchup_held *find_identity(struct catchup_server *s, const struct catchup_database *d, uint64_t identity) {
  for (struct catchup_held *h = s->held; h != NULL; h = h->next)
    if (h->database == d && h->pin.checkpoint.identity.checksum == identity) return h;
  return NULL;
}

// The lock is held.
static struct catchup_held *use(struct catchup_server *s, const struct catchup_database *d, const struct catchup_message *asked) {
  struct catchup_held *h = asked->copy.identity != 0 ? find_identity(s, d, asked->copy.identity) : NULL;
  if (h != NULL && h->pin.checkpoint.identity.applied.index < asked->copy.least_index) h = NULL;
  if (h != NULL) h->users++;
  return h;
}

static struct catchup_held *take_unused(struct catchup_server *s) {
  for (struct catchup_held **at = &s->held; *at != NULL; at = &(*at)->next) {
    struct catchup_held *h = *at;
    if (h->users > 0) continue;
    *at = h->next;
    h->next = NULL;
    s->held_count--;
    return h;
  }
  return NULL;
}

static enum err hold(struct catchup_server *s, struct catchup_database *d, struct catchup_held **ret, struct error *e) {
  struct catchup_held *h = mem_zalloc(sizeof *h);
  if (h == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = d->source->pin(d->source, pin_until_ns(s), &h->pin, e);
  if (err != ERR_OK) {
    mem_free(h);
    return err;
  }
  h->database = d;
  *ret = h;
  return ERR_OK;
}

// Whoever copies the same checkpoint shares a pin. Otherwise one that nobody uses any more has to go where there are too many;
// NULL: nobody's is unused. What is in `*ret_spare` then goes back.
static struct catchup_held *share(struct catchup_server *s, struct catchup_held *h, struct catchup_held **ret_spare) {
  struct catchup_held *same = find_identity(s, h->database, h->pin.checkpoint.identity.checksum);
  *ret_spare = same != NULL ? h : s->held_count >= s->options.copies_max ? take_unused(s) : NULL;
  if (same != NULL) return same;
  if (s->held_count >= s->options.copies_max) {
    *ret_spare = h;
    return NULL;
  }
  h->id = ++s->held_ids;
  h->next = s->held;
  s->held = h;
  s->held_count++;
  return h;
}

static struct catchup_held *use_new(struct catchup_server *s, struct catchup_held *h) {
  struct catchup_held *spare = NULL;
  mutex_lock(&s->lock);
  struct catchup_held *used = share(s, h, &spare);
  if (used != NULL) used->users++;
  mutex_unlock(&s->lock);
  catchup_give_back(spare);
  return used;
}

static enum err begin_copy(struct catchup_job *j, const struct catchup_held *h) {
  uint8_t head[CHECKPOINT_HEAD_BYTES];
  const struct checkpoint_identity *i = &h->pin.checkpoint.identity;
  checkpoint_head(&h->pin.checkpoint, head);
  j->held = h->id;
  j->position = i->checksum == j->asked.copy.identity ? j->asked.copy.position : CHECKPOINT_FIRST;
  return answer(j, &(struct catchup_message){.type = CATCHUP_HEAD, .head = head});
}

static enum err do_copy(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  struct error e = ERROR_INIT;
  mutex_lock(&s->lock);
  struct catchup_held *h = use(s, d, &j->asked);
  mutex_unlock(&s->lock);
  if (h != NULL) return begin_copy(j, h);
  enum err err = hold(s, d, &h, &e);
  if (err != ERR_OK) return refuse_error(j, err, &e);
  uint64_t index = h->pin.checkpoint.identity.applied.index;
  if (index < j->asked.copy.least_index) {
    catchup_give_back(h);
    return refuse(j, CATCHUP_BEHIND, index);
  }
  h = use_new(s, h);
  return h != NULL ? begin_copy(j, h) : refuse(j, CATCHUP_BUSY, 0);
}

static enum err do_piece(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  struct error e = ERROR_INIT;
  size_t bytes = 0;
  TRY(buf_reserve(&j->answer, 2 * PAGE_BYTES + CHECKPOINT_PIECE_BYTES_MAX));
  uint8_t *start = (uint8_t *) j->answer.data, *pages = page_align(start + CATCHUP_HEADER_BYTES); // they are sent from there
  mutex_lock(&s->lock);
  struct catchup_held *h = catchup_find_held(s, j->held);
  mutex_unlock(&s->lock);
  if (h == NULL || h->database != d) return refuse(j, CATCHUP_NO_DATABASE, 0);
  enum err err = d->source->renew(d->source, &h->pin, pin_until_ns(s), &e);
  if (err == ERR_OK) err = d->source->read(d->source, &h->pin, &j->position, pages, &bytes, &e);
  if (err != ERR_OK) return refuse_error(j, err, &e);
  count(s, &s->stats.pieces, bytes > 0);
  count(s, &s->stats.piece_bytes, bytes);
  j->ended = bytes == 0;
  if (j->ended) return answer(j, &(struct catchup_message){.type = CATCHUP_END, .identity = h->pin.checkpoint.identity.checksum});
  catchup_message_put_before(pages, bytes, j->number);
  j->from = (size_t) (pages - start) - CATCHUP_HEADER_BYTES;
  j->answer.len = (size_t) (pages - start) + bytes;
  return ERR_OK;
}

// Nobody else may be copying it.
static enum err do_done(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  struct catchup_held *gone = NULL;
  mutex_lock(&s->lock);
  struct catchup_held *h = find_identity(s, d, j->asked.identity);
  if (h != NULL && h->id == j->held) {
    h->users--;
    j->held = 0;
  }
  if (h != NULL && h->users == 0) h->expires_ns = INT64_MIN;
  gone = catchup_take_held(s, NULL);
  mutex_unlock(&s->lock);
  catchup_give_back(gone);
  return ERR_OK;
}

// ---- the log ----

// Whether the entry that the client has last is one of this log.
static enum catchup_refusal judge(struct catchup_source *source, const struct catchup_pull *p, const struct catchup_status *now,
                                  uint64_t *ret_index) {
  uint64_t term = 0;
  *ret_index = now->generation;
  if (p->generation != 0 && p->generation != now->generation && !MUTANT(pull_generation)) return CATCHUP_GENERATION;
  *ret_index = now->commit_index;
  if (p->index > now->commit_index) return CATCHUP_AHEAD;
  *ret_index = now->first_index;
  if (p->index + 1 < now->first_index) return CATCHUP_PRUNED;
  *ret_index = p->index;
  if (p->index == 0) return CATCHUP_ACCEPTED;
  if (source->term_at(source, p->index, &term, NULL) != ERR_OK) return CATCHUP_PRUNED;
  return term == p->term || MUTANT(pull_diverged) ? CATCHUP_ACCEPTED : CATCHUP_DIVERGED;
}

static enum err do_pull(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  const struct catchup_pull *p = &j->asked.pull;
  struct catchup_status now;
  struct error e = ERROR_INIT;
  struct buf entries = BUF_INIT;
  uint64_t index = 0;
  uint32_t found = 0;
  enum err err = d->source->status(d->source, &now, &e);
  if (err != ERR_OK) return refuse_error(j, err, &e);
  enum catchup_refusal refusal = judge(d->source, p, &now, &index);
  if (refusal != CATCHUP_ACCEPTED) return refuse(j, refusal, index);
  err = d->source->read_log(d->source, p->index, MIN(MAX(p->bytes_max, 1u), s->options.pull_bytes_max), &entries, &found, &e);
  j->waits = err == ERR_OK && found == 0 && p->wait_ms > 0;
  count(s, &s->stats.entries, found);
  if (err == ERR_NOTFOUND)
    err = refuse(j, CATCHUP_PRUNED, now.first_index);
  else if (err != ERR_OK)
    err = refuse_error(j, err, &e);
  else
    err = answer(j, &(struct catchup_message){.type = CATCHUP_ENTRIES,
                                              .entries = {now.commit_index, found, (const uint8_t *) entries.data, entries.len}});
  buf_done(&entries);
  return err;
}

static enum err do_status(struct catchup_database *d, struct catchup_job *j) {
  struct catchup_message m = {.type = CATCHUP_STATUS};
  struct error e = ERROR_INIT;
  enum err err = d->source->status(d->source, &m.status, &e);
  return err == ERR_OK ? answer(j, &m) : refuse_error(j, err, &e);
}

// ---- jobs ----

static enum err run(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  if (d == NULL) return refuse(j, CATCHUP_NO_DATABASE, 0);
  if (j->piece) return do_piece(s, d, j);
  switch (j->asked.type) {
  case CATCHUP_ASK_STATUS: return do_status(d, j);
  case CATCHUP_ASK_COPY: return do_copy(s, d, j);
  case CATCHUP_DONE: return do_done(s, d, j);
  case CATCHUP_ASK_PULL: return do_pull(s, d, j);
  default: return ERR_INTERNAL; // the link lets through requests only
  }
}

static struct catchup_job *take_job(struct catchup_server *s, struct catchup_database **ret_database) {
  struct catchup_job *j = s->first;
  if (j == NULL) return NULL;
  s->first = j->next;
  if (s->first == NULL) s->last = NULL;
  j->queued = false;
  *ret_database = catchup_find(s, j->asked.database);
  if (*ret_database != NULL) j->touches = (*ret_database)->touches;
  return j;
}

// Without the lock nobody else takes a database away meanwhile.
static void work_on(struct catchup_server *s, struct catchup_database *d, struct catchup_job *j) {
  buf_clear(&j->answer);
  j->from = 0;
  j->ended = j->waits = false;
  if (run(s, d, j) != ERR_OK) buf_clear(&j->answer); // no memory: the connection ends without an answer
}

void catchup_server_work(struct catchup_server *s, bool *ret_worked) {
  struct catchup_database *d = NULL;
  mutex_lock(&s->lock);
  s->working = true;
  struct catchup_held *expired = catchup_take_held(s, NULL);
  struct catchup_job *j = take_job(s, &d);
  mutex_unlock(&s->lock);
  catchup_give_back(expired);
  if (j != NULL) work_on(s, d, j);
  mutex_lock(&s->lock);
  s->working = false;
  condition_broadcast(&s->idle);
  if (j != NULL) j->posted = true;
  mutex_unlock(&s->lock);
  *ret_worked = j != NULL;
  if (j != NULL) loop_post(s->loop, &j->client->done);
}
