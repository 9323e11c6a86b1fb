#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/store_int.h"

// ---- opening ----

static enum err path_in(const struct store *s, const char *name, char to[DISK_PATH_MAX], struct error *e) {
  int n = snprintf(to, DISK_PATH_MAX, "%s/%s", s->directory, name);
  return n < DISK_PATH_MAX ? ERR_OK : error_set(e, ERR_INVALID, "The path of the store is too long.");
}

// The valid slot with the higher sequence; `*ret_any` false if neither is.
static enum err read_superblocks(struct store *s, struct superblock *ret, bool *ret_any, struct error *e) {
  uint8_t *buffer = mem_zalloc(3 * PAGE_BYTES), *slots = page_align(buffer);
  struct superblock *one = mem_alloc(sizeof *one);
  size_t got = 0;
  *ret_any = false;
  enum err err =
      buffer != NULL && one != NULL ? disk_read_some(s->file, 0, slots, 2 * PAGE_BYTES, &got, e) : error_ensure(e, ERR_NOMEM);
  for (unsigned i = 0; i < SUPERBLOCKS && err == ERR_OK; i++) {
    enum err decoded = superblock_decode(slots + i * PAGE_BYTES, one, e);
    if (decoded == ERR_UNSUPPORTED) err = decoded;
    if (decoded != ERR_OK || (*ret_any && one->sequence < ret->sequence)) continue;
    *ret = *one;
    *ret_any = true;
  }
  mem_free(buffer);
  mem_free(one);
  return err;
}

static enum err write_superblock(struct store *s, const struct superblock *sb, struct error *e) {
  uint8_t *buffer = mem_alloc(2 * PAGE_BYTES);
  if (buffer == NULL) return error_ensure(e, ERR_NOMEM);
  superblock_encode(sb, page_align(buffer));
  enum err err = disk_write(s->file, sb->sequence % SUPERBLOCKS * PAGE_BYTES, page_align(buffer), PAGE_BYTES, e);
  mem_free(buffer);
  return err;
}

// A page file without a superblock is of a store whose making was cut short, unless something says that it was more than that.
static enum err check_unmade(struct store *s, struct error *e) {
  char path[DISK_PATH_MAX];
  uint64_t size = 0;
  TRY(disk_size(s->file, &size, e));
  if (size > SUPERBLOCKS * PAGE_BYTES)
    return error_set(e, ERR_CORRUPT, "Both superblocks of '%s/store.pages' fail their check. Restore the database from a backup.",
                     s->directory);
  TRY(path_in(s, "store.log.00000001", path, e));
  struct disk_file *log = NULL;
  enum err err = disk_open(s->options.disk, path, DISK_READ_ONLY, &log, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  if (err != ERR_OK) return err;
  char first[4] = {0};
  size_t got = 0;
  err = disk_read_some(log, 512, first, sizeof first, &got, e);
  disk_close(log);
  if (err == ERR_OK && memcmp(first, "QVLB", 4) == 0)
    err = error_set(e, ERR_CORRUPT, "'%s' has a log but no page store. Restore the database from a backup.", s->directory);
  return err;
}

static enum err open_log(struct store *s, bool create, struct error *e) {
  return log_open(s->options.disk, s->directory, s->durable.uuid, create, &s->options.log, s->options.clock, s->options.events,
                  &s->log, e);
}

// The superblock comes last: a store that has one is whole.
static enum err make_new(struct store *s, struct error *e) {
  if (!s->options.create) return error_set(e, ERR_NOTFOUND, "There is no store in '%s'.", s->directory);
  TRY(check_unmade(s, e));
  struct superblock *sb = &s->durable;
  *sb = (struct superblock){.sequence = 1, .physical_pages = SUPERBLOCKS, .epoch = 1};
  if (s->options.uuid != NULL)
    memcpy(sb->uuid, s->options.uuid, sizeof sb->uuid);
  else if (random_fill(s->options.random, sb->uuid, sizeof sb->uuid) != ERR_OK)
    return error_set(e, ERR_IO, "The system has no random bytes.");
  TRY(open_log(s, true, e));
  TRY(disk_truncate(s->file, SUPERBLOCKS * PAGE_BYTES, e));
  TRY(write_superblock(s, sb, e));
  sb->sequence = 2;
  TRY(write_superblock(s, sb, e));
  TRY(disk_sync(s->file, e));
  return disk_sync_directory(s->options.disk, s->directory, e);
}

static bool is_installing(struct store *s) {
  struct log_group_state g;
  log_group_state(s->log, &g);
  return g.installing;
}

// A log is a group's, a replica's or its own, from its first entry on: an uncommitted tail must not pass for committed, nor a log
// of one server for what others have promised. One that only begins behind a copied store holds neither.
static enum err check_owner(struct store *s, struct error *e) {
  struct log_group_state g;
  log_group_state(s->log, &g);
  if (!s->options.log.clustered && g.member_id != 0)
    return error_set(e, ERR_INVALID,
                     "The store '%s' belongs to a member of a cluster: start this server with dbms.mode=CORE, as it was.",
                     s->directory);
  if (!s->options.log.clustered && g.follows)
    return error_set(e, ERR_INVALID,
                     "The store '%s' belongs to a read replica: start this server with dbms.mode=READ_REPLICA, as it was.",
                     s->directory);
  bool was_alone = g.member_id == 0 && !g.follows && g.term > 0; // each opening raises its term; a group's begins with its member
  if (s->options.log.clustered && was_alone && log_last_index(s->log) > g.snapshot_index && !g.installing)
    return error_set(e, ERR_INVALID,
                     "The store '%s' was made by a standalone server: a member of a cluster begins with an empty folder, or with "
                     "dbms.mode=SINGLE.",
                     s->directory);
  return ERR_OK;
}

// Only a copied store that has taken the place of the one here may be ahead of the log.
static enum err check_log_fits(struct store *s, struct error *e) {
  TRY(check_owner(s, e));
  uint64_t first = log_first_index(s->log), last = log_durable_index(s->log), applied = s->durable.applied.index;
  if (last < applied && !is_installing(s))
    return error_set(e, ERR_CORRUPT,
                     "The log of '%s' ends at entry %llu, but the pages hold entry %llu: a part of the log is missing.",
                     s->directory, (unsigned long long) last, (unsigned long long) applied);
  if (first > applied + 1)
    return error_set(e, ERR_CORRUPT, "The log of '%s' begins at entry %llu, but the pages end at entry %llu.", s->directory,
                     (unsigned long long) first, (unsigned long long) applied);
  return ERR_OK;
}

// Of nobody's group, the log begins where the copy ends. One that is its own truth has a new term from here on.
static enum err begin_log_anew(struct store *s, struct log_group_state *g, struct error *e) {
  struct store_applied at = s->durable.applied;
  TRY(log_reset(s->log, at.index, at.term, e));
  g->term = MAX(g->term, s->options.log.clustered ? at.term : at.term + 1);
  g->snapshot_index = at.index;
  g->snapshot_term = at.term;
  g->membership_index = g->member_count = 0;
  return ERR_OK;
}

static bool is_copy(const struct superblock *sb, const struct log_group_state *g) {
  uint8_t page[PAGE_BYTES];
  bool found = false;
  superblock_encode(sb, page);
  for (size_t i = 0; i < LOG_COPIES_MAX; i++) found |= get_u64_le(page + PAGE_BYTES - 8) == g->installing_copies[i];
  return found;
}

// After store_copy_install (docs/formats/copy.md). A member of a group has to ask its leader where the log begins. Of any other
// store, pages that are no copy's are the old ones: the power went before the copy took their place.
static enum err settle_install(struct store *s, struct error *e) {
  struct log_group_state g;
  log_group_state(s->log, &g);
  bool is_newer = s->durable.generation > g.generation;
  if (!g.installing && is_newer)
    return error_set(e, ERR_CORRUPT,
                     "The pages of '%s' are of generation %llu, the group state is of generation %llu: it is older.",
                     s->directory, (unsigned long long) s->durable.generation, (unsigned long long) g.generation);
  if (!g.installing || (g.member_id != 0 && !is_newer)) return ERR_OK;
  g.generation = MAX(g.generation, s->durable.generation);
  if (g.member_id == 0 && is_copy(&s->durable, &g)) TRY(begin_log_anew(s, &g, e));
  if (g.member_id == 0) g.installing = false;
  return log_group_save(s->log, &g, e);
}

// Only what was committed was applied; batch headers may know less. The log of the store before may have another entry there.
static void mark_committed(struct store *s) {
  struct store_applied at = s->durable.applied;
  uint64_t term = 0;
  bool has_it = !is_installing(s) || (log_term_at(s->log, at.index, &term, NULL) == ERR_OK && term == at.term);
  if (has_it) log_commit_mark(s->log, at.index);
}

// A superblock of a server that kept no commit time: the entry says it, or else no entry of the log is younger.
static enum err find_commit_time(struct store *s, struct error *e) {
  struct store_applied *at = &s->durable.applied;
  struct log_recovery r;
  log_recovery(s->log, &r);
  if (at->commit_time_ns != 0 || at->index == 0) return ERR_OK;
  at->commit_time_ns = r.last_time_ns;
  if (at->index < r.first_index || at->index > r.last_index) return ERR_OK;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(s->log, at->index, &c, e));
  enum err err = log_cursor_next(c, &entry, e);
  if (err == ERR_OK && entry != NULL) at->commit_time_ns = entry->commit_time_ns;
  log_cursor_close(c);
  return err;
}

// Written again and synced before anything relies on it: after a failed sync it may have been in the system's cache only, and so
// may the name under which it was found, where a copy has taken the place of another store.
static enum err open_old(struct store *s, struct error *e) {
  TRY(write_superblock(s, &s->durable, e));
  TRY(disk_sync(s->file, e));
  TRY(disk_sync_directory(s->options.disk, s->directory, e));
  TRY(open_log(s, false, e));
  TRY(find_commit_time(s, e));
  log_time_mark(s->log, s->durable.applied.commit_time_ns);
  TRY(settle_install(s, e));
  TRY(check_log_fits(s, e));
  mark_committed(s);
  return ERR_OK;
}

static enum err open_files(struct store *s, struct error *e) {
  char path[DISK_PATH_MAX];
  TRY(path_in(s, "store.lock", path, e));
  TRY(disk_lock(s->options.disk, path, &s->lock, e));
  TRY(path_in(s, "store.pages", path, e));
  unsigned flags = DISK_WRITE | (s->options.create ? DISK_CREATE : 0) | (s->options.direct ? DISK_DIRECT : 0);
  TRY(disk_open(s->options.disk, path, flags, &s->file, e));
  bool any = false;
  TRY(read_superblocks(s, &s->durable, &any, e));
  return any ? open_old(s, e) : make_new(s, e);
}

static void take_durable(struct store *s) {
  const struct superblock *sb = &s->durable;
  memcpy(s->uuid, sb->uuid, sizeof s->uuid);
  s->applied = sb->applied;
  s->root_count = s->staged_count = sb->root_count;
  memcpy(s->roots, sb->roots, sizeof s->roots);
  memcpy(s->staged, sb->roots, sizeof s->staged);
  memcpy(s->meta, sb->meta, sizeof s->meta);
  memcpy(s->staged_meta, sb->meta, sizeof s->staged_meta);
}

enum err store_open(const char *directory, const struct store_options *options, struct store **ret, struct error *e) {
  struct store *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->options = *options;
  mutex_init(&s->mutex);
  int n = snprintf(s->directory, sizeof s->directory, "%s", directory);
  enum err err =
      (size_t) n < sizeof s->directory ? open_files(s, e) : error_set(e, ERR_INVALID, "The path of the store is too long.");
  if (err == ERR_OK) err = page_space_open(options->pool, options->disk, s->file, &s->durable, options->events, &s->space, e);
  if (err != ERR_OK) {
    store_close(s);
    return err;
  }
  take_durable(s);
  *ret = s;
  return ERR_OK;
}

static enum err look(struct store *s, struct log_group_state *ret, struct error *e) {
  char path[DISK_PATH_MAX];
  bool any = false;
  TRY(path_in(s, "store.pages", path, e));
  TRY(disk_open(s->options.disk, path, DISK_READ_ONLY, &s->file, e));
  enum err err = read_superblocks(s, &s->durable, &any, e);
  disk_close(s->file);
  TRY(err);
  if (!any) return error_set(e, ERR_NOTFOUND, "There is no store in '%s'.", s->directory);
  return log_group_look(s->options.disk, s->directory, s->durable.uuid, ret, e);
}

enum err store_look(struct disk *d, const char *directory, uint8_t ret_uuid[16], struct log_group_state *ret, struct error *e) {
  struct store *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->options.disk = d;
  int n = snprintf(s->directory, sizeof s->directory, "%s", directory);
  enum err err =
      (size_t) n < sizeof s->directory ? look(s, ret, e) : error_set(e, ERR_INVALID, "The path of the store is too long.");
  if (err == ERR_OK) memcpy(ret_uuid, s->durable.uuid, sizeof s->durable.uuid);
  mem_free(s);
  return err;
}

void store_close(struct store *s) {
  if (s == NULL) return;
  checkpoint_done(s);
  page_space_close(s->space);
  log_close(s->log);
  disk_close(s->file);
  disk_close(s->lock);
  mutex_done(&s->mutex);
  mem_free(s);
}

// ---- recovery ----

/// Whether a tenth is full with this entry.
static bool is_tenth(const struct store_progress *p) {
  uint64_t all = p->last - p->first + 1, done = p->index - p->first + 1;
  return done * 10 / all != (done - 1) * 10 / all;
}

enum err store_recover(struct store *s, enum err (*apply)(void *argument, const struct log_entry *entry, struct error *e),
                       void *argument, void (*progress)(void *argument, const struct store_progress *p), struct error *e) {
  uint64_t index = s->applied.index + 1 + (MUTANT(replay_from) ? 1 : 0), last = log_commit_index(s->log);
  if (index > last) return ERR_OK;
  struct store_progress at = {index, index - 1, last};
  if (progress != NULL) progress(argument, &at);
  struct log_cursor *c = NULL;
  TRY(log_cursor_open(s->log, index, &c, e));
  enum err err = ERR_OK;
  while (at.index < last && err == ERR_OK) {
    const struct log_entry *entry = NULL;
    err = log_cursor_next(c, &entry, e);
    if (err == ERR_OK && entry == NULL)
      err = error_set(e, ERR_CORRUPT, "The log ends before its commit mark %llu.", (unsigned long long) last);
    if (err == ERR_OK) err = apply(argument, entry, e);
    if (err != ERR_OK) break;
    at.index++;
    if (progress != NULL && is_tenth(&at)) progress(argument, &at);
  }
  log_cursor_close(c);
  return err;
}

// ---- what it knows ----

struct page_space *store_space(struct store *s) {
  return s->space;
}

struct log *store_log(struct store *s) {
  return s->log;
}

const uint8_t *store_uuid(const struct store *s) {
  return s->uuid;
}

enum err store_poison(struct store *s, enum err err, const struct error *cause, struct error *e) {
  mutex_lock(&s->mutex);
  if (s->failed == ERR_OK) {
    s->failed = err;
    error_set(&s->failure, err, "The store stopped, because it no longer knows what is on the disk: %s Restart the database.",
              cause->message);
    event_raise(s->options.events, EVENT_ERROR, "store.failed", "%s", s->failure.message);
  }
  mutex_unlock(&s->mutex);
  return store_failure(s, e);
}

enum err store_failure(struct store *s, struct error *e) {
  mutex_lock(&s->mutex);
  enum err err = s->failed;
  if (err != ERR_OK) error_set(e, err, "%s", s->failure.message);
  mutex_unlock(&s->mutex);
  return err != ERR_OK ? err : log_failure(s->log, e);
}

struct store_applied store_applied(struct store *s) {
  mutex_lock(&s->mutex);
  struct store_applied applied = s->applied;
  mutex_unlock(&s->mutex);
  return applied;
}

uint64_t store_applied_index(struct store *s) {
  return store_applied(s).index;
}

// ---- publishing ----

uint64_t store_publish(struct store *s, struct page_batch *b, struct store_applied applied) {
  uint64_t epoch = page_batch_publish(b);
  mutex_lock(&s->mutex);
  s->applied = applied;
  s->root_count = s->staged_count;
  memcpy(s->roots, s->staged, sizeof s->roots);
  memcpy(s->meta, s->staged_meta, sizeof s->meta);
  mutex_unlock(&s->mutex);
  return epoch;
}

void store_abort(struct store *s, struct page_batch *b) {
  page_batch_abort(b);
  s->staged_count = s->root_count;
  memcpy(s->staged, s->roots, sizeof s->staged);
  memcpy(s->staged_meta, s->meta, sizeof s->staged_meta);
}

uint8_t *store_meta(struct store *s) {
  return s->staged_meta;
}

static struct store_root *find_root(struct store_root *roots, uint32_t count, const char *name) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(roots[i].name, name) == 0) return &roots[i];
  return NULL;
}

enum err store_root_set(struct store *s, const char *name, page_id id, struct error *e) {
  size_t length = strlen(name);
  if (length == 0 || length > STORE_ROOT_NAME_MAX) return error_set(e, ERR_INVALID, "'%s' is no name for a root.", name);
  struct store_root *found = find_root(s->staged, s->staged_count, name);
  if (id == PAGE_NONE) {
    if (found != NULL) *found = s->staged[--s->staged_count];
    return ERR_OK;
  }
  if (found == NULL && s->staged_count == STORE_ROOTS_MAX)
    return error_set(e, ERR_LIMIT, "The store has %u roots already.", STORE_ROOTS_MAX);
  if (found == NULL) {
    found = &s->staged[s->staged_count++];
    *found = (struct store_root){0};
    memcpy(found->name, name, length);
  }
  found->id = id;
  return ERR_OK;
}

page_id store_root_get(struct store *s, const char *name, bool staged) {
  mutex_lock(&s->mutex);
  struct store_root *found = staged ? find_root(s->staged, s->staged_count, name) : find_root(s->roots, s->root_count, name);
  page_id id = found != NULL ? found->id : PAGE_NONE;
  mutex_unlock(&s->mutex);
  return id;
}

unsigned store_pressure(struct store *s) {
  mutex_lock(&s->space->mutex);
  uint64_t dirty = s->space->dirty.count, half = s->space->pool->frame_count / 2;
  mutex_unlock(&s->space->mutex);
  if (dirty <= half) return 0;
  return (unsigned) MIN((dirty - half) * 1000 / half, UINT64_C(1000));
}

enum err store_check(struct store *s, bool read_all, struct error *e) {
  assert(!checkpoint_active(s));
  TRY(log_check(s->log, e));
  TRY(pages_check(s->space, read_all, e));
  uint64_t applied = store_applied_index(s);
  if (applied > log_durable_index(s->log) && !is_installing(s))
    return error_set(e, ERR_CORRUPT, "The pages hold entry %llu, the log ends at %llu.", (unsigned long long) applied,
                     (unsigned long long) log_durable_index(s->log));
  return ERR_OK;
}
