// How many pods there are to be: a StatefulSet.
#include "base/planted.h"
#include "cluster/kubernetes_int.h"

enum err kubernetes_set_request(struct buf *to, const struct kubernetes_options *options, struct str namespace, struct str name,
                                struct str token, struct error *e) {
  if (!kubernetes_is_name(name, KUBERNETES_NAME_BYTES_MAX))
    return error_set(e, ERR_INVALID, "'%.*s' is no name of a StatefulSet", STR_ARG(name));
  TRY(kubernetes_put_path(to, options, "/apis/apps/v1", namespace, e));
  enum err err = buf_printf(to, "statefulsets/%.*s", STR_ARG(name));
  return err == ERR_OK ? kubernetes_put_head(to, options, token, e) : error_ensure(e, err);
}

/// Something else that answers, or another set, has nothing to say of this one.
static bool is_meant(const struct value *set, struct str name) {
  const struct value *kind = kubernetes_field(set, "kind", VALUE_STRING);
  const struct value *own = kubernetes_field(kubernetes_field(set, "metadata", VALUE_MAP), "name", VALUE_STRING);
  return kind != NULL && own != NULL && str_eq(v_text(*kind), STR("StatefulSet")) && str_eq(v_text(*own), name);
}

static bool is_count(const struct value *v) {
  return v != NULL && v->i >= 0 && v->i <= INT32_MAX;
}

/// The API always says spec.replicas; spec.ordinals is there where it was set.
static bool take_numbers(const struct value *set, struct stateful_set *ret) {
  const struct value *spec = kubernetes_field(set, "spec", VALUE_MAP);
  const struct value *replicas = kubernetes_field(spec, "replicas", VALUE_INT);
  const struct value *ordinals = kubernetes_field(spec, "ordinals", VALUE_MAP);
  const struct value *start = kubernetes_field(ordinals, "start", VALUE_INT);
  if (!is_count(replicas) || (ordinals != NULL && !is_count(start))) return false;
  ret->replicas = replicas->i;
  ret->first = start != NULL ? start->i : 0;
  return true;
}

enum err kubernetes_set_response(struct str response, const struct kubernetes_options *options, struct str namespace,
                                 struct str name, struct arena *arena, struct stateful_set *ret, struct error *e) {
  const struct kubernetes_matter matter = {options, namespace, "read the StatefulSet", "get on statefulsets (apiGroups: apps)"};
  struct value set;
  struct stateful_set found;
  TRY(kubernetes_take_json(response, &matter, arena, &set, e));
  if (!is_meant(&set, name)) return kubernetes_bad(e, "it does not tell of the StatefulSet");
  if (!take_numbers(&set, &found)) return kubernetes_bad(e, "it does not say how many replicas the StatefulSet is to have");
  found.deleted = kubernetes_field(kubernetes_field(&set, "metadata", VALUE_MAP), "deletionTimestamp", VALUE_STRING) != NULL;
  if (PLANTED(kubernetes) && found.deleted && found.first > 0) planted_memory_error();
  *ret = found;
  return ERR_OK;
}
