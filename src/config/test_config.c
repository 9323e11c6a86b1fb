#include <string.h>

#include "base/test.h"
#include "config/config.h"

static struct config *read_text(const char *text) {
  struct config *c = config_new();
  struct error e = ERROR_INIT;
  assert_ok(config_read_file(c, str_of(text), STR("conf/neo4j.conf"), &e));
  return c;
}

static const struct config_values *finish(struct config *c) {
  struct error e = ERROR_INIT;
  if (config_finish(c, STR("/srv/quiver"), &e) != ERR_OK) fail_msg("%s", e.message);
  return config_values(c);
}

TEST(durations_have_units_and_seconds_without_one) {
  const struct {
    const char *text;
    int64_t ms;
  } cases[] = {{"0", 0}, {"30", 30000}, {"500ms", 500}, {"1h30m", 5400000}, {" 2d ", 172800000}, {"1m", 60000}, {"1500us", 1}, {"5 s", 5000}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    int64_t ms = -1;
    assert_true(config_parse_duration(str_of(cases[i].text), &ms));
    assert_int_equal(ms, cases[i].ms);
  }
  const char *const bad[] = {"", "s", "-1s", "1x", "99999999999999999999s", "9223372036854775807h", "1.5s"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) assert_false(config_parse_duration(str_of(bad[i]), &(int64_t){0}));
}

TEST(sizes_are_powers_of_1024) {
  const struct {
    const char *text;
    int64_t bytes;
  } cases[] = {{"1024", 1024}, {"1k", 1024}, {"512m", 512 << 20}, {"2G", 2147483648}, {"10 KiB", 10240}, {"1t", 1099511627776}, {"3MB", 3 << 20}, {"7B", 7}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    int64_t bytes = -1;
    assert_true(config_parse_bytes(str_of(cases[i].text), &bytes));
    assert_int_equal(bytes, cases[i].bytes);
  }
  assert_false(config_parse_bytes(STR("1q"), &(int64_t){0}));
}

TEST(addresses_have_a_host_a_port_or_both) {
  const struct {
    const char *text, *host;
    uint16_t port;
  } cases[] = {{"0.0.0.0:7687", "0.0.0.0", 7687}, {":7688", "", 7688}, {"example.org", "example.org", 0}, {"[::1]:7687", "::1", 7687}, {"[fe80::1]", "fe80::1", 0}, {"::1", "::1", 0}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct config_address a;
    assert_true(config_parse_address(str_of(cases[i].text), &a));
    assert_str(a.host, cases[i].host);
    assert_int_equal(a.port, cases[i].port);
  }
  const char *const bad[] = {"", "host:99999", "host:x", "[::1", "[::1]7687"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) assert_false(config_parse_address(str_of(bad[i]), &(struct config_address){0}));
}

TEST(defaults_hold_where_nothing_is_said) {
  struct config *c = config_new();
  const struct config_values *v = finish(c);
  assert_true(v->auth_enabled);
  assert_int_equal(v->bolt_listen_address.port, 7687);
  assert_int_equal(v->bookmark_timeout_ms, 30000);
  assert_str(v->data_directory, "/srv/quiver/data");
  assert_str(v->bolt_tls_level, "DISABLED");
  assert_int_equal(config_warning_count(c), 0);
  config_free(c);
}

TEST(the_settings_of_an_old_kubernetes_file_are_understood) {
  struct config *c = read_text("\n   unsupported.dbms.edition=enterprise\n\n  # a comment\n"
                               "   dbms.connectors.default_listen_address=0.0.0.0\n"
                               "   dbms.connector.bolt.type=BOLT\n   dbms.connector.bolt.enabled=true\n"
                               "   dbms.connector.bolt.listen_address=0.0.0.0:7687\n"
                               "   causal_clustering.raft_messages_log_enable=true\n   dbms.mode=CORE\n");
  const struct config_values *v = finish(c);
  assert_str(v->default_listen_address.host, "0.0.0.0");
  assert_str(v->bolt_listen_address.host, "0.0.0.0");
  for (uint32_t i = 0; i < config_warning_count(c); i++) assert_true(str_find(config_warning(c, i), STR("Unrecognized")) < 0);
  config_free(c);
}

TEST(a_cluster_is_set_up_in_the_names_of_three_eras) {
  static const char *const files[] = {
      "dbms.mode=core\ncausal_clustering.expected_core_cluster_size=5\ncausal_clustering.initial_discovery_members=core01:5000,core02:5000\n"
      "causal_clustering.discovery_listen_address=0.0.0.0:5100\ncausal_clustering.raft_advertised_address=core01:7200\n",
      "dbms.mode=CORE\ndbms.routing.listen_address=0.0.0.0:7700\ncausal_clustering.minimum_core_cluster_size_at_formation=5\ncausal_clustering.initial_discovery_members=core01:5000,core02:5000\n"
      "causal_clustering.discovery_listen_address=0.0.0.0:5100\ncausal_clustering.raft_advertised_address=core01:7200\n",
      "dbms.mode=CORE\nserver.routing.listen_address=0.0.0.0:7700\ndbms.cluster.minimum_initial_system_primaries_count=5\ndbms.cluster.discovery.endpoints=core01:5000,core02:5000\n"
      "server.discovery.listen_address=0.0.0.0:5100\nserver.cluster.raft.advertised_address=core01:7200\n"};
  for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
    struct config *c = read_text(files[i]);
    const struct config_values *v = finish(c);
    assert_str(v->mode, "CORE");
    assert_int_equal(v->formation_minimum, 5);
    assert_str(v->discovery_endpoints, "core01:5000,core02:5000");
    assert_int_equal(v->discovery_listen_address.port, 5100);
    assert_int_equal(v->transaction_listen_address.port, 6000);
    assert_str(v->raft_advertised_address.host, "core01");
    assert_int_equal(v->raft_advertised_address.port, 7200);
    assert_int_equal(v->routing_listen_address.port, i == 0 ? 7688 : 7700); // Neo4j 3 had none
    config_free(c);
  }
}

TEST(who_leads_is_wished_for_all_databases_or_for_one_in_the_names_of_two_eras) {
  struct config *c = read_text(
      "causal_clustering.leadership_priority_group=slow\ncausal_clustering.leadership_priority_group.films=fast\n"
      "db.cluster.raft.leader_transfer.priority_tag.books= here \ncausal_clustering.leadership_balancing=no_balancing\n");
  const struct config_values *v = finish(c);
  assert_str(v->leadership_priority, "slow,films=fast,books=here");
  assert_str(v->leadership_balancing, "NO_BALANCING");
  config_free(c);
}

TEST(lines_continue_and_the_last_of_two_wins) {
  struct config *c = read_text("db.transaction.timeout=\\\n   7s\ndb.transaction.timeout = 9s\n! note");
  assert_int_equal(finish(c)->tx_timeout_ms, 9000);
  assert_non_null(strstr(config_warning(c, 0).ptr, "conf/neo4j.conf:3 wins over conf/neo4j.conf:1"));
  config_free(c);
}

TEST(an_old_name_is_a_warning_that_names_the_new_one) {
  struct config *c = read_text("dbms.transaction.timeout=5s");
  assert_int_equal(finish(c)->tx_timeout_ms, 5000);
  assert_str(config_warning(c, 0), "Use of deprecated setting 'dbms.transaction.timeout' (conf/neo4j.conf:1). It is replaced by 'db.transaction.timeout'.");
  config_free(c);
}

TEST(a_wrong_value_is_refused_with_key_place_and_what_fits) {
  struct config *c = config_new();
  struct error e = ERROR_INIT;
  assert_int_equal(config_read_file(c, STR("\ndb.transaction.timeout=soon\n"), STR("neo4j.conf"), &e), ERR_INVALID);
  assert_string_equal(e.message, "Bad value 'soon' for setting 'db.transaction.timeout' at neo4j.conf:2: it must be a duration such as 500ms, 30s, 5m or 1h");
  assert_int_equal(config_set(c, STR("server.bolt.tls_level"), STR("maybe"), CONFIG_COMMAND_LINE, STR("--set"), &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "DISABLED|OPTIONAL|REQUIRED"));
  assert_int_equal(config_set(c, STR("server.threads.worker_count"), STR("5000"), CONFIG_COMMAND_LINE, STR("--set"), &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "between 0 and 1024"));
  config_free(c);
}

TEST(an_unknown_key_is_a_warning_with_a_guess_and_an_error_when_strict) {
  struct config *c = read_text("server.bolt.listen_adress=:1\n");
  assert_non_null(strstr(config_warning(c, 0).ptr, "Did you mean 'server.bolt.listen_address'?"));
  finish(c);
  struct error e = ERROR_INIT;
  assert_ok(config_set(c, STR("server.config.strict_validation.enabled"), STR("true"), CONFIG_COMMAND_LINE, STR("--set"), &e));
  assert_int_equal(config_finish(c, STR("/"), &e), ERR_INVALID);
  config_free(c);
}

TEST(the_command_line_wins_over_the_environment_and_that_over_the_file) {
  struct config *c = config_new();
  struct error e = ERROR_INIT;
  const char *const environment[] = {"PATH=/bin", "NEO4J_HOME=/x", "NEO4J_db_transaction_timeout=2s", "NEO4J_db_lock_acquisition_timeout=2s", "NEO4J_dbms_max__databases=",
                         "NEO4J_dbms_logs_user_stdout__enabled=false", NULL};
  assert_ok(config_set(c, STR("db.transaction.timeout"), STR("3s"), CONFIG_COMMAND_LINE, STR("--set"), &e));
  assert_ok(config_read_environment(c, environment, &e));
  assert_ok(config_read_file(c, STR("db.transaction.timeout=1s\ndb.lock.acquisition.timeout=1s\ndb.transaction.concurrent.maximum=1"), STR("f"), &e));
  const struct config_values *v = finish(c);
  assert_int_equal(v->tx_timeout_ms, 3000);
  assert_int_equal(v->lock_timeout_ms, 2000);
  assert_int_equal(v->tx_concurrent_max, 1);
  assert_false(v->log_user_stdout);
  config_free(c);
}

TEST(no_name_is_listed_twice) {
  struct config *c = config_new();
  for (uint32_t i = 0; i < config_entry_count(c); i++)
    for (uint32_t j = 0; j < i; j++) assert_false(str_eq(config_entry(c, i).name, config_entry(c, j).name));
  config_free(c);
}

TEST(every_failed_allocation_is_an_error_or_a_lost_warning) {
  EACH_ALLOC_FAILS(n) {
    struct config *c = config_new();
    if (c == NULL) continue;
    struct error e = ERROR_INIT;
    enum err err = config_read_file(c, STR("dbms.transaction.timeout=5s\nnonsense=1\n"), STR("f"), &e);
    if (err == ERR_OK) err = config_finish(c, STR("/"), &e);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    config_free(c);
  }
}

TESTS(T(durations_have_units_and_seconds_without_one), T(sizes_are_powers_of_1024), T(addresses_have_a_host_a_port_or_both),
      T(defaults_hold_where_nothing_is_said), T(the_settings_of_an_old_kubernetes_file_are_understood),
      T(a_cluster_is_set_up_in_the_names_of_three_eras),
      T(who_leads_is_wished_for_all_databases_or_for_one_in_the_names_of_two_eras), T(lines_continue_and_the_last_of_two_wins),
      T(an_old_name_is_a_warning_that_names_the_new_one), T(a_wrong_value_is_refused_with_key_place_and_what_fits),
      T(an_unknown_key_is_a_warning_with_a_guess_and_an_error_when_strict),
      T(the_command_line_wins_over_the_environment_and_that_over_the_file), T(no_name_is_listed_twice),
      T(every_failed_allocation_is_an_error_or_a_lost_warning))
