// The resources by which load balancers find who takes writes, and operators see how a member stands: the paths of Neo4j 3 below
// /db/manage/server and those of Neo4j 4 and 5 below /db/<database>/cluster. Pure but for the look at the database server.
#pragma once

#include "base/buf.h"
#include "dbms/standing.h"
#include "http/response.h"

enum http_cluster_form {
  HTTP_CLUSTER_3,      // the default database; 403 on a standalone server
  HTTP_CLUSTER_3_HA,   // the same by the names of its predecessor: master, slave, available
  HTTP_CLUSTER_SINCE_4 // 404 there
};

/// Answers for `what` ("writable", "read-only", "available", "status"): "true" with 200 or "false" with 404, or a document. The
/// body is in `scratch`. `database` empty: the default one. ERR_NOMEM.
enum err http_cluster_answer(struct dbms *dbms, enum http_cluster_form form, struct str database, struct str what,
                             struct buf *scratch, struct http_response *ret) NODISCARD;

/// The status of all databases.
enum err http_cluster_answer_all(struct dbms *dbms, struct buf *scratch, struct http_response *ret) NODISCARD;
