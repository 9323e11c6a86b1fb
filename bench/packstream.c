// How fast values become bytes and back: nanoseconds a field, of one thread, the best of several rounds.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rng.h"
#include "wire/packstream.h"

enum { ROWS = 1024, WIDTH = 4, ROUNDS = 2000, TRIES = 5 };

static const struct packstream_profile bolt5 = {.has_temporal = true, .utc_datetimes = true, .has_element_ids = true};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void must(enum err err) {
  if (err != ERR_OK) exit(1);
}

/// Columns of the kind that `make` gives, boxed or typed.
static void fill(struct arena *a, struct value (*make)(struct rng *), bool boxed, struct vec *columns) {
  struct rng r;
  rng_seed(&r, 1);
  static struct value values[WIDTH][ROWS];
  for (int c = 0; c < WIDTH; c++) {
    for (int i = 0; i < ROWS; i++) values[c][i] = make(&r);
    if (boxed)
      columns[c] = (struct vec){.kind = VEC_ANY, .any = values[c]};
    else
      must(vec_from_values(a, values[c], ROWS, &columns[c], NULL));
  }
}

static double encode(struct buf *out, const struct vec *columns) {
  static size_t ends[ROWS];
  struct packstream_row_frame frame = {.free_before = 2, .head = STR("\xb1\x71"), .free_after = 2};
  double best = 1e9;
  for (int t = 0; t < TRIES; t++) {
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
      buf_clear(out);
      must(packstream_write_rows(out, &bolt5, &frame, columns, WIDTH, NULL, ROWS, ends, NULL));
    }
    double spent = seconds() - start;
    if (spent < best) best = spent;
  }
  return best / ((double) ROUNDS * ROWS * WIDTH) * 1e9;
}

/// One list of all values of the first column.
static double decode(const struct vec *columns) {
  struct buf out = BUF_INIT;
  struct arena a;
  arena_init(&a, NULL);
  must(packstream_write_list(&out, ROWS));
  for (uint32_t i = 0; i < ROWS; i++) must(packstream_write_value(&out, &bolt5, vec_get(&columns[0], i), NULL));
  double best = 1e9;
  for (int t = 0; t < TRIES; t++) {
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
      struct packstream_reader r;
      struct value v;
      packstream_reader_init(&r, bolt5, (struct packstream_limits){0}, out.data, out.len, &a);
      must(packstream_read_value(&r, &v, NULL));
      arena_reset(&a);
    }
    double spent = seconds() - start;
    if (spent < best) best = spent;
  }
  arena_done(&a);
  buf_done(&out);
  return best / ((double) ROUNDS * ROWS) * 1e9;
}

static struct value small_int(struct rng *r) {
  return v_int((int64_t) rng_below(r, 100));
}

static struct value any_int(struct rng *r) {
  return v_int((int64_t) rng_next(r) >> rng_below(r, 64));
}

static struct value any_float(struct rng *r) {
  return v_float(rng_double(r));
}

static struct value text(struct rng *r) {
  static const struct str texts[] = {{"Ann", 3}, {"a somewhat longer name", 22}, {"x", 1}};
  return v_str(texts[rng_below(r, 3)]);
}

int main(void) {
  static const struct {
    const char *name;
    struct value (*make)(struct rng *);
  } kinds[] = {{"small integers", small_int}, {"integers of all sizes", any_int}, {"floats", any_float}, {"short text", text}};
  printf("%-24s %14s %14s %14s\n", "ns a field", "typed column", "boxed column", "decode");
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    struct arena a;
    arena_init(&a, NULL);
    struct buf out = BUF_INIT;
    struct vec columns[WIDTH];
    fill(&a, kinds[k].make, false, columns);
    double typed = encode(&out, columns), decoded = decode(columns);
    fill(&a, kinds[k].make, true, columns);
    printf("%-24s %14.2f %14.2f %14.2f\n", kinds[k].name, typed, encode(&out, columns), decoded);
    buf_done(&out);
    arena_done(&a);
  }
  return 0;
}
