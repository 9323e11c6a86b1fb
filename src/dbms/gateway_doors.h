// Where the members behind a gateway are reached over HTTP, for `http`.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct dbms;

/// Whether this server is a gateway.
bool dbms_is_gateway(const struct dbms *d);

/// "host:port" of the members that are heard of, those that lead most first, in `a`. ERR_UNSUPPORTED: this server is no gateway; ERR_NOMEM.
/// Any thread.
enum err gateway_http_doors(struct dbms *d, struct arena *a, const struct str **ret, uint32_t *ret_n, struct error *e) NODISCARD;
