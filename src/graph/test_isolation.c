// Isolation specs: sessions with steps, run in every interleaving. A session that must wait stands still until it gets through;
// one that is refused rolls back and does nothing more. What must hold is asked after each interleaving.
//
// Steps, separated by blanks: begin, statement, +x or +y (lock, read the current value, add 1), =x5 (set without reading), ?x
// (MATCH sees it), !x (a write operator sees it), del-y, join (a relationship from x to y), commit, rollback.
#include <stdio.h>
#include <stdlib.h>

#include "graph/test_bench_int.h"

enum { SESSIONS_MAX = 3, STEPS_MAX = 8, SEEN_MAX = 8 };

struct session {
  const char *steps[STEPS_MAX];
  int count, at;
  struct graph_tx *tx;
  bool refused, committed;
  int64_t seen[SEEN_MAX];
  int seen_count;
};

struct run {
  struct bench b;
  graph_token n, knows;
  graph_id x, y;
  struct session sessions[SESSIONS_MAX];
  int session_count;
};

struct spec {
  const char *name;
  const char *sessions[SESSIONS_MAX];
  void (*check)(struct run *r);
};

static graph_id node_of(struct run *r, char name) {
  return name == 'x' ? r->x : r->y;
}

static int64_t value_in(struct run *r, struct graph_tx *tx, enum graph_read mode, char name) {
  return bench_property(&r->b, tx, mode, GRAPH_NODE, node_of(r, name), r->n).i;
}

static int64_t committed_value(struct run *r, char name) {
  struct graph_tx *tx = bench_begin(&r->b);
  int64_t n = value_in(r, tx, GRAPH_READ_SNAPSHOT, name);
  graph_tx_free(tx);
  return n;
}

static enum err step_add(struct run *r, struct session *s, char name) {
  graph_id id = node_of(r, name);
  bool changed;
  TRY(graph_lock(s->tx, GRAPH_NODE, &id, 1, GRAPH_LOCK_EXCLUSIVE, &r->b.e));
  return graph_set_property(s->tx, GRAPH_NODE, id, r->n, v_int(value_in(r, s->tx, GRAPH_READ_CURRENT, name) + 1), &changed,
                            &r->b.e);
}

static enum err step_write(struct run *r, struct session *s, const char *step) {
  bool changed;
  graph_id rel;
  if (step[0] == '+') return step_add(r, s, step[1]);
  if (step[0] == '=')
    return graph_set_property(s->tx, GRAPH_NODE, node_of(r, step[1]), r->n, v_int(step[2] - '0'), &changed, &r->b.e);
  if (strcmp(step, "join") == 0) return graph_create_rel(s->tx, r->x, r->y, r->knows, NULL, 0, &rel, &r->b.e);
  assert_string_equal(step, "del-y");
  return graph_delete_node(s->tx, r->y, &changed, &r->b.e);
}

static enum err step_run(struct run *r, struct session *s, const char *step) {
  uint64_t id;
  if (strcmp(step, "begin") == 0) {
    s->tx = bench_begin(&r->b);
    return ERR_OK;
  }
  if (strcmp(step, "statement") == 0) return graph_tx_statement(s->tx, &r->b.e);
  if (strcmp(step, "rollback") == 0) {
    graph_tx_rollback(s->tx);
    return ERR_OK;
  }
  if (strcmp(step, "commit") == 0) {
    enum err err = SETTLED(&r->b, graph_tx_commit(s->tx, &id, &r->b.e));
    s->committed = err == ERR_OK;
    return err;
  }
  if (step[0] == '?' || step[0] == '!') {
    s->seen[s->seen_count++] = value_in(r, s->tx, step[0] == '?' ? GRAPH_READ_SNAPSHOT : GRAPH_READ_CURRENT, step[1]);
    return ERR_OK;
  }
  return step_write(r, s, step);
}

/// Tries the session's next step. False if it must wait.
static bool advance(struct run *r, struct session *s) {
  if (s->at == s->count || s->refused) return false;
  enum err err = step_run(r, s, s->steps[s->at]);
  if (err == ERR_WAIT) return false;
  if (err != ERR_OK) {
    s->refused = true;
    graph_tx_rollback(s->tx);
  }
  s->at++;
  return true;
}

static void run_setup(struct run *r) {
  struct graph_property zero = {r->n, v_int(0)};
  struct graph_tx *tx = bench_begin(&r->b);
  must(&r->b, graph_create_node(tx, NULL, 0, &zero, 1, &r->x, &r->b.e));
  must(&r->b, graph_create_node(tx, NULL, 0, &zero, 1, &r->y, &r->b.e));
  bench_commit(&r->b, tx);
  for (int i = 0; i < r->session_count; i++) {
    struct session *s = &r->sessions[i];
    s->at = s->seen_count = 0;
    s->refused = s->committed = false;
    s->tx = NULL;
  }
}

/// One interleaving: `order` says whose turn it is. Whoever waits is passed over; in the end everybody is brought to the end.
static void run_order(struct run *r, const struct spec *spec, const int *order, int n) {
  run_setup(r);
  for (int i = 0; i < n; i++) advance(r, &r->sessions[order[i]]);
  for (bool any = true; any;) {
    any = false;
    for (int i = 0; i < r->session_count; i++) any = advance(r, &r->sessions[i]) || any;
  }
  for (int i = 0; i < r->session_count; i++) {
    struct session *s = &r->sessions[i];
    assert_true(s->refused || s->at == s->count); // nobody waits for ever
    graph_tx_free(s->tx);
  }
  spec->check(r);
  uint64_t found;
  must(&r->b, graph_check(r->b.g, NULL, NULL, &found, &r->b.e));
  assert_int_equal(found, 0);
}

static int all_orders(struct run *r, const struct spec *spec, int *order, int *left, int n, int at) {
  if (at == n) {
    run_order(r, spec, order, n);
    return 1;
  }
  int runs = 0;
  for (int i = 0; i < r->session_count; i++) {
    if (left[i] == 0) continue;
    left[i]--;
    order[at] = i;
    runs += all_orders(r, spec, order, left, n, at + 1);
    left[i]++;
  }
  return runs;
}

static void run_spec(const struct spec *spec) {
  struct run *r = mem_zalloc(sizeof *r);
  char text[SESSIONS_MAX][200];
  int order[SESSIONS_MAX * STEPS_MAX], left[SESSIONS_MAX] = {0}, n = 0;
  bench_start(&r->b);
  r->n = bench_token(&r->b, GRAPH_KEY, "n");
  r->knows = bench_token(&r->b, GRAPH_TYPE, "KNOWS");
  for (int i = 0; i < SESSIONS_MAX && spec->sessions[i] != NULL; i++) {
    struct session *s = &r->sessions[r->session_count++];
    snprintf(text[i], sizeof text[i], "%s", spec->sessions[i]);
    struct str rest = str_of(text[i]);
    while (rest.len > 0) {
      struct str step = str_cut(&rest, ' ');
      ((char *) (uintptr_t) step.ptr)[step.len] = 0;
      s->steps[s->count++] = step.ptr;
    }
    left[i] = s->count;
    n += s->count;
  }
  int runs = all_orders(r, spec, order, left, n, 0);
  print_message("# %s: %d interleavings\n", spec->name, runs);
  bench_stop(&r->b);
  mem_free(r);
}

static int committed_sessions(const struct run *r) {
  int n = 0;
  for (int i = 0; i < r->session_count; i++) n += r->sessions[i].committed;
  return n;
}

static void check_no_lost_update(struct run *r) {
  assert_int_equal(committed_value(r, 'x'), r->session_count);
}

static void check_no_dirty_read(struct run *r) {
  assert_int_equal(r->sessions[1].seen[0], 0);
  assert_int_equal(committed_value(r, 'x'), 0);
}

static void check_stable_within_statement(struct run *r) {
  assert_int_equal(r->sessions[1].seen[0], r->sessions[1].seen[1]);
}

static void check_all_or_nothing(struct run *r) {
  assert_int_equal(r->sessions[1].seen[0], r->sessions[1].seen[1]);
  assert_int_equal(committed_value(r, 'x'), 5);
}

static void check_crossing(struct run *r) {
  assert_true(committed_sessions(r) >= 1); // at most one is refused
  assert_int_equal(committed_value(r, 'x'), committed_sessions(r));
  assert_int_equal(committed_value(r, 'y'), committed_sessions(r));
}

static void check_no_dangling(struct run *r) {
  assert_int_equal(committed_sessions(r), 1); // whoever comes second is refused
}

static void check_own_writes(struct run *r) {
  assert_true(r->sessions[0].seen[0] < r->sessions[0].seen[1]);     // MATCH does not see its own clause's write
  assert_int_equal(r->sessions[0].seen[2], r->sessions[0].seen[1]); // the next statement does, and no other's
}

#define SPEC(test, ...)                                           \
  TEST(test) {                                                    \
    static const struct spec spec = {.name = #test, __VA_ARGS__}; \
    run_spec(&spec);                                              \
  }

SPEC(no_update_is_lost, .sessions = {"begin +x commit", "begin +x +y commit"}, .check = check_no_lost_update)
SPEC(nobody_reads_what_is_rolled_back, .sessions = {"begin =x5 rollback", "begin ?x commit"}, .check = check_no_dirty_read)
SPEC(a_statement_reads_one_state, .sessions = {"begin +x commit", "begin ?x ?x commit"}, .check = check_stable_within_statement)
SPEC(a_commit_is_seen_whole, .sessions = {"begin =x5 =y5 commit", "begin ?x ?y commit"}, .check = check_all_or_nothing)
SPEC(of_crossing_writers_one_is_refused, .sessions = {"begin +x +y commit", "begin +y +x commit"}, .check = check_crossing)
SPEC(no_relationship_outlives_its_end, .sessions = {"begin del-y commit", "begin join commit"}, .check = check_no_dangling)
SPEC(own_writes_are_seen_by_the_next_statement, .sessions = {"begin +x ?x !x statement ?x commit", "begin +x commit"},
     .check = check_own_writes)

TESTS(T(no_update_is_lost), T(nobody_reads_what_is_rolled_back), T(a_statement_reads_one_state), T(a_commit_is_seen_whole),
      T(of_crossing_writers_one_is_refused), T(no_relationship_outlives_its_end), T(own_writes_are_seen_by_the_next_statement))
