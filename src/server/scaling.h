// This server as a pod of a Kubernetes StatefulSet: whether the set has room for it and for the others, and what comes of that.
//
//   a stop        the set has no room for this pod: it leaves its cluster first (scaling_leave)
//   a start       of a pod that was scaled away, for which there is room again: it begins anew, as another server
//   (scaling_come_back) meanwhile     pods that are away, as whoever leads `system` sees them (scaling_look)
//
// What Kubernetes does not say, or not in time, counts as a restart.
#pragma once

#include "cluster/discovery.h"
#include "cluster/stateful_set.h"
#include "config/config.h"
#include "os/disk.h"

struct scaling;
struct dbms;

struct scaling_options {
  const struct config_values *config;
  struct kubernetes_options kubernetes; // kept by the caller
  struct loop *loop;
  struct net_resolver *resolver;
  struct event_sink *events; // may be NULL
};

/// `*ret` NULL: the settings do not make this server such a pod. ERR_INVALID: they do, and it is not called like one; ERR_NOMEM.
enum err scaling_open(const struct scaling_options *options, struct scaling **ret, struct error *e) NODISCARD;
/// On the loop. NULL is fine.
void scaling_close(struct scaling *s);

/// Its set is empty for NULL.
struct pod scaling_pod(const struct scaling *s);

/// What becomes of this pod if it ends now, as Kubernetes says; tells it. Blocks, not longer than the setting
/// quiver.kubernetes.leave_timeout. Not from the loop.
enum pod_fate scaling_fate(struct scaling *s);

/// If this server was dropped from its cluster, and the set has room for its pod: what it has is set aside (offline_set_aside),
/// and it is a new server. Blocks. Before the identity in `data` is opened by anybody. Errors of offline_set_aside and
/// identity_open.
enum err scaling_come_back(struct scaling *s, const char *data, struct disk *disk, struct error *e) NODISCARD;

/// Asks about pods that are away, if there are any and this server leads. On the loop, every second.
void scaling_look(struct scaling *s, struct dbms *d);
