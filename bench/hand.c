// The physical limit of the graph queries: plain loops over compressed adjacency in memory, one thread, no server.
//
//   hand DIR QUERY < PARAMETERS       QUERY: hop1 hop2 hop3 shortest topcity triangles
//
// One line of parameters (person ids) in, one answer out; the CPU time of all queries together goes to standard error as
// "queries seconds". Relationships are unique within a path, as Cypher has it: a relationship is the position of its target.
// Triangles are those of the whole graph, whatever the parameters; their adjacency is sorted beforehand.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct graph {
  uint32_t persons, *age;
  uint16_t *city;
  uint32_t *first, *target;       // KNOWS out
  uint32_t *in_first, *in_target; // KNOWS in
};

static FILE *open_table(const char *dir, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "r");
  if (f == NULL) {
    perror(path);
    exit(1);
  }
  return f;
}

static void load_persons(struct graph *g, const char *dir) {
  size_t capacity = 0;
  char line[512];
  FILE *f = open_table(dir, "persons.csv");
  while (fgets(line, sizeof line, f) != NULL) {
    if (g->persons == capacity) {
      capacity = capacity * 2 + 1024;
      g->age = realloc(g->age, capacity * sizeof *g->age);
      g->city = realloc(g->city, capacity * sizeof *g->city);
    }
    char *age = strchr(strchr(line, ',') + 1, ',') + 1;
    g->age[g->persons] = (uint32_t) strtoul(age, NULL, 10);
    g->city[g->persons++] = (uint16_t) strtoul(strstr(age, "City") + 4, NULL, 10);
  }
  fclose(f);
}

static void build(uint32_t n, const uint32_t *from, const uint32_t *to, uint32_t count, uint32_t **first, uint32_t **target) {
  *first = calloc((size_t) n + 2, sizeof **first);
  *target = malloc((size_t) count * sizeof **target);
  for (uint32_t i = 0; i < count; i++) (*first)[from[i] + 2]++;
  for (uint32_t i = 2; i < n + 2; i++) (*first)[i] += (*first)[i - 1];
  for (uint32_t i = 0; i < count; i++) (*target)[(*first)[from[i] + 1]++] = to[i];
}

static void load_knows(struct graph *g, const char *dir) {
  size_t capacity = 0;
  uint32_t count = 0, *from = NULL, *to = NULL;
  char line[128];
  FILE *f = open_table(dir, "knows.csv");
  while (fgets(line, sizeof line, f) != NULL) {
    if (count == capacity) {
      capacity = capacity * 2 + 65536;
      from = realloc(from, capacity * sizeof *from);
      to = realloc(to, capacity * sizeof *to);
    }
    char *comma;
    from[count] = (uint32_t) strtoul(line, &comma, 10);
    to[count++] = (uint32_t) strtoul(comma + 1, NULL, 10);
  }
  fclose(f);
  build(g->persons, from, to, count, &g->first, &g->target);
  build(g->persons, to, from, count, &g->in_first, &g->in_target);
  free(from);
  free(to);
}

/// Marks what `hops` KNOWS relationships from `person` reach, none of them twice in a path; returns how many were new.
static uint64_t reach(const struct graph *g, uint32_t person, int hops, uint32_t used1, uint32_t used2, uint64_t *seen) {
  uint64_t found = 0;
  for (uint32_t r = g->first[person]; r < g->first[person + 1]; r++) {
    if (r == used1 || r == used2) continue;
    uint32_t to = g->target[r];
    if (hops > 1) {
      found += reach(g, to, hops - 1, r, used1, seen);
    } else {
      uint64_t bit = UINT64_C(1) << (to & 63), *word = &seen[to >> 6];
      found += (*word & bit) == 0;
      *word |= bit;
    }
  }
  return found;
}

static uint64_t count_distinct(const struct graph *g, uint32_t person, int hops, uint64_t *seen) {
  memset(seen, 0, ((size_t) g->persons / 64 + 1) * sizeof *seen);
  return reach(g, person, hops, UINT32_MAX, UINT32_MAX, seen);
}

/// Breadth-first from both ends, the smaller frontier first; -1 where there is no path. `mark` holds a round's number per side.
static int shortest(const struct graph *g, uint32_t a, uint32_t b, uint32_t *mark[2], uint32_t *queue[2], uint32_t round) {
  if (a == b) return 0;
  const uint32_t *first[2] = {g->first, g->in_first}, *target[2] = {g->target, g->in_target};
  size_t head[2] = {0, 0}, tail[2] = {1, 1};
  int depth[2] = {0, 0};
  queue[0][0] = a, queue[1][0] = b;
  mark[0][a] = mark[1][b] = round;
  while (head[0] < tail[0] && head[1] < tail[1]) {
    int side = tail[0] - head[0] <= tail[1] - head[1] ? 0 : 1;
    depth[side]++;
    for (size_t end = tail[side]; head[side] < end; head[side]++) {
      uint32_t at = queue[side][head[side]];
      for (uint32_t r = first[side][at]; r < first[side][at + 1]; r++) {
        uint32_t to = target[side][r];
        if (mark[side][to] == round) continue;
        if (mark[1 - side][to] == round) return depth[0] + depth[1];
        mark[side][to] = round;
        queue[side][tail[side]++] = to;
      }
    }
  }
  return -1;
}

enum { TOP_CITIES = 10 };

struct answer {
  long long n;
  size_t city[TOP_CITIES];
  uint64_t count[TOP_CITIES];
};

/// Friends of friends of `person` over 30, counted by city; the ten largest.
static void top_cities(const struct graph *g, uint32_t person, struct answer *ret) {
  uint64_t count[1000] = {0};
  for (uint32_t r = g->first[person]; r < g->first[person + 1]; r++) {
    uint32_t via = g->target[r];
    for (uint32_t s = g->first[via]; s < g->first[via + 1]; s++)
      if (s != r && g->age[g->target[s]] > 30) count[g->city[g->target[s]]]++;
  }
  for (ret->n = 0; ret->n < TOP_CITIES; ret->n++) {
    size_t best = 0;
    for (size_t c = 1; c < 1000; c++)
      if (count[c] > count[best]) best = c;
    if (count[best] == 0) break;
    ret->city[ret->n] = best;
    ret->count[ret->n] = count[best];
    count[best] = 0;
  }
}

static int order_ids(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
  return (x > y) - (x < y);
}

static void sort_targets(struct graph *g) {
  for (uint32_t a = 0; a < g->persons; a++) qsort(g->target + g->first[a], g->first[a + 1] - g->first[a], sizeof *g->target, order_ids);
}

/// First place in [at, end) whose target is not below `to`: doubling steps, then halves.
static uint32_t gallop(const uint32_t *target, uint32_t at, uint32_t end, uint32_t to) {
  uint32_t step = 1;
  while (at + step < end && target[at + step] < to) at += step, step *= 2;
  uint32_t high = at + step < end ? at + step : end;
  while (at < high) {
    uint32_t middle = at + (high - at) / 2;
    if (target[middle] < to)
      at = middle + 1;
    else
      high = middle;
  }
  return at;
}

/// Pairs of a relationship of `a` and one of `b` with the same target; `used` is the one from a to b.
static uint64_t closings(const struct graph *g, uint32_t a, uint32_t b, uint32_t used) {
  uint64_t found = 0;
  uint32_t i = g->first[a], k = g->first[b], i_end = g->first[a + 1], k_end = g->first[b + 1];
  while (i < i_end && k < k_end) {
    if (g->target[i] < g->target[k]) {
      i = gallop(g->target, i, i_end, g->target[k]);
    } else if (g->target[i] > g->target[k]) {
      k = gallop(g->target, k, k_end, g->target[i]);
    } else {
      for (uint32_t j = k; j < k_end && g->target[j] == g->target[i]; j++) found += i != used && j != used && i != j;
      i++;
    }
  }
  return found;
}

static uint64_t triangles(const struct graph *g) {
  uint64_t found = 0;
  for (uint32_t a = 0; a < g->persons; a++)
    for (uint32_t r = g->first[a]; r < g->first[a + 1]; r++) found += closings(g, a, g->target[r], r);
  return found;
}

static double cpu_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void print(const struct answer *answer, int cities) {
  if (!cities) printf("%lld", answer->n);
  for (long long i = 0; cities && i < answer->n; i++)
    printf("%sCity%03zu:%llu", i > 0 ? " " : "", answer->city[i], (unsigned long long) answer->count[i]);
  printf("\n");
}

/// Pairs of ids, one a line.
static uint32_t read_parameters(uint32_t (**ret)[2]) {
  uint32_t n = 0, capacity = 0, pair[2];
  char line[128];
  for (*ret = NULL; fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%u %u", &pair[0], &pair[1]) == 2; n++) {
    if (n == capacity) *ret = realloc(*ret, (capacity = capacity * 2 + 256) * sizeof **ret);
    memcpy((*ret)[n], pair, sizeof pair);
  }
  return n;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: hand DIR hop1|hop2|hop3|shortest|topcity|triangles < PARAMETERS\n");
    return 2;
  }
  struct graph g = {0};
  load_persons(&g, argv[1]);
  load_knows(&g, argv[1]);
  uint64_t *seen = calloc((size_t) g.persons / 64 + 1, sizeof *seen);
  uint32_t *mark[2], *queue[2], (*parameters)[2];
  for (int side = 0; side < 2; side++) {
    mark[side] = calloc((size_t) g.persons + 1, sizeof **mark);
    queue[side] = malloc(((size_t) g.persons + 1) * sizeof **queue);
  }
  const char *query = argv[2];
  int cities = strcmp(query, "topcity") == 0;
  if (strcmp(query, "triangles") == 0) sort_targets(&g);
  uint32_t n = read_parameters(&parameters);
  struct answer *answers = calloc(n, sizeof *answers);
  double start = cpu_s();
  for (uint32_t i = 0; i < n; i++) {
    uint32_t a = parameters[i][0], b = parameters[i][1];
    if (strncmp(query, "hop", 3) == 0)
      answers[i].n = (long long) count_distinct(&g, a, query[3] - '0', seen);
    else if (strcmp(query, "shortest") == 0)
      answers[i].n = shortest(&g, a, b, mark, queue, i + 1);
    else if (cities)
      top_cities(&g, a, &answers[i]);
    else
      answers[i].n = (long long) triangles(&g);
  }
  double spent = cpu_s() - start;
  for (uint32_t i = 0; i < n; i++) print(&answers[i], cities);
  fprintf(stderr, "%u %.6f\n", n, spent);
  return 0;
}
