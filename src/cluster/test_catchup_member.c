// A member of a group, with a real store, that its leader's log cannot bring up to date: the store is copied, put in place,
// opened ahead of its log, and the group goes on from there.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cluster/group.h"
#include "store/copy.h"
#include "store/test_place.h"

enum { MEMBERS = 3, MESSAGES_MAX = 512, TRAILING = 5 };

struct member {
  uint64_t id;
  struct sim_disk *disk;
  struct random_seeded random;
  struct page_pool *pool;
  struct page_access *access;
  struct store *store;
  struct group *group;
  struct group_network network;
  struct group_application application;
  struct world *world;
  uint64_t install_index; // asked for
  bool far;               // hears nothing
};

struct world {
  struct member members[MEMBERS + 1];
  struct clock_manual clock;
  uint64_t now_ms;
  struct message_bytes {
    uint64_t to;
    struct buf bytes;
  } queue[MESSAGES_MAX];
  size_t count;
};

static bool net_send(struct group_network *n, const struct message *m) {
  struct world *w = CONTAINER_OF(n, struct member, network)->world;
  if (w->count == MESSAGES_MAX) return false;
  w->queue[w->count] = (struct message_bytes){.to = m->to};
  assert_ok(message_put(&w->queue[w->count++].bytes, m));
  return true;
}

// ---- the application: page 1 says which entry was last ----

static struct member *member_of(struct group_application *a) {
  return CONTAINER_OF(a, struct member, application);
}

static enum err app_apply(struct group_application *a, const struct log_entry *entry, struct error *e) {
  struct member *m = member_of(a);
  struct page_batch *b = NULL;
  void *page = NULL;
  page_id id = 1;
  TRY(page_batch_begin(store_space(m->store), m->access, &b, e));
  if (entry->index == 1) TRY(page_batch_allocate(b, &id, &page, e));
  TRY(page_batch_write(b, 1, &page, e));
  put_u64_le(page, entry->index);
  store_publish(m->store, b, store_applied_of(entry));
  return ERR_OK;
}

static struct group_applied app_applied(struct group_application *a) {
  struct store_applied at = store_applied(member_of(a)->store);
  return (struct group_applied){at.index, at.term, at.commit_time_ns};
}

static void app_install(struct group_application *a, uint64_t index, uint64_t term UNUSED) {
  member_of(a)->install_index = index;
}

static void app_membership(struct group_application *a UNUSED, const struct consensus_membership *m UNUSED) {
}

static void app_read(struct group_application *a UNUSED, uint64_t id UNUSED, uint64_t index UNUSED, bool failed UNUSED) {
}

static uint64_t page_says(struct member *m) {
  struct page_snapshot snap;
  const void *page = NULL;
  assert_ok(page_snapshot_open(store_space(m->store), &snap, NULL));
  struct page_view v = page_view_of(&snap, m->access);
  page_access_enter(m->access);
  assert_ok(pages_read(&v, 1, &page, NULL));
  uint64_t index = get_u64_le(page);
  page_access_leave(m->access);
  page_snapshot_close(&snap);
  return index;
}

// ---- life ----

static enum err member_try_store(struct member *m, bool create, struct error *e) {
  struct store_options o = {.disk = sim_disk_table(m->disk),
                            .clock = &m->world->clock.clock,
                            .random = &m->random.source,
                            .pool = m->pool,
                            .log = {.segment_bytes = 4096, .clustered = true},
                            .create = create};
  return store_open("db", &o, &m->store, e);
}

static void member_open_store(struct member *m, bool create) {
  struct error e = ERROR_INIT;
  if (member_try_store(m, create, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void member_open_group(struct member *m) {
  struct error e = ERROR_INIT;
  struct group_options o = {.consensus = {.election_timeout_ms = 150, .heartbeat_ms = 30, .inflight_entries_max = 8},
                            .network = &m->network,
                            .application = &m->application,
                            .clock = &m->world->clock.clock,
                            .seed = m->id};
  memcpy(o.uuid, store_uuid(m->store), sizeof o.uuid);
  if (group_open(store_log(m->store), &o, m->world->now_ms, &m->group, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void member_close(struct member *m) {
  group_close(m->group);
  store_close(m->store);
  m->group = NULL;
  m->store = NULL;
}

static struct consensus_membership first_membership(void) {
  struct consensus_membership first = {.index = 1, .count = MEMBERS};
  for (uint32_t i = 0; i < MEMBERS; i++) {
    first.members[i] = (struct consensus_member){.id = i + 1, .role = CONSENSUS_VOTER};
    snprintf(first.members[i].address, sizeof first.members[i].address, "member-%u", i + 1);
  }
  return first;
}

static struct world *world_new(void) {
  struct world *w = mem_zalloc(sizeof *w);
  struct consensus_membership first = first_membership();
  w->now_ms = 1000;
  clock_manual_init(&w->clock, 5000);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    struct member *m = &w->members[id];
    struct page_pool_options pool = {.limit_bytes = 200 * PAGE_BYTES, .accesses_max = 4};
    *m = (struct member){.id = id, .disk = sim_disk_new(id), .world = w, .network.send = net_send};
    m->application = (struct group_application){app_apply, app_applied, app_install, app_membership, app_read};
    random_seeded_init(&m->random, 7);
    assert_ok(page_pool_open(&pool, &m->pool, NULL));
    assert_ok(page_access_open(m->pool, &m->access, NULL));
    member_open_store(m, true);
    assert_ok(group_begin(store_log(m->store), id, &first, NULL));
    member_open_group(m);
  }
  return w;
}

static void drop_messages(struct world *w) {
  for (size_t i = 0; i < w->count; i++) buf_done(&w->queue[i].bytes);
  w->count = 0;
}

static void world_free(struct world *w) {
  drop_messages(w);
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    member_close(&w->members[id]);
    page_access_close(w->members[id].access);
    page_pool_close(w->members[id].pool);
    sim_disk_free(w->members[id].disk);
  }
  mem_free(w);
}

static void deliver(struct world *w, struct message_bytes *q) {
  struct member *to = &w->members[q->to];
  struct arena a;
  struct message m;
  size_t at = 0;
  arena_init(&a, NULL);
  assert_ok(message_get((const uint8_t *) q->bytes.data, q->bytes.len, &at, &a, &m, NULL));
  bool lost = to->group == NULL || to->far || w->members[m.from].far;
  if (!lost) assert_ok(group_receive(to->group, w->now_ms, &m, NULL));
  arena_done(&a);
  buf_done(&q->bytes);
}

static void run(struct world *w, uint64_t ms) {
  for (uint64_t end = w->now_ms + ms; w->now_ms < end; w->now_ms++) {
    w->clock.now_ns += NS_PER_MS;
    for (uint64_t id = 1; id <= MEMBERS; id++) {
      bool more = w->members[id].group != NULL, worked = false;
      while (more) {
        assert_ok(group_step(w->members[id].group, w->now_ms, &more, NULL));
        assert_ok(log_writer_step(store_log(w->members[id].store), &worked, NULL));
      }
    }
    for (size_t n = w->count, i = 0; i < n; i++) {
      struct message_bytes q = w->queue[0];
      memmove(w->queue, w->queue + 1, --w->count * sizeof *w->queue);
      deliver(w, &q);
    }
  }
}

static struct member *elect(struct world *w) {
  for (int i = 0; i < 200; i++, run(w, 20))
    for (uint64_t id = 1; id <= MEMBERS; id++) {
      struct consensus_status s;
      if (w->members[id].group == NULL) continue;
      group_status(w->members[id].group, &s);
      if (s.state == CONSENSUS_LEADER && s.open) return &w->members[id];
    }
  fail_msg("nobody leads");
  return NULL;
}

static void commit(struct world *w, struct member *leader, int entries) {
  for (int i = 0; i < entries; i++) {
    struct group_stats s;
    struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = STR("a transaction")};
    group_stats(leader->group, &s);
    assert_ok(group_propose(leader->group, w->now_ms, s.term, &entry, 1, NULL));
    run(w, 2);
  }
}

// A member falls so far behind that the others have forgotten what it needs.
static struct member *leave_behind(struct world *w, struct member **ret_leader) {
  struct member *leader = elect(w);
  commit(w, leader, 10);
  run(w, 100);
  struct member *behind = &w->members[leader->id % MEMBERS + 1];
  behind->far = true;
  commit(w, leader, 200);
  assert_ok(checkpoint_run(leader->store, NULL));
  uint64_t durable = store_applied_index(leader->store);
  for (int i = 0; i < 10; i++) (void) !group_checkpointed(leader->group, w->now_ms, durable, TRAILING, NULL);
  assert_true(log_first_index(store_log(leader->store)) > store_applied_index(behind->store) + 1);
  behind->far = false;
  for (int i = 0; i < 100 && behind->install_index == 0; i++) run(w, 10);
  assert_true(behind->install_index > store_applied_index(behind->store));
  *ret_leader = leader;
  return behind;
}

// What goes over the wire otherwise: piece after piece.
static void copy_store(struct member *from, struct member *to) {
  uint8_t head[CHECKPOINT_HEAD_BYTES], *memory = mem_alloc(CHECKPOINT_PIECE_BYTES_MAX + PAGE_BYTES);
  uint8_t *piece = page_align(memory);
  struct checkpoint_pin pin;
  struct store_copy *c = NULL;
  assert_ok(checkpoint_pin(from->store, INT64_MAX, &pin, NULL));
  checkpoint_head(&pin, head);
  assert_ok(store_copy_open(sim_disk_table(to->disk), "db", head, &c, NULL));
  for (uint64_t at = CHECKPOINT_FIRST; store_copy_position(c) != CHECKPOINT_END;) {
    size_t bytes = 0;
    assert_ok(checkpoint_read(&pin, &at, piece, &bytes, NULL));
    assert_ok(store_copy_add(c, piece, bytes, NULL));
  }
  assert_ok(store_copy_finish(c, NULL));
  member_close(to);
  assert_ok(store_copy_install(c, &to->world->clock.clock, NULL));
  store_copy_close(c);
  checkpoint_unpin(&pin);
  mem_free(memory);
}

static void assert_caught_up(struct world *w, struct member *leader, struct member *m) {
  struct log_group_state g;
  commit(w, leader, 3);
  run(w, 300);
  assert_int_equal(store_applied_index(m->store), store_applied_index(leader->store));
  assert_int_equal(page_says(m), store_applied_index(m->store));
  log_group_state(store_log(m->store), &g);
  assert_false(g.installing);
  assert_int_equal(g.member_id, m->id);
  assert_ok(group_failure(m->group, NULL));
  assert_true(log_durable_index(store_log(m->store)) >= store_applied_index(m->store));
  assert_ok(store_check(m->store, true, NULL));
}

TEST(a_member_that_is_too_far_behind_gets_a_copy_and_follows_again) {
  struct world *w = world_new();
  struct member *leader = NULL, *behind = leave_behind(w, &leader);
  uint64_t asked = behind->install_index, old_last = log_last_index(store_log(behind->store));
  copy_store(leader, behind);
  member_open_store(behind, false); // ahead of its log, which is the old one still
  assert_true(store_applied_index(behind->store) >= asked);
  assert_int_equal(log_last_index(store_log(behind->store)), old_last);
  member_open_group(behind);
  for (int i = 0; i < 200 && log_first_index(store_log(behind->store)) <= old_last; i++) run(w, 10);
  assert_int_equal(log_first_index(store_log(behind->store)), asked + 1); // the leader has said it again
  assert_caught_up(w, leader, behind);
  world_free(w);
}

TEST(the_power_goes_when_the_copy_is_in_place_and_again_when_the_log_has_begun_anew) {
  struct world *w = world_new();
  struct member *leader = NULL, *behind = leave_behind(w, &leader);
  copy_store(leader, behind);
  for (int crash = 0; crash < 2; crash++) {
    member_open_store(behind, false);
    member_open_group(behind);
    run(w, 5);
    sim_disk_cut(behind->disk);
    member_close(behind);
    sim_disk_power_on(behind->disk);
  }
  member_open_store(behind, false);
  uint64_t old_first = log_first_index(store_log(behind->store));
  member_open_group(behind);
  for (int i = 0; i < 200 && log_first_index(store_log(behind->store)) == old_first; i++) run(w, 10);
  assert_true(log_first_index(store_log(behind->store)) > old_first);
  sim_disk_cut(behind->disk);
  member_close(behind);
  sim_disk_power_on(behind->disk);
  member_open_store(behind, false);
  member_open_group(behind);
  assert_caught_up(w, leader, behind);
  world_free(w);
}

/// Nothing of it is there, or some, or all: then it is not begun again.
static enum err begin(struct member *m, struct error *e) {
  struct consensus_membership first = first_membership();
  struct log_group_state state;
  TRY(member_try_store(m, true, e));
  log_group_state(store_log(m->store), &state);
  return state.member_id == 0 ? group_begin(store_log(m->store), m->id, &first, e) : ERR_OK;
}

TEST(a_beginning_that_a_power_cut_ended_is_begun_again) {
  struct world *w = world_new();
  struct member *m = &w->members[1];
  bool cut = true;
  for (int64_t changes = 0; cut; changes++) {
    struct error e = ERROR_INIT;
    member_close(m);
    sim_disk_free(m->disk);
    m->disk = sim_disk_new((uint64_t) changes);
    sim_disk_cut_after(m->disk, changes);
    enum err err = begin(m, &e);
    cut = sim_disk_is_off(m->disk);
    assert_int_equal(err != ERR_OK, cut);
    if (!cut) break;
    member_close(m);
    sim_disk_power_on(m->disk);
    err = begin(m, &e);
    if (err != ERR_OK) fail_msg("after %lld changes: %s", (long long) changes, e.message);
    member_open_group(m);
  }
  world_free(w);
}

TESTS(T(a_member_that_is_too_far_behind_gets_a_copy_and_follows_again),
      T(the_power_goes_when_the_copy_is_in_place_and_again_when_the_log_has_begun_anew),
      T(a_beginning_that_a_power_cut_ended_is_begun_again))
