// Asking the Kubernetes API: which services there are (those of a namespace with a label stand for the servers of a cluster), and
// how many pods a StatefulSet is to have.
//
// One request is one connection: GET /api/v1/namespaces/NAMESPACE/services?labelSelector=... or
// GET /apis/apps/v1/namespaces/NAMESPACE/statefulsets/NAME, with the token and the authority that Kubernetes puts into each pod,
// read anew each time because they are renewed. What comes back is bounded in bytes and time and not trusted.
//
// Thread: its loop. The three files are small and in memory; they are read on the loop.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "cluster/stateful_set.h"
#include "os/disk.h"
#include "os/net.h"

#define KUBERNETES_RESPONSE_BYTES_MAX (4u << 20)
#define KUBERNETES_SERVICES_MAX 256u

/// Texts are the settings' of the same names (dbms.kubernetes.*).
struct kubernetes_options {
  struct str address;        // "kubernetes.default.svc:443"
  struct str ca_path;        // files
  struct str token_path;     //
  struct str namespace_path; //
  struct str label_selector; // "app=neo4j,role=core"
  struct str service_port_name;
  struct str cluster_domain; // "cluster.local"
  struct disk *disk;         // NULL: the machine's
  int64_t timeout_ms;        // 0: 10 000 for all of it
};

struct kubernetes_question;

/// Exactly one of these is called, from the loop and never from within the asking; it is over and freed then.
struct kubernetes_events {
  /// "core-0.default.svc.cluster.local:5000", one for each service that has the port; at least one. Valid during the call.
  /// Of kubernetes_ask alone.
  void (*found)(void *context, const struct str *addresses, size_t count);
  /// Of kubernetes_ask_set alone.
  void (*set)(void *context, const struct stateful_set *set);
  /// Says what is wrong and what to do.
  void (*failed)(void *context, const struct error *why);
};

/// ERR_INVALID (a text or a file that cannot be right: names it), ERR_NOTFOUND and ERR_IO (a file), ERR_NOMEM. Texts are copied.
enum err kubernetes_ask(struct loop *loop, struct net_resolver *resolver, const struct kubernetes_options *options,
                        const struct kubernetes_events *events, void *context, struct kubernetes_question **ret,
                        struct error *e) NODISCARD;

/// The same of the StatefulSet of that name, in the pod's namespace. Label, port name and domain play no part.
enum err kubernetes_ask_set(struct loop *loop, struct net_resolver *resolver, const struct kubernetes_options *options,
                            struct str name, const struct kubernetes_events *events, void *context,
                            struct kubernetes_question **ret, struct error *e) NODISCARD;

/// Gives it up; nothing is called any more. NULL is fine.
void kubernetes_question_free(struct kubernetes_question *q);

// ---- the pure part ----

/// Appends the request. ERR_INVALID: a namespace or a token with bytes that cannot be in one.
enum err kubernetes_request(struct buf *to, const struct kubernetes_options *options, struct str namespace, struct str token,
                            struct error *e) NODISCARD;

/// The addresses in a whole response (from the status line to the end of the connection), in `arena`. ERR_IO: not a good answer,
/// or no service fits (says what to do); ERR_NOMEM.
enum err kubernetes_response(struct str response, const struct kubernetes_options *options, struct str namespace,
                             struct arena *arena, const struct str **ret_addresses, size_t *ret_count, struct error *e) NODISCARD;

/// The same of a StatefulSet. ERR_INVALID: the name, too.
enum err kubernetes_set_request(struct buf *to, const struct kubernetes_options *options, struct str namespace, struct str name,
                                struct str token, struct error *e) NODISCARD;
/// ERR_IO: not a good answer, or it says nothing of that set (says what to do); ERR_NOMEM.
enum err kubernetes_set_response(struct str response, const struct kubernetes_options *options, struct str namespace,
                                 struct str name, struct arena *arena, struct stateful_set *ret, struct error *e) NODISCARD;
