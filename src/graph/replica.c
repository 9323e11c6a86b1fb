#include "graph/replica.h"

#include "base/mem.h"
#include "base/mutant.h"
#include "graph/apply_int.h"

enum {
  PROPOSE_ENTRIES_MAX = 256, // at once; a transaction that has more goes alone
  PROPOSE_BYTES_MAX = 4 << 20,
  QUEUED_FLIGHTS_MAX = 8192, // committed and not yet taken by the applier
  QUEUED_BYTES_MAX = 16 << 20,
};

// ---- proposing ----

/// What one proposal takes: transactions of one term, whole ones.
static struct flight_list take_waiting(struct commits *c, size_t *ret_entries) {
  struct flight_list taken = {0};
  size_t entries = 0, bytes = 0;
  mutex_lock(&c->mutex);
  for (struct flight *f; (f = c->replica.waiting.first) != NULL; flight_push(&taken, flight_pop(&c->replica.waiting))) {
    bool more = taken.first == NULL || (f->term == taken.first->term && entries + f->entry_count <= PROPOSE_ENTRIES_MAX &&
                                        bytes + f->bytes.len <= PROPOSE_BYTES_MAX);
    if (!more) break;
    entries += f->entry_count;
    bytes += f->bytes.len;
  }
  mutex_unlock(&c->mutex);
  *ret_entries = entries;
  return taken;
}

static void put_back(struct commits *c, struct flight_list *taken) {
  taken->last->next = c->replica.waiting.first;
  if (c->replica.waiting.last == NULL) c->replica.waiting.last = taken->last;
  c->replica.waiting.first = taken->first;
}

/// Each transaction knows its place now.
static void note_places(struct flight *f, const struct log_entry *entries) {
  for (; f != NULL; f = f->next) {
    for (size_t i = 0; i < f->entry_count; i++) {
      f->entries[i].index = entries->index;
      f->entries[i].term = entries->term;
      f->entries[i].commit_time_ns = entries->commit_time_ns;
      entries++;
    }
    f->end_index = f->entries[f->entry_count - 1].index;
  }
}

static enum err propose_list(struct flight_list *list, size_t count, graph_proposer *propose, void *context, struct error *e) {
  struct log_entry few[PROPOSE_ENTRIES_MAX], *entries = few;
  if (count > PROPOSE_ENTRIES_MAX) entries = mem_alloc(count * sizeof *entries);
  if (entries == NULL) return error_ensure(e, ERR_NOMEM);
  size_t n = 0;
  for (struct flight *f = list->first; f != NULL; f = f->next)
    for (size_t i = 0; i < f->entry_count; i++) entries[n++] = f->entries[i];
  enum err err = propose(context, list->first->term, entries, count, e);
  if (err == ERR_OK) note_places(list->first, entries);
  if (entries != few) mem_free(entries);
  return err;
}

/// Anything else but success has ended the group, which may have the entries, or not.
static bool was_not_taken(enum err err) {
  return err == ERR_LIMIT || err == ERR_NOMEM || (err != ERR_OK && MUTANT(replica_failed));
}

/// What came of a proposal.
static enum err settle_proposal(struct graph *g, struct flight_list *list, enum err err) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  bool left = c->replica.left;
  if (left || err == ERR_NOT_LEADER)
    commits_fell(c, list, left ? ERR_CLOSED : ERR_NOT_LEADER);
  else if (was_not_taken(err))
    put_back(c, list);
  else
    for (struct flight *f; (f = flight_pop(list)) != NULL;) flight_push(&c->replica.proposed, f);
  mutex_unlock(&c->mutex);
  // A graph that has failed meanwhile lands these too.
  if (left || err == ERR_NOT_LEADER || graph_failure(g, NULL) != ERR_OK) graph_work(g, GRAPH_APPLIER);
  return err == ERR_NOT_LEADER ? ERR_OK : err;
}

enum err graph_propose(struct graph *g, graph_proposer *propose, void *context, struct error *e) {
  for (;;) {
    size_t count;
    struct flight_list list = take_waiting(&g->commits, &count);
    if (list.first == NULL) return ERR_OK;
    TRY(settle_proposal(g, &list, propose_list(&list, count, propose, context, e)));
  }
}

// ---- committed entries ----

/// What was proposed in a term before that of a committed entry, and has not come itself, never will: terms in a log do not fall.
static bool drop_overtaken(struct commits *c, uint64_t term) {
  struct flight_list overtaken = {0};
  while (!MUTANT(replica_overtaken) && c->replica.proposed.first != NULL && c->replica.proposed.first->term < term)
    flight_push(&overtaken, flight_pop(&c->replica.proposed));
  bool any = overtaken.first != NULL;
  commits_fell(c, &overtaken, ERR_NOT_LEADER);
  return any;
}

static void enqueue(struct commits *c, struct flight *f) {
  c->replica.queued++;
  c->replica.queued_bytes += f->bytes.len;
  flight_push(&c->queue, f);
}

/// An entry that was proposed here: the transaction is at hand, and is committed with its last one.
static bool receive_own(struct commits *c, const struct log_entry *entry) {
  const struct flight *f = c->replica.proposed.first;
  if (f == NULL || f->term != entry->term || entry->index < f->entries[0].index || entry->index > f->end_index) return false;
  if (entry->index == f->end_index) enqueue(c, flight_pop(&c->replica.proposed));
  return true;
}

void replica_taken(struct replica *r, size_t bytes, size_t flights) {
  r->queued -= MIN(flights, r->queued);
  r->queued_bytes -= MIN(bytes, r->queued_bytes);
}

/// Whoever waits for a verdict looks again, wherever it was given.
static void verdict_came(struct flight *f, enum err err UNUSED) {
  struct graph *g = f->context;
  graph_population_unlock(g);
  commits_wake_judged(g);
  flight_free(f);
}

static void arrived(struct flight *f, enum err err UNUSED) {
  flight_free(f);
}

static struct flight *make_arriving(struct graph *g, const struct log_entry *entry) {
  struct flight *f = flight_make();
  if (f == NULL) return NULL;
  f->landed = entry->kind == LOG_SCHEMA_VERDICT ? verdict_came : arrived;
  f->context = g;
  f->term = entry->term;
  return f;
}

/// An entry that another leader proposed, or a former life of this one. An unfinished run of parts is void when anything else
/// follows (contract 11). `*ret` is the flight that is whole now, if there is one.
static enum err receive_other(struct graph *g, const struct log_entry *entry, struct flight **ret, struct error *e) {
  struct replica *r = &g->commits.replica;
  bool commands = applier_has_commands(entry->kind);
  bool follows = r->arriving != NULL && commands && r->arriving->term == entry->term;
  if (r->arriving != NULL && !follows && !MUTANT(replica_parts)) flight_free(TAKE_PTR(r->arriving));
  struct flight *alone = NULL, **f = commands ? &r->arriving : &alone;
  if (*f == NULL) *f = make_arriving(g, entry);
  bool carries = commands || entry->kind == LOG_STATE_DIGEST;
  if (*f == NULL || (carries && buf_append_str(&(*f)->bytes, entry->payload) != ERR_OK)) {
    flight_free(alone);
    return error_ensure(e, ERR_NOMEM);
  }
  if (commands && entry->parts & LOG_PART) return ERR_OK;
  (*f)->only = *entry;
  (*f)->only.metadata = (*f)->only.sections = (*f)->only.payload = STR_NONE; // the caller's
  (*f)->entries = &(*f)->only;
  (*f)->entry_count = 1;
  (*f)->end_index = entry->index;
  *ret = TAKE_PTR(*f);
  return ERR_OK;
}

static bool is_full(const struct replica *r) {
  return r->queued >= QUEUED_FLIGHTS_MAX || r->queued_bytes >= QUEUED_BYTES_MAX;
}

enum err graph_receive(struct graph *g, const struct log_entry *entry, struct error *e) {
  struct commits *c = &g->commits;
  struct flight *whole = NULL;
  TRY(graph_failure(g, e));
  mutex_lock(&c->mutex);
  bool busy = c->replica.left || is_full(&c->replica); // before anything of it is changed
  bool overtaken = !busy && drop_overtaken(c, entry->term);
  bool own = !busy && receive_own(c, entry);
  mutex_unlock(&c->mutex);
  if (busy) return error_set(e, ERR_BUSY, "The applier is behind.");
  if (own && c->replica.arriving != NULL) flight_free(TAKE_PTR(c->replica.arriving));
  if (overtaken) graph_work(g, GRAPH_APPLIER);
  if (!own) TRY(receive_other(g, entry, &whole, e));
  if (whole != NULL) {
    mutex_lock(&c->mutex);
    enqueue(c, whole);
    mutex_unlock(&c->mutex);
  }
  atomic_store(&c->replica.received, entry->index);
  graph_work(g, GRAPH_APPLIER);
  return ERR_OK;
}

// ---- terms ----

void graph_lead(struct graph *g, uint64_t term) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  atomic_store(&c->replica.leading, term);
  if (atomic_load(&c->term) != term) {
    atomic_store(&c->term, 0);
    commits_fell(c, &c->replica.waiting, ERR_NOT_LEADER);
  }
  mutex_unlock(&c->mutex);
  graph_work(g, GRAPH_APPLIER);
}

/// Names and ids go on behind whatever was applied.
static void go_on_from_applied(struct graph *g) {
  struct commits *c = &g->commits;
  mutex_lock(&c->token_mutex);
  for (int kind = 0; kind < GRAPH_TOKEN_KIND_MAX && !MUTANT(replica_names); kind++)
    c->token_next[kind] = g->tokens.kinds[kind].count;
  mutex_unlock(&c->token_mutex);
  g->next_node = MAX(g->next_node, graph_high_water(g, GRAPH_NODE));
  g->next_rel = MAX(g->next_rel, graph_high_water(g, GRAPH_REL));
}

bool replica_opens_term(struct graph *g) {
  uint64_t leading = atomic_load(&g->commits.replica.leading);
  return leading != 0 && leading != atomic_load(&g->commits.term) && !atomic_load(&g->commits.replica.left) &&
         (store_applied(g->store).term == leading || MUTANT(replica_own_noop));
}

void replica_open_term(struct graph *g) {
  struct commits *c = &g->commits;
  uint64_t leading = atomic_load(&c->replica.leading);
  if (!replica_opens_term(g)) return;
  go_on_from_applied(g);
  mutex_lock(&c->mutex);
  if (atomic_load(&c->replica.leading) == leading && !c->replica.left) atomic_store(&c->term, leading);
  mutex_unlock(&c->mutex);
  if (g->options.leads != NULL) g->options.leads(g->options.context, leading);
}

uint64_t graph_leading_term(struct graph *g) {
  return atomic_load(&g->commits.term);
}

struct store_applied graph_applied(struct graph *g) {
  return store_applied(g->store);
}

void graph_group_left(struct graph *g) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  atomic_store(&c->replica.left, true);
  atomic_store(&c->term, 0);
  commits_fell(c, &c->replica.waiting, ERR_CLOSED);
  commits_fell(c, &c->replica.proposed, ERR_CLOSED);
  mutex_unlock(&c->mutex);
  graph_work(g, GRAPH_APPLIER);
}

void graph_group_failed(struct graph *g, const struct error *cause) {
  (void) graph_end(g, ERR_TX_LOG, cause);
}
