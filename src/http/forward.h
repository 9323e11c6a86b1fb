// A gateway has no databases to tell of: what is asked of it about the cluster is asked of the members, one after the other, until
// one says yes, with the credentials that came. So `writable` is true for as long as somebody leads.
#pragma once

#include "dbms/gateway_doors.h"
#include "http/login.h"
#include "http/request.h"
#include "http/response.h"
#include "os/net.h"

struct http_forward;

/// For the request that is being answered; again after `ready`, with the same one. ERR_WAIT: later. Otherwise `ret` is what the first
/// member said that said 200, or that the credentials will not do; or the last one of the others; 503: none was reached. Texts are
/// static or in `scratch`. ERR_NOMEM. The loop's thread.
enum err http_forward_answer(struct http_caller *c, struct dbms *dbms, struct net_resolver *resolver, const struct http_request *r,
                             struct buf *scratch, struct http_response *ret) NODISCARD;

/// The connection is gone: what is under way is given up. The loop's thread.
void http_forward_forget(struct http_caller *c);

/// What a whole answer of a member (to the end of its connection) says, in `scratch`. ERR_IO: it is none. Pure.
enum err http_forward_read(struct str answer, struct buf *scratch, struct http_response *ret) NODISCARD;
