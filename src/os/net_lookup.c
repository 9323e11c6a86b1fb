// Look-ups on the resolver's thread, and what DNS says of SRV records.
#include "os/net_lookup.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/net_int.h"

enum { ANSWER_BYTES = 32768, SRV_FIXED_BYTES = 6 }; // priority, weight, port

struct net_lookup {
  struct loop *loop;
  struct loop_task task; // to the resolver and back
  struct net_resolver *resolver;
  struct net_lookup_events events;
  void *context;
  enum net_lookup_kind kind;
  char question[NET_ADDRESS_TEXT_MAX];
  bool looking_up, cancelled;
  // what came of it
  struct error why;
  enum err err;
  uint32_t count, servers;
  char (*addresses)[NET_ADDRESS_TEXT_MAX];
};

// ---- answers ----

static bool add(struct net_lookup *l, const char *address) {
  for (uint32_t i = 0; i < l->count; i++)
    if (strcmp(l->addresses[i], address) == 0) return true;
  if (l->count == NET_LOOKUP_MAX) return false;
  snprintf(l->addresses[l->count++], NET_ADDRESS_TEXT_MAX, "%s", address);
  return true;
}

static int compare(const void *a, const void *b) {
  return strcmp(a, b);
}

static enum err not_found(struct net_lookup *l, const char *why) {
  return error_set(&l->why, ERR_NOTFOUND, "%s: %s", l->question, why);
}

static enum err look_up_hosts(struct net_lookup *l) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
  char host[NET_ADDRESS_TEXT_MAX], service[8], text[NET_ADDRESS_TEXT_MAX];
  struct str name;
  uint16_t port;
  TRY(net_address_split(str_of(l->question), 0, &name, &port, &l->why));
  snprintf(host, sizeof host, "%.*s", STR_ARG(name));
  snprintf(service, sizeof service, "%u", port);
  int failed = getaddrinfo(host, service, &hints, &found);
  if (failed != 0) return not_found(l, gai_strerror(failed));
  uint32_t v6 = 0;
  for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
    uint32_t before = l->count;
    net_address_print(at->ai_addr, at->ai_addrlen, text, sizeof text);
    if (!add(l, text)) break;
    v6 += at->ai_family == AF_INET6 && l->count > before;
  }
  freeaddrinfo(found);
  l->servers = MAX(v6, l->count - v6);
  return ERR_OK;
}

// ---- SRV ----

static bool parse_record(ns_msg *m, const ns_rr *rr, bool (*take)(void *context, const char *target, uint16_t port),
                         void *context, bool *ret_more) {
  char target[NS_MAXDNAME];
  if (ns_rr_rdlen(*rr) <= SRV_FIXED_BYTES) return false;
  const uint8_t *at = ns_rr_rdata(*rr);
  if (dn_expand(ns_msg_base(*m), ns_msg_end(*m), at + SRV_FIXED_BYTES, target, sizeof target) < 0) return false;
  if (target[0] != '\0') *ret_more = take(context, target, (uint16_t) (at[4] << 8 | at[5])); // "." says: not here
  return true;
}

bool net_srv_parse(const uint8_t *answer, size_t bytes, bool (*take)(void *context, const char *target, uint16_t port),
                   void *context) {
  ns_msg m;
  if (bytes > INT32_MAX || ns_initparse(answer, (int) bytes, &m) != 0) return false;
  bool more = true;
  for (int i = 0; i < ns_msg_count(m, ns_s_an) && more; i++) {
    ns_rr rr;
    if (ns_parserr(&m, ns_s_an, i, &rr) != 0) return false;
    if (ns_rr_type(rr) == ns_t_srv && !parse_record(&m, &rr, take, context, &more)) return false;
  }
  return true;
}

static bool take_target(void *context, const char *target, uint16_t port) {
  struct net_lookup *l = context;
  char text[NET_ADDRESS_TEXT_MAX];
  size_t len = strlen(target);
  if (len + sizeof ":65535" > sizeof text) return true; // nobody could connect to it
  snprintf(text, sizeof text, "%s:%u", target, port);
  return add(l, text);
}

static enum err ask(struct net_lookup *l, struct __res_state *state, uint8_t *answer) {
  if (l->resolver->name_server.sin_port != 0) {
    state->nscount = 1;
    state->nsaddr_list[0] = l->resolver->name_server;
    state->retrans = 1;
  }
  int bytes = res_nquery(state, l->question, ns_c_in, ns_t_srv, answer, ANSWER_BYTES);
  if (bytes < 0) return not_found(l, hstrerror(state->res_h_errno));
  if (!net_srv_parse(answer, (size_t) MIN(bytes, ANSWER_BYTES), take_target, l))
    return not_found(l, "what the name server says is damaged");
  if (l->count == 0) return not_found(l, "it has no SRV records");
  l->servers = l->count;
  return ERR_OK;
}

static enum err look_up_srv(struct net_lookup *l) {
  struct __res_state state = {0};
  if (res_ninit(&state) != 0) return not_found(l, "the resolver of this machine cannot be used");
  uint8_t *answer = mem_alloc(ANSWER_BYTES);
  enum err err = answer != NULL ? ask(l, &state, answer) : error_set(&l->why, ERR_NOMEM, "no memory for looking up names");
  mem_free(answer);
  res_nclose(&state);
  return err;
}

// ---- there and back ----

static void release(struct net_lookup *l) {
  mem_free(l->addresses);
  mem_free(l);
}

static void report(struct net_lookup *l) {
  struct str found[NET_LOOKUP_MAX];
  for (uint32_t i = 0; i < l->count; i++) found[i] = str_of(l->addresses[i]);
  if (l->err == ERR_OK)
    l->events.found(l->context, found, l->count, l->servers);
  else
    l->events.failed(l->context, &l->why);
}

static void on_looked_up(struct loop_task *task) {
  struct net_lookup *l = CONTAINER_OF(task, struct net_lookup, task);
  l->looking_up = false;
  if (!l->cancelled) report(l);
  release(l);
}

static void on_resolver(struct loop_task *task) {
  struct net_lookup *l = CONTAINER_OF(task, struct net_lookup, task);
  l->why = ERROR_INIT;
  l->err = l->kind == NET_LOOKUP_HOSTS ? look_up_hosts(l) : look_up_srv(l);
  if (l->err == ERR_OK) qsort(l->addresses, l->count, sizeof *l->addresses, compare);
  l->task.run = on_looked_up;
  loop_post(l->loop, &l->task);
}

enum err net_lookup(struct loop *loop, struct net_resolver *resolver, enum net_lookup_kind kind, struct str question,
                    const struct net_lookup_events *events, void *context, struct net_lookup **ret, struct error *e) {
  struct str host;
  uint16_t port;
  if (kind == NET_LOOKUP_HOSTS) TRY(net_address_split(question, 0, &host, &port, e));
  if (question.len == 0 || question.len >= NET_ADDRESS_TEXT_MAX)
    return error_set(e, ERR_INVALID, "'%.*s' is no name that can be looked up", STR_ARG(question));
  struct net_lookup *l = mem_zalloc(sizeof *l);
  if (l != NULL) l->addresses = mem_alloc(NET_LOOKUP_MAX * sizeof *l->addresses);
  if (l == NULL || l->addresses == NULL) {
    mem_free(l);
    return error_set(e, ERR_NOMEM, "no memory for looking up names");
  }
  l->loop = loop;
  l->resolver = resolver;
  l->kind = kind;
  l->events = *events;
  l->context = context;
  l->looking_up = true;
  l->task.run = on_resolver;
  snprintf(l->question, sizeof l->question, "%.*s", STR_ARG(question));
  loop_post(resolver->loop, &l->task);
  *ret = l;
  return ERR_OK;
}

/// It comes back from the resolver's thread in any case, and is released then.
void net_lookup_free(struct net_lookup *l) {
  if (l != NULL) l->cancelled = true;
}

void net_resolver_ask(struct net_resolver *r, uint32_t ipv4, uint16_t port) {
  r->name_server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(ipv4), .sin_port = htons(port)};
}
