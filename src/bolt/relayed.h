// What servers of a cluster say to each other beyond Bolt, on the routing port, when one carries a client's session on at
// another: keys in dictionaries that are there anyway (docs/formats/routing.md). Both ends. Pure.
#pragma once

#include "base/error.h"
#include "bolt/reply.h"
#include "dbms/session.h"

/// BEGIN and RUN: {origin: {member, sequence}}; nothing where there is none.
void bolt_relayed_write_origin(struct dict *extra, struct dbms_origin origin);
/// Absent: none. ERR_PROTOCOL.
enum err bolt_relayed_read_origin(struct value extra, struct dbms_origin *ret, struct error *e) NODISCARD;

/// BEGIN and RUN: {database: uuid}; nothing where none is said.
void bolt_relayed_write_database(struct dict *extra, const struct dbms_tx_options *tx);
/// Absent: none. ERR_PROTOCOL.
enum err bolt_relayed_read_database(struct value extra, struct dbms_tx_options *ret, struct error *e) NODISCARD;

/// BEGIN and RUN: {linearizable: true}; nothing where it is not.
void bolt_relayed_write_linearizable(struct dict *extra, const struct dbms_tx_options *tx);
/// Absent: it is not. ERR_PROTOCOL.
enum err bolt_relayed_read_linearizable(struct value extra, struct dbms_tx_options *ret, struct error *e) NODISCARD;

/// BEGIN: {behind, verdict}; nothing where no fate is asked for.
void bolt_relayed_write_question(struct dict *extra, const struct dbms_tx_options *tx);
/// Absent: none is. ERR_PROTOCOL.
enum err bolt_relayed_read_question(struct value extra, struct dbms_tx_options *ret, struct error *e) NODISCARD;

/// Its SUCCESS: {fate: {outcome, bookmark}}; nothing where none was asked for.
void bolt_relayed_write_fate(struct dict *meta, const struct dbms_fate *fate);
/// The bookmark is where `meta` is. Absent: not asked for. ERR_PROTOCOL.
enum err bolt_relayed_read_fate(struct value meta, struct dbms_fate *ret, struct error *e) NODISCARD;

/// Their SUCCESS: {place: {term, last}}; nothing where there is none.
void bolt_relayed_write_place(struct dict *meta, struct dbms_place place);
enum err bolt_relayed_read_place(struct value meta, struct dbms_place *ret, struct error *e) NODISCARD;

/// HELLO: {client: {gateway, legacy_bookmarks, neo4j_major}}: what the client's own version of Bolt leads to.
void bolt_relayed_write_client(struct dict *extra, const struct dbms_client *client);
/// Absent: `client` stays as it is. Texts are where `extra` is. ERR_PROTOCOL.
enum err bolt_relayed_read_client(struct value extra, struct dbms_client *client, struct error *e) NODISCARD;
