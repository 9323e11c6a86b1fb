// What the files of cluster.h share. Everything is the loop's but what says otherwise.
#pragma once

#include "cluster/catchup_client.h"
#include "cluster/catchup_store.h"
#include "cluster/host.h"
#include "cluster/known_starts.h"
#include "cluster/upstream.h"
#include "dbms/cluster.h"
#include "dbms/dbms_int.h"

struct cluster {
  struct dbms *dbms;
  const struct dbms_cluster_options *options;
  struct loop *loop;
  struct host *host;
  struct serial writer; // of the logs of all groups
  struct mutex mutex;   // what follows
  uint32_t lost_count;
  uint64_t lost[CLUSTER_SERVERS_MAX]; // servers with whom the connection was lost
  struct consensus_membership system_members;

  struct known_starts *known; // of the others, and of this server; NULL: nothing is told of starts
  struct serial noter;        // saves them
  struct {
    struct loop_timer *timer;
    bool timed;
    uint64_t last_ms; // when one was last due
    _Atomic bool due; // the noter is to save them
    struct loop_task tell_task;
    _Atomic bool tell_posted;
  } moves;
  _Atomic bool renewing;      // starts.renewing
  struct {
    bool posted, told;
    struct loop_task task;
    char proof[400];
  } older; // that the data of this server are

  struct mutex reads_mutex; // `reads` of all groups. Before the dbms mutex

  // Leaders (cluster_balance.c).
  struct loop_timer *balance;
  uint64_t balance_who, balance_since_ms; // which servers were there, and since when

  // Copies of stores (cluster_copy.c): the bulk loop's.
  struct loop *bulk;
  struct catchup_server *giver;
  struct serial giver_work;
  bool copies_stopped;
  struct loop_task fetch_task;
  _Atomic bool fetch_posted;
};

struct follow;

/// Who wants a majority to confirm that this member leads.
struct cluster_reads {
  struct cluster_read *waiting, *asked;
  uint64_t id; // of the last question; the loop's
  bool closed;
};

struct cluster_group {
  struct group_application application;
  struct cluster *cluster;
  struct database *database;
  struct host_group *member; // NULL: a replica's, which follows
  struct follow *follow;     // the bulk loop's
  struct loop_timer *retry, *look_round;
  struct loop_timer *digest; // a replica's is the bulk loop's
  struct serial saver; // of terms and votes
  uint64_t digest_asked_ms, digest_lacked_ms, digest_judged; // cluster_digest.c; of the loop of `digest`
  struct catchup_store source;   // of copies; the bulk loop's
  enum consensus_state told_state; // to people: cluster_tell.c
  uint64_t told_leader;            // a server; 0: none yet
  uint64_t unsafe_told;          // a member that is to leave and may not yet
  uint64_t leading;              // the term that the graph was told of
  uint64_t led_since_ms;         // of that term, or the last try to give leadership away
  uint64_t given_index;          // what others who pull were told of
  struct cluster_reads reads;    // under reads_mutex
  uint64_t checkpoint_told;      // to the loop; the checkpointer's
  _Atomic uint64_t checkpointed; // to be told to the group; 0: nothing
  struct cluster_counts counts;  // the loop's
  uint64_t proposed_in_term, committed_in_term;
  struct mutex mutex;            // what follows
  struct group_stats stats;      // as of the last step
  struct cluster_counts seen;    // a copy of `counts`
  struct group_forgetting *forgetting; // the checkpointer's to do; NULL: nothing
  struct cluster_status status;
  struct cluster_members members;
  uint64_t paced_ms, paced_index; // where entries_per_second was last counted from
};

uint64_t cluster_now_ms(struct cluster *c);
/// An event about a database.
void cluster_raise(struct cluster_group *g, enum event_level level, const char *name, const char *text);
struct cluster_name {
  char z[32];
};

/// "MemberId{6f1c2a34}": by its uuid, as in SHOW SERVERS and lines about servers, or by its number while nothing is heard of it.
struct cluster_name cluster_name_of(const struct cluster *c, uint64_t server);
/// What is new of elections, after a step (cluster_tell.c).
void cluster_tell(struct cluster_group *g, const struct group_stats *s);

// ---- groups and their databases (cluster_group.c) ----

/// What a refusal of the group means to the graph. While this member leads on in `term` and only takes nothing just now (the group has not
/// applied the term's first entry yet, or leadership is being handed over), it is ERR_LIMIT, later: what waits keeps its place, for names are
/// numbered in that order. ERR_NOT_LEADER means that the term is over. Pure.
enum err cluster_refusal(enum err err, const struct group_stats *now, uint64_t term);
/// host_options.group_stepped, .group_failed and .save_ready.
void cluster_group_stepped(void *context, struct host_group *member);
void cluster_group_failed(void *context, struct host_group *member);
void cluster_save_ready(void *context, struct host_group *member);

// ---- the other servers (cluster_servers.c) ----

/// host_options.server_changed and .server_elsewhere.
void cluster_server_changed(void *context, uint64_t server, bool up);
bool cluster_server_elsewhere(void *context, uint64_t server, const char *address);

// ---- linearizable reads (cluster_read.c) ----

/// Asks the group for those that wait, unless it is being asked. After a step.
void cluster_reads_ask(struct cluster_group *g);
/// group_application.read.
void cluster_reads_told(struct cluster_group *g, uint64_t read_id, uint64_t index, bool failed);
/// The group answers nobody any more: all fail. Any thread.
void cluster_reads_close(struct cluster_group *g);

// ---- the beginning of groups (cluster_begin.c) ----

/// Begins the group of a database whose log is new; where its data are older than what this server has left there, it becomes another
/// member. Its graph is open, and it has not joined.
enum err cluster_begin_group(struct database *db, struct error *e) NODISCARD;
/// It is about to join: from then on its data are the latest, and any copy that was made before is older. The same.
enum err cluster_mark_data(struct database *db, struct error *e) NODISCARD;

/// The voters of `m`, as the catalogue keeps them: "<server>@<host:port>,...", in `a`.
enum err cluster_members_text(const struct consensus_membership *m, struct arena *a, struct str *ret, struct error *e) NODISCARD;
/// The membership that a group begins with: first lives of those servers. ERR_CORRUPT.
enum err cluster_members_parse(struct str text, struct consensus_membership *ret, struct error *e) NODISCARD;

/// A member of the database's group may have been here that nobody knows of any more: if the group begins here, then with nothing. Not
/// where it has begun.
enum err cluster_note_former(struct database *db, struct error *e) NODISCARD;

// ---- starts (cluster_starts.c) ----

enum err cluster_starts_open(struct cluster *c, struct error *e) NODISCARD;
/// The loop has stopped.
void cluster_starts_close(struct cluster *c);
/// On the loop.
enum err cluster_moves_open(struct cluster *c, struct error *e) NODISCARD;
/// host_options.start_met, .start_moved, .promised and .older.
void cluster_start_met(void *context);
void cluster_start_moved(void *context);
void cluster_promised(void *context);
void cluster_older(void *context, uint64_t server, struct start known);
/// The group was closed because its data do not have what they have acknowledged (consensus, guard G20): this server begins anew.
void cluster_lost(struct cluster_group *g, const struct consensus_status *now);

// ---- copies of stores (cluster_copy.c) ----

enum err cluster_copies_open(struct cluster *c, struct error *e) NODISCARD;
/// All groups have left.
void cluster_copies_close(struct cluster *c);
/// From now on others may have the database's store, and its log; and no more. Not from the groups' loop.
enum err cluster_give(struct cluster_group *group, struct error *e) NODISCARD;
void cluster_keep(struct cluster_group *group);
/// More of the log may be pulled.
void cluster_touch_pulls(struct cluster_group *group);
/// Gets a copy of the database that is at least so new, and puts it in the place of its store. While one is on its way nothing else
/// happens. From the groups' loop; returns at once.
void cluster_fetch(struct cluster *c, struct database *db, uint64_t index);

/// The same on the bulk loop; of whoever leads alone, where the copy may be of another history.
void cluster_fetch_now(struct cluster *c, struct database *db, uint64_t index, bool of_leader);
/// What every client of catching up is told.
struct catchup_client_options cluster_client_options(const struct cluster *c, const struct database *db);

// ---- replicas (cluster_follow.c) ----

/// From now on the database follows what the others have committed; and no more. The second also after an error of the first.
enum err cluster_follow(struct cluster_group *g, struct error *e) NODISCARD;
void cluster_unfollow(struct cluster_group *g);
/// Requests for the log that others have made here.
uint64_t cluster_pull_requests(struct cluster *c);
/// Whom a replica asks, in this order. Of the wish: `lot`, `cores_only`, `leader_only`.
size_t cluster_upstreams(struct cluster *c, struct database *db, struct upstream_wish w,
                         struct catchup_upstream ret[UPSTREAMS_MAX]);

/// Sees to it that the servers of the cluster are members of the group, if this one leads it: one step at a time, now and then
/// (cluster_members.c). A timer's: `context` is the group.
void cluster_look_round(void *context);
/// Compares this server's digests with the voters', asks for the next where it leads, and has a database mended that differs, now
/// and then (cluster_digest.c). A timer's, of the groups' loop or, for a replica, of the bulk loop: `context` is the group.
void cluster_digest(void *context);
/// How often.
int64_t cluster_digest_look_ms(const struct cluster *c);
/// Gives leadership of one group away where another server is preferred or leads less, now and then. A timer's: `context` is the
/// cluster.
void cluster_balance(void *context);

// ---- forgetting (cluster_forget.c) ----

/// The group was stepped: what a checkpoint lets its log forget is settled, and becomes the checkpointer's to do.
void cluster_forget_begin(struct cluster_group *g);
/// The database's machines rest.
void cluster_forget_end(struct cluster_group *g);
