#include "store/copy.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "store/log_int.h"
#include "store/piece_int.h"

#define COPY_MAGIC 0x43505651u // QVPC
#define COPY_VERSION 1u
#define CHECKED_BYTES (PAGE_BYTES - 8)
#define SYNC_EVERY_BYTES (UINT64_C(64) << 20)
#define NAME_BYTES_MAX 32u // of a file in the directory
#define DIRECT_PAGES_MIN 16u // neighbours that go to disk at once; of fewer, the system makes larger writes than a piece has

struct store_copy {
  struct disk *disk;
  struct disk_file *file, *direct; // the same one: through the system's page cache, and past it
  char directory[DISK_PATH_MAX - NAME_BYTES_MAX];
  struct superblock sb;
  uint8_t head[CHECKPOINT_HEAD_BYTES]; // as this server writes it: features that it does not know are out
  struct checkpoint_identity identity;
  uint64_t position, pages;
  uint64_t sequence; // of the slot written last
  uint64_t unsynced_bytes;
  uint64_t upper[MAP_LEVELS - 1]; // map pages above level 0 that the last piece brought: the next one mostly brings them again
  bool failed;                    // memory and disk may differ
  uint8_t *allocation, *slot;     // one aligned page
};

static void path_of(const char *directory, const char *name, char to[DISK_PATH_MAX]) {
  snprintf(to, DISK_PATH_MAX, "%s/%s", directory, name);
}

// ---- slots ----

static enum err write_slot(struct store_copy *c, struct error *e) {
  uint8_t *to = c->slot;
  memset(to, 0, PAGE_BYTES);
  put_u32_le(to, COPY_MAGIC);
  put_u16_le(to + 4, COPY_VERSION);
  put_u64_le(to + 8, ++c->sequence);
  memcpy(to + 16, c->identity.uuid, 16);
  put_u64_le(to + 32, c->identity.checksum);
  put_u64_le(to + 40, c->position);
  put_u64_le(to + 48, c->pages);
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
  return disk_write(c->file, c->sequence % SUPERBLOCKS * PAGE_BYTES, to, PAGE_BYTES, e);
}

static bool is_slot(const uint8_t *from) {
  return get_u32_le(from) == COPY_MAGIC && get_u16_le(from + 4) == COPY_VERSION &&
         get_u64_le(from + CHECKED_BYTES) == hash64(from, CHECKED_BYTES, 0);
}

// What a slot says of how far this copy has come.
static void take_slot(struct store_copy *c, uint64_t number, const uint8_t *from) {
  if (number == c->sb.sequence % SUPERBLOCKS && memcmp(from, c->head, PAGE_BYTES) == 0) {
    c->position = CHECKPOINT_END;
    c->pages = c->identity.pages;
    c->sequence = UINT64_MAX;
  }
  bool is_this = is_slot(from) && memcmp(from + 16, c->identity.uuid, 16) == 0 && get_u64_le(from + 32) == c->identity.checksum;
  if (!is_this || get_u64_le(from + 8) <= c->sequence) return;
  c->sequence = get_u64_le(from + 8);
  c->position = get_u64_le(from + 40);
  c->pages = get_u64_le(from + 48);
}

static enum err read_slots(struct store_copy *c, struct error *e) {
  for (uint64_t i = 0; i < SUPERBLOCKS; i++) {
    size_t got = 0;
    TRY(disk_read_some(c->file, i * PAGE_BYTES, c->slot, PAGE_BYTES, &got, e));
    if (got == PAGE_BYTES) take_slot(c, i, c->slot);
  }
  return ERR_OK;
}

// ---- life ----

// A file that a crash left under this name may be the store itself, under a second name: it is not written into.
static enum err begin_anew(struct store_copy *c, const char *path, struct error *e) {
  disk_close(TAKE_PTR(c->file));
  TRY(disk_unlink(c->disk, path, e));
  TRY(disk_open(c->disk, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &c->file, e));
  TRY(disk_allocate(c->file, 0, c->sb.physical_pages * PAGE_BYTES, e));
  c->position = piece_settle(&c->sb, CHECKPOINT_FIRST);
  for (unsigned i = 0; i < SUPERBLOCKS; i++) TRY(write_slot(c, e));
  TRY(disk_sync(c->file, e));
  return disk_sync_directory(c->disk, c->directory, e);
}

static enum err open_file(struct store_copy *c, const uint8_t *head, struct error *e) {
  char path[DISK_PATH_MAX];
  TRY(checkpoint_head_read(head, &c->identity, e));
  TRY(superblock_decode(head, &c->sb, e));
  superblock_encode(&c->sb, c->head);
  path_of(c->directory, "store.pages.copy", path);
  TRY(disk_open(c->disk, path, DISK_WRITE | DISK_CREATE, &c->file, e));
  TRY(read_slots(c, e));
  if (c->sequence == 0) TRY(begin_anew(c, path, e));
  return disk_open(c->disk, path, DISK_WRITE | DISK_DIRECT, &c->direct, e);
}

enum err store_copy_open(struct disk *d, const char *directory, const uint8_t head[CHECKPOINT_HEAD_BYTES],
                         struct store_copy **ret, struct error *e) {
  struct store_copy *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  c->disk = d;
  c->allocation = mem_alloc(2 * PAGE_BYTES);
  int n = snprintf(c->directory, sizeof c->directory, "%s", directory);
  enum err err = c->allocation != NULL ? ERR_OK : error_ensure(e, ERR_NOMEM);
  if (err == ERR_OK && (size_t) n >= sizeof c->directory) err = error_set(e, ERR_INVALID, "The path of the store is too long.");
  c->slot = c->allocation != NULL ? page_align(c->allocation) : NULL;
  if (err == ERR_OK) err = open_file(c, head, e);
  if (err != ERR_OK) {
    store_copy_close(c);
    return err;
  }
  *ret = c;
  return ERR_OK;
}

enum err store_copy_look(struct disk *d, const char *directory, const uint8_t database[16], uint64_t *ret_identity,
                         uint64_t *ret_position, struct error *e) {
  uint8_t slots[SUPERBLOCKS * PAGE_BYTES] = {0};
  char path[DISK_PATH_MAX];
  struct disk_file *f = NULL;
  uint64_t best = 0;
  size_t got = 0;
  path_of(directory, "store.pages.copy", path);
  TRY(disk_open(d, path, DISK_READ_ONLY, &f, e));
  enum err err = disk_read_some(f, 0, slots, sizeof slots, &got, e);
  disk_close(f);
  if (err != ERR_OK) return err;
  for (uint64_t i = 0; i < SUPERBLOCKS; i++) {
    const uint8_t *slot = slots + i * PAGE_BYTES;
    struct superblock sb;
    bool is_head = superblock_decode(slot, &sb, NULL) == ERR_OK && memcmp(sb.uuid, database, 16) == 0;
    if (is_head && sb.sequence > best) { // all of it is there
      best = sb.sequence;
      *ret_identity = get_u64_le(slot + CHECKED_BYTES);
      *ret_position = CHECKPOINT_END;
    }
    if (!is_slot(slot) || memcmp(slot + 16, database, 16) != 0 || get_u64_le(slot + 8) <= best) continue;
    best = get_u64_le(slot + 8);
    *ret_identity = get_u64_le(slot + 32);
    *ret_position = get_u64_le(slot + 40);
  }
  return best > 0 ? ERR_OK : error_set(e, ERR_NOTFOUND, "There is no part of a copied store.");
}

void store_copy_close(struct store_copy *c) {
  if (c == NULL) return;
  disk_close(c->file);
  disk_close(c->direct);
  mem_free(c->allocation);
  mem_free(c);
}

uint64_t store_copy_position(const struct store_copy *c) {
  return c->position;
}

uint64_t store_copy_pages(const struct store_copy *c) {
  return c->pages;
}

const struct checkpoint_identity *store_copy_identity(const struct store_copy *c) {
  return &c->identity;
}

// ---- pieces ----

static enum err check_piece(const struct store_copy *c, struct piece *p, const uint8_t *bytes, size_t size, struct error *e) {
  if (c->position == CHECKPOINT_END) return error_set(e, ERR_INVALID, "The copy of the store has all of its pieces.");
  piece_begin(p, &c->sb, c->position);
  for (size_t at = 0; !piece_is_whole(p); at += PAGE_BYTES) {
    if (at + PAGE_BYTES > size) return error_set(e, ERR_CORRUPT, "A piece of a copied store ends early.");
    TRY(piece_take(p, bytes + at, e));
  }
  return size == p->taken * (size_t) PAGE_BYTES ? ERR_OK : error_set(e, ERR_CORRUPT, "A piece of a copied store is too long.");
}

// Neighbours on disk go out in one write. Map pages that the piece before brought are there already.
static enum err write_piece(struct store_copy *c, const struct piece *p, const uint8_t *bytes, struct error *e) {
  for (uint32_t from = 0, to; from < p->taken; from = to) {
    to = from + 1;
    if (from + 1 < p->levels && c->upper[from] == p->places[from].physical) continue;
    while (to < p->taken && p->places[to].physical == p->places[to - 1].physical + 1) to++;
    TRY(disk_write(to - from >= DIRECT_PAGES_MIN ? c->direct : c->file, p->places[from].physical * PAGE_BYTES,
                   bytes + from * (size_t) PAGE_BYTES, (to - from) * (size_t) PAGE_BYTES, e));
  }
  for (uint32_t i = 0; i + 1 < p->levels; i++) c->upper[i] = p->places[i].physical;
  return ERR_OK;
}

// The slot is on disk with the next sync at the latest: until then the one before counts, and both are true.
static enum err make_durable(struct store_copy *c, struct error *e) {
  if (!MUTANT(copy_sync)) TRY(disk_sync(c->file, e));
  disk_forget(c->file, 0, c->sb.physical_pages * PAGE_BYTES);
  c->unsynced_bytes = 0;
  return write_slot(c, e);
}

static enum err failed_before(struct error *e) {
  return error_set(e, ERR_IO, "The copy of the store failed before: open it again.");
}

enum err store_copy_add(struct store_copy *c, const uint8_t *piece, size_t bytes, struct error *e) {
  struct piece p;
  if (c->failed) return failed_before(e);
  TRY(check_piece(c, &p, piece, bytes, e));
  enum err err = write_piece(c, &p, piece, e);
  c->failed = err != ERR_OK;
  if (err != ERR_OK) return err;
  c->position = p.next;
  c->pages += p.taken - p.levels;
  c->unsynced_bytes += bytes;
  if (c->unsynced_bytes >= SYNC_EVERY_BYTES && p.next != CHECKPOINT_END) err = make_durable(c, e);
  c->failed = err != ERR_OK;
  return err;
}

enum err store_copy_sync(struct store_copy *c, struct error *e) {
  if (c->failed) return failed_before(e);
  if (c->position == CHECKPOINT_END || c->unsynced_bytes == 0) return ERR_OK;
  enum err err = make_durable(c, e);
  if (err == ERR_OK) err = disk_sync(c->file, e);
  c->failed = err != ERR_OK;
  return err;
}

// ---- the end ----

static enum err write_superblocks(struct store_copy *c, struct error *e) {
  struct superblock sb = c->sb;
  for (unsigned i = 0; i < SUPERBLOCKS; i++, sb.sequence--) {
    superblock_encode(&sb, c->slot);
    TRY(disk_write(c->file, sb.sequence % SUPERBLOCKS * PAGE_BYTES, c->slot, PAGE_BYTES, e));
  }
  return disk_sync(c->file, e);
}

enum err store_copy_finish(struct store_copy *c, struct error *e) {
  if (c->failed) return failed_before(e);
  if (c->position != CHECKPOINT_END) return error_set(e, ERR_INVALID, "The copy of the store is not complete.");
  enum err err = MUTANT(copy_sync) ? ERR_OK : disk_sync(c->file, e);
  if (err == ERR_OK) err = write_superblocks(c, e);
  c->failed = err != ERR_OK;
  return err;
}

// A store that has a superblock is whole: it comes last when one is made.
static enum err is_made(struct store_copy *c, bool *ret, struct error *e) {
  char path[DISK_PATH_MAX];
  struct superblock sb;
  struct disk_file *f = NULL;
  *ret = false;
  path_of(c->directory, "store.pages", path);
  enum err err = disk_open(c->disk, path, DISK_READ_ONLY, &f, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  for (uint64_t i = 0; i < SUPERBLOCKS && err == ERR_OK; i++) {
    size_t got = 0;
    err = disk_read_some(f, i * PAGE_BYTES, c->slot, PAGE_BYTES, &got, e);
    *ret |= err == ERR_OK && got == PAGE_BYTES && superblock_decode(c->slot, &sb, NULL) != ERR_CORRUPT;
  }
  disk_close(f);
  return err;
}

// What lies here of a log is of a store whose making was cut short, or of one that has lost its pages: a vote is not forgotten.
static enum err make_log(struct store_copy *c, struct clock *clock, struct error *e) {
  struct log_group_state state = {0};
  struct log *l = NULL;
  struct log_options options = {.clustered = true};
  enum err err = log_group_look(c->disk, c->directory, c->identity.uuid, &state, e);
  bool is_used = err == ERR_OK && (state.member_id != 0 || state.snapshot_index != 0 || state.installing);
  if (is_used || (err != ERR_OK && err != ERR_NOTFOUND && err != ERR_CORRUPT)) return err;
  TRY(log_open(c->disk, c->directory, c->identity.uuid, true, &options, clock, NULL, &l, e));
  log_close(l);
  return ERR_OK;
}

static enum err name_copy(struct store_copy *c, bool only, struct error *e) {
  return log_group_mark_installing(c->disk, c->directory, c->identity.uuid, get_u64_le(c->head + CHECKED_BYTES), only, e);
}

static enum err mark(struct store_copy *c, struct clock *clock, struct error *e) {
  bool made = false;
  TRY(is_made(c, &made, e));
  if (!made) TRY(make_log(c, clock, e));
  struct log_group_state state;
  TRY(log_group_look(c->disk, c->directory, c->identity.uuid, &state, e));
  if (state.generation > c->identity.generation)
    return error_set(e, ERR_INVALID, "The copied store is of generation %llu, the one here of generation %llu: it is older.",
                     (unsigned long long) c->identity.generation, (unsigned long long) state.generation);
  if (state.snapshot_index > c->identity.applied.index)
    return error_set(e, ERR_INVALID,
                     "The copied store ends at entry %llu, and the log here has forgotten what is below entry %llu.",
                     (unsigned long long) c->identity.applied.index, (unsigned long long) state.snapshot_index);
  return name_copy(c, false, e);
}

static enum err swap(struct store_copy *c, struct error *e) {
  char from[DISK_PATH_MAX], to[DISK_PATH_MAX];
  path_of(c->directory, "store.pages.copy", from);
  path_of(c->directory, "store.pages", to);
  TRY(disk_rename(c->disk, from, to, e));
  return disk_sync_directory(c->disk, c->directory, e);
}

enum err store_copy_install(struct store_copy *c, struct clock *clock, struct error *e) {
  struct disk_file *lock = NULL;
  char path[DISK_PATH_MAX];
  if (c->failed) return failed_before(e);
  path_of(c->directory, "store.lock", path);
  TRY(disk_lock(c->disk, path, &lock, e));
  enum err err = MUTANT(copy_mark) ? ERR_OK : mark(c, clock, e);
  if (err == ERR_OK) err = swap(c, e);
  if (err == ERR_OK && !MUTANT(copy_mark)) err = name_copy(c, true, e);
  disk_close(lock);
  return err;
}

enum err store_copy_discard(struct disk *d, const char *directory, struct error *e) {
  char path[DISK_PATH_MAX];
  path_of(directory, "store.pages.copy", path);
  enum err err = disk_unlink(d, path, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  return err == ERR_OK ? disk_sync_directory(d, directory, e) : err;
}
