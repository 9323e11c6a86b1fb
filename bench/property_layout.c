// The prototype behind the property format: reading four properties of a million nodes in batches of 1024, from blocks that name a shape,
// from blocks in which every property carries its own key and type, and from plain typed arrays (the limit).
//
//   cc -O2 -o property_layout property_layout.c && ./property_layout
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NODES = 1000000, BATCH = 1024, ROUNDS = 5, KEYS = 4 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

struct text {
  const char *at;
  uint32_t len;
};

struct columns {
  int64_t age[BATCH];
  double score[BATCH];
  struct text name[BATCH], city[BATCH];
};

static uint8_t *heap;
static uint32_t *where;
static int64_t *ages;
static double *scores;
static struct text *names, *cities;

static uint32_t put(uint8_t *to, const void *from, uint32_t n) {
  memcpy(to, from, n);
  return n;
}

static uint32_t get32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

/// shape u32, age i64, score f64, end of name u32, end of city u32, texts.
static uint32_t write_shaped(uint8_t *to, int i) {
  uint32_t shape = 7, end1 = names[i].len, end2 = end1 + cities[i].len, n = 0;
  n += put(to, &shape, 4), n += put(to + n, &ages[i], 8), n += put(to + n, &scores[i], 8), n += put(to + n, &end1, 4);
  n += put(to + n, &end2, 4), n += put(to + n, names[i].at, names[i].len), n += put(to + n, cities[i].at, cities[i].len);
  return (n + 7) & ~7u;
}

/// count u32; for each: key u24 and tag u8, length u32, bytes.
static uint32_t write_tagged(uint8_t *to, int i) {
  const void *bytes[KEYS] = {&ages[i], &scores[i], names[i].at, cities[i].at};
  uint32_t lengths[KEYS] = {8, 8, names[i].len, cities[i].len}, count = KEYS, n = put(to, &count, 4);
  for (uint32_t k = 0; k < KEYS; k++) {
    uint32_t key = k | (k + 2) << 24;
    n += put(to + n, &key, 4), n += put(to + n, &lengths[k], 4), n += put(to + n, bytes[k], lengths[k]);
  }
  return (n + 7) & ~7u;
}

static uint64_t build(uint32_t (*write)(uint8_t *, int)) {
  uint64_t at = 0;
  for (int i = 0; i < NODES; i++) {
    where[i] = (uint32_t) at;
    at += write(heap + at, i);
  }
  return at;
}

struct place {
  uint32_t key, offset, previous;
};
static const struct place shape_places[KEYS] = {{0, 4, 0}, {1, 12, 0}, {2, 20, 0}, {3, 24, 20}};

static void read_shaped(const uint32_t *ids, struct columns *c) {
  uint32_t last = 0;
  const struct place *age = NULL, *score = NULL, *name = NULL, *city = NULL;
  for (int i = 0; i < BATCH; i++) {
    const uint8_t *b = heap + where[ids[i]];
    uint32_t shape = get32(b);
    if (shape != last) { // once a batch
      last = shape;
      for (int k = 0; k < KEYS; k++) {
        const struct place *p = &shape_places[k];
        *(p->key == 0 ? &age : p->key == 1 ? &score : p->key == 2 ? &name : &city) = p;
      }
    }
    const uint8_t *runs = b + 28;
    memcpy(&c->age[i], b + age->offset, 8);
    memcpy(&c->score[i], b + score->offset, 8);
    uint32_t from = name->previous ? get32(b + name->previous) : 0, to = get32(b + name->offset);
    c->name[i] = (struct text){(const char *) runs + from, to - from};
    from = city->previous ? get32(b + city->previous) : 0, to = get32(b + city->offset);
    c->city[i] = (struct text){(const char *) runs + from, to - from};
  }
}

static const uint8_t *find_tagged(const uint8_t *b, uint32_t key, uint32_t *len) {
  uint32_t n = get32(b);
  b += 4;
  for (uint32_t k = 0; k < n; k++) {
    *len = get32(b + 4);
    if ((get32(b) & 0xFFFFFF) == key) return b + 8;
    b += 8 + *len;
  }
  return NULL;
}

static void read_tagged(const uint32_t *ids, struct columns *c) {
  for (int i = 0; i < BATCH; i++) {
    const uint8_t *b = heap + where[ids[i]];
    uint32_t len;
    memcpy(&c->age[i], find_tagged(b, 0, &len), 8);
    memcpy(&c->score[i], find_tagged(b, 1, &len), 8);
    const uint8_t *p = find_tagged(b, 2, &len);
    c->name[i] = (struct text){(const char *) p, len};
    p = find_tagged(b, 3, &len);
    c->city[i] = (struct text){(const char *) p, len};
  }
}

static void read_arrays(const uint32_t *ids, struct columns *c) {
  for (int i = 0; i < BATCH; i++) {
    c->age[i] = ages[ids[i]];
    c->score[i] = scores[ids[i]];
    c->name[i] = names[ids[i]];
    c->city[i] = cities[ids[i]];
  }
}

static void measure(const char *what, uint64_t bytes, void (*read)(const uint32_t *, struct columns *), const uint32_t *order) {
  static struct columns c;
  double best = 1e18;
  uint64_t sum = 0;
  for (int r = 0; r < ROUNDS; r++) {
    double start = now();
    for (int i = 0; i + BATCH <= NODES; i += BATCH) {
      read(order + i, &c);
      for (int k = 0; k < BATCH; k++) sum += (uint64_t) c.age[k] + c.name[k].len + c.city[k].len;
    }
    double ns = (now() - start) / NODES;
    if (ns < best) best = ns;
  }
  printf("%-28s %6.1f ns a node  %5.1f bytes a node  (%llu)\n", what, best, (double) bytes / NODES, (unsigned long long) sum);
}

int main(void) {
  heap = malloc((size_t) NODES * 120);
  where = malloc(NODES * sizeof *where);
  ages = malloc(NODES * sizeof *ages), scores = malloc(NODES * sizeof *scores);
  names = malloc(NODES * sizeof *names), cities = malloc(NODES * sizeof *cities);
  uint32_t *sorted = malloc(NODES * sizeof *sorted), *mixed = malloc(NODES * sizeof *mixed);
  char *texts = malloc((size_t) NODES * 40);
  uint64_t seed = 88172645463325252u;
  for (int i = 0; i < NODES; i++) {
    char *t = texts + (size_t) i * 40;
    ages[i] = i % 70, scores[i] = i * 0.5;
    names[i] = (struct text){t, (uint32_t) snprintf(t, 20, "Person_%d", i)};
    cities[i] = (struct text){t + 20, (uint32_t) snprintf(t + 20, 20, "City%03d", i % 200)};
    sorted[i] = mixed[i] = (uint32_t) i;
  }
  for (int i = NODES - 1; i > 0; i--) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    uint32_t k = (uint32_t) (seed % (uint64_t) (i + 1)), t = mixed[i];
    mixed[i] = mixed[k], mixed[k] = t;
  }
  uint64_t bytes = build(write_tagged);
  measure("tagged, in order", bytes, read_tagged, sorted);
  measure("tagged, mixed", bytes, read_tagged, mixed);
  bytes = build(write_shaped);
  measure("shaped, in order", bytes, read_shaped, sorted);
  measure("shaped, mixed", bytes, read_shaped, mixed);
  measure("arrays, in order", 0, read_arrays, sorted);
  measure("arrays, mixed", 0, read_arrays, mixed);
  return 0;
}
