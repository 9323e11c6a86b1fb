#include "consensus/membership.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define VERSION 1u
#define HEADER_BYTES 16u
#define MEMBER_BYTES (9u + CONSENSUS_ADDRESS_BYTES)
static_assert(HEADER_BYTES + CONSENSUS_MEMBERS_MAX * MEMBER_BYTES == CONSENSUS_MEMBERSHIP_BYTES_MAX, "docs/formats/log.md");

// ---- one ----

const struct consensus_member *consensus_membership_find(const struct consensus_membership *m, uint64_t id) {
  for (uint32_t i = 0; i < m->count; i++) {
    if (m->members[i].id == id) return &m->members[i];
  }
  return NULL;
}

uint32_t consensus_membership_voters(const struct consensus_membership *m) {
  uint32_t voters = 0;
  for (uint32_t i = 0; i < m->count; i++) voters += m->members[i].role == CONSENSUS_VOTER;
  return voters;
}

bool membership_is_voter(const struct consensus_membership *m, uint64_t id) {
  const struct consensus_member *member = consensus_membership_find(m, id);
  return member != NULL && member->role == CONSENSUS_VOTER;
}

bool membership_is_sole_voter(const struct consensus_membership *m, uint64_t id) {
  return membership_is_voter(m, id) && consensus_membership_voters(m) == 1;
}

/// It has an address, and nothing behind its end.
static bool address_ok(const char address[CONSENSUS_ADDRESS_BYTES]) {
  size_t length = strnlen(address, CONSENSUS_ADDRESS_BYTES);
  if (length == 0 || length == CONSENSUS_ADDRESS_BYTES) return false;
  for (size_t i = length; i < CONSENSUS_ADDRESS_BYTES; i++) {
    if (address[i] != '\0') return false;
  }
  return true;
}

/// By a member before it.
static bool address_taken(const struct consensus_membership *m, uint32_t before) {
  for (uint32_t i = 0; i < before; i++) {
    if (strcmp(m->members[i].address, m->members[before].address) == 0) return true;
  }
  return false;
}

enum err membership_check(const struct consensus_membership *m, struct error *e) {
  if (m->count == 0 || m->count > CONSENSUS_MEMBERS_MAX) {
    return error_set(e, ERR_INVALID, "a membership has 1 to %u members, not %u", CONSENSUS_MEMBERS_MAX, m->count);
  }
  for (uint32_t i = 0; i < m->count; i++) {
    const struct consensus_member *member = &m->members[i];
    unsigned long long id = member->id;
    if (id == 0 || (i > 0 && id <= m->members[i - 1].id)) {
      return error_set(e, ERR_INVALID, "the ids of a membership ascend from 1: %llu at place %u does not", id, i);
    }
    if (member->role != CONSENSUS_LEARNER && member->role != CONSENSUS_VOTER) {
      return error_set(e, ERR_INVALID, "member %llu has the unknown role %u", id, member->role);
    }
    if (!address_ok(member->address)) return error_set(e, ERR_INVALID, "member %llu has no proper address", id);
    if (address_taken(m, i)) return error_set(e, ERR_INVALID, "the address of member %llu is another's", id);
  }
  if (consensus_membership_voters(m) == 0) return error_set(e, ERR_INVALID, "a membership needs a voter");
  return ERR_OK;
}

// ---- bytes ----

size_t consensus_membership_encode(const struct consensus_membership *m, uint8_t to[CONSENSUS_MEMBERSHIP_BYTES_MAX]) {
  assert(m->count > 0 && m->count <= CONSENSUS_MEMBERS_MAX);
  put_u16_le(to, VERSION);
  put_u16_le(to + 2, 0);
  put_u32_le(to + 4, m->count);
  put_u64_le(to + 8, m->index);
  uint8_t *at = to + HEADER_BYTES;
  for (uint32_t i = 0; i < m->count; i++, at += MEMBER_BYTES) {
    put_u64_le(at, m->members[i].id);
    at[8] = m->members[i].role;
    memcpy(at + 9, m->members[i].address, CONSENSUS_ADDRESS_BYTES);
  }
  return (size_t) (at - to);
}

enum err consensus_membership_decode(const uint8_t *from, size_t bytes, struct consensus_membership *ret, struct error *e) {
  if (bytes < HEADER_BYTES) return error_set(e, ERR_CORRUPT, "a membership entry of %zu bytes is too short", bytes);
  unsigned version = get_u16_le(from);
  if (version != VERSION) return error_set(e, ERR_CORRUPT, "a membership entry has the unknown version %u", version);
  uint32_t count = get_u32_le(from + 4);
  struct consensus_membership m = {.index = get_u64_le(from + 8), .count = count};
  if (get_u16_le(from + 2) != 0 || m.index == 0 || count > CONSENSUS_MEMBERS_MAX ||
      bytes != HEADER_BYTES + count * (size_t) MEMBER_BYTES) {
    return error_set(e, ERR_CORRUPT, "a membership entry's header does not fit it (%u members, %zu bytes)", count, bytes);
  }
  const uint8_t *at = from + HEADER_BYTES;
  for (uint32_t i = 0; i < count; i++, at += MEMBER_BYTES) {
    m.members[i] = (struct consensus_member){.id = get_u64_le(at), .role = at[8]};
    memcpy(m.members[i].address, at + 9, CONSENSUS_ADDRESS_BYTES);
  }
  struct error cause = ERROR_INIT;
  if (membership_check(&m, &cause) != ERR_OK) return error_set(e, ERR_CORRUPT, "a membership entry: %s", cause.message);
  *ret = m;
  return ERR_OK;
}

// ---- two ----

/// Members do not move: who has another address is another member.
static bool same_address(const struct consensus_member *a, const struct consensus_member *b) {
  return strncmp(a->address, b->address, CONSENSUS_ADDRESS_BYTES) == 0;
}

/// What `to` did with the member that both have.
static enum membership_change kept(const struct consensus_member *from, const struct consensus_member *to) {
  if (!same_address(from, to)) return MEMBERSHIP_OTHER;
  if (from->role == to->role) return MEMBERSHIP_SAME;
  return to->role == CONSENSUS_VOTER ? MEMBERSHIP_PROMOTE : MEMBERSHIP_DEMOTE;
}

/// Takes one more difference in; a second one makes it MEMBERSHIP_OTHER.
static enum membership_change also(enum membership_change so_far, enum membership_change one, uint64_t id, uint64_t *ret_id) {
  if (one == MEMBERSHIP_SAME) return so_far;
  *ret_id = id;
  return so_far == MEMBERSHIP_SAME ? one : MEMBERSHIP_OTHER;
}

enum membership_change membership_difference(const struct consensus_membership *from, const struct consensus_membership *to,
                                             uint64_t *ret_id) {
  enum membership_change change = MEMBERSHIP_SAME;
  uint32_t i = 0, j = 0;
  while (i < from->count || j < to->count) {
    const struct consensus_member *a = i < from->count ? &from->members[i] : NULL, *b = j < to->count ? &to->members[j] : NULL;
    if (a != NULL && b != NULL && a->id == b->id) {
      change = also(change, kept(a, b), a->id, ret_id);
      i++, j++;
    } else if (b == NULL || (a != NULL && a->id < b->id)) {
      change = also(change, MEMBERSHIP_REMOVE, a->id, ret_id);
      i++;
    } else {
      change = also(change, b->role == CONSENSUS_LEARNER ? MEMBERSHIP_ADD : MEMBERSHIP_OTHER, b->id, ret_id);
      j++;
    }
  }
  return change;
}

// ---- those of a log ----

static const struct consensus_membership none = {0};

void memberships_done(struct memberships *l) {
  for (size_t i = 0; i < l->count; i++) mem_free(l->items[i]);
  mem_free(l->items);
  *l = (struct memberships){0};
}

enum err memberships_add(struct memberships *l, const struct consensus_membership *m) {
  if (l->count == l->capacity) {
    size_t capacity = l->capacity == 0 ? 4 : 2 * l->capacity;
    struct consensus_membership **items = mem_realloc(l->items, capacity * sizeof *items);
    if (items == NULL) return ERR_NOMEM;
    l->items = items;
    l->capacity = capacity;
  }
  struct consensus_membership *copy = mem_alloc(sizeof *copy);
  if (copy == NULL) return ERR_NOMEM;
  *copy = *m;
  l->items[l->count++] = copy;
  return ERR_OK;
}

void memberships_truncate(struct memberships *l, uint64_t from) {
  while (l->count > 0 && l->items[l->count - 1]->index >= from) mem_free(l->items[--l->count]);
}

void memberships_forget(struct memberships *l, uint64_t index) {
  size_t gone = 0;
  while (gone + 1 < l->count && l->items[gone + 1]->index <= index) mem_free(l->items[gone++]);
  if (gone == 0) return;
  l->count -= gone;
  memmove(l->items, l->items + gone, l->count * sizeof *l->items);
}

const struct consensus_membership *memberships_at(const struct memberships *l, uint64_t index) {
  for (size_t i = l->count; i > 0; i--) {
    if (l->items[i - 1]->index <= index) return l->items[i - 1];
  }
  return NULL;
}

const struct consensus_membership *memberships_last(const struct memberships *l) {
  return l->count == 0 ? &none : l->items[l->count - 1];
}

uint64_t memberships_last_but_one(const struct memberships *l) {
  return l->count < 2 ? 0 : l->items[l->count - 2]->index;
}
