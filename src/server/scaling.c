#include "server/scaling.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/identity.h"
#include "dbms/dbms.h"
#include "dbms/offline.h"
#include "os/thread.h"

enum {
  ANSWER_MS = 5000, // for Kubernetes
  LOOK_MS = 5000,   // from one question about others to the next
};

struct scaling {
  struct scaling_options options;
  struct pod pod; // its name is in `name`
  char name[STATEFUL_SET_NAME_MAX + 1];

  // The loop's.
  struct kubernetes_question *question; // about others
  struct dbms *dbms;                    // that wants to know
  int64_t next_ms;
  char trouble[400]; // the last that was told
};

// ---- who this is ----

static bool is_wanted(const struct config_values *v) {
  if (!str_eqz(v->mode, "CORE") || str_eqz(v->kubernetes_scaling, "OFF")) return false;
  return str_eqz(v->kubernetes_scaling, "ON") || str_eqz(v->discovery_type, "K8S");
}

static void name_self(struct scaling *s) {
  struct str set = s->options.config->kubernetes_pod_name;
  if (set.len > 0)
    snprintf(s->name, sizeof s->name, "%.*s", STR_ARG(set));
  else
    gethostname(s->name, sizeof s->name - 1);
}

/// Where Kubernetes is only asked for servers, a machine of any name will do.
static enum err refuse_name(const struct scaling *s, struct error *e) {
  if (!str_eqz(s->options.config->kubernetes_scaling, "ON")) return ERR_OK;
  return error_set(e, ERR_INVALID,
                   "quiver.kubernetes.scaling=ON: '%s' is no pod of a StatefulSet, which is called core-0, core-1 and so on: set "
                   "quiver.kubernetes.pod_name to the name of the pod.",
                   s->name);
}

enum err scaling_open(const struct scaling_options *options, struct scaling **ret, struct error *e) {
  *ret = NULL;
  if (!is_wanted(options->config)) return ERR_OK;
  struct scaling *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->options = *options;
  s->options.kubernetes.timeout_ms = MIN((int64_t) ANSWER_MS, MAX(options->config->kubernetes_leave_ms, 1));
  name_self(s);
  if (!pod_parse(str_of(s->name), &s->pod)) {
    enum err err = refuse_name(s, e);
    mem_free(s);
    return err;
  }
  event_raise(
      s->options.events, EVENT_INFO, "server.scaling",
      "This server is pod %u of StatefulSet '%.*s': if it is stopped when the set has no room for it, it leaves the cluster.",
      s->pod.ordinal, STR_ARG(s->pod.set));
  *ret = s;
  return ERR_OK;
}

void scaling_close(struct scaling *s) {
  if (s == NULL) return;
  kubernetes_question_free(s->question);
  mem_free(s);
}

struct pod scaling_pod(const struct scaling *s) {
  return s != NULL ? s->pod : (struct pod){.set = STR_NONE};
}

// ---- a question that is waited for ----

struct asking {
  struct scaling *scaling;
  struct mutex mutex; // what follows
  struct condition answered;
  bool over;
  enum err err;
  struct error error;
  struct stateful_set set;
};

static void answer(struct asking *a, const struct stateful_set *set, const struct error *why) {
  mutex_lock(&a->mutex);
  a->over = true;
  if (set != NULL) a->set = *set;
  if (why != NULL) a->error = *why;
  a->err = why != NULL ? why->code : ERR_OK;
  condition_signal(&a->answered);
  mutex_unlock(&a->mutex);
}

static void on_set(void *context, const struct stateful_set *set) {
  answer(context, set, NULL);
}

static void on_failed(void *context, const struct error *why) {
  answer(context, NULL, why);
}

static void ask_on_loop(void *argument) {
  static const struct kubernetes_events events = {.set = on_set, .failed = on_failed};
  struct asking *a = argument;
  struct scaling *s = a->scaling;
  const struct scaling_options *o = &s->options;
  struct kubernetes_question *question; // freed when it is answered
  struct error e = ERROR_INIT;
  enum err err = kubernetes_ask_set(o->loop, o->resolver, &o->kubernetes, s->pod.set, &events, a, &question, &e);
  if (err == ERR_OK) return;
  e.code = err;
  answer(a, NULL, &e);
}

static enum err ask(struct scaling *s, struct stateful_set *ret, struct error *e) {
  struct asking a = {.scaling = s, .error = ERROR_INIT};
  mutex_init(&a.mutex);
  condition_init(&a.answered);
  loop_call(s->options.loop, ask_on_loop, &a);
  mutex_lock(&a.mutex);
  while (!a.over) condition_wait(&a.answered, &a.mutex);
  mutex_unlock(&a.mutex);
  condition_done(&a.answered);
  mutex_done(&a.mutex);
  *ret = a.set;
  return a.err == ERR_OK ? ERR_OK : error_set(e, a.err, "%s", a.error.message);
}

// ---- a stop ----

static void tell_fate(const struct scaling *s, const struct stateful_set *set, enum pod_fate fate) {
  static const char *const texts[] = {
      [POD_STAYS] = "this is a restart, and the server stays a member of its cluster",
      [POD_RESTS] = "the cluster as a whole ends or pauses, and the server stays a member of it",
      [POD_LEAVES] = "it has no room for this pod, so the server is to leave its cluster",
  };
  event_raise(s->options.events, EVENT_INFO, "server.scaling",
              "StatefulSet '%.*s' is to have %lld pods from ordinal %lld on%s, and this is pod %u: %s.", STR_ARG(s->pod.set),
              (long long) set->replicas, (long long) set->first, set->deleted ? " and is being deleted" : "", s->pod.ordinal,
              texts[fate]);
}

enum pod_fate scaling_fate(struct scaling *s) {
  struct stateful_set set;
  struct error e = ERROR_INIT;
  if (ask(s, &set, &e) != ERR_OK) {
    event_raise(s->options.events, EVENT_WARN, "server.scaling",
                "Nobody says whether pod %u of StatefulSet '%.*s' is restarted or scaled away, so that it stops as for a restart "
                "and stays a member of "
                "its cluster: %s. If it was scaled away, DROP SERVER takes it out.",
                s->pod.ordinal, STR_ARG(s->pod.set), e.message);
    return POD_STAYS;
  }
  enum pod_fate fate = stateful_set_fate(&set, s->pod.ordinal);
  tell_fate(s, &set, fate);
  return fate;
}

// ---- a start ----

static enum err begin_anew(struct scaling *s, const struct identity *was, const char *data, struct disk *disk, struct error *e) {
  TRY(offline_set_aside(data, disk, e));
  event_raise(s->options.events, EVENT_WARN, "server.scaling",
              "This server was dropped from cluster %s, and StatefulSet '%.*s' has room for its pod: it joins as a new server, "
              "and gets what the others have. "
              "What it had before is in '%s/databases.dropped', until that happens once more; it may be removed.",
              uuid_text(was->founding.cluster).z, STR_ARG(s->pod.set), data);
  return ERR_OK;
}

enum err scaling_come_back(struct scaling *s, const char *data, struct disk *disk, struct error *e) {
  struct identity was;
  struct stateful_set set;
  struct error why = ERROR_INIT;
  TRY(identity_open(disk, data, random_system(), &was, e));
  if (was.state != IDENTITY_DROPPED) return ERR_OK;
  if (ask(s, &set, &why) != ERR_OK) {
    event_raise(s->options.events, EVENT_WARN, "server.scaling",
                "Nobody says whether StatefulSet '%.*s' has room for this pod again: %s", STR_ARG(s->pod.set), why.message);
    return ERR_OK; // it stays dropped
  }
  return stateful_set_fate(&set, s->pod.ordinal) == POD_STAYS ? begin_anew(s, &was, data, disk, e) : ERR_OK;
}

// ---- others ----

static void on_others_set(void *context, const struct stateful_set *set) {
  struct scaling *s = context;
  s->question = NULL;
  s->trouble[0] = '\0';
  if (s->dbms != NULL) dbms_set_told(s->dbms, set);
}

/// Each new reason once, until it has worked in between.
static void tell_trouble(struct scaling *s, const char *why) {
  if (strncmp(s->trouble, why, sizeof s->trouble - 1) == 0) return;
  snprintf(s->trouble, sizeof s->trouble, "%s", why);
  event_raise(s->options.events, EVENT_WARN, "server.scaling",
              "Pods of StatefulSet '%.*s' are away, and nobody says whether they were scaled away: %s. They stay members; if "
              "they were, DROP SERVER "
              "takes them out.",
              STR_ARG(s->pod.set), why);
}

static void on_others_failed(void *context, const struct error *why) {
  struct scaling *s = context;
  s->question = NULL;
  tell_trouble(s, why->message);
}

void scaling_look(struct scaling *s, struct dbms *d) {
  static const struct kubernetes_events events = {.set = on_others_set, .failed = on_others_failed};
  const struct scaling_options *o = &s->options;
  struct error e = ERROR_INIT;
  s->dbms = d;
  if (d == NULL || s->question != NULL || loop_now_ms(o->loop) < s->next_ms || !dbms_asks_for_set(d)) return;
  s->next_ms = loop_now_ms(o->loop) + LOOK_MS;
  if (kubernetes_ask_set(o->loop, o->resolver, &o->kubernetes, s->pod.set, &events, s, &s->question, &e) != ERR_OK)
    tell_trouble(s, e.message);
}
