#include "dbms/digest_judge.h"

#include "base/mutant.h"

static uint32_t supporters(const struct digest_said *voters, uint32_t count, uint64_t index, uint64_t digest) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < count; i++) n += voters[i].index == index && voters[i].digest == digest;
  return n;
}

/// 0: there is none. What cannot be read supports nothing, not even the same elsewhere.
static uint64_t majority_of(const struct digest_said *voters, uint32_t count, uint64_t index) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t digest = voters[i].digest;
    if (voters[i].index == index && digest != 0 && supporters(voters, count, index, digest) > count / 2) return digest;
  }
  return 0;
}

static bool all_have_said(const struct digest_said *voters, uint32_t count, uint64_t index) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < count; i++) n += voters[i].index == index;
  return n == count;
}

enum digest_verdict digest_judge(const struct digest_said *here, const struct digest_said *voters, uint32_t count,
                                 uint64_t *ret_majority) {
  if (here->index == 0 || count == 0) return DIGEST_OPEN;
  uint64_t majority = majority_of(voters, count, here->index);
  if (majority == 0) return all_have_said(voters, count, here->index) ? DIGEST_DISUNITE : DIGEST_OPEN;
  *ret_majority = majority;
  return here->digest == majority || MUTANT(digest_ignored) ? DIGEST_AGREES : DIGEST_DIFFERS;
}

bool digest_is_new_to(const struct digest_said *voters, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (voters[i].heard && voters[i].index == 0) return true;
  return false;
}

bool digest_is_answered(uint64_t index, const struct digest_said *voters, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (voters[i].index != 0 && voters[i].index < index && voters[i].digest != 0) return false;
  return true;
}
