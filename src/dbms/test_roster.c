#include "base/test.h"
#include "dbms/roster.h"

static const struct uuid cluster = {{0xc1}}, foreign = {{0xf0}}, neo4j = {{0xdb}};

static struct founding founding = {
    .cluster = {{0xc1}}, .count = 3, .founders = {{{{1}}, 11, "a:7000"}, {{{2}}, 12, "b:7000"}, {{{3}}, 13, "c:7000"}}};

struct scene {
  struct directory_server servers[4]; // founders, and room for a stranger
  struct announced_database said[4];
  struct roster_database here;
  struct cluster_members members;
  struct arena arena;
  struct roster roster;
};

/// Server `i` of the founders says that it has the database.
static void say(struct scene *s, uint32_t i, enum database_role role, uint64_t term, uint64_t applied) {
  s->said[i] = (struct announced_database){
      .uuid = neo4j, .term = term, .applied_index = applied, .role = role, .status = DATABASE_ONLINE};
  s->servers[i].said = (struct announcement){.server = founding.founders[i].server,
                                             .number = founding.founders[i].number,
                                             .mode = SERVER_CORE,
                                             .state = IDENTITY_BOUND,
                                             .founding = &founding,
                                             .database_count = 1,
                                             .databases = &s->said[i]};
}

/// Three founders; the first is this server and knows of `leader` in `term`.
static void set_three(struct scene *s, uint64_t leader, uint64_t term) {
  *s = (struct scene){.here = {.uuid = neo4j, .status = {.leader = leader, .term = term}, .applied = 100}};
  for (uint32_t i = 0; i < 3; i++) {
    say(s, i, ROLE_FOLLOWER, term, 90);
    s->members.of[s->members.count++] = (struct cluster_member){founding.founders[i].number, true};
  }
  arena_init(&s->arena, NULL);
}

static void build(struct scene *s, uint32_t count) {
  struct roster_source source = {.view = {.count = count, .servers = s->servers},
                                 .cluster = cluster,
                                 .database_count = 1,
                                 .databases = &s->here,
                                 .members = &s->members};
  assert_ok(roster_build(&source, &s->arena, &s->roster, NULL));
}

static uint64_t leader_number(const struct scene *s) {
  const struct roster_server *leader = roster_leader(&s->roster, 0);
  return leader != NULL ? leader->number : 0;
}

TEST(this_server_is_on_it_as_it_is_now_and_the_others_as_they_said_last) {
  struct scene s;
  set_three(&s, 12, 4);
  build(&s, 3);
  assert_int_equal(s.roster.count, 3);
  assert_int_equal(s.roster.servers[0].places[0].applied, 100);
  assert_int_equal(s.roster.servers[1].places[0].applied, 90);
  assert_int_equal(leader_number(&s), 12);
  arena_done(&s.arena);
}

TEST(a_leader_of_a_later_term_is_believed_before_this_server_has_heard_of_its_term) {
  struct scene s;
  set_three(&s, 12, 4);
  say(&s, 1, ROLE_LEADER, 4, 90);
  say(&s, 2, ROLE_LEADER, 5, 90);
  build(&s, 3);
  assert_int_equal(leader_number(&s), 13);
  assert_int_equal(s.roster.servers[1].places[0].role, ROLE_FOLLOWER);
  arena_done(&s.arena);
}

TEST(during_an_election_whoever_led_before_leads_no_more) {
  struct scene s;
  set_three(&s, 0, 5);
  say(&s, 1, ROLE_LEADER, 4, 90);
  build(&s, 3);
  assert_int_equal(leader_number(&s), 0);
  arena_done(&s.arena);
}

TEST(a_founder_that_is_not_heard_of_is_on_it_by_name) {
  struct scene s;
  set_three(&s, 12, 4);
  build(&s, 2);
  assert_int_equal(s.roster.count, 3);
  assert_null(s.roster.servers[2].said);
  assert_true(uuid_eq(s.roster.servers[2].server, founding.founders[2].server));
  assert_int_equal(s.roster.servers[2].places[0].role, ROLE_NONE);
  arena_done(&s.arena);
}

TEST(a_server_of_another_cluster_is_not_on_it_and_leads_nothing) {
  struct scene s;
  set_three(&s, 12, 4);
  struct founding other = founding;
  other.cluster = foreign;
  say(&s, 3, ROLE_LEADER, 9, 90);
  s.servers[3].said.founding = &other;
  s.servers[3].said.number = 99;
  build(&s, 4);
  assert_int_equal(s.roster.count, 3);
  assert_int_equal(leader_number(&s), 12);
  arena_done(&s.arena);
}

TEST(every_failed_allocation_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct scene s;
    set_three(&s, 12, 4);
    struct roster_source source = {.view = {.count = 2, .servers = s.servers},
                                   .cluster = cluster,
                                   .database_count = 1,
                                   .databases = &s.here,
                                   .members = &s.members};
    enum err err = roster_build(&source, &s.arena, &s.roster, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    arena_done(&s.arena);
  }
}

TEST(a_read_replica_knows_who_leads_by_what_the_others_say) {
  struct scene s;
  set_three(&s, 0, 0);
  s.here.status.role = CLUSTER_REPLICA;
  s.servers[0].said.mode = SERVER_READ_REPLICA;
  say(&s, 2, ROLE_LEADER, 7, 95);
  build(&s, 3);
  assert_int_equal(leader_number(&s), 13);
  assert_int_equal(s.roster.servers[0].places[0].role, ROLE_LEARNER);
  arena_done(&s.arena);
}

TESTS(T(a_read_replica_knows_who_leads_by_what_the_others_say),
      T(this_server_is_on_it_as_it_is_now_and_the_others_as_they_said_last),
      T(a_leader_of_a_later_term_is_believed_before_this_server_has_heard_of_its_term),
      T(during_an_election_whoever_led_before_leads_no_more), T(a_founder_that_is_not_heard_of_is_on_it_by_name),
      T(a_server_of_another_cluster_is_not_on_it_and_leads_nothing), T(every_failed_allocation_is_an_error))
