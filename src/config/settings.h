// The settings that change what the server does, one row each: the only place where they are listed.
//
//   X(field, TYPE, "canonical name (5.x)", "4.x name", "3.x name", "default", low, high, "what it does")
//
// A 4.x or 3.x name of "" is the same as the one before it or did not exist. Types: config/config.h. `low` and `high` bound numbers in
// the type's unit (bytes, milliseconds); 0, 0: no bounds. Relative paths hang below the home folder. Names and defaults: Neo4j manuals.
#pragma once

// clang-format off
#define CONFIG_SETTINGS(X) \
  /* network */ \
  X(default_listen_address,     ADDRESS,  "server.default_listen_address", "dbms.default_listen_address", "dbms.connectors.default_listen_address", "localhost", 0, 0, "interface of every listener that names none") \
  X(default_advertised_address, ADDRESS,  "server.default_advertised_address", "dbms.default_advertised_address", "dbms.connectors.default_advertised_address", "localhost", 0, 0, "host that clients are told to use") \
  X(bolt_enabled,               BOOL,     "server.bolt.enabled", "dbms.connector.bolt.enabled", "", "true", 0, 0, "listen for Bolt") \
  X(bolt_listen_address,        ADDRESS,  "server.bolt.listen_address", "dbms.connector.bolt.listen_address", "dbms.connector.bolt.address", ":7687", 0, 0, "where") \
  X(bolt_advertised_address,    ADDRESS,  "server.bolt.advertised_address", "dbms.connector.bolt.advertised_address", "", ":7687", 0, 0, "what routing tables say") \
  X(bolt_tls_level,             ENUM,     "server.bolt.tls_level", "dbms.connector.bolt.tls_level", "", "DISABLED", 0, 0, "DISABLED|OPTIONAL|REQUIRED") \
  X(bolt_threads_max,           INT,      "server.bolt.thread_pool_max_size", "dbms.connector.bolt.thread_pool_max_size", "", "400", 1, 100000, "statements that may run at once") \
  X(bolt_keep_alive_ms,         DURATION, "server.bolt.connection_keep_alive", "dbms.connector.bolt.connection_keep_alive", "", "1m", 0, 86400000, "a NOOP to the client while a request runs") \
  X(bolt_connections_max,       INT,      "quiver.bolt.connections.max", "", "", "10000", 1, 1000000, "open Bolt connections") \
  X(bolt_unauthenticated_max,   INT,      "quiver.bolt.connections.unauthenticated.max", "", "", "1000", 1, 1000000, "of them, not yet logged in") \
  X(bolt_login_timeout_ms,      DURATION, "quiver.bolt.login_timeout", "", "", "30s", 1, 3600000, "from accept to login") \
  X(bolt_message_max_bytes,     BYTES,    "quiver.bolt.message.max_size", "", "", "64m", 8192, 2147483647, "largest message after login") \
  X(bolt_message_max_depth,     INT,      "quiver.bolt.message.max_depth", "", "", "512", 8, 10000, "deepest nesting of a message") \
  X(http_enabled,               BOOL,     "server.http.enabled", "dbms.connector.http.enabled", "", "true", 0, 0, "listen for HTTP") \
  X(http_listen_address,        ADDRESS,  "server.http.listen_address", "dbms.connector.http.listen_address", "dbms.connector.http.address", ":7474", 0, 0, "where") \
  X(http_advertised_address,    ADDRESS,  "server.http.advertised_address", "dbms.connector.http.advertised_address", "", ":7474", 0, 0, "what discovery says") \
  X(http_allow_origin,          STRING,   "dbms.security.http_access_control_allow_origin", "", "", "*", 0, 0, "CORS") \
  X(routing_ttl_ms,             DURATION, "dbms.routing_ttl", "", "causal_clustering.cluster_routing_ttl", "300s", 1000, 0, "how long clients keep a routing table") \
  X(routing_enabled,            BOOL,     "dbms.routing.enabled", "", "", "true", 0, 0, "a member of a cluster hands writes on to the leader") \
  X(routing_direct_enabled,     BOOL,     "quiver.routing.direct.enabled", "", "", "true", 0, 0, "also those of clients that do not route themselves: bolt:// and HTTP") \
  X(routing_wait_ms,            DURATION, "quiver.routing.wait_timeout", "", "", "30s", 0, 3600000, "a write waits for a leader") \
  X(read_consistency,           ENUM,     "quiver.read.consistency", "", "", "CAUSAL", 0, 0, "CAUSAL|LINEARIZABLE") \
  X(server_name,                STRING,   "quiver.server_name", "", "", "", 0, 0, "what the server calls itself on the wire; empty: Neo4j/5.26.0-quiver.<version>") \
  /* certificates of Bolt over TLS */ \
  X(tls_bolt_enabled,           BOOL,     "dbms.ssl.policy.bolt.enabled", "", "", "false", 0, 0, "read the certificate below") \
  X(tls_bolt_directory,         PATH,     "dbms.ssl.policy.bolt.base_directory", "", "", "certificates/bolt", 0, 0, "folder of the two files") \
  X(tls_bolt_private_key,       STRING,   "dbms.ssl.policy.bolt.private_key", "", "", "private.key", 0, 0, "PEM") \
  X(tls_bolt_certificate,       STRING,   "dbms.ssl.policy.bolt.public_certificate", "", "", "public.crt", 0, 0, "PEM") \
  /* certificates between the servers of a cluster: both ends show one */ \
  X(tls_cluster_enabled,        BOOL,     "dbms.ssl.policy.cluster.enabled", "", "", "false", 0, 0, "servers speak TLS with each other") \
  X(tls_cluster_directory,      PATH,     "dbms.ssl.policy.cluster.base_directory", "", "", "certificates/cluster", 0, 0, "folder of the files below") \
  X(tls_cluster_private_key,    STRING,   "dbms.ssl.policy.cluster.private_key", "", "", "private.key", 0, 0, "PEM") \
  X(tls_cluster_certificate,    STRING,   "dbms.ssl.policy.cluster.public_certificate", "", "", "public.crt", 0, 0, "PEM") \
  X(tls_cluster_trusted,        STRING,   "dbms.ssl.policy.cluster.trusted_dir", "", "", "trusted", 0, 0, "PEM certificates of the authorities that sign those of the others") \
  X(tls_cluster_verify_names,   BOOL,     "dbms.ssl.policy.cluster.verify_hostname", "", "", "false", 0, 0, "a certificate must be for the host it is met at") \
  /* cluster */ \
  X(mode,                       ENUM,     "dbms.mode", "", "", "SINGLE", 0, 0, "SINGLE|CORE|READ_REPLICA|GATEWAY") \
  X(clustering_enabled,         BOOL,     "dbms.clustering.enable", "", "", "false", 0, 0, "a server with dbms.mode=SINGLE listens for read replicas") \
  X(discovery_endpoints,        STRING,   "dbms.cluster.discovery.endpoints", "causal_clustering.initial_discovery_members", "", "", 0, 0, "some servers of the cluster, host:port with commas; names of SRV records for SRV") \
  X(discovery_type,             ENUM,     "dbms.cluster.discovery.resolver_type", "causal_clustering.discovery_type", "", "LIST", 0, 0, "LIST|DNS|SRV|K8S") \
  X(discovery_expiry_ms,        DURATION, "quiver.discovery.expiry", "", "", "10s", 2000, 3600000, "a server that is silent for so long is gone") \
  X(formation_minimum,          INT,      "dbms.cluster.minimum_initial_system_primaries_count", "causal_clustering.minimum_core_cluster_size_at_formation", "causal_clustering.expected_core_cluster_size", "3", 1, 15, "cores that found a cluster") \
  X(runtime_minimum,            INT,      "dbms.cluster.minimum_core_cluster_size_at_runtime", "causal_clustering.minimum_core_cluster_size_at_runtime", "causal_clustering.expected_core_cluster_size", "3", 2, 15, "so many voting members stay when servers are taken out") \
  X(binding_timeout_ms,         DURATION, "dbms.cluster.raft.binding_timeout", "causal_clustering.cluster_binding_timeout", "", "1d", 0, 0, "waiting for a cluster at the start; 0: for ever") \
  X(server_groups,              STRING,   "server.groups", "causal_clustering.server_groups", "", "", 0, 0, "groups that this server is in, with commas") \
  X(leadership_balancing,       ENUM,     "dbms.cluster.raft.leader_transfer.balancing_strategy", "causal_clustering.leadership_balancing", "", "EQUAL_BALANCING", 0, 0, "EQUAL_BALANCING|NO_BALANCING") \
  X(leadership_priority,        STRING,   "db.cluster.raft.leader_transfer.priority_tag", "causal_clustering.leadership_priority_group", "", "", 0, 0, "the server group whose members lead, if one can: for all databases, or, with a dot and its name behind the key, for one; several as `group,database=group`") \
  X(raft_log_kept,              STRING,   "db.cluster.raft.log.prune_strategy", "causal_clustering.raft_log_prune_strategy", "", "256m size", 0, 0, "log that stays for members that are behind: `N size` or `N entries`") \
  X(pull_interval_ms,           DURATION, "db.cluster.catchup.pull_interval", "causal_clustering.pull_interval", "", "1s", 10, 3600000, "a read replica that is up to date asks again after so long without a word") \
  X(upstream_strategies,        STRING,   "server.cluster.catchup.upstream_strategy", "causal_clustering.upstream_selection_strategy", "", "", 0, 0, "whom a read replica pulls from, with commas: connect-to-random-core-server, typically-connect-to-random-read-replica, connect-randomly-within-server-group, connect-randomly-to-server-group, leader-only; then any core") \
  X(upstream_groups,            STRING,   "server.cluster.catchup.connect_randomly_to_server_group", "causal_clustering.connect-randomly-to-server-group", "", "", 0, 0, "for connect-randomly-to-server-group: names with commas") \
  X(discovery_listen_address,   ADDRESS,  "server.discovery.listen_address", "causal_clustering.discovery_listen_address", "", ":5000", 0, 0, "where servers tell each other who is there") \
  X(discovery_advertised_address, ADDRESS, "server.discovery.advertised_address", "causal_clustering.discovery_advertised_address", "", ":5000", 0, 0, "what other servers connect to") \
  X(transaction_listen_address, ADDRESS,  "server.cluster.listen_address", "causal_clustering.transaction_listen_address", "", ":6000", 0, 0, "where stores and logs are copied from") \
  X(transaction_advertised_address, ADDRESS, "server.cluster.advertised_address", "causal_clustering.transaction_advertised_address", "", ":6000", 0, 0, "what other servers connect to") \
  X(raft_listen_address,        ADDRESS,  "server.cluster.raft.listen_address", "causal_clustering.raft_listen_address", "", ":7000", 0, 0, "where the members of Raft groups talk") \
  X(raft_advertised_address,    ADDRESS,  "server.cluster.raft.advertised_address", "causal_clustering.raft_advertised_address", "", ":7000", 0, 0, "what other servers connect to") \
  X(routing_listen_address,     ADDRESS,  "server.routing.listen_address", "dbms.routing.listen_address", "", ":7688", 0, 0, "where other servers hand on their clients' transactions") \
  X(routing_advertised_address, ADDRESS,  "server.routing.advertised_address", "dbms.routing.advertised_address", "", ":7688", 0, 0, "what other servers connect to") \
  X(kubernetes_address,         STRING,   "dbms.kubernetes.address", "causal_clustering.kubernetes.address", "", "kubernetes.default.svc:443", 0, 0, "the API, for discovery by K8S") \
  X(kubernetes_ca_path,         PATH,     "dbms.kubernetes.ca_crt", "causal_clustering.kubernetes.ca_crt", "", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", 0, 0, "file: the authority that signs its certificate") \
  X(kubernetes_token_path,      PATH,     "dbms.kubernetes.token", "causal_clustering.kubernetes.token", "", "/var/run/secrets/kubernetes.io/serviceaccount/token", 0, 0, "file: the token of the pod") \
  X(kubernetes_namespace_path,  PATH,     "dbms.kubernetes.namespace", "causal_clustering.kubernetes.namespace", "", "/var/run/secrets/kubernetes.io/serviceaccount/namespace", 0, 0, "file: the namespace of the pod") \
  X(kubernetes_label_selector,  STRING,   "dbms.kubernetes.label_selector", "causal_clustering.kubernetes.label_selector", "", "", 0, 0, "label of the services that are servers") \
  X(kubernetes_service_port_name, STRING, "dbms.kubernetes.service_port_name", "causal_clustering.kubernetes.service_port_name", "", "", 0, 0, "what those call their discovery port") \
  X(kubernetes_cluster_domain,  STRING,   "dbms.kubernetes.cluster_domain", "causal_clustering.kubernetes.cluster_domain", "", "cluster.local", 0, 0, "what the names of services end in") \
  X(kubernetes_scaling,         ENUM,     "quiver.kubernetes.scaling", "", "", "AUTO", 0, 0, "AUTO|ON|OFF") \
  X(kubernetes_pod_name,        STRING,   "quiver.kubernetes.pod_name", "", "", "", 0, 0, "pod of a StatefulSet that this server is: NAME-ORDINAL; empty: the name of the machine") \
  X(kubernetes_leave_ms,        DURATION, "quiver.kubernetes.leave_timeout", "", "", "20s", 0, 3600000, "a pod that is scaled away waits so long, when it is stopped, until it has left the cluster") \
  X(kubernetes_absence_ms,      DURATION, "quiver.kubernetes.absence", "", "", "1m", 1000, 86400000, "a pod that is scaled away and did not leave is taken out when it has been away for so long") \
  X(leader_failure_window,      STRING,   "dbms.cluster.raft.leader_failure_detection_window", "causal_clustering.leader_failure_detection_window", "causal_clustering.leader_election_timeout", "1s", 0, 0, "without a word of the leader, before another one is elected: a duration, or two with a dash between them") \
  /* databases */ \
  X(default_database,           STRING,   "initial.dbms.default_database", "dbms.default_database", "dbms.active_database", "neo4j", 0, 0, "the database that sessions without a name use") \
  X(read_only_default,          BOOL,     "server.databases.default_to_read_only", "dbms.databases.default_to_read_only", "dbms.read_only", "false", 0, 0, "refuse writes") \
  X(max_databases,              INT,      "dbms.max_databases", "", "", "100", 2, 10000, "how many there may be") \
  /* memory */ \
  X(page_cache_bytes,           BYTES,    "server.memory.pagecache.size", "dbms.memory.pagecache.size", "", "0", 0, 0, "pages kept in memory; 0: half of what the machine or its cgroup leaves, a quarter of less than 512 MiB") \
  X(heap_max_bytes,             BYTES,    "server.memory.heap.max_size", "dbms.memory.heap.max_size", "", "0", 0, 0, "what queries may use together when no limit below is set; 0: a quarter of the memory") \
  X(memory_total_max_bytes,     BYTES,    "dbms.memory.transaction.total.max", "dbms.memory.transaction.global_max_size", "", "0", 0, 0, "all transactions together; 0: 70 % of the heap setting") \
  X(memory_database_max_bytes,  BYTES,    "db.memory.transaction.total.max", "dbms.memory.transaction.database_max_size", "", "0", 0, 0, "those of one database; 0: no limit") \
  X(memory_tx_max_bytes,        BYTES,    "db.memory.transaction.max", "dbms.memory.transaction.max_size", "cypher.query_max_allocations", "0", 0, 0, "one transaction; 0: no limit") \
  X(worker_threads,             INT,      "server.threads.worker_count", "dbms.threads.worker_count", "", "0", 0, 1024, "threads that run statements; 0: one a core, at least two") \
  /* log and checkpoint */ \
  X(checkpoint_policy,         ENUM,     "db.checkpoint", "dbms.checkpoint", "", "PERIODIC", 0, 0, "PERIODIC|CONTINUOUS|VOLUME|VOLUMETRIC") \
  X(checkpoint_interval_ms,     DURATION, "db.checkpoint.interval.time", "dbms.checkpoint.interval.time", "", "15m", 0, 0, "at least so often") \
  X(checkpoint_interval_tx,     INT,      "db.checkpoint.interval.tx", "dbms.checkpoint.interval.tx", "", "100000", 1, 0, "or after so many transactions") \
  X(checkpoint_interval_bytes,  BYTES,    "db.checkpoint.interval.volume", "dbms.checkpoint.interval.volume", "", "250m", 1024, 0, "or after so much log") \
  X(checkpoint_iops,            INT,      "db.checkpoint.iops.limit", "dbms.checkpoint.iops.limit", "", "600", -1, 0, "pace, in writes of 8 KiB a second; -1: none") \
  X(log_rotation_bytes,         BYTES,    "db.tx_log.rotation.size", "dbms.tx_log.rotation.size", "", "256m", 131072, 0, "size of one log segment") \
  X(log_retention,              STRING,   "db.tx_log.rotation.retention_policy", "dbms.tx_log.rotation.retention_policy", "", "2 days 2G", 0, 0, "which old segments stay") \
  /* transactions and queries */ \
  X(tx_timeout_ms,              DURATION, "db.transaction.timeout", "dbms.transaction.timeout", "", "0s", 0, 0, "a transaction that takes longer is ended; 0: none") \
  X(lock_timeout_ms,            DURATION, "db.lock.acquisition.timeout", "dbms.lock.acquisition.timeout", "", "0s", 0, 0, "waiting for a lock; 0: for ever") \
  X(bookmark_timeout_ms,        DURATION, "db.transaction.bookmark_ready_timeout", "dbms.transaction.bookmark_ready_timeout", "", "30s", 0, 0, "waiting for a bookmark") \
  X(tx_concurrent_max,          INT,      "db.transaction.concurrent.maximum", "dbms.transaction.concurrent.maximum", "", "1000", 0, 0, "open transactions; 0: no limit") \
  X(shutdown_tx_timeout_ms,     DURATION, "db.shutdown_transaction_end_timeout", "dbms.shutdown_transaction_end_timeout", "", "10s", 0, 0, "what a stop grants to open transactions") \
  X(query_cache_size,           INT,      "server.db.query_cache_size", "dbms.query_cache_size", "", "1000", 0, 1000000, "plans kept for each database") \
  X(temporal_timezone,          STRING,   "db.temporal.timezone", "", "", "Z", 0, 0, "default time zone of temporal functions") \
  X(query_max_bytes,            BYTES,    "quiver.query.max_size", "", "", "16m", 1024, 268435456, "longest query text") \
  /* security */ \
  X(auth_enabled,               BOOL,     "dbms.security.auth_enabled", "", "", "true", 0, 0, "clients must log in") \
  X(status_auth_enabled,        BOOL,     "dbms.security.cluster_status_auth_enabled", "dbms.security.causal_clustering_status_auth_enabled", "", "true", 0, 0, "who asks over HTTP how a member stands must log in") \
  X(auth_min_password_length,   INT,      "dbms.security.auth_minimum_password_length", "", "", "8", 1, 1024, "of a new password") \
  X(auth_max_failed,            INT,      "dbms.security.auth_max_failed_attempts", "", "", "3", 0, 0, "failed logins before a pause; 0: no pause") \
  X(auth_lock_ms,               DURATION, "dbms.security.auth_lock_time", "", "", "5s", 0, 0, "that pause") \
  /* files and logs */ \
  X(data_directory,             PATH,     "server.directories.data", "dbms.directories.data", "", "data", 0, 0, "databases and their logs") \
  X(logs_directory,             PATH,     "server.directories.logs", "dbms.directories.logs", "", "logs", 0, 0, "log files") \
  X(run_directory,              PATH,     "server.directories.run", "dbms.directories.run", "", "run", 0, 0, "the pid file") \
  X(import_from_files,          BOOL,     "dbms.security.allow_csv_import_from_file_urls", "", "", "true", 0, 0, "LOAD CSV may read files of the import folder") \
  X(import_backslash_escapes,   BOOL,     "db.import.csv.legacy_quote_escaping", "dbms.import.csv.legacy_quote_escaping", "", "true", 0, 0, "a backslash in a quoted field of CSV escapes a quote") \
  X(import_directory,           PATH,     "server.directories.import", "dbms.directories.import", "", "import", 0, 0, "what LOAD CSV may read") \
  X(log_user_rotation_bytes,    BYTES,    "dbms.logs.user.rotation.size", "", "", "20m", 0, 0, "size at which neo4j.log is rotated; 0: never") \
  X(log_user_keep,              INT,      "dbms.logs.user.rotation.keep_number", "", "", "7", 1, 1000, "rotated files that stay") \
  X(log_timezone,              ENUM,     "dbms.db.timezone", "", "dbms.logs.timezone", "UTC", 0, 0, "UTC|SYSTEM") \
  X(log_user_stdout,            BOOL,     "dbms.logs.user.stdout_enabled", "", "", "true", 0, 0, "also to standard output") \
  /* metrics */ \
  X(metrics_enabled,            BOOL,     "server.metrics.enabled", "metrics.enabled", "metrics.neo4j.enabled", "true", 0, 0, "metrics are given out where one of the outputs below is enabled") \
  X(metrics_prefix,             STRING,   "server.metrics.prefix", "metrics.prefix", "", "neo4j", 0, 0, "what all their names begin with") \
  X(metrics_namespaces,         BOOL,     "quiver.metrics.namespaces.enabled", "metrics.namespaces.enabled", "", "true", 0, 0, "names as since Neo4j 5 (neo4j.database.<name>.x); else as in 4 and 3 (neo4j.<name>.x; of the default database also neo4j.x)") \
  X(metrics_filter,             STRING,   "server.metrics.filter", "metrics.filter", "", "*", 0, 0, "which are given out: globs of names with commas") \
  X(prometheus_enabled,         BOOL,     "server.metrics.prometheus.enabled", "metrics.prometheus.enabled", "", "false", 0, 0, "give them out to Prometheus, without a login") \
  X(prometheus_endpoint,        ADDRESS,  "server.metrics.prometheus.endpoint", "metrics.prometheus.endpoint", "", "localhost:2004", 0, 0, "where") \
  X(strict_validation,          BOOL,     "server.config.strict_validation.enabled", "dbms.config.strict_validation", "", "false", 0, 0, "an unknown setting ends the start")
// clang-format on
