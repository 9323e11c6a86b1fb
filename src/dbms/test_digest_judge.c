// Who is right when members have digested the same range: most of those who vote.
#include "base/compiler.h"
#include "base/test.h"
#include "dbms/digest_judge.h"

enum { A = 0xa, B = 0xb, C = 0xc, UNREADABLE = 0 };

/// Voters with these digests as of entry 7; the first is whoever is judged.
static enum digest_verdict judge(const uint64_t *digests, uint32_t count, uint64_t *ret_majority) {
  struct digest_said voters[5];
  for (uint32_t i = 0; i < count; i++) voters[i] = (struct digest_said){i + 1, true, 7, digests[i]};
  return digest_judge(&voters[0], voters, count, ret_majority);
}

TEST(whoever_has_what_most_have_is_right) {
  uint64_t majority = 0;
  assert_int_equal(judge((uint64_t[]){A, A, A}, 3, &majority), DIGEST_AGREES);
  assert_int_equal(judge((uint64_t[]){A, A, B}, 3, &majority), DIGEST_AGREES);
  assert_int_equal(majority, A);
}

TEST(whoever_has_something_else_than_most_is_wrong_leader_or_not) {
  uint64_t majority = 0;
  assert_int_equal(judge((uint64_t[]){B, A, A}, 3, &majority), DIGEST_DIFFERS);
  assert_int_equal(majority, A);
  assert_int_equal(judge((uint64_t[]){B, B, A, A, A}, 5, &majority), DIGEST_DIFFERS);
  assert_int_equal(judge((uint64_t[]){UNREADABLE, A, A}, 3, &majority), DIGEST_DIFFERS);
}

TEST(nobody_is_judged_by_half_of_the_voters) {
  uint64_t majority = 0;
  assert_int_equal(judge((uint64_t[]){A, B}, 2, &majority), DIGEST_DISUNITE);
  assert_int_equal(judge((uint64_t[]){A, B, C}, 3, &majority), DIGEST_DISUNITE);
  assert_int_equal(judge((uint64_t[]){B, B, A, A}, 4, &majority), DIGEST_DISUNITE);
  assert_int_equal(judge((uint64_t[]){A, UNREADABLE, UNREADABLE}, 3, &majority), DIGEST_DISUNITE);
  assert_int_equal(majority, 0);
}

TEST(what_is_said_of_another_entry_does_not_count) {
  uint64_t majority = 0;
  struct digest_said voters[] = {{1, true, 7, B}, {2, true, 7, A}, {3, true, 6, A}};
  assert_int_equal(digest_judge(&voters[0], voters, 3, &majority), DIGEST_OPEN);
  voters[2].index = 0; // it is not heard of
  assert_int_equal(digest_judge(&voters[0], voters, 3, &majority), DIGEST_OPEN);
  voters[2].index = 7;
  assert_int_equal(digest_judge(&voters[0], voters, 3, &majority), DIGEST_DIFFERS);
  struct digest_said nothing = {1, false, 0, 0};
  assert_int_equal(digest_judge(&nothing, voters, 3, &majority), DIGEST_OPEN);
}

TEST(one_that_does_not_vote_is_judged_by_those_who_do) {
  uint64_t majority = 0;
  struct digest_said learner = {4, true, 7, B}, voters[] = {{1, true, 7, A}, {2, true, 7, A}, {3, false, 0, 0}};
  assert_int_equal(digest_judge(&learner, voters, 3, &majority), DIGEST_DIFFERS);
}

TEST(a_replica_is_not_judged_by_fewer_than_most_of_those_who_vote_however_few_are_heard_of) {
  uint64_t majority = 0;
  struct digest_said replica = {9, true, 7, B}, voters[5] = {{1, true, 7, A}, {2, true, 7, A}}; // nothing is known of the others
  assert_int_equal(digest_judge(&replica, voters, 5, &majority), DIGEST_OPEN);
  assert_int_equal(digest_judge(&replica, voters, 3, &majority), DIGEST_DIFFERS);
}

TEST(where_nobody_votes_nobody_is_judged) {
  uint64_t majority = 0;
  struct digest_said replica = {9, true, 7, B};
  assert_int_equal(digest_judge(&replica, NULL, 0, &majority), DIGEST_OPEN);
}

TEST(the_next_range_waits_for_all_that_are_heard_of) {
  struct digest_said voters[] = {{1, true, 7, A}, {2, true, 5, A}, {3, false, 0, 0}};
  assert_false(digest_is_answered(7, voters, 3));
  assert_false(digest_is_new_to(voters, 3));
  voters[2].heard = true; // and has digested nothing
  assert_true(digest_is_new_to(voters, 3));
  voters[1].digest = UNREADABLE;
  assert_true(digest_is_answered(7, voters, 3));
  voters[1] = (struct digest_said){2, true, 7, A};
  assert_true(digest_is_answered(7, voters, 3));
}

TESTS(T(whoever_has_what_most_have_is_right), T(whoever_has_something_else_than_most_is_wrong_leader_or_not),
      T(nobody_is_judged_by_half_of_the_voters), T(what_is_said_of_another_entry_does_not_count),
      T(one_that_does_not_vote_is_judged_by_those_who_do),
      T(a_replica_is_not_judged_by_fewer_than_most_of_those_who_vote_however_few_are_heard_of),
      T(where_nobody_votes_nobody_is_judged), T(the_next_range_waits_for_all_that_are_heard_of))
