#include "http/cluster.h"

#include "wire/json.h"

// ---- yes or no ----

struct question {
  const char *what;
  bool yes[DBMS_FOLLOWS + 1]; // by the part that this server takes
};

static const struct question questions[] = {
    {"writable", {[DBMS_LEADS] = true}},
    {"read-only", {[DBMS_FOLLOWS] = true}},
    {"available", {[DBMS_LEADS] = true, [DBMS_FOLLOWS] = true}},
};
static const struct question questions_of_ha[] = {
    {"master", {[DBMS_LEADS] = true}},
    {"slave", {[DBMS_FOLLOWS] = true}},
    {"available", {[DBMS_LEADS] = true, [DBMS_FOLLOWS] = true}},
};

static const struct question *find_question(enum http_cluster_form form, struct str what) {
  const struct question *all = form == HTTP_CLUSTER_3_HA ? questions_of_ha : questions;
  for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
    if (str_eqz(what, all[i].what)) return &all[i];
  return NULL;
}

static struct http_response say(bool yes) {
  return (struct http_response){
      .status = yes ? 200 : 404, .content_type = STR("text/plain"), .body = yes ? STR("true") : STR("false")};
}

// ---- the document ----

static enum err put_text(struct json_writer *w, const char *key, struct str text) {
  TRY(json_key(w, str_of(key)));
  return text.len > 0 ? json_str(w, text) : json_null(w);
}

static enum err put_int(struct json_writer *w, const char *key, int64_t i) {
  TRY(json_key(w, str_of(key)));
  return json_int(w, i);
}

static enum err put_bool(struct json_writer *w, const char *key, bool b) {
  TRY(json_key(w, str_of(key)));
  return json_bool(w, b);
}

static enum err put_voters(struct json_writer *w, const struct dbms_standing *s) {
  TRY(json_key(w, STR("votingMembers")));
  TRY(json_begin_list(w));
  for (uint32_t i = 0; i < s->voter_count; i++) TRY(json_str(w, s->voters[i]));
  return json_end_list(w);
}

static enum err put_status(struct json_writer *w, const struct dbms_standing *s, const char *healthy) {
  bool takes_part = s->part != DBMS_TAKES_NO_PART;
  TRY(json_begin_map(w));
  TRY(put_int(w, "lastAppliedRaftIndex", (int64_t) s->applied));
  TRY(put_voters(w, s));
  TRY(put_text(w, "memberId", s->server));
  TRY(put_text(w, "leader", s->leader));
  if (s->leader_silent_ms >= 0) TRY(put_int(w, "millisSinceLastLeaderMessage", s->leader_silent_ms));
  TRY(put_int(w, "raftCommandsPerSecond", s->entries_per_second));
  TRY(put_bool(w, "participatingInRaftGroup", takes_part && !s->is_replica));
  TRY(put_bool(w, "core", !s->is_replica));
  TRY(put_bool(w, healthy, takes_part));
  return json_end_map(w);
}

static struct http_response document(struct buf *scratch) {
  return (struct http_response){.status = 200, .content_type = STR("application/json"), .body = buf_str(scratch)};
}

// ---- answers ----

static int status_of(enum http_cluster_form form, enum err err) {
  return err == ERR_UNSUPPORTED && form != HTTP_CLUSTER_SINCE_4 ? 403 : 404;
}

static enum err answer(const struct dbms_standing *s, enum http_cluster_form form, struct str what, struct buf *scratch,
                       struct http_response *ret) {
  const struct question *q = find_question(form, what);
  *ret = (struct http_response){.status = 404};
  if (q != NULL) *ret = say(q->yes[s->part]);
  if (q != NULL || form == HTTP_CLUSTER_3_HA || !str_eqz(what, "status")) return ERR_OK;
  struct json_writer w = json_writer_on(scratch);
  TRY(put_status(&w, s, "isHealthy"));
  *ret = document(scratch);
  return ERR_OK;
}

enum err http_cluster_answer(struct dbms *dbms, enum http_cluster_form form, struct str database, struct str what,
                             struct buf *scratch, struct http_response *ret) {
  struct arena a;
  struct dbms_standing s;
  arena_init(&a, NULL);
  enum err err = dbms_standing(dbms, database, &a, &s, NULL);
  if (err == ERR_OK)
    err = answer(&s, form, what, scratch, ret);
  else if (err != ERR_NOMEM)
    *ret = (struct http_response){.status = status_of(form, err)}, err = ERR_OK;
  arena_done(&a);
  return err;
}

static enum err put_database(struct json_writer *w, const struct dbms_standing *s) {
  TRY(json_begin_map(w));
  TRY(put_text(w, "databaseName", s->database));
  TRY(put_text(w, "databaseUuid", s->database_uuid));
  TRY(json_key(w, STR("databaseStatus")));
  TRY(put_status(w, s, "healthy"));
  return json_end_map(w);
}

static enum err put_all(struct dbms *dbms, struct json_writer *w, struct arena *a) {
  struct dbms_standing s;
  enum err err;
  TRY(json_begin_list(w));
  for (uint32_t i = 0; (err = dbms_standing_at(dbms, i, a, &s, NULL)) == ERR_OK; i++) TRY(put_database(w, &s));
  if (err != ERR_NOTFOUND) return err;
  return json_end_list(w);
}

enum err http_cluster_answer_all(struct dbms *dbms, struct buf *scratch, struct http_response *ret) {
  struct arena a;
  struct json_writer w = json_writer_on(scratch);
  arena_init(&a, NULL);
  enum err err = put_all(dbms, &w, &a);
  arena_done(&a);
  *ret = err == ERR_OK ? document(scratch) : (struct http_response){.status = 404};
  return err == ERR_UNSUPPORTED ? ERR_OK : err;
}
