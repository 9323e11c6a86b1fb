// Frames in flight: a heap by time of arrival. Bytes travel, nothing else.
#include <stdlib.h>
#include <string.h>

#include "raft_world.h"

// The simulator's own memory does not fail: what a fault arms is for the code under test.
static void *need(void *p) {
  if (p == NULL) abort();
  return p;
}

// ---- the heap ----

static bool earlier(const struct raft_frame *a, const struct raft_frame *b) {
  return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void push(struct raft_world *w, struct raft_frame f) {
  if (w->frame_count == w->frame_capacity) {
    w->frame_capacity = w->frame_capacity * 2 + 256;
    w->frames = need(realloc(w->frames, w->frame_capacity * sizeof *w->frames));
  }
  f.order = ++w->order;
  size_t at = w->frame_count++;
  for (; at > 0 && earlier(&f, &w->frames[(at - 1) / 2]); at = (at - 1) / 2) w->frames[at] = w->frames[(at - 1) / 2];
  w->frames[at] = f;
}

static void sift_down(struct raft_world *w, size_t at) {
  struct raft_frame f = w->frames[at];
  for (size_t child; (child = 2 * at + 1) < w->frame_count; at = child) {
    if (child + 1 < w->frame_count && earlier(&w->frames[child + 1], &w->frames[child])) child++;
    if (!earlier(&w->frames[child], &f)) break;
    w->frames[at] = w->frames[child];
  }
  w->frames[at] = f;
}

static struct raft_frame pop(struct raft_world *w) {
  struct raft_frame top = w->frames[0];
  if (--w->frame_count > 0) {
    w->frames[0] = w->frames[w->frame_count];
    sift_down(w, 0);
  }
  return top;
}

uint64_t raft_net_next_us(const struct raft_world *w) {
  return w->frame_count > 0 ? w->frames[0].at_us : UINT64_MAX;
}

void raft_net_lose(struct raft_world *w, uint64_t from, uint64_t to) {
  size_t kept = 0;
  for (size_t i = 0; i < w->frame_count; i++) {
    if (w->frames[i].from == from && w->frames[i].to == to)
      free(w->frames[i].data);
    else
      w->frames[kept++] = w->frames[i];
  }
  w->frame_count = kept;
  for (size_t i = kept / 2; i-- > 0;) sift_down(w, i);
}

void raft_net_done(struct raft_world *w) {
  for (size_t i = 0; i < w->frame_count; i++) free(w->frames[i].data);
  free(w->frames);
}

// ---- sending ----

static uint64_t delay_us(struct raft_world *w, const struct raft_member *m) {
  uint64_t us = 300 + rng_below(&w->rngs[RAFT_delay], m->slow_us > w->now_us ? 60000 : 5000);
  if (w->options.wild && raft_fault_chance(w, RAFT_delay, 25)) us += rng_below(&w->rngs[RAFT_delay], 600000);
  return us;
}

static void launch(struct raft_member *m, uint64_t to, const uint8_t *data, uint32_t bytes) {
  struct raft_world *w = m->world;
  struct raft_frame f = {
      .at_us = MAX(w->now_us, m->paused_us) + delay_us(w, m), .bytes = bytes, .from = (uint8_t) m->id, .to = (uint8_t) to};
  if (!w->options.wild) { // a stream
    f.at_us = MAX(f.at_us, w->fifo_us[m->id][to]);
    w->fifo_us[m->id][to] = f.at_us;
  }
  f.life = w->members[to].life;
  f.data = need(malloc(bytes));
  memcpy(f.data, data, bytes);
  f.damaged = raft_fault_chance(w, RAFT_damage, 400);
  if (f.damaged) f.data[rng_below(&w->rngs[RAFT_damage], bytes)] ^= (uint8_t) (1u << rng_below(&w->rngs[RAFT_damage], 8));
  push(w, f);
}

void raft_net_close(struct raft_member *m, uint64_t to) {
  struct raft_world *w = m->world;
  if (w->cut[m->id][to] || raft_fault_off(w, RAFT_notice)) return;
  uint64_t at_us = MAX(w->now_us + delay_us(w, m), w->fifo_us[m->id][to]);
  push(w, (struct raft_frame){.at_us = at_us, .from = (uint8_t) m->id, .to = (uint8_t) to, .life = w->members[to].life});
}

static void seal(struct raft_member *m, uint64_t to) {
  struct raft_world *w = m->world;
  struct buf *b = &w->outgoing[to];
  if (w->outgoing_messages[to] == 0) return;
  frame_end(b, w->outgoing_start[to], m->id, to, m->life);
  w->outgoing_messages[to] = 0;
  w->counts.messages++;
  if (!w->cut[m->id][to] && !(w->options.wild && raft_fault_chance(w, RAFT_drop, 60))) {
    const uint8_t *data = (const uint8_t *) b->data + w->outgoing_start[to];
    uint32_t bytes = (uint32_t) (b->len - w->outgoing_start[to]);
    launch(m, to, data, bytes);
    if (w->options.wild && raft_fault_chance(w, RAFT_duplicate, 30)) launch(m, to, data, bytes);
  }
  buf_clear(b);
}

void raft_net_flush(struct raft_member *m) {
  for (uint64_t to = 1; to <= RAFT_MEMBERS; to++) seal(m, to);
}

static void check_sent(struct raft_member *m, const struct message *msg) {
  const struct consensus_message *b = &msg->body;
  raft_check_promise(m, msg);
  if (b->type == CONSENSUS_APPEND_RESULT && b->append_result.rejected == 0)
    raft_check_durable(m, b->append_result.last_index, "acknowledges");
  if (b->type != CONSENSUS_APPEND) return;
  uint64_t previous = b->append.previous_term;
  for (uint32_t i = 0; i < b->append.count; i++) {
    if (msg->entries[i].index != b->append.previous_index + 1 + i)
      raft_fail(m->world, "%u sends entries out of place", (unsigned) m->id);
    raft_check_entry(m->world, m->id, &msg->entries[i], previous);
    previous = msg->entries[i].term;
  }
}

static bool power_goes(struct raft_member *m, const struct message *msg) {
  struct raft_world *w = m->world;
  if (m->crash_in_sends >= 0 && m->crash_in_sends-- == 0) {
    sim_disk_cut(m->disk);
    m->crash_why = "power goes before a message is sent";
    return true;
  }
  bool gives = msg->body.type == CONSENSUS_VOTE_RESULT && msg->body.vote_result.granted && !msg->body.vote_result.pre_vote;
  if (gives && raft_fault_chance(w, RAFT_crash_voter, 25)) {
    m->crash_now = true;
    m->crash_why = "power goes right after a vote";
  }
  return false;
}

bool raft_net_send(struct group_network *n, const struct message *msg) {
  struct raft_member *m = CONTAINER_OF(n, struct raft_member, network);
  struct raft_world *w = m->world;
  if (sim_disk_is_off(m->disk) || msg->to == 0 || msg->to > RAFT_MEMBERS) return false;
  if (power_goes(m, msg)) return false;
  if (raft_fault_chance(w, RAFT_refuse, 50)) return false;
  check_sent(m, msg);
  raft_trace_message(w, "->", msg);
  struct buf *b = &w->outgoing[msg->to];
  struct error e = ERROR_INIT;
  if (w->outgoing_messages[msg->to] == 0 && frame_begin(b, &w->outgoing_start[msg->to]) != ERR_OK) return false;
  enum err err = frame_add(b, w->outgoing_start[msg->to], msg, &e);
  if (err != ERR_OK) {
    if (w->outgoing_messages[msg->to] == 0) buf_clear(b);
    return false;
  }
  w->outgoing_messages[msg->to]++;
  if (w->options.wild && rng_chance(&w->rngs[RAFT_delay], 1, 2)) seal(m, msg->to);
  return true;
}

// ---- arriving ----

static void lose_connection(struct raft_member *m, uint64_t other) {
  TRACE(m->world, m->id, "sees its connection with %u closed", (unsigned) other);
  struct error e = ERROR_INIT;
  enum err err = group_lost(m->group, raft_member_ms(m), other, &e);
  (void) err; // raft_member_end looks why
}

// A log is about to give way to a copied store.
static void strike_at_install(struct raft_member *m, const struct message *msg) {
  bool copied = msg->body.type == CONSENSUS_INSTALL && msg->body.install.last_index <= m->app.state.index;
  if (copied && raft_fault_chance(m->world, RAFT_crash_install, 3))
    sim_disk_cut_after(m->disk, (int64_t) rng_below(&m->world->rngs[RAFT_crash_install], 12));
}

static void receive_frame(struct raft_member *m, const struct raft_frame *f) {
  struct raft_world *w = m->world;
  struct frame_reader r;
  struct error e = ERROR_INIT;
  bool any = true;
  enum err err = frame_open(f->data, f->bytes, &r, &e);
  if (err == ERR_OK && f->damaged) raft_fail(w, "a damaged frame from %u passes its check", f->from);
  while (err == ERR_OK && any && m->up && !w->failed) {
    struct message msg;
    arena_reset(&w->arena);
    err = frame_next(&r, &w->arena, &msg, &any, &e);
    if (err != ERR_OK || !any) break;
    if (msg.from != f->from || msg.to != m->id)
      raft_fail(w, "a message from %u is said to be from %u", f->from, (unsigned) msg.from);
    raft_trace_message(w, "<-", &msg);
    strike_at_install(m, &msg);
    if (group_receive(m->group, raft_member_ms(m), &msg, &e) != ERR_OK) break; // raft_member_end looks why
  }
  if (err != ERR_OK && err != ERR_NOMEM && !f->damaged) raft_fail(w, "a frame from %u does not decode: %s", f->from, e.message);
}

void raft_net_deliver(struct raft_world *w) {
  struct raft_frame f = pop(w);
  struct raft_member *m = &w->members[f.to];
  bool lost = !m->up || w->cut[f.from][f.to] || (!w->options.wild && f.life != m->life);
  if (!lost && m->paused_us > w->now_us) {
    f.at_us = m->paused_us;
    push(w, f);
    return;
  }
  if (!lost) {
    raft_member_begin(m);
    if (f.bytes == 0)
      lose_connection(m, f.from);
    else
      receive_frame(m, &f);
    raft_member_end(m);
  }
  free(f.data);
}
