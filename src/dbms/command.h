// Schema and administration commands: what has no plan. Private to dbms.
#pragma once

#include "dbms/result.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"

/// True for ALTER CURRENT USER SET PASSWORD: the only command that an expired password allows.
bool command_changes_own_password(const struct plan *p);

/// True for commands that hash passwords: they belong on a worker.
bool command_is_slow(const struct plan *p);

/// Carries out the command of `r`; its rows and counters go there. ERR_WAIT: call again.
enum err command_run(struct dbms_session *s, struct transaction *t, struct result *r, struct value parameters, struct error *e) NODISCARD;

/// After the commit of a command with `await`: ERR_WAIT until what it asked for has been done, or its time is over; then adds the
/// rows that tell, one for each server. Without rows this server alone is waited for. ERR_NOMEM.
enum err command_settle(struct transaction *t, struct result *r, struct error *e) NODISCARD;

/// The text of a NAME or of a LITERAL or PARAMETER that is a string; ERR_PARAMETER_MISSING, ERR_TYPE.
enum err command_text(const struct ast *n, struct value parameters, struct str *ret, struct error *e) NODISCARD;

// By kind of statement: command_schema.c, command_user.c, command_server.c, command_database.c (and, of what comes of it, command_outcome.c).

enum err command_create_index(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_drop_index(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_create_constraint(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_drop_constraint(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_user(struct dbms_session *s, struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_database(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
enum err command_server(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) NODISCARD;
