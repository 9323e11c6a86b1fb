// Memberships: their bytes, their differences, and those of a log; and the terms of a log.
#include "consensus/membership.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "consensus/terms.h"

static struct consensus_membership of(const char *roles) {
  struct consensus_membership m = {.index = 7};
  for (uint64_t id = 1; roles[id - 1] != '\0'; id++) {
    if (roles[id - 1] == '-') continue;
    struct consensus_member *member = &m.members[m.count++];
    *member = (struct consensus_member){.id = id, .role = roles[id - 1] == 'v' ? CONSENSUS_VOTER : CONSENSUS_LEARNER};
    snprintf(member->address, sizeof member->address, "core-%u.example:7000", (unsigned) id);
  }
  return m;
}

TEST(a_membership_comes_back_from_its_bytes) {
  struct consensus_membership m = of("vlv"), back = {0};
  uint8_t bytes[CONSENSUS_MEMBERSHIP_BYTES_MAX];
  size_t length = consensus_membership_encode(&m, bytes);
  assert_int_equal(length, 16 + 3 * 120);
  assert_ok(consensus_membership_decode(bytes, length, &back, NULL));
  assert_memory_equal(&m, &back, sizeof m);
}

TEST(every_flipped_bit_is_refused_or_is_another_membership) {
  struct consensus_membership m = of("vlv"), back;
  uint8_t bytes[CONSENSUS_MEMBERSHIP_BYTES_MAX], again[CONSENSUS_MEMBERSHIP_BYTES_MAX];
  size_t length = consensus_membership_encode(&m, bytes);
  size_t refused = 0;
  for (size_t bit = 0; bit < 8 * length; bit++) {
    bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
    if (consensus_membership_decode(bytes, length, &back, NULL) == ERR_OK) {
      assert_int_equal(consensus_membership_encode(&back, again), length);
      assert_memory_equal(bytes, again, length);
    } else {
      refused++;
    }
    bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
  }
  assert_true(refused > 8 * (16 - 8)); // at least the header but for the index
  memset(bytes + 4, 0xff, 4);
  assert_int_equal(consensus_membership_decode(bytes, length, &back, NULL), ERR_CORRUPT);
  consensus_membership_encode(&m, bytes);
  for (size_t cut = 0; cut < length; cut++) assert_int_equal(consensus_membership_decode(bytes, cut, &back, NULL), ERR_CORRUPT);
}

TEST(what_cannot_be_a_membership_is_refused) {
  struct error e = ERROR_INIT;
  struct consensus_membership m = of("vv");
  assert_ok(membership_check(&m, &e));
  m.count = 0;
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m.count = CONSENSUS_MEMBERS_MAX + 1;
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m = of("vv");
  m.members[0].id = 0;
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m = of("vv");
  m.members[1].id = 1;
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m = of("vv");
  m.members[1].role = 3;
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m = of("vv");
  memcpy(m.members[1].address, m.members[0].address, CONSENSUS_ADDRESS_BYTES);
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m = of("vv");
  memset(m.members[1].address, 0, CONSENSUS_ADDRESS_BYTES);
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  memset(m.members[1].address, 'a', CONSENSUS_ADDRESS_BYTES);
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  m.members[1].address[5] = '\0';
  assert_int_equal(membership_check(&m, &e), ERR_INVALID); // something behind its end
  m = of("ll");
  assert_int_equal(membership_check(&m, &e), ERR_INVALID);
  assert_string_equal(e.message, "a membership needs a voter");
}

static enum membership_change difference(const char *from, const char *to, uint64_t *id) {
  struct consensus_membership a = of(from), b = of(to);
  *id = 0;
  return membership_difference(&a, &b, id);
}

TEST(differences_of_one_member) {
  uint64_t id;
  assert_int_equal(difference("vvv", "vvv", &id), MEMBERSHIP_SAME);
  assert_int_equal(difference("vvv", "vvvl", &id), MEMBERSHIP_ADD);
  assert_int_equal(id, 4);
  assert_int_equal(difference("v-v", "vlv", &id), MEMBERSHIP_ADD);
  assert_int_equal(id, 2);
  assert_int_equal(difference("vvl", "vvv", &id), MEMBERSHIP_PROMOTE);
  assert_int_equal(difference("vvv", "lvv", &id), MEMBERSHIP_DEMOTE);
  assert_int_equal(id, 1);
  assert_int_equal(difference("vvv", "v-v", &id), MEMBERSHIP_REMOVE);
  assert_int_equal(id, 2);
  assert_int_equal(difference("vvl", "vv", &id), MEMBERSHIP_REMOVE);
  assert_int_equal(difference("vv", "vvv", &id), MEMBERSHIP_OTHER); // not as a voter at once
  assert_int_equal(difference("vvl", "v-v", &id), MEMBERSHIP_OTHER);
  assert_int_equal(difference("vvv", "vvvll", &id), MEMBERSHIP_OTHER);
  struct consensus_membership a = of("vv"), b = of("vv");
  snprintf(b.members[1].address, sizeof b.members[1].address, "elsewhere:1");
  assert_int_equal(membership_difference(&a, &b, &id), MEMBERSHIP_OTHER);
}

TEST(the_memberships_of_a_log) {
  struct memberships l = {0};
  assert_int_equal(memberships_last(&l)->count, 0);
  assert_null(memberships_at(&l, 5));
  for (uint64_t index = 10; index <= 100; index += 10) {
    struct consensus_membership m = of("vvv");
    m.index = index;
    assert_ok(memberships_add(&l, &m));
  }
  assert_null(memberships_at(&l, 9));
  assert_int_equal(memberships_at(&l, 39)->index, 30);
  memberships_truncate(&l, 90);
  assert_int_equal(memberships_last(&l)->index, 80);
  memberships_forget(&l, 45);
  assert_int_equal(l.items[0]->index, 40);
  memberships_forget(&l, 45);
  memberships_forget(&l, 1000);
  assert_int_equal(l.count, 1);
  memberships_done(&l);
}

TEST(the_terms_of_a_log) {
  struct terms t;
  terms_init(&t, 11, 10, 3);
  assert_int_equal(terms_at(&t, 10), 3);
  assert_int_equal(terms_last(&t), 3);
  assert_int_equal(terms_at(&t, 9), 0);
  assert_int_equal(terms_at(&t, 0), 0);
  for (uint64_t index = 11; index <= 50; index++) assert_ok(terms_append(&t, 3 + index / 5));
  for (uint64_t index = 11; index <= 50; index++) assert_int_equal(terms_at(&t, index), 3 + index / 5);
  assert_int_equal(terms_run_start(&t, 23), 20);
  terms_truncate(&t, 33);
  assert_int_equal(t.last_index, 32);
  assert_int_equal(terms_at(&t, 33), 0);
  assert_ok(terms_append(&t, 20));
  assert_int_equal(terms_run_start(&t, 33), 33);
  terms_forget(&t, 5); // long gone
  assert_int_equal(t.first_index, 11);
  terms_forget(&t, 22);
  assert_int_equal(t.first_index, 23);
  assert_int_equal(terms_at(&t, 22), 0);
  assert_int_equal(terms_at(&t, 23), 7);
  assert_int_equal(terms_run_start(&t, 24), 23);
  terms_forget(&t, 33);
  assert_int_equal(t.count, 0);
  assert_int_equal(t.last_index, 33);
  terms_restart(&t, 70, 9);
  assert_int_equal(terms_last(&t), 9);
  assert_ok(terms_append(&t, 9));
  assert_int_equal(terms_at(&t, 71), 9);
  terms_done(&t);
}

TESTS(T(a_membership_comes_back_from_its_bytes), T(every_flipped_bit_is_refused_or_is_another_membership),
      T(what_cannot_be_a_membership_is_refused), T(differences_of_one_member), T(the_memberships_of_a_log), T(the_terms_of_a_log))
