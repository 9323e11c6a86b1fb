// Transactions that another server hands on for its client: where in the log they will be, so that their fate can be found out
// after this server is gone. Private to dbms.
//
// The other server may begin a second time under one origin (struct dbms_origin): it has lost the first and asks what became of
// it. Then the first is ended, or its commit waited for, before the second has its place: whatever the first one has in the log
// lies at or below that place's `last`, and nothing of it comes later.
#pragma once

#include "dbms/dbms_int.h"
#include "dbms/session_int.h"

/// Another server means the database that bears the name there: ERR_OUTDATED, where another one does here, which was made after
/// that was dropped. What is meant for the one is not done in the other, nor told of it.
enum err origin_check_database(const struct database *db, const struct dbms_tx_options *options, struct error *e) NODISCARD;

/// ERR_NOT_LEADER, as below, before anything is waited for.
enum err origin_check(struct database *db, const struct dbms_origin *origin, struct error *e) NODISCARD;

/// Where an entry of a transaction that begins now will be; without an origin, of one that another server sends to read
/// linearizably: what it sees; otherwise nowhere in particular. ERR_NOT_LEADER: this server does not lead. ERR_WAIT: an earlier
/// transaction with this origin is not over; ask again.
/// `asks`: the session that begins it; what another user has begun under that origin goes on.
enum err origin_place(const struct dbms_session *asks, struct database *db, const struct dbms_tx_options *options,
                      struct dbms_place *ret, struct error *e) NODISCARD;

/// What has become of the earlier transaction, if its entry lies from `at->from` to `last`, the place of the later one. Reads the
/// disk, a few hundred entries in one call, and moves `*at` on behind them. `*ret_id` of the commit. Of a constraint it is
/// UNKNOWN whether it is made until that is said, unless the verdict is wanted. ERR_WAIT: call again. ERR_AGAIN: the verdict is
/// on its way; look again later.
enum err origin_fate(struct database *db, const struct dbms_tx_options *asked, struct origin_search *at, uint64_t last,
                     enum dbms_outcome *ret, uint64_t *ret_id, struct error *e) NODISCARD;
