#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/doubling.h"
#include "base/error.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/test.h"
#include "base/uuid.h"

TEST(errors_carry_code_text_and_class) {
  struct error e = ERROR_INIT;
  assert_int_equal(error_set(&e, ERR_SYNTAX, "Invalid input '%s'", "X"), ERR_SYNTAX);
  assert_string_equal(e.message, "Invalid input 'X'");
  assert_string_equal(err_neo4j_code(ERR_SYNTAX), "Neo.ClientError.Statement.SyntaxError");
  assert_string_equal(err_gql_status(ERR_SYNTAX), "42001");
  assert_string_equal(err_classification(ERR_DEADLOCK), "TRANSIENT_ERROR");
  assert_string_equal(err_neo4j_code(ERR_SHORT), "Neo.DatabaseError.General.UnknownError");
  assert_int_equal(error_prefix(&e, "line %d", 3), ERR_SYNTAX);
  assert_string_equal(e.message, "line 3: Invalid input 'X'");
  assert_int_equal(error_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

TEST(a_long_error_is_cut_between_characters) {
  struct error e = ERROR_INIT;
  char text[4000];
  for (size_t i = 0; i + 1 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa9", 2);
  text[sizeof text - 2] = '\0';
  error_set(&e, ERR_TYPE, "%s", text);
  struct str cut = str_of(e.message);
  assert_true(cut.len < sizeof e.message);
  assert_true(str_is_utf8(cut));
  assert_true(str_ends(cut, STR("...")));
}

TEST(every_status_that_a_client_sees_has_four_parts) {
  for (enum err c = ERR_OK + 1; c < ERR_MAX; c++) {
    struct str rest = str_of(err_neo4j_code(c));
    int parts = 0;
    while (rest.ptr != NULL) str_cut(&rest, '.'), parts++;
    assert_int_equal(parts, 4);
    assert_int_equal(strlen(err_gql_status(c)), 5);
  }
}

TEST(a_budget_refuses_what_is_over_its_own_or_its_parents_limit) {
  struct mem_budget server, query;
  mem_budget_init(&server, NULL, 100, ERR_MEMORY_POOL, "server.limit");
  mem_budget_init(&query, &server, 60, ERR_TX_MEMORY, "query.limit");
  struct error e = ERROR_INIT;
  assert_ok(mem_budget_charge(&query, 50, &e));
  assert_int_equal(mem_budget_charge(&query, 20, &e), ERR_TX_MEMORY);
  assert_non_null(strstr(e.message, "query.limit"));
  assert_ok(mem_budget_charge(&server, 45, &e));
  assert_int_equal(mem_budget_charge(&query, 8, &e), ERR_MEMORY_POOL);
  assert_int_equal(query.used_bytes, 50);
  assert_int_equal(server.used_bytes, 95);
  mem_budget_release(&query, 50);
  assert_int_equal(server.used_bytes, 45);
  assert_true(query.peak_bytes >= 50);
}

static int cleanups;
static void count_cleanup(void *p) {
  cleanups += *(int *) p;
}

TEST(an_arena_gives_back_all_that_it_took) {
  struct mem_budget b;
  mem_budget_init(&b, NULL, 0, ERR_TX_MEMORY, NULL);
  struct arena a;
  arena_init(&a, &b);
  int one = 1;
  assert_ok(arena_on_done(&a, count_cleanup, &one));
  for (size_t i = 0; i < 1000; i++) {
    char *p = arena_alloc(&a, i * 7 % 300);
    assert_non_null(p);
    assert_int_equal((uintptr_t) p % 8, 0);
    memset(p, 0xAB, i * 7 % 300);
  }
  struct str s = arena_printf(&a, "%d-%s", 12, "x");
  assert_str(s, "12-x");
  assert_non_null(arena_alloc(&a, 3 << 20));
  arena_reset(&a);
  assert_int_equal(cleanups, 1);
  assert_true(b.used_bytes <= (64 << 10) + 64);
  arena_done(&a);
  assert_int_equal(b.used_bytes, 0);
}

TEST(an_arena_says_why_it_failed) {
  struct mem_budget b;
  mem_budget_init(&b, NULL, 10000, ERR_TX_MEMORY, "db.memory.transaction.max");
  struct arena a;
  arena_init(&a, &b);
  assert_null(arena_alloc(&a, 20000));
  struct error e = ERROR_INIT;
  assert_int_equal(arena_err(&a, &e), ERR_TX_MEMORY);
  assert_non_null(strstr(e.message, "db.memory.transaction.max"));
  assert_null(arena_array(&a, SIZE_MAX / 2, 16));
  assert_int_equal(arena_err(&a, &e), ERR_NOMEM);
  arena_done(&a);
}

TEST(an_arena_rewinds_to_a_mark) {
  struct arena a;
  arena_init(&a, NULL);
  char *first = arena_alloc(&a, 100);
  struct arena_mark m = arena_mark(&a);
  for (int i = 0; i < 100; i++) assert_non_null(arena_alloc(&a, 1000));
  arena_rewind(&a, m);
  assert_ptr_equal(arena_alloc(&a, 8), first + 104);
  char *p = arena_copy(&a, "abcdefgh", 8);
  assert_ptr_equal(arena_grow(&a, p, 8, 64), p);
  arena_done(&a);
}

TEST(an_arena_begins_with_memory_that_it_was_lent_and_never_frees_it) {
  struct mem_budget b;
  mem_budget_init(&b, NULL, 0, ERR_TX_MEMORY, NULL);
  _Alignas(16) char memory[512];
  struct arena a;
  arena_init_with(&a, &b, memory, sizeof memory);
  for (int round = 0; round < 3; round++) {
    char *first = arena_alloc(&a, 100);
    struct arena_mark m = arena_mark(&a);
    if (round != 1) assert_in_range((uintptr_t) first, (uintptr_t) memory, (uintptr_t) memory + sizeof memory - 100);
    assert_int_equal(b.used_bytes > 0, round == 1); // where the larger chunk of the round before was kept
    assert_non_null(arena_alloc(&a, 10000));
    assert_true(b.used_bytes >= 10000);
    arena_rewind(&a, m);
    assert_int_equal(arena_bytes(&a), b.used_bytes);
    assert_non_null(arena_alloc(&a, 10000));
    if (round == 0) arena_reset(&a);
    if (round == 1) arena_done(&a);
  }
  arena_done(&a);
  assert_int_equal(b.used_bytes, 0);
  assert_int_equal(arena_bytes(&a), 0);
}

TEST(removed_keys_do_not_fill_a_map) {
  struct map m = MAP_INIT;
  for (uint64_t i = 0; i < 10000; i++) {
    assert_ok(map_put(&m, i, i));
    assert_ok(map_put(&m, i + 1000000, i));
    assert_true(map_remove(&m, i));
    assert_true(map_remove(&m, i + 1000000));
  }
  assert_int_equal(m.len, 0);
  assert_int_equal(m.filled, 0);
  assert_int_equal(m.capacity, 16);
  map_done(&m);
}

TEST(text_is_cut_trimmed_and_parsed) {
  struct str rest = STR("a,b,,c");
  assert_str(str_cut(&rest, ','), "a");
  assert_str(str_cut(&rest, ','), "b");
  assert_str(str_cut(&rest, ','), "");
  assert_str(str_cut(&rest, ','), "c");
  assert_null(rest.ptr);
  assert_str(str_trim(STR(" \t x y \n")), "x y");
  int64_t n;
  assert_true(str_to_i64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
  assert_false(str_to_i64(STR("9223372036854775808"), &n));
  assert_false(str_to_i64(STR(""), &n));
  assert_false(str_to_i64(STR("1x"), &n));
  assert_int_equal(str_find(STR("hello"), STR("llo")), 2);
  assert_int_equal(str_find(STR("hello"), STR("x")), -1);
  assert_true(str_cmp(STR("a"), STR("ab")) < 0);
}

TEST(utf8_is_checked_as_rfc_3629_says) {
  assert_true(str_is_utf8(STR("plain text, longer than eight bytes, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
  assert_false(str_is_utf8(STR("\xc0\x80")));
  assert_false(str_is_utf8(STR("\xed\xa0\x80")));
  assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
  assert_false(str_is_utf8(STR("abc\xe2\x82")));
  for (uint32_t cp = 1; cp <= 0x10FFFF; cp += 97) {
    if (cp >= 0xD800 && cp < 0xE000) continue;
    char out[4];
    struct str s = {out, str_put_code_point(out, cp)};
    assert_true(str_is_utf8(s));
    size_t at = 0;
    assert_int_equal(str_next_code_point(s, &at), cp);
    assert_int_equal(at, s.len);
  }
}

TEST(maps_agree_with_a_plain_array) {
  struct rng r;
  rng_seed(&r, 7);
  struct map m = MAP_INIT;
  uint64_t model[512] = {0};
  for (int i = 0; i < 20000; i++) {
    uint64_t k = rng_below(&r, 512);
    if (rng_chance(&r, 1, 3)) {
      assert_int_equal(map_remove(&m, k), model[k] != 0);
      model[k] = 0;
    } else {
      model[k] = rng_next(&r) | 1;
      assert_ok(map_put(&m, k, model[k]));
    }
  }
  size_t live = 0;
  for (uint64_t k = 0; k < 512; k++) {
    uint64_t *v = map_get(&m, k);
    assert_int_equal(v != NULL ? *v : 0, model[k]);
    live += v != NULL;
  }
  assert_int_equal(m.len, live);
  map_done(&m);
}

TEST(string_maps_agree_with_a_plain_array) {
  struct rng r;
  rng_seed(&r, 8);
  struct strmap m = STRMAP_INIT;
  char keys[200][8];
  uint64_t model[200] = {0};
  for (int i = 0; i < 200; i++) snprintf(keys[i], 8, "k%d", i);
  for (int i = 0; i < 20000; i++) {
    size_t k = rng_below(&r, 200);
    if (rng_chance(&r, 1, 2)) {
      assert_int_equal(strmap_remove(&m, str_of(keys[k])), model[k] != 0);
      model[k] = 0;
    } else {
      model[k] = i + 1;
      assert_ok(strmap_put(&m, str_of(keys[k]), model[k]));
    }
  }
  for (int k = 0; k < 200; k++) {
    uint64_t *v = strmap_get(&m, str_of(keys[k]));
    assert_int_equal(v != NULL ? *v : 0, model[k]);
  }
  strmap_done(&m);
}

TEST(every_failed_allocation_leaves_the_map_whole) {
  EACH_ALLOC_FAILS(n) {
    struct map m = MAP_INIT;
    uint64_t in = 0;
    for (uint64_t k = 0; k < 100; k++) in += map_put(&m, k, k * 3) == ERR_OK;
    assert_int_equal(m.len, in);
    map_done(&m);
  }
}

TEST(buffers_grow_and_consume) {
  struct buf b = BUF_INIT;
  for (int i = 0; i < 300; i++) assert_ok(buf_printf(&b, "%03d", i));
  assert_int_equal(b.len, 900);
  buf_consume(&b, 897);
  assert_str(buf_str(&b), "299");
  buf_done(&b);
}

TEST(bytes_and_hashes_are_fixed_for_ever) {
  uint8_t p[8];
  put_u32_be(p, 0x01020304);
  assert_int_equal(p[0], 1);
  assert_int_equal(get_u32_be(p), 0x01020304);
  put_u16_le(p, 0x0102);
  assert_int_equal(p[0], 2);
  // Written to disk: must never change.
  assert_true(hash64("quiver", 6, 0) == hash64("quiver", 6, 0));
  assert_true(hash64("quiver", 6, 0) != hash64("quiver", 6, 1));
  uint8_t bytes[5000];
  uint64_t all = 0;
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t) (i * 7 + i / 251);
  for (size_t n = 0; n <= sizeof bytes; n++) all = hash64(bytes, n, all);
  assert_true(all == UINT64_C(0x719F24F6C6CC6565)); // whatever the processor has for it
}

TEST(uuids_are_of_version_4_and_compare_as_numbers) {
  struct uuid ones, a = {{0}}, b = {{0}};
  memset(ones.bytes, 0xFF, sizeof ones.bytes);
  assert_string_equal(uuid_text(uuid_of_random(ones)).z, "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert_string_equal(uuid_short(uuid_of_random(a)).z, "00000000");
  struct uuid back = {{0}};
  assert_true(uuid_parse(str_of(uuid_text(uuid_of_random(ones)).z), &back));
  assert_true(uuid_eq(back, uuid_of_random(ones)));
  const char *const none[] = {"", "ffffffff-ffff-4fff-bfff-fffffffffff", "ffffffff-ffff-4fff-bfff-ffffffffffff0",
                              "ffffffff_ffff-4fff-bfff-ffffffffffff", "gfffffff-ffff-4fff-bfff-ffffffffffff"};
  for (size_t i = 0; i < ARRAY_SIZE(none); i++) assert_false(uuid_parse(str_of(none[i]), &back));
  a.bytes[0] = 1;
  b.bytes[15] = 255;
  assert_true(uuid_cmp(a, b) > 0);
  assert_false(uuid_eq(a, b));
  assert_true(uuid_is_none((struct uuid){{0}}));
}

TEST(chunks_that_double_have_each_entry_once) {
  unsigned chunk = 0;
  uint64_t within = 0;
  for (uint64_t entry = 0; entry < 5000; entry++, within++) {
    if (within == doubling_size(chunk, 64)) {
      chunk++;
      within = 0;
    }
    assert_int_equal(doubling_chunk(entry, 64), chunk);
    assert_int_equal(entry - doubling_begin(chunk, 64), within);
  }
}

TESTS(T(chunks_that_double_have_each_entry_once), T(uuids_are_of_version_4_and_compare_as_numbers),
      T(errors_carry_code_text_and_class), T(a_long_error_is_cut_between_characters),
      T(every_status_that_a_client_sees_has_four_parts), T(a_budget_refuses_what_is_over_its_own_or_its_parents_limit),
      T(an_arena_gives_back_all_that_it_took), T(an_arena_says_why_it_failed), T(an_arena_rewinds_to_a_mark),
      T(an_arena_begins_with_memory_that_it_was_lent_and_never_frees_it), T(removed_keys_do_not_fill_a_map),
      T(text_is_cut_trimmed_and_parsed), T(utf8_is_checked_as_rfc_3629_says), T(maps_agree_with_a_plain_array),
      T(string_maps_agree_with_a_plain_array), T(every_failed_allocation_leaves_the_map_whole), T(buffers_grow_and_consume),
      T(bytes_and_hashes_are_fixed_for_ever))
