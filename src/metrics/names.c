// The tables. Names: the lists of metrics in the manuals of Neo4j 3.5, 4.4 and 5; where two eras have two, both are there.
#include "metrics/names.h"

static double database_tx_started(const struct dbms_database_figures *f) {
  return (double) f->tx_started;
}

static double database_tx_peak(const struct dbms_database_figures *f) {
  return (double) f->tx_peak;
}

static double database_active(const struct dbms_database_figures *f) {
  return (double) (f->tx_active_reading + f->tx_active_writing);
}

static double database_tx_active_reading(const struct dbms_database_figures *f) {
  return (double) f->tx_active_reading;
}

static double database_tx_active_writing(const struct dbms_database_figures *f) {
  return (double) f->tx_active_writing;
}

static double database_committed_all(const struct dbms_database_figures *f) {
  return (double) (f->tx_committed_reading + f->tx_committed_writing);
}

static double database_tx_committed_reading(const struct dbms_database_figures *f) {
  return (double) f->tx_committed_reading;
}

static double database_tx_committed_writing(const struct dbms_database_figures *f) {
  return (double) f->tx_committed_writing;
}

static double database_rolled_back(const struct dbms_database_figures *f) {
  return (double) (f->tx_rolled_back_reading + f->tx_rolled_back_writing);
}

static double database_tx_rolled_back_reading(const struct dbms_database_figures *f) {
  return (double) f->tx_rolled_back_reading;
}

static double database_tx_rolled_back_writing(const struct dbms_database_figures *f) {
  return (double) f->tx_rolled_back_writing;
}

static double database_terminated(const struct dbms_database_figures *f) {
  return (double) (f->tx_terminated_reading + f->tx_terminated_writing);
}

static double database_tx_terminated_reading(const struct dbms_database_figures *f) {
  return (double) f->tx_terminated_reading;
}

static double database_tx_terminated_writing(const struct dbms_database_figures *f) {
  return (double) f->tx_terminated_writing;
}

static double database_last_committed(const struct dbms_database_figures *f) {
  return (double) f->last_committed;
}

static double database_last_applied(const struct dbms_database_figures *f) {
  return (double) f->last_applied;
}

static double database_nodes(const struct dbms_database_figures *f) {
  return (double) f->nodes;
}

static double database_relationships(const struct dbms_database_figures *f) {
  return (double) f->relationships;
}

static double database_types(const struct dbms_database_figures *f) {
  return (double) f->types;
}

static double database_log_appended_bytes(const struct dbms_database_figures *f) {
  return (double) f->log_appended_bytes;
}

static double database_log_flushes(const struct dbms_database_figures *f) {
  return (double) f->log_flushes;
}

static double database_log_bytes(const struct dbms_database_figures *f) {
  return (double) f->log_bytes;
}

static double database_append_index(const struct dbms_database_figures *f) {
  return (double) f->append_index;
}

static double database_commit_index(const struct dbms_database_figures *f) {
  return (double) f->commit_index;
}

static double database_applied_index(const struct dbms_database_figures *f) {
  return (double) f->applied_index;
}

static double database_prune_index(const struct dbms_database_figures *f) {
  return (double) f->prune_index;
}

static double database_term(const struct dbms_database_figures *f) {
  return (double) f->term;
}

static double database_leads(const struct dbms_database_figures *f) {
  return (double) f->leads;
}

static double database_leader_silent_ms(const struct dbms_database_figures *f) {
  return (double) f->leader_silent_ms;
}

static double database_retries(const struct dbms_database_figures *f) {
  return (double) f->retries;
}

static double database_proposed(const struct dbms_database_figures *f) {
  return (double) f->proposed;
}

static double database_attempts(const struct dbms_database_figures *f) {
  return (double) f->attempts;
}

static double database_committed(const struct dbms_database_figures *f) {
  return (double) f->committed;
}

static double database_refused(const struct dbms_database_figures *f) {
  return (double) f->refused;
}

static double database_uncertain(const struct dbms_database_figures *f) {
  return (double) f->uncertain;
}

static double database_memory_bytes(const struct dbms_database_figures *f) {
  return (double) f->memory_bytes;
}

static double database_memory_bytes_max(const struct dbms_database_figures *f) {
  return (double) f->memory_bytes_max;
}

static double database_memory_entries(const struct dbms_database_figures *f) {
  return (double) f->memory_entries;
}

static double database_sent_from_memory(const struct dbms_database_figures *f) {
  return (double) f->sent_from_memory;
}

static double database_sent_from_disk(const struct dbms_database_figures *f) {
  return (double) f->sent_from_disk;
}

static double database_led(const struct dbms_database_figures *f) {
  return (double) f->led;
}

static double database_pulls(const struct dbms_database_figures *f) {
  return (double) f->pulls;
}

static double database_pull_requested(const struct dbms_database_figures *f) {
  return (double) f->pull_requested;
}

static double database_pull_received(const struct dbms_database_figures *f) {
  return (double) f->pull_received;
}

static double server_page_faults(const struct dbms_figures *f) {
  return (double) f->page_faults;
}

static double server_page_evictions(const struct dbms_figures *f) {
  return (double) f->page_evictions;
}

static double server_page_flushes(const struct dbms_figures *f) {
  return (double) f->page_flushes;
}

static double server_page_usage(const struct dbms_figures *f) {
  return f->pages > 0 ? (double) f->pages_used / (double) f->pages : 0;
}

static double server_transaction_bytes(const struct dbms_figures *f) {
  return (double) f->transaction_bytes;
}

static double server_transaction_bytes_peak(const struct dbms_figures *f) {
  return (double) f->transaction_bytes_peak;
}

static double server_databases_hosted(const struct dbms_figures *f) {
  return (double) f->databases_hosted;
}

static double server_databases_failed(const struct dbms_figures *f) {
  return (double) f->databases_failed;
}

static double server_databases_wanted(const struct dbms_figures *f) {
  return (double) f->databases_wanted;
}

static double server_pull_requests(const struct dbms_figures *f) {
  return (double) f->pull_requests;
}

static double server_servers(const struct dbms_figures *f) {
  return (double) f->servers;
}

static double server_servers_unreachable(const struct dbms_figures *f) {
  return (double) f->servers_unreachable;
}

static double server_converged(const struct dbms_figures *f) {
  return (double) (f->servers_unreachable == 0);
}

static double server_message_last_ms(const struct dbms_figures *f) {
  return (double) f->message_last_ms;
}

static double server_message_batches(const struct dbms_figures *f) {
  return (double) f->message_batches;
}

static double server_message_total_s(const struct dbms_figures *f) {
  return (double) f->message_total_s;
}

static double bolt_connections_opened(const struct bolt_counters *c) {
  return (double) c->connections_opened;
}

static double bolt_connections_closed(const struct bolt_counters *c) {
  return (double) c->connections_closed;
}

static double bolt_connections_running(const struct bolt_counters *c) {
  return (double) c->connections_running;
}

static double bolt_connections_idle(const struct bolt_counters *c) {
  return (double) c->connections_idle;
}

static double bolt_messages_received(const struct bolt_counters *c) {
  return (double) c->messages_received;
}

static double bolt_messages_started(const struct bolt_counters *c) {
  return (double) c->messages_started;
}

static double bolt_messages_done(const struct bolt_counters *c) {
  return (double) c->messages_done;
}

static double bolt_messages_failed(const struct bolt_counters *c) {
  return (double) c->messages_failed;
}

// clang-format off
const struct metric_of_database metrics_of_database[] = {
  {"transaction.started", "Transactions that were begun.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_started},
  {"transaction.peak_concurrent", "The most that were open at once.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_peak},
  {"transaction.active", "Open transactions.", METRIC_GAUGE, METRIC_ALWAYS, database_active},
  {"transaction.active_read", "Open transactions that only read.", METRIC_GAUGE, METRIC_ALWAYS, database_tx_active_reading},
  {"transaction.active_write", "Open transactions that may write.", METRIC_GAUGE, METRIC_ALWAYS, database_tx_active_writing},
  {"transaction.committed", "Committed transactions.", METRIC_COUNTER, METRIC_ALWAYS, database_committed_all},
  {"transaction.committed_read", "Committed transactions that only read.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_committed_reading},
  {"transaction.committed_write", "Committed transactions that might write.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_committed_writing},
  {"transaction.rollbacks", "Transactions that were rolled back.", METRIC_COUNTER, METRIC_ALWAYS, database_rolled_back},
  {"transaction.rollbacks_read", "Those that only read.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_rolled_back_reading},
  {"transaction.rollbacks_write", "Those that might write.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_rolled_back_writing},
  {"transaction.terminated", "Transactions that were ended by somebody else, or by a timeout.", METRIC_COUNTER, METRIC_ALWAYS, database_terminated},
  {"transaction.terminated_read", "Those that only read.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_terminated_reading},
  {"transaction.terminated_write", "Those that might write.", METRIC_COUNTER, METRIC_ALWAYS, database_tx_terminated_writing},
  {"transaction.last_committed_tx_id", "The last entry of the log that is committed.", METRIC_COUNTER, METRIC_ALWAYS, database_last_committed},
  {"transaction.last_closed_tx_id", "The last one that is applied here.", METRIC_COUNTER, METRIC_ALWAYS, database_last_applied},
  {"neo4j.count.node", "Nodes, about.", METRIC_GAUGE, METRIC_ALWAYS, database_nodes},
  {"neo4j.count.relationship", "Relationships, about.", METRIC_GAUGE, METRIC_ALWAYS, database_relationships},
  {"ids_in_use.node", "Nodes, about.", METRIC_GAUGE, METRIC_ALWAYS, database_nodes},
  {"ids_in_use.relationship", "Relationships, about.", METRIC_GAUGE, METRIC_ALWAYS, database_relationships},
  {"ids_in_use.relationship_type", "Names of types of relationships.", METRIC_GAUGE, METRIC_ALWAYS, database_types},
  {"log.appended_bytes", "Bytes that were written to the log.", METRIC_COUNTER, METRIC_ALWAYS, database_log_appended_bytes},
  {"log.flushes", "Rounds in which it was made durable.", METRIC_COUNTER, METRIC_ALWAYS, database_log_flushes},
  {"log.size", "Bytes of the log that are kept.", METRIC_GAUGE, METRIC_ALWAYS, database_log_bytes},
  {"cluster.raft.append_index", "The last entry of the log here.", METRIC_GAUGE, METRIC_OF_CORE, database_append_index},
  {"cluster.raft.commit_index", "The last entry that a majority has.", METRIC_GAUGE, METRIC_OF_CORE, database_commit_index},
  {"cluster.raft.applied_index", "The last entry that is applied here.", METRIC_GAUGE, METRIC_OF_CORE, database_applied_index},
  {"cluster.raft.prune_index", "The last entry that the log here keeps no more.", METRIC_GAUGE, METRIC_OF_CORE, database_prune_index},
  {"cluster.raft.term", "The term of the group.", METRIC_GAUGE, METRIC_OF_CORE, database_term},
  {"cluster.raft.is_leader", "1: this member leads.", METRIC_GAUGE, METRIC_OF_CORE, database_leads},
  {"cluster.raft.last_leader_message", "Milliseconds since the last word of the leader; 0 where this member leads, -1 before the first.", METRIC_GAUGE, METRIC_OF_CORE, database_leader_silent_ms},
  {"cluster.raft.tx_retries", "Entries that were refused for want of room, and proposed again.", METRIC_COUNTER, METRIC_OF_CORE, database_retries},
  {"cluster.raft.replication_new", "Entries that this member has given to the group.", METRIC_COUNTER, METRIC_OF_CORE, database_proposed},
  {"cluster.raft.replication_attempt", "The same with those that were refused.", METRIC_COUNTER, METRIC_OF_CORE, database_attempts},
  {"cluster.raft.replication_success", "Of those, entries that were committed while it led.", METRIC_COUNTER, METRIC_OF_CORE, database_committed},
  {"cluster.raft.replication_fail", "Entries that were refused because it did not lead.", METRIC_COUNTER, METRIC_OF_CORE, database_refused},
  {"cluster.raft.replication_maybe", "Entries whose fate was open when it ceased to lead.", METRIC_COUNTER, METRIC_OF_CORE, database_uncertain},
  {"cluster.raft.in_flight_cache.total_bytes", "Bytes of recent entries in memory.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_bytes},
  {"cluster.raft.in_flight_cache.max_bytes", "What they may take.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_bytes_max},
  {"cluster.raft.in_flight_cache.element_count", "Recent entries in memory.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_entries},
  {"cluster.raft.in_flight_cache.hits", "Entries that were sent to others from memory.", METRIC_COUNTER, METRIC_OF_CORE, database_sent_from_memory},
  {"cluster.raft.in_flight_cache.misses", "Entries that were read from the log to be sent.", METRIC_COUNTER, METRIC_OF_CORE, database_sent_from_disk},
  {"cluster.raft.terms_led", "Times that this member became the leader.", METRIC_COUNTER, METRIC_OF_CORE, database_led},
  {"causal_clustering.core.append_index", "The last entry of the log here.", METRIC_GAUGE, METRIC_OF_CORE, database_append_index},
  {"causal_clustering.core.commit_index", "The last entry that a majority has.", METRIC_GAUGE, METRIC_OF_CORE, database_commit_index},
  {"causal_clustering.core.applied_index", "The last entry that is applied here.", METRIC_GAUGE, METRIC_OF_CORE, database_applied_index},
  {"causal_clustering.core.term", "The term of the group.", METRIC_GAUGE, METRIC_OF_CORE, database_term},
  {"causal_clustering.core.is_leader", "1: this member leads.", METRIC_GAUGE, METRIC_OF_CORE, database_leads},
  {"causal_clustering.core.last_leader_message", "Milliseconds since the last word of the leader; 0 where this member leads, -1 before the first.", METRIC_GAUGE, METRIC_OF_CORE, database_leader_silent_ms},
  {"causal_clustering.core.tx_retries", "Entries that were refused for want of room, and proposed again.", METRIC_COUNTER, METRIC_OF_CORE, database_retries},
  {"causal_clustering.core.replication_new", "Entries that this member has given to the group.", METRIC_COUNTER, METRIC_OF_CORE, database_proposed},
  {"causal_clustering.core.replication_attempt", "The same with those that were refused.", METRIC_COUNTER, METRIC_OF_CORE, database_attempts},
  {"causal_clustering.core.replication_success", "Of those, entries that were committed while it led.", METRIC_COUNTER, METRIC_OF_CORE, database_committed},
  {"causal_clustering.core.replication_fail", "Entries that were refused because it did not lead.", METRIC_COUNTER, METRIC_OF_CORE, database_refused},
  {"causal_clustering.core.replication_maybe", "Entries whose fate was open when it ceased to lead.", METRIC_COUNTER, METRIC_OF_CORE, database_uncertain},
  {"causal_clustering.core.in_flight_cache.total_bytes", "Bytes of recent entries in memory.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_bytes},
  {"causal_clustering.core.in_flight_cache.max_bytes", "What they may take.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_bytes_max},
  {"causal_clustering.core.in_flight_cache.element_count", "Recent entries in memory.", METRIC_GAUGE, METRIC_OF_CORE, database_memory_entries},
  {"causal_clustering.core.in_flight_cache.hits", "Entries that were sent to others from memory.", METRIC_COUNTER, METRIC_OF_CORE, database_sent_from_memory},
  {"causal_clustering.core.in_flight_cache.misses", "Entries that were read from the log to be sent.", METRIC_COUNTER, METRIC_OF_CORE, database_sent_from_disk},
  {"cluster.store_copy.pull_updates", "Answers of upstreams.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pulls},
  {"cluster.store_copy.pull_update_highest_tx_id_requested", "The entry behind which was asked last.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pull_requested},
  {"cluster.store_copy.pull_update_highest_tx_id_received", "The last entry that has come.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pull_received},
  {"causal_clustering.read_replica.pull_updates", "Answers of upstreams.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pulls},
  {"causal_clustering.read_replica.pull_update_highest_tx_id_requested", "The entry behind which was asked last.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pull_requested},
  {"causal_clustering.read_replica.pull_update_highest_tx_id_received", "The last entry that has come.", METRIC_COUNTER, METRIC_OF_REPLICA, database_pull_received},
};
const uint32_t metrics_of_database_count = ARRAY_SIZE(metrics_of_database);

const struct metric_of_server metrics_of_server[] = {
  {"page_cache.page_faults", "Pages that were read from disk.", METRIC_COUNTER, METRIC_ALWAYS, server_page_faults},
  {"page_cache.evictions", "Pages that made way for others.", METRIC_COUNTER, METRIC_ALWAYS, server_page_evictions},
  {"page_cache.flushes", "Changed pages that were written to make room.", METRIC_COUNTER, METRIC_ALWAYS, server_page_flushes},
  {"page_cache.usage_ratio", "The part of the page cache that is used.", METRIC_GAUGE, METRIC_ALWAYS, server_page_usage},
  {"pool.transaction.total_used", "Bytes of memory that transactions hold.", METRIC_GAUGE, METRIC_ALWAYS, server_transaction_bytes},
  {"pool.transaction.peak", "The most that they have held.", METRIC_GAUGE, METRIC_ALWAYS, server_transaction_bytes_peak},
  {"db.state.count.hosted", "Databases that are open here.", METRIC_GAUGE, METRIC_ALWAYS, server_databases_hosted},
  {"db.state.count.failed", "Databases that could not be opened.", METRIC_GAUGE, METRIC_ALWAYS, server_databases_failed},
  {"db.state.count.desired_started", "Databases that are to be online.", METRIC_GAUGE, METRIC_ALWAYS, server_databases_wanted},
  {"cluster.catchup.tx_pull_requests_received", "Requests of others for the log.", METRIC_COUNTER, METRIC_OF_MEMBER, server_pull_requests},
  {"causal_clustering.catchup.tx_pull_requests_received", "Requests of others for the log.", METRIC_COUNTER, METRIC_OF_MEMBER, server_pull_requests},
  {"cluster.discovery.cluster.members", "Servers of the cluster that are heard of, this one among them.", METRIC_GAUGE, METRIC_OF_MEMBER, server_servers},
  {"causal_clustering.core.discovery.cluster.members", "Servers of the cluster that are heard of, this one among them.", METRIC_GAUGE, METRIC_OF_MEMBER, server_servers},
  {"cluster.discovery.cluster.unreachable", "Servers with whom the connection was lost.", METRIC_GAUGE, METRIC_OF_MEMBER, server_servers_unreachable},
  {"causal_clustering.core.discovery.cluster.unreachable", "Servers with whom the connection was lost.", METRIC_GAUGE, METRIC_OF_MEMBER, server_servers_unreachable},
  {"cluster.discovery.cluster.converged", "1: all that are known of are reached.", METRIC_GAUGE, METRIC_OF_MEMBER, server_converged},
  {"causal_clustering.core.discovery.cluster.converged", "1: all that are known of are reached.", METRIC_GAUGE, METRIC_OF_MEMBER, server_converged},
  {"cluster.raft.message_processing_delay", "Milliseconds that the last messages of others took, from the first one to the last answer; of all groups.", METRIC_GAUGE, METRIC_OF_CORE, server_message_last_ms},
  {"cluster.raft.message_processing_timer.count", "Times that messages of others came in; of all groups.", METRIC_COUNTER, METRIC_OF_CORE, server_message_batches},
  {"cluster.raft.message_processing_timer.seconds", "Seconds that they took, together.", METRIC_COUNTER, METRIC_OF_CORE, server_message_total_s},
  {"causal_clustering.core.message_processing_delay", "Milliseconds that the last messages of others took, from the first one to the last answer; of all groups.", METRIC_GAUGE, METRIC_OF_CORE, server_message_last_ms},
  {"causal_clustering.core.message_processing_timer.count", "Times that messages of others came in; of all groups.", METRIC_COUNTER, METRIC_OF_CORE, server_message_batches},
  {"causal_clustering.core.message_processing_timer.seconds", "Seconds that they took, together.", METRIC_COUNTER, METRIC_OF_CORE, server_message_total_s},
};
const uint32_t metrics_of_server_count = ARRAY_SIZE(metrics_of_server);

const struct metric_of_bolt metrics_of_bolt[] = {
  {"bolt.connections_opened", "Connections that were opened.", METRIC_COUNTER, bolt_connections_opened},
  {"bolt.connections_closed", "Connections that were closed.", METRIC_COUNTER, bolt_connections_closed},
  {"bolt.connections_running", "Connections that are at work.", METRIC_GAUGE, bolt_connections_running},
  {"bolt.connections_idle", "Connections that wait for their clients.", METRIC_GAUGE, bolt_connections_idle},
  {"bolt.messages_received", "Messages that have come.", METRIC_COUNTER, bolt_messages_received},
  {"bolt.messages_started", "Messages that were begun with.", METRIC_COUNTER, bolt_messages_started},
  {"bolt.messages_done", "Messages that were carried out.", METRIC_COUNTER, bolt_messages_done},
  {"bolt.messages_failed", "Messages that were answered by a failure.", METRIC_COUNTER, bolt_messages_failed},
};
const uint32_t metrics_of_bolt_count = ARRAY_SIZE(metrics_of_bolt);
// clang-format on
