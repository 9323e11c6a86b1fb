// A pod's place in its StatefulSet: whether that still has room for it. Pure; kubernetes.h asks for one.
//
// Kubernetes calls the pods of a set NAME-ORDINAL, and keeps those with ordinals from spec.ordinals.start (0 where it is not
// said) on, spec.replicas of them. A scale-down takes those with the highest ordinals first, with the same signal as a restart.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define STATEFUL_SET_NAME_MAX 253u // RFC 1123, a subdomain

/// A value: what the API says of one.
struct stateful_set {
  int64_t first;    // ordinal
  int64_t replicas; // that are wanted
  bool deleted;     // it is being
};

/// What becomes of a pod.
enum pod_fate {
  POD_STAYS,  // if it ends, another one takes its place, with its name and its volumes
  POD_RESTS,  // nobody stays: the set is scaled to 0, or deleted, and its volumes wait for it
  POD_LEAVES, // the others go on without it
};

enum pod_fate stateful_set_fate(const struct stateful_set *set, uint32_t ordinal);

struct pod {
  struct str set; // the name of its StatefulSet; points into the pod's name
  uint32_t ordinal;
};

/// "core-3", or "core-3.core.default.svc.cluster.local": what is behind the first dot plays no part. False: no pod of a
/// StatefulSet is called so.
bool pod_parse(struct str name, struct pod *ret);

/// Whether a server that is reached at `host` is a pod of the same set as `self`, which is reached at `own_host`: both hosts are
/// their pod's name with the same behind it. An address that is another way of naming a server says nothing.
bool pod_is_of_same_set(const struct pod *self, struct str own_host, struct str host, uint32_t *ret_ordinal);
