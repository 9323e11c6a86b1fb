// What the files of the pure part of kubernetes.h share: HTTP (kubernetes_text.c), services (kubernetes_services.c), a
// StatefulSet (kubernetes_set.c).
#pragma once

#include "cluster/kubernetes.h"
#include "value/value.h"

enum { KUBERNETES_NAME_BYTES_MAX = 253 };

/// A DNS label (RFC 1123): what namespaces, services and the sets of pods that count are called.
bool kubernetes_is_name(struct str s, size_t max);

/// "GET API/namespaces/NAMESPACE/"
enum err kubernetes_put_path(struct buf *to, const struct kubernetes_options *options, const char *api, struct str namespace,
                             struct error *e) NODISCARD;
/// A value of a query.
enum err kubernetes_put_escaped(struct buf *to, struct str s) NODISCARD;
/// What follows the path.
enum err kubernetes_put_head(struct buf *to, const struct kubernetes_options *options, struct str token,
                             struct error *e) NODISCARD;

/// What an answer is to.
struct kubernetes_matter {
  const struct kubernetes_options *options;
  struct str namespace;
  const char *action; // "list services"
  const char *rule;   // of a Role, that allows it
};
/// The JSON of a response with status 200, in `arena`; of another type where it is not JSON. ERR_IO: a response without it, or
/// none; ERR_NOMEM.
enum err kubernetes_take_json(struct str response, const struct kubernetes_matter *m, struct arena *arena, struct value *ret,
                              struct error *e) NODISCARD;
/// ERR_IO, with what is wrong.
enum err kubernetes_bad(struct error *e, const char *what);
/// Of a map, if it has that type; otherwise NULL. NULL is a map without fields.
const struct value *kubernetes_field(const struct value *map, const char *key, enum value_type type);
