// What a proposal that was refused means. A graph that is told that the term is over gives up what it was about to propose, with
// the numbers of new names in it; told so while the term goes on, it numbers the next name behind one that never comes, and no
// member can apply that.
#include "base/test.h"
#include "dbms/cluster_int.h"

static enum err refused_while(enum consensus_state state, uint64_t term_now, uint64_t term, enum err err) {
  return cluster_refusal(err, &(struct group_stats){.state = state, .term = term_now}, term);
}

TEST(a_leader_that_takes_nothing_just_now_takes_it_later) {
  assert_int_equal(refused_while(CONSENSUS_LEADER, 7, 7, ERR_NOT_LEADER), ERR_LIMIT);
}

TEST(a_term_that_is_over_is_over) {
  assert_int_equal(refused_while(CONSENSUS_LEADER, 8, 7, ERR_NOT_LEADER), ERR_NOT_LEADER);
  assert_int_equal(refused_while(CONSENSUS_FOLLOWER, 7, 7, ERR_NOT_LEADER), ERR_NOT_LEADER);
  assert_int_equal(refused_while(CONSENSUS_CANDIDATE, 8, 7, ERR_NOT_LEADER), ERR_NOT_LEADER);
}

TEST(other_answers_are_what_they_are) {
  assert_int_equal(refused_while(CONSENSUS_LEADER, 7, 7, ERR_OK), ERR_OK);
  assert_int_equal(refused_while(CONSENSUS_LEADER, 7, 7, ERR_LIMIT), ERR_LIMIT);
  assert_int_equal(refused_while(CONSENSUS_LEADER, 7, 7, ERR_IO), ERR_IO);
}

TESTS(T(a_leader_that_takes_nothing_just_now_takes_it_later), T(a_term_that_is_over_is_over), T(other_answers_are_what_they_are))
