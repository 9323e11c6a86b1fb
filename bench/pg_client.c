// The PostgreSQL side of the point benchmarks: prepared statements over TCP, one outstanding on each of N connections, as the
// Bolt client beside it does. Needs libpq.
//
//   pg_client PORT lookup|update|create CONNECTIONS SECONDS KEYS FIRST_NEW_KEY
//
// Prints "operations seconds". CPU time of the server is taken by the caller from outside, for both sides alike.
#include <libpq-fe.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct client {
  PGconn *conn;
  uint64_t rng;
};

static const char *const statements[][2] = {
    {"lookup", "SELECT name, age, city FROM person WHERE id = $1::bigint"},
    {"update", "UPDATE person SET age = age + 1 WHERE id = $1::bigint"},
    {"create", "INSERT INTO person (id, name, age, city) VALUES ($1::bigint, 'new', 30, 'City000')"},
};

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void die(const char *what, PGconn *conn) {
  fprintf(stderr, "pg_client: %s: %s", what, conn != NULL ? PQerrorMessage(conn) : "\n");
  exit(1);
}

static void expect(PGconn *conn, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) die("query failed", conn);
  PQclear(result);
}

static PGconn *open_connection(const char *port, const char *statement) {
  char text[200];
  snprintf(text, sizeof text, "host=127.0.0.1 port=%s user=postgres dbname=postgres", port);
  PGconn *conn = PQconnectdb(text);
  if (PQstatus(conn) != CONNECTION_OK) die("connect", conn);
  expect(conn, PQexec(conn, "SET synchronous_commit = on"));
  expect(conn, PQprepare(conn, "q", statement, 1, NULL));
  return conn;
}

/// Keys spread over the whole table (SplitMix64), or one new key after another.
static void send_one(struct client *c, uint64_t keys, uint64_t *next_new) {
  uint64_t z = (c->rng += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  uint64_t key = next_new != NULL ? (*next_new)++ : (uint64_t) (((unsigned __int128) (z ^ (z >> 31)) * keys) >> 64);
  uint64_t big_endian = __builtin_bswap64(key);
  const char *value = (const char *) &big_endian;
  const int length = 8, binary = 1;
  if (!PQsendQueryPrepared(c->conn, "q", 1, &value, &length, &binary, 1)) die("send", c->conn);
}

/// True when the answer is complete.
static int receive(struct client *c) {
  if (!PQconsumeInput(c->conn)) die("receive", c->conn);
  while (!PQisBusy(c->conn)) {
    PGresult *result = PQgetResult(c->conn);
    if (result == NULL) return 1;
    expect(c->conn, result);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: pg_client PORT lookup|update|create CONNECTIONS SECONDS KEYS FIRST_NEW_KEY\n");
    return 2;
  }
  const char *statement = NULL;
  for (size_t i = 0; i < 3; i++)
    if (strcmp(argv[2], statements[i][0]) == 0) statement = statements[i][1];
  if (statement == NULL) die("no such workload", NULL);
  int connections = (int) strtol(argv[3], NULL, 10);
  double seconds = strtod(argv[4], NULL);
  uint64_t keys = strtoull(argv[5], NULL, 10), new_key = strtoull(argv[6], NULL, 10);
  uint64_t *next_new = strcmp(argv[2], "create") == 0 ? &new_key : NULL;

  struct client *clients = calloc((size_t) connections, sizeof *clients);
  struct pollfd *polls = calloc((size_t) connections, sizeof *polls);
  for (int i = 0; i < connections; i++) {
    clients[i] = (struct client){open_connection(argv[1], statement), (uint64_t) i * 7919};
    polls[i] = (struct pollfd){.fd = PQsocket(clients[i].conn), .events = POLLIN};
  }
  uint64_t operations = 0;
  double start = now_s(), end = start + seconds;
  for (int i = 0; i < connections; i++) send_one(&clients[i], keys, next_new);
  for (int open = connections; open > 0;) {
    poll(polls, (nfds_t) connections, 1000);
    int more = now_s() < end;
    for (int i = 0; i < connections; i++) {
      if (!(polls[i].revents & POLLIN) || !receive(&clients[i])) continue;
      operations++;
      if (more) {
        send_one(&clients[i], keys, next_new);
      } else {
        polls[i].fd = -1;
        open--;
      }
    }
  }
  printf("%llu %.6f\n", (unsigned long long) operations, now_s() - start);
  for (int i = 0; i < connections; i++) PQfinish(clients[i].conn);
  free(clients);
  free(polls);
  return 0;
}
