// Leaders of databases over the servers of a cluster: who is wished for, and equal shares.
#include <string.h>

#include "base/compiler.h"
#include "base/test.h"
#include "dbms/balance.h"

enum { SERVERS = 5 };

/// Server 1 leads the database; the servers lead so many in all.
static struct balance_view view_of(struct balance_server servers[SERVERS], uint32_t n, const uint32_t *leads) {
  for (uint32_t i = 0; i < n; i++) servers[i] = (struct balance_server){.number = i + 1, .leads = leads[i], .can_lead = true};
  return (struct balance_view){.self = servers[0], .count = n - 1, .others = servers + 1, .equal = true};
}

TEST(whoever_leads_two_more_than_another_gives_one_away_to_who_leads_least) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 3, (uint32_t[]){4, 2, 1});
  assert_int_equal(balance_target(&v), 3);
  v = view_of(s, 3, (uint32_t[]){2, 1, 1});
  assert_int_equal(balance_target(&v), 0);
}

TEST(only_whoever_leads_most_gives_and_of_several_the_first) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 3, (uint32_t[]){3, 4, 0});
  assert_int_equal(balance_target(&v), 0);
  v = view_of(s, 3, (uint32_t[]){4, 4, 0});
  assert_int_equal(balance_target(&v), 3);
  v.self = s[1];
  v.others = (struct balance_server[]){s[0], s[2]};
  assert_int_equal(balance_target(&v), 0);
}

TEST(nobody_is_given_what_it_cannot_lead) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 3, (uint32_t[]){6, 3, 0});
  s[2].can_lead = false;
  assert_int_equal(balance_target(&v), 2);
  s[1].can_lead = false;
  assert_int_equal(balance_target(&v), 0);
}

TEST(who_is_preferred_leads_however_many_it_leads) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 3, (uint32_t[]){1, 9, 0});
  s[1].preferred = v.has_wishes = true;
  assert_int_equal(balance_target(&v), 2);
  v.equal = false;
  assert_int_equal(balance_target(&v), 2);
  s[1].can_lead = false; // then it stays where it is
  assert_int_equal(balance_target(&v), 0);
  v.equal = true;
  assert_int_equal(balance_target(&v), 0);
}

TEST(several_that_are_preferred_share_and_nobody_else_is_given_any) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 4, (uint32_t[]){5, 3, 4, 0});
  v.has_wishes = v.self.preferred = s[1].preferred = s[2].preferred = true;
  assert_int_equal(balance_target(&v), 2);
  s[1].can_lead = s[2].can_lead = false;
  assert_int_equal(balance_target(&v), 0);
}

TEST(a_wish_is_for_one_database_or_for_all_others) {
  struct str setting = STR("films=fast, slow ,books = ");
  assert_str(balance_wish(setting, STR("Films")), "fast");
  assert_str(balance_wish(setting, STR("neo4j")), "slow");
  assert_str(balance_wish(setting, STR("books")), "");
  assert_str(balance_wish(STR_NONE, STR("neo4j")), "");
  assert_str(balance_wish(STR("films=fast"), STR("neo4j")), "");
}

TEST(without_balancing_nothing_moves_unless_it_is_wished) {
  struct balance_server s[SERVERS];
  struct balance_view v = view_of(s, 3, (uint32_t[]){9, 0, 0});
  v.equal = false;
  assert_int_equal(balance_target(&v), 0);
}

/// Everybody looks at the same moment, again and again, and gives at most one away at a time.
TEST(from_whatever_it_begins_it_ends_soon_with_equal_shares_and_rests) {
  for (uint32_t seed = 0; seed < 500; seed++) {
    uint32_t leads[SERVERS], total = 0, moves = 0;
    for (uint32_t i = 0; i < SERVERS; i++) total += leads[i] = seed * (7 + i * 13) % 21;
    bool moved = true;
    for (uint32_t round = 0; moved && round < 1000; round++) {
      uint32_t next[SERVERS];
      moved = false;
      memcpy(next, leads, sizeof next);
      for (uint32_t me = 0; me < SERVERS; me++) {
        struct balance_server others[SERVERS];
        struct balance_view v = {.self = {me + 1, leads[me], false, true}, .others = others, .equal = true};
        for (uint32_t i = 0; i < SERVERS; i++)
          if (i != me) others[v.count++] = (struct balance_server){i + 1, leads[i], false, true};
        uint64_t to = leads[me] > 0 ? balance_target(&v) : 0;
        if (to == 0) continue;
        next[me]--, next[to - 1]++, moves++;
        moved = true;
      }
      memcpy(leads, next, sizeof leads);
    }
    assert_false(moved);
    assert_true(moves <= total);
    for (uint32_t i = 0; i < SERVERS; i++) assert_in_range(leads[i], total / SERVERS, (total + SERVERS - 1) / SERVERS);
  }
}

TESTS(T(whoever_leads_two_more_than_another_gives_one_away_to_who_leads_least),
      T(only_whoever_leads_most_gives_and_of_several_the_first), T(nobody_is_given_what_it_cannot_lead),
      T(who_is_preferred_leads_however_many_it_leads), T(several_that_are_preferred_share_and_nobody_else_is_given_any),
      T(a_wish_is_for_one_database_or_for_all_others), T(without_balancing_nothing_moves_unless_it_is_wished),
      T(from_whatever_it_begins_it_ends_soon_with_equal_shares_and_rests))
