#include "base/test.h"
#include "bolt/state.h"

TEST(failed_ignores_all_but_reset_acknowledgement_and_goodbye) {
  for (enum bolt_message_kind kind = 0; kind <= BOLT_MESSAGE_KINDS; kind++) {
    bool gets_through = kind == BOLT_RESET || kind == BOLT_ACK_FAILURE || kind == BOLT_GOODBYE;
    assert_int_equal(bolt_state_judge(BOLT_FAILED, false, kind), gets_through ? BOLT_HANDLE : BOLT_IGNORE);
  }
}

TEST(while_a_reset_is_on_its_way_all_before_it_is_ignored) {
  for (enum bolt_state from = 0; from < BOLT_DEFUNCT; from++)
    for (enum bolt_message_kind kind = 0; kind < BOLT_MESSAGE_KINDS; kind++)
      if (kind != BOLT_RESET && kind != BOLT_GOODBYE) assert_int_equal(bolt_state_judge(from, true, kind), BOLT_IGNORE);
}

TEST(reset_leads_to_the_default_state_from_wherever_it_is_allowed) {
  const struct bolt_version *v = bolt_version_find(5, 4);
  for (enum bolt_state from = 0; from < BOLT_STATES; from++) {
    if (bolt_state_judge(from, false, BOLT_RESET) != BOLT_HANDLE) {
      assert_true(from == BOLT_NEGOTIATION || from == BOLT_DEFUNCT);
      continue;
    }
    bool logged_in = from != BOLT_AUTHENTICATION;
    assert_int_equal(bolt_state_after(v, from, BOLT_RESET, BOLT_DONE, logged_in), logged_in ? BOLT_READY : BOLT_AUTHENTICATION);
  }
}

TEST(every_move_leads_to_a_state_from_which_the_session_can_end) {
  const struct bolt_version *v = bolt_version_find(5, 8);
  for (enum bolt_state from = 0; from < BOLT_STATES; from++)
    for (enum bolt_message_kind kind = 0; kind < BOLT_MESSAGE_KINDS; kind++) {
      if (bolt_state_judge(from, false, kind) != BOLT_HANDLE) continue;
      for (enum bolt_outcome outcome = 0; outcome <= BOLT_FAILURE; outcome++) {
        enum bolt_state next = bolt_state_after(v, from, kind, outcome, true);
        assert_true(next < BOLT_STATES);
        assert_int_equal(bolt_state_judge(next, false, BOLT_GOODBYE), BOLT_HANDLE);
        bool closes =
            kind == BOLT_HELLO || kind == BOLT_LOGON || kind == BOLT_LOGOFF || kind == BOLT_RESET || kind == BOLT_GOODBYE;
        if (outcome == BOLT_FAILURE) assert_int_equal(next, closes ? BOLT_DEFUNCT : BOLT_FAILED);
      }
    }
}

TEST(hello_logs_in_before_5_1) {
  assert_int_equal(bolt_state_after(bolt_version_find(5, 0), BOLT_NEGOTIATION, BOLT_HELLO, BOLT_DONE, false), BOLT_READY);
  assert_int_equal(bolt_state_after(bolt_version_find(5, 1), BOLT_NEGOTIATION, BOLT_HELLO, BOLT_DONE, false),
                   BOLT_AUTHENTICATION);
}

TEST(results_decide_where_pull_leads) {
  const struct bolt_version *v = bolt_version_find(5, 4);
  assert_int_equal(bolt_state_after(v, BOLT_TX_STREAMING, BOLT_PULL, BOLT_MORE, true), BOLT_TX_STREAMING);
  assert_int_equal(bolt_state_after(v, BOLT_TX_STREAMING, BOLT_PULL, BOLT_DONE, true), BOLT_TX_READY);
  assert_int_equal(bolt_state_after(v, BOLT_STREAMING, BOLT_DISCARD, BOLT_DONE, true), BOLT_READY);
}

TESTS(T(failed_ignores_all_but_reset_acknowledgement_and_goodbye), T(while_a_reset_is_on_its_way_all_before_it_is_ignored),
      T(reset_leads_to_the_default_state_from_wherever_it_is_allowed),
      T(every_move_leads_to_a_state_from_which_the_session_can_end), T(hello_logs_in_before_5_1),
      T(results_decide_where_pull_leads))
