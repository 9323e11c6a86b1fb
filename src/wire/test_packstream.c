#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/test.h"
#include "value/check.h"
#include "value/compare.h"
#include "value/temporal.h"
#include "wire/packstream.h"

static const struct packstream_profile bolt1 = {0}, bolt3 = {.has_temporal = true},
                                       bolt5 = {.has_temporal = true, .utc_datetimes = true, .has_element_ids = true},
                                       bolt6 = {.has_temporal = true,
                                                .utc_datetimes = true,
                                                .has_element_ids = true,
                                                .has_vectors = true,
                                                .has_uuids = true};

/// "c9 10 E1" to bytes.
static size_t unhex(const char *hex, uint8_t *out) {
  size_t len = 0;
  for (const char *p = hex; *p != '\0';) {
    char *end;
    out[len++] = (uint8_t) strtoul(p, &end, 16);
    p = *end == ' ' ? end + 1 : end;
  }
  return len;
}

static enum err decode(struct arena *a, const struct packstream_profile *profile, const void *bytes, size_t len,
                       struct value *ret) {
  struct packstream_reader r;
  packstream_reader_init(&r, *profile, (struct packstream_limits){0}, bytes, len, a);
  struct value v;
  TRY(packstream_read_value(&r, &v, NULL));
  TRY(packstream_read_end(&r, NULL));
  *ret = v;
  return ERR_OK;
}

static bool same_bits(double a, double b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

/// The bytes decode to the value, the value encodes to the bytes, and every cut piece is refused.
static void is_coded_as(const struct packstream_profile *profile, struct value v, const char *hex) {
  uint8_t bytes[512];
  size_t len = unhex(hex, bytes);
  struct arena a;
  arena_init(&a, NULL);
  struct value decoded;
  assert_ok(decode(&a, profile, bytes, len, &decoded));
  assert_int_equal(decoded.type, v.type);
  assert_int_equal(value_order(decoded, v), 0);
  if (v.type == VALUE_FLOAT) assert_true(same_bits(v.f, decoded.f));
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_ok(packstream_write_value(&out, profile, v, NULL));
  assert_int_equal(out.len, len);
  assert_memory_equal(out.data, bytes, len);
  for (size_t cut = 0; cut < len; cut++) {
    uint8_t *piece = test_malloc(cut + 1); // its own allocation: reading past it is seen
    memcpy(piece, bytes, cut);
    assert_int_equal(decode(&a, profile, piece, cut, &decoded), ERR_PROTOCOL);
    test_free(piece);
  }
  arena_done(&a);
}

static void is_refused(const struct packstream_profile *profile, enum err expected, const char *hex) {
  uint8_t bytes[512];
  size_t len = unhex(hex, bytes);
  struct arena a;
  arena_init(&a, NULL);
  struct value v = v_int(77);
  assert_int_equal(decode(&a, profile, bytes, len, &v), expected);
  assert_int_equal(v.i, 77);
  arena_done(&a);
}

TEST(scalars_take_their_shortest_form) {
  is_coded_as(&bolt1, V_NULL, "c0");
  is_coded_as(&bolt1, v_bool(false), "c2");
  is_coded_as(&bolt1, v_bool(true), "c3");
  is_coded_as(&bolt1, v_int(127), "7f");
  is_coded_as(&bolt1, v_int(-16), "f0");
  is_coded_as(&bolt1, v_int(-1), "ff");
  is_coded_as(&bolt1, v_int(-17), "c8 ef");
  is_coded_as(&bolt1, v_int(-128), "c8 80");
  is_coded_as(&bolt1, v_int(128), "c9 00 80");
  is_coded_as(&bolt1, v_int(-129), "c9 ff 7f");
  is_coded_as(&bolt1, v_int(32767), "c9 7f ff");
  is_coded_as(&bolt1, v_int(32768), "ca 00 00 80 00");
  is_coded_as(&bolt1, v_int(INT32_MIN), "ca 80 00 00 00");
  is_coded_as(&bolt1, v_int(2147483648), "cb 00 00 00 00 80 00 00 00");
  is_coded_as(&bolt1, v_int(INT64_MIN), "cb 80 00 00 00 00 00 00 00");
  is_coded_as(&bolt1, v_float(1.5), "c1 3f f8 00 00 00 00 00 00");
  is_coded_as(&bolt1, v_float(-0.0), "c1 80 00 00 00 00 00 00 00");
  is_coded_as(&bolt1, v_float(INFINITY), "c1 7f f0 00 00 00 00 00 00");
  is_coded_as(&bolt1, v_float(NAN), "c1 7f f8 00 00 00 00 00 00");
}

TEST(sized_values_take_their_shortest_form) {
  is_coded_as(&bolt1, v_str(STR("")), "80");
  is_coded_as(&bolt1, v_str(STR("\xc3\xa9")), "82 c3 a9");
  is_coded_as(&bolt1, v_str(STR("0123456789abcdef")), "d0 10 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66");
  is_coded_as(&bolt1, v_bytes("\x01\x02\xff", 3), "cc 03 01 02 ff");
  is_coded_as(&bolt1, v_bytes("", 0), "cc 00");
  is_coded_as(&bolt1, v_list(NULL, 0), "90");
  is_coded_as(&bolt1, v_list((struct value[]){v_float(1), V_NULL, v_bool(true)}, 3), "93 c1 3f f0 00 00 00 00 00 00 c0 c3");
  is_coded_as(&bolt1, v_map(NULL, 0), "a0");
  is_coded_as(&bolt1, v_map((struct value_entry[]){{STR("a"), v_int(1)}, {STR("b"), V_NULL}}, 2), "a2 81 61 01 81 62 c0");
}

TEST(every_width_is_read) {
  struct arena a;
  arena_init(&a, NULL);
  static const char *const ones[] = {"01", "c8 01", "c9 00 01", "ca 00 00 00 01", "cb 00 00 00 00 00 00 00 01"};
  static const char *const lists[] = {"91 01", "d4 01 01", "d5 00 01 01", "d6 00 00 00 01 01"};
  static const char *const texts[] = {"81 41", "d0 01 41", "d1 00 01 41", "d2 00 00 00 01 41"};
  static const char *const maps[] = {"a1 81 41 01", "d8 01 81 41 01", "d9 00 01 81 41 01", "da 00 00 00 01 81 41 01"};
  static const char *const bytes[] = {"cc 01 41", "cd 00 01 41", "ce 00 00 00 01 41"};
  struct value v;
  uint8_t raw[64];
#define READ(hex) assert_ok(decode(&a, &bolt1, raw, unhex(hex, raw), &v))
  for (size_t i = 0; i < ARRAY_SIZE(ones); i++) {
    READ(ones[i]);
    assert_int_equal(v.i, 1);
  }
  for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
    READ(lists[i]);
    assert_int_equal(v.items[0].i, 1);
  }
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    READ(texts[i]);
    assert_str(v_text(v), "A");
  }
  for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
    READ(maps[i]);
    assert_int_equal(value_map_get(v, STR("A"))->i, 1);
  }
  for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
    READ(bytes[i]);
    assert_int_equal(v.bytes[0], 0x41);
  }
  arena_done(&a);
}

TEST(long_values_go_round) {
  static char text[70000];
  memset(text, 'x', sizeof text);
  static const uint32_t sizes[] = {15, 16, 255, 256, 65535, 65536};
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    struct arena a;
    arena_init(&a, NULL);
    struct value items[2] = {v_str((struct str){text, sizes[i]}), v_bytes(text, sizes[i])}, back;
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    assert_ok(packstream_write_value(&out, &bolt1, v_list(items, 2), NULL));
    assert_ok(decode(&a, &bolt1, out.data, out.len, &back));
    assert_true(value_equivalent(back, v_list(items, 2)));
    arena_done(&a);
  }
}

TEST(what_is_malformed_is_a_protocol_error) {
  static const char *const rows[] = {
      "",
      "c4",
      "c7",
      "df",
      "d7",
      "e1",
      "ef",
      "dc 01 44 00",
      "e0 12 3e 45 67 e8 9b 12 d3 a4 56 42 66 14 17 40 00", // markers of no version here
      "01 01",                                              // something behind the value
      "81 ff",
      "82 c0 80",
      "83 ed a0 80", // not UTF-8
      "a1 01 01",
      "a1 c0 01",             // keys that are no strings
      "a2 81 61 01 81 61 02", // a key twice
      "d6 7f ff ff ff 01",
      "da 7f ff ff ff",
      "d2 7f ff ff ff",
      "ce 7f ff ff ff", // announced, not there
      "d6 ff ff ff ff",
      "d2 80 00 00 00",          // more than 2^31 - 1
      "95 d5 00 04 01 01 01 01", // what an outer list waits for is not there either
      "b1 44 81 41",
      "b2 44 01 01",
      "b0 44",
      "b1 78 01",
      "b1 10 01", // structures with wrong fields, unknown structures
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) is_refused(&bolt5, ERR_PROTOCOL, rows[i]);
}

TEST(nested_announcements_cost_no_memory) {
  // 500 lists, each claiming all bytes that are left: quadratic memory if each claim were believed.
  enum { LEVELS = 500, LEN = 200000 };
  static uint8_t bytes[LEN];
  for (int i = 0; i < LEVELS; i++) {
    bytes[i * 5] = 0xD6;
    uint32_t claim = LEN - (uint32_t) i * 5 - 5;
    for (int b = 0; b < 4; b++) bytes[i * 5 + 1 + b] = (uint8_t) (claim >> (24 - 8 * b));
  }
  struct mem_budget budget;
  mem_budget_init(&budget, NULL, 0, ERR_TX_MEMORY, NULL);
  struct arena a;
  arena_init(&a, &budget);
  struct value v;
  assert_int_equal(decode(&a, &bolt5, bytes, LEN, &v), ERR_PROTOCOL);
  assert_true(budget.peak_bytes < 32 * LEN);
  arena_done(&a);
}

TEST(depth_and_number_of_values_are_limited) {
  static uint8_t bytes[PACKSTREAM_DEPTH_MAX + 2];
  memset(bytes, 0x91, sizeof bytes);
  bytes[sizeof bytes - 1] = 0x01;
  struct arena a;
  arena_init(&a, NULL);
  struct value v;
  assert_int_equal(decode(&a, &bolt5, bytes, sizeof bytes, &v), ERR_PROTOCOL);
  assert_ok(decode(&a, &bolt5, bytes + 1, sizeof bytes - 1, &v));
  struct packstream_reader r;
  struct packstream_limits login = {.depth_max = 2, .elements_max = 3};
  packstream_reader_init(&r, bolt5, login, "\x93\x01\x01\x01", 4, &a);
  assert_int_equal(packstream_read_value(&r, &v, NULL), ERR_PROTOCOL);
  packstream_reader_init(&r, bolt5, login, "\x91\x91\x01", 3, &a);
  assert_ok(packstream_read_value(&r, &v, NULL));
  packstream_reader_init(&r, bolt5, login, "\x91\x91\x90", 3, &a);
  assert_int_equal(packstream_read_value(&r, &v, NULL), ERR_PROTOCOL);
  arena_done(&a);
}

TEST(a_message_has_a_head_and_an_end) {
  struct arena a;
  arena_init(&a, NULL);
  struct packstream_reader r;
  uint8_t tag;
  uint32_t fields;
  packstream_reader_init(&r, bolt5, (struct packstream_limits){0}, "\xb1\x71\x91\x01", 4, &a);
  assert_ok(packstream_read_message(&r, &tag, &fields, NULL));
  assert_int_equal(tag, 0x71);
  assert_int_equal(fields, 1);
  struct value v;
  assert_int_equal(packstream_read_end(&r, NULL), ERR_PROTOCOL);
  assert_ok(packstream_read_value(&r, &v, NULL));
  assert_ok(packstream_read_end(&r, NULL));
  packstream_reader_init(&r, bolt5, (struct packstream_limits){0}, "\xb1", 1, &a);
  assert_int_equal(packstream_read_message(&r, &tag, &fields, NULL), ERR_PROTOCOL);
  packstream_reader_init(&r, bolt5, (struct packstream_limits){0}, "\x91\x01", 2, &a);
  assert_int_equal(packstream_read_message(&r, &tag, &fields, NULL), ERR_PROTOCOL);
  arena_done(&a);
}

static int32_t zone_of(const char *name) {
  int32_t zone = 0;
  assert_ok(zone_find(str_of(name), &zone, NULL));
  return zone;
}

TEST(times_and_places_are_coded_as_drivers_do) {
  const int64_t hour = INT64_C(3600000000000);
  is_coded_as(&bolt3, v_date(19782), "b1 44 c9 4d 46");
  is_coded_as(&bolt3, v_time(hour + 2 * hour / 60 + INT64_C(3000000004), 3600), "b2 54 cb 00 00 03 62 d4 17 ae 04 c9 0e 10");
  is_coded_as(&bolt3, v_local_time(hour + 2 * hour / 60 + INT64_C(3000000004)), "b1 74 cb 00 00 03 62 d4 17 ae 04");
  is_coded_as(&bolt3, v_local_datetime(0x65dfd78b, 4), "b2 64 ca 65 df d7 8b 04");
  is_coded_as(&bolt5, v_datetime(0x1194, 42, 3600), "b3 49 c9 11 94 2a c9 0e 10");
  is_coded_as(&bolt3, v_datetime(0x1194, 42, 3600), "b3 46 c9 1f a4 2a c9 0e 10");
  is_coded_as(&bolt5, v_datetime(0x1194, 42, zone_of("Europe/Paris")),
              "b3 69 c9 11 94 2a 8c 45 75 72 6f 70 65 2f 50 61 72 69 73");
  is_coded_as(&bolt3, v_datetime(0x1194, 42, zone_of("Europe/Paris")),
              "b3 66 c9 1f a4 2a 8c 45 75 72 6f 70 65 2f 50 61 72 69 73");
  struct value_duration d = {1, 2, 3, 4};
  is_coded_as(&bolt3, (struct value){.type = VALUE_DURATION, .duration = &d}, "b4 45 01 02 03 04");
  struct value_point flat = {4326, 1.5, 2.5, 0}, high = {9157, 1, 2, 3};
  is_coded_as(&bolt3, (struct value){.type = VALUE_POINT, .point = &flat},
              "b3 58 c9 10 e6 c1 3f f8 00 00 00 00 00 00 c1 40 04 00 00 00 00 00 00");
  is_coded_as(&bolt3, (struct value){.type = VALUE_POINT, .point = &high},
              "b4 59 c9 23 c5 c1 3f f0 00 00 00 00 00 00 c1 40 00 00 00 00 00 00 00 c1 40 08 00 00 00 00 00 00");
}

TEST(structures_out_of_range_lose_the_request_only) {
  static const char *const rows[] = {"b1 44 cb 7f ff ff ff ff ff ff ff",
                                     "b1 44 cb 00 00 00 55 0a 32 eb f8",
                                     "b1 44 cb 80 00 00 00 00 00 00 00", // dates
                                     "b1 74 ff",
                                     "b1 74 cb 00 00 4e 94 91 4f 00 00", // local times
                                     "b2 54 00 ca 00 00 fd 21",
                                     "b2 54 00 cb 7f ff ff ff ff ff ff ff", // offsets
                                     "b2 64 00 ff",
                                     "b2 64 00 ca 3b 9a ca 00",
                                     "b2 64 cb 7f ff ff ff ff ff ff ff 00",
                                     "b3 49 cb 7f ff ff ff ff ff ff ff 00 00",
                                     "b3 69 00 00 84 4e 6f 70 65", // no such zone
                                     "b3 58 01 c1 00 00 00 00 00 00 00 00 c1 00 00 00 00 00 00 00 00",
                                     "b3 58 c9 23 c5 c1 00 00 00 00 00 00 00 00 c1 00 00 00 00 00 00 00 00",
                                     "b4 45 00 00 00 ff"};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) is_refused(&bolt5, ERR_ARGUMENT, rows[i]);
  is_refused(&bolt3, ERR_ARGUMENT, "b3 66 cb 7f ff ff ff ff ff ff ff 00 8c 45 75 72 6f 70 65 2f 50 61 72 69 73");
}

TEST(a_profile_knows_its_own_structures_only) {
  is_refused(&bolt1, ERR_PROTOCOL, "b1 44 01");
  is_refused(&bolt3, ERR_PROTOCOL, "b3 49 00 00 00");
  is_refused(&bolt5, ERR_PROTOCOL, "b3 46 00 00 00");
  is_refused(&bolt5, ERR_PROTOCOL, "b2 56 cc 01 c8 cc 01 00");
  struct value date = v_date(1);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct error e = ERROR_INIT;
  assert_int_equal(packstream_write_value(&out, &bolt1, v_list(&date, 1), &e), ERR_TYPE);
  assert_non_null(strstr(e.message, "DATE"));
}

TEST(vectors_and_uuids_become_lists_and_text) {
  struct arena a;
  arena_init(&a, NULL);
  struct value v;
  uint8_t raw[64];
  READ("91 01");
  assert_ok(decode(&a, &bolt6, raw, unhex("b2 56 cc 01 c6 cc 08 3f 80 00 00 c0 00 00 00", raw), &v));
  assert_int_equal(v.len, 2);
  assert_true(v.items[0].f == 1 && v.items[1].f == -2);
  assert_ok(decode(&a, &bolt6, raw, unhex("b2 56 cc 01 c9 cc 04 ff ff 01 00", raw), &v));
  assert_true(v.items[0].i == -1 && v.items[1].i == 256);
  assert_ok(decode(&a, &bolt6, raw, unhex("e0 12 3e 45 67 e8 9b 12 d3 a4 56 42 66 14 17 40 00", raw), &v));
  assert_str(v_text(v), "123e4567-e89b-12d3-a456-426614174000");
  arena_done(&a);
  is_refused(&bolt6, ERR_PROTOCOL, "b2 56 cc 01 c6 cc 03 00 00 00");
  is_refused(&bolt6, ERR_PROTOCOL, "b2 56 cc 01 00 cc 00");
}

TEST(entities_are_no_parameters) {
  is_refused(&bolt5, ERR_TYPE, "b4 4e 01 90 a0 81 78");
  is_refused(&bolt1, ERR_TYPE, "91 b3 4e 01 90 a0");
  is_refused(&bolt5, ERR_TYPE, "b3 50 90 90 90");
  is_refused(&bolt6, ERR_TYPE, "b4 3f 81 78 06 01 a0");
}

static void encodes_as(const struct packstream_profile *profile, struct value v, const char *hex) {
  uint8_t bytes[512];
  size_t len = unhex(hex, bytes);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_ok(packstream_write_value(&out, profile, v, NULL));
  assert_int_equal(out.len, len);
  assert_memory_equal(out.data, bytes, len);
}

static struct value hydrated_node(const struct value_node *n) {
  return (struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = n};
}

static struct value hydrated_rel(const struct value_rel *r) {
  return (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = r};
}

TEST(entities_have_the_fields_of_their_version) {
  const struct str label = STR("A");
  const struct value_entry property = {STR("k"), v_str(STR("v"))};
  const struct value_node n = {
      .id = 1, .element_id = STR("4:x:1"), .labels = &label, .label_count = 1, .properties = &property, .property_count = 1};
  encodes_as(&bolt3, hydrated_node(&n), "b3 4e 01 91 81 41 a1 81 6b 81 76");
  encodes_as(&bolt5, hydrated_node(&n), "b4 4e 01 91 81 41 a1 81 6b 81 76 85 34 3a 78 3a 31");
  const struct value_rel r = {.id = 7,
                              .start = 1,
                              .end = 2,
                              .type = STR("R"),
                              .element_id = STR("5:x:7"),
                              .start_element_id = STR("4:x:1"),
                              .end_element_id = STR("4:x:2")};
  encodes_as(&bolt3, hydrated_rel(&r), "b5 52 07 01 02 81 52 a0");
  encodes_as(&bolt5, hydrated_rel(&r), "b8 52 07 01 02 81 52 a0 85 35 3a 78 3a 37 85 34 3a 78 3a 31 85 34 3a 78 3a 32");
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_int_equal(packstream_write_value(&out, &bolt5, v_node(1), NULL), ERR_INTERNAL);
}

TEST(a_path_lists_each_entity_once) {
  // (42)-1000->(69)-1000->(42)<-1001-(1), the example of the Bolt documentation.
  const struct value_node n42 = {.id = 42}, n69 = {.id = 69}, n1 = {.id = 1};
  const struct value_rel r1000 = {.id = 1000, .type = STR("R")}, r1001 = {.id = 1001, .type = STR("S")};
  const struct value nodes[] = {hydrated_node(&n42), hydrated_node(&n69), hydrated_node(&n42), hydrated_node(&n1)};
  const struct value rels[] = {hydrated_rel(&r1000), hydrated_rel(&r1000), hydrated_rel(&r1001)};
  const bool reversed[] = {false, false, true};
  struct value_path p = {.len = 3, .nodes = nodes, .rels = rels, .reversed = reversed};
  encodes_as(&bolt3, (struct value){.type = VALUE_PATH, .path = &p},
             "b3 50 93 b3 4e 2a 90 a0 b3 4e 45 90 a0 b3 4e 01 90 a0 92 b3 72 c9 03 e8 81 52 a0 b3 72 c9 03 e9 81 53 a0 96 01 01 "
             "01 00 fe 02");
  p.len = 0;
  encodes_as(&bolt5, (struct value){.type = VALUE_PATH, .path = &p}, "b3 50 91 b4 4e 2a 90 a0 80 90 90");
}

static const struct packstream_profile from_server = {
    .has_temporal = true, .utc_datetimes = true, .has_element_ids = true, .from_server = true};

/// Written, read, and written again as the same bytes.
static struct value goes_round(struct arena *a, struct value v) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  CLEANUP(buf_done) struct buf again = BUF_INIT;
  struct value back;
  assert_ok(packstream_write_value(&out, &from_server, v, NULL));
  void *kept = arena_copy(a, out.data, out.len);
  assert_ok(decode(a, &from_server, kept, out.len, &back));
  assert_int_equal(back.type, v.type);
  assert_ok(packstream_write_value(&again, &from_server, back, NULL));
  assert_int_equal(again.len, out.len);
  assert_memory_equal(again.data, out.data, out.len);
  return back;
}

TEST(a_server_sends_entities_whole) {
  const struct str labels[] = {STR("A"), STR("B")};
  const struct value_entry properties[] = {{STR("k"), v_int(1)}, {STR("l"), v_str(STR("x"))}};
  const struct value_node n1 = {
      .id = 1, .element_id = STR("4:u:1"), .labels = labels, .label_count = 2, .properties = properties, .property_count = 2};
  const struct value_node n2 = {.id = UINT64_MAX, .element_id = STR("4:u:2")};
  const struct value_rel r = {.id = 9,
                              .start = 1,
                              .end = UINT64_MAX,
                              .element_id = STR("5:u:9"),
                              .start_element_id = STR("4:u:1"),
                              .end_element_id = STR("4:u:2"),
                              .type = STR("R"),
                              .properties = properties,
                              .property_count = 1};
  struct arena a;
  arena_init(&a, NULL);
  struct value node = goes_round(&a, hydrated_node(&n1)), rel = goes_round(&a, hydrated_rel(&r));
  assert_int_equal(node.node->label_count, 2);
  assert_str(node.node->labels[1], "B");
  assert_int_equal(value_map_get(v_map(node.node->properties, node.node->property_count), STR("k"))->i, 1);
  assert_true(rel.rel->end == UINT64_MAX);
  assert_str(rel.rel->end_element_id, "4:u:2");
  const struct value nodes[] = {hydrated_node(&n2), hydrated_node(&n1), hydrated_node(&n2)},
                     rels[] = {hydrated_rel(&r), hydrated_rel(&r)};
  const struct value_path p = {.len = 2, .nodes = nodes, .rels = rels, .reversed = (const bool[]){true, false}};
  struct value path = goes_round(&a, (struct value){.type = VALUE_PATH, .path = &p});
  assert_ok(value_check(path, NULL));
  assert_int_equal(path.path->len, 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(path.path->rels[i].rel->start, 1);
    assert_true(path.path->rels[i].rel->end == UINT64_MAX);
    assert_str(path.path->rels[i].rel->start_element_id, "4:u:1");
    assert_int_equal(path.path->reversed[i], i == 0);
  }
  const struct value_path alone = {.nodes = nodes};
  assert_int_equal(goes_round(&a, (struct value){.type = VALUE_PATH, .path = &alone}).path->len, 0);
  arena_done(&a);
}

TEST(a_path_that_leads_nowhere_is_malformed) {
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 90 90 90");                         // no nodes
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 b4 4e 01 90 a0 80 90 91 01");    // half a step
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 b4 4e 01 90 a0 80 90 92 01 00"); // no such relationship
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 b4 4e 01 90 a0 80 91 b4 72 01 81 41 a0 80 92 00 00");
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 b4 4e 01 90 a0 80 91 b4 72 01 81 41 a0 80 92 01 01"); // no such node
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 b4 4e 01 90 a0 80 91 b4 72 01 81 41 a0 80 92 cb 80 00 00 00 00 00 00 00 00");
  is_refused(&from_server, ERR_PROTOCOL, "b3 50 91 01 90 90");
  is_refused(&from_server, ERR_PROTOCOL, "b4 72 01 81 41 a0 80"); // a relationship without ends and without a path
  is_refused(&from_server, ERR_PROTOCOL, "b4 4e 01 91 01 a0 80");
  is_refused(&from_server, ERR_PROTOCOL, "b3 4e 01 90 a0");
  is_refused(&from_server, ERR_PROTOCOL, "b4 4e 01 90 90 80");
}

TEST(what_is_deep_enough_to_be_sent_can_be_read) {
  struct arena a;
  arena_init(&a, NULL);
  const struct value_entry property = {STR("k"), v_list((const struct value[]){v_int(1)}, 1)};
  const struct value_node n = {.id = 1, .element_id = STR("4:u:1"), .properties = &property, .property_count = 1};
  const struct value_path p = {.nodes = (const struct value[]){hydrated_node(&n)}};
  struct value v = {.type = VALUE_PATH, .path = &p};
  for (int i = 2; i < VALUE_DEPTH_MAX; i++) v = v_list(arena_copy(&a, &v, sizeof v), 1);
  goes_round(&a, v);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  v = v_list(arena_copy(&a, &v, sizeof v), 1);
  assert_int_equal(packstream_write_value(&out, &from_server, v, NULL), ERR_LIMIT);
  arena_done(&a);
}

/// A random value; nesting ends at `depth` 0.
static struct value random_value(struct arena *a, struct rng *r, int depth) {
  static const char *const texts[] = {"", "a", "a text of some length", "\xe2\x82\xac\xf0\x9f\x98\x80"};
  switch (rng_below(r, depth > 0 ? 14 : 12)) {
  case 0: return V_NULL;
  case 1: return v_bool(rng_chance(r, 1, 2));
  case 2: return v_int((int64_t) rng_next(r) >> rng_below(r, 64));
  case 3: return v_float(rng_double(r) * 1e6);
  case 4: return v_str(str_of(texts[rng_below(r, 4)]));
  case 5: return v_bytes("bytes", (uint32_t) rng_below(r, 6));
  case 6: return v_date((int64_t) rng_below(r, 1000000) - 500000);
  case 7: return v_time((int64_t) rng_below(r, TEMPORAL_TIME_NANOS_MAX), (int32_t) rng_below(r, 100000) - 50000);
  case 8: return v_local_datetime((int64_t) rng_next(r) >> 24, (uint32_t) rng_below(r, 1000000000));
  case 9:
    return v_datetime((int64_t) rng_below(r, INT64_C(1) << 33), (uint32_t) rng_below(r, 1000000000),
                      (int32_t) rng_below(r, 7200));
  case 10: {
    struct value v;
    assert_ok(v_duration(a, (struct value_duration){(int64_t) rng_next(r), -3, (int64_t) rng_next(r), 999999999}, &v, NULL));
    return v;
  }
  case 11: return v_datetime((int64_t) rng_below(r, INT64_C(1) << 33), 0, zone_of("Asia/Kolkata"));
  case 12: {
    uint32_t len = (uint32_t) rng_below(r, 20);
    struct value *items = ARENA_ARRAY(a, struct value, len);
    for (uint32_t i = 0; i < len; i++) items[i] = random_value(a, r, depth - 1);
    return v_list(items, len);
  }
  default: {
    uint32_t len = (uint32_t) rng_below(r, 20);
    struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, len);
    for (uint32_t i = 0; i < len; i++)
      entries[i] = (struct value_entry){arena_printf(a, "k%d", (int) rng_below(r, 1000)), random_value(a, r, depth - 1)};
    return v_map(entries, value_map_sort(entries, len));
  }
  }
}

TEST(random_values_come_back_in_every_profile) {
  const struct packstream_profile *profiles[] = {&bolt3, &bolt5, &bolt6};
  struct rng r;
  rng_seed(&r, 21);
  for (int round = 0; round < 600; round++) {
    struct arena a;
    arena_init(&a, NULL);
    struct value v = random_value(&a, &r, 4), back;
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    assert_ok(packstream_write_value(&out, profiles[round % 3], v, NULL));
    assert_ok(decode(&a, profiles[round % 3], out.data, out.len, &back));
    assert_int_equal(value_order(v, back), 0);
    arena_done(&a);
  }
}

TEST(damaged_bytes_never_crash) {
  struct rng r;
  rng_seed(&r, 22);
  for (int round = 0; round < 1500; round++) {
    struct arena a;
    arena_init(&a, NULL);
    struct value v = random_value(&a, &r, 3), back = v_int(77);
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    assert_ok(packstream_write_value(&out, &bolt5, v, NULL));
    for (uint64_t i = rng_below(&r, 4); i < 4; i++) out.data[rng_below(&r, out.len)] = (char) rng_next(&r);
    enum err err = decode(&a, &bolt5, out.data, out.len - rng_below(&r, 2) * (out.len > 1), &back);
    assert_true(err == ERR_OK || err == ERR_PROTOCOL || err == ERR_TYPE || err == ERR_ARGUMENT);
    if (err != ERR_OK) assert_int_equal(back.i, 77);
    arena_done(&a);
  }
}

TEST(rows_are_the_same_as_their_values_one_by_one) {
  enum { ROWS = 50, WIDTH = 5 };
  struct arena a;
  arena_init(&a, NULL);
  struct value cells[WIDTH][ROWS];
  struct rng r;
  rng_seed(&r, 23);
  struct vec columns[WIDTH];
  for (int c = 0; c < WIDTH - 1; c++) {
    for (int i = 0; i < ROWS; i++) {
      struct value kinds[] = {v_int((int64_t) rng_next(&r) >> rng_below(&r, 64)), v_float(rng_double(&r)), v_str(STR("text")),
                              random_value(&a, &r, 2)};
      cells[c][i] = rng_chance(&r, 1, 5) ? V_NULL : kinds[c];
    }
    assert_ok(vec_from_values(&a, cells[c], ROWS, &columns[c], NULL));
  }
  for (int i = 0; i < ROWS; i++) cells[WIDTH - 1][i] = v_bool(true);
  assert_ok(vec_const(&a, v_bool(true), &columns[WIDTH - 1], NULL));
  uint32_t sel[ROWS];
  for (uint32_t i = 0; i < ROWS; i++) sel[i] = ROWS - 1 - i;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  CLEANUP(buf_done) struct buf expected = BUF_INIT;
  size_t ends[ROWS];
  struct packstream_row_frame frame = {.free_before = 2, .head = STR("\xb1\x71"), .free_after = 2};
  assert_ok(packstream_write_rows(&out, &bolt5, &frame, columns, WIDTH, sel, ROWS, ends, NULL));
  size_t at = 0;
  for (int i = 0; i < ROWS; i++) {
    buf_clear(&expected);
    assert_ok(packstream_write_struct(&expected, 0x71, 1));
    assert_ok(packstream_write_list(&expected, WIDTH));
    for (int c = 0; c < WIDTH; c++) assert_ok(packstream_write_value(&expected, &bolt5, cells[c][ROWS - 1 - i], NULL));
    assert_int_equal(ends[i] - at, expected.len + 4);
    assert_memory_equal(out.data + at + 2, expected.data, expected.len);
    at = ends[i];
  }
  assert_int_equal(at, out.len);
  arena_done(&a);
}

TEST(running_out_of_memory_is_an_error) {
  const struct value_node n = {.id = 1, .element_id = STR("4:x:1")};
  const struct value_rel r = {.id = 1, .type = STR("R")};
  const struct value nodes[] = {hydrated_node(&n), hydrated_node(&n)};
  const struct value rel = hydrated_rel(&r);
  const bool reversed = false;
  const struct value_path p = {.len = 1, .nodes = nodes, .rels = &rel, .reversed = &reversed};
  const struct value path = {.type = VALUE_PATH, .path = &p};
  EACH_ALLOC_FAILS(k) {
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    enum err err = packstream_write_value(&out, &bolt5, path, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
  }
  EACH_ALLOC_FAILS(k) {
    struct arena a;
    arena_init(&a, NULL);
    struct value v;
    enum err err = decode(&a, &bolt5, "\x92\xa1\x81\x41\x01\x91\xb4\x45\x01\x02\x03\x04", 12, &v);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    arena_done(&a);
  }
}

TESTS(T(scalars_take_their_shortest_form), T(sized_values_take_their_shortest_form), T(every_width_is_read),
      T(long_values_go_round), T(what_is_malformed_is_a_protocol_error), T(nested_announcements_cost_no_memory),
      T(depth_and_number_of_values_are_limited), T(a_message_has_a_head_and_an_end), T(times_and_places_are_coded_as_drivers_do),
      T(structures_out_of_range_lose_the_request_only), T(a_profile_knows_its_own_structures_only),
      T(vectors_and_uuids_become_lists_and_text), T(entities_are_no_parameters), T(entities_have_the_fields_of_their_version),
      T(a_path_lists_each_entity_once), T(a_server_sends_entities_whole), T(a_path_that_leads_nowhere_is_malformed),
      T(what_is_deep_enough_to_be_sent_can_be_read), T(random_values_come_back_in_every_profile), T(damaged_bytes_never_crash),
      T(rows_are_the_same_as_their_values_one_by_one), T(running_out_of_memory_is_an_error))
