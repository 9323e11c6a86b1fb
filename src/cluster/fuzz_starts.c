// Fuzzes what reads the starts of a server, those of others that it has met, and how far they have moved: the input is how the
// file is made, the number of this start, and the file. What the first byte does not leave alone is put right: magic, version,
// length, whose it is, checksum. What is refused stays as it is and says why; what is taken goes on with the next start, and says
// the same when it is read again.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/known_starts.h"
#include "store/sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
  AS_IT_IS_MAGIC = 1,
  AS_IT_IS_VERSION = 2,
  AS_IT_IS_CHECKSUM = 4,
  AS_IT_IS_LENGTH = 8,
  AS_IT_IS_OWNER = 16,
  FEW_SERVERS = 32,
  OF_OTHERS = 64,
  OF_MOVES = 128
};
enum { SELF = 5 };
enum { PLAN_BYTES = 9, OWN_FILE_BYTES = 1072, KNOWN_HEADER_BYTES = 32, KNOWN_BYTES = 24, FILE_BYTES_MAX = 4096 };

static const struct uuid OWNER = {{7}};
static const struct starts OWN_STARTS = {.count = 2, .last = {{1, 11}, {2, 22}}};

struct plan {
  uint8_t as_it_is;
  uint64_t number; // of this start
  uint8_t file[FILE_BYTES_MAX];
  size_t bytes;
  struct disk *disk;
  struct random_seeded random;
};

static void must(bool holds) {
  if (!holds) abort();
}

// ---- file ----

static bool has_rows(const struct plan *p) {
  return p->as_it_is & (OF_OTHERS | OF_MOVES);
}

static const char *file_name(const struct plan *p) {
  if (p->as_it_is & OF_MOVES) return MOVES_FILE;
  return p->as_it_is & OF_OTHERS ? KNOWN_STARTS_FILE : STARTS_FILE;
}

static const char *magic(const struct plan *p) {
  if (p->as_it_is & OF_MOVES) return "QVMV";
  return p->as_it_is & OF_OTHERS ? "QVKS" : "QVST";
}

/// Of rows there are as many as there is room for.
static void put_length_right(struct plan *p) {
  uint32_t count = p->bytes < KNOWN_HEADER_BYTES + 8 ? 0 : (uint32_t) ((p->bytes - KNOWN_HEADER_BYTES - 8) / KNOWN_BYTES);
  p->bytes = has_rows(p) ? KNOWN_HEADER_BYTES + KNOWN_BYTES * (size_t) count + 8 : OWN_FILE_BYTES;
  if (has_rows(p)) put_u32_le(p->file + 24, count);
}

static void make_servers_few(struct plan *p) {
  for (size_t at = KNOWN_HEADER_BYTES; at + KNOWN_BYTES + 8 <= p->bytes; at += KNOWN_BYTES) {
    put_u64_le(p->file + at, p->file[at] % 8);
    if (!(p->as_it_is & OF_MOVES)) continue;
    put_u64_le(p->file + at + 8, p->file[at + 8] % 4);
    put_u64_le(p->file + at + 16, get_u32_le(p->file + at + 16));
  }
}

static void put_right(struct plan *p) {
  if (!(p->as_it_is & AS_IT_IS_LENGTH)) put_length_right(p);
  if (!(p->as_it_is & AS_IT_IS_MAGIC)) memcpy(p->file, magic(p), 4);
  if (!(p->as_it_is & AS_IT_IS_VERSION)) put_u16_le(p->file + 4, 1);
  if (!(p->as_it_is & AS_IT_IS_OWNER)) uuid_put(p->file + 8, OWNER);
  if (has_rows(p) && (p->as_it_is & FEW_SERVERS)) make_servers_few(p);
  if (!(p->as_it_is & AS_IT_IS_CHECKSUM) && p->bytes >= 8) put_u64_le(p->file + p->bytes - 8, hash64(p->file, p->bytes - 8, 0));
}

static void write_file(struct plan *p) {
  must(disk_make_directories(p->disk, "data", NULL) == ERR_OK);
  must(disk_replace_file(p->disk, "data", file_name(p), p->file, p->bytes, NULL) == ERR_OK);
}

static void check_refused(const struct error *e, const char *file) {
  must((e->code == ERR_CORRUPT || e->code == ERR_UNSUPPORTED) && strstr(e->message, file) != NULL);
}

// ---- of this server ----

static enum err begin(struct plan *p, uint64_t number, struct starts *ret, struct start *ret_older, struct error *e) {
  return starts_begin(p->disk, "data", OWNER, number, &p->random.source, ret, ret_older, e);
}

/// Nobody who knows one of them is told that these data are older.
static void check_order(const struct starts *s) {
  must(s->count >= 1 && s->count <= STARTS_KEPT);
  for (uint32_t i = 0; i < s->count; i++) {
    must(s->last[i].mark != 0 && (i == 0 || s->last[i].number > s->last[i - 1].number));
    must(!starts_are_older(s, s->last[i]));
    must(starts_are_older(s, (struct start){s->last[i].number, s->last[i].mark + 1}));
  }
}

static void check_next(struct plan *p, const struct starts *s) {
  struct starts next;
  struct start older;
  if (p->number == UINT64_MAX) return;
  must(starts_are_older(s, (struct start){p->number + 1, 1}));
  must(begin(p, p->number + 1, &next, &older, NULL) == ERR_OK && older.number == 0);
  check_order(&next);
  must(next.count == MIN(s->count + 1, (uint32_t) STARTS_KEPT) && next.renewal == s->renewal && next.renewing == s->renewing);
  must(!starts_are_older(&next, starts_now(s)));
}

/// Begun anew above the start that it had not had, it is not told again.
static void check_renewed(struct plan *p, struct starts *s, struct start older) {
  struct starts next;
  struct start again;
  must(older.number >= p->number && s->count == 1);
  must(begin(p, p->number, &next, &again, NULL) == ERR_OK && again.number == older.number && again.mark == older.mark);
  if (older.number == UINT64_MAX) return;
  must(starts_renew(p->disk, "data", OWNER, older.number + 1, s, NULL) == ERR_OK);
  must(begin(p, older.number + 1, &next, &again, NULL) == ERR_OK && again.number == 0);
  must(next.count == 1 && next.renewal == older.number + 1 && next.renewing && !starts_are_older(&next, older));
}

static void check_own(struct plan *p) {
  struct starts s;
  struct start older;
  struct error e = ERROR_INIT;
  if (begin(p, p->number, &s, &older, &e) != ERR_OK) {
    check_refused(&e, STARTS_FILE);
    must(begin(p, p->number, &s, &older, NULL) == e.code);
    return;
  }
  check_order(&s);
  must(starts_now(&s).number == p->number);
  if (older.number != 0)
    check_renewed(p, &s, older);
  else
    check_next(p, &s);
}

// ---- of the others ----

static enum err open_known(struct plan *p, struct known_starts **ret, struct error *e) {
  return known_starts_open(p->disk, "data", OWNER, SELF, &OWN_STARTS, ret, e);
}

static struct start find_again(struct plan *p, uint64_t server) {
  struct known_starts *k = NULL;
  must(open_known(p, &k, NULL) == ERR_OK);
  struct start ret = known_starts_find(k, server);
  known_starts_close(k);
  return ret;
}

/// What is known is no news; a later start is, and is what counts from then on.
static void check_server(struct plan *p, struct known_starts *k, uint64_t server) {
  struct start now = known_starts_find(k, server), later = {now.number + 1, 5};
  must(!known_starts_contradict(k, server, now) && !known_starts_note(k, server, now));
  if (now.number == STARTS_NUMBER_MAX) {
    must(!known_starts_note(k, server, later)); // which nobody could be told of
    return;
  }
  must(known_starts_note(k, server, later) && known_starts_contradict(k, server, now) && !known_starts_note(k, server, now));
  must(known_starts_find(k, server).number == later.number && known_starts_find(k, server).mark == later.mark);
  must(known_starts_save(k, NULL) == ERR_OK && find_again(p, server).number == later.number);
}

/// Servers that have been met, so that the moves are somebody's.
static void meet_some(struct plan *p) {
  struct known_starts *k = NULL;
  must(open_known(p, &k, NULL) == ERR_OK);
  for (uint64_t server = 1; server < SELF; server++)
    must(known_starts_note(k, server, (struct start){server % 3, 5}) == KNOWN_START);
  must(known_starts_save(k, NULL) == ERR_OK);
  known_starts_close(k);
}

/// What is there is the latest; what comes next is not known before, and is kept.
static void check_moves(struct plan *p, struct known_starts **k) {
  struct start now = known_starts_now(*k), later = {now.number, now.mark, now.moves + 1}, theirs = known_starts_find(*k, 1);
  bool moved;
  must(now.number == 2 && now.mark == 22 && !known_starts_are_older(*k, now) && !known_starts_contradict(*k, 1, theirs));
  if (now.moves == STARTS_MOVES_MAX || theirs.moves == STARTS_MOVES_MAX) return;
  theirs.moves++;
  must(known_starts_are_older(*k, later) && known_starts_note(*k, 1, theirs) == KNOWN_MOVE);
  known_starts_promised(*k);
  must(known_starts_move(*k, &moved, NULL) == ERR_OK && moved);
  known_starts_close(*k);
  must(open_known(p, k, NULL) == ERR_OK);
  must(!known_starts_are_older(*k, later) && known_starts_now(*k).moves == later.moves &&
       known_starts_find(*k, 1).moves == theirs.moves);
}

static void check_known(struct plan *p) {
  struct known_starts *k = NULL;
  struct error e = ERROR_INIT;
  enum err err = open_known(p, &k, &e);
  if (err != ERR_OK) {
    check_refused(&e, file_name(p));
    must(open_known(p, &k, NULL) == err);
    return;
  }
  if (p->as_it_is & OF_MOVES)
    check_moves(p, &k);
  else if (uuid_eq(uuid_get(p->file + 8), OWNER) && get_u32_le(p->file + 24) > 0)
    check_server(p, k, get_u64_le(p->file + KNOWN_HEADER_BYTES));
  known_starts_close(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct plan p;
  if (size < PLAN_BYTES || size - PLAN_BYTES > sizeof p.file) return 0;
  struct sim_disk *disk = sim_disk_new(1);
  p = (struct plan){.as_it_is = data[0],
                    .number = MAX(get_u64_le(data + 1), UINT64_C(1)),
                    .bytes = size - PLAN_BYTES,
                    .disk = sim_disk_table(disk)};
  random_seeded_init(&p.random, 1);
  memcpy(p.file, data + PLAN_BYTES, p.bytes);
  put_right(&p);
  if (p.as_it_is & OF_MOVES) meet_some(&p);
  write_file(&p);
  if (has_rows(&p))
    check_known(&p);
  else
    check_own(&p);
  sim_disk_free(disk);
  return 0;
}
