// Fuzzes what reads the starts of a server and those of others that it has met: the input is how the file is made, the number of
// this start, and the file. What the first byte does not leave alone is put right: magic, version, length, whose it is, checksum.
// What is refused stays as it is and says why; what is taken goes on with the next start, and says the same when it is read
// again.
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
  OF_OTHERS = 64
};
enum { PLAN_BYTES = 9, OWN_FILE_BYTES = 1072, KNOWN_HEADER_BYTES = 32, KNOWN_BYTES = 24, FILE_BYTES_MAX = 4096 };

static const struct uuid OWNER = {{7}};

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

/// Of known starts there are as many as there is room for.
static void put_length_right(struct plan *p) {
  uint32_t count = p->bytes < KNOWN_HEADER_BYTES + 8 ? 0 : (uint32_t) ((p->bytes - KNOWN_HEADER_BYTES - 8) / KNOWN_BYTES);
  p->bytes = p->as_it_is & OF_OTHERS ? KNOWN_HEADER_BYTES + KNOWN_BYTES * (size_t) count + 8 : OWN_FILE_BYTES;
  if (p->as_it_is & OF_OTHERS) put_u32_le(p->file + 24, count);
}

static void make_servers_few(struct plan *p) {
  for (size_t at = KNOWN_HEADER_BYTES; at + KNOWN_BYTES + 8 <= p->bytes; at += KNOWN_BYTES)
    put_u64_le(p->file + at, p->file[at] % 8);
}

static void put_right(struct plan *p) {
  if (!(p->as_it_is & AS_IT_IS_LENGTH)) put_length_right(p);
  if (!(p->as_it_is & AS_IT_IS_MAGIC)) memcpy(p->file, p->as_it_is & OF_OTHERS ? "QVKS" : "QVST", 4);
  if (!(p->as_it_is & AS_IT_IS_VERSION)) put_u16_le(p->file + 4, 1);
  if (!(p->as_it_is & AS_IT_IS_OWNER)) uuid_put(p->file + 8, OWNER);
  if ((p->as_it_is & OF_OTHERS) && (p->as_it_is & FEW_SERVERS)) make_servers_few(p);
  if (!(p->as_it_is & AS_IT_IS_CHECKSUM) && p->bytes >= 8) put_u64_le(p->file + p->bytes - 8, hash64(p->file, p->bytes - 8, 0));
}

static void write_file(struct plan *p) {
  const char *name = p->as_it_is & OF_OTHERS ? KNOWN_STARTS_FILE : STARTS_FILE;
  must(disk_make_directories(p->disk, "data", NULL) == ERR_OK);
  must(disk_replace_file(p->disk, "data", name, p->file, p->bytes, NULL) == ERR_OK);
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

static struct start find_again(struct plan *p, uint64_t server) {
  struct known_starts *k = NULL;
  must(known_starts_open(p->disk, "data", OWNER, &k, NULL) == ERR_OK);
  struct start ret = known_starts_find(k, server);
  known_starts_close(k);
  return ret;
}

/// What is known is no news; a later start is, and is what counts from then on.
static void check_server(struct plan *p, struct known_starts *k, uint64_t server) {
  struct start now = known_starts_find(k, server), later = {now.number + 1, 5};
  must(!known_starts_contradict(k, server, now) && !known_starts_note(k, server, now));
  if (now.number == UINT64_MAX) return;
  must(known_starts_note(k, server, later) && known_starts_contradict(k, server, now) && !known_starts_note(k, server, now));
  must(known_starts_find(k, server).number == later.number && known_starts_find(k, server).mark == later.mark);
  must(known_starts_save(k, NULL) == ERR_OK && find_again(p, server).number == later.number);
}

static void check_known(struct plan *p) {
  struct known_starts *k = NULL;
  struct error e = ERROR_INIT;
  enum err err = known_starts_open(p->disk, "data", OWNER, &k, &e);
  if (err != ERR_OK) {
    check_refused(&e, KNOWN_STARTS_FILE);
    must(known_starts_open(p->disk, "data", OWNER, &k, NULL) == err);
    return;
  }
  if (uuid_eq(uuid_get(p->file + 8), OWNER) && get_u32_le(p->file + 24) > 0)
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
  write_file(&p);
  if (p.as_it_is & OF_OTHERS)
    check_known(&p);
  else
    check_own(&p);
  sim_disk_free(disk);
  return 0;
}
