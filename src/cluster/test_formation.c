// What a server decides by what others say, over a disk in memory. Whole formations with everything going wrong are played by
// tests/sim/sim_formation.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cluster/formation.h"
#include "store/sim_disk.h"

enum { SERVERS = 7 };

static char events[8000];
static size_t events_len;
static int64_t now_ms;

static void note_event(struct event_sink *sink UNUSED, enum event_level level UNUSED, const char *name, struct str text) {
  events_len += (size_t) snprintf(events + events_len, sizeof events - events_len, "%s %.*s\n", name, STR_ARG(text));
  events_len = MIN(events_len, sizeof events - 1);
}
static struct event_sink sink = {note_event};

static bool told(const char *text) {
  return strstr(events, text) != NULL;
}

static void forget_events(void) {
  events_len = 0;
  events[0] = '\0';
}

// ---- servers whose words reach everybody at once, unless a test says otherwise ----

struct server {
  struct sim_disk *sim;
  struct random_seeded random;
  struct formation_options options;
  struct formation *formation;
  struct announcement said;
  struct founding said_founding;
  char raft[40], discovery[40];
};

static struct server servers[SERVERS];

static void say(struct server *s) {
  s->said.addresses[ADDRESS_RAFT] = str_of(s->raft);
  s->said.addresses[ADDRESS_DISCOVERY] = str_of(s->discovery);
  formation_describe(s->formation, &s->said);
  if (s->said.founding == NULL) return;
  s->said_founding = *s->said.founding; // as others keep it
  s->said.founding = &s->said_founding;
}

static void start(unsigned n, enum server_mode mode) {
  struct server *s = &servers[n];
  struct error e = ERROR_INIT;
  if (s->sim == NULL) {
    s->sim = sim_disk_new(n + 1);
    random_seeded_init(&s->random, n + 1);
    assert_ok(disk_make_directories(sim_disk_table(s->sim), "/data", NULL));
  }
  s->options = (struct formation_options){.disk = sim_disk_table(s->sim),
                                          .folder = "/data",
                                          .random = &s->random.source,
                                          .mode = mode,
                                          .minimum = 3,
                                          .events = &sink};
  if (formation_open(&s->options, &s->formation, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(s->raft, sizeof s->raft, "core%u:7000", n);
  snprintf(s->discovery, sizeof s->discovery, "core%u:5000", n);
  say(s);
}

static void stop(unsigned n) {
  formation_close(servers[n].formation);
  servers[n].formation = NULL;
}

static void stop_all(void) {
  for (unsigned n = 0; n < SERVERS; n++) {
    if (servers[n].formation != NULL) stop(n);
    if (servers[n].sim != NULL) sim_disk_free(servers[n].sim);
    servers[n] = (struct server){0};
  }
  forget_events();
}

/// One step of a server that sees itself and those of `seen` (bits), and says what has changed.
static enum err step_listed(unsigned n, unsigned seen, uint32_t listed, bool *ret_changed, struct error *e) {
  struct directory_server view[SERVERS] = {{.said = servers[n].said}};
  struct directory_copy copy = {.count = 1, .servers = view};
  for (unsigned i = 0; i < SERVERS; i++)
    if (i != n && (seen >> i & 1)) view[copy.count++].said = servers[i].said;
  enum err err = formation_step(servers[n].formation, now_ms, &copy, listed, ret_changed, e);
  if (err == ERR_OK && *ret_changed) say(&servers[n]);
  return err;
}

static bool step(unsigned n, unsigned seen) {
  struct error e = ERROR_INIT;
  bool changed;
  if (step_listed(n, seen, 0, &changed, &e) != ERR_OK) fail_msg("%s", e.message);
  return changed;
}

/// Some seconds in which all of `up` (bits) see each other.
static void pass(unsigned up, int seconds) {
  for (; seconds > 0; seconds--) {
    now_ms += 1000;
    for (int round = 0; round < 6; round++)
      for (unsigned n = 0; n < SERVERS; n++)
        if (up >> n & 1) (void) step(n, up);
  }
}

static struct formation_result result_of(unsigned n) {
  struct formation_result r;
  if (!formation_result(servers[n].formation, &r)) fail_msg("server %u belongs to no cluster", n);
  return r;
}

static bool is_bound(unsigned n) {
  return formation_identity(servers[n].formation)->state == IDENTITY_BOUND;
}

/// The started servers by uuid.
static unsigned lowest(unsigned up) {
  unsigned best = SERVERS;
  for (unsigned n = 0; n < SERVERS; n++)
    if ((up >> n & 1) && (best == SERVERS || uuid_cmp(servers[n].said.server, servers[best].said.server) < 0)) best = n;
  return best;
}

// ---- the ordinary way ----

TEST(three_servers_found_one_cluster) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  struct formation_result first = result_of(0);
  assert_int_equal(first.founding.count, 3);
  assert_false(first.joined_existing);
  assert_false(uuid_is_none(first.founding.system));
  assert_int_not_equal(first.founding.first_term, 0);
  for (unsigned n = 0; n < 3; n++) {
    struct formation_result r = result_of(n);
    assert_memory_equal(&r.founding, &first.founding, sizeof r.founding);
    assert_int_equal(founding_find(&r.founding, servers[n].said.server)->number, r.number);
    assert_string_equal(founding_find(&r.founding, servers[n].said.server)->raft, servers[n].raft);
  }
  assert_true(told("cluster.formation.bound Bound to cluster: "));
  stop_all();
}

TEST(what_is_waited_for_is_told_once_and_again_when_it_lasts) {
  start(0, SERVER_CORE);
  start(1, SERVER_CORE);
  pass(1, 1);
  assert_true(told("Waiting for 3 members. Currently discovered 1 members: core0:5000 ("));
  forget_events();
  pass(1, 5);
  assert_false(told("Waiting"));
  pass(3, 1);
  assert_true(told("Waiting for 3 members. Currently discovered 2 members: "));
  assert_true(told("core1:5000 ("));
  forget_events();
  pass(3, 11);
  assert_true(told("Currently discovered 2 members"));
  stop_all();
}

TEST(a_server_that_comes_five_minutes_late_founds_with_the_others) {
  start(0, SERVER_CORE);
  pass(1, 300);
  start(1, SERVER_CORE);
  pass(3, 300);
  assert_false(is_bound(0));
  start(2, SERVER_CORE);
  pass(7, 5);
  for (unsigned n = 0; n < 3; n++) assert_true(is_bound(n));
  stop_all();
}

TEST(a_fourth_server_joins_the_cluster_that_is_there) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  start(3, SERVER_CORE);
  pass(8 | 2, 1); // it needs to see only one of them
  struct formation_result r = result_of(3), first = result_of(0);
  assert_true(r.joined_existing);
  assert_memory_equal(&r.founding, &first.founding, sizeof r.founding);
  stop_all();
}

static void tell_databases(unsigned n) {
  static const struct announced_database databases[] = {{.uuid = {{0x51}}, .status = DATABASE_ONLINE},
                                                        {.uuid = {{0xdb}}, .status = DATABASE_ONLINE}};
  servers[n].said.databases = databases;
  servers[n].said.database_count = 2;
}

TEST(a_read_replica_joins_and_is_none_of_the_founders) {
  start(0, SERVER_READ_REPLICA);
  start(1, SERVER_CORE);
  start(2, SERVER_CORE);
  pass(7, 20);
  for (unsigned n = 0; n < 3; n++) assert_false(is_bound(n));
  start(3, SERVER_CORE);
  pass(15, 5);
  assert_false(is_bound(0)); // nobody says what there is to follow
  tell_databases(2);
  pass(15, 5);
  assert_true(result_of(0).joined_existing);
  assert_int_equal(result_of(0).founding.system.bytes[0], 0x51);
  assert_int_equal(result_of(1).founding.count, 3);
  stop_all();
}

TEST(a_gateway_joins_and_is_none_of_the_founders) {
  start(0, SERVER_GATEWAY);
  start(1, SERVER_CORE);
  start(2, SERVER_CORE);
  pass(7, 20);
  for (unsigned n = 0; n < 3; n++) assert_false(is_bound(n)); // it is not the third
  assert_true(told("cluster.formation.alone"));
  start(3, SERVER_CORE);
  pass(15, 5);
  assert_true(result_of(0).joined_existing);
  assert_int_equal(result_of(1).founding.count, 3);
  stop_all();
}

TEST(a_single_server_joins_nobody_and_founds_for_its_replicas_alone) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  start(3, SERVER_SINGLE);
  pass(15, 5);
  assert_true(is_bound(0));
  assert_false(is_bound(3)); // it has nothing to give
  servers[3].said.addresses[ADDRESS_TRANSACTION] = STR("single:6000");
  tell_databases(3);
  pass(15, 2);
  assert_int_equal(result_of(3).founding.count, 1);
  start(4, SERVER_READ_REPLICA);
  pass(8 | 16, 3);
  assert_true(uuid_eq(result_of(4).founding.cluster, result_of(3).founding.cluster));
  assert_int_equal(result_of(4).founding.system.bytes[0], 0x51);
  stop(3); // as a core it is free again
  start(3, SERVER_CORE);
  assert_int_equal(formation_identity(servers[3].formation)->state, IDENTITY_UNBOUND);
  stop_all();
}

TEST(a_restart_gives_the_same_result) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  struct formation_result before = result_of(1);
  stop(1);
  start(1, SERVER_CORE);
  struct formation_result after = result_of(1);
  assert_int_equal(after.number, before.number);
  assert_true(after.joined_existing == before.joined_existing && after.begun == before.begun);
  uint8_t bytes[2][FOUNDING_BYTES_MAX];
  founding_put(bytes[0], &before.founding);
  founding_put(bytes[1], &after.founding);
  assert_int_equal(after.founding.count, 3);
  assert_memory_equal(bytes[1], bytes[0], founding_bytes(&before.founding));
  stop_all();
}

// ---- older copies of a data folder ----

static const struct start LATER = {100, 7};

TEST(a_server_that_begins_anew_is_the_same_one_in_a_later_start_than_any_that_is_known) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  struct formation_result before = result_of(1);
  assert_true(starts_are_older(&before.starts, LATER));
  assert_ok(formation_renew(servers[1].formation, LATER, NULL));
  stop(1);
  start(1, SERVER_CORE);
  struct formation_result after = result_of(1);
  assert_int_equal(after.number, before.number);
  assert_true(after.starts.renewing && after.starts.renewal > LATER.number);
  assert_true(starts_now(&after.starts).number > after.starts.renewal);
  assert_int_equal(starts_now(&after.starts).number, formation_identity(servers[1].formation)->epoch);
  assert_false(starts_are_older(&after.starts, LATER));
  assert_ok(formation_settle(servers[1].formation, NULL));
  stop(1);
  start(1, SERVER_CORE);
  assert_false(result_of(1).starts.renewing);
  assert_int_equal(result_of(1).starts.renewal, after.starts.renewal);
  stop_all();
}

TEST(a_server_that_loses_power_while_it_begins_anew_has_done_so_or_is_told_again) {
  bool through = false;
  for (int64_t at = 0; !through; at++) {
    for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
    pass(7, 5);
    struct sim_disk *sim = servers[1].sim;
    sim_disk_cut_after(sim, at);
    through = formation_renew(servers[1].formation, LATER, NULL) == ERR_OK;
    if (!sim_disk_is_off(sim)) sim_disk_cut(sim);
    sim_disk_power_on(sim);
    sim_disk_cut_after(sim, -1);
    stop(1);
    start(1, SERVER_CORE);
    struct formation_result r = result_of(1);
    assert_true(starts_are_older(&r.starts, LATER) || r.starts.renewal > LATER.number);
    assert_true(!through || r.starts.renewal > LATER.number);
    stop_all();
  }
}

TEST(an_identity_that_was_put_back_alone_begins_anew_by_itself) {
  uint8_t bytes[4096];
  size_t size;
  struct error e = ERROR_INIT;
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  struct disk *d = servers[1].options.disk;
  assert_ok(disk_read_file(d, "/data/" IDENTITY_FILE, bytes, sizeof bytes, &size, &e));
  for (int i = 0; i < 3; i++) {
    stop(1);
    start(1, SERVER_CORE);
  }
  struct formation_result before = result_of(1);
  struct start last = starts_now(&before.starts);
  stop(1);
  assert_ok(disk_replace_file(d, "/data", IDENTITY_FILE, bytes, sizeof bytes, &e));
  start(1, SERVER_CORE);
  struct formation_result r = result_of(1);
  assert_true(told("was put back from an older copy"));
  assert_true(r.starts.renewal > last.number && r.starts.renewing);
  assert_false(starts_are_older(&r.starts, last));
  assert_int_equal(starts_now(&r.starts).number, formation_identity(servers[1].formation)->epoch);
  stop_all();
}

TEST(a_number_that_no_start_can_have_is_not_believed) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  assert_int_equal(formation_renew(servers[1].formation, (struct start){UINT64_MAX, 7}, NULL), ERR_CORRUPT);
  stop_all();
}

TEST(a_server_that_was_dropped_says_at_its_next_start_how_to_come_back) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  assert_ok(formation_drop(servers[1].formation, NULL));
  say(&servers[1]);
  assert_int_equal(servers[1].said.state, IDENTITY_BOUND); // others know better
  stop(1);
  struct formation *again;
  struct error e = ERROR_INIT;
  assert_int_equal(formation_open(&servers[1].options, &again, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "was dropped from cluster"));
  assert_non_null(strstr(e.message, "server unbind"));
  stop_all();
}

/// The server has databases of a standalone one.
static void bring(unsigned n, uint8_t origin) {
  static struct announced_database databases[SERVERS];
  databases[n] = (struct announced_database){.uuid = {{origin}}, .term = 40 + n, .applied_index = 1000};
  servers[n].said.databases = &databases[n];
  servers[n].said.database_count = 1;
}

TEST(a_cluster_begins_with_the_databases_of_the_one_founder_that_has_some) {
  for (unsigned seed = 0; seed < 3; seed++) { // whether it proposes or not
    for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
    bring(seed, 0xda);
    pass(7, 5);
    for (unsigned n = 0; n < 3; n++) {
      struct founding f = result_of(n).founding;
      assert_int_equal(f.seed, result_of(seed).number);
      assert_int_equal(f.first_term, 40 + seed);
      assert_true(uuid_eq(f.system, (struct uuid){{0xda}}));
      assert_int_equal(f.count, 3);
    }
    stop_all();
  }
}

TEST(two_servers_with_databases_found_no_cluster_and_both_are_named) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  bring(0, 0xda);
  bring(2, 0xdb);
  pass(7, 20);
  for (unsigned n = 0; n < 3; n++) assert_false(is_bound(n));
  assert_true(told("two servers that are to found a cluster have databases of their own"));
  assert_true(told("core0:5000 (system da000000-") && told("core2:5000 (system db000000-"));
  stop_all();
}

TEST(a_server_with_databases_does_not_join_a_cluster_that_is_there) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  pass(7, 5);
  start(3, SERVER_CORE);
  bring(3, 0xda);
  pass(15, 20);
  assert_false(is_bound(3));
  assert_true(told("this server has databases of its own (system da000000-"));
  stop_all();
}

TEST(two_servers_with_one_number_get_two) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  stop(2);
  struct identity i;
  assert_ok(identity_open(servers[2].options.disk, "/data", &servers[2].random.source, &i, NULL));
  i.number = servers[0].said.number;
  assert_ok(identity_save(servers[2].options.disk, "/data", &i, NULL));
  start(2, SERVER_CORE);
  assert_int_equal(servers[2].said.number, servers[0].said.number);
  pass(7, 5);
  assert_int_not_equal(result_of(0).number, result_of(2).number);
  stop_all();
}

// ---- half of a network ----

TEST(of_six_listed_servers_three_do_not_found_a_cluster) {
  for (unsigned n = 0; n < 6; n++) start(n, SERVER_CORE);
  for (int s = 0; s < 20; s++) {
    now_ms += 1000;
    for (unsigned n = 0; n < 6; n++) {
      bool changed;
      assert_ok(step_listed(n, n < 3 ? 7 : 56, 6, &changed, NULL));
      assert_false(changed);
    }
  }
  assert_true(told("Waiting for 4 members (more than half of the 6 that the settings name"));
  stop_all();
}

// ---- a founding whose proposer is not heard ----

/// Three servers, of which the lowest has proposed and one follower is prepared. Gives proposer and follower.
static void propose_to_one(unsigned *ret_proposer, unsigned *ret_follower) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  unsigned p = lowest(7), f = (p + 1) % 3;
  (void) step(p, 7);
  now_ms += 3000;
  assert_true(step(p, 7));
  assert_int_equal(formation_identity(servers[p].formation)->state, IDENTITY_PREPARED);
  assert_true(step(f, 7));
  assert_int_equal(formation_identity(servers[f].formation)->state, IDENTITY_PREPARED);
  *ret_proposer = p;
  *ret_follower = f;
}

/// Some seconds in which all of `up` see each other; the settings of `wary` name six servers, those of the others do not say.
static void pass_beside(unsigned wary, unsigned up, int seconds) {
  struct error e = ERROR_INIT;
  bool changed;
  for (; seconds > 0; seconds--) {
    now_ms += 1000;
    for (int round = 0; round < 6; round++)
      for (unsigned n = 0; n < SERVERS; n++)
        if (up >> n & 1) assert_ok(step_listed(n, up, n == wary ? 6 : 0, &changed, &e));
  }
}

TEST(nobody_takes_part_in_a_founding_of_fewer_servers_than_his_settings_want) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  unsigned wary = (lowest(7) + 1) % 3; // another one proposes
  pass_beside(wary, 7, 5);
  assert_true(told("proposes to found"));
  assert_int_equal(formation_identity(servers[wary].formation)->state, IDENTITY_UNBOUND);
  pass_beside(wary, 7, 30);
  assert_true(told("takes no part"));
  for (unsigned n = 0; n < 3; n++) assert_false(is_bound(n));
  start(3, SERVER_CORE);
  pass_beside(wary, 15, 30);
  for (unsigned n = 0; n < 4; n++) assert_int_equal(result_of(n).founding.count, 4);
  stop_all();
}

TEST(where_more_servers_are_there_than_the_settings_name_others_are_waited_for) {
  struct error e = ERROR_INIT;
  bool changed;
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  unsigned first = lowest(7);
  assert_ok(step_listed(first, 7, 2, &changed, &e));
  assert_false(changed);
  assert_ok(step_listed(first, 7, 3, &changed, &e)); // all that there are
  assert_true(changed);
  stop_all();
}

TEST(what_a_proposer_said_before_it_proposed_is_no_word_against_it) {
  unsigned p, f;
  propose_to_one(&p, &f);
  stop(f);
  start(f, SERVER_CORE);                    // it has forgotten what it heard, not what it promised
  servers[p].said.state = IDENTITY_UNBOUND; // an old word of it, told by somebody else
  servers[p].said.founding = NULL;
  servers[p].said.sequence = formation_identity(servers[f].formation)->founding.sequence - 1;
  assert_false(step(f, 1u << p));
  assert_int_equal(formation_identity(servers[f].formation)->state, IDENTITY_PREPARED);
  stop_all();
}

TEST(a_founding_is_given_up_when_its_proposer_says_so_later) {
  unsigned p, f, other;
  propose_to_one(&p, &f);
  other = 3 - p - f;
  now_ms += 10000;
  assert_true(step(p, 1u << f)); // the third one is gone
  assert_int_equal(formation_identity(servers[p].formation)->state, IDENTITY_UNBOUND);
  assert_true(told("gives up the founding of cluster"));
  assert_true(step(f, 1u << p));
  assert_int_equal(formation_identity(servers[f].formation)->state, IDENTITY_UNBOUND);
  pass(7, 6);
  assert_true(is_bound(other));
  stop_all();
}

TEST(a_proposer_that_starts_again_goes_on_when_it_has_found_the_others) {
  unsigned p, f;
  propose_to_one(&p, &f);
  stop(p);
  start(p, SERVER_CORE);
  for (int s = 0; s < 9; s++) {
    now_ms += 1000;
    assert_false(step(p, 0)); // nobody is heard yet
  }
  struct founding proposed = formation_identity(servers[p].formation)->founding;
  pass(7, 2);
  assert_true(uuid_eq(result_of(f).founding.cluster, proposed.cluster));
  stop_all();
}

TEST(a_follower_waits_for_a_proposer_that_is_gone_and_says_what_to_do) {
  unsigned p, f;
  propose_to_one(&p, &f);
  for (int s = 0; s < 600; s++) {
    now_ms += 1000;
    assert_false(step(f, 0));
  }
  assert_true(told("waits for the server at core"));
  assert_true(told("start it, with its data"));
  assert_int_equal(formation_identity(servers[f].formation)->state, IDENTITY_PREPARED);
  pass(7, 5); // and it comes back
  assert_true(is_bound(f));
  stop_all();
}

TEST(nobody_proposes_beside_a_founding_whose_fate_is_open) {
  unsigned p, f;
  propose_to_one(&p, &f);
  start(3, SERVER_CORE);
  start(4, SERVER_CORE);
  unsigned unbound = 1u << (3 - p - f) | 1u << 3 | 1u << 4;
  pass(unbound | 1u << f, 60); // three could, and see the one that is prepared
  for (unsigned n = 0; n < 5; n++) assert_false(is_bound(n));
  stop_all();
}

TEST(a_proposer_that_finds_a_cluster_joins_it) {
  unsigned p, f;
  propose_to_one(&p, &f);
  for (unsigned n = 3; n < 6; n++) start(n, SERVER_CORE);
  pass(56, 5); // three others that saw nothing of it
  assert_true(is_bound(3));
  pass(63, 3);
  for (unsigned n = 0; n < 3; n++) assert_true(uuid_eq(result_of(n).founding.cluster, result_of(3).founding.cluster));
  assert_true(result_of(p).joined_existing);
  stop_all();
}

TEST(a_server_that_finds_two_clusters_joins_none_and_says_so) {
  for (unsigned n = 0; n < 6; n++) start(n, SERVER_CORE);
  pass(7, 5);
  pass(56, 5);
  start(6, SERVER_CORE);
  for (int s = 0; s < 5; s++) assert_false(step(6, 63));
  assert_true(told("belong to 2 clusters; it joins none"));
  stop_all();
}

// ---- trouble ----

TEST(a_disk_that_fails_ends_the_formation) {
  for (unsigned n = 0; n < 3; n++) start(n, SERVER_CORE);
  unsigned p = lowest(7);
  struct error e = ERROR_INIT;
  bool changed;
  (void) step(p, 7);
  now_ms += 3000;
  sim_disk_fail(servers[p].sim, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(step_listed(p, 7, 0, &changed, &e), ERR_IO);
  assert_int_equal(step_listed(p, 7, 0, &changed, &e), ERR_IO); // nobody knows what a restart will find
  stop_all();
}

TEST(a_minimum_that_cannot_be_is_refused) {
  struct formation *f;
  struct error e = ERROR_INIT;
  assert_int_equal(formation_open(&(struct formation_options){.minimum = 16}, &f, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "1 to 15 servers, not 16"));
}

TESTS(T(three_servers_found_one_cluster), T(what_is_waited_for_is_told_once_and_again_when_it_lasts),
      T(a_server_that_comes_five_minutes_late_founds_with_the_others), T(a_fourth_server_joins_the_cluster_that_is_there),
      T(a_read_replica_joins_and_is_none_of_the_founders), T(a_gateway_joins_and_is_none_of_the_founders),
      T(a_single_server_joins_nobody_and_founds_for_its_replicas_alone), T(a_restart_gives_the_same_result),
      T(a_server_that_begins_anew_is_the_same_one_in_a_later_start_than_any_that_is_known),
      T(a_server_that_loses_power_while_it_begins_anew_has_done_so_or_is_told_again),
      T(an_identity_that_was_put_back_alone_begins_anew_by_itself), T(a_number_that_no_start_can_have_is_not_believed),
      T(a_cluster_begins_with_the_databases_of_the_one_founder_that_has_some),
      T(two_servers_with_databases_found_no_cluster_and_both_are_named),
      T(a_server_with_databases_does_not_join_a_cluster_that_is_there),
      T(a_server_that_was_dropped_says_at_its_next_start_how_to_come_back), T(two_servers_with_one_number_get_two),
      T(of_six_listed_servers_three_do_not_found_a_cluster),
      T(nobody_takes_part_in_a_founding_of_fewer_servers_than_his_settings_want),
      T(where_more_servers_are_there_than_the_settings_name_others_are_waited_for),
      T(what_a_proposer_said_before_it_proposed_is_no_word_against_it), T(a_founding_is_given_up_when_its_proposer_says_so_later),
      T(a_proposer_that_starts_again_goes_on_when_it_has_found_the_others),
      T(a_follower_waits_for_a_proposer_that_is_gone_and_says_what_to_do),
      T(nobody_proposes_beside_a_founding_whose_fate_is_open), T(a_proposer_that_finds_a_cluster_joins_it),
      T(a_server_that_finds_two_clusters_joins_none_and_says_so), T(a_disk_that_fails_ends_the_formation),
      T(a_minimum_that_cannot_be_is_refused))
