// What a client has seen before its transaction begins, as its bookmarks say.
#include "dbms/bookmark.h"
#include "dbms/session_int.h"
#include "graph/tx.h"

static struct database *find(struct dbms *d, const struct bookmark *b) {
  DATABASES_EACH(db, d)
  if (str_eqz(b->uuid, db->uuid)) return db;
  return NULL;
}

/// Of a database that there is, or was.
static bool is_known(struct dbms *d, const struct bookmark *b) {
  struct uuid id;
  return find(d, b) != NULL || (uuid_parse(b->uuid, &id) && reconcile_was_dropped(d, id));
}

enum err session_check_soundness(const struct database *db, struct error *e) {
  struct error why = ERROR_INIT;
  enum err failed = graph_failure(db->graph, &why);
  if (failed == ERR_OK) return ERR_OK;
  if (!db->replicated) return *e = why, failed;
  return error_set(e, ERR_DATABASE_UNAVAILABLE,
                   "Database '%.*s' has failed on this server, and does not come up to the bookmark: %s", STR_ARG(db->name),
                   why.message);
}

// ---- which databases there are ----

/// After a forced recovery the numbers of `system` are others'.
static bool is_of_system(const struct dbms *d, const struct bookmark *b) {
  return str_eqz(b->uuid, d->system->uuid) && b->generation == d->system->generation;
}

/// The first bookmark that speaks of what the catalogue here may not have heard of yet, or none. A database that nobody knows
/// here may have been made by a transaction of `system` that has not come to this member.
static enum err find_unheard(struct dbms *d, const struct str *bookmarks, uint32_t count, struct str *ret, struct error *e) {
  *ret = STR_NONE;
  for (uint32_t i = 0; i < count && ret->ptr == NULL; i++) {
    struct bookmark b;
    TRY(bookmark_read(bookmarks[i], &b, e));
    if (b.kind != BOOKMARK_DATABASE) continue;
    bool later = is_of_system(d, &b) && b.id > atomic_load(&d->reconciler.known);
    if (later || (d->cluster != NULL && !is_known(d, &b))) *ret = bookmarks[i];
  }
  return ERR_OK;
}

static enum err check_system(struct dbms *d, struct error *e) {
  if (database_enter(d->system, NULL) != ERR_OK) return ERR_OK;
  enum err failed = session_check_soundness(d->system, e);
  database_leave(d->system);
  return failed;
}

enum err session_await_catalogue(struct dbms_session *s, const struct str *bookmarks, uint32_t count, struct error *e) {
  struct dbms *d = s->dbms;
  struct str unheard;
  if (count == 0 || s->phase > PHASE_CATALOGUE) return ERR_OK;
  TRY(find_unheard(d, bookmarks, count, &unheard, e));
  bool began = s->phase == PHASE_CATALOGUE;
  s->phase = PHASE_START;
  if (unheard.ptr == NULL) return ERR_OK;
  TRY(check_system(d, e));
  int64_t now_ns = clock_monotonic_ns(d->options.clock);
  if (!began) s->bookmark_deadline_ns = now_ns + d->options.config->bookmark_timeout_ms * NS_PER_MS;
  if (now_ns >= s->bookmark_deadline_ns)
    return error_set(
        e, ERR_BOOKMARK_TIMEOUT,
        "Which databases there are is not known here as of bookmark `%.*s`: this server is behind, or the bookmark is of "
        "another cluster.",
        (int) MIN(unheard.len, 200), unheard.ptr);
  s->phase = PHASE_CATALOGUE;
  return ERR_WAIT;
}

// ---- what is in one ----

/// Of a standalone server's, or of a member whose catalogue has all that it is told of.
static enum err refuse_unknown(struct str bookmark, struct error *e) {
  return error_set(e, ERR_BOOKMARK_INVALID, "The bookmark `%.*s` is of a database that is not known here.",
                   (int) MIN(bookmark.len, 200), bookmark.ptr);
}

static enum err check_generation(const struct database *db, const struct bookmark *b, struct str text, struct error *e) {
  bool opened = db->generation != 0; // otherwise whoever has it open sees to that
  if (!opened || b->kind != BOOKMARK_DATABASE || b->generation == db->generation) return ERR_OK;
  return error_set(
      e, ERR_BOOKMARK_INVALID,
      "The bookmark `%.*s` is of another generation of the database: it was taken out of a cluster, founded another one, "
      "or was recovered since. Begin without bookmarks.",
      (int) MIN(text.len, 200), text.ptr);
}

enum err session_read_bookmarks(struct dbms_session *s, const struct database *db, const struct str *bookmarks, uint32_t count,
                                uint64_t *ret, struct error *e) {
  uint64_t highest = 0;
  for (uint32_t i = 0; i < count; i++) {
    struct bookmark b;
    TRY(bookmark_read(bookmarks[i], &b, e));
    if (b.kind == BOOKMARK_NONE) continue;
    if (b.kind == BOOKMARK_DATABASE && !is_known(s->dbms, &b)) return refuse_unknown(bookmarks[i], e);
    if (b.kind == BOOKMARK_DATABASE && !str_eqz(b.uuid, db->uuid)) continue;
    TRY(check_generation(db, &b, bookmarks[i], e));
    highest = MAX(highest, b.id);
  }
  *ret = highest;
  return ERR_OK;
}
