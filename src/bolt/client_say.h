// A client's messages, as chunks at the end of a buffer. Pure. A message is there whole or not at all.
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "bolt/version.h"
#include "dbms/session.h"

/// The handshake: four slots for the versions that are spoken here. ERR_NOMEM, as from all below.
enum err bolt_client_say_versions(struct buf *out) NODISCARD;

enum err bolt_client_say_hello(struct buf *out, const struct dbms_client *who) NODISCARD;
/// `op` is a DBMS_LOGIN.
enum err bolt_client_say_logon(struct buf *out, const struct dbms_op *op) NODISCARD;
enum err bolt_client_say_reset(struct buf *out) NODISCARD;
enum err bolt_client_say_commit(struct buf *out) NODISCARD;
enum err bolt_client_say_rollback(struct buf *out) NODISCARD;

/// ERR_LIMIT, ERR_TYPE: a value cannot be sent (wire/packstream.h).
enum err bolt_client_say_begin(struct buf *out, const struct packstream_profile *values, const struct dbms_tx_options *tx,
                               struct error *e) NODISCARD;
/// `op` is a DBMS_RUN.
enum err bolt_client_say_run(struct buf *out, const struct packstream_profile *values, const struct dbms_op *op,
                             struct error *e) NODISCARD;
/// PULL or DISCARD of `rows` (negative: all) of that result; `result` negative: of the last one.
enum err bolt_client_say_pull(struct buf *out, bool discard, int64_t rows, int64_t result) NODISCARD;
