// Commands and keys: what is written comes back, hostile bytes are refused, keys sort as values do.
#include "base/test.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph/command_int.h"
#include "graph/key_int.h"
#include "value/compare.h"

static const graph_token some_labels[] = {1, 7, 70000};

static void put_some(struct buf *b, struct arena *a) {
  struct stored properties[3] = {{.key = 2}, {.key = 5}, {.key = 9, .tag = STORED_NONE}};
  struct value items[2] = {v_int(1), v_float(2.5)};
  assert_ok(stored_of(v_list(items, 2), a, &properties[0], NULL));
  assert_ok(stored_of(v_str(STR("hello")), a, &properties[1], NULL));
  struct command commands[] = {
      {.kind = COMMAND_CREATE_NODE,
       .id = GRAPH_ID_MAX,
       .labels = some_labels,
       .label_count = 3,
       .properties = properties,
       .property_count = 2},
      {.kind = COMMAND_CREATE_REL,
       .id = 3,
       .start = 1,
       .end = GRAPH_ID_MAX,
       .type = 9,
       .properties = properties,
       .property_count = 2},
      {.kind = COMMAND_UPDATE_NODE,
       .id = 3,
       .removed = some_labels,
       .removed_count = 2,
       .properties = properties,
       .property_count = 3},
      {.kind = COMMAND_DETACH_DELETE_NODE, .id = 300},
      {.kind = COMMAND_TOKEN, .token_kind = GRAPH_KEY, .token = 12, .name = STR("name")},
      {.kind = COMMAND_INDEX_VERDICT, .index_id = 4, .failure = STR("no")},
  };
  commands[0].properties = properties;
  assert_ok(command_begin(b));
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) assert_ok(command_put(b, &commands[i]));
}

TEST(commands_come_back_as_they_were_written) {
  struct arena a;
  struct buf b = BUF_INIT, again = BUF_INIT;
  arena_init(&a, NULL);
  put_some(&b, &a);
  struct bytes_in in = bytes_in_of(buf_str(&b));
  assert_ok(command_open(&in, NULL));
  assert_ok(command_begin(&again));
  while (!bytes_in_done(&in)) {
    struct command c;
    assert_ok(command_take(&in, &a, &c, NULL));
    assert_ok(command_put(&again, &c));
  }
  assert_int_equal(b.len, again.len);
  assert_memory_equal(b.data, again.data, b.len);
  buf_done(&b);
  buf_done(&again);
  arena_done(&a);
}

/// Decodes until the end or an error; must never touch what is not there.
static void decode(struct str bytes) {
  struct arena a;
  char *copy = mem_alloc(bytes.len + 1);
  arena_init(&a, NULL);
  memcpy(copy, bytes.ptr, bytes.len);
  struct bytes_in in = bytes_in_of((struct str){copy, bytes.len});
  enum err err = command_open(&in, NULL);
  while (err == ERR_OK && !bytes_in_done(&in)) {
    struct command c;
    err = command_take(&in, &a, &c, NULL);
    for (uint32_t i = 0; err == ERR_OK && i < c.property_count; i++) {
      struct value v;
      const struct stored *p = &c.properties[i];
      if (p->tag != STORED_NONE) (void) !stored_value((enum stored_tag) p->tag, p->fixed, p->run, &a, &v, NULL);
    }
  }
  assert_true(err == ERR_OK || err == ERR_CORRUPT);
  arena_done(&a);
  mem_free(copy);
}

TEST(cut_or_changed_bytes_are_refused_and_never_read_beyond) {
  struct arena a;
  struct buf b = BUF_INIT;
  struct rng rng;
  arena_init(&a, NULL);
  rng_seed(&rng, 5);
  put_some(&b, &a);
  for (size_t n = 0; n <= b.len; n++) decode((struct str){b.data, n});
  for (int i = 0; i < 20000; i++) {
    size_t at = rng_below(&rng, b.len);
    char was = b.data[at];
    b.data[at] = (char) rng_next(&rng);
    decode(buf_str(&b));
    if (rng_chance(&rng, 3, 4)) b.data[at] = was;
    if (i % 50 == 0) {
      buf_clear(&b);
      put_some(&b, &a);
    }
  }
  buf_done(&b);
  arena_done(&a);
}

static struct value random_value(struct rng *r, struct arena *a) {
  static const int64_t edges[] = {
      0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 53, (INT64_C(1) << 53) + 1, (INT64_C(1) << 53) - 1};
  static const double floats[] = {0.0, -0.0, 1.5, -1.5, 9007199254740992.0, 9223372036854775808.0, INFINITY, -INFINITY, 5e-324};
  char *text;
  switch (rng_below(r, 8)) {
  case 0: return v_int(edges[rng_below(r, ARRAY_SIZE(edges))]);
  case 1: return v_int((int64_t) (rng_next(r) >> rng_below(r, 64)));
  case 2: return v_float(floats[rng_below(r, ARRAY_SIZE(floats))]);
  case 3: return v_float((double) (int64_t) rng_next(r) / (double) (1 + rng_below(r, 1000)));
  case 4:
    text = arena_alloc(a, 6);
    for (int i = 0; i < 6; i++) text[i] = (char) rng_below(r, 3);
    return v_str((struct str){text, rng_below(r, 7)});
  case 5: return v_bool(rng_chance(r, 1, 2));
  case 6: return (struct value){.type = VALUE_DATE, .i = (int64_t) rng_below(r, 10) - 5};
  default:
    return (struct value){.type = VALUE_TIME, .i = (int64_t) rng_below(r, 5) * 1000000000, .aux = (int32_t) rng_below(r, 5) - 2};
  }
}

static int sign(int c) {
  return (c > 0) - (c < 0);
}

TEST(keys_sort_as_values_do) {
  struct arena a;
  struct rng rng;
  arena_init(&a, NULL);
  rng_seed(&rng, 9);
  struct buf x = BUF_INIT, y = BUF_INIT;
  for (int i = 0; i < 50000; i++) {
    struct value v = random_value(&rng, &a), w = random_value(&rng, &a);
    buf_clear(&x);
    buf_clear(&y);
    assert_ok(key_put_value(&x, v));
    assert_ok(key_put_value(&y, w));
    assert_int_equal(sign(str_cmp(buf_str(&x), buf_str(&y))), sign(value_order(v, w)));
    arena_reset(&a);
  }
  buf_done(&x);
  buf_done(&y);
  arena_done(&a);
}

TESTS(T(commands_come_back_as_they_were_written), T(cut_or_changed_bytes_are_refused_and_never_read_beyond),
      T(keys_sort_as_values_do))
