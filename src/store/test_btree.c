#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "store/btree.h"
#include "store/test_place.h"

static struct bytes text(const char *z) {
  return (struct bytes){z, strlen(z)};
}

static void assert_has(struct place *p, struct page_view *v, page_id root, const char *key, const char *value) {
  struct bytes got;
  assert_ok(btree_get(v, root, text(key), &got, NULL));
  assert_int_equal(got.len, strlen(value));
  assert_memory_equal(got.ptr, value, got.len);
}

TEST(a_small_tree_finds_replaces_and_forgets) {
  struct place p;
  place_make(&p, 256, true);
  struct page_batch *b = place_begin(&p);
  struct page_view v = page_batch_view(b);
  page_id root = 0;
  bool there = true;
  struct bytes got;
  assert_ok(btree_create(b, &root, NULL));
  assert_int_equal(btree_get(&v, root, text("a"), &got, NULL), ERR_NOTFOUND);
  assert_ok(btree_put(b, root, text("b"), text("2"), &there, NULL));
  assert_false(there);
  assert_ok(btree_put(b, root, text("a"), text("1"), NULL, NULL));
  assert_ok(btree_put(b, root, text(""), text("empty"), NULL, NULL));
  assert_ok(btree_put(b, root, text("b"), text("longer"), &there, NULL));
  assert_true(there);
  assert_has(&p, &v, root, "b", "longer");
  assert_has(&p, &v, root, "", "empty");
  assert_ok(btree_delete(b, root, text("a"), &there, NULL));
  assert_true(there);
  assert_ok(btree_delete(b, root, text("a"), &there, NULL));
  assert_false(there);
  uint64_t count = 0;
  assert_ok(btree_count(&v, root, NULL, NULL, &count, NULL));
  assert_int_equal(count, 2);
  char large[BTREE_KEY_MAX + 1] = {0};
  assert_int_equal(btree_put(b, root, (struct bytes){large, sizeof large}, text(""), NULL, NULL), ERR_INVALID);
  place_publish(&p, b);
  place_check(&p);
  place_done(&p);
}

// The oracle: keys by number, present or not, each with the version of its value.
#define KEYS 3000u

static size_t key_of(unsigned i, char *to) {
  static const char *const prefixes[] = {"", "person:", "a/very/long/and/shared/prefix/of/many/keys/", "z"};
  size_t n = (size_t) snprintf(to, 64, "%s%u", prefixes[i % 4], i * 7919 % 10007);
  size_t pad = i % 97 == 0 ? 900 : i % 13;
  memset(to + n, 'k', pad);
  return n + pad;
}

static size_t value_of(unsigned i, unsigned version, char *to) {
  size_t n = (size_t) snprintf(to, 32, "%u.%u", i, version);
  size_t pad = (i + version) % 50 == 0 ? 200 : version % 9;
  memset(to + n, 'v', pad);
  return n + pad;
}

static void assert_model(struct page_view *v, page_id root, const unsigned *versions) {
  struct error e = ERROR_INIT;
  uint64_t keys = 0, expected = 0;
  enum err err = btree_check(v, root, &keys, NULL, &e);
  if (err != ERR_OK) print_message("%s\n", e.message);
  assert_ok(err);
  for (unsigned i = 0; i < KEYS; i++) {
    char key[1200], value[300];
    struct bytes got, k = {key, key_of(i, key)};
    enum err found = btree_get(v, root, k, &got, &e);
    assert_int_equal(found, versions[i] > 0 ? ERR_OK : ERR_NOTFOUND);
    if (versions[i] == 0) continue;
    expected++;
    assert_int_equal(got.len, value_of(i, versions[i], value));
    assert_memory_equal(got.ptr, value, got.len);
  }
  assert_int_equal(keys, expected);
}

TEST(thousands_of_random_changes_agree_with_a_list) {
  struct place p;
  struct rng rng;
  static unsigned versions[KEYS];
  memset(versions, 0, sizeof versions);
  rng_seed(&rng, 3);
  place_make(&p, 8192, false);
  struct page_batch *b = place_begin(&p);
  page_id root = 0;
  assert_ok(btree_create(b, &root, NULL));
  for (unsigned phase = 0; phase < 6; phase++) {
    unsigned growth = (unsigned[]){9, 5, 2, 8, 1, 0}[phase];
    for (unsigned n = 0; n < 4000; n++) {
      unsigned i = (unsigned) rng_below(&rng, KEYS);
      char key[1200], value[300];
      struct bytes k = {key, key_of(i, key)};
      bool there = false;
      if (rng_below(&rng, 10) < growth) {
        unsigned version = (unsigned) rng_below(&rng, 1000) + 1;
        assert_ok(btree_put(b, root, k, (struct bytes){value, value_of(i, version, value)}, &there, NULL));
        assert_int_equal(there, versions[i] > 0);
        versions[i] = version;
      } else {
        assert_ok(btree_delete(b, root, k, &there, NULL));
        assert_int_equal(there, versions[i] > 0);
        versions[i] = 0;
      }
      if (n % 50 == 0) {
        place_publish(&p, b);
        b = place_begin(&p);
      }
    }
    struct page_view v = page_batch_view(b);
    assert_model(&v, root, versions);
    place_publish(&p, b);
    place_checkpoint(&p);
    place_check(&p);
    b = place_begin(&p);
  }
  bool done = false;
  assert_ok(btree_destroy_step(b, root, 10, &done, NULL));
  struct page_view v = page_batch_view(b);
  if (!done) assert_ok(btree_check(&v, root, NULL, NULL, NULL));
  if (!done) assert_ok(btree_destroy(b, root, NULL));
  place_publish(&p, b);
  place_checkpoint(&p);
  place_check(&p);
  struct page_space_stats stats;
  page_space_stats(store_space(p.store), &stats);
  assert_int_equal(stats.pages_logical, 1); // the id page
  place_done(&p);
}

TEST(a_cursor_walks_both_ways_and_finds_its_place_again) {
  struct place p;
  place_make(&p, 2048, true);
  struct page_batch *b = place_begin(&p);
  page_id root = 0;
  char key[16];
  assert_ok(btree_create(b, &root, NULL));
  for (unsigned i = 0; i < 2000; i += 2) {
    snprintf(key, sizeof key, "%06u", i);
    assert_ok(btree_put(b, root, text(key), text("x"), NULL, NULL));
  }
  place_publish(&p, b);
  struct page_snapshot snap;
  assert_ok(page_snapshot_open(store_space(p.store), &snap, NULL));
  struct page_view v = page_view_of(&snap, p.access);
  struct btree_cursor c;
  struct bytes at;
  unsigned seen = 0;
  btree_cursor_init(&c, root);
  page_access_enter(p.access);
  for (assert_ok(btree_cursor_first(&v, &c, NULL)); c.valid; seen++) {
    assert_ok(btree_cursor_get(&v, &c, &at, NULL, NULL));
    snprintf(key, sizeof key, "%06u", seen * 2);
    assert_memory_equal(at.ptr, key, 6);
    assert_ok(btree_cursor_save(&v, &c, NULL));
    page_access_leave(p.access);
    page_access_enter(p.access);
    bool moved = true;
    assert_ok(btree_cursor_restore(&v, &c, &moved, NULL));
    assert_false(moved);
    assert_ok(btree_cursor_next(&v, &c, NULL));
  }
  assert_int_equal(seen, 1000);
  for (assert_ok(btree_cursor_last(&v, &c, NULL)); c.valid; seen--) assert_ok(btree_cursor_previous(&v, &c, NULL));
  assert_int_equal(seen, 0);
  const struct {
    const char *key;
    enum btree_seek how;
    const char *found;
  } seeks[] = {{"000100", BTREE_SEEK_GE, "000100"}, {"000101", BTREE_SEEK_GE, "000102"}, {"000100", BTREE_SEEK_GT, "000102"},
               {"000100", BTREE_SEEK_LE, "000100"}, {"000101", BTREE_SEEK_LE, "000100"}, {"000100", BTREE_SEEK_LT, "000098"},
               {"999999", BTREE_SEEK_GE, NULL},     {"", BTREE_SEEK_LT, NULL},           {"999999", BTREE_SEEK_LE, "001998"}};
  for (size_t i = 0; i < ARRAY_SIZE(seeks); i++) {
    assert_ok(btree_cursor_seek(&v, &c, text(seeks[i].key), seeks[i].how, NULL));
    assert_int_equal(c.valid, seeks[i].found != NULL);
    if (!c.valid) continue;
    assert_ok(btree_cursor_get(&v, &c, &at, NULL, NULL));
    assert_memory_equal(at.ptr, seeks[i].found, 6);
  }
  struct bytes from = text("000100"), to = text("000200");
  uint64_t count = 0;
  assert_ok(btree_count(&v, root, &from, &to, &count, NULL));
  assert_int_equal(count, 50);
  assert_ok(btree_estimate(&v, root, &from, &to, &count, NULL));
  assert_in_range(count, 25, 100);
  page_access_leave(p.access);
  page_snapshot_close(&snap);
  place_done(&p);
}

TEST(a_tree_filled_from_sorted_keys_is_full_and_sound) {
  struct place p;
  place_make(&p, 4096, false);
  struct page_batch *b = place_begin(&p);
  page_id root = 0;
  char key[16];
  uint64_t keys = 0, pages = 0;
  struct btree_build w;
  assert_ok(btree_create(b, &root, NULL));
  assert_ok(btree_build_begin(&w, b, root, 90, NULL));
  for (unsigned i = 0; i < 50000; i++) {
    snprintf(key, sizeof key, "%08u", i);
    assert_ok(btree_build_add(&w, text(key), text("12345678"), NULL));
    if (i % 1000 == 0) assert_ok(page_batch_rest(b, NULL));
  }
  assert_int_equal(btree_build_add(&w, text("00000001"), text(""), NULL), ERR_INVALID);
  assert_ok(btree_build_end(&w, NULL));
  struct page_view v = page_batch_view(b);
  assert_ok(btree_check(&v, root, &keys, &pages, NULL));
  assert_int_equal(keys, 50000);
  assert_in_range(pages, 50000 * 26 / 4080, 50000 * 26 / 3500);
  assert_has(&p, &v, root, "00031415", "12345678");
  assert_int_equal(btree_build_begin(&w, b, root, 90, NULL), ERR_INVALID);
  place_publish(&p, b);
  place_check(&p);
  place_done(&p);
}

TEST(an_older_snapshot_sees_the_older_tree) {
  struct place p;
  place_make(&p, 512, false);
  struct page_batch *b = place_begin(&p);
  page_id root = 0;
  assert_ok(btree_create(b, &root, NULL));
  assert_ok(btree_put(b, root, text("k"), text("old"), NULL, NULL));
  place_publish(&p, b);
  struct page_snapshot snap;
  assert_ok(page_snapshot_open(store_space(p.store), &snap, NULL));
  for (int i = 0; i < 100; i++) {
    b = place_begin(&p);
    assert_ok(btree_put(b, root, text("k"), text("new"), NULL, NULL));
    place_publish(&p, b);
  }
  page_access_enter(p.access);
  struct page_view v = page_view_of(&snap, p.access);
  assert_has(&p, &v, root, "k", "old");
  page_access_leave(p.access);
  struct page_space_stats stats;
  page_space_stats(store_space(p.store), &stats);
  assert_in_range(stats.versions, 2, 4); // one more for each page that changed, whatever the number of commits
  place_check(&p);
  page_snapshot_close(&snap);
  assert_false(pages_prune_step(store_space(p.store), 100));
  page_space_stats(store_space(p.store), &stats);
  assert_int_equal(stats.versions, 0);
  place_done(&p);
}

TEST(any_damaged_node_is_an_error_and_never_a_crash) {
  struct place p;
  struct rng rng;
  rng_seed(&rng, 9);
  place_make(&p, 4096, false);
  struct page_batch *b = place_begin(&p);
  page_id root = 0;
  char key[1200];
  assert_ok(btree_create(b, &root, NULL));
  for (unsigned i = 0; i < 300; i++) assert_ok(btree_put(b, root, (struct bytes){key, key_of(i, key)}, text("v"), NULL, NULL));
  place_publish(&p, b);
  for (int round = 0; round < 3000; round++) {
    b = place_begin(&p);
    void *page = NULL;
    assert_ok(page_batch_write(b, root + rng_below(&rng, 6), &page, NULL));
    for (int i = 0; i < 3; i++) ((uint8_t *) page)[rng_chance(&rng, 1, 2) ? rng_below(&rng, 100) : rng_below(&rng, PAGE_BYTES)] ^= (uint8_t) rng_next(&rng);
    struct page_view v = page_batch_view(b);
    struct btree_cursor c;
    struct bytes got;
    btree_cursor_init(&c, root);
    enum err err = btree_cursor_first(&v, &c, NULL);
    for (int n = 0; err == ERR_OK && c.valid && n < 400; n++) {
      err = btree_cursor_get(&v, &c, &got, NULL, NULL);
      if (err == ERR_OK) err = btree_cursor_next(&v, &c, NULL);
    }
    unsigned i = (unsigned) rng_below(&rng, 300);
    struct bytes k = {key, key_of(i, key)};
    err = btree_get(&v, root, k, &got, NULL);
    err = btree_check(&v, root, NULL, NULL, NULL);
    err = btree_delete(b, root, k, NULL, NULL);
    err = btree_put(b, root, k, text("w"), NULL, NULL);
    page_batch_abort(b);
  }
  place_check(&p);
  place_done(&p);
}

TESTS(T(a_small_tree_finds_replaces_and_forgets), T(thousands_of_random_changes_agree_with_a_list), T(a_cursor_walks_both_ways_and_finds_its_place_again),
      T(a_tree_filled_from_sorted_keys_is_full_and_sound), T(an_older_snapshot_sees_the_older_tree), T(any_damaged_node_is_an_error_and_never_a_crash))
