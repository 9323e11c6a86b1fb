// How servers that belong to no cluster become one, once; and how a server finds that there is one and joins it.
//
//   formation_open -> { formation_step } -> formation_close
//
// The whole protocol is what servers say of themselves (cluster/directory.h): each makes its state durable, then says it, and
// decides by what it has heard the others say. So a message that is lost, late or told twice does no harm, and after a restart a
// server goes on where it was. README.md, "One founding", has the rules and why there are never two clusters.
//
// Without sockets or clock. A step that decides something waits for the disk: one small synced write, a few times in the life of
// a server.
//
// Thread: one at a time.
#pragma once

#include "base/event.h"
#include "cluster/directory.h"
#include "cluster/starts.h"

struct formation;

struct formation_options {
  struct disk *disk;
  const char *folder; // of the identity; must stay
  struct random_source *random;
  enum server_mode mode;     // replicas and gateways join and found nothing; SERVER_SINGLE joins nobody, and founds alone if it has a transaction address
  uint32_t minimum;          // so many cores, this one included, found a cluster; at least 1, at most FOUNDERS_MAX
  int64_t settle_ms;         // 0: 2000. So long nobody new came before a founding that not all listed servers are in
  int64_t patience_ms;       // 0: 10 000. After a start it takes so long until a server that is not heard counts as gone
  int64_t progress_ms;       // 0: 10 000. Between two lines that tell what is waited for
  struct event_sink *events; // may be NULL
};

/// Opens the identity and, of a core, its starts (identity_open, starts_begin, with their errors). ERR_INVALID: a minimum out of range,
/// or this server was dropped from its cluster.
enum err formation_open(const struct formation_options *options, struct formation **ret, struct error *e) NODISCARD;
/// NULL is fine.
void formation_close(struct formation *f);

/// Who this server is and what it has promised, as it is on the disk. What changes it is formation_step.
const struct identity *formation_identity(const struct formation *f);

/// Decides by what is there. `view`: this server first, as it was last told of itself (directory_say). `listed`: how many servers
/// the settings name, 0 if that is not known. `*ret_changed`: the identity is another one now, and on the disk: say it
/// (formation_describe), and step again. An error of the disk (identity_save) ends this formation: all later steps return it.
enum err formation_step(struct formation *f, int64_t now_ms, const struct directory_copy *view, uint32_t listed,
                        bool *ret_changed, struct error *e) NODISCARD;

/// Puts what the identity says into an announcement; the founding stays the formation's.
void formation_describe(const struct formation *f, struct announcement *self);

/// The others have dropped this server from its cluster: that is remembered, and it will not be opened again. Errors of
/// identity_save.
enum err formation_drop(struct formation *f, struct error *e) NODISCARD;

/// Another server knows a start of this one that these data have not had: they are an older copy (cluster/starts.h). With the next start,
/// which is a later one than any that was told, this server is another member of each group. Returns when that is durable; this
/// formation is of no use any more. ERR_CORRUPT: a number that no start can have; errors of starts_renew and identity_save.
enum err formation_renew(struct formation *f, struct start known, struct error *e) NODISCARD;
/// This server knows now which databases there are (starts_settle).
enum err formation_settle(struct formation *f, struct error *e) NODISCARD;

/// What the databases of a cluster begin with.
struct formation_result {
  uint32_t number;      // of this server
  bool joined_existing; // this server is none of the founders: it asks those that are there to be taken in
  bool begun;           // formation_begun was called, in this life or an earlier one
  struct starts starts; // of a core
  struct founding founding;
};

/// False as long as this server belongs to no cluster. The same after every restart.
bool formation_result(const struct formation *f, struct formation_result *ret);

/// The groups that begin with the cluster are durable here. Returns when that is remembered: only then may this server take part
/// in them, because a founder that loses a log must not begin it again and vote twice (contract 20). Errors of identity_save.
enum err formation_begun(struct formation *f, struct error *e) NODISCARD;
