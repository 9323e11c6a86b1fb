#include "server/listen.h"

#include "base/test.h"

static struct config_address at(const char *text) {
  struct config_address a;
  assert_true(config_parse_address(str_of(text), &a));
  return a;
}

TEST(a_listener_takes_what_it_lacks_from_the_common_address) {
  struct arena a;
  arena_init(&a, NULL);
  assert_str(listen_address(&a, at(":7687"), at("localhost"), 7687), "127.0.0.1:7687");
  assert_str(listen_address(&a, at(":7688"), at("0.0.0.0"), 7687), "0.0.0.0:7688");
  assert_str(listen_address(&a, at("10.0.0.1"), at("0.0.0.0"), 7687), "10.0.0.1:7687");
  assert_str(listen_address(&a, at(":7687"), at("::"), 7687), "[::]:7687");
  assert_str(listen_address(&a, at(":0"), at("localhost"), 7474), "127.0.0.1:7474");
  arena_done(&a);
}

TEST(clients_are_told_a_host_only_where_a_setting_names_one) {
  struct arena a;
  arena_init(&a, NULL);
  assert_str(listen_advertised(&a, at(":7687"), false, at("localhost"), false, 7688), "");
  assert_str(listen_advertised(&a, at(":7687"), false, at("db.example.org"), true, 7688), "db.example.org:7688");
  assert_str(listen_advertised(&a, at("core-1:9999"), true, at("db.example.org"), true, 7688), "core-1:9999");
  assert_str(listen_advertised(&a, at("core-1"), true, at("localhost"), false, 7688), "core-1:7688");
  assert_str(listen_advertised(&a, at("[fe80::1]:7687"), true, at("localhost"), false, 7687), "[fe80::1]:7687");
  arena_done(&a);
}

TESTS(T(a_listener_takes_what_it_lacks_from_the_common_address), T(clients_are_told_a_host_only_where_a_setting_names_one))
