// Every thing that is done with a log, crossed with every fault that can strike in the middle of it: the n-th read, write, sync,
// reservation or other call fails, the n-th allocation fails, the power goes within the n-th change. Afterwards the power is cut
// in any case, the log is opened again, and must hold what was durable before, then what was asked for or nothing of it; asked
// for is there if it was reported.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "store/log.h"
#include "store/sim_disk.h"

enum { OLD_LAST = 9, COMMITTED = 4, PRUNED_BELOW = 7, RESET_INDEX = 50, SEGMENT_BYTES = 2048 };

static const uint8_t uuid[16] = "a log of faults";

enum fault_kind {
  FAULT_ALLOC,
  FAULT_READ,
  FAULT_WRITE,
  FAULT_WRITE_FULL,
  FAULT_SYNC,
  FAULT_RESERVE,
  FAULT_OTHER,
  FAULT_POWER,
  FAULT_KINDS
};
static const char *const fault_names[FAULT_KINDS] = {"memory", "read", "write", "full", "sync", "reserve", "other", "power"};

// A log in one of its states, and what the disk may hold after the action: old entries up to `old_last`, or up to `new_first` - 1
// and then new ones.
struct life {
  struct sim_disk *disk;
  struct clock_manual clock;
  struct log_options options;
  struct log *log;              // NULL: closed
  uint64_t new_first, new_last; // 0: the action writes none
  bool reports;                 // the action said that it is durable
};

static enum err open_log(struct life *w, bool create, struct error *e) {
  return log_open(sim_disk_table(w->disk), "db", uuid, create, &w->options, &w->clock.clock, NULL, &w->log, e);
}

static void close_log(struct life *w) {
  log_close(w->log);
  w->log = NULL;
}

static size_t text_of(uint64_t index, bool is_new, char to[64]) {
  return (size_t) snprintf(to, 64, "%s entry %llu ..............", is_new ? "new" : "old", (unsigned long long) index);
}

static enum err append(struct life *w, uint64_t index, bool is_new, struct error *e) {
  char text[64];
  struct log_entry entry = {.index = index, .term = is_new ? 6 : 1 + index / 4, .kind = LOG_TRANSACTION, .parts = LOG_END};
  entry.payload = (struct str){text, text_of(index, is_new, text)};
  TRY(log_append(w->log, &entry, 1, e));
  bool worked = false;
  return log_writer_step(w->log, &worked, e); // before `text` goes
}

// ---- what is done ----

static enum err do_create(struct life *w, struct error *e) {
  return open_log(w, true, e);
}

static enum err do_open(struct life *w, struct error *e) {
  return open_log(w, false, e);
}

static enum err do_round(struct life *w, struct error *e) {
  w->new_first = w->new_last = OLD_LAST + 1;
  return append(w, OLD_LAST + 1, true, e);
}

static enum err do_rounds_over_segments(struct life *w, struct error *e) {
  w->new_first = OLD_LAST + 1;
  w->new_last = OLD_LAST + 8;
  for (uint64_t i = w->new_first; i <= w->new_last; i++) TRY(append(w, i, true, e));
  return ERR_OK;
}

static enum err do_overwrite(struct life *w, struct error *e) {
  w->new_first = w->new_last = 6;
  return append(w, 6, true, e);
}

static enum err do_truncate(struct life *w, struct error *e) {
  bool worked = false;
  w->new_first = 6;
  w->new_last = 5;
  TRY(log_truncate(w->log, 5, e));
  return log_writer_step(w->log, &worked, e);
}

static enum err do_save(struct life *w, struct error *e) {
  struct log_group_state g;
  log_group_state(w->log, &g);
  g.term = 7;
  g.vote = 3;
  return log_group_save(w->log, &g, e);
}

static enum err do_prune(struct life *w, struct error *e) {
  unsigned removed = 0;
  return log_prune(w->log, PRUNED_BELOW, 100, &removed, e);
}

static enum err do_reset(struct life *w, struct error *e) {
  w->new_first = RESET_INDEX + 1;
  w->new_last = RESET_INDEX;
  return log_reset(w->log, RESET_INDEX, 6, e);
}

static enum err do_read(struct life *w, struct error *e) {
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(w->log, 1, &c, e));
  enum err err;
  while ((err = log_cursor_next(c, &entry, e)) == ERR_OK && entry != NULL) {
  }
  log_cursor_close(c);
  return err;
}

static enum err do_check(struct life *w, struct error *e) {
  return log_check(w->log, e);
}

static enum err do_pin(struct life *w, struct error *e) {
  uint32_t pin = 0;
  TRY(log_pin(w->log, 2, INT64_MAX, &pin, e));
  TRY(log_pin_move(w->log, pin, 3, INT64_MAX, e));
  log_unpin(w->log, pin);
  return ERR_OK;
}

enum state { STATE_NONE, STATE_OPEN, STATE_CLOSED, STATE_TORN };

static const struct action {
  const char *name;
  enum err (*run)(struct life *w, struct error *e);
  enum state state;
} actions[] = {
    {"create", do_create, STATE_NONE},
    {"open", do_open, STATE_CLOSED},
    {"open a torn end", do_open, STATE_TORN},
    {"write a round", do_round, STATE_OPEN},
    {"write over segments", do_rounds_over_segments, STATE_OPEN},
    {"overwrite the tail", do_overwrite, STATE_OPEN},
    {"cut the tail", do_truncate, STATE_OPEN},
    {"save the group state", do_save, STATE_OPEN},
    {"prune", do_prune, STATE_OPEN},
    {"reset", do_reset, STATE_OPEN},
    {"read", do_read, STATE_OPEN},
    {"check", do_check, STATE_OPEN},
    {"pin", do_pin, STATE_OPEN},
};

// ---- before ----

static void tear_end(struct life *w) {
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(w->disk), "db/store.log.00000003", DISK_WRITE, &f, NULL));
  assert_ok(disk_write(f, 2048, "half of a batch that never came to its end", 42, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

static void prepare(struct life *w, enum state state) {
  struct error e = ERROR_INIT;
  *w = (struct life){.disk = sim_disk_new(2), .options = {.segment_bytes = SEGMENT_BYTES, .clustered = true}};
  clock_manual_init(&w->clock, 1000);
  if (state == STATE_NONE) return;
  assert_ok(open_log(w, true, &e));
  for (uint64_t i = 1; i <= OLD_LAST; i++) assert_ok(append(w, i, false, &e));
  log_commit_mark(w->log, COMMITTED);
  if (state != STATE_OPEN) close_log(w);
  if (state == STATE_TORN) tear_end(w);
}

// ---- in the middle ----

static void arm(struct life *w, enum fault_kind kind, int64_t n) {
  static const struct {
    enum sim_op op;
    enum err err;
  } faults[FAULT_KINDS] = {
      [FAULT_READ] = {SIM_READ, ERR_IO}, [FAULT_WRITE] = {SIM_WRITE, ERR_IO},         [FAULT_WRITE_FULL] = {SIM_WRITE, ERR_NOSPC},
      [FAULT_SYNC] = {SIM_SYNC, ERR_IO}, [FAULT_RESERVE] = {SIM_ALLOCATE, ERR_NOSPC}, [FAULT_OTHER] = {SIM_OTHER, ERR_IO},
  };
  if (kind == FAULT_ALLOC)
    fault_arm(&fault_alloc, n, 1);
  else if (kind == FAULT_POWER)
    sim_disk_cut_after(w->disk, n);
  else
    sim_disk_fail(w->disk, faults[kind].op, n, faults[kind].err);
}

static bool disarm(struct life *w, enum fault_kind kind) {
  if (kind == FAULT_ALLOC) {
    bool fired = fault_fired(&fault_alloc);
    fault_disarm(&fault_alloc);
    return fired;
  }
  bool struck = kind == FAULT_POWER ? sim_disk_is_off(w->disk) : sim_disk_failed(w->disk);
  sim_disk_cut_after(w->disk, -1);
  sim_disk_fail(w->disk, SIM_READ, -1, ERR_IO);
  return struck;
}

/// A log that stopped says so to everybody; one that did not goes on.
static void assert_honest(struct life *w) {
  struct error e = ERROR_INIT, again = ERROR_INIT;
  if (w->log == NULL || log_failure(w->log, &e) == ERR_OK) return;
  struct log_entry entry = {.index = log_last_index(w->log) + 1, .term = 99, .kind = LOG_NOOP, .parts = LOG_END};
  assert_int_equal(log_append(w->log, &entry, 1, &again), e.code);
  assert_non_null(strstr(again.message, "The log stopped"));
}

// ---- after ----

static bool holds(const struct log_entry *entry, bool is_new) {
  char text[64];
  size_t len = text_of(entry->index, is_new, text);
  return entry->payload.len == len && memcmp(entry->payload.ptr, text, len) == 0;
}

/// Reads what is there: old ones without a gap, then new ones. Returns how it ends.
static void assert_contents(struct life *w, bool must_be_new) {
  struct error e = ERROR_INIT;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  uint64_t last = log_first_index(w->log) - 1;
  bool seen_new = false;
  assert_ok(log_cursor_open(w->log, last + 1, &c, &e));
  for (;;) {
    assert_ok(log_cursor_next(c, &entry, &e));
    if (entry == NULL) break;
    assert_int_equal(entry->index, ++last);
    bool is_new = w->new_first > 0 && last >= w->new_first && last <= w->new_last && holds(entry, true);
    seen_new = seen_new || is_new;
    assert_true(seen_new ? is_new : holds(entry, false));
  }
  log_cursor_close(c);
  uint64_t expected = w->new_first > 0 && (must_be_new || seen_new) ? w->new_last : OLD_LAST;
  bool cut = w->new_first > 0 && last == w->new_last; // nothing new to see: a truncation or a reset
  if (must_be_new)
    assert_int_equal(last, expected);
  else
    assert_true(last == expected || cut || (seen_new && last >= w->new_first));
  assert_ok(log_check(w->log, &e));
}

static void assert_group(struct life *w, bool saved) {
  struct log_group_state g;
  log_group_state(w->log, &g);
  assert_true((g.term == 7 && g.vote == 3) || (!saved && g.term < 7 && g.vote == 0));
}

static void verify(struct life *w, const struct action *action, enum err err) {
  struct error e = ERROR_INIT;
  if (!sim_disk_is_off(w->disk)) sim_disk_cut(w->disk);
  close_log(w);
  sim_disk_power_on(w->disk);
  if (action->state == STATE_NONE) {
    enum err opened = open_log(w, err != ERR_OK, &e); // half a log can be made again
    assert_ok(opened);
    assert_int_equal(log_last_index(w->log), 0);
    return;
  }
  if (open_log(w, false, &e) != ERR_OK) fail_msg("%s: %s", action->name, e.message);
  assert_contents(w, err == ERR_OK && w->new_first > 0);
  if (action->run == do_save) assert_group(w, err == ERR_OK);
  assert_ok(append(w, log_last_index(w->log) + 1, true, &e)); // it goes on
}

/// True if the fault struck.
static bool play(const struct action *action, enum fault_kind kind, int64_t n) {
  struct life w;
  struct error e = ERROR_INIT;
  prepare(&w, action->state);
  arm(&w, kind, n);
  enum err err = action->run(&w, &e);
  bool struck = disarm(&w, kind);
  if (err != ERR_OK && err != ERR_NOMEM && err != ERR_IO && err != ERR_NOSPC)
    fail_msg("%s, %s: %s", action->name, fault_names[kind], e.message);
  assert_true(struck || err == ERR_OK);
  if (!sim_disk_is_off(w.disk)) assert_honest(&w);
  verify(&w, action, err);
  close_log(&w);
  sim_disk_free(w.disk);
  return struck;
}

TEST(whatever_is_done_and_whichever_fault_strikes_the_log_is_right_afterwards) {
  int strikes[ARRAY_SIZE(actions)][FAULT_KINDS];
  for (size_t a = 0; a < ARRAY_SIZE(actions); a++)
    for (int kind = 0; kind < FAULT_KINDS; kind++)
      for (strikes[a][kind] = 0; play(&actions[a], (enum fault_kind) kind, strikes[a][kind]);) strikes[a][kind]++;
  print_message("# faults that struck, and were survived:\n# %-22s", "");
  for (int kind = 0; kind < FAULT_KINDS; kind++) print_message("%9s", fault_names[kind]);
  for (size_t a = 0; a < ARRAY_SIZE(actions); a++) {
    print_message("\n# %-22s", actions[a].name);
    for (int kind = 0; kind < FAULT_KINDS; kind++) print_message("%9d", strikes[a][kind]);
  }
  print_message("\n");
}

TESTS(T(whatever_is_done_and_whichever_fault_strikes_the_log_is_right_afterwards))
