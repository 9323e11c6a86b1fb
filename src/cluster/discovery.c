#include "cluster/discovery.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/net_lookup.h"

enum { REFRESH_MS = 10000 };

// One name of the settings, and what it stands for.
struct discovery_name {
  struct discovery *discovery;
  struct str text;
  struct net_lookup *lookup;
  struct arena arena; // of what follows
  struct str *found;
  size_t count;
  uint32_t servers;
  char trouble[240]; // the last that was told
};

struct discovery {
  struct loop *loop;
  struct discovery_options options;
  struct discovery_events events;
  void *context;
  struct arena arena; // of texts
  struct discovery_name *names;
  size_t name_count;
  size_t waiting; // names that are looked up
  struct kubernetes_question *question;
  struct loop_timer *timer;
  char trouble[400]; // Kubernetes: the last that was told
};

// ---- telling ----

/// Each new reason once, until it has worked in between.
static void tell(struct discovery *d, char *last, size_t size, const char *why, const char *advice) {
  if (strncmp(last, why, size - 1) == 0) return;
  snprintf(last, size, "%s", why);
  event_raise(d->options.events, EVENT_WARN, "cluster.discovery.failed", "cannot find servers by %s: %s; trying again%s",
              d->options.source, why, advice);
}

// ---- what there is now ----

static void report_names(struct discovery *d) {
  struct str all[DISCOVERY_SEEDS_MAX];
  size_t count = 0;
  uint32_t servers = 0;
  for (size_t i = 0; i < d->name_count; i++) {
    const struct discovery_name *n = &d->names[i];
    for (size_t j = 0; j < n->count && count < DISCOVERY_SEEDS_MAX; j++) all[count++] = n->found[j];
    servers += n->servers;
  }
  d->events.found(d->context, all, count, servers);
}

// ---- names ----

/// What was found before stays until there is something else.
static void keep(struct discovery_name *n, const struct str *addresses, size_t count, uint32_t servers) {
  struct arena arena;
  arena_init(&arena, NULL);
  struct str *found = arena_array(&arena, count, sizeof *found);
  bool whole = found != NULL;
  for (size_t i = 0; i < count && whole; i++) {
    found[i] = arena_str(&arena, addresses[i]);
    whole = found[i].ptr != NULL;
  }
  if (!whole) {
    arena_done(&arena);
    return;
  }
  arena_done(&n->arena);
  n->arena = arena;
  n->found = found;
  n->count = count;
  n->servers = servers;
}

static void answered(struct discovery_name *n) {
  struct discovery *d = n->discovery;
  n->lookup = NULL;
  if (--d->waiting == 0) report_names(d);
}

static void on_name_found(void *context, const struct str *addresses, size_t count, uint32_t servers) {
  struct discovery_name *n = context;
  n->trouble[0] = '\0';
  keep(n, addresses, count, servers);
  answered(n);
}

static void on_name_failed(void *context, const struct error *why) {
  struct discovery_name *n = context;
  tell(n->discovery, n->trouble, sizeof n->trouble, why->message,
       ". Is the name right, and known to the DNS of this machine? In Kubernetes it must resolve before the pods are ready "
       "(publishNotReadyAddresses)");
  answered(n);
}

static void look_up_names(struct discovery *d) {
  static const struct net_lookup_events events = {on_name_found, on_name_failed};
  enum net_lookup_kind kind = d->options.type == DISCOVERY_SRV ? NET_LOOKUP_SRV : NET_LOOKUP_HOSTS;
  if (d->waiting > 0) return; // the resolver is slow
  for (size_t i = 0; i < d->name_count; i++) {
    struct discovery_name *n = &d->names[i];
    d->waiting +=
        net_lookup(d->loop, d->options.resolver, kind, n->text, &events, n, &n->lookup, NULL) == ERR_OK; // no memory: next time
  }
}

// ---- Kubernetes ----

static void on_services_found(void *context, const struct str *addresses, size_t count) {
  struct discovery *d = context;
  d->question = NULL;
  d->trouble[0] = '\0';
  d->events.found(d->context, addresses, count, (uint32_t) count);
}

static void on_services_failed(void *context, const struct error *why) {
  struct discovery *d = context;
  d->question = NULL;
  tell(d, d->trouble, sizeof d->trouble, why->message, "");
}

static void ask_kubernetes(struct discovery *d) {
  static const struct kubernetes_events events = {.found = on_services_found, .failed = on_services_failed};
  struct error e = ERROR_INIT;
  if (d->question != NULL) return;
  if (kubernetes_ask(d->loop, d->options.resolver, &d->options.kubernetes, &events, d, &d->question, &e) != ERR_OK)
    tell(d, d->trouble, sizeof d->trouble, e.message, "");
}

// ---- time ----

static void refresh(void *context) {
  struct discovery *d = context;
  loop_timer_set(d->timer, d->options.refresh_ms, false);
  switch (d->options.type) {
  case DISCOVERY_LIST: report_names(d); break;
  case DISCOVERY_DNS:
  case DISCOVERY_SRV: look_up_names(d); break;
  case DISCOVERY_K8S: ask_kubernetes(d); break;
  }
}

// ---- life ----

static enum err check_name(const struct discovery *d, struct str text, struct error *e) {
  struct str host;
  uint16_t port;
  if (d->options.type == DISCOVERY_SRV) return ERR_OK;
  enum err err = net_address_split(text, 0, &host, &port, e);
  if (err == ERR_OK && (host.len == 0 || port == 0))
    err = error_set(e, ERR_INVALID, "'%.*s' must have a host and a port, such as core1.example.com:5000", STR_ARG(text));
  return err == ERR_OK ? ERR_OK : error_prefix(e, "%s", d->options.source);
}

static enum err split_names(struct discovery *d, struct error *e) {
  struct str rest = arena_str(&d->arena, d->options.endpoints);
  d->names = arena_zalloc(&d->arena, DISCOVERY_SEEDS_MAX * sizeof *d->names);
  if (rest.ptr == NULL || d->names == NULL) return arena_err(&d->arena, e);
  while (rest.ptr != NULL) {
    struct str text = str_trim(str_cut(&rest, ','));
    if (text.len == 0) continue;
    if (d->name_count == DISCOVERY_SEEDS_MAX)
      return error_set(e, ERR_INVALID, "%s names more than %u servers", d->options.source, DISCOVERY_SEEDS_MAX);
    TRY(check_name(d, text, e));
    struct discovery_name *n = &d->names[d->name_count++];
    *n = (struct discovery_name){.discovery = d, .text = text};
    arena_init(&n->arena, NULL);
    if (d->options.type != DISCOVERY_LIST) continue;
    n->found = &n->text; // it stands for itself
    n->count = n->servers = 1;
  }
  if (d->name_count > 0) return ERR_OK;
  return error_set(e, ERR_INVALID, "%s names no server: write host:port of some servers of the cluster, with commas between them",
                   d->options.source);
}

static enum err copy_kubernetes(struct discovery *d, struct error *e) {
  struct kubernetes_options *o = &d->options.kubernetes;
  if (o->label_selector.len == 0 || o->service_port_name.len == 0)
    return error_set(e, ERR_INVALID,
                     "to find servers by Kubernetes, set dbms.kubernetes.label_selector and dbms.kubernetes.service_port_name");
  struct str *const texts[] = {&o->address,        &o->ca_path,           &o->token_path,    &o->namespace_path,
                               &o->label_selector, &o->service_port_name, &o->cluster_domain};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    *texts[i] = arena_str(&d->arena, *texts[i]);
    if (texts[i]->ptr == NULL) return arena_err(&d->arena, e);
  }
  return ERR_OK;
}

enum err discovery_open(struct loop *loop, const struct discovery_options *options, const struct discovery_events *events,
                        void *context, struct discovery **ret, struct error *e) {
  struct discovery *d = mem_zalloc(sizeof *d);
  if (d == NULL) return error_set(e, ERR_NOMEM, "no memory for finding servers");
  *d = (struct discovery){.loop = loop, .options = *options, .events = *events, .context = context};
  if (d->options.refresh_ms == 0) d->options.refresh_ms = REFRESH_MS;
  arena_init(&d->arena, NULL);
  enum err err = options->type == DISCOVERY_K8S ? copy_kubernetes(d, e) : split_names(d, e);
  if (err == ERR_OK) err = loop_timer_new(loop, refresh, d, &d->timer, e);
  if (err != ERR_OK) {
    discovery_close(d);
    return err;
  }
  loop_timer_set(d->timer, 0, false);
  *ret = d;
  return ERR_OK;
}

void discovery_close(struct discovery *d) {
  if (d == NULL) return;
  loop_timer_free(d->timer);
  kubernetes_question_free(d->question);
  for (size_t i = 0; i < d->name_count; i++) {
    net_lookup_free(d->names[i].lookup);
    arena_done(&d->names[i].arena);
  }
  arena_done(&d->arena);
  mem_free(d);
}
