// Linearizable reads: a transaction that begins sees everything that was acknowledged anywhere before it was asked for. Private
// to dbms.
//
// Before its snapshot is taken it learns an index that covers all of that, and waits until it is applied here, as for a bookmark.
// The leader of the database has its group confirm that it still leads (cluster_read); everybody else asks the leader, by the
// relay. A standalone server has nobody to ask, and need not.
#pragma once

#include "dbms/session_int.h"

/// Whether that is wanted: its metadata say so (`quiver.consistency`), or the server that handed it on, or
/// quiver.read.consistency. ERR_ARGUMENT: the metadata say something else.
enum err linearizable_wanted(const struct dbms_session *s, const struct dbms_tx_options *options, bool *ret,
                             struct error *e) NODISCARD;

/// Raises the bookmark that the session's transaction waits for. ERR_WAIT: linearizable_await says for what; ERR_AGAIN: the
/// relay was started, which asks the leader, and linearizable_told comes when it has; ERR_NOT_LEADER: nobody is to be asked from
/// here; ERR_DATABASE_UNAVAILABLE: no majority has answered until the bookmark's deadline.
enum err linearizable_index(struct dbms_session *s, struct database *db, struct error *e) NODISCARD;
/// The leader has told the relay.
void linearizable_told(struct dbms_session *s, uint64_t index);

/// As graph_await: the session sleeps from now on. ERR_NOMEM: nobody will wake it but the ticker.
enum err linearizable_await(struct dbms_session *s);
/// When it returns nobody will wake the session for that any more.
void linearizable_cancel(struct dbms_session *s);

/// What a transaction is told that waited for a leader in vain.
enum err linearizable_unavailable(const struct dbms_session *s, const struct database *db, struct error *e);
