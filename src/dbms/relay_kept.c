// Copies of what an operation points to, for whoever needs it after the operation.
#include <string.h>

#include "dbms/relay_int.h"

static enum err copy_text(struct arena *a, struct str *text, struct error *e) {
  if (text->len == 0) return ERR_OK;
  *text = arena_str(a, *text);
  return text->ptr != NULL ? ERR_OK : arena_err(a, e);
}

static enum err copy_texts(struct arena *a, const struct str **texts, uint32_t count, struct error *e) {
  struct str *copy = ARENA_ARRAY(a, struct str, count + 1);
  if (copy == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < count; i++) {
    copy[i] = (*texts)[i];
    TRY(copy_text(a, &copy[i], e));
  }
  *texts = copy;
  return ERR_OK;
}

static enum err copy_options(struct arena *a, struct dbms_tx_options *o, struct error *e) {
  TRY(copy_text(a, &o->database, e));
  TRY(copy_text(a, &o->impersonated_user, e));
  TRY(copy_texts(a, &o->bookmarks, o->bookmark_count, e));
  return value_copy(a, o->metadata, &o->metadata, e);
}

static enum err copy_run(struct arena *a, struct dbms_op *op, struct error *e) {
  TRY(copy_text(a, &op->run.query, e));
  TRY(value_copy(a, op->run.parameters, &op->run.parameters, e));
  TRY(copy_options(a, &op->run.tx, e));
  return copy_texts(a, &op->run.disabled_categories, op->run.disabled_category_count, e);
}

enum err relay_kept_put(struct relay_kept *k, const struct dbms_op *run, struct error *e) {
  relay_kept_drop(k);
  k->op = (struct dbms_op){.kind = DBMS_RUN, .run = run->run};
  enum err err = copy_run(&k->arena, &k->op, e);
  k->whole = err == ERR_OK;
  return err;
}

enum err relay_kept_begin(struct relay_kept *k, const struct dbms_tx_options *begin, struct error *e) {
  k->op = (struct dbms_op){.kind = DBMS_RUN, .run.tx = *begin};
  enum err err = copy_options(&k->arena, &k->op.run.tx, e);
  k->whole = err == ERR_OK;
  return err;
}

void relay_kept_drop(struct relay_kept *k) {
  k->whole = false;
  arena_reset(&k->arena);
}

// ---- summaries ----

static enum err copy_notification(struct arena *a, struct dbms_notification *n, struct error *e) {
  struct str *texts[] = {&n->neo4j_code,      &n->title,    &n->description, &n->gql_status,
                         &n->gql_description, &n->severity, &n->category};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) TRY(copy_text(a, texts[i], e));
  return ERR_OK;
}

static enum err copy_notifications(struct arena *a, struct dbms_summary *s, struct error *e) {
  struct dbms_notification *copy = ARENA_ARRAY(a, struct dbms_notification, s->notification_count + 1);
  if (copy == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < s->notification_count; i++) {
    copy[i] = s->notifications[i];
    TRY(copy_notification(a, &copy[i], e));
  }
  s->notifications = copy;
  return ERR_OK;
}

/// Types are few and their texts static wherever they come from here.
static const char *type_text(const char *type) {
  static const char *const types[] = {"r", "w", "rw", "s"};
  for (size_t i = 0; i < ARRAY_SIZE(types); i++)
    if (type != NULL && strcmp(type, types[i]) == 0) return types[i];
  return "w";
}

enum err relay_copy_summary(struct arena *a, const struct dbms_summary *from, struct dbms_summary *ret, struct error *e) {
  struct dbms_summary s = *from;
  s.type = type_text(from->type);
  TRY(value_copy(a, from->plan, &s.plan, e));
  TRY(value_copy(a, from->profile, &s.profile, e));
  TRY(copy_notifications(a, &s, e));
  TRY(copy_text(a, &s.database, e));
  s.bookmark = STR_NONE;
  *ret = s;
  return ERR_OK;
}
