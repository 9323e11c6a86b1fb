// A seeded social graph as CSV files: the same bytes for the same arguments, on every machine.
//
//   gen DIR PERSONS KNOWS [SEED]
//
// Out-degrees follow a Pareto distribution (alpha 1.6, capped), in-degrees are skewed, and half the friends are near in the
// numbering, which gives communities and triangles. Two posts a person, three likes a person, skewed to popular posts.
//   persons.csv id,name,age,city   posts.csv id,title,created,lang   knows.csv src,dst,since   posted.csv src,post   likes.csv src,post,since
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t state[2];

static uint64_t rotl(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

/// xoroshiro128 (Blackman and Vigna).
static uint64_t next(void) {
  uint64_t a = state[0], b = state[1], result = a + b;
  b ^= a;
  state[0] = rotl(a, 24) ^ b ^ (b << 16);
  state[1] = rotl(b, 37);
  return result;
}

static uint64_t splitmix(uint64_t *x) {
  uint64_t z = (*x += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static uint64_t below(uint64_t n) {
  return (uint64_t) (((unsigned __int128) next() * n) >> 64);
}

static double unit(void) {
  return ((double) (next() >> 11) + 0.5) * 0x1.0p-53;
}

static const char *const syllables[] = {"an", "be", "co", "da", "el", "fi", "go", "ha", "in",  "jo", "ka", "li", "mo",
                                        "na", "ol", "pe", "qui", "ro", "sa", "ti", "ul", "vi", "wa", "xe", "yo", "za"};

static FILE *create(const char *dir, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  if (f == NULL) {
    perror(path);
    exit(1);
  }
  setvbuf(f, NULL, _IOFBF, 1 << 20);
  return f;
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
  return x < y ? -1 : x > y;
}

/// A day since 2010-01-01 in years of twelve months of 28 days: valid dates, simple arithmetic.
static void put_date(FILE *f) {
  unsigned day = (unsigned) below(336 * 14);
  fprintf(f, "%04u-%02u-%02u", 2010 + day / 336, 1 + day % 336 / 28, 1 + day % 28);
}

static void write_persons(const char *dir, uint64_t n) {
  FILE *f = create(dir, "persons.csv");
  for (uint64_t i = 0; i < n; i++) {
    char name[64] = "";
    size_t len = 0;
    for (uint64_t parts = 2 + below(3); parts > 0; parts--) len += (size_t) snprintf(name + len, sizeof name - len, "%s", syllables[below(26)]);
    name[0] -= 32;
    double z = unit();
    fprintf(f, "%lu,%s_%lu,%u,City%03u\n", i, name, i, (unsigned) (15 + below(70)), (unsigned) (200 * z * z));
  }
  fclose(f);
}

/// Out-degrees that sum to about `wanted`.
static uint32_t *degrees(uint64_t n, uint64_t wanted, uint32_t *largest) {
  uint32_t *degree = malloc(n * sizeof *degree);
  double *weight = malloc(n * sizeof *weight), total = 0, cap = n / 20 < 5000 ? (double) (n / 20) : 5000;
  for (uint64_t i = 0; i < n; i++) total += weight[i] = fmin(pow(unit(), -1 / 1.6), cap);
  double sum = 0;
  uint64_t used = 0;
  *largest = 0;
  for (uint64_t i = 0; i < n; i++) {
    sum += weight[i] / total * (double) wanted;
    uint64_t d = (uint64_t) sum - used;
    used = (uint64_t) sum;
    degree[i] = (uint32_t) (d > n / 4 ? n / 4 : d);
    if (degree[i] > *largest) *largest = degree[i];
  }
  free(weight);
  return degree;
}

static uint64_t friend_of(uint64_t person, uint64_t n, uint32_t degree) {
  uint64_t other;
  if (next() & 1) {
    uint64_t offset = 1 + (uint64_t) (pow(unit(), 3) * (degree < 50 ? 200 : degree * 4));
    other = (person + ((next() & 1) ? offset : n - offset % n)) % n;
  } else {
    other = ((uint64_t) ((double) n * pow(unit(), 2.0)) * 2654435761u + 12345) % n;
  }
  return other == person ? (other + 1) % n : other;
}

static uint64_t write_knows(const char *dir, uint64_t n, uint64_t wanted, uint32_t *largest) {
  uint32_t *degree = degrees(n, wanted, largest), *friends = malloc(((size_t) *largest + 16) * sizeof *friends);
  uint64_t made = 0;
  FILE *f = create(dir, "knows.csv");
  for (uint64_t i = 0; i < n; i++) {
    uint32_t have = 0;
    for (int tries = 0; have < degree[i] && tries < 4; tries++) {
      for (uint32_t j = have; j < degree[i]; j++) friends[j] = (uint32_t) friend_of(i, n, degree[i]);
      qsort(friends, degree[i], sizeof *friends, compare);
      uint32_t distinct = 0;
      for (uint32_t j = 0; j < degree[i]; j++)
        if (distinct == 0 || friends[distinct - 1] != friends[j]) friends[distinct++] = friends[j];
      have = distinct;
    }
    for (uint32_t j = 0; j < have; j++) {
      fprintf(f, "%lu,%u,", i, friends[j]);
      put_date(f);
      fputc('\n', f);
    }
    made += have;
  }
  fclose(f);
  free(degree);
  free(friends);
  return made;
}

static void write_posts(const char *dir, uint64_t n) {
  static const char *const languages[] = {"en", "de", "es", "fr", "pt", "zh"};
  FILE *posts = create(dir, "posts.csv"), *posted = create(dir, "posted.csv"), *likes = create(dir, "likes.csv");
  uint64_t count = n * 2;
  for (uint64_t i = 0; i < count; i++) {
    fprintf(posts, "%lu,Post about %s%s %lu,", i, syllables[below(26)], syllables[below(26)], i);
    put_date(posts);
    fprintf(posts, ",%s\n", languages[below(6)]);
    double z = unit();
    fprintf(posted, "%lu,%lu\n", ((uint64_t) ((double) n * z * z) * 2654435761u + 777) % n, i);
  }
  for (uint64_t i = 0; i < n * 3; i++) {
    double z = unit();
    uint64_t post = ((uint64_t) ((double) count * z * z * z) * 2654435761u + 99) % count;
    fprintf(likes, "%lu,%lu,", below(n), post);
    put_date(likes);
    fputc('\n', likes);
  }
  fclose(posts);
  fclose(posted);
  fclose(likes);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: gen DIR PERSONS KNOWS [SEED]\n");
    return 2;
  }
  const char *dir = argv[1];
  uint64_t persons = strtoull(argv[2], NULL, 10), knows = strtoull(argv[3], NULL, 10), seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 42;
  state[0] = splitmix(&seed);
  state[1] = splitmix(&seed);
  mkdir(dir, 0755);
  write_persons(dir, persons);
  uint32_t largest;
  uint64_t made = write_knows(dir, persons, knows, &largest);
  write_posts(dir, persons);
  FILE *meta = create(dir, "meta.json");
  fprintf(meta, "{\"persons\": %lu, \"knows\": %lu, \"posts\": %lu, \"likes\": %lu, \"max_out_degree\": %u}\n", persons, made, persons * 2,
          persons * 3, largest);
  fclose(meta);
  return 0;
}
