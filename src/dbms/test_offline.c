// The stores of a member are taken out of its cluster, and those of a standalone server become what a cluster begins with, with
// the power cut at any moment.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cluster/host.h"
#include "dbms/offline.h"
#include "dbms/seed.h"
#include "graph/graph.h"
#include "graph/replica.h"
#include "store/sim_disk.h"

enum { COMMITTED = 3, LOGGED = 5, SERVER = 7 };

struct place {
  struct sim_disk *sim;
  struct disk *disk;
  struct config *config;
  struct page_pool *pool;
  struct clock_manual clock;
  struct random_seeded random;
  struct error e;
};

static void no_work(void *context UNUSED, enum graph_machine which UNUSED) {
}

static enum err open_as(struct place *p, const char *folder, bool member, bool create, struct graph **ret) {
  char path[64];
  snprintf(path, sizeof path, "/home/data/databases/%s", folder);
  assert_ok(disk_make_directories(p->disk, path, &p->e));
  struct graph_options o = {.disk = p->disk,
                            .clock = &p->clock.clock,
                            .random = &p->random.source,
                            .pool = p->pool,
                            .create = create,
                            .replicated = member,
                            .work_ready = no_work};
  return graph_open(path, &o, ret, &p->e);
}

static struct log *log_of(struct graph *g) {
  return store_log(graph_store(g));
}

static void append(struct log *l, uint64_t index, uint64_t last, struct error *e) {
  for (; index <= last; index++) {
    struct log_entry entry = {.index = index, .term = 2, .kind = LOG_NOOP, .parts = LOG_END, .commit_time_ns = NS_PER_S};
    bool worked = true;
    assert_ok(log_append(l, &entry, 1, e));
    while (worked) assert_ok(log_writer_step(l, &worked, e));
  }
}

/// One of three members. Of its last two entries it was never told whether they are committed.
static void make_member(struct place *p, const char *folder) {
  struct graph *g;
  struct consensus_membership m = {.index = 1, .count = 3};
  for (uint32_t i = 0; i < 3; i++) {
    m.members[i] = (struct consensus_member){.id = member_of(SERVER + i, 1), .role = CONSENSUS_VOTER};
    snprintf(m.members[i].address, sizeof m.members[i].address, "core%u:7000", i);
  }
  assert_ok(open_as(p, folder, true, true, &g));
  assert_ok(group_begin(log_of(g), member_of(SERVER, 1), &m, &p->e));
  append(log_of(g), 2, COMMITTED, &p->e);
  log_commit_mark(log_of(g), COMMITTED);
  append(log_of(g), COMMITTED + 1, LOGGED, &p->e);
  graph_close(g);
}

static void place_make(struct place *p, uint64_t seed) {
  *p = (struct place){.sim = sim_disk_new(seed), .e = ERROR_INIT};
  struct page_pool_options pool = {.limit_bytes = 8 << 20, .wait_ms = 1000};
  struct identity identity;
  p->disk = sim_disk_table(p->sim);
  p->config = config_new();
  clock_manual_init(&p->clock, 0);
  random_seeded_init(&p->random, seed);
  assert_ok(config_finish(p->config, STR("/home"), &p->e));
  assert_ok(page_pool_open(&pool, &p->pool, &p->e));
  make_member(p, "neo4j");
  make_member(p, "system");
  assert_ok(identity_open(p->disk, "/home/data", &p->random.source, &identity, &p->e));
  assert_ok(disk_make_directories(p->disk, "/home/data/groups", &p->e));
}

static void place_free(struct place *p) {
  page_pool_close(p->pool);
  config_free(p->config);
  sim_disk_free(p->sim);
}

static enum err unbind(struct place *p, bool keep_tail) {
  struct offline *o;
  TRY(offline_open(config_values(p->config), p->disk, NULL, &o, &p->e));
  enum err err = offline_unbind(o, keep_tail, &p->e);
  offline_close(o);
  return err;
}

static enum err note_name(void *argument, const char *name, bool is_directory UNUSED) {
  *(bool *) argument |= strcmp(name, "groups") == 0;
  return ERR_OK;
}

/// What says in which life its groups are.
static bool has_lives(struct place *p) {
  bool found = false;
  assert_ok(disk_list(p->disk, "/home/data", note_name, &found, &p->e));
  return found;
}

static bool has_identity(struct place *p) {
  struct disk_file *f;
  if (disk_open(p->disk, "/home/data/" IDENTITY_FILE, DISK_READ_ONLY, &f, NULL) != ERR_OK) return false;
  disk_close(f);
  return true;
}

/// It opens as a standalone server's, ends there, and is of the second generation.
static void is_standalone(struct place *p, const char *folder, uint64_t last) {
  struct graph *g;
  if (open_as(p, folder, false, false, &g) != ERR_OK) fail_msg("%s", p->e.message);
  assert_int_equal(log_last_index(log_of(g)), last);
  assert_int_equal(graph_applied(g).index, last);
  assert_int_equal(log_generation(log_of(g)), 2);
  assert_ok(store_check(graph_store(g), true, &p->e));
  graph_close(g);
}

TEST(what_is_known_to_be_committed_is_told_apart_from_what_the_others_may_have_decided) {
  struct place p;
  struct offline *o;
  struct arena a;
  struct offline_report r;
  place_make(&p, 1);
  arena_init(&a, NULL);
  assert_ok(offline_open(config_values(p.config), p.disk, NULL, &o, &p.e));
  assert_ok(offline_look(o, &a, &r, &p.e));
  assert_int_equal(r.count, 2);
  assert_str(r.databases[0].name, "system");
  for (uint32_t i = 0; i < 2; i++) {
    const struct offline_database *d = &r.databases[i];
    assert_true(d->is_member);
    assert_int_equal(d->committed.index, COMMITTED);
    assert_int_equal(d->logged.index, LOGGED);
    assert_int_equal(d->logged.term, 2);
    assert_int_equal(d->member_count, 3);
    assert_int_equal(d->members[0].server, SERVER);
    assert_string_equal(d->members[2].address, "core2:7000");
  }
  offline_close(o);
  arena_done(&a);
  place_free(&p);
}

TEST(an_unbound_server_has_what_was_committed_and_starts_as_a_standalone_one) {
  struct place p;
  struct graph *g;
  place_make(&p, 2);
  assert_true(has_identity(&p) && has_lives(&p));
  assert_int_equal(open_as(&p, "neo4j", false, false, &g), ERR_INVALID); // as long as it is a member
  assert_ok(unbind(&p, false));
  assert_false(has_identity(&p) || has_lives(&p));
  assert_int_equal(open_as(&p, "neo4j", true, false, &g), ERR_INVALID); // it is none any more
  is_standalone(&p, "system", COMMITTED);
  is_standalone(&p, "neo4j", COMMITTED);
  place_free(&p);
}

TEST(with_its_tail_a_survivor_keeps_all_that_clients_may_have_been_told) {
  struct place p;
  place_make(&p, 3);
  assert_ok(unbind(&p, true));
  is_standalone(&p, "system", LOGGED);
  is_standalone(&p, "neo4j", LOGGED);
  place_free(&p);
}

TEST(unbinding_goes_on_after_a_power_cut_at_any_moment) {
  bool over = false;
  for (int64_t n = 0; !over; n += 1 + n / 30) {
    for (int keep = 0; keep < 2; keep++) {
      struct place p;
      place_make(&p, 100 + (uint64_t) n);
      sim_disk_cut_after(p.sim, n);
      over = unbind(&p, keep) == ERR_OK;
      sim_disk_cut_after(p.sim, -1);
      sim_disk_cut(p.sim);
      sim_disk_power_on(p.sim);
      if (unbind(&p, keep) != ERR_OK) fail_msg("cut after %lld: %s", (long long) n, p.e.message);
      assert_false(has_identity(&p));
      is_standalone(&p, "system", keep ? LOGGED : COMMITTED);
      is_standalone(&p, "neo4j", keep ? LOGGED : COMMITTED);
      place_free(&p);
    }
  }
}

// ---- a cluster begins with them ----

/// Founded by three servers with the databases of this one.
static enum err seed(struct place *p) {
  struct dbms_cluster_options c = {.server = SERVER, .seed = SERVER, .founder_count = 3};
  struct announced_database system;
  bool any = false;
  for (uint32_t i = 0; i < 3; i++) {
    c.founders[i].server = SERVER + i;
    snprintf(c.founders[i].address, sizeof c.founders[i].address, "core%u:7000", i);
  }
  enum err err = seed_look(config_values(p->config), p->disk, &system, &any, &p->e);
  if (err != ERR_OK && err != ERR_INVALID) return err; // some are handed over already
  c.first_term = 5000;                                 // as the founding has it, whatever is found at the next start
  if (any && system.term > c.first_term) fail_msg("term %llu", (unsigned long long) system.term);
  return seed_begin(config_values(p->config), p->disk, NULL, &c, &p->e);
}

/// It opens as a member's that votes with the two others, behind the last entry of the standalone server, and not for anybody
/// else.
static void is_the_beginning(struct place *p, const char *folder, uint64_t generation) {
  struct graph *g;
  static struct log_group_state state;
  assert_int_equal(open_as(p, folder, false, false, &g), ERR_INVALID);
  if (open_as(p, folder, true, false, &g) != ERR_OK) fail_msg("%s", p->e.message);
  log_group_state(log_of(g), &state);
  assert_int_equal(state.member_id, member_of(SERVER, 1));
  assert_int_equal(state.generation, generation);
  assert_int_equal(state.member_count, 3);
  assert_int_equal(state.snapshot_index, graph_applied(g).index);
  assert_int_equal(state.membership_index, state.snapshot_index);
  assert_true(state.snapshot_index >= COMMITTED && state.snapshot_term < 5000 && state.term >= 5000);
  assert_int_equal(log_last_index(log_of(g)), state.snapshot_index);
  assert_ok(store_check(graph_store(g), true, &p->e));
  graph_close(g);
}

TEST(a_standalone_servers_stores_become_what_the_groups_of_a_cluster_begin_with) {
  struct place p;
  struct announced_database system;
  bool any = true;
  place_make(&p, 4);
  assert_ok(seed_look(config_values(p.config), p.disk, &system, &any, &p.e));
  assert_false(any); // a member's are its cluster's
  assert_ok(unbind(&p, false));
  assert_ok(seed_look(config_values(p.config), p.disk, &system, &any, &p.e));
  assert_true(any && system.term > 2 && !uuid_is_none(system.uuid));
  assert_ok(seed(&p));
  is_the_beginning(&p, "system", 3);
  is_the_beginning(&p, "neo4j", 3);
  assert_ok(seed(&p)); // done already
  is_the_beginning(&p, "neo4j", 3);
  place_free(&p);
}

TEST(handing_over_to_a_cluster_goes_on_after_a_power_cut_at_any_moment) {
  bool over = false;
  for (int64_t n = 0; !over; n += 1 + n / 30) {
    struct place p;
    place_make(&p, 300 + (uint64_t) n);
    assert_ok(unbind(&p, false));
    sim_disk_cut_after(p.sim, n);
    over = seed(&p) == ERR_OK;
    sim_disk_cut_after(p.sim, -1);
    sim_disk_cut(p.sim);
    sim_disk_power_on(p.sim);
    if (seed(&p) != ERR_OK) fail_msg("cut after %lld: %s", (long long) n, p.e.message);
    is_the_beginning(&p, "system", 3);
    is_the_beginning(&p, "neo4j", 3);
    place_free(&p);
  }
}

TESTS(T(what_is_known_to_be_committed_is_told_apart_from_what_the_others_may_have_decided),
      T(an_unbound_server_has_what_was_committed_and_starts_as_a_standalone_one),
      T(with_its_tail_a_survivor_keeps_all_that_clients_may_have_been_told), T(unbinding_goes_on_after_a_power_cut_at_any_moment),
      T(a_standalone_servers_stores_become_what_the_groups_of_a_cluster_begin_with),
      T(handing_over_to_a_cluster_goes_on_after_a_power_cut_at_any_moment))
