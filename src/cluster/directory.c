// The table of servers.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/directory_int.h"

enum {
  EXPIRY_MS = 10000,
  REMEMBERED_EXPIRIES = 6,
  SILENT_MS = 3000, // three beats are missing: it may have moved
};

static struct directory_place *self_place(struct directory *d) {
  return &d->places[0];
}

struct directory_place *directory_find(struct directory *d, struct uuid server) {
  for (size_t i = 0; i < DIRECTORY_SERVERS_MAX; i++)
    if (d->places[i].state != PLACE_FREE && uuid_eq(d->places[i].server, server)) return &d->places[i];
  return NULL;
}

/// What stands at a place, decoded into the scratch arena. What was taken can be read again, if there is memory.
static enum err read_place(struct directory *d, const struct directory_place *p, struct announcement *ret, struct error *e) {
  return announcement_get(p->bytes, p->len, &d->scratch, ret, e);
}

// ---- events ----

static void tell(struct directory *d, enum event_level level, const char *name, const struct announcement *a, const char *what) {
  event_raise(d->options.events, level, name, "server %s (%s) at %.*s %s", uuid_short(a->server).z, server_mode_text(a->mode),
              STR_ARG(a->addresses[ADDRESS_DISCOVERY]), what);
}

static void tell_gone(struct directory *d, const struct directory_place *p) {
  struct announcement a;
  if (d->options.events == NULL || read_place(d, p, &a, NULL) != ERR_OK) return;
  tell(d, EVENT_WARN, "cluster.directory.gone", &a, "is gone: nothing is heard of it any more");
}

void directory_tell_copy(struct directory *d, const struct announcement *a) {
  if (d->copy_epoch == a->epoch) return;
  d->copy_epoch = a->epoch;
  event_raise(
      d->options.events, EVENT_ERROR, "cluster.directory.copy",
      "the server at %.*s has the identity of this one (%s): one data folder is a copy of the other, or this one was brought "
      "back from a backup. Stop one of the two servers and start it with an empty data folder",
      STR_ARG(a->addresses[ADDRESS_DISCOVERY]), uuid_text(a->server).z);
}

/// As long as it goes on: there may be two clusters where one was meant, and clients of both.
static void tell_foreign(struct directory *d, const struct announcement *self, const struct announcement *a) {
  char at[ANNOUNCEMENT_ADDRESS_MAX + 1], why[160], counts[120], text[700];
  snprintf(at, sizeof at, "%.*s", STR_ARG(a->addresses[ADDRESS_DISCOVERY]));
  snprintf(why, sizeof why, "%s of %s", uuid_text(a->server).z, uuid_text(a->founding->cluster).z);
  if (!refusals_tell(&d->foreign_told, self_place(d)->heard_ms, at, why, counts, sizeof counts)) return;
  snprintf(
      text, sizeof text,
      "belongs to another cluster, %s, and this one to %s: an address of this cluster's settings points to it, or it is a former "
      "member, or two clusters were founded where one was meant, by servers that did not see each other. With an empty data folder "
      "it joins this one%s",
      uuid_text(a->founding->cluster).z, uuid_text(self->founding->cluster).z, counts);
  tell(d, EVENT_WARN, "cluster.directory.foreign", a, text);
}

static void tell_twin(struct directory *d, const struct announcement *a, struct str here) {
  if (uuid_eq(d->twin_told, a->server) && d->twin_told_epoch == a->epoch) return;
  d->twin_told = a->server;
  d->twin_told_epoch = a->epoch;
  event_raise(d->options.events, EVENT_WARN, "cluster.directory.twin",
              "refused the server at %.*s: it has the identity (%s) of the server at %.*s, which is there. Its data folder is a copy: stop it "
              "and start it with an empty one. If that server has moved there, it is taken when nothing is heard from its former address",
              STR_ARG(a->addresses[ADDRESS_DISCOVERY]), uuid_text(a->server).z, STR_ARG(here));
}

static enum err refuse_full(struct directory *d) {
  if (!d->full_told)
    event_raise(d->options.events, EVENT_WARN, "cluster.directory.full",
                "more than %u servers, or %u MB of what they say, are not kept: is somebody else talking to the discovery port?",
                DIRECTORY_SERVERS_MAX, DIRECTORY_BYTES_MAX >> 20);
  d->full_told = true;
  return ERR_LIMIT;
}

// ---- places ----

static void forget_in_links(struct directory *d, const struct directory_place *p) {
  for (struct directory_link *l = d->links; l != NULL; l = l->next) l->known[p - d->places] = (struct directory_version){0};
}

/// Under the lock.
static void clear_place(struct directory *d, struct directory_place *p) {
  d->bytes -= p->len;
  mem_free(p->bytes);
  *p = (struct directory_place){.state = PLACE_FREE};
  forget_in_links(d, p);
}

static struct directory_place *free_place(struct directory *d) {
  for (size_t i = 1; i < DIRECTORY_SERVERS_MAX; i++)
    if (d->places[i].state == PLACE_FREE) return &d->places[i];
  return NULL;
}

/// Puts a copy of the bytes at a place. ERR_NOMEM, ERR_LIMIT: it stays as it was.
static enum err put_bytes(struct directory *d, struct directory_place *p, const uint8_t *bytes, size_t len) {
  if (d->bytes - p->len + len > DIRECTORY_BYTES_MAX) return refuse_full(d);
  uint8_t *copy = mem_alloc(len);
  if (copy == NULL) return ERR_NOMEM;
  memcpy(copy, bytes, len);
  mutex_lock(&d->lock);
  d->bytes += len - p->len;
  mem_free(p->bytes);
  p->bytes = copy;
  p->len = len;
  mutex_unlock(&d->lock);
  return ERR_OK;
}

static void count_change(struct directory *d) {
  mutex_lock(&d->lock);
  d->changes++;
  mutex_unlock(&d->lock);
}

static void set_state(struct directory *d, struct directory_place *p, enum directory_place_state state) {
  mutex_lock(&d->lock);
  p->state = state;
  d->changes++;
  mutex_unlock(&d->lock);
}

// ---- hearing ----

static bool is_foreign(const struct announcement *self, const struct announcement *a) {
  return self->state == IDENTITY_BOUND && a->state == IDENTITY_BOUND && !uuid_eq(self->founding->cluster, a->founding->cluster);
}

static enum err is_welcome(struct directory *d, const struct announcement *a, bool *ret, struct error *e) {
  struct announcement self;
  TRY(read_place(d, self_place(d), &self, e));
  *ret = !is_foreign(&self, a);
  if (!*ret) tell_foreign(d, &self, a);
  return ERR_OK;
}

static void revive(struct directory *d, struct directory_place *p, const struct announcement *a) {
  if (p->state == PLACE_HERE) return;
  set_state(d, p, PLACE_HERE);
  tell(d, EVENT_INFO, "cluster.directory.here", a, "is there");
}

/// `p` says something new.
static enum err replace(struct directory *d, struct directory_place *p, const struct announcement *a, const uint8_t *bytes,
                        size_t len, struct error *e) {
  struct announcement before;
  TRY(read_place(d, p, &before, e));
  bool same = announcement_same(&before, a);
  TRY(put_bytes(d, p, bytes, len));
  if (!same) count_change(d);
  return ERR_OK;
}

static enum err add(struct directory *d, const struct announcement *a, const uint8_t *bytes, size_t len,
                    struct directory_place **ret) {
  struct directory_place *p = free_place(d);
  if (p == NULL) return refuse_full(d);
  TRY(put_bytes(d, p, bytes, len));
  mutex_lock(&d->lock);
  p->server = a->server;
  p->state = PLACE_GONE; // revived at once
  mutex_unlock(&d->lock);
  *ret = p;
  return ERR_OK;
}

static bool is_older(const struct directory_place *p, const struct announcement *a) {
  int order = announcement_cmp_version(a->epoch, a->revision, p->version.epoch, p->version.revision);
  return order < 0 || (order == 0 && a->beat <= p->version.beat);
}

/// Whether `a` is said by another process with the identity of the one at `p`, which is there: at another address (of a server that
/// cannot change in one life), and not in a life that is over, while the beats of this one go on.
static enum err is_twin(struct directory *d, const struct directory_place *p, const struct announcement *a, int64_t now_ms, bool *ret,
                        struct error *e) {
  struct announcement here;
  bool is_there = p->state == PLACE_HERE && now_ms - p->heard_ms < SILENT_MS;
  *ret = false;
  if (!is_there || a->epoch < p->version.epoch) return ERR_OK;
  TRY(read_place(d, p, &here, e));
  *ret = !str_eq(here.addresses[ADDRESS_DISCOVERY], a->addresses[ADDRESS_DISCOVERY]);
  if (*ret) tell_twin(d, a, here.addresses[ADDRESS_DISCOVERY]);
  return ERR_OK;
}

enum err directory_take(struct directory *d, int64_t now_ms, int64_t age_ms, const struct announcement *a, const uint8_t *bytes,
                        size_t len, struct directory_place **ret_place, struct error *e) {
  struct directory_place *p = directory_find(d, a->server);
  bool welcome, twin = false;
  *ret_place = p;
  if (p != NULL) TRY(is_twin(d, p, a, now_ms, &twin, e));
  if (twin) return error_set(e, ERR_BUSY, "it has the identity of another server, which is there");
  if (p != NULL && is_older(p, a)) return ERR_OK;
  if (age_ms >= d->options.expiry_ms) return ERR_OK; // it will not come back by being talked of
  *ret_place = NULL;
  if (directory_is_dropped(d, a->server, a->number)) return ERR_OK;
  TRY(is_welcome(d, a, &welcome, e));
  if (!welcome) return ERR_OK;
  enum err err = p != NULL ? replace(d, p, a, bytes, len, e) : add(d, a, bytes, len, &p);
  if (err == ERR_LIMIT) return ERR_OK; // told
  TRY(err);
  mutex_lock(&d->lock);
  p->version = (struct directory_version){a->epoch, a->revision, a->beat};
  p->heard_ms = now_ms - age_ms;
  mutex_unlock(&d->lock);
  revive(d, p, a);
  *ret_place = p;
  return ERR_OK;
}

void directory_take_beat(struct directory *d, int64_t now_ms, int64_t age_ms, struct directory_place *p, uint64_t beat) {
  if (beat <= p->version.beat || age_ms >= d->options.expiry_ms) return;
  mutex_lock(&d->lock);
  p->version.beat = beat;
  p->heard_ms = now_ms - age_ms;
  mutex_unlock(&d->lock);
  struct announcement a;
  if (p->state == PLACE_GONE && read_place(d, p, &a, NULL) == ERR_OK) revive(d, p, &a);
}

// ---- time ----

static void lose(struct directory *d, struct directory_place *p) {
  tell_gone(d, p);
  set_state(d, p, PLACE_GONE);
  forget_in_links(d, p); // if it comes back they get all of it again
}

static void expire(struct directory *d, struct directory_place *p, int64_t now_ms) {
  int64_t silent_ms = now_ms - p->heard_ms;
  if (p->state == PLACE_HERE && silent_ms >= d->options.expiry_ms) lose(d, p);
  if (p->state == PLACE_GONE && silent_ms >= d->options.expiry_ms * REMEMBERED_EXPIRIES) {
    mutex_lock(&d->lock);
    clear_place(d, p);
    mutex_unlock(&d->lock);
    d->full_told = false;
  }
}

void directory_tick(struct directory *d, int64_t now_ms) {
  struct directory_place *self = self_place(d);
  arena_reset(&d->scratch);
  mutex_lock(&d->lock);
  self->version.beat++;
  if (d->say_at_tick) self->version.revision++;
  self->heard_ms = now_ms;
  mutex_unlock(&d->lock);
  d->say_at_tick = false;
  for (size_t i = 1; i < DIRECTORY_SERVERS_MAX; i++) expire(d, &d->places[i], now_ms);
}

// ---- speaking ----

/// Servers of other clusters, once this one is bound.
static enum err forget_foreign(struct directory *d, const struct announcement *self, struct error *e) {
  for (size_t i = 1; i < DIRECTORY_SERVERS_MAX; i++) {
    struct announcement a;
    if (d->places[i].state == PLACE_FREE) continue;
    TRY(read_place(d, &d->places[i], &a, e));
    if (!is_foreign(self, &a)) continue;
    tell_foreign(d, self, &a);
    mutex_lock(&d->lock);
    clear_place(d, &d->places[i]);
    d->changes++;
    mutex_unlock(&d->lock);
  }
  return ERR_OK;
}

void directory_forget_dropped(struct directory *d) {
  for (size_t i = 1; i < DIRECTORY_SERVERS_MAX; i++) {
    struct directory_place *p = &d->places[i];
    struct announcement a;
    arena_reset(&d->scratch);
    if (p->state == PLACE_FREE || read_place(d, p, &a, NULL) != ERR_OK || !directory_is_dropped(d, a.server, a.number)) continue;
    for (struct directory_link *l = d->links; l != NULL; l = l->next) l->peer_dropped |= uuid_eq(l->peer, a.server);
    tell(d, EVENT_INFO, "cluster.directory.dropped", &a, "was dropped from the cluster");
    mutex_lock(&d->lock);
    clear_place(d, p);
    d->changes++;
    mutex_unlock(&d->lock);
  }
}

static enum err say(struct directory *d, const struct announcement *said, struct buf *bytes, bool *ret_at_once, struct error *e) {
  struct directory_place *p = self_place(d);
  struct announcement before, self = *said;
  self.revision = self.beat = 0; // they are the place's
  TRY(announcement_put(bytes, &self, e));
  *ret_at_once = false;
  if (bytes->len == p->len && memcmp(bytes->data, p->bytes, p->len) == 0) return ERR_OK;
  TRY(read_place(d, p, &before, e));
  TRY(forget_foreign(d, &self, e));
  bool same = announcement_same(&before, &self); // before what is compared with goes
  TRY(put_bytes(d, p, (uint8_t *) bytes->data, bytes->len));
  *ret_at_once = !same;
  d->say_at_tick = !*ret_at_once;
  if (!*ret_at_once) return ERR_OK;
  mutex_lock(&d->lock);
  p->version.revision++;
  d->changes++;
  mutex_unlock(&d->lock);
  return ERR_OK;
}

enum err directory_say(struct directory *d, const struct announcement *self, bool *ret_at_once, struct error *e) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  arena_reset(&d->scratch);
  enum err err = say(d, self, &bytes, ret_at_once, e);
  if (err != ERR_OK) return error_ensure(e, err);
  d->cluster = announcement_cluster(self);
  return ERR_OK;
}

// ---- life ----

static enum err fill_self(struct directory *d, const struct announcement *said, int64_t now_ms, struct error *e) {
  struct directory_place *p = self_place(d);
  struct announcement self = *said;
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  self.revision = self.beat = 0;
  TRY(announcement_put(&bytes, &self, e));
  TRY(put_bytes(d, p, (uint8_t *) bytes.data, bytes.len));
  p->state = PLACE_HERE;
  p->server = self.server;
  p->version = (struct directory_version){.epoch = self.epoch, .revision = 1, .beat = 1};
  p->heard_ms = now_ms;
  d->cluster = announcement_cluster(said);
  return ERR_OK;
}

enum err directory_new(const struct directory_options *options, const struct announcement *self, int64_t now_ms,
                       struct directory **ret, struct error *e) {
  struct directory *d = mem_zalloc(sizeof *d);
  if (d == NULL) return error_set(e, ERR_NOMEM, "no memory for the directory of servers");
  d->options = *options;
  if (d->options.expiry_ms == 0) d->options.expiry_ms = EXPIRY_MS;
  mutex_init(&d->lock);
  arena_init(&d->scratch, NULL);
  enum err err = fill_self(d, self, now_ms, e);
  if (err != ERR_OK) {
    directory_free(d);
    return error_ensure(e, err);
  }
  *ret = d;
  return ERR_OK;
}

void directory_free(struct directory *d) {
  if (d == NULL) return;
  for (size_t i = 0; i < DIRECTORY_SERVERS_MAX; i++) mem_free(d->places[i].bytes);
  arena_done(&d->scratch);
  mutex_done(&d->lock);
  mem_free(d->dropped);
  mem_free(d);
}

// ---- looking ----

uint64_t directory_changes(struct directory *d) {
  mutex_lock(&d->lock);
  uint64_t changes = d->changes;
  mutex_unlock(&d->lock);
  return changes;
}

static enum err copy_place(const struct directory_place *p, struct arena *arena, struct directory_server *to, struct error *e) {
  uint8_t *bytes = arena_copy(arena, p->bytes, p->len);
  if (bytes == NULL) return arena_err(arena, e);
  TRY(announcement_get(bytes, p->len, arena, &to->said, e));
  to->said.epoch = p->version.epoch;
  to->said.revision = p->version.revision;
  to->said.beat = p->version.beat;
  to->heard_ms = p->heard_ms;
  to->leaves = p->leaving_epoch == p->version.epoch;
  return ERR_OK;
}

static enum err copy_all(struct directory *d, struct arena *arena, struct directory_copy *ret, struct error *e) {
  uint32_t count = 0;
  for (size_t i = 0; i < DIRECTORY_SERVERS_MAX; i++) count += d->places[i].state == PLACE_HERE;
  struct directory_server *servers = arena_array(arena, count, sizeof *servers);
  if (servers == NULL) return arena_err(arena, e);
  uint32_t at = 0;
  for (size_t i = 0; i < DIRECTORY_SERVERS_MAX; i++)
    if (d->places[i].state == PLACE_HERE) TRY(copy_place(&d->places[i], arena, &servers[at++], e));
  *ret = (struct directory_copy){d->changes, count, servers};
  return ERR_OK;
}

enum err directory_copy(struct directory *d, struct arena *arena, struct directory_copy *ret, struct error *e) {
  mutex_lock(&d->lock);
  enum err err = copy_all(d, arena, ret, e);
  mutex_unlock(&d->lock);
  return err;
}

bool directory_is_elsewhere(struct directory *d, int64_t now_ms, uint64_t number, const char *address) {
  struct arena arena;
  struct directory_copy copy;
  bool elsewhere = false;
  arena_init(&arena, NULL);
  if (directory_copy(d, &arena, &copy, NULL) != ERR_OK) copy.count = 0;
  for (uint32_t i = 1; i < copy.count; i++) {
    struct str at = copy.servers[i].said.addresses[ADDRESS_RAFT];
    bool is_there = copy.servers[i].said.number == number && now_ms - copy.servers[i].heard_ms < SILENT_MS;
    elsewhere |= is_there && at.len > 0 && !str_eqz(at, address);
  }
  arena_done(&arena);
  return elsewhere;
}
