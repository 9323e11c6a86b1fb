// RUN, PULL, DISCARD.
#include <string.h>

#include "base/mem.h"
#include "bolt/relayed.h"
#include "bolt/session_int.h"
#include "bolt/summary.h"

// ---- open results ----

/// Numbers grow within a transaction, so the list is sorted.
static struct bolt_result *find_result(struct bolt_session *s, int64_t number) {
  uint32_t low = 0, high = s->result_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (s->results[middle].number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->result_count && s->results[low].number == number ? &s->results[low] : NULL;
}

/// Asked for before the query runs, so that what has run can always be counted in.
static enum err reserve_result(struct bolt_session *s, struct error *e) {
  uint32_t limit = s->setup.settings->max_open_results;
  if (s->result_count >= limit)
    return error_set(e, ERR_PROTOCOL, "A transaction may have %u open results; consume some before the next query.", limit);
  if (s->result_count < s->result_capacity) return ERR_OK;
  uint32_t capacity = MAX(4u, s->result_capacity * 2);
  struct bolt_result *results = mem_realloc(s->results, capacity * sizeof *results);
  if (results == NULL) return error_set(e, ERR_NOMEM, "no memory for a result");
  s->results = results;
  s->result_capacity = capacity;
  return ERR_OK;
}

static void add_result(struct bolt_session *s, int64_t number, uint32_t columns) {
  s->results[s->result_count++] = (struct bolt_result){number, columns};
  s->last_result = number;
}

static void remove_result(struct bolt_session *s, int64_t number) {
  struct bolt_result *r = find_result(s, number);
  if (r == NULL) return;
  size_t behind = (size_t) (s->results + s->result_count - (r + 1));
  memmove(r, r + 1, behind * sizeof *r);
  s->result_count--;
}

// ---- RUN ----

static void write_ran(struct bolt_session *s, struct dict *meta) {
  const struct bolt_version *v = s->version;
  dict_strs(meta, STR("fields"), s->op.ran.columns, s->op.ran.column_count);
  dict_int(meta, v->legacy_times ? STR("result_available_after") : STR("t_first"), s->op.ran.first_after_ms);
  if (v->pull_n && s->explicit_tx) dict_int(meta, STR("qid"), s->op.ran.result);
  bool for_servers = s->setup.settings->for_servers;
  bool tells = v->home_database && !s->explicit_tx && (for_servers || s->message.run.tx.database.len == 0);
  if (tells) dict_str(meta, STR("db"), s->op.ran.database);
  if (for_servers && !s->explicit_tx) bolt_relayed_write_place(meta, s->op.ran.place);
}

static void ran(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  add_result(s, s->op.ran.result, s->op.ran.column_count);
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  write_ran(s, &success.meta);
  session_succeed(s, BOLT_MORE, bolt_success_end(&success));
}

/// What the message says wins over what BEGIN said, and that over HELLO.
static void fill_filter(struct bolt_session *s, const struct bolt_filter *own) {
  const struct bolt_filter *levels[] = {&s->hello_filter.filter, &s->tx_filter.filter, own};
  for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
    if (levels[i]->min_severity != DBMS_SEVERITY_DEFAULT) s->op.run.min_severity = levels[i]->min_severity;
    if (!levels[i]->has_categories) continue;
    s->op.run.disabled_categories = levels[i]->categories;
    s->op.run.disabled_category_count = levels[i]->category_count;
  }
}

static void submit_run(struct bolt_session *s) {
  const struct bolt_run *run = &s->message.run;
  struct error error = ERROR_INIT;
  if (reserve_result(s, &error) != ERR_OK) {
    session_fail(s, &error);
    return;
  }
  s->text = BOLT_RUN; // PULL_ALL is about the last RUN: BEGIN's pseudo-result, if it was not pulled, is gone
  session_prepare(s, DBMS_RUN);
  s->op.run.query = run->query;
  s->op.run.parameters = run->parameters;
  s->op.run.tx = run->tx;
  if (session_read_relayed(s, &s->op.run.tx, &error) != ERR_OK) {
    session_fail(s, &error);
    return;
  }
  s->op.run.auto_commit = !s->explicit_tx;
  fill_filter(s, &run->filter);
  session_submit(s, ran);
}

void session_run_query(struct bolt_session *s) {
  switch (s->message.run.text) {
  case BOLT_BEGIN: session_begin(s); return;
  case BOLT_COMMIT: session_commit(s); return;
  case BOLT_ROLLBACK: session_rollback(s); return;
  default: submit_run(s);
  }
}

// ---- PULL, DISCARD ----

/// The pseudo-result of BEGIN, COMMIT or ROLLBACK in Bolt 1 and 2.
static void pull_text(struct bolt_session *s) {
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  if (s->text_bookmark[0] != '\0') dict_str(&success.meta, STR("bookmark"), str_of(s->text_bookmark));
  s->text = BOLT_RUN;
  s->text_bookmark[0] = '\0';
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

static void answer_has_more(struct bolt_session *s) {
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  dict_bool(&success.meta, STR("has_more"), true);
  session_succeed(s, BOLT_MORE, bolt_success_end(&success));
}

static void answer_summary(struct bolt_session *s) {
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  bolt_summary_write(&success.meta, s->version, &s->values, &s->op.pulled.summary);
  remove_result(s, s->pull.qid);
  bool more = s->result_count > 0;
  if (!s->explicit_tx) session_forget_results(s);
  session_succeed(s, more ? BOLT_MORE : BOLT_DONE, bolt_success_end(&success));
}

static void pulled(struct bolt_session *s) {
  if (session_lost(s, session_take_output(s))) {
    session_move(s, BOLT_FAILURE);
    return;
  }
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  if (s->pull.n > 0) s->pull.n -= MIN(s->pull.n, s->op.pulled.rows);
  if (!s->op.pulled.has_more)
    answer_summary(s);
  else if (s->pull.n == 0 || !s->op.pulled.paused)
    answer_has_more(s);
  else
    s->pull_held_back = true; // goes on when the output has drained: see step() in session.c
}

void session_pull_on(struct bolt_session *s) {
  s->pull_held_back = false;
  s->records.full = false;
  session_prepare(s, DBMS_PULL);
  s->op.pull.result = s->pull.qid;
  s->op.pull.rows = s->pull.n;
  s->op.pull.discard = s->message.kind == BOLT_DISCARD;
  s->op.pull.sink = &s->records.sink;
  s->op.pull.sink_full = &s->records.full;
  session_submit(s, pulled);
}

static enum err choose_result(struct bolt_session *s, struct error *e) {
  int64_t wanted = s->message.pull.qid;
  if (!s->explicit_tx && wanted > 0)
    return error_set(e, ERR_PROTOCOL, "There is no result %lld outside a transaction.", (long long) wanted);
  int64_t number = wanted == -1 || !s->explicit_tx ? s->last_result : wanted;
  struct bolt_result *result = find_result(s, number);
  if (result == NULL) return error_set(e, ERR_PROTOCOL, "Result %lld is unknown or was consumed.", (long long) number);
  s->pull = (struct bolt_pull){.n = s->message.pull.n, .qid = number};
  s->records.width = result->columns;
  return ERR_OK;
}

void session_pull(struct bolt_session *s) {
  if (s->text != BOLT_RUN) {
    pull_text(s);
    return;
  }
  struct error error = ERROR_INIT;
  if (choose_result(s, &error) != ERR_OK || session_reserve_answer(s, &error) != ERR_OK)
    session_fail(s, &error);
  else
    session_pull_on(s);
}
