#include "cluster/stateful_set.h"

#include <string.h>

enum pod_fate stateful_set_fate(const struct stateful_set *set, uint32_t ordinal) {
  if (set->deleted || set->replicas <= 0) return POD_RESTS;
  return ordinal >= set->first && ordinal - set->first < set->replicas ? POD_STAYS : POD_LEAVES;
}

/// What is before the first dot; the rest goes to `*rest`, with its dot.
static struct str first_label(struct str name, struct str *rest) {
  int64_t dot = str_find(name, STR("."));
  size_t len = dot < 0 ? name.len : (size_t) dot;
  *rest = (struct str){name.ptr + len, name.len - len};
  return (struct str){name.ptr, len};
}

/// As Kubernetes writes it: no sign, no zero in front, in 31 bits.
static bool parse_ordinal(struct str s, uint32_t *ret) {
  int64_t n = 0;
  if (s.len == 0 || s.len > 10 || (s.ptr[0] == '0' && s.len > 1)) return false;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    n = n * 10 + (s.ptr[i] - '0');
  }
  *ret = (uint32_t) n;
  return n <= INT32_MAX;
}

static size_t set_name_bytes(struct str label) {
  size_t len = label.len;
  while (len > 0 && label.ptr[len - 1] != '-') len--;
  return len > 0 ? len - 1 : 0;
}

bool pod_parse(struct str name, struct pod *ret) {
  struct str rest, label = first_label(name, &rest);
  size_t len = set_name_bytes(label);
  if (len == 0 || len > STATEFUL_SET_NAME_MAX) return false;
  ret->set = (struct str){label.ptr, len};
  return parse_ordinal((struct str){label.ptr + len + 1, label.len - len - 1}, &ret->ordinal);
}

bool pod_is_of_same_set(const struct pod *self, struct str own_host, struct str host, uint32_t *ret_ordinal) {
  struct str own_rest, rest;
  struct pod own, other;
  if (!pod_parse(first_label(own_host, &own_rest), &own) || !pod_parse(first_label(host, &rest), &other)) return false;
  bool own_name = str_eq(own.set, self->set) && own.ordinal == self->ordinal;
  *ret_ordinal = other.ordinal;
  return own_name && str_eq(other.set, self->set) && str_eq(rest, own_rest);
}
