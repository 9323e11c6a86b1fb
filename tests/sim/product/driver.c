#include "driver.h"

#include <stdlib.h>
#include <string.h>

#include "os/thread.h"

static const int64_t ANSWER_NS = 4 * NS_PER_S, TABLE_NS = 10 * NS_PER_S;

uint64_t bookmark_place(const char *bookmark) {
  const char *last = strrchr(bookmark, ':');
  return last != NULL ? strtoull(last + 1, NULL, 10) : 0;
}

// ---- connections ----

static struct session_line *line_to(struct driver *d, uint32_t server) {
  if (d->lines[server] == NULL) d->lines[server] = session_line_open(&d->servers[server - 1], d->self);
  return d->lines[server];
}

static void drop_from(uint32_t *list, uint32_t *count, uint32_t server) {
  for (uint32_t i = 0; i < *count;)
    if (list[i] == server)
      list[i] = list[--*count];
    else
      i++;
}

/// It does not answer: it is not asked again before the next table.
static void forget(struct driver *d, uint32_t server) {
  session_line_close(d->lines[server]);
  d->lines[server] = NULL;
  drop_from(d->writers, &d->writer_count, server);
  drop_from(d->readers, &d->reader_count, server);
}

void driver_close(struct driver *d) {
  for (uint32_t i = 1; i <= d->server_count; i++) forget(d, i);
}

static bool ask(struct driver *d, uint32_t server) {
  struct session_line *l = line_to(d, server);
  if (l != NULL && session_line_call(l, &d->request, &d->answer, ANSWER_NS)) return true;
  forget(d, server);
  return false;
}

// ---- routing ----

static bool take_table(struct driver *d, uint32_t from) {
  d->request = (struct request){.kind = CALL_ROUTE, .database = d->database};
  if (!ask(d, from)) return false;
  if (d->answer.err != ERR_OK) {
    forget(d, from);
    return false;
  }
  memcpy(d->writers, d->answer.writers, sizeof d->writers);
  memcpy(d->readers, d->answer.readers, sizeof d->readers);
  d->writer_count = d->answer.writer_count;
  d->reader_count = d->answer.reader_count;
  d->expires_ns = world_now_ns() + TABLE_NS;
  return d->reader_count > 0;
}

static void refresh(struct driver *d) {
  uint32_t first = (uint32_t) rng_below(world_rng(), d->server_count);
  for (uint32_t i = 0; i < d->server_count; i++)
    if (take_table(d, (first + i) % d->server_count + 1)) return;
}

/// Any server takes a write, and has its leader carry it out: clients that know one address rely on that.
static uint32_t choose(struct driver *d, bool writes) {
  if (writes && rng_chance(world_rng(), 1, 4)) return 1 + (uint32_t) rng_below(world_rng(), d->server_count);
  const uint32_t *list = writes ? d->writers : d->readers;
  const uint32_t *count = writes ? &d->writer_count : &d->reader_count;
  if (world_now_ns() >= d->expires_ns || *count == 0) refresh(d);
  uint32_t server = *count > 0 ? list[rng_below(world_rng(), *count)] : 0;
  return server <= d->server_count ? server : 0;
}

// ---- attempts ----

/// A cluster in trouble may say this; anything else is a mistake. A member whose log has failed beside a lost connection cannot
/// look up what became of a commit (ERR_COMMIT_UNKNOWN).
static bool is_expected(enum err err) {
  const char *code = err_neo4j_code(err);
  return err == ERR_NOT_LEADER || err == ERR_READ_ONLY || err == ERR_TX_LOG || err == ERR_LOCK_TIMEOUT || err == ERR_TX_TIMEOUT ||
         err == ERR_IO || err == ERR_NOSPC || err == ERR_COMMIT_UNKNOWN ||
         strncmp(code, "Neo.TransientError.", strlen("Neo.TransientError.")) == 0;
}

static void failed(struct attempt *a) {
  struct driver *d = a->driver;
  enum err err = d->answer.err;
  world_tell(process_name(d->self), "server %u says: %s (%s)", a->server, d->answer.error.message, err_neo4j_code(err));
  snprintf(d->last_error, sizeof d->last_error, "%s", d->answer.error.message);
  bool unknown = a->commits && strncmp(err_neo4j_code(err), "Neo.DatabaseError.", strlen("Neo.DatabaseError.")) == 0;
  a->outcome = unknown ? OUTCOME_UNKNOWN : OUTCOME_REFUSED;
  bool missing =
      d->may_be_missing && strncmp(err_neo4j_code(err), "Neo.ClientError.Database.", strlen("Neo.ClientError.Database.")) == 0;
  if (!is_expected(err) && !missing && d->wrong == NULL) {
    snprintf(d->wrong_text, sizeof d->wrong_text, "a client was told by server %u: %s (%s), after: %s", a->server,
             d->answer.error.message, err_neo4j_code(err), d->request.query);
    d->wrong = d->wrong_text;
  }
  if (err == ERR_NOT_LEADER || err == ERR_READ_ONLY) d->writer_count = 0;
  d->request = (struct request){.kind = CALL_RESET};
  if (ask(d, a->server) && err == ERR_DATABASE_UNAVAILABLE) forget(d, a->server);
}

static bool step(struct attempt *a) {
  struct driver *d = a->driver;
  if (a->outcome != OUTCOME_OK) return false;
  if (a->server == 0) {
    a->outcome = OUTCOME_REFUSED;
    return false;
  }
  bool reached = line_to(d, a->server) != NULL; // which takes time: reached at a second try, it may have done it
  if (!reached) forget(d, a->server);
  if (!reached || !ask(d, a->server)) {
    snprintf(d->last_error, sizeof d->last_error, "it is not reached");
    a->outcome = a->commits && reached ? OUTCOME_UNKNOWN : OUTCOME_REFUSED;
    world_tell(process_name(d->self), "server %u does not answer%s", a->server, a->commits ? " to a commit" : "");
    return false;
  }
  if (d->answer.err == ERR_OK) return true;
  failed(a);
  return false;
}

void attempt_begin(struct attempt *a, struct driver *d, bool writes, uint32_t number) {
  *a = (struct attempt){.driver = d, .server = number != 0 ? number : choose(d, writes)};
}

bool attempt_open(struct attempt *a, bool writes, const char *bookmark) {
  struct request *r = &a->driver->request;
  *r = (struct request){.kind = CALL_BEGIN, .read_only = !writes, .database = a->driver->database};
  snprintf(r->bookmark, sizeof r->bookmark, "%s", bookmark);
  return step(a);
}

static void put_query(struct request *r, const char *query, const struct call_parameter *parameters, uint32_t count) {
  snprintf(r->query, sizeof r->query, "%s", query);
  for (uint32_t i = 0; i < count; i++) r->parameters[i] = parameters[i];
  r->parameter_count = count;
}

bool attempt_run(struct attempt *a, const char *query, const struct call_parameter *parameters, uint32_t count) {
  a->driver->request = (struct request){.kind = CALL_RUN, .database = a->driver->database};
  put_query(&a->driver->request, query, parameters, count);
  return step(a);
}

bool attempt_commit(struct attempt *a) {
  a->driver->request = (struct request){.kind = CALL_COMMIT};
  a->commits = true;
  return step(a);
}

bool attempt_auto(struct attempt *a, bool writes, const char *bookmark, const char *query,
                  const struct call_parameter *parameters, uint32_t count) {
  struct request *r = &a->driver->request;
  *r = (struct request){.kind = CALL_AUTO, .read_only = !writes, .database = a->driver->database};
  snprintf(r->bookmark, sizeof r->bookmark, "%s", bookmark);
  put_query(r, query, parameters, count);
  a->commits = writes;
  return step(a);
}

void attempt_roll_back(struct attempt *a) {
  a->driver->request = (struct request){.kind = CALL_ROLLBACK};
  (void) step(a);
  a->outcome = OUTCOME_REFUSED;
}
