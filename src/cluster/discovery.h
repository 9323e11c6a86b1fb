// Where to look for other servers: what the settings say, made into addresses. They are looked up again and again, for ever, so
// that a name that comes later, or means other machines later, is found. What does not resolve is told once for each new reason.
//
//   LIST   the addresses as they are; their names are looked up at each attempt to connect
//   DNS    each name stands for all addresses that it resolves to; where TLS checks names, certificates must be for those
//   SRV    each name has SRV records (RFC 2782): the targets, with their ports
//   K8S    the services of a namespace with a label: their names, with the port of a name (cluster/kubernetes.h)
//
// Thread: its loop. DNS is asked on the resolver's thread.
#pragma once

#include "base/event.h"
#include "base/str.h"
#include "cluster/kubernetes.h"
#include "os/net.h"

#define DISCOVERY_SEEDS_MAX 256u

enum discovery_type { DISCOVERY_LIST, DISCOVERY_DNS, DISCOVERY_SRV, DISCOVERY_K8S };

struct discovery;

struct discovery_options {
  enum discovery_type type;
  struct str endpoints; // "core1:5000,core2:5000": hosts with ports (LIST, DNS) or names of SRV records; not for K8S
  const char *source;   // the setting that they are from, for messages; static
  struct kubernetes_options kubernetes;
  struct net_resolver *resolver;
  struct event_sink *events; // may be NULL
  int64_t refresh_ms;        // 0: 10 000
};

struct discovery_events {
  /// What there is now, instead of what was there before; valid during the call. Never from within discovery_open. `servers`: how
  /// many servers that is at the most, where addresses of two kinds (IPv4 and IPv6) may lead to one.
  void (*found)(void *context, const struct str *addresses, size_t count, uint32_t servers);
};

/// ERR_INVALID: something is no address (names it), there are more than DISCOVERY_SEEDS_MAX, or what the type needs is missing;
/// ERR_NOMEM. Texts are copied.
enum err discovery_open(struct loop *loop, const struct discovery_options *options, const struct discovery_events *events,
                        void *context, struct discovery **ret, struct error *e) NODISCARD;
/// NULL is fine. Not from within the callback.
void discovery_close(struct discovery *d);
