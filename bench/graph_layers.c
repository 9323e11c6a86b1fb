// What the graph layer costs beside the hand-written loop over plain arrays: one, two and three hops, a property, bytes.
//
//   graph_layers DATA_DIR SCRATCH_DIR       DATA_DIR has knows.csv of bench/gen.c; SCRATCH_DIR exists and is empty
//
// Prints figures and ratios, one a line. Single thread, warm.
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph_bench_int.h"
#include "store/store.h"

struct edge {
  uint32_t from, to;
};

struct csr {
  uint32_t nodes, edges;
  uint32_t *first, *to;
};

static struct edge *read_edges(const char *directory, uint32_t *ret_n) {
  char path[4096], line[200];
  snprintf(path, sizeof path, "%s/knows.csv", directory);
  FILE *f = fopen(path, "r");
  if (f == NULL) {
    perror(path);
    exit(1);
  }
  struct edge *list = NULL;
  uint32_t n = 0, room = 0;
  while (fgets(line, sizeof line, f) != NULL) {
    if (n == room) list = mem_realloc(list, (room = room * 2 + 1024) * sizeof *list);
    char *rest;
    list[n].from = (uint32_t) strtoul(line, &rest, 10);
    list[n++].to = (uint32_t) strtoul(rest + 1, NULL, 10);
  }
  fclose(f);
  *ret_n = n;
  return list;
}

static struct csr make_csr(const struct edge *list, uint32_t n) {
  struct csr c = {.edges = n};
  for (uint32_t i = 0; i < n; i++) c.nodes = MAX(c.nodes, MAX(list[i].from, list[i].to) + 1);
  c.first = mem_zalloc((c.nodes + 2) * sizeof *c.first);
  c.to = mem_alloc(n * sizeof *c.to);
  for (uint32_t i = 0; i < n; i++) c.first[list[i].from + 1]++;
  for (uint32_t i = 0; i < c.nodes; i++) c.first[i + 1] += c.first[i];
  uint32_t *at = mem_alloc((c.nodes + 1) * sizeof *at);
  memcpy(at, c.first, (c.nodes + 1) * sizeof *at);
  for (uint32_t i = 0; i < n; i++) c.to[at[list[i].from]++] = list[i].to;
  mem_free(at);
  return c;
}

static void load(const struct csr *c, const struct edge *list) {
  graph_token person = token(GRAPH_LABEL, "Person"), knows = token(GRAPH_TYPE, "KNOWS"), age = token(GRAPH_KEY, "age"),
              name = token(GRAPH_KEY, "name"), city = token(GRAPH_KEY, "city"), key = token(GRAPH_KEY, "id"),
              since = token(GRAPH_KEY, "since");
  double start = now_s();
  struct graph_tx *tx = begin();
  for (uint32_t i = 0; i < c->nodes; i++) {
    char text[40], town[20];
    snprintf(text, sizeof text, "Person_%u", i);
    snprintf(town, sizeof town, "City%03u", i % 200);
    struct graph_property p[4] = {
        {age, v_int(i % 70)}, {name, v_str(str_of(text))}, {city, v_str(str_of(town))}, {key, v_int(i)}};
    graph_id id;
    CHECK(graph_create_node(tx, &person, 1, p, 4, &id, &e));
    if (i % 5000 == 4999) settle(tx), tx = begin();
  }
  settle(tx);
  printf("load nodes            %8.0f /s\n", c->nodes / (now_s() - start));
  start = now_s();
  tx = begin();
  for (uint32_t i = 0; i < c->edges; i++) {
    struct graph_property p = {since, {.type = VALUE_DATE, .i = i % 5000}};
    graph_id id;
    CHECK(graph_create_rel(tx, list[i].from, list[i].to, knows, &p, 1, &id, &e));
    if (i % 20000 == 19999) settle(tx), tx = begin();
  }
  settle(tx);
  printf("load relationships    %8.0f /s\n", c->edges / (now_s() - start));
}

// ---- hops ----

struct bitmap {
  uint64_t *words;
  uint32_t *set;
  uint32_t n;
};

static inline bool visit(struct bitmap *b, uint32_t i) {
  uint64_t bit = UINT64_C(1) << (i % 64);
  if (b->words[i / 64] & bit) return false;
  b->words[i / 64] |= bit;
  b->set[b->n++] = i;
  return true;
}

static void forget(struct bitmap *b) {
  for (uint32_t i = 0; i < b->n; i++) b->words[b->set[i] / 64] = 0;
  b->n = 0;
}

static uint64_t csr_hops(const struct csr *c, uint32_t seed, int hops, struct bitmap *b, uint64_t *edges) {
  b->set[0] = seed;
  uint32_t from = 0, to = 1;
  b->n = 1;
  for (int h = 0; h < hops; h++) {
    for (uint32_t i = from; i < to; i++) {
      uint32_t node = b->set[i];
      *edges += c->first[node + 1] - c->first[node];
      for (uint32_t k = c->first[node]; k < c->first[node + 1]; k++) visit(b, c->to[k]);
    }
    from = to;
    to = b->n;
  }
  uint64_t n = b->n - from;
  forget(b);
  return n;
}

static uint64_t graph_hops(struct graph_view *v, uint32_t seed, int hops, graph_token type, struct bitmap *b, struct arena *a) {
  enum { BATCH = 1024 };
  b->set[0] = seed;
  uint32_t from = 0, to = 1;
  b->n = 1;
  for (int h = 0; h < hops; h++) {
    for (uint32_t i = from; i < to; i += BATCH) {
      graph_id ids[BATCH];
      uint32_t n = MIN(to - i, (uint32_t) BATCH);
      struct graph_expansion x;
      for (uint32_t k = 0; k < n; k++) ids[k] = b->set[i + k];
      arena_reset(a);
      graph_view_enter(v);
      CHECK(graph_expand(v, ids, n, GRAPH_OUT, &type, 1, a, &x, &e));
      for (uint32_t s = 0; s < x.first[n]; s++)
        for (uint32_t k = 0; k < x.slices[s].count; k++) visit(b, x.slices[s].neighbours[k]);
      graph_view_leave(v);
    }
    from = to;
    to = b->n;
  }
  uint64_t n = b->n - from;
  forget(b);
  return n;
}

static double one_hop_csr(const struct csr *c, const uint32_t *seeds, uint32_t n, uint64_t *sum) {
  double start = now_s();
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t k = c->first[seeds[i]]; k < c->first[seeds[i] + 1]; k++) *sum += c->to[k];
  return (now_s() - start) * 1e9 / n;
}

static double one_hop_graph(struct graph_view *v, graph_token type, const uint32_t *seeds, uint32_t n, struct arena *a,
                            uint64_t *sum) {
  double start = now_s();
  for (uint32_t i = 0; i < n; i += 1024) {
    graph_id ids[1024];
    uint32_t some = MIN(n - i, 1024u);
    struct graph_expansion x;
    for (uint32_t k = 0; k < some; k++) ids[k] = seeds[i + k];
    arena_reset(a);
    graph_view_enter(v);
    CHECK(graph_expand(v, ids, some, GRAPH_OUT, &type, 1, a, &x, &e));
    for (uint32_t s = 0; s < x.first[some]; s++)
      for (uint32_t k = 0; k < x.slices[s].count; k++) *sum += x.slices[s].neighbours[k];
    graph_view_leave(v);
  }
  return (now_s() - start) * 1e9 / n;
}

static void measure_hops(const struct csr *c) {
  struct graph_tx *tx = begin();
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct bitmap b = {mem_zalloc(c->nodes / 8 + 8), mem_alloc((c->nodes + 1) * sizeof(uint32_t)), 0};
  struct arena a;
  struct rng rng;
  graph_token knows;
  enum { SEEDS = 400000 };
  uint32_t *seeds = mem_alloc(SEEDS * sizeof *seeds);
  arena_init(&a, NULL);
  rng_seed(&rng, 1);
  graph_token_find(g, GRAPH_TYPE, STR("KNOWS"), &knows);
  for (int i = 0; i < SEEDS; i++) seeds[i] = (uint32_t) rng_below(&rng, c->nodes);
  double hand = 1e9, ours = 1e9;
  for (int round = 0; round < 3; round++) {
    uint64_t x = 0, y = 0;
    double one = one_hop_csr(c, seeds, SEEDS, &x), other = one_hop_graph(v, knows, seeds, SEEDS, &a, &y);
    hand = MIN(hand, one);
    ours = MIN(ours, other);
    if (x != y) printf("one hop DIFFERS: %llu %llu\n", (unsigned long long) x, (unsigned long long) y);
  }
  printf("1 hop   hand %8.0f ns   graph %8.0f ns   ratio %.2f\n", hand, ours, ours / hand);
  for (int hops = 2; hops <= 3; hops++) {
    uint32_t n = hops == 2 ? 3000 : 60;
    hand = ours = 1e9;
    uint64_t edges = 0;
    for (int round = 0; round < 3; round++) {
      uint64_t x = 0, y = 0;
      edges = 0;
      double start = now_s();
      for (uint32_t i = 0; i < n; i++) x += csr_hops(c, seeds[i], hops, &b, &edges);
      double one = (now_s() - start) * 1e6 / n;
      start = now_s();
      for (uint32_t i = 0; i < n; i++) y += graph_hops(v, seeds[i], hops, knows, &b, &a);
      double other = (now_s() - start) * 1e6 / n;
      hand = MIN(hand, one);
      ours = MIN(ours, other);
      if (x != y) printf("%d hops DIFFER\n", hops);
    }
    printf("%d hops  hand %8.1f us   graph %8.1f us   ratio %.2f   (%.2f ns an edge)\n", hops, hand, ours, ours / hand,
           ours * 1000 * n / (double) edges);
  }
  arena_done(&a);
  mem_free(seeds);
  mem_free(b.words);
  mem_free(b.set);
  graph_tx_free(tx);
}

static void measure_properties(const struct csr *c) {
  struct graph_tx *tx = begin();
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct arena a;
  struct rng rng;
  graph_token keys[4];
  static const char *const names[] = {"age", "name", "city", "id"};
  for (int i = 0; i < 4; i++) graph_token_find(g, GRAPH_KEY, str_of(names[i]), &keys[i]);
  arena_init(&a, NULL);
  rng_seed(&rng, 2);
  enum { ROUNDS = 400 };
  for (uint32_t key_count = 1; key_count <= 4; key_count += 3) {
    for (int random = 0; random < 2; random++) {
      double start = now_s();
      for (int r = 0; r < ROUNDS; r++) {
        graph_id ids[1024];
        struct vec columns[4];
        for (int i = 0; i < 1024; i++) ids[i] = random ? rng_below(&rng, c->nodes) : (uint64_t) (r * 1024 + i) % c->nodes;
        arena_reset(&a);
        graph_view_enter(v);
        CHECK(graph_get_properties(v, GRAPH_NODE, ids, 1024, keys, key_count, &a, columns, &e));
        graph_view_leave(v);
      }
      printf("%u properties of %s nodes  %6.1f ns a node\n", key_count, random ? "random" : "sorted",
             (now_s() - start) * 1e9 / (ROUNDS * 1024.0));
    }
  }
  arena_done(&a);
  graph_tx_free(tx);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: graph_layers DATA_DIR SCRATCH_DIR\n");
    return 2;
  }
  uint32_t n;
  struct edge *list = read_edges(argv[1], &n);
  struct csr c = make_csr(list, n);
  struct page_pool *pool = make_graph(argv[2], (size_t) 4 << 30);
  printf("%u nodes, %u relationships\n", c.nodes, c.edges);
  load(&c, list);
  struct page_space_stats s;
  page_space_stats(store_space(graph_store(g)), &s);
  printf("bytes a relationship, all in  %.1f\n", (double) s.pages_logical * PAGE_BYTES / c.edges);
  measure_hops(&c);
  measure_properties(&c);
  graph_close(g);
  page_pool_close(pool);
  return 0;
}
