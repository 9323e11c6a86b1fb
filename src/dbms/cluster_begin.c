// The beginning of a database's group, once in the life of its data on a server: with its first members, or with nothing.
//
// A vote belongs to its data (contract 20), and data can be lost with their folder, or be put back from an older copy, while the
// server stays who it is. So how often this server has begun a group, and which data took part in it last (dbms/data_mark.h), is
// kept beside the folders of the databases (docs/formats/catalogue.md): who begins again begins with nothing, and who has older
// data goes on with them, both as a member that nobody was before, and the leader takes it in (docs/adr/0016).
//
// The order is: the log is begun, its life is durable, the data are marked, the group is joined. Before that nothing was
// promised, and whatever of the log is lost may be begun once more as it was.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"
#include "cluster/identity.h"
#include "dbms/cluster_int.h"
#include "dbms/data_mark.h"
#include "store/store.h"

enum { FIRST_LIFE = 1, MARK_BYTES = 16 };

static const uint8_t mark_magic[4] = {'Q', 'G', 'R', 'P'};

// ---- in which life ----

static void mark_folder(const struct dbms *d, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%.*s/groups", STR_ARG(d->options.config->data_directory));
}

static enum err save_life(const struct database *db, uint32_t life, struct error *e) {
  char folder[DISK_PATH_MAX];
  uint8_t bytes[MARK_BYTES] = {0};
  memcpy(bytes, mark_magic, sizeof mark_magic);
  put_u32_le(bytes + 4, life);
  put_u32_le(bytes + 8, (uint32_t) db->dbms->options.cluster->server);
  put_u32_le(bytes + 12, checksum32(bytes, 12, 0));
  mark_folder(db->dbms, folder);
  TRY(disk_make_directories(db->dbms->options.disk, folder, e));
  return disk_replace_file(db->dbms->options.disk, folder, db->uuid, bytes, sizeof bytes, e);
}

/// The last life of the group's data here; 0: it has not begun, or as another server, whose folder this was before it was
/// unbound. Where the mark cannot be read the group is not begun.
static enum err read_life(const struct database *db, uint32_t *ret, struct error *e) {
  char folder[DISK_PATH_MAX], path[DISK_PATH_MAX + UUID_TEXT_BYTES + 1];
  uint8_t bytes[MARK_BYTES];
  mark_folder(db->dbms, folder);
  snprintf(path, sizeof path, "%s/%s", folder, db->uuid);
  *ret = 0;
  size_t size = 0;
  enum err err = disk_read_file(db->dbms->options.disk, path, bytes, sizeof bytes, &size, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  TRY(err);
  bool good = size == sizeof bytes && memcmp(bytes, mark_magic, sizeof mark_magic) == 0 &&
              get_u32_le(bytes + 12) == checksum32(bytes, 12, 0);
  if (!good) return error_set(e, ERR_CORRUPT, "The file '%s' is damaged: bring it back from a backup of this server.", path);
  if (get_u32_le(bytes + 8) == db->dbms->options.cluster->server) *ret = get_u32_le(bytes + 4);
  return ERR_OK;
}

void cluster_forget_life(struct dbms *d, struct uuid database) {
  char folder[DISK_PATH_MAX], path[DISK_PATH_MAX + UUID_TEXT_BYTES + 1];
  mark_folder(d, folder);
  snprintf(path, sizeof path, "%s/%s", folder, uuid_text(database).z);
  enum err err = disk_unlink(d->options.disk, path, NULL);
  (void) err; // there is none, or the next start finds it
  data_mark_forget(d->options.disk, folder, uuid_text(database).z);
}

// ---- first members as text: "<server>@<host:port>,..." ----

enum err cluster_members_text(const struct consensus_membership *m, struct arena *a, struct str *ret, struct error *e) {
  size_t cap = (size_t) m->count * (CONSENSUS_ADDRESS_BYTES + 24) + 1, len = 0;
  char *text = arena_alloc(a, cap);
  if (text == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < m->count; i++) {
    if (m->members[i].role != CONSENSUS_VOTER) continue;
    len += (size_t) snprintf(text + len, cap - len, "%s%llu@%s", len > 0 ? "," : "",
                             (unsigned long long) member_server(m->members[i].id), m->members[i].address);
  }
  *ret = (struct str){text, len};
  return ERR_OK;
}

static bool add_member(struct consensus_membership *m, uint64_t server, struct str address) {
  if (m->count == CONSENSUS_MEMBERS_MAX || server == 0 || server > UINT32_MAX || address.len == 0 ||
      address.len >= CONSENSUS_ADDRESS_BYTES)
    return false;
  struct consensus_member *to = &m->members[m->count++];
  *to = (struct consensus_member){.id = member_of(server, FIRST_LIFE), .role = CONSENSUS_VOTER};
  memcpy(to->address, address.ptr, address.len);
  return true;
}

static int order_members(const void *a, const void *b) {
  const struct consensus_member *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

static bool are_distinct(const struct consensus_membership *m) {
  for (uint32_t i = 1; i < m->count; i++)
    if (m->members[i].id == m->members[i - 1].id) return false;
  return true;
}

enum err cluster_members_parse(struct str text, struct consensus_membership *ret, struct error *e) {
  *ret = (struct consensus_membership){.index = 1};
  bool good = true;
  for (struct str rest = text; good && rest.len > 0;) {
    struct str address = str_cut(&rest, ','), number = str_cut(&address, '@');
    int64_t server = 0;
    good = str_to_i64(number, &server) && server > 0 && add_member(ret, (uint64_t) server, address);
  }
  if (ret->count > 0) qsort(ret->members, ret->count, sizeof ret->members[0], order_members);
  if (good && are_distinct(ret)) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "The catalogue names members of a group that cannot be: '%.*s'.", STR_ARG(text));
}

/// Where a server says that it is, wherever the membership of `system` says it was.
static void address_now(struct consensus_membership *m, const struct directory_copy *view) {
  for (uint32_t i = 0; i < m->count; i++)
    for (uint32_t k = 0; k < view->count; k++) {
      const struct announcement *s = &view->servers[k].said;
      struct str at = s->addresses[ADDRESS_RAFT];
      if (s->number != member_server(m->members[i].id) || at.len == 0 || at.len >= CONSENSUS_ADDRESS_BYTES) continue;
      memcpy(m->members[i].address, at.ptr, at.len);
      m->members[i].address[at.len] = '\0';
    }
}

enum err cluster_first_members(struct cluster *c, struct arena *a, struct str *ret, struct error *e) {
  struct consensus_membership *m = ARENA_NEW(a, struct consensus_membership);
  struct directory_copy view = {0};
  if (m == NULL) return arena_err(a, e);
  mutex_lock(&c->mutex);
  *m = c->system_members;
  mutex_unlock(&c->mutex);
  if (m->count == 0)
    return error_set(e, ERR_DATABASE_UNAVAILABLE, "Who belongs to the cluster is not known here yet. Try again soon.");
  if (c->options->directory != NULL) TRY(directory_copy(c->options->directory, a, &view, e));
  address_now(m, &view);
  return cluster_members_text(m, a, ret, e);
}

// ---- beginning ----

void cluster_database_uuid(const struct cluster *c, struct str name, uint8_t ret[16]) {
  for (uint64_t half = 0; half < 2; half++) {
    uint64_t seed = hash64(c->options->cluster, sizeof c->options->cluster, half);
    uint64_t hash = hash64(name.ptr, name.len, seed);
    memcpy(ret + 8 * half, &hash, sizeof hash);
  }
}

static bool begins_with_cluster(const struct database *db) {
  uint8_t uuid[16];
  cluster_database_uuid(db->dbms->cluster, db->name, uuid);
  return uuid_eq(db->id, uuid_get(uuid));
}

static enum err first_members(const struct database *db, struct consensus_membership *ret, struct error *e) {
  const struct dbms_cluster_options *o = db->dbms->cluster->options;
  if (!begins_with_cluster(db)) return cluster_members_parse(db->members, ret, e);
  *ret = (struct consensus_membership){.index = 1};
  for (uint32_t i = 0; i < o->founder_count; i++)
    if (!add_member(ret, o->founders[i].server, str_of(o->founders[i].address)))
      return error_set(e, ERR_INVALID, "server %llu cannot be a founder", (unsigned long long) o->founders[i].server);
  qsort(ret->members, ret->count, sizeof ret->members[0], order_members);
  return ERR_OK;
}

/// Whoever comes later, or has lost its log, or does not know any more whether it had one, begins with nothing under a member id
/// that nobody had before.
static enum err begin(const struct database *db, uint32_t last_life, uint32_t *ret_life, struct error *e) {
  const struct dbms_cluster_options *o = db->dbms->cluster->options;
  struct log *log = store_log(graph_store(db->graph));
  struct consensus_membership *first = mem_alloc(sizeof *first);
  if (first == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = first_members(db, first, e);
  uint64_t id = member_of(o->server, FIRST_LIFE);
  bool former = last_life > 0 || (o->begun && begins_with_cluster(db)) || atomic_load(&db->dbms->cluster->renewing);
  bool begun = former && !MUTANT(product_former_self);
  bool is_first = err == ERR_OK && !begun && consensus_membership_find(first, id) != NULL;
  *ret_life = is_first ? FIRST_LIFE : MAX((uint32_t) o->epoch, last_life + 1);
  if (err == ERR_OK) err = is_first ? group_begin(log, id, first, e) : group_begin_empty(log, member_of(o->server, *ret_life), e);
  mem_free(first);
  return err;
}

/// A vote is one server's: who starts with the stores of another would give it a second time.
static enum err check_owner(const struct database *db, uint64_t member, struct error *e) {
  uint64_t owner = member_server(member), self = db->dbms->cluster->options->server;
  if (member == 0 || owner == self) return ERR_OK;
  return error_set(
      e, ERR_INVALID,
      "The store in folder '%.*s' belongs to server %llu of a cluster, and this one is server %llu: remove the folder, and "
      "the others fill it again; or bring back data/" IDENTITY_FILE " of server %llu, if that is the one that was lost.",
      STR_ARG(db->folder), (unsigned long long) owner, (unsigned long long) self, (unsigned long long) owner);
}

// ---- older data ----

static enum err read_data_mark(const struct database *db, struct data_mark *ret, struct error *e) {
  char folder[DISK_PATH_MAX];
  mark_folder(db->dbms, folder);
  return data_mark_read(db->dbms->options.disk, folder, db->uuid, (uint32_t) db->dbms->options.cluster->server, ret, e);
}

/// Of this server's data as a whole; 0: never.
static uint64_t renewal(const struct database *db) {
  const struct starts *s = db->dbms->options.cluster->starts;
  return s != NULL ? s->renewal : 0;
}

static bool is_older(const struct database *db, const struct data_mark *m, uint32_t marked, const struct log_group_state *state) {
  uint32_t life = (uint32_t) state->member_id;
  if (MUTANT(product_former_self)) return false; // or it would be found out by this
  return life < marked || data_mark_is_older(m, life, state->incarnation) || m->renewal < renewal(db);
}

static bool change_life(struct log_group_state *state, const void *context) {
  state->member_id = *(const uint64_t *) context;
  state->vote = 0;
  return true;
}

/// They are a beginning of what the group has, and are brought up to date; but what was promised since is promised by nobody.
static enum err go_on_with_older_data(const struct database *db, uint32_t last_life, uint32_t *ret_life, struct error *e) {
  const struct dbms_cluster_options *o = db->dbms->cluster->options;
  *ret_life = MAX((uint32_t) o->epoch, last_life + 1);
  uint64_t id = member_of(o->server, *ret_life);
  event_raise(
      db->dbms->options.events, EVENT_WARN, "cluster.begin.older",
      "[%.*s] The data here are older than what this server has left here: they were put back from a copy. It does not vote as "
      "the member that it was, whose promises they do not know: it joins as another one, the others bring it up to date, and vote "
      "its former self out.",
      STR_ARG(db->name));
  return log_group_change(store_log(graph_store(db->graph)), change_life, &id, e);
}

static bool change_mark(struct log_group_state *state, const void *context) {
  state->incarnation = *(const uint64_t *) context;
  return true;
}

static enum err draw_mark(const struct database *db, uint64_t *ret, struct error *e) {
  enum err err = ERR_OK;
  for (*ret = 0; err == ERR_OK && *ret == 0;) err = random_fill(db->dbms->options.random, ret, sizeof *ret);
  return err == ERR_OK ? ERR_OK : error_set(e, err, "The system has no randomness for the mark of a database's data.");
}

/// The data have the next mark: it is noted beside them, and which one comes after it.
static enum err note_mark(const struct database *db, struct data_mark *m, struct error *e) {
  const struct dbms_options *o = &db->dbms->options;
  char folder[DISK_PATH_MAX];
  m->now = m->next;
  m->renewal = renewal(db);
  TRY(draw_mark(db, &m->next, e));
  mark_folder(db->dbms, folder);
  return data_mark_save(o->disk, folder, db->uuid, (uint32_t) o->cluster->server, m, e);
}

enum err cluster_mark_data(struct database *db, struct error *e) {
  struct log *log = store_log(graph_store(db->graph));
  struct log_group_state state;
  struct data_mark m;
  log_group_state(log, &state);
  TRY(read_data_mark(db, &m, e));
  if (m.life != (uint32_t) state.member_id) {
    m = (struct data_mark){.life = (uint32_t) state.member_id};
    TRY(draw_mark(db, &m.next, e));
  }
  // Power went before it was noted that they have it: a copy that was made since has it, too, so they need another one.
  if (state.incarnation == m.next) TRY(note_mark(db, &m, e));
  TRY(log_group_change(log, change_mark, &m.next, e));
  return note_mark(db, &m, e);
}

// ---- a group ----

static enum err refuse_replica(const struct database *db, struct error *e) {
  return error_set(e, ERR_INVALID,
                   "The store in folder '%.*s' belongs to a read replica: a core begins with an empty data folder, or start this "
                   "server with dbms.mode=READ_REPLICA, as it was.",
                   STR_ARG(db->folder));
}

enum err cluster_begin_group(struct database *db, struct error *e) {
  struct log_group_state state;
  struct data_mark m;
  uint32_t marked, life;
  log_group_state(store_log(graph_store(db->graph)), &state);
  if (state.follows) return refuse_replica(db, e);
  TRY(check_owner(db, state.member_id, e));
  TRY(read_life(db, &marked, e));
  TRY(read_data_mark(db, &m, e));
  life = (uint32_t) state.member_id;
  if (state.member_id == 0)
    TRY(begin(db, marked, &life, e));
  else if (is_older(db, &m, marked, &state))
    TRY(go_on_with_older_data(db, MAX(life, marked), &life, e));
  return life != marked ? save_life(db, life, e) : ERR_OK;
}

enum err cluster_note_former(struct database *db, struct error *e) {
  uint32_t life;
  TRY(read_life(db, &life, e));
  return life == 0 ? save_life(db, FIRST_LIFE, e) : ERR_OK;
}

enum err cluster_begin(struct cluster *c, struct error *e) {
  if (c->options->replica) return ERR_OK; // takes part in none
  DATABASES_EACH(db, c->dbms)
  if (database_runs(db)) TRY(cluster_begin_group(db, e));
  return c->options->begin != NULL ? c->options->begin(c->options->context, e) : ERR_OK;
}
