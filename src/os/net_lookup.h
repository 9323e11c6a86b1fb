// What a name stands for in DNS, without connecting: all addresses of a host, or the targets of SRV records (RFC 2782).
#pragma once

#include "os/net.h"

#define NET_LOOKUP_MAX 256u // answers; the rest is dropped

enum net_lookup_kind { NET_LOOKUP_HOSTS, NET_LOOKUP_SRV };

struct net_lookup;

/// Exactly one of these is called, from the loop and never from within net_lookup; it is over and freed then.
struct net_lookup_events {
  /// "10.0.0.1:5000", "[fd00::1]:5000" with the port of the question; or "core1.example.org:5000" as the SRV records say, which
  /// may be any host. Sorted, each once; valid during the call. `servers`: how many there are of the more frequent kind of
  /// address, which is how many machines they can be at the most.
  void (*found)(void *context, const struct str *addresses, size_t count, uint32_t servers);
  /// ERR_NOTFOUND: "core9: Name or service not known".
  void (*failed)(void *context, const struct error *why);
};

/// `question`: "host:port" for hosts, or the full name of SRV records ("_discovery._tcp.neo4j.default.svc.cluster.local"). Asked
/// on the resolver's thread. ERR_INVALID, ERR_NOMEM. On the loop's thread.
enum err net_lookup(struct loop *loop, struct net_resolver *resolver, enum net_lookup_kind kind, struct str question,
                    const struct net_lookup_events *events, void *context, struct net_lookup **ret, struct error *e) NODISCARD;

/// Gives it up; nothing is called any more. NULL is fine.
void net_lookup_free(struct net_lookup *l);

/// SRV records are asked of this name server instead of those of the machine; for tests. Before any look-up.
void net_resolver_ask(struct net_resolver *r, uint32_t ipv4, uint16_t port);

/// The targets in the bytes of a DNS answer, each by `take` (false ends). False: these bytes are no answer, or damaged.
bool net_srv_parse(const uint8_t *answer, size_t bytes, bool (*take)(void *context, const char *target, uint16_t port),
                   void *context);
