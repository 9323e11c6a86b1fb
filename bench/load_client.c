// Loads the generated graph by UNWIND batches, the next one on its way while one is worked on: load_client PORT DIR
//
// For sizes at which the official driver, which makes an object of each value, would be what is measured. Prints for each file
// "name rows seconds". The constraint on Person(id) must be there.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 10000, COLUMNS_MAX = 4, DEPTH = 2, MESSAGE_BYTES = 4 << 20, CHUNK_BYTES = 65535 };

struct table {
  const char *file, *query;
  int columns;
  char kinds[COLUMNS_MAX]; // i or s
};

static const struct table tables[] = {
    {"persons", "UNWIND $rows AS r CREATE (:Person {id: r[0], name: r[1], age: r[2], city: r[3]})", 4, "isis"},
    {"knows", "UNWIND $rows AS r MATCH (a:Person {id: r[0]}) MATCH (b:Person {id: r[1]}) CREATE (a)-[:KNOWS {since: r[2]}]->(b)",
     3, "iis"},
};

struct message {
  unsigned char *data;
  size_t len;
};

static void die(const char *what) {
  fprintf(stderr, "load_client: %s: %s\n", what, errno != 0 ? strerror(errno) : "unexpected answer");
  exit(1);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

// ---- writing ----

static void put(struct message *m, const void *from, size_t len) {
  if (m->len + len > MESSAGE_BYTES) die("a batch is too large");
  memcpy(m->data + m->len, from, len);
  m->len += len;
}

static void put_text(struct message *m, const char *text, size_t len) {
  unsigned char head[3] = {0xd1, (unsigned char) (len >> 8), (unsigned char) len};
  put(m, head, sizeof head);
  put(m, text, len);
}

static void put_int(struct message *m, uint64_t value) {
  unsigned char head = 0xcb;
  value = __builtin_bswap64(value);
  put(m, &head, 1);
  put(m, &value, sizeof value);
}

static void send_all(int fd, const void *from, size_t len) {
  for (const char *at = from; len > 0;) {
    ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
    if (sent < 0) die("send");
    at += sent, len -= (size_t) sent;
  }
}

/// In chunks, with its end.
static void send_message(int fd, const struct message *m) {
  for (size_t at = 0; at < m->len;) {
    size_t n = m->len - at < CHUNK_BYTES ? m->len - at : CHUNK_BYTES;
    unsigned char head[2] = {(unsigned char) (n >> 8), (unsigned char) n};
    send_all(fd, head, sizeof head);
    send_all(fd, m->data + at, n);
    at += n;
  }
  send_all(fd, "\0\0", 2);
}

// ---- reading ----

static void receive_exactly(int fd, void *to, size_t len) {
  errno = 0;
  if (recv(fd, to, len, MSG_WAITALL) != (ssize_t) len) die("receive");
}

/// The next message's tag; its rest is thrown away. FAILURE ends the program, with what it says.
static int receive_tag(int fd) {
  unsigned char bytes[CHUNK_BYTES];
  int tag = -1;
  for (;;) {
    unsigned char head[2];
    receive_exactly(fd, head, sizeof head);
    size_t n = (size_t) head[0] << 8 | head[1];
    if (n == 0 && tag >= 0) return tag;
    if (n == 0) continue;
    receive_exactly(fd, bytes, n);
    if (tag < 0) tag = bytes[1];
    if (tag == 0x7f) fwrite(bytes, 1, n, stderr);
    if (tag != 0x70 && tag != 0x71) die("the server answered FAILURE");
  }
}

static int open_connection(const char *port) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t) strtol(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  unsigned char version[4], space[512];
  struct message m = {space, 0};
  if (fd < 0 || connect(fd, (struct sockaddr *) &to, sizeof to) != 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  send_all(fd, "\x60\x60\xb0\x17\0\0\x04\x05\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  receive_exactly(fd, version, sizeof version);
  put(&m, "\xb1\x01\xa2", 3);
  put_text(&m, "user_agent", 10);
  put_text(&m, "load_client/1.0", 15);
  put_text(&m, "bolt_agent", 10);
  put(&m, "\xa1", 1);
  put_text(&m, "product", 7);
  put_text(&m, "load_client/1.0", 15);
  send_message(fd, &m);
  m.len = 0;
  put(&m, "\xb1\x6a\xa1", 3);
  put_text(&m, "scheme", 6);
  put_text(&m, "none", 4);
  send_message(fd, &m);
  for (int i = 0; i < 2; i++) (void) receive_tag(fd);
  return fd;
}

// ---- loading ----

/// Up to ROWS lines as RUN's message; returns how many.
static size_t read_batch(FILE *f, const struct table *t, struct message *m) {
  char line[1024];
  size_t rows = 0;
  m->len = 0;
  put(m, "\xb3\x10", 2);
  put_text(m, t->query, strlen(t->query));
  put(m, "\xa1", 1);
  put_text(m, "rows", 4);
  size_t count_at = m->len;
  put(m, "\xd6\0\0\0\0", 5);
  for (; rows < ROWS && fgets(line, sizeof line, f) != NULL; rows++) {
    char *rest = line;
    unsigned char head = (unsigned char) (0x90 | t->columns);
    line[strcspn(line, "\n")] = '\0';
    put(m, &head, 1);
    for (int i = 0; i < t->columns; i++) {
      char *field = strsep(&rest, ",");
      if (field == NULL) die("a line is too short");
      if (t->kinds[i] == 'i')
        put_int(m, strtoull(field, NULL, 10));
      else
        put_text(m, field, strlen(field));
    }
  }
  uint32_t count = htonl((uint32_t) rows);
  memcpy(m->data + count_at + 1, &count, sizeof count);
  put(m, "\xa0", 1);
  return rows;
}

static void load(int fd, const char *dir, const struct table *t) {
  static unsigned char space[MESSAGE_BYTES], pull_space[] = "\xb1\x3f\xa1\x81n\xff";
  struct message m = {space, 0}, pull = {pull_space, sizeof pull_space - 1};
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.csv", dir, t->file);
  FILE *f = fopen(path, "re");
  if (f == NULL) die(path);
  double start = now_s();
  size_t total = 0, rows;
  int outstanding = 0;
  while ((rows = read_batch(f, t, &m)) > 0) {
    send_message(fd, &m);
    send_message(fd, &pull);
    total += rows;
    if (++outstanding < DEPTH) continue;
    for (int i = 0; i < 2; i++) (void) receive_tag(fd); // of RUN and of PULL
    outstanding--;
  }
  for (int i = 0; i < 2 * outstanding; i++) (void) receive_tag(fd);
  fclose(f);
  printf("%s %zu %.3f\n", t->file, total, now_s() - start);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: load_client PORT DIR\n");
    return 2;
  }
  int fd = open_connection(argv[1]);
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) load(fd, argv[2], &tables[i]);
  close(fd);
  return 0;
}
