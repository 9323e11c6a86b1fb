// The Bolt side of the point benchmarks: RUN and PULL with one integer parameter `$id`, over TCP, on N connections; the
// PostgreSQL client beside it asks the same. Needs no library.
//
//   bolt_client PORT lookup|update|create|QUERY CONNECTIONS SECONDS KEYS FIRST_NEW_KEY [DEPTH [PID]]
//
// DEPTH queries are outstanding on each connection (1: as pg_client does). Prints "operations seconds"; with PID, also the CPU
// seconds that process took meanwhile. BOLT_USER and BOLT_PASSWORD log in; without them the scheme is "none". With BOLT_PAIRS a file
// of lines of two integers, these are the parameters `$a` and `$b` of one query after another, over and over, in the place of `$id`.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const statements[][2] = {
    {"lookup", "MATCH (p:Person {id: $id}) RETURN p.name, p.age, p.city"},
    {"update", "MATCH (p:Person {id: $id}) SET p.age = p.age + 1"},
    {"create", "CREATE (:Person {id: $id, name: 'new', age: 30, city: 'City000'})"},
};

/// Bytes of one message, or of several in a row.
struct bytes {
  unsigned char data[8192];
  size_t len;
};

static void die(const char *what) {
  fprintf(stderr, "bolt_client: %s: %s\n", what, errno != 0 ? strerror(errno) : "unexpected answer");
  exit(1);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/// User and system time of a process so far: fields 14 and 15 of its stat line, behind the name in parentheses.
static double cpu_s(const char *pid) {
  char path[64], line[1024];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL || fgets(line, sizeof line, file) == NULL) die(path);
  fclose(file);
  const char *rest = strrchr(line, ')');
  unsigned long long user = 0, system_time = 0;
  if (rest == NULL || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system_time) != 2)
    die(path);
  return (double) (user + system_time) / (double) sysconf(_SC_CLK_TCK);
}

// ---- writing messages ----

static void put(struct bytes *b, const void *from, size_t len) {
  if (b->len + len > sizeof b->data) die("the query is too long");
  memcpy(b->data + b->len, from, len);
  b->len += len;
}

static void put_text(struct bytes *b, const char *text) {
  size_t len = strlen(text);
  unsigned char head[3] = {0xd1, (unsigned char) (len >> 8), (unsigned char) len};
  put(b, head, sizeof head);
  put(b, text, len);
}

static size_t message_begin(struct bytes *b, const char *head, size_t len) {
  size_t start = b->len;
  put(b, "\0\0", 2);
  put(b, head, len);
  return start;
}

static void message_end(struct bytes *b, size_t start) {
  size_t len = b->len - start - 2;
  b->data[start] = (unsigned char) (len >> 8);
  b->data[start + 1] = (unsigned char) len;
  put(b, "\0\0", 2);
}

static void put_login(struct bytes *b) {
  put(b, "\x60\x60\xb0\x17\0\0\x04\x05\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  size_t start = message_begin(b, "\xb1\x01\xa2", 3);
  put_text(b, "user_agent");
  put_text(b, "bolt_client/1.0");
  put_text(b, "bolt_agent");
  put(b, "\xa1", 1);
  put_text(b, "product");
  put_text(b, "bolt_client/1.0");
  message_end(b, start);
  const char *user = getenv("BOLT_USER"), *password = getenv("BOLT_PASSWORD");
  start = message_begin(b, user != NULL ? "\xb1\x6a\xa3" : "\xb1\x6a\xa1", 3);
  put_text(b, "scheme");
  put_text(b, user != NULL ? "basic" : "none");
  if (user != NULL) {
    put_text(b, "principal");
    put_text(b, user);
    put_text(b, "credentials");
    put_text(b, password != NULL ? password : "");
  }
  message_end(b, start);
}

/// RUN and PULL with integer parameters of these names; ret_at gets where their eight bytes are.
static void put_query(struct bytes *b, const char *query, const char *const *names, int count, size_t *ret_at) {
  size_t start = message_begin(b, "\xb3\x10", 2);
  unsigned char map = (unsigned char) (0xa0 + count);
  put_text(b, query);
  put(b, &map, 1);
  for (int i = 0; i < count; i++) {
    put_text(b, names[i]);
    put(b, "\xcb", 1);
    ret_at[i] = b->len;
    put(b, "\0\0\0\0\0\0\0\0", 8);
  }
  put(b, "\xa0", 1);
  message_end(b, start);
  start = message_begin(b, "\xb1\x3f\xa1\x81n\xff", 6);
  message_end(b, start);
}

// ---- reading answers ----

struct client {
  int fd;
  uint64_t rng;
  int outstanding;
  int answers; // SUCCESS since the last completed query: the second one completes it
  // Chunks: where we are.
  unsigned char head[2];
  int head_len;
  size_t chunk_left, message_bytes;
  unsigned char tag[2];
};

static void message_ended(struct client *c, uint64_t *completed) {
  if (c->message_bytes == 0) return; // NOOP
  c->message_bytes = 0;
  errno = 0;
  if (c->tag[1] == 0x7f || c->tag[1] == 0x7e) die("the server answered FAILURE");
  if (c->tag[1] == 0x70 && ++c->answers == 2) {
    c->answers = 0;
    ++*completed;
  }
}

static void take(struct client *c, const unsigned char *at, size_t len, uint64_t *completed) {
  while (len > 0) {
    if (c->chunk_left > 0) {
      size_t n = len < c->chunk_left ? len : c->chunk_left;
      for (size_t i = 0; i < n && c->message_bytes + i < 2; i++) c->tag[c->message_bytes + i] = at[i];
      c->message_bytes += n;
      c->chunk_left -= n;
      at += n, len -= n;
      continue;
    }
    c->head[c->head_len++] = *at++, len--;
    if (c->head_len < 2) continue;
    c->head_len = 0;
    c->chunk_left = (size_t) c->head[0] << 8 | c->head[1];
    if (c->chunk_left == 0) message_ended(c, completed);
  }
}

static uint64_t receive(struct client *c) {
  unsigned char bytes[65536];
  ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
  if (got <= 0) die("receive");
  uint64_t completed = 0;
  take(c, bytes, (size_t) got, &completed);
  return completed;
}

static void send_all(int fd, const unsigned char *at, size_t len) {
  while (len > 0) {
    ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
    if (sent < 0) die("send");
    at += sent, len -= (size_t) sent;
  }
}

static struct client open_connection(const char *port, uint64_t seed) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t) strtol(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct client c = {.fd = socket(AF_INET, SOCK_STREAM, 0), .rng = seed};
  int one = 1;
  if (c.fd < 0 || connect(c.fd, (struct sockaddr *) &to, sizeof to) != 0) die("connect");
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct bytes login = {.len = 0};
  put_login(&login);
  send_all(c.fd, login.data, login.len);
  char version[4];
  errno = 0;
  if (recv(c.fd, version, sizeof version, MSG_WAITALL) != sizeof version || memcmp(version, "\0\0\x04\x05", 4) != 0)
    die("handshake");
  while (receive(&c) == 0) {
  } // HELLO's and LOGON's SUCCESS
  return c;
}

/// Keys spread over the whole table (SplitMix64), or one new key after another.
static uint64_t next_key(struct client *c, uint64_t keys, uint64_t *next_new) {
  if (next_new != NULL) return (*next_new)++;
  uint64_t z = (c->rng += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (uint64_t) (((unsigned __int128) (z ^ (z >> 31)) * keys) >> 64);
}

struct workload {
  struct bytes query;
  size_t at[2]; // of the parameters
  uint64_t keys, *next_new;
  uint64_t (*pairs)[2];
  size_t pair_count, next_pair;
  int depth;
};

static void set_parameter(struct workload *w, int i, uint64_t n) {
  n = __builtin_bswap64(n);
  memcpy(w->query.data + w->at[i], &n, sizeof n);
}

static void set_parameters(struct client *c, struct workload *w) {
  if (w->pairs == NULL) {
    set_parameter(w, 0, next_key(c, w->keys, w->next_new));
    return;
  }
  for (int i = 0; i < 2; i++) set_parameter(w, i, w->pairs[w->next_pair][i]);
  w->next_pair = (w->next_pair + 1) % w->pair_count;
}

static void read_pairs(struct workload *w, const char *path) {
  unsigned long long a, b;
  FILE *file = fopen(path, "re");
  if (file == NULL) die(path);
  while (fscanf(file, "%llu %llu", &a, &b) == 2) {
    w->pairs = realloc(w->pairs, (w->pair_count + 1) * sizeof *w->pairs);
    if (w->pairs == NULL) die("memory");
    w->pairs[w->pair_count][0] = a;
    w->pairs[w->pair_count++][1] = b;
  }
  fclose(file);
  if (w->pair_count == 0) die(path);
}

/// Queries up to the depth, in one segment.
static void send_more(struct client *c, struct workload *w) {
  static unsigned char out[1 << 20];
  size_t len = 0;
  for (; c->outstanding < w->depth && len + w->query.len <= sizeof out; c->outstanding++, len += w->query.len) {
    set_parameters(c, w);
    memcpy(out + len, w->query.data, w->query.len);
  }
  send_all(c->fd, out, len);
}

static uint64_t run(struct client *clients, int count, struct workload *w, double seconds) {
  int epoll = epoll_create1(EPOLL_CLOEXEC), open = count;
  uint64_t operations = 0;
  double end = now_s() + seconds;
  for (int i = 0; i < count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0) die("epoll");
    send_more(&clients[i], w);
  }
  while (open > 0) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 1000);
    int more = now_s() < end;
    for (int i = 0; i < ready; i++) {
      struct client *c = events[i].data.ptr;
      uint64_t completed = receive(c);
      operations += completed;
      c->outstanding -= (int) completed;
      if (more && completed > 0) send_more(c, w);
      if (!more && c->outstanding == 0) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
        open--;
      }
    }
  }
  close(epoll);
  return operations;
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "usage: bolt_client PORT lookup|update|create|QUERY CONNECTIONS SECONDS KEYS FIRST_NEW_KEY [DEPTH [PID]]\n");
    return 2;
  }
  const char *query = argv[2], *pid = argc > 8 ? argv[8] : NULL;
  for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
    if (strcmp(argv[2], statements[i][0]) == 0) query = statements[i][1];
  int connections = (int) strtol(argv[3], NULL, 10);
  uint64_t new_key = strtoull(argv[6], NULL, 10);
  struct workload w = {.keys = strtoull(argv[5], NULL, 10), .depth = argc > 7 ? (int) strtol(argv[7], NULL, 10) : 1};
  if (strcmp(argv[2], "create") == 0) w.next_new = &new_key;
  if (connections < 1 || w.depth < 1) die("at least one connection and one query");
  if (getenv("BOLT_PAIRS") != NULL) read_pairs(&w, getenv("BOLT_PAIRS"));
  static const char *const key[] = {"id"}, *const pair[] = {"a", "b"};
  put_query(&w.query, query, w.pairs != NULL ? pair : key, w.pairs != NULL ? 2 : 1, w.at);
  struct client *clients = calloc((size_t) connections, sizeof *clients);
  if (clients == NULL) die("memory");
  for (int i = 0; i < connections; i++) clients[i] = open_connection(argv[1], (uint64_t) i * 7919);
  double cpu = pid != NULL ? cpu_s(pid) : 0, start = now_s();
  uint64_t operations = run(clients, connections, &w, strtod(argv[4], NULL));
  printf("%llu %.6f", (unsigned long long) operations, now_s() - start);
  if (pid != NULL) printf(" %.2f", cpu_s(pid) - cpu);
  printf("\n");
  for (int i = 0; i < connections; i++) close(clients[i].fd);
  free(clients);
  return 0;
}
