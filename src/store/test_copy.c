// A store is copied from one disk to another: under writes, over crashes and faults at each place, piece by damaged piece.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "store/copy.h"
#include "store/test_place.h"

enum { PAGES = 600 }; // two pieces of the page map

struct world {
  struct place from;
  struct sim_disk *disk; // of the copy
  struct store_options options;
  struct random_seeded random;
  struct checkpoint_pin pin;
  uint8_t head[CHECKPOINT_HEAD_BYTES];
  uint8_t *buffer, *piece;
  bool is_lazy; // pieces are not made durable one by one
};

static void write_page(struct page_batch *b, page_id id, uint64_t seed) {
  void *page = NULL;
  assert_ok(page_batch_write(b, id, &page, NULL));
  put_u64_le(page, seed);
  put_u64_le((uint8_t *) page + PAGE_BYTES - 8, seed * 3);
}

static void write_all(struct place *p, uint64_t seed) {
  for (uint64_t id = 1; id <= PAGES; id += 200) {
    struct page_batch *b = place_begin(p);
    for (uint64_t i = 0; i < 200; i++) write_page(b, id + i, seed + i);
    put_u64_le(store_meta(p->store), seed);
    place_publish(p, b);
  }
}

static void make_pages(struct place *p) {
  struct page_batch *b = place_begin(p);
  page_id first = 0;
  assert_ok(page_batch_allocate_run(b, PAGES, &first, NULL));
  assert_int_equal(first, 1);
  place_publish(p, b);
}

static void pin(struct world *w) {
  assert_ok(checkpoint_pin(w->from.store, INT64_MAX, &w->pin, NULL));
  checkpoint_head(&w->pin, w->head);
}

static void world_init(struct world *w) {
  *w = (struct world){.disk = sim_disk_new(5)};
  place_init(&w->from, 2000, false);
  assert_ok(place_open(&w->from, NULL));
  make_pages(&w->from);
  write_all(&w->from, 1000);
  place_checkpoint(&w->from);
  random_seeded_init(&w->random, 7); // the same as the source's: so is the uuid of the store there
  w->options = w->from.options;
  w->options.disk = sim_disk_table(w->disk);
  w->options.random = &w->random.source;
  w->options.log.clustered = true;
  w->buffer = mem_alloc(CHECKPOINT_PIECE_BYTES_MAX + PAGE_BYTES);
  w->piece = (uint8_t *) (((uintptr_t) w->buffer + PAGE_BYTES - 1) & ~(uintptr_t) (PAGE_BYTES - 1));
  pin(w);
}

static void world_done(struct world *w) {
  checkpoint_unpin(&w->pin);
  mem_free(w->buffer);
  sim_disk_free(w->disk);
  place_done(&w->from);
}

// ---- copying ----

static enum err copy_piece(struct world *w, struct store_copy *c, struct error *e) {
  uint64_t position = store_copy_position(c);
  size_t bytes = 0;
  assert_ok(checkpoint_read(&w->pin, &position, w->piece, &bytes, NULL));
  TRY(store_copy_add(c, w->piece, bytes, e));
  assert_int_equal(store_copy_position(c), position);
  return w->is_lazy ? ERR_OK : store_copy_sync(c, e);
}

static enum err copy_rest(struct world *w, struct store_copy *c, struct error *e) {
  while (store_copy_position(c) != CHECKPOINT_END) TRY(copy_piece(w, c, e));
  TRY(store_copy_finish(c, e));
  return store_copy_install(c, w->options.clock, e);
}

static enum err copy_all(struct world *w, struct error *e) {
  struct store_copy *c = NULL;
  TRY(store_copy_open(w->options.disk, "to", w->head, &c, e));
  enum err err = copy_rest(w, c, e);
  store_copy_close(c);
  return err;
}

static enum err open_copy(struct world *w, struct store **ret, struct error *e) {
  w->options.create = false;
  return store_open("to", &w->options, ret, e);
}

// ---- comparing ----

static enum err add_digest(void *argument, page_id id, const void *page) {
  uint64_t *digest = argument;
  *digest = hash64(page, PAGE_BYTES, *digest + id);
  return ERR_OK;
}

static uint64_t digest_of(const struct checkpoint_pin *p) {
  uint64_t digest = 0;
  assert_ok(checkpoint_pin_each(p, add_digest, &digest, NULL));
  return digest;
}

static uint64_t digest_of_store(struct store *s) {
  struct checkpoint_pin p;
  assert_ok(checkpoint_pin(s, INT64_MAX, &p, NULL));
  uint64_t digest = digest_of(&p);
  checkpoint_unpin(&p);
  return digest;
}

static void assert_is_the_copy(struct world *w, struct store *s) {
  struct error e = ERROR_INIT;
  struct store_applied a = store_applied(s), b = w->pin.identity.applied;
  assert_true(a.index == b.index && a.term == b.term && a.commit_time_ns == b.commit_time_ns);
  assert_memory_equal(store_uuid(s), w->pin.identity.uuid, 16);
  assert_true(digest_of_store(s) == digest_of(&w->pin));
  if (store_check(s, true, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void assert_copied(struct world *w) {
  struct error e = ERROR_INIT;
  struct store *s = NULL;
  if (open_copy(w, &s, &e) != ERR_OK) fail_msg("%s", e.message);
  assert_is_the_copy(w, s);
  store_close(s);
}

static void join_group(struct store *s) {
  struct log_group_state g;
  log_group_state(store_log(s), &g);
  g.member_id = 3;
  assert_ok(log_group_save(store_log(s), &g, NULL));
}

// An older store of the same database where the copy is to go: three entries, the last two in its log only.
static uint64_t make_old(struct world *w, bool is_members) {
  struct place old = {.options = w->options, .access = w->from.access};
  old.options.log.clustered = false;
  old.options.create = true;
  random_seeded_init(&w->random, 7);
  assert_ok(store_open("to", &old.options, &old.store, NULL));
  make_pages(&old);
  place_checkpoint(&old);
  for (uint64_t i = 0; i < 2; i++) {
    struct page_batch *b = place_begin(&old);
    write_page(b, 1 + i, 77);
    place_publish(&old, b);
  }
  uint64_t digest = digest_of_store(old.store);
  if (is_members) join_group(old.store);
  place_close(&old);
  return digest;
}

// ---- tests ----

TEST(an_empty_directory_gets_the_store_and_its_log_begins_behind_it) {
  struct world w;
  struct store *s = NULL;
  world_init(&w);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  assert_is_the_copy(&w, s);
  struct log_group_state g;
  log_group_state(store_log(s), &g);
  assert_false(g.installing);
  assert_int_equal(g.snapshot_index, w.pin.identity.applied.index);
  assert_int_equal(log_first_index(store_log(s)), w.pin.identity.applied.index + 1);
  assert_int_equal(log_last_index(store_log(s)), w.pin.identity.applied.index);
  struct log_entry next = {
      .index = w.pin.identity.applied.index + 1, .term = 1, .kind = LOG_NOOP, .parts = LOG_END, .commit_time_ns = 9000};
  bool worked = false;
  join_group(s);
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  assert_ok(log_writer_step(store_log(s), &worked, NULL));
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL));
  assert_int_equal(log_last_index(store_log(s)), next.index);
  store_close(s);
  world_done(&w);
}

static void write_next(struct store *s) {
  struct log_entry next = {
      .index = log_last_index(store_log(s)) + 1, .term = 1, .kind = LOG_NOOP, .parts = LOG_END, .commit_time_ns = 9000};
  bool worked = false;
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  log_commit_mark(store_log(s), next.index);
  assert_ok(log_writer_step(store_log(s), &worked, NULL));
}

TEST(a_replica_keeps_what_it_pulled_until_another_copy_comes_and_nobody_takes_it_for_a_servers_own) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  uint64_t copied = w.pin.identity.applied.index;
  log_group_state(store_log(s), &g);
  g.follows = true;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  write_next(s);
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL)); // and once more
  assert_int_equal(log_commit_index(store_log(s)), copied + 1);
  store_close(s);
  w.options.log.clustered = false;
  assert_int_equal(open_copy(&w, &s, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "belongs to a read replica"));
  w.options.log.clustered = true;
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  assert_true(g.follows && !g.installing);
  assert_int_equal(log_last_index(store_log(s)), copied);
  write_next(s);
  store_close(s);
  assert_ok(open_copy(&w, &s, NULL));
  store_close(s);
  world_done(&w);
}

TEST(a_store_on_its_own_goes_on_in_a_new_term_with_the_copy) {
  struct world w;
  struct store *s = NULL;
  world_init(&w);
  make_old(&w, false);
  assert_ok(copy_all(&w, NULL));
  w.options.log.clustered = false;
  assert_ok(open_copy(&w, &s, NULL));
  assert_is_the_copy(&w, s);
  struct log_entry next = {.kind = LOG_NOOP, .parts = LOG_END};
  assert_ok(log_append(store_log(s), &next, 1, NULL));
  assert_int_equal(next.index, w.pin.identity.applied.index + 1);
  assert_true(next.term > w.pin.identity.applied.term);
  assert_true(next.commit_time_ns >= w.pin.identity.applied.commit_time_ns);
  store_close(s);
  world_done(&w);
}

TEST(a_pinned_checkpoint_is_copied_as_it_was_while_pages_change_and_checkpoints_come) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  uint64_t digest = digest_of(&w.pin);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  for (uint64_t seed = 2000; store_copy_position(c) != CHECKPOINT_END; seed += 1000) {
    assert_ok(copy_piece(&w, c, NULL));
    write_all(&w.from, seed);
    place_checkpoint(&w.from);
  }
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_true(digest_of(&w.pin) == digest);
  assert_copied(&w);
  place_check(&w.from);
  world_done(&w);
}

TEST(pins_are_bounded_expire_and_can_be_renewed) {
  struct world w;
  struct checkpoint_pin pins[CHECKPOINT_PINS_MAX];
  uint64_t position = CHECKPOINT_FIRST;
  size_t bytes = 0;
  struct error e = ERROR_INIT;
  world_init(&w);
  checkpoint_unpin(&w.pin);
  for (size_t i = 0; i < CHECKPOINT_PINS_MAX; i++) assert_ok(checkpoint_pin(w.from.store, 100 + (int64_t) i, &pins[i], NULL));
  assert_int_equal(checkpoint_pin(w.from.store, 100, &w.pin, &e), ERR_LIMIT);
  w.from.clock.now_ns = 120;
  assert_ok(checkpoint_pin(w.from.store, 1000, &w.pin, NULL));
  assert_int_equal(checkpoint_pin_renew(&pins[0], 1000, &e), ERR_NOTFOUND);
  assert_ok(checkpoint_pin_renew(&pins[30], 1000, &e));
  w.from.clock.now_ns = 500;
  for (int i = 0; i < 3; i++) { // what only expired pins held is used again
    write_all(&w.from, 5000);
    place_checkpoint(&w.from);
  }
  assert_ok(checkpoint_read(&pins[30], &position, w.piece, &bytes, &e));
  checkpoint_unpin(&pins[30]);
  checkpoint_unpin(&w.pin);
  for (int i = 0; i < 3; i++) {
    write_all(&w.from, 6000);
    place_checkpoint(&w.from);
  }
  position = CHECKPOINT_FIRST;
  assert_int_equal(checkpoint_read(&pins[1], &position, w.piece, &bytes, &e), ERR_NOTFOUND);
  assert_int_equal(position, CHECKPOINT_FIRST);
  for (size_t i = 0; i < CHECKPOINT_PINS_MAX; i++) checkpoint_unpin(&pins[i]);
  world_done(&w);
}

TEST(a_damaged_piece_is_refused_wherever_it_is_damaged_and_taken_when_it_comes_again) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  while (store_copy_position(c) != CHECKPOINT_END) {
    uint64_t position = store_copy_position(c), next = position;
    size_t bytes = 0;
    assert_ok(checkpoint_read(&w.pin, &next, w.piece, &bytes, NULL));
    for (size_t at = 5; at < bytes; at += PAGE_BYTES + 17) {
      w.piece[at] ^= 0x10;
      assert_int_equal(store_copy_add(c, w.piece, bytes, NULL), ERR_CORRUPT);
      w.piece[at] ^= 0x10;
    }
    for (size_t less = PAGE_BYTES; less < bytes; less += PAGE_BYTES)
      assert_int_equal(store_copy_add(c, w.piece, bytes - less, NULL), ERR_CORRUPT);
    assert_int_equal(store_copy_add(c, w.piece, bytes + PAGE_BYTES, NULL), ERR_CORRUPT);
    assert_int_equal(store_copy_position(c), position);
    assert_ok(store_copy_add(c, w.piece, bytes, NULL));
  }
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_damaged_head_is_refused_and_a_copy_is_not_installed_before_it_is_whole) {
  struct world w;
  struct store_copy *c = NULL;
  struct error e = ERROR_INIT;
  world_init(&w);
  for (size_t at = 0; at < CHECKPOINT_HEAD_BYTES; at += 7) {
    w.head[at] ^= 1;
    assert_int_equal(store_copy_open(w.options.disk, "to", w.head, &c, &e), ERR_CORRUPT);
    w.head[at] ^= 1;
  }
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  assert_int_equal(store_copy_finish(c, &e), ERR_INVALID);
  store_copy_close(c);
  world_done(&w);
}

TEST(damage_on_the_disk_of_the_source_is_found_before_it_is_sent) {
  struct world w;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t size = sim_disk_file_size(w.from.disk, "db/store.pages"), position = CHECKPOINT_FIRST;
  for (uint64_t at = 2 * PAGE_BYTES; at < size; at += PAGE_BYTES) sim_disk_flip(w.from.disk, "db/store.pages", at + 3000, 4);
  size_t bytes = 0;
  assert_int_equal(checkpoint_read(&w.pin, &position, w.piece, &bytes, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "physical page"));
  world_done(&w);
}

TEST(a_copy_goes_on_where_it_was_and_begins_anew_for_another_checkpoint) {
  struct world w;
  struct store_copy *c = NULL;
  world_init(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  assert_ok(copy_piece(&w, c, NULL));
  uint64_t position = store_copy_position(c), pages = store_copy_pages(c);
  assert_int_equal(pages, PAGES + 1);
  store_copy_close(c);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_int_equal(store_copy_position(c), position);
  assert_int_equal(store_copy_pages(c), pages);
  store_copy_close(c);
  checkpoint_unpin(&w.pin);
  write_all(&w.from, 4000);
  place_checkpoint(&w.from);
  pin(&w);
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  assert_int_equal(store_copy_position(c), CHECKPOINT_FIRST);
  assert_ok(copy_rest(&w, c, NULL));
  store_copy_close(c);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_store_that_is_open_or_another_databases_is_not_replaced) {
  struct world w;
  struct store_copy *c = NULL;
  struct store *s = NULL;
  struct error e = ERROR_INIT;
  world_init(&w);
  random_seeded_init(&w.random, 8);
  w.options.create = true;
  assert_ok(store_open("to", &w.options, &s, NULL));
  assert_ok(store_copy_open(w.options.disk, "to", w.head, &c, NULL));
  while (store_copy_position(c) != CHECKPOINT_END) assert_ok(copy_piece(&w, c, NULL));
  assert_ok(store_copy_finish(c, NULL));
  assert_int_equal(store_copy_install(c, w.options.clock, &e), ERR_BUSY);
  store_close(s);
  assert_int_equal(store_copy_install(c, w.options.clock, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "another database"));
  store_copy_close(c);
  assert_ok(store_copy_discard(w.options.disk, "to", NULL));
  assert_ok(store_copy_discard(w.options.disk, "to", NULL));
  assert_ok(open_copy(&w, &s, NULL));
  store_close(s);
  world_done(&w);
}

TEST(a_members_log_stays_until_its_leader_says_where_it_begins_and_only_then_may_pages_be_ahead) {
  struct world w;
  struct store *s = NULL;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  world_init(&w);
  make_old(&w, true);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  assert_true(g.installing && g.member_id == 3);
  assert_is_the_copy(&w, s);
  assert_int_equal(log_last_index(store_log(s)), 3);
  assert_true(log_commit_index(store_log(s)) <= 3);
  g.installing = false;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_int_equal(open_copy(&w, &s, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "a part of the log is missing"));
  world_done(&w);
}

TEST(a_copy_of_a_newer_generation_brings_it_along) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  world_init(&w);
  make_old(&w, false);
  checkpoint_unpin(&w.pin);
  log_group_state(store_log(w.from.store), &g);
  g.generation = 5;
  assert_ok(log_group_save(store_log(w.from.store), &g, NULL));
  pin(&w);
  assert_int_equal(w.pin.identity.generation, 5);
  assert_ok(copy_all(&w, NULL));
  assert_ok(open_copy(&w, &s, NULL));
  assert_int_equal(log_generation(store_log(s)), 5);
  store_close(s);
  assert_copied(&w);
  world_done(&w);
}

TEST(a_copy_of_an_older_generation_is_refused) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t old = make_old(&w, true);
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  g.generation = 5;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_int_equal(copy_all(&w, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "generation"));
  assert_ok(open_copy(&w, &s, NULL));
  assert_true(digest_of_store(s) == old);
  store_close(s);
  world_done(&w);
}

// Meanwhile the member has caught up by its log and has forgotten what the copy would need.
TEST(a_copy_that_ends_before_the_log_begins_is_refused) {
  struct world w;
  struct store *s = NULL;
  struct log_group_state g;
  struct error e = ERROR_INIT;
  world_init(&w);
  uint64_t old = make_old(&w, true);
  assert_ok(open_copy(&w, &s, NULL));
  log_group_state(store_log(s), &g);
  g.snapshot_index = w.pin.identity.applied.index;
  g.snapshot_term = 1;
  assert_ok(log_group_save(store_log(s), &g, NULL));
  struct log_group_state further = g;
  further.snapshot_index++;
  assert_ok(log_group_save(store_log(s), &further, NULL));
  store_close(s);
  assert_int_equal(copy_all(&w, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "has forgotten"));
  assert_ok(open_copy(&w, &s, NULL));
  assert_true(digest_of_store(s) == old);
  assert_ok(log_group_save(store_log(s), &g, NULL));
  store_close(s);
  assert_ok(copy_all(&w, NULL));
  assert_copied(&w);
  world_done(&w);
}

// ---- crashes and faults ----

// What is there after something went wrong: the old store, the new one, or (there was none) nothing. Never anything else.
static void assert_old_or_new(struct world *w, uint64_t old_digest, int64_t n) {
  struct error e = ERROR_INIT;
  struct store *s = NULL;
  enum err err = open_copy(w, &s, &e);
  if (err == ERR_NOTFOUND && old_digest == 0) return;
  if (err != ERR_OK) fail_msg("%d: %s", (int) n, e.message);
  uint64_t digest = digest_of_store(s);
  if (digest != old_digest && digest != digest_of(&w->pin)) fail_msg("%d: neither the old store nor the new one", (int) n);
  if (digest == old_digest) assert_int_equal(log_last_index(store_log(s)), 3);
  store_close(s);
}

static void fresh_disk(struct world *w, uint64_t seed) {
  sim_disk_free(w->disk);
  w->disk = sim_disk_new(seed);
  w->options.disk = sim_disk_table(w->disk);
  w->is_lazy = seed % 2 == 0;
}

static void walk(uint64_t seed, bool has_old, enum sim_op op, bool is_cut) {
  struct world w;
  world_init(&w);
  for (int64_t n = 0, more = 1; more; n++) {
    fresh_disk(&w, seed);
    uint64_t old = has_old ? make_old(&w, true) : 0;
    if (is_cut)
      sim_disk_cut_after(w.disk, n);
    else
      sim_disk_fail(w.disk, op, n, ERR_IO);
    enum err err = copy_all(&w, NULL);
    more = is_cut ? sim_disk_is_off(w.disk) : sim_disk_failed(w.disk);
    assert_true(err == ERR_OK || more);
    if (is_cut && more) sim_disk_power_on(w.disk);
    if (is_cut) sim_disk_cut_after(w.disk, -1);
    sim_disk_fail(w.disk, op, -1, ERR_IO);
    assert_old_or_new(&w, old, n);
    struct error e = ERROR_INIT;
    if (copy_all(&w, &e) != ERR_OK) fail_msg("again after %d: %s", (int) n, e.message);
    sim_disk_cut(w.disk); // what has been installed stays
    sim_disk_power_on(w.disk);
    assert_copied(&w);
    if (n > 300) fail_msg("the walk does not end");
  }
  world_done(&w);
}

TEST(power_goes_at_each_change_of_the_disk_and_leaves_the_old_store_or_the_new_one) {
  for (uint64_t seed = 1; seed <= 6; seed++) walk(seed, true, SIM_OTHER, true);
}

TEST(power_goes_at_each_change_of_the_disk_where_there_was_no_store) {
  for (uint64_t seed = 1; seed <= 4; seed++) walk(seed, false, SIM_OTHER, true);
}

// Half a copy of one checkpoint, the beginning of another one's over it until the power goes, and then the first one again.
TEST(what_a_former_copy_left_is_not_taken_for_more_than_it_is) {
  struct world w;
  world_init(&w);
  uint8_t first[CHECKPOINT_HEAD_BYTES], second[CHECKPOINT_HEAD_BYTES];
  struct checkpoint_pin first_pin = w.pin, second_pin;
  memcpy(first, w.head, sizeof first);
  write_all(&w.from, 7000);
  place_checkpoint(&w.from);
  assert_ok(checkpoint_pin(w.from.store, INT64_MAX, &second_pin, NULL));
  checkpoint_head(&second_pin, second);
  for (int64_t n = 0; n < 60; n++) {
    struct store_copy *c = NULL;
    fresh_disk(&w, (uint64_t) (2 * n + 2));
    w.is_lazy = false;
    assert_ok(store_copy_open(w.options.disk, "to", first, &c, NULL));
    assert_ok(copy_piece(&w, c, NULL));
    store_copy_close(c);
    w.pin = second_pin;
    w.is_lazy = true;
    sim_disk_cut_after(w.disk, n % 12);
    if (store_copy_open(w.options.disk, "to", second, &c, NULL) == ERR_OK) {
      while (store_copy_position(c) != CHECKPOINT_END && copy_piece(&w, c, NULL) == ERR_OK) continue;
      store_copy_close(c);
    }
    sim_disk_cut(w.disk);
    sim_disk_power_on(w.disk);
    w.pin = first_pin;
    memcpy(w.head, first, sizeof first);
    assert_ok(copy_all(&w, NULL));
    assert_copied(&w);
  }
  checkpoint_unpin(&second_pin);
  world_done(&w);
}

// The first copy is in place and nobody has opened it yet when the power goes while the second one takes its place.
TEST(a_copy_over_one_that_nobody_has_opened_leaves_one_of_them) {
  struct world w;
  world_init(&w);
  struct checkpoint_pin first_pin = w.pin, second_pin;
  uint8_t first[CHECKPOINT_HEAD_BYTES];
  memcpy(first, w.head, sizeof first);
  write_all(&w.from, 7000);
  place_checkpoint(&w.from);
  pin(&w);
  second_pin = w.pin;
  for (int64_t n = 0, more = 1; more; n++) {
    struct store *s = NULL;
    struct error e = ERROR_INIT;
    fresh_disk(&w, (uint64_t) n + 1);
    w.pin = first_pin;
    memcpy(w.head, first, sizeof first);
    assert_ok(copy_all(&w, NULL));
    w.pin = second_pin;
    checkpoint_head(&w.pin, w.head);
    sim_disk_cut_after(w.disk, n);
    enum err err = copy_all(&w, NULL);
    more = sim_disk_is_off(w.disk);
    assert_true(err == ERR_OK || more);
    if (more) sim_disk_power_on(w.disk);
    sim_disk_cut_after(w.disk, -1);
    if (open_copy(&w, &s, &e) != ERR_OK) fail_msg("%d: %s", (int) n, e.message);
    uint64_t digest = digest_of_store(s);
    assert_true(digest == digest_of(&second_pin) || (more && digest == digest_of(&first_pin)));
    assert_int_equal(log_first_index(store_log(s)), store_applied_index(s) + 1);
    store_close(s);
  }
  checkpoint_unpin(&first_pin);
  world_done(&w);
}

TEST(each_write_sync_name_and_read_fails_and_the_copy_goes_on_later) {
  static const enum sim_op ops[] = {SIM_WRITE, SIM_SYNC, SIM_ALLOCATE, SIM_OTHER, SIM_READ};
  for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
    walk(1, true, ops[i], false);
    walk(2, false, ops[i], false);
  }
}

TEST(a_full_disk_is_told_before_anything_comes) {
  struct world w;
  struct store_copy *c = NULL;
  struct error e = ERROR_INIT;
  world_init(&w);
  sim_disk_set_room(w.disk, PAGES * PAGE_BYTES / 2);
  assert_int_equal(store_copy_open(w.options.disk, "to", w.head, &c, &e), ERR_NOSPC);
  sim_disk_set_room(w.disk, UINT64_MAX);
  assert_ok(copy_all(&w, NULL));
  assert_copied(&w);
  world_done(&w);
}

TEST(no_memory_is_an_error_at_every_step_of_a_copy) {
  struct world w;
  world_init(&w);
  make_old(&w, false);
  checkpoint_unpin(&w.pin);
  EACH_ALLOC_FAILS(n) {
    enum err err = checkpoint_pin(w.from.store, INT64_MAX, &w.pin, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (err == ERR_OK) checkpoint_unpin(&w.pin);
  }
  pin(&w);
  EACH_ALLOC_FAILS(n) {
    enum err err = copy_all(&w, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
  }
  assert_copied(&w);
  world_done(&w);
}

TESTS(T(an_empty_directory_gets_the_store_and_its_log_begins_behind_it),
      T(a_replica_keeps_what_it_pulled_until_another_copy_comes_and_nobody_takes_it_for_a_servers_own),
      T(a_store_on_its_own_goes_on_in_a_new_term_with_the_copy),
      T(a_pinned_checkpoint_is_copied_as_it_was_while_pages_change_and_checkpoints_come),
      T(pins_are_bounded_expire_and_can_be_renewed),
      T(a_damaged_piece_is_refused_wherever_it_is_damaged_and_taken_when_it_comes_again),
      T(a_damaged_head_is_refused_and_a_copy_is_not_installed_before_it_is_whole),
      T(damage_on_the_disk_of_the_source_is_found_before_it_is_sent),
      T(a_copy_goes_on_where_it_was_and_begins_anew_for_another_checkpoint),
      T(a_store_that_is_open_or_another_databases_is_not_replaced),
      T(a_members_log_stays_until_its_leader_says_where_it_begins_and_only_then_may_pages_be_ahead),
      T(a_copy_of_a_newer_generation_brings_it_along), T(a_copy_of_an_older_generation_is_refused),
      T(a_copy_that_ends_before_the_log_begins_is_refused),
      T(power_goes_at_each_change_of_the_disk_and_leaves_the_old_store_or_the_new_one),
      T(power_goes_at_each_change_of_the_disk_where_there_was_no_store),
      T(what_a_former_copy_left_is_not_taken_for_more_than_it_is), T(a_copy_over_one_that_nobody_has_opened_leaves_one_of_them),
      T(each_write_sync_name_and_read_fails_and_the_copy_goes_on_later), T(a_full_disk_is_told_before_anything_comes),
      T(no_memory_is_an_error_at_every_step_of_a_copy))
