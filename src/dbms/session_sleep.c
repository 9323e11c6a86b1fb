// Operations that wait for something outside of a transaction: a bookmark, what a command has set going, or another server. They
// give their thread back and sleep, in a list of the server's, until they are told; the ticker looks for those that are late.
#include "dbms/bookmark.h"
#include "dbms/linearizable.h"
#include "dbms/relay.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

static void sleeper_unlink(struct dbms *d, struct dbms_session *s) {
  *(s->previous_sleeper != NULL ? &s->previous_sleeper->next_sleeper : &d->sleepers) = s->next_sleeper;
  if (s->next_sleeper != NULL) s->next_sleeper->previous_sleeper = s->previous_sleeper;
}

static void sleeper_link(struct dbms *d, struct dbms_session *s) {
  s->previous_sleeper = NULL;
  s->next_sleeper = d->sleepers;
  if (d->sleepers != NULL) d->sleepers->previous_sleeper = s;
  d->sleepers = s;
}

/// Whoever takes the session off the list continues it.
void session_woken(void *context) {
  struct dbms_session *s = context;
  struct dbms *d = s->dbms;
  mutex_lock(&d->mutex);
  bool slept = s->sleep == SLEEP_LASTS;
  if (slept) sleeper_unlink(d, s);
  s->sleep = SLEEP_ENDS;
  mutex_unlock(&d->mutex);
  if (slept) session_go_on(s);
}

/// ERR_WAIT: it will be told. ERR_NOMEM: nobody will tell, and it looks itself with every tick.
static enum err await_what_is_missing(struct dbms_session *s) {
  if (s->phase == PHASE_CATALOGUE) return ERR_NOMEM;
  if (relay_has(s->relay)) return relay_await(s->relay);
  if (s->phase == PHASE_READ_INDEX) return linearizable_await(s);
  if (s->phase == PHASE_SETTLE || s->phase == PHASE_ORIGIN || (s->tx != NULL && s->tx->polls)) return ERR_NOMEM;
  TRY(database_enter(s->bookmark_database, NULL));
  enum err err = graph_await(s->bookmark_database->graph, s->bookmark, session_woken, s, NULL);
  database_leave(s->bookmark_database);
  return err;
}

void session_fall_asleep(struct dbms_session *s) {
  struct dbms *d = s->dbms;
  s->resumes = session_may_resume(s);
  s->sleep = SLEEP_BEGINS; // nobody knows of it yet
  enum err err = await_what_is_missing(s);
  mutex_lock(&d->mutex);
  bool sleeps = s->sleep == SLEEP_BEGINS && (err == ERR_WAIT || err == ERR_NOMEM);
  s->sleep_polls = err == ERR_NOMEM;
  if (sleeps) {
    s->sleep = SLEEP_LASTS;
    sleeper_link(d, s);
  }
  mutex_unlock(&d->mutex);
  if (!sleeps) session_go_on(s);
}

static bool is_late(struct dbms_session *s, int64_t now_ns) {
  if (relay_awaits_answer(s->relay)) {
    relay_hurry(s->relay, now_ns);
    return false;
  }
  mutex_lock(&s->mutex);
  bool interrupted = s->interrupted != ERR_OK;
  mutex_unlock(&s->mutex);
  return interrupted || s->sleep_polls || now_ns >= s->bookmark_deadline_ns;
}

void session_wake_late_sleepers(struct dbms *d) {
  struct dbms_session *late = NULL;
  int64_t now_ns = clock_monotonic_ns(d->options.clock);
  mutex_lock(&d->mutex);
  for (struct dbms_session *s = d->sleepers, *next; s != NULL; s = next) {
    next = s->next_sleeper;
    if (!is_late(s, now_ns)) continue;
    sleeper_unlink(d, s);
    s->sleep = SLEEP_ENDS;
    s->next_sleeper = late;
    late = s;
  }
  mutex_unlock(&d->mutex);
  for (struct dbms_session *s = late, *next; s != NULL; s = next) {
    next = s->next_sleeper;
    linearizable_cancel(s);
    if (s->bookmark_database != NULL && database_hold(s->bookmark_database)) {
      graph_await_cancel(s->bookmark_database->graph, s);
      database_leave(s->bookmark_database);
    }                 // from here on nobody but us knows it
    session_go_on(s); // looks again at its bookmark, its deadline and whether it was interrupted
  }
}
