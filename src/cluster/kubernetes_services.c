// Which services there are: a ServiceList.
#include "cluster/kubernetes_int.h"

enum err kubernetes_request(struct buf *to, const struct kubernetes_options *options, struct str namespace, struct str token,
                            struct error *e) {
  TRY(kubernetes_put_path(to, options, "/api/v1", namespace, e));
  enum err err = buf_append_str(to, STR("services?labelSelector="));
  if (err == ERR_OK) err = kubernetes_put_escaped(to, options->label_selector);
  return err == ERR_OK ? kubernetes_put_head(to, options, token, e) : error_ensure(e, err);
}

/// The number of the port of that name, 0 if it has none.
static int64_t port_of(const struct value *service, struct str port_name) {
  const struct value *ports = kubernetes_field(kubernetes_field(service, "spec", VALUE_MAP), "ports", VALUE_LIST);
  for (uint32_t i = 0; ports != NULL && i < ports->len; i++) {
    const struct value *name = kubernetes_field(&ports->items[i], "name", VALUE_STRING),
                       *port = kubernetes_field(&ports->items[i], "port", VALUE_INT);
    if (name != NULL && port != NULL && str_eq(v_text(*name), port_name) && port->i > 0 && port->i <= UINT16_MAX) return port->i;
  }
  return 0;
}

static enum err take_service(const struct value *service, const struct kubernetes_options *o, struct str namespace,
                             struct arena *arena, struct str *to, size_t *count, struct error *e) {
  const struct value *name = kubernetes_field(kubernetes_field(service, "metadata", VALUE_MAP), "name", VALUE_STRING);
  int64_t port = port_of(service, o->service_port_name);
  if (name == NULL || !kubernetes_is_name(v_text(*name), KUBERNETES_NAME_BYTES_MAX) || port == 0 ||
      *count == KUBERNETES_SERVICES_MAX)
    return ERR_OK;
  struct str address = arena_printf(arena, "%.*s.%.*s.svc.%.*s:%lld", STR_ARG(v_text(*name)), STR_ARG(namespace),
                                    STR_ARG(o->cluster_domain), (long long) port);
  if (address.ptr == NULL) return arena_err(arena, e);
  to[(*count)++] = address;
  return ERR_OK;
}

static enum err take_services(const struct value *list, const struct kubernetes_options *o, struct str namespace,
                              struct arena *arena, const struct str **ret, size_t *ret_count, struct error *e) {
  size_t count = 0;
  const struct value *items = kubernetes_field(list, "items", VALUE_LIST);
  if (items == NULL) return kubernetes_bad(e, "it lists no services");
  struct str *addresses = arena_array(arena, KUBERNETES_SERVICES_MAX, sizeof *addresses);
  if (addresses == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < items->len; i++) TRY(take_service(&items->items[i], o, namespace, arena, addresses, &count, e));
  if (count == 0)
    return error_set(
        e, ERR_IO,
        "of %u services in namespace '%.*s' with label '%.*s' (dbms.kubernetes.label_selector) none has a port called '%.*s' "
        "(dbms.kubernetes.service_port_name)",
        items->len, STR_ARG(namespace), STR_ARG(o->label_selector), STR_ARG(o->service_port_name));
  *ret = addresses;
  *ret_count = count;
  return ERR_OK;
}

enum err kubernetes_response(struct str response, const struct kubernetes_options *options, struct str namespace,
                             struct arena *arena, const struct str **ret_addresses, size_t *ret_count, struct error *e) {
  const struct kubernetes_matter matter = {options, namespace, "list services", "get, list and watch on services"};
  struct value list;
  TRY(kubernetes_take_json(response, &matter, arena, &list, e));
  return take_services(&list, options, namespace, arena, ret_addresses, ret_count, e);
}
