// The engine under consensus is cowsql/raft (libraft), driven by raft_step alone. This is the only file that knows it.
//
// The library's rules of memory, as of 0.22.1 (they differ in later ones; meson.build refuses those it was not checked with).
// Entries come in as an array of ours, and `update.entries` points into it. Their common `batch` is freed by the library, by us
// or not at all, depending on what the event led to; ours is a marker that freeing leaves alone, so that it does not matter.
// Configurations in events become the library's, whatever happens to the event. Without memory the library frees things twice and
// leaves pointers dangling: every block is listed here (struct block), and from the first failed allocation on nothing is freed
// but, in the end, the list.
// Addresses are of no interest to the engine: it gets texts that differ as the members' ids do.
#include "consensus/engine.h"

#include <assert.h>
#include <raft.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/mutant.h"

// What the messages' formats are called in the library (src/message.h there, not exported). Below 2, pre-vote is not understood.
#define MESSAGE_VERSION 2

/// In front of each block that the library allocates.
struct block {
  struct block *next;
  struct block **link; // what points here
};
static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0, "blocks behind it are aligned");

struct engine {
  struct raft raft;
  struct block *blocks; // all that the library holds
  bool started, out_of_memory, broken;

  struct raft_entry *scratch; // of the event that is being taken
  size_t scratch_capacity;
  struct consensus_entry noop; // the one that the library makes
  struct consensus_message *messages;
  size_t message_capacity;
};

/// Whose blocks are being allocated: set for the time of one call of the library, which tells its heap nothing but the size.
static _Thread_local struct engine *entered;
/// The "batch" of every entry and the "data" of every snapshot.
static char marker;

// ---- heap ----

/// Puts a new block into the list of who is entered.
static void *heap_link(struct engine *g, struct block *b) {
  if (b == NULL) {
    g->out_of_memory = true;
    return NULL;
  }
  *b = (struct block){.next = g->blocks, .link = &g->blocks};
  if (b->next != NULL) b->next->link = &b->next;
  g->blocks = b;
  return b + 1;
}

/// Takes a block out of its list.
static struct block *heap_unlink(void *p) {
  struct block *b = (struct block *) p - 1;
  *b->link = b->next;
  if (b->next != NULL) b->next->link = b->link;
  return b;
}

static void *heap_malloc(void *data UNUSED, size_t size) {
  return heap_link(entered, entered->out_of_memory ? NULL : mem_alloc(sizeof(struct block) + size));
}

static void *heap_calloc(void *data UNUSED, size_t count, size_t size) {
  return heap_link(entered, entered->out_of_memory ? NULL : mem_zalloc(sizeof(struct block) + count * size));
}

/// The array of entries is ours, though a start that fails frees it.
static void heap_free(void *data UNUSED, void *p) {
  if (p == NULL || p == &marker || p == entered->scratch || entered->out_of_memory) return;
  mem_free(heap_unlink(p));
}

static void *heap_realloc(void *data, void *p, size_t size) {
  if (p == NULL || entered->out_of_memory) return heap_malloc(data, size);
  struct block *old = heap_unlink(p), *b = mem_realloc(old, sizeof(struct block) + size);
  void *linked = heap_link(entered, b == NULL ? old : b);
  if (b == NULL) entered->out_of_memory = true;
  return b == NULL ? NULL : linked;
}

/// Not used by raft_step.
static void *heap_aligned_alloc(void *data UNUSED, size_t alignment UNUSED, size_t size UNUSED) {
  return NULL;
}

static void heap_aligned_free(void *data UNUSED, size_t alignment UNUSED, void *p UNUSED) {
}

/// Before main, so that no two threads can meet here.
__attribute__((constructor)) static void heap_set(void) {
  static struct raft_heap heap = {NULL, heap_malloc, heap_free, heap_calloc, heap_realloc, heap_aligned_alloc, heap_aligned_free};
  raft_heap_set(&heap);
}

static void enter(struct engine *g) {
  assert(entered == NULL);
  entered = g;
}

static void leave(struct engine *g) {
  assert(entered == g);
  entered = NULL;
}

// ---- life ----

/// Any text that differs by id: its digits, lowest first.
static void address_of(uint64_t id, char to[24]) {
  do *to++ = (char) ('0' + id % 10);
  while ((id /= 10) != 0);
  *to = '\0';
}

enum err engine_create(const struct engine_options *o, struct engine **ret, struct error *e) {
  struct engine *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  char address[24];
  address_of(o->member_id, address);
  enter(g);
  int rv = raft_init(&g->raft, NULL, NULL, o->member_id, address);
  if (rv == 0) {
    g->started = true;
    g->raft.tracer = NULL; // the default one writes to stderr, through a buffer that threads would share
    raft_seed(&g->raft, (unsigned) (o->seed ^ o->seed >> 32));
    raft_set_pre_vote(&g->raft, true);
    raft_set_heartbeat_timeout(&g->raft, o->heartbeat_ms);
    raft_set_install_snapshot_timeout(&g->raft, o->install_timeout_ms);
    raft_set_max_inflight_entries(&g->raft, o->inflight_entries_max);
    raft_set_election_timeout(&g->raft, o->election_timeout_ms);
  }
  leave(g);
  if (rv != 0) {
    engine_free(g);
    return error_set(e, ERR_NOMEM, "no memory for a Raft group");
  }
  *ret = g;
  return ERR_OK;
}

void engine_free(struct engine *g) {
  if (g == NULL) return;
  if (g->started && !g->broken && !g->out_of_memory) {
    enter(g);
    raft_close(&g->raft, NULL);
    leave(g);
    assert(g->blocks == NULL);
  }
  for (struct block *next; g->blocks != NULL; g->blocks = next) {
    next = g->blocks->next;
    mem_free(g->blocks);
  }
  mem_free(g->scratch);
  mem_free(g->messages);
  mem_free(g);
}

// ---- our types to the library's ----

/// The configuration of a membership; closed again if that fails. Within enter.
static int configuration_make(const struct consensus_membership *m, struct raft_configuration *to) {
  raft_configuration_init(to);
  for (uint32_t i = 0; i < m->count; i++) {
    char address[24];
    address_of(m->members[i].id, address);
    int rv =
        raft_configuration_add(to, m->members[i].id, address, m->members[i].role == CONSENSUS_VOTER ? RAFT_VOTER : RAFT_STANDBY);
    if (rv != 0) {
      raft_configuration_close(to);
      return rv;
    }
  }
  return 0;
}

/// The library's names: a barrier is an entry that does nothing.
static enum raft_entry_type type_of(enum consensus_entry_kind kind) {
  return kind == CONSENSUS_DATA ? RAFT_COMMAND : kind == CONSENSUS_NOOP ? RAFT_BARRIER : RAFT_CHANGE;
}

/// Fills one entry. A membership's buffer is freed by entries_release. Within enter.
static int entry_make(uint64_t term, enum consensus_entry_kind kind, const struct consensus_membership *m,
                      struct raft_entry *to) {
  *to = (struct raft_entry){.term = term, .type = type_of(kind), .buf = {&marker, sizeof marker}, .batch = &marker};
  if (kind != CONSENSUS_MEMBERSHIP) return 0;
  struct raft_configuration configuration;
  int rv = configuration_make(m, &configuration);
  if (rv != 0) return rv;
  rv = raft_configuration_encode(&configuration, &to->buf);
  raft_configuration_close(&configuration);
  return rv;
}

/// Room for the entries of one event.
static int scratch_reserve(struct engine *g, size_t count) {
  if (count <= g->scratch_capacity) return 0;
  struct raft_entry *scratch = mem_realloc(g->scratch, count * sizeof *scratch);
  if (scratch == NULL) return RAFT_NOMEM;
  g->scratch = scratch;
  g->scratch_capacity = count;
  return 0;
}

/// Frees the buffers of the first `count` scratch entries. Within enter.
static void entries_release(struct engine *g, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (g->scratch[i].type == RAFT_CHANGE && g->scratch[i].buf.base != &marker) raft_free(g->scratch[i].buf.base);
  }
}

/// All entries of one event into the scratch array; none if that fails. Within enter.
static int entries_make(struct engine *g, const struct consensus_entry *entries, size_t count) {
  int rv = scratch_reserve(g, count);
  for (size_t i = 0; rv == 0 && i < count; i++) {
    rv = entry_make(entries[i].term, entries[i].kind, entries[i].membership, &g->scratch[i]);
    if (rv != 0) entries_release(g, i);
  }
  return rv;
}

static void message_make_append(const struct consensus_message *m, struct raft_entry *entries, struct raft_message *to) {
  to->type = RAFT_APPEND_ENTRIES;
  to->append_entries = (struct raft_append_entries){.term = m->term,
                                                    .prev_log_index = m->append.previous_index,
                                                    .prev_log_term = m->append.previous_term,
                                                    .leader_commit = m->append.commit_index,
                                                    .entries = entries,
                                                    .n_entries = m->append.count};
}

static void message_make_vote(const struct consensus_message *m, struct raft_message *to) {
  to->type = RAFT_REQUEST_VOTE;
  to->request_vote = (struct raft_request_vote){.version = MESSAGE_VERSION,
                                                .term = m->term,
                                                .candidate_id = m->peer,
                                                .last_log_index = m->vote.last_index,
                                                .last_log_term = m->vote.last_term,
                                                .disrupt_leader = m->vote.disrupt_leader,
                                                .pre_vote = m->vote.pre_vote};
}

/// All types; of an install all but its configuration.
static void message_make(struct engine *g, const struct consensus_message *m, struct raft_message *to) {
  switch (m->type) {
  case CONSENSUS_APPEND: message_make_append(m, m->append.count > 0 ? g->scratch : NULL, to); break;
  case CONSENSUS_APPEND_RESULT:
    to->type = RAFT_APPEND_ENTRIES_RESULT;
    to->append_entries_result = (struct raft_append_entries_result){.version = MESSAGE_VERSION,
                                                                    .term = m->term,
                                                                    .rejected = m->append_result.rejected,
                                                                    .last_log_index = m->append_result.last_index};
    break;
  case CONSENSUS_VOTE: message_make_vote(m, to); break;
  case CONSENSUS_VOTE_RESULT:
    to->type = RAFT_REQUEST_VOTE_RESULT;
    to->request_vote_result = (struct raft_request_vote_result){
        .version = MESSAGE_VERSION, .term = m->term, .vote_granted = m->vote_result.granted, .pre_vote = m->vote_result.pre_vote};
    break;
  case CONSENSUS_INSTALL:
    to->type = RAFT_INSTALL_SNAPSHOT;
    to->install_snapshot.term = m->term;
    to->install_snapshot.last_index = m->install.last_index;
    to->install_snapshot.last_term = m->install.last_term;
    to->install_snapshot.conf_index = m->install.membership->index;
    to->install_snapshot.data = (struct raft_buffer){&marker, sizeof marker};
    break;
  default:
    to->type = RAFT_TIMEOUT_NOW;
    to->timeout_now = (struct raft_timeout_now){
        .term = m->term, .last_log_index = m->timeout_now.last_index, .last_log_term = m->timeout_now.last_term};
    break;
  }
}

// ---- the library's types to ours ----

/// False: a type that is not known.
static bool message_read(const struct raft_message *from, struct consensus_message *to) {
  *to = (struct consensus_message){.peer = from->server_id};
  switch (from->type) {
  case RAFT_APPEND_ENTRIES:
    to->type = CONSENSUS_APPEND;
    to->term = from->append_entries.term;
    to->append.previous_index = from->append_entries.prev_log_index;
    to->append.previous_term = from->append_entries.prev_log_term;
    to->append.commit_index = from->append_entries.leader_commit;
    to->append.count = from->append_entries.n_entries;
    return true;
  case RAFT_APPEND_ENTRIES_RESULT:
    to->type = CONSENSUS_APPEND_RESULT;
    to->term = from->append_entries_result.term;
    to->append_result.rejected = from->append_entries_result.rejected;
    to->append_result.last_index = from->append_entries_result.last_log_index;
    return true;
  case RAFT_REQUEST_VOTE:
    to->type = CONSENSUS_VOTE;
    to->term = from->request_vote.term;
    to->vote.last_index = from->request_vote.last_log_index;
    to->vote.last_term = from->request_vote.last_log_term;
    to->vote.pre_vote = from->request_vote.pre_vote;
    to->vote.disrupt_leader = from->request_vote.disrupt_leader;
    return true;
  case RAFT_REQUEST_VOTE_RESULT:
    to->type = CONSENSUS_VOTE_RESULT;
    to->term = from->request_vote_result.term;
    to->vote_result.granted = from->request_vote_result.vote_granted;
    to->vote_result.pre_vote = from->request_vote_result.pre_vote;
    return true;
  case RAFT_INSTALL_SNAPSHOT:
    to->type = CONSENSUS_INSTALL;
    to->term = from->install_snapshot.term;
    to->install.last_index = from->install_snapshot.last_index;
    to->install.last_term = from->install_snapshot.last_term;
    return true;
  case RAFT_TIMEOUT_NOW:
    to->type = CONSENSUS_TIMEOUT_NOW;
    to->term = from->timeout_now.term;
    to->timeout_now.last_index = from->timeout_now.last_log_index;
    to->timeout_now.last_term = from->timeout_now.last_log_term;
    return true;
  }
  return false;
}

/// Copies what is to be sent: the library's own array is used again by the next event. False: no memory.
static bool messages_collect(struct engine *g, const struct raft_update *u, struct engine_output *out) {
  if ((u->flags & (RAFT_UPDATE_MESSAGES)) == 0) return true;
  if (u->messages.n > g->message_capacity) {
    struct consensus_message *messages = mem_realloc(g->messages, u->messages.n * sizeof *messages);
    if (messages == NULL) return false;
    g->messages = messages;
    g->message_capacity = u->messages.n;
  }
  for (unsigned i = 0; i < u->messages.n; i++) {
    if (message_read(&u->messages.batch[i], &g->messages[out->message_count])) out->message_count++;
  }
  out->messages = g->messages;
  return true;
}

/// `entries` is what came in with the event.
static void entries_collect(struct engine *g, const struct raft_update *u, const struct consensus_entry *entries,
                            struct engine_output *out) {
  if ((u->flags & (RAFT_UPDATE_ENTRIES)) == 0) return;
  out->first_index = u->entries.index;
  out->entry_count = u->entries.n;
  if (u->entries.batch == &g->raft.barrier) {
    g->noop = (struct consensus_entry){.term = g->raft.barrier.term, .kind = CONSENSUS_NOOP};
    out->entries = &g->noop;
    raft_free(g->raft.barrier.batch);
  } else {
    out->entries = entries + (u->entries.batch - g->scratch);
  }
}

/// The refusals by their own codes; anything else is a failure (G12).
static enum err error_of(int rv, const char *what, struct error *e) {
  switch (rv) {
  case RAFT_NOMEM: return error_set(e, ERR_NOMEM, "no memory for the Raft engine (%s)", what);
  case RAFT_NOTLEADER: return error_set(e, ERR_NOT_LEADER, "this member is not the leader");
  case RAFT_CANTCHANGE: return error_set(e, ERR_BUSY, "a membership change is under way");
  case RAFT_BADID: return error_set(e, ERR_INVALID, "no such voter");
  case RAFT_NOTFOUND: return error_set(e, ERR_INVALID, "there is no other voter");
  default: return error_set(e, ERR_INTERNAL, "the Raft engine failed (%s): %s", what, raft_strerror(rv));
  }
}

/// One call of the library. Within enter.
static enum err step(struct engine *g, uint64_t now_ms, struct raft_event *event, const struct consensus_entry *entries,
                     const char *what, struct engine_output *out, struct error *e) {
  *out = (struct engine_output){0};
  struct raft_update update = {0};
  event->time = now_ms;
  int rv = raft_step(&g->raft, event, &update);
  if (rv == 0) {
    out->hard_state_changed = (update.flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) != 0;
    entries_collect(g, &update, entries, out);
    out->install = (update.flags & (RAFT_UPDATE_SNAPSHOT)) != 0;
    if (out->install) raft_configuration_close(&update.snapshot.metadata.configuration);
    if (!messages_collect(g, &update, out)) rv = RAFT_NOMEM;
  }
  // The library shrugs off some failed allocations by leaving a message out. We do not.
  if (g->out_of_memory) rv = RAFT_NOMEM;
  enum err err = rv == 0 ? ERR_OK : error_of(rv, what, e);
  if (err == ERR_NOMEM || err == ERR_INTERNAL) g->broken = true;
  return err;
}

/// What could not be handed over: the only reason is memory, as everything was checked before.
static enum err no_memory(struct engine *g, int rv, const char *what, struct error *e) {
  g->broken = true;
  return error_of(rv, what, e);
}

// ---- events ----

/// An entry of the library for each retained one, though it looks at nothing but term and kind.
static int start_entries(struct engine *g, const struct consensus_persisted *s) {
  size_t count = s->last_index + 1 - s->first_index, run = 0, membership = 0;
  int rv = scratch_reserve(g, count);
  for (size_t i = 0; rv == 0 && i < count; i++) {
    uint64_t index = s->first_index + i;
    if (run + 1 < s->run_count && s->runs[run + 1].first_index <= index) run++;
    bool change = membership < s->membership_count && s->memberships[membership].index == index;
    rv = entry_make(s->runs[run].term, change ? CONSENSUS_MEMBERSHIP : CONSENSUS_DATA,
                    change ? &s->memberships[membership] : NULL, &g->scratch[i]);
    if (rv != 0) entries_release(g, i);
    membership += change;
  }
  return rv;
}

enum err engine_start(struct engine *g, uint64_t now_ms, const struct consensus_persisted *s, struct engine_output *out,
                      struct error *e) {
  const char *what = "start";
  size_t count = s->last_index + 1 - s->first_index;
  struct raft_snapshot_metadata snapshot = {.index = s->snapshot_index,
                                            .term = s->snapshot_term,
                                            .configuration_index = s->snapshot_index == 0 ? 0 : s->snapshot_membership->index};
  enter(g);
  int rv = start_entries(g, s);
  if (rv == 0 && s->snapshot_index != 0) {
    rv = configuration_make(s->snapshot_membership, &snapshot.configuration);
    if (rv != 0) entries_release(g, count);
  }
  enum err err;
  if (rv == 0) {
    struct raft_event event = {.type = RAFT_START,
                               .start = {.term = s->term,
                                         .voted_for = s->vote,
                                         .metadata = s->snapshot_index == 0 ? NULL : &snapshot,
                                         .start_index = s->first_index,
                                         .entries = count > 0 ? g->scratch : NULL,
                                         .n_entries = (unsigned) count}};
    err = step(g, now_ms, &event, NULL, what, out, e);
    entries_release(g, count);
  } else {
    err = no_memory(g, rv, what, e);
  }
  leave(g);
  mem_free(g->scratch); // as long as the log: not what a message will need
  g->scratch = NULL;
  g->scratch_capacity = 0;
  return err;
}

/// NULL: it votes by its own configuration, or is none of that's members.
static struct raft_server *learning_self(struct engine *g) {
  for (unsigned i = 0; i < g->raft.configuration.n; i++) {
    struct raft_server *s = &g->raft.configuration.servers[i];
    if (s->id == g->raft.id) return s->role == RAFT_VOTER ? NULL : s;
  }
  return NULL;
}

/// G19: who is asked for a vote answers without consulting its own configuration (dissertation 4.1): a learner that was promoted may
/// not know it yet, and the group may need its vote. The library consults it. Who asks counts voters of its own configuration alone.
static enum err step_vote(struct engine *g, uint64_t now_ms, struct raft_event *event, struct engine_output *out, struct error *e) {
  struct raft_server *self = MUTANT(raft_learner_vote) ? NULL : learning_self(g);
  if (self == NULL) return step(g, now_ms, event, NULL, "message", out, e);
  int role = self->role;
  self->role = RAFT_VOTER;
  enum err err = step(g, now_ms, event, NULL, "message", out, e);
  self->role = role; // a request for a vote changes no configuration
  return err;
}

enum err engine_receive(struct engine *g, uint64_t now_ms, const struct consensus_message *m, struct engine_output *out,
                        struct error *e) {
  const char *what = "message";
  size_t count = m->type == CONSENSUS_APPEND ? m->append.count : 0;
  char address[24];
  address_of(m->peer, address);
  struct raft_message message = {.server_id = m->peer, .server_address = address};
  enum err err;
  enter(g);
  int rv = entries_make(g, m->append.entries, count);
  if (rv == 0 && m->type == CONSENSUS_INSTALL) rv = configuration_make(m->install.membership, &message.install_snapshot.conf);
  if (rv == 0) {
    message_make(g, m, &message);
    struct raft_event event = {.type = RAFT_RECEIVE, .receive = {&message}};
    err = m->type == CONSENSUS_VOTE ? step_vote(g, now_ms, &event, out, e)
                                    : step(g, now_ms, &event, count > 0 ? m->append.entries : NULL, what, out, e);
    entries_release(g, count);
  } else {
    err = no_memory(g, rv, what, e);
  }
  leave(g);
  return err;
}

enum err engine_submit(struct engine *g, uint64_t now_ms, const struct consensus_entry *entries, size_t count,
                       struct engine_output *out, struct error *e) {
  const char *what = "proposal";
  enum err err;
  enter(g);
  int rv = entries_make(g, entries, count);
  if (rv == 0) {
    struct raft_event event = {.type = RAFT_SUBMIT, .submit = {g->scratch, (unsigned) count}};
    err = step(g, now_ms, &event, entries, what, out, e);
    entries_release(g, count);
  } else {
    err = no_memory(g, rv, what, e);
  }
  leave(g);
  return err;
}

/// An event that brings no configuration.
static enum err plain(struct engine *g, uint64_t now_ms, struct raft_event event, const char *what, struct engine_output *out,
                      struct error *e) {
  enter(g);
  enum err err = step(g, now_ms, &event, NULL, what, out, e);
  leave(g);
  return err;
}

enum err engine_tick(struct engine *g, uint64_t now_ms, struct engine_output *out, struct error *e) {
  return plain(g, now_ms, (struct raft_event){.type = RAFT_TIMEOUT}, "timeout", out, e);
}

void engine_run_out(struct engine *g, uint64_t now_ms) {
  g->raft.election_timer_start -= raft_timeout(&g->raft) - now_ms; // the timer's end is its start and a length
}

enum err engine_persisted(struct engine *g, uint64_t now_ms, uint64_t index, struct engine_output *out, struct error *e) {
  return plain(g, now_ms, (struct raft_event){.type = RAFT_PERSISTED_ENTRIES, .persisted_entries = {index}}, "persisted", out, e);
}

enum err engine_catch_up(struct engine *g, uint64_t now_ms, uint64_t member_id, struct engine_output *out, struct error *e) {
  return plain(g, now_ms, (struct raft_event){.type = RAFT_CATCH_UP, .catch_up = {member_id}}, "catch-up", out, e);
}

enum err engine_transfer(struct engine *g, uint64_t now_ms, uint64_t member_id, struct engine_output *out, struct error *e) {
  return plain(g, now_ms, (struct raft_event){.type = RAFT_TRANSFER, .transfer = {member_id}}, "transfer", out, e);
}

/// An event that brings a configuration, which becomes the library's.
static enum err configured(struct engine *g, uint64_t now_ms, struct raft_event *event, struct raft_configuration *at,
                           const struct consensus_membership *m, const char *what, struct engine_output *out, struct error *e) {
  enter(g);
  int rv = configuration_make(m, at);
  enum err err = rv == 0 ? step(g, now_ms, event, NULL, what, out, e) : no_memory(g, rv, what, e);
  leave(g);
  return err;
}

enum err engine_installed(struct engine *g, uint64_t now_ms, uint64_t index, uint64_t term, const struct consensus_membership *m,
                          struct engine_output *out, struct error *e) {
  struct raft_event event = {
      .type = RAFT_PERSISTED_SNAPSHOT,
      .persisted_snapshot = {.metadata = {.index = index, .term = term, .configuration_index = m->index}, .last = true}};
  return configured(g, now_ms, &event, &event.persisted_snapshot.metadata.configuration, m, "install", out, e);
}

enum err engine_committed(struct engine *g, uint64_t now_ms, const struct consensus_membership *m, struct engine_output *out,
                          struct error *e) {
  struct raft_event event = {.type = RAFT_CONFIGURATION, .configuration = {.index = m->index}};
  return configured(g, now_ms, &event, &event.configuration.conf, m, "membership", out, e);
}

enum err engine_compacted(struct engine *g, uint64_t now_ms, uint64_t index, uint64_t term, const struct consensus_membership *m,
                          uint64_t trailing, struct engine_output *out, struct error *e) {
  struct raft_event event = {
      .type = RAFT_SNAPSHOT,
      .snapshot = {.metadata = {.index = index, .term = term, .configuration_index = m->index}, .trailing = (unsigned) trailing}};
  return configured(g, now_ms, &event, &event.snapshot.metadata.configuration, m, "compaction", out, e);
}

// ---- looking. The library's own functions are not const everywhere ----

uint64_t engine_term(const struct engine *g) {
  return raft_current_term(&g->raft);
}

uint64_t engine_vote(const struct engine *g) {
  return raft_voted_for(&g->raft);
}

uint64_t engine_commit_index(const struct engine *g) {
  return raft_commit_index(&g->raft);
}

enum consensus_state engine_state(const struct engine *g) {
  switch (g->raft.state) {
  case RAFT_LEADER: return CONSENSUS_LEADER;
  case RAFT_CANDIDATE: return CONSENSUS_CANDIDATE;
  default: return CONSENSUS_FOLLOWER;
  }
}

bool engine_in_pre_vote(const struct engine *g) {
  return g->raft.state == RAFT_CANDIDATE && g->raft.candidate_state.in_pre_vote;
}

uint64_t engine_leader(const struct engine *g) {
  if (g->raft.state == RAFT_LEADER) return g->raft.id;
  return g->raft.state == RAFT_FOLLOWER ? g->raft.follower_state.current_leader.id : 0;
}

uint64_t engine_timeout_ms(const struct engine *g) {
  return raft_timeout(&g->raft);
}

uint64_t engine_uncommitted_change(const struct engine *g) {
  return g->raft.configuration_uncommitted_index;
}

uint64_t engine_match_index(const struct engine *g, uint64_t member_id) {
  raft_index index = 0;
  return raft_match_index(&g->raft, member_id, &index) == 0 ? index : 0;
}

uint64_t engine_transferee(const struct engine *g) {
  return raft_transferee(&g->raft);
}

uint64_t engine_catching_up(const struct engine *g) {
  return g->raft.state == RAFT_LEADER ? g->raft.leader_state.promotee_id : 0;
}

enum consensus_catch_up_state engine_catch_up_state(const struct engine *g, uint64_t member_id) {
  int state = RAFT_CATCH_UP_NONE;
  if (raft_catch_up(&g->raft, member_id, &state) != 0) return CONSENSUS_CATCH_UP_NONE;
  switch (state) {
  case RAFT_CATCH_UP_RUNNING: return CONSENSUS_CATCH_UP_RUNNING;
  case RAFT_CATCH_UP_ABORTED: return CONSENSUS_CATCH_UP_ABORTED;
  case RAFT_CATCH_UP_FINISHED: return CONSENSUS_CATCH_UP_FINISHED;
  default: return CONSENSUS_CATCH_UP_NONE;
  }
}
