#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/host.h"
#include "cluster/known_starts.h"
#include "dbms/offline_int.h"
#include "graph/replica.h"
#include "graph/tx.h"

enum { POOL_BYTES = 64 << 20, POOL_WAIT_MS = 1000 };

// ---- folders ----

static enum err note_folder(void *argument, const char *name, bool is_directory) {
  struct offline *o = argument;
  if (!is_directory || name[0] == '.') return ERR_OK;
  uint32_t n = o->folder_count;
  o->folders = arena_grow(&o->arena, o->folders, n * sizeof o->folders[0], (n + 1) * sizeof o->folders[0]);
  struct str copy = arena_str(&o->arena, str_of(name));
  if (o->folders == NULL || copy.ptr == NULL) return ERR_NOMEM;
  o->folders[o->folder_count++] = copy;
  return ERR_OK;
}

static void system_first(struct offline *o) {
  for (uint32_t i = 1; i < o->folder_count; i++) {
    if (!str_eqz(o->folders[i], "system")) continue;
    struct str first = o->folders[0];
    o->folders[0] = o->folders[i];
    o->folders[i] = first;
  }
}

static enum err list_folders(struct offline *o, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%.*s/databases", STR_ARG(o->config->data_directory));
  enum err err = disk_list(o->disk, path, note_folder, o, e);
  if (err == ERR_NOTFOUND)
    return error_set(e, ERR_NOTFOUND, "There are no databases in '%s': no server has ever run here.", path);
  system_first(o);
  return err;
}

void offline_path(const struct offline *o, struct str folder, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%.*s/databases/%.*s", STR_ARG(o->config->data_directory), STR_ARG(folder));
}

// ---- one store ----

static void no_work(void *context UNUSED, enum graph_machine which UNUSED) {
}

enum err offline_open_graph(struct offline *o, struct str folder, bool member, bool accept_tail, struct graph **ret,
                            struct error *e) {
  char path[DISK_PATH_MAX];
  offline_path(o, folder, path);
  struct graph_options options = {.disk = o->disk,
                                  .clock = clock_system(),
                                  .random = random_system(),
                                  .pool = o->pool,
                                  .events = o->events,
                                  .log = {.segment_bytes = (uint64_t) o->config->log_rotation_bytes},
                                  .replicated = member,
                                  .accept_tail = accept_tail,
                                  .direct = true,
                                  .work_ready = no_work};
  enum err err = graph_open(path, &options, ret, e);
  return err == ERR_OK ? ERR_OK : error_prefix(e, "database in folder '%.*s'", STR_ARG(folder));
}

static struct log *log_of(struct graph *g) {
  return store_log(graph_store(g));
}

enum err offline_owner(const struct offline *o, struct str folder, struct uuid *ret_uuid, struct log_group_state *ret,
                       struct error *e) {
  char path[DISK_PATH_MAX];
  offline_path(o, folder, path);
  return store_look(o->disk, path, ret_uuid->bytes, ret, e);
}

// ---- how it stands ----

struct seen {
  struct log_entry last; // without what it points to
  struct consensus_membership members;
};

static enum err look_at_entries(struct log *l, struct seen *seen, struct error *e) {
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(l, log_first_index(l), &c, e));
  enum err err = log_cursor_next(c, &entry, e);
  while (err == ERR_OK && entry != NULL) {
    seen->last = *entry;
    if (entry->kind == LOG_MEMBERSHIP)
      err = consensus_membership_decode((const uint8_t *) entry->payload.ptr, entry->payload.len, &seen->members, e);
    if (err == ERR_OK) err = log_cursor_next(c, &entry, e);
  }
  log_cursor_close(c);
  return err;
}

/// Those of the group state where the log has forgotten how they came to be.
static void begin_with_state(const struct log_group_state *s, struct consensus_membership *to) {
  to->count = s->member_count;
  for (uint32_t i = 0; i < s->member_count; i++) {
    to->members[i].id = s->members[i].id;
    to->members[i].role = s->members[i].role;
    memcpy(to->members[i].address, s->members[i].address, sizeof to->members[i].address);
  }
}

static enum err copy_members(const struct consensus_membership *m, struct arena *a, struct offline_database *ret,
                             struct error *e) {
  struct offline_member *members = ARENA_ARRAY(a, struct offline_member, m->count);
  if (members == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < m->count; i++) {
    members[i].server = member_server(m->members[i].id);
    members[i].votes = m->members[i].role == CONSENSUS_VOTER;
    members[i].address = arena_str(a, str_of(m->members[i].address)).ptr;
    if (members[i].address == NULL) return arena_err(a, e);
  }
  ret->member_count = m->count;
  ret->members = members;
  return ERR_OK;
}

static enum err describe(struct graph *g, struct arena *a, struct offline_database *ret, struct error *e) {
  struct seen *seen = ARENA_NEW(a, struct seen);
  struct log_group_state *state = ARENA_NEW(a, struct log_group_state);
  if (seen == NULL || state == NULL) return arena_err(a, e);
  log_group_state(log_of(g), state);
  begin_with_state(state, &seen->members);
  TRY(look_at_entries(log_of(g), seen, e));
  ret->committed = graph_applied(g);
  ret->logged = seen->last.index >= ret->committed.index ? store_applied_of(&seen->last) : ret->committed;
  return copy_members(&seen->members, a, ret, e);
}

// ---- names ----

enum err offline_catalogue(struct graph *g, struct arena *a, struct catalogue *ret, struct error *e) {
  struct graph_tx *tx;
  struct graph_tx_options options = {.read_only = true};
  TRY(graph_tx_begin(g, &options, &tx, e));
  graph_tx_set_blocking(tx, true);
  enum err err = graph_tx_statement(tx, e);
  if (err == ERR_OK) err = catalogue_read(tx, a, ret, e);
  graph_tx_free(tx);
  return err;
}

static enum err look_at(struct offline *o, struct str folder, struct catalogue *catalogue, struct arena *a,
                        struct offline_database *ret, struct error *e) {
  struct log_group_state *state = ARENA_NEW(a, struct log_group_state);
  struct graph *g = NULL;
  struct uuid uuid;
  if (state == NULL) return arena_err(a, e);
  TRY(offline_owner(o, folder, &uuid, state, e));
  *ret = (struct offline_database){.folder = folder, .is_member = state->member_id != 0, .generation = state->generation};
  if (ret->is_member) {
    TRY(offline_open_graph(o, folder, true, false, &g, e));
    enum err err = str_eqz(folder, "system") ? offline_catalogue(g, a, catalogue, e) : ERR_OK;
    if (err == ERR_OK) err = describe(g, a, ret, e);
    graph_close(g);
    TRY(err);
  }
  ret->name = catalogue_name_of(catalogue, folder);
  return ERR_OK;
}

enum err offline_look(struct offline *o, struct arena *a, struct offline_report *ret, struct error *e) {
  struct offline_database *databases = ARENA_ARRAY(a, struct offline_database, o->folder_count);
  struct catalogue catalogue = {0};
  uint32_t n = 0;
  char data[DISK_PATH_MAX];
  if (databases == NULL) return arena_err(a, e);
  snprintf(data, sizeof data, "%.*s", STR_ARG(o->config->data_directory));
  TRY(identity_open(o->disk, data, random_system(), &ret->identity, e));
  for (uint32_t i = 0; i < o->folder_count; i++) {
    enum err err = look_at(o, o->folders[i], &catalogue, a, &databases[n], e);
    if (err == ERR_NOTFOUND) continue;
    TRY(err);
    n++;
  }
  ret->count = n;
  ret->databases = databases;
  return ERR_OK;
}

// ---- unbinding ----

enum err offline_write(struct log *l, struct error *e) {
  for (bool worked = true; worked;) TRY(log_writer_step(l, &worked, e));
  return ERR_OK;
}

/// A log that does not hold what the store has applied is the one before a copy: it begins anew behind the copy.
static enum err cut_log(struct log *l, struct store_applied at, bool keep_tail, struct error *e) {
  uint64_t term = 0;
  bool holds_it = at.index == 0 || (log_term_at(l, at.index, &term, NULL) == ERR_OK && term == at.term) ||
                  (log_first_index(l) == at.index + 1);
  if (!holds_it) return log_reset(l, at.index, at.term, e);
  if (keep_tail || log_last_index(l) <= at.index) return ERR_OK;
  TRY(log_truncate(l, at.index, e));
  return offline_write(l, e);
}

/// The group state goes last: with it the store is a standalone server's.
static enum err release(struct graph *g, bool keep_tail, struct log_group_state *state, struct error *e) {
  struct log *l = log_of(g);
  TRY(cut_log(l, graph_applied(g), keep_tail, e));
  TRY(graph_checkpoint(g, e));
  log_group_state(l, state);
  *state = (struct log_group_state){
      .generation = state->generation + 1, .incarnation = state->incarnation, .term = MAX(state->term, log_last_term(l)) + 1};
  return log_group_save(l, state, e);
}

static enum err unbind(struct offline *o, struct str folder, bool keep_tail, struct log_group_state *state, struct error *e) {
  struct graph *g = NULL;
  struct uuid uuid;
  TRY(offline_owner(o, folder, &uuid, state, e));
  if (state->member_id == 0) return ERR_OK;
  TRY(offline_open_graph(o, folder, true, keep_tail, &g, e));
  enum err err = release(g, keep_tail, state, e);
  graph_close(g);
  return err;
}

static enum err forget_file(const char *data, struct disk *disk, const char *name, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", data, name);
  enum err err = disk_unlink(disk, path, e);
  return err == ERR_NOTFOUND ? ERR_OK : err;
}

/// How often its groups have begun here (docs/formats/catalogue.md): the server that comes to be is another member of other groups.
static enum err forget_groups(const char *data, struct disk *disk, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/groups", data);
  enum err err = disk_remove_tree(disk, path, e);
  return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err offline_forget_server(const char *data, struct disk *disk, struct error *e) {
  TRY(forget_groups(data, disk, e));
  TRY(forget_file(data, disk, IDENTITY_FILE, e));
  TRY(forget_file(data, disk, IDENTITY_FILE ".new", e));
  TRY(forget_file(data, disk, STARTS_FILE, e));
  TRY(forget_file(data, disk, KNOWN_STARTS_FILE, e));
  TRY(forget_file(data, disk, MOVES_FILE, e));
  return disk_sync_directory(disk, data, e);
}

static enum err forget_identity(struct offline *o, struct error *e) {
  char data[DISK_PATH_MAX];
  snprintf(data, sizeof data, "%.*s", STR_ARG(o->config->data_directory));
  return offline_forget_server(data, o->disk, e);
}

enum err offline_unbind(struct offline *o, bool keep_tail, struct error *e) {
  struct log_group_state *state = mem_alloc(sizeof *state);
  if (state == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = ERR_OK;
  for (uint32_t i = 0; i < o->folder_count && err == ERR_OK; i++) {
    err = unbind(o, o->folders[i], keep_tail, state, e);
    if (err == ERR_NOTFOUND) err = ERR_OK;
  }
  mem_free(state);
  return err == ERR_OK ? forget_identity(o, e) : err;
}

// ---- life ----

enum err offline_open(const struct config_values *config, struct disk *disk, struct event_sink *events, struct offline **ret,
                      struct error *e) {
  struct offline *o = mem_zalloc(sizeof *o);
  if (o == NULL) return error_ensure(e, ERR_NOMEM);
  *o = (struct offline){.config = config, .disk = disk, .events = events};
  arena_init(&o->arena, NULL);
  struct page_pool_options pool = {.limit_bytes = POOL_BYTES, .wait_ms = POOL_WAIT_MS};
  enum err err = list_folders(o, e);
  if (err == ERR_OK) err = page_pool_open(&pool, &o->pool, e);
  if (err != ERR_OK) {
    offline_close(o);
    return error_ensure(e, err);
  }
  *ret = o;
  return ERR_OK;
}

void offline_close(struct offline *o) {
  if (o == NULL) return;
  page_pool_close(o->pool);
  arena_done(&o->arena);
  mem_free(o);
}
