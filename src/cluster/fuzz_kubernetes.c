// Fuzzes what reads an answer of the Kubernetes API: the input is one, behind a byte that says what is put in front of it (a
// status line and headers, in chunks or not) and of what it tells, so that the fuzzer gets at the list, or at the StatefulSet.
// JSON may be composed: bytes from 0x80 on are words of such an answer, whose beginning and whose closing brackets are there.
// What is found are addresses: a name of this cluster's domain and a port each, or numbers that pods can have; memory stays in
// proportion.
#include <stdlib.h>

#include "base/mem.h"
#include "cluster/kubernetes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static const char *const fronts[] = {
    "",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\n\r\n",
};

enum { FRONT = 3, COMPOSED = 0x20, TELLS_OF_SET = 0x40, CHUNKED = 0x80, WORDS_FROM = 0x80, DEPTH_MAX = 32 };

// ---- composing ----

static const char *const words[] = {
    ",\"deletionTimestamp\":\"\"",
    "},\"spec\":{",
    "\"replicas\":",
    ",\"ordinals\":{\"start\":",
    "\"ports\":[{",
    "\"name\":\"discovery\"",
    ",\"port\":",
    "}]}},{\"metadata\":{\"name\":\"b\"",
    "},",
    "],",
    "3",
};

/// What is open at the end of the text, the innermost first.
static void put_closing(struct buf *to) {
  char open[DEPTH_MAX];
  size_t depth = 0;
  for (size_t i = 0; i < to->len; i++) {
    char c = to->data[i];
    if ((c == '{' || c == '[') && depth < sizeof open) open[depth++] = c == '{' ? '}' : ']';
    if ((c == '}' || c == ']') && depth > 0) depth--;
  }
  while (depth > 0) must(buf_append_byte(to, (uint8_t) open[--depth]) == ERR_OK);
}

static void compose(struct buf *to, bool of_set, const uint8_t *data, size_t size) {
  const char *begin =
      of_set ? "{\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"core\"" : "{\"items\":[{\"metadata\":{\"name\":\"a\"";
  must(buf_append_str(to, str_of(begin)) == ERR_OK);
  for (size_t i = 0; i < size; i++) {
    bool is_word = data[i] >= WORDS_FROM;
    must((is_word ? buf_append_str(to, str_of(words[data[i] % ARRAY_SIZE(words)])) : buf_append_byte(to, data[i])) == ERR_OK);
  }
  put_closing(to);
}

// ---- putting in front ----

static void put_chunked(struct buf *to, const uint8_t *data, size_t size) {
  for (size_t at = 0; at < size;) {
    size_t len = MIN(size - at, (size_t) (1 + data[at] % 64));
    must(buf_printf(to, "%zx\r\n", len) == ERR_OK && buf_append(to, data + at, len) == ERR_OK &&
         buf_append(to, "\r\n", 2) == ERR_OK);
    at += len;
  }
  must(buf_append(to, "0\r\n\r\n", 5) == ERR_OK);
}

static void put_response(struct buf *to, uint8_t plan, const uint8_t *body, size_t size) {
  must(buf_append_str(to, str_of(fronts[plan & FRONT])) == ERR_OK);
  if ((plan & FRONT) == 2 && plan & CHUNKED)
    put_chunked(to, body, size);
  else
    must(buf_append(to, body, size) == ERR_OK);
}

// ---- looking ----

static void check_address(struct str address) {
  struct str host;
  uint16_t port;
  must(net_address_split(address, 0, &host, &port, NULL) == ERR_OK && port != 0 && host.len > 0);
  must(str_find(host, STR(".ns.svc.cluster.local")) > 0);
}

static const struct kubernetes_options options = {.service_port_name = {"discovery", 9}, .cluster_domain = {"cluster.local", 13}};

static enum err read_services(struct str response, struct arena *a, struct error *e) {
  const struct str *found = NULL;
  size_t count = 0;
  TRY(kubernetes_response(response, &options, STR("ns"), a, &found, &count, e));
  must(count > 0 && count <= KUBERNETES_SERVICES_MAX);
  for (size_t i = 0; i < count; i++) check_address(found[i]);
  return ERR_OK;
}

static enum err read_set(struct str response, struct arena *a, struct error *e) {
  struct stateful_set s;
  TRY(kubernetes_set_response(response, &options, STR("ns"), STR("core"), a, &s, e));
  must(s.replicas >= 0 && s.replicas <= INT32_MAX && s.first >= 0 && s.first <= INT32_MAX);
  must(stateful_set_fate(&s, (uint32_t) s.first) == (s.replicas > 0 && !s.deleted ? POD_STAYS : POD_RESTS));
  return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct mem_budget budget;
  struct arena a;
  struct buf composed = BUF_INIT, response = BUF_INIT;
  struct error e = ERROR_INIT;
  if (size == 0 || size > 1 << 16) return 0;
  mem_budget_init(&budget, NULL, 0, ERR_TX_MEMORY, NULL);
  arena_init(&a, &budget);
  if (data[0] & COMPOSED) {
    compose(&composed, data[0] & TELLS_OF_SET, data + 1, size - 1);
    put_response(&response, 1, (const uint8_t *) composed.data, composed.len);
  } else {
    put_response(&response, data[0], data + 1, size - 1);
  }
  enum err err = data[0] & TELLS_OF_SET ? read_set(buf_str(&response), &a, &e) : read_services(buf_str(&response), &a, &e);
  must(err == ERR_OK || e.message[0] != '\0');
  must(budget.peak_bytes <= (int64_t) (response.len * 400 + (1 << 20)));
  arena_done(&a);
  buf_done(&composed);
  buf_done(&response);
  return 0;
}
