// What a member must never forget: two slots, each written and synced on its own.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "store/log_int.h"

#define GROUP_MAGIC 0x53475651u // QVGS
#define MEMBER_BYTES 120u
#define COPIES_OFFSET (104u + LOG_MEMBERS_MAX * MEMBER_BYTES)
#define FLAG_INSTALLING 1u
#define FLAG_FOLLOWS 2u
#define SEQUENCE_MAX (UINT64_MAX / 2) // nobody saves so often; what follows it must not wrap

static void put_slot(uint8_t *to, const uint8_t uuid[16], uint64_t sequence, const struct log_group_state *g) {
  memset(to, 0, LOG_GROUP_SLOT_BYTES);
  put_u32_le(to, GROUP_MAGIC);
  put_u16_le(to + 4, LOG_FORMAT_VERSION);
  put_u64_le(to + 8, sequence);
  memcpy(to + 16, uuid, 16);
  const uint64_t words[8] = {g->generation, g->incarnation,    g->member_id,     g->term,
                             g->vote,       g->snapshot_index, g->snapshot_term, g->membership_index};
  for (size_t i = 0; i < 8; i++) put_u64_le(to + 32 + 8 * i, words[i]);
  put_u32_le(to + 96, g->member_count);
  put_u32_le(to + 100, (g->installing ? FLAG_INSTALLING : 0) | (g->follows ? FLAG_FOLLOWS : 0));
  for (uint32_t i = 0; i < g->member_count; i++) {
    uint8_t *m = to + 104 + i * MEMBER_BYTES;
    put_u64_le(m, g->members[i].id);
    m[8] = g->members[i].role;
    memcpy(m + 9, g->members[i].address, sizeof g->members[i].address);
  }
  for (size_t i = 0; i < LOG_COPIES_MAX; i++) put_u64_le(to + COPIES_OFFSET + 8 * i, g->installing_copies[i]);
  put_u64_le(to + LOG_GROUP_SLOT_BYTES - 8, hash64(to, LOG_GROUP_SLOT_BYTES - 8, 0));
}

static bool is_whole(const uint8_t *slot) {
  return get_u32_le(slot) == GROUP_MAGIC &&
         get_u64_le(slot + LOG_GROUP_SLOT_BYTES - 8) == hash64(slot, LOG_GROUP_SLOT_BYTES - 8, 0);
}

// A whole slot that cannot be read may be the newer one: to go on with the other would forget a vote.
static enum err get_slot(const uint8_t *from, const uint8_t uuid[16], uint64_t *ret_sequence, struct log_group_state *ret,
                         struct error *e) {
  if (get_u16_le(from + 4) != LOG_FORMAT_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "The group state is of format version %u; this server reads version %u.",
                     get_u16_le(from + 4), LOG_FORMAT_VERSION);
  if (memcmp(from + 16, uuid, 16) != 0) return error_set(e, ERR_INVALID, "The group state belongs to another database.");
  uint64_t sequence = get_u64_le(from + 8);
  if (sequence > SEQUENCE_MAX)
    return error_set(e, ERR_CORRUPT, "The group state cannot have been saved %llu times.", (unsigned long long) sequence);
  uint32_t count = get_u32_le(from + 96);
  if (count > LOG_MEMBERS_MAX)
    return error_set(e, ERR_CORRUPT, "The group state names %u members; at most %u are possible.", count, LOG_MEMBERS_MAX);
  uint32_t flags = get_u32_le(from + 100);
  uint64_t words[8];
  for (size_t i = 0; i < 8; i++) words[i] = get_u64_le(from + 32 + 8 * i);
  *ret = (struct log_group_state){.generation = words[0],
                                  .incarnation = words[1],
                                  .member_id = words[2],
                                  .term = words[3],
                                  .vote = words[4],
                                  .snapshot_index = words[5],
                                  .snapshot_term = words[6],
                                  .membership_index = words[7],
                                  .installing = (flags & FLAG_INSTALLING) != 0,
                                  .follows = (flags & FLAG_FOLLOWS) != 0,
                                  .member_count = count};
  for (size_t i = 0; i < LOG_COPIES_MAX; i++) ret->installing_copies[i] = get_u64_le(from + COPIES_OFFSET + 8 * i);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *m = from + 104 + i * MEMBER_BYTES;
    ret->members[i].id = get_u64_le(m);
    ret->members[i].role = m[8];
    memcpy(ret->members[i].address, m + 9, sizeof ret->members[i].address);
    ret->members[i].address[sizeof ret->members[i].address - 1] = '\0';
  }
  *ret_sequence = sequence;
  return ERR_OK;
}

static enum err write_slots(struct log *l, const uint8_t *slot, struct error *e) {
  for (unsigned i = 0; i < 2; i++) {
    TRY(disk_write(l->group_file, i * LOG_GROUP_SLOT_BYTES, slot, LOG_GROUP_SLOT_BYTES, e));
    TRY(disk_sync(l->group_file, e));
  }
  return ERR_OK;
}

static enum err save(struct log *l, const struct log_group_state *g, struct error *e) {
  uint8_t *slot = mem_alloc(LOG_GROUP_SLOT_BYTES);
  if (slot == NULL) return error_ensure(e, ERR_NOMEM);
  put_slot(slot, l->uuid, l->group_sequence + 1, g);
  struct error cause = ERROR_INIT;
  enum err err = write_slots(l, slot, &cause);
  mem_free(slot);
  if (err != ERR_OK) return log_poison(l, err, &cause, e);
  l->group_sequence++;
  return ERR_OK;
}

// After a failed sync a slot may be whole in the system's cache and torn on the disk. Writing the bytes it has does no harm to
// one that is whole, and must come before the first write that changes the other.
static enum err write_back(struct log *l, const uint8_t *slots, struct error *e) {
  for (unsigned i = 0; i < 2; i++) {
    const uint8_t *slot = slots + i * LOG_GROUP_SLOT_BYTES;
    if (!is_whole(slot)) continue;
    TRY(disk_write(l->group_file, i * LOG_GROUP_SLOT_BYTES, slot, LOG_GROUP_SLOT_BYTES, e));
    TRY(disk_sync(l->group_file, e));
  }
  return ERR_OK;
}

static enum err load(struct log *l, struct error *e) {
  uint8_t *slots = mem_zalloc(2 * LOG_GROUP_SLOT_BYTES);
  struct log_group_state *state = mem_alloc(sizeof *state);
  size_t got = 0;
  uint64_t best = 0;
  enum err err = slots != NULL && state != NULL ? disk_read_some(l->group_file, 0, slots, 2 * LOG_GROUP_SLOT_BYTES, &got, e)
                                                : error_ensure(e, ERR_NOMEM);
  for (unsigned i = 0; i < 2 && err == ERR_OK; i++) {
    uint64_t sequence = 0;
    const uint8_t *slot = slots + i * LOG_GROUP_SLOT_BYTES;
    if (is_whole(slot)) err = get_slot(slot, l->uuid, &sequence, state, e);
    if (err != ERR_OK || sequence <= best) continue;
    best = sequence;
    l->group = *state;
  }
  if (err == ERR_OK && best == 0)
    err = error_set(e, ERR_CORRUPT, "Both copies of the group state in '%s/store.group' fail their check.", l->directory);
  l->group_sequence = best;
  if (err == ERR_OK) err = write_back(l, slots, e);
  mem_free(slots);
  mem_free(state);
  return err;
}

// What another database left here: a slot of it could be taken for a newer one.
static enum err remove_old(struct log *l, const char *path, struct error *e) {
  enum err err = disk_unlink(l->disk, path, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  TRY(err);
  return disk_sync_directory(l->disk, l->directory, e);
}

enum err log_group_open(struct log *l, bool create, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/store.group", l->directory);
  if (create) TRY(remove_old(l, path, e));
  TRY(disk_open(l->disk, path, create ? DISK_WRITE | DISK_CREATE : DISK_WRITE, &l->group_file, e));
  if (create) l->group = (struct log_group_state){.generation = 1, .incarnation = 1};
  if (!create) TRY(load(l, e));
  if (!l->options.clustered) l->group.term++;
  TRY(save(l, &l->group, e));
  return create ? disk_sync_directory(l->disk, l->directory, e) : ERR_OK;
}

void log_group_state(struct log *l, struct log_group_state *ret) {
  mutex_lock(&l->mutex);
  *ret = l->group;
  mutex_unlock(&l->mutex);
}

static enum err check_state(const struct log *l, const struct log_group_state *g, struct error *e) {
  if (g->member_count > LOG_MEMBERS_MAX)
    return error_set(e, ERR_INVALID, "A group of %u members is too large; at most %u are possible.", g->member_count,
                     LOG_MEMBERS_MAX);
  if (g->term < l->group.term || g->generation < l->group.generation)
    return error_set(e, ERR_INVALID, "A group state may not go back: term %llu after %llu, generation %llu after %llu.",
                     (unsigned long long) g->term, (unsigned long long) l->group.term, (unsigned long long) g->generation,
                     (unsigned long long) l->group.generation);
  return ERR_OK;
}

static enum err save_checked(struct log *l, const struct log_group_state *state, struct error *e) {
  TRY(log_failure(l, e));
  TRY(check_state(l, state, e));
  TRY(save(l, state, e));
  mutex_lock(&l->mutex);
  l->group = *state;
  mutex_unlock(&l->mutex);
  return ERR_OK;
}

enum err log_group_save(struct log *l, const struct log_group_state *state, struct error *e) {
  mutex_lock(&l->group_mutex);
  enum err err = save_checked(l, state, e);
  mutex_unlock(&l->group_mutex);
  return err;
}

enum err log_group_change(struct log *l, bool (*change)(struct log_group_state *state, const void *context), const void *context,
                          struct error *e) {
  struct log_group_state state;
  mutex_lock(&l->group_mutex);
  log_group_state(l, &state);
  enum err err = change(&state, context) ? save_checked(l, &state, e) : ERR_OK;
  mutex_unlock(&l->group_mutex);
  return err;
}

// ---- a log that nobody has open ----

static enum err open_alone(struct disk *d, const char *directory, const uint8_t uuid[16], struct log **ret, struct error *e) {
  struct log *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_ensure(e, ERR_NOMEM);
  l->disk = d;
  l->options.clustered = true; // its term is not this opening's to raise
  memcpy(l->uuid, uuid, sizeof l->uuid);
  mutex_init(&l->mutex);
  mutex_init(&l->group_mutex);
  mutex_init(&l->prune_mutex);
  int n = snprintf(l->directory, sizeof l->directory, "%s", directory);
  enum err err = (size_t) n < sizeof l->directory ? log_group_open(l, false, e)
                                                  : error_set(e, ERR_INVALID, "The path of the store is too long.");
  if (err == ERR_OK)
    *ret = l;
  else
    log_close(l);
  return err;
}

enum err log_group_look(struct disk *d, const char *directory, const uint8_t uuid[16], struct log_group_state *ret,
                        struct error *e) {
  struct log *l = NULL;
  TRY(open_alone(d, directory, uuid, &l, e));
  log_group_state(l, ret);
  log_close(l);
  return ERR_OK;
}

static enum err name_copy(struct log_group_state *state, uint64_t copy, bool only, struct error *e) {
  if (only || !state->installing) memset(state->installing_copies, 0, sizeof state->installing_copies);
  state->installing = true;
  for (size_t i = 0; i < LOG_COPIES_MAX; i++) {
    uint64_t *at = &state->installing_copies[i];
    if (*at != 0 && *at != copy) continue;
    *at = copy;
    return ERR_OK;
  }
  return error_set(e, ERR_BUSY,
                   "Too many copies were being put in the place of the store: open it, so that it is known which one it is.");
}

enum err log_group_mark_installing(struct disk *d, const char *directory, const uint8_t uuid[16], uint64_t copy, bool only,
                                   struct error *e) {
  struct log *l = NULL;
  TRY(open_alone(d, directory, uuid, &l, e));
  struct log_group_state state = l->group;
  enum err err = name_copy(&state, copy, only, e);
  if (err == ERR_OK) err = log_group_save(l, &state, e);
  log_close(l);
  return err;
}
