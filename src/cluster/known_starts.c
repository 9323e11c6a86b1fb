#include "cluster/known_starts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "base/planted.h"
#include "cluster/row_file.h"
#include "os/thread.h"

enum { MOVES_MAX = KNOWN_STARTS_MAX + STARTS_KEPT };

// server, number, mark
static const struct row_file starts_file = {
    KNOWN_STARTS_FILE, "the known starts",
    "By them it is noticed when the data folder of another server was put back from an older copy: if none was, remove the file",
    0x534B5651u, // QVKS
    KNOWN_STARTS_MAX};

// server, number of a start, how often it has moved
static const struct row_file moves_file = {
    MOVES_FILE, "the moves of starts",
    "They say whether the data folder is the latest, and those of others are: remove the file, and if others know moves of this server, it joins as "
    "another member, which they fill again",
    0x564D5651u, // QVMV
    MOVES_MAX};

struct known {
  uint64_t server;
  struct start start;
};

struct known_starts {
  struct disk *disk;
  char folder[DISK_PATH_MAX];
  struct uuid cluster;
  uint64_t server;    // this one
  struct mutex mutex; // what follows
  struct starts own;
  uint32_t count;
  struct known of[KNOWN_STARTS_MAX]; // the one that was met last at the end
  bool starts_dirty, moves_dirty;
  bool promised; // since the last move
};

/// Under the mutex, or before anybody else has it: its place, or their count.
static uint32_t find(const struct known_starts *k, uint64_t server) {
  uint32_t i = 0;
  while (i < k->count && k->of[i].server != server) i++;
  return i;
}

/// The same: of this server or another one; NULL: that start is not kept.
static struct start *find_start(struct known_starts *k, uint64_t server, uint64_t number) {
  for (uint32_t i = 0; server == k->server && i < k->own.count; i++)
    if (k->own.last[i].number == number) return &k->own.last[i];
  uint32_t i = find(k, server);
  return i < k->count && k->of[i].start.number == number ? &k->of[i].start : NULL;
}

// ---- rows ----

static uint32_t put_starts(const struct known_starts *k, uint64_t (*rows)[ROW_WORDS]) {
  for (uint32_t i = 0; i < k->count; i++) {
    rows[i][0] = k->of[i].server;
    rows[i][1] = k->of[i].start.number;
    rows[i][2] = k->of[i].start.mark;
  }
  return k->count;
}

/// Each server once: of two starts nobody could say which one counts.
static bool take_starts(struct known_starts *k, uint64_t (*rows)[ROW_WORDS], uint32_t count) {
  for (k->count = 0; k->count < count; k->count++) {
    const uint64_t *row = rows[k->count];
    struct known one = {row[0], {.number = row[1], .mark = row[2]}};
    if (one.server == 0 || one.start.mark == 0 || one.start.number > STARTS_NUMBER_MAX || find(k, one.server) < k->count)
      return false;
    k->of[k->count] = one;
  }
  if (PLANTED(known) && count == 2 && k->of[0].start.number > k->of[1].start.number) planted_memory_error();
  return true;
}

static uint32_t put_move(uint64_t server, const struct start *s, uint64_t row[ROW_WORDS]) {
  row[0] = server;
  row[1] = s->number;
  row[2] = s->moves;
  return s->moves > 0;
}

static uint32_t put_moves(const struct known_starts *k, uint64_t (*rows)[ROW_WORDS]) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < k->own.count; i++) n += put_move(k->server, &k->own.last[i], rows[n]);
  for (uint32_t i = 0; i < k->count; i++) n += put_move(k->of[i].server, &k->of[i].start, rows[n]);
  return n;
}

/// Starts that are not kept any more have none: a version that knows no moves has gone on with the other files.
static bool take_moves(struct known_starts *k, uint64_t (*rows)[ROW_WORDS], uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (rows[i][0] == 0 || rows[i][2] == 0 || rows[i][2] > STARTS_MOVES_MAX) return false;
    struct start *s = find_start(k, rows[i][0], rows[i][1]);
    if (s != NULL) s->moves = (uint32_t) rows[i][2];
  }
  if (PLANTED(moves) && count == 2 && rows[0][2] > rows[1][2] && rows[0][0] == k->server) planted_memory_error();
  return true;
}

// ---- files ----

static enum err read_into(struct known_starts *k, const struct row_file *f,
                          bool (*take)(struct known_starts *k, uint64_t (*rows)[ROW_WORDS], uint32_t count),
                          uint64_t (*rows)[ROW_WORDS], struct error *e) {
  uint32_t count;
  TRY(row_file_read(k->disk, k->folder, f, k->cluster, rows, &count, e));
  return take(k, rows, count) ? ERR_OK : row_file_refuse(k->folder, f, e);
}

static enum err read_files(struct known_starts *k, struct error *e) {
  uint64_t(*rows)[ROW_WORDS] = mem_alloc(MOVES_MAX * sizeof *rows);
  if (rows == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = read_into(k, &starts_file, take_starts, rows, e);
  if (err == ERR_OK) err = read_into(k, &moves_file, take_moves, rows, e);
  mem_free(rows);
  return err;
}

static void set(struct known_starts *k, bool *flag) {
  mutex_lock(&k->mutex);
  *flag = true;
  mutex_unlock(&k->mutex);
}

enum err known_starts_save(struct known_starts *k, struct error *e) {
  uint64_t(*rows)[ROW_WORDS] = mem_alloc(KNOWN_STARTS_MAX * sizeof *rows);
  if (rows == NULL) return error_ensure(e, ERR_NOMEM);
  mutex_lock(&k->mutex);
  bool dirty = k->starts_dirty && !MUTANT(start_known);
  k->starts_dirty = false;
  uint32_t count = put_starts(k, rows);
  mutex_unlock(&k->mutex);
  enum err err = dirty ? row_file_save(k->disk, k->folder, &starts_file, k->cluster, rows, count, e) : ERR_OK;
  mem_free(rows);
  if (err != ERR_OK) set(k, &k->starts_dirty);
  return err;
}

/// Own rows come first, the last of them is that of this process: there it is one move on. False: there is nothing to be saved.
static bool prepare_move(struct known_starts *k, uint64_t (*rows)[ROW_WORDS], uint32_t *ret_count, struct start *ret_next) {
  mutex_lock(&k->mutex);
  struct start *now = &k->own.last[k->own.count - 1], before = *now;
  bool moves = k->promised && before.moves < STARTS_MOVES_MAX, dirty = moves || k->moves_dirty;
  now->moves += moves;
  *ret_next = *now;
  *ret_count = put_moves(k, rows);
  *now = before; // until it is durable
  k->promised = k->moves_dirty = false;
  mutex_unlock(&k->mutex);
  return dirty;
}

enum err known_starts_move(struct known_starts *k, bool *ret_moved, struct error *e) {
  uint32_t count;
  struct start next;
  *ret_moved = false;
  uint64_t(*rows)[ROW_WORDS] = mem_alloc(MOVES_MAX * sizeof *rows);
  if (rows == NULL) return error_ensure(e, ERR_NOMEM);
  bool dirty = prepare_move(k, rows, &count, &next);
  enum err err = dirty ? row_file_save(k->disk, k->folder, &moves_file, k->cluster, rows, count, e) : ERR_OK;
  mem_free(rows);
  mutex_lock(&k->mutex);
  struct start *now = &k->own.last[k->own.count - 1];
  bool moved = next.moves != now->moves;
  if (err == ERR_OK) now->moves = next.moves;
  k->promised |= err != ERR_OK && moved;
  k->moves_dirty |= err != ERR_OK;
  mutex_unlock(&k->mutex);
  *ret_moved = err == ERR_OK && moved;
  return err;
}

// ---- of this server ----

struct start known_starts_now(struct known_starts *k) {
  mutex_lock(&k->mutex);
  struct start ret = starts_now(&k->own);
  mutex_unlock(&k->mutex);
  return ret;
}

bool known_starts_are_older(struct known_starts *k, struct start known) {
  mutex_lock(&k->mutex);
  bool ret = starts_are_older(&k->own, known);
  mutex_unlock(&k->mutex);
  return ret;
}

void known_starts_promised(struct known_starts *k) {
  set(k, &k->promised);
}

// ---- of the others ----

struct start known_starts_find(struct known_starts *k, uint64_t server) {
  mutex_lock(&k->mutex);
  uint32_t i = find(k, server);
  struct start ret = i < k->count ? k->of[i].start : (struct start){0};
  mutex_unlock(&k->mutex);
  return ret;
}

bool known_starts_contradict(struct known_starts *k, uint64_t server, struct start theirs) {
  struct start known = known_starts_find(k, server);
  return theirs.number < known.number || (theirs.number == known.number && theirs.mark != known.mark);
}

/// Under the mutex.
static void remove_at(struct known_starts *k, uint32_t i) {
  memmove(&k->of[i], &k->of[i + 1], (k->count - i - 1) * sizeof k->of[0]);
  k->count--;
}

static void note_start(struct known_starts *k, uint32_t i, struct known theirs) {
  if (i < k->count) remove_at(k, i);
  if (k->count == KNOWN_STARTS_MAX) remove_at(k, 0);
  k->of[k->count++] = theirs;
  k->starts_dirty = true;
  k->moves_dirty |= theirs.start.moves > 0;
}

enum known_news known_starts_note(struct known_starts *k, uint64_t server, struct start theirs) {
  mutex_lock(&k->mutex);
  uint32_t i = find(k, server);
  const struct start known = i < k->count ? k->of[i].start : (struct start){0};
  enum known_news news = KNOWN_BEFORE;
  if (theirs.number > STARTS_NUMBER_MAX)
    news = KNOWN_BEFORE; // nobody could be told of it
  else if (i == k->count || known.number < theirs.number)
    news = KNOWN_START;
  else if (known.number == theirs.number && known.mark == theirs.mark && known.moves < theirs.moves)
    news = KNOWN_MOVE;
  if (news == KNOWN_START) note_start(k, i, (struct known){server, theirs});
  if (news == KNOWN_MOVE) k->of[i].start.moves = theirs.moves;
  k->moves_dirty |= news == KNOWN_MOVE;
  mutex_unlock(&k->mutex);
  return news;
}

// ---- life ----

enum err known_starts_open(struct disk *d, const char *folder, struct uuid cluster, uint64_t server, const struct starts *own,
                           struct known_starts **ret, struct error *e) {
  struct known_starts *k = mem_zalloc(sizeof *k);
  if (k == NULL) return error_ensure(e, ERR_NOMEM);
  k->disk = d;
  snprintf(k->folder, sizeof k->folder, "%s", folder);
  k->cluster = cluster;
  k->server = server;
  k->own = *own;
  mutex_init(&k->mutex);
  enum err err = read_files(k, e);
  if (err != ERR_OK) {
    known_starts_close(k);
    return err;
  }
  *ret = k;
  return ERR_OK;
}

void known_starts_close(struct known_starts *k) {
  if (k == NULL) return;
  mutex_done(&k->mutex);
  mem_free(k);
}
