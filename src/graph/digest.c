// Rounds of digests: the request in the log, what is held on to when it is applied, steps of the sum, and what comes of it.
#include "graph/digest_int.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "graph/apply_int.h"

enum { REQUEST_VERSION = 1 };

const char *digest_of_text(enum digest_of of) {
  return of == DIGEST_NODES ? "nodes" : of == DIGEST_RELS ? "relationships" : "names";
}

// ---- requests: docs/formats/log.md ----

void digest_request_put(uint8_t to[DIGEST_REQUEST_BYTES], const struct digest_request *r) {
  memset(to, 0, DIGEST_REQUEST_BYTES);
  put_u16_le(to, REQUEST_VERSION);
  to[2] = (uint8_t) r->range.of;
  to[3] = (uint8_t) r->voters;
  put_u64_le(to + 8, r->range.from);
  put_u64_le(to + 16, r->range.to);
}

bool digest_request_get(struct str from, struct digest_request *ret) {
  const uint8_t *at = (const uint8_t *) from.ptr;
  if (from.len != DIGEST_REQUEST_BYTES || get_u16_le(at) != REQUEST_VERSION) return false;
  struct digest_range range = {(enum digest_of) at[2], get_u64_le(at + 8), get_u64_le(at + 16)};
  *ret = (struct digest_request){range, at[3]};
  return at[2] >= DIGEST_NODES && at[2] < DIGEST_OF_MAX && range.from <= range.to && range.to <= GRAPH_ID_MAX + 1;
}

static struct digest_range range_from(enum digest_of of, graph_id from, uint64_t ids, const graph_id high[2]) {
  graph_id end = of == DIGEST_NODES ? high[GRAPH_NODE] : of == DIGEST_RELS ? high[GRAPH_REL] : 0;
  return (struct digest_range){of, MIN(from, end), MIN(from + ids, end)};
}

struct digest_range digest_range_after(const struct digest_range *last, uint64_t ids, const graph_id high[2]) {
  bool more =
      (last->of == DIGEST_NODES && last->to < high[GRAPH_NODE]) || (last->of == DIGEST_RELS && last->to < high[GRAPH_REL]);
  if (more) return range_from(last->of, last->to, ids, high);
  return range_from(last->of == DIGEST_NODES ? DIGEST_RELS : last->of == DIGEST_RELS ? DIGEST_NAMES : DIGEST_NODES, 0, ids, high);
}

// ---- life ----

static void job_end(struct digest_job *job) {
  page_snapshot_close(&job->snapshot);
  schema_release(job->schema);
  *job = (struct digest_job){0};
}

void digests_init(struct digests *d) {
  mutex_init(&d->mutex);
  arena_init(&d->sum.arena, NULL);
}

void digests_done(struct digests *d) {
  job_end(&d->asked);
  job_end(&d->job);
  arena_done(&d->sum.arena);
  buf_done(&d->sum.bytes);
  mutex_done(&d->mutex);
}

// ---- asking ----

bool graph_digest_is_due(struct graph *g) {
  struct digests *d = &g->digests;
  if (atomic_load(&g->commits.term) == 0) return false;
  mutex_lock(&d->mutex);
  bool due = !d->on_its_way && (d->under_way || atomic_load(&d->changed) > d->cycle_index);
  mutex_unlock(&d->mutex);
  return due;
}

void graph_digest_again(struct graph *g) {
  mutex_lock(&g->digests.mutex);
  g->digests.under_way = true;
  mutex_unlock(&g->digests.mutex);
}

static void request_landed(struct flight *f, enum err err UNUSED) {
  struct graph *g = f->context;
  mutex_lock(&g->digests.mutex);
  g->digests.on_its_way = false;
  mutex_unlock(&g->digests.mutex);
  flight_free(f);
}

/// False: there is one on its way.
static bool claim_request(struct graph *g, struct digest_range *ret) {
  struct digests *d = &g->digests;
  graph_id high[2] = {[GRAPH_NODE] = atomic_load(&g->next_node), [GRAPH_REL] = atomic_load(&g->next_rel)};
  uint64_t ids = g->options.digest_range_ids > 0 ? g->options.digest_range_ids : DIGEST_RANGE_IDS;
  mutex_lock(&d->mutex);
  bool mine = !d->on_its_way;
  d->on_its_way = true;
  *ret = digest_range_after(&d->last_asked, ids, high);
  mutex_unlock(&d->mutex);
  return mine;
}

static enum err send_request(struct graph *g, struct flight *f, const struct digest_request *r, struct error *e) {
  uint8_t bytes[DIGEST_REQUEST_BYTES];
  uint64_t term;
  digest_request_put(bytes, r);
  if (f == NULL || buf_append(&f->bytes, bytes, sizeof bytes) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  f->landed = request_landed;
  f->context = g;
  TRY(commits_term(g, &term, e));
  return commits_submit(g, f, LOG_STATE_DIGEST, term, e);
}

enum err graph_digest_ask(struct graph *g, uint32_t voters, struct error *e) {
  struct digest_request r = {.voters = voters};
  assert(voters <= UINT8_MAX);
  if (!claim_request(g, &r.range)) return error_set(e, ERR_BUSY, "A digest is on its way.");
  struct flight *f = flight_make();
  enum err err = send_request(g, f, &r, e);
  if (err == ERR_OK) return ERR_OK;
  flight_free(f);
  mutex_lock(&g->digests.mutex);
  g->digests.on_its_way = false;
  mutex_unlock(&g->digests.mutex);
  return err;
}

// ---- applied ----

bool digest_is_request(const struct flight *f) {
  return f->entries[f->entry_count - 1].kind == LOG_STATE_DIGEST;
}

/// Under the mutex. Everybody knows how far the comparison has come: whoever leads next goes on there.
static void note_place(struct digests *d, const struct digest_range *range, uint64_t index) {
  d->last_asked = *range;
  if (range->of == DIGEST_NODES && range->from == 0) d->cycle_index = index;
  d->under_way = range->of != DIGEST_NAMES;
}

/// One that was not begun, or is not done, gives way: its result would be compared with nobody's.
static void begin(struct graph *g, const struct flight *f) {
  struct digests *d = &g->digests;
  struct digest_job job = {.index = f->end_index};
  if (!digest_request_get(buf_str(&f->bytes), &job.request)) return;
  bool counts = page_snapshot_open(g->space, &job.snapshot, NULL) == ERR_OK;
  if (counts) job.schema = graph_schema(g);
  for (int kind = 0; kind < GRAPH_TOKEN_KIND_MAX; kind++) job.tokens[kind] = g->tokens.kinds[kind].count;
  mutex_lock(&d->mutex);
  note_place(d, &job.request.range, job.index);
  struct digest_job before = d->asked;
  if (counts) d->asked = job;
  mutex_unlock(&d->mutex);
  if (!counts) return;
  job_end(&before);
  graph_work(g, GRAPH_SCRUBBER);
}

void digest_note(struct graph *g, const struct flight *applied) {
  for (const struct flight *f = applied; f != NULL; f = f->next) {
    if (digest_is_request(f))
      begin(g, f);
    else if (f->bytes.len > 0)
      atomic_store(&g->digests.changed, f->end_index);
  }
}

// ---- adding up ----

static void take_asked(struct digests *d) {
  mutex_lock(&d->mutex);
  struct digest_job asked = d->asked;
  d->asked = (struct digest_job){0};
  mutex_unlock(&d->mutex);
  if (asked.snapshot.space == NULL) return;
  job_end(&d->job);
  d->job = asked;
  d->sum.at = asked.request.range.from;
  d->sum.digest = d->sum.entities = 0;
}

static void finish(struct digests *d, bool readable) {
  struct digest_result r = {
      .range = d->job.request.range, .index = d->job.index, .entities = d->sum.entities, .voters = d->job.request.voters};
  if (readable) r.digest = d->sum.digest != 0 ? d->sum.digest : 1;
  job_end(&d->job);
  d->finished++;
  mutex_lock(&d->mutex);
  d->last = r;
  mutex_unlock(&d->mutex);
}

static bool may_be_tried_again(enum err err) {
  return err == ERR_NOMEM || err == ERR_MEMORY_POOL || err == ERR_LIMIT;
}

static enum err add_some(struct graph *g, struct error *e) {
  struct digests *d = &g->digests;
  struct page_access *access;
  TRY(graph_access_take(g, &access, e));
  enum err err = digest_add(g, &d->job, access, &d->sum, e);
  graph_access_give(g, access);
  return err;
}

enum err digest_step(struct graph *g, bool *ret_more, struct error *e) {
  struct digests *d = &g->digests;
  struct error why = ERROR_INIT;
  take_asked(d);
  *ret_more = false;
  if (d->job.snapshot.space == NULL) return ERR_OK;
  enum err err = add_some(g, &why);
  if (may_be_tried_again(err)) return error_set(e, err, "%s", why.message);
  if (err != ERR_OK)
    event_raise(g->options.events, EVENT_ERROR, "graph.digest", "Not all %s can be read: %s",
                digest_of_text(d->job.request.range.of), why.message);
  if (err != ERR_OK || d->sum.at >= d->job.request.range.to) finish(d, err == ERR_OK);
  *ret_more = d->job.snapshot.space != NULL;
  return ERR_OK;
}

void graph_digest_last(struct graph *g, struct digest_result *ret) {
  mutex_lock(&g->digests.mutex);
  *ret = g->digests.last;
  mutex_unlock(&g->digests.mutex);
}
