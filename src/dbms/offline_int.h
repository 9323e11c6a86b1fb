// What the offline work on the stores of a server shares (offline.c, offline_aside.c, seed.c).
#pragma once

#include "dbms/catalogue.h"
#include "dbms/offline.h"
#include "graph/graph.h"

struct offline {
  const struct config_values *config;
  struct disk *disk;
  struct event_sink *events;
  struct page_pool *pool;
  struct arena arena;  // of the folders
  struct str *folders; // `system` first
  uint32_t folder_count;
};

void offline_path(const struct offline *o, struct str folder, char path[DISK_PATH_MAX]);
/// ERR_NOTFOUND: the folder holds no store.
enum err offline_owner(const struct offline *o, struct str folder, struct uuid *ret_uuid, struct log_group_state *ret,
                       struct error *e) NODISCARD;
/// The store as that of a member, or of a standalone server. No machine runs.
enum err offline_open_graph(struct offline *o, struct str folder, bool member, bool accept_tail, struct graph **ret,
                            struct error *e) NODISCARD;
/// That `system` has.
enum err offline_catalogue(struct graph *g, struct arena *a, struct catalogue *ret, struct error *e) NODISCARD;
/// What is queued in the log is durable.
enum err offline_write(struct log *l, struct error *e) NODISCARD;
/// Who the server with that data folder was, and how often its groups have begun; the identity last. Once more is fine.
enum err offline_forget_server(const char *data, struct disk *disk, struct error *e) NODISCARD;
