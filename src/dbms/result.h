// One statement's result within a transaction: a run that is pulled from, or rows that were set aside. Private to dbms.
#pragma once

#include "dbms/catalogue.h"
#include "dbms/notification.h"
#include "dbms/row_store.h"
#include "dbms/session.h"
#include "exec/exec.h"
#include "plan/plan.h"

struct transaction;

struct result {
  struct result *older; // of the same transaction
  int64_t number;
  struct transaction *tx;
  struct plan *plan;
  struct exec *exec;     // NULL for EXPLAIN and for commands
  struct row_store rows; // set aside, or a command's
  const struct str *columns;
  uint32_t column_count;
  bool cheap;     // may run on a connection's thread
  bool finished;  // exec is at its end
  bool delivered; // the summary has been given
  bool had_rows;
  bool command_begun; // a command that waited is carried on, not refused for what it did itself
  uint32_t command_index; // that it drops
  struct exec_counters counters; // of a command
  /// What a command sets going outside of its transaction, and waits for: command_settle.
  struct {
    bool wanted, settled;
    bool tells; // in rows
    int64_t until_ns;
    uint64_t committed;
    struct uuid database; // none: nothing was to be done
    enum catalogue_request requested;
    struct str bookmark; // of the commit
  } await;
  struct notification_filter filter;
  struct str missing; // parameters that EXPLAIN did without
  int64_t started_ns;
  uint32_t turn; // rows between two looks at whether the sink is full; 0: none were given yet
};

/// Ends the run, which looks at the graph. What was told of the result stays.
void result_close(struct result *r);
/// Closes it and frees all. NULL is fine.
void result_free(struct result *r);

/// Pushes up to `want` rows (negative: all). ERR_WAIT: call again with what is left. `*ret_rows` counts this call's rows, also with ERR_WAIT;
/// `*ret_more`: rows are left; `*ret_paused`: it stopped because the sink was full.
enum err result_pull(struct result *r, int64_t want, struct row_sink *sink, const bool *full, int64_t *ret_rows, bool *ret_more, bool *ret_paused,
                     struct error *e) NODISCARD;

/// Runs it to its end, so that another statement may run in its transaction or the transaction may commit. `keep`: its rows can be
/// pulled later. ERR_WAIT: call again.
enum err result_run_out(struct result *r, bool keep, struct error *e) NODISCARD;

/// Of one that has run: rows that were not pulled are gone.
void result_drop_rows(struct result *r);

/// What the last PULL tells; texts and values live in `a`.
enum err result_summary(struct result *r, struct arena *a, struct dbms_summary *ret, struct error *e) NODISCARD;
