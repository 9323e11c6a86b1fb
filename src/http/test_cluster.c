// What load balancers and operators ask, over a database server that follows a script.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "http/routes.h"
#include "http/test_dbms.h"

#define ANN "Authorization: Basic YW5uOnNlY3JldA==\r\n"

/// The whole answer to a GET with these header lines.
static struct buf get_with(struct dbms *d, const char *path, const char *headers) {
  struct http_routes r;
  struct http_connection c;
  struct http_caller caller = {0};
  struct buf out = BUF_INIT;
  CLEANUP(buf_done) struct buf request = BUF_INIT;
  http_routes_init(&r, &(struct http_routes_options){.dbms = d, .status_needs_login = true});
  http_connection_init(&c, &r.handler, &caller, 1000, 100);
  assert_ok(buf_printf(&request, "GET %s HTTP/1.1\r\n%s\r\n", path, headers));
  assert_ok(http_connection_receive(&c, request.data, request.len, 0, &out));
  http_connection_done(&c);
  return out;
}

/// "200 true"
static void assert_get(struct dbms *d, const char *path, const char *wanted) {
  CLEANUP(buf_done) struct buf out = get_with(d, path, "");
  struct str answer = buf_str(&out);
  int64_t body = str_find(answer, STR("\r\n\r\n"));
  char got[16];
  snprintf(got, sizeof got, "%.3s %.*s", answer.ptr + strlen("HTTP/1.1 "), (int) (answer.len - (size_t) body - 4),
           answer.ptr + body + 4);
  assert_string_equal(got, wanted);
}

static void assert_status(struct dbms *d, const char *path, const char *headers, const char *status) {
  CLEANUP(buf_done) struct buf out = get_with(d, path, headers);
  assert_true(str_starts(buf_str(&out), str_of(status)));
}

TEST(a_load_balancer_finds_who_takes_writes_and_who_reads) {
  struct dbms leader = {.is_member = true, .part = DBMS_LEADS}, follower = {.is_member = true, .part = DBMS_FOLLOWS};
  static const char *const folders[] = {"/db/neo4j/cluster/", "/db/manage/server/core/", "/db/manage/server/causalclustering/"};
  for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
    static const struct {
      const char *what, *leader, *follower;
    } cases[] = {
        {"writable", "200 true", "404 false"}, {"read-only", "404 false", "200 true"}, {"available", "200 true", "200 true"}};
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
      char path[80];
      snprintf(path, sizeof path, "%s%s", folders[i], cases[k].what);
      assert_get(&leader, path, cases[k].leader);
      assert_get(&follower, path, cases[k].follower);
    }
  }
}

TEST(what_watched_a_master_goes_on_to_watch_the_leader) {
  struct dbms leader = {.is_member = true, .part = DBMS_LEADS};
  assert_get(&leader, "/db/manage/server/ha/master", "200 true");
  assert_get(&leader, "/db/manage/server/ha/slave", "404 false");
  assert_get(&leader, "/db/manage/server/ha/status", "404 ");
}

TEST(a_member_whose_group_has_failed_serves_nobody) {
  struct dbms failed = {.is_member = true, .part = DBMS_TAKES_NO_PART};
  assert_get(&failed, "/db/neo4j/cluster/writable", "404 false");
  assert_get(&failed, "/db/neo4j/cluster/read-only", "404 false");
  assert_get(&failed, "/db/neo4j/cluster/available", "404 false");
}

TEST(a_standalone_server_is_no_member) {
  struct dbms alone = {0};
  assert_get(&alone, "/db/neo4j/cluster/available", "404 ");
  assert_get(&alone, "/dbms/cluster/status", "404 ");
  assert_get(&alone, "/db/manage/server/core/available", "403 ");
}

TEST(what_there_is_not_is_not_found) {
  struct dbms leader = {.is_member = true, .part = DBMS_LEADS};
  assert_get(&leader, "/db/none/cluster/available", "404 ");
  assert_get(&leader, "/db/neo4j/cluster/none", "404 ");
  assert_get(&leader, "/db/neo4j/cluster", "404 ");
  assert_get(&leader, "/db/neo4j/cluster/status/more", "404 ");
}

TEST(the_status_is_a_document) {
  struct dbms follower = {.is_member = true, .part = DBMS_FOLLOWS};
  CLEANUP(buf_done) struct buf one = get_with(&follower, "/db/neo4j/cluster/status", "");
  CLEANUP(buf_done) struct buf all = get_with(&follower, "/dbms/cluster/status", "");
#define STATUS                                                                                                         \
  "{\"lastAppliedRaftIndex\":7,\"votingMembers\":[\"11111111-0000-4000-8000-000000000000\",\"22222222-0000-4000-8000-" \
  "000000000000\"],"                                                                                                   \
  "\"memberId\":\"11111111-0000-4000-8000-000000000000\",\"leader\":null,\"millisSinceLastLeaderMessage\":5,"          \
  "\"raftCommandsPerSecond\":3,\"participatingInRaftGroup\":true,\"core\":true,"
  assert_true(str_find(buf_str(&one), STR("Content-Type: application/json\r\n")) > 0);
  assert_true(str_find(buf_str(&one), STR("\r\n\r\n" STATUS "\"isHealthy\":true}")) > 0);
  assert_true(
      str_find(buf_str(&all), STR("[{\"databaseName\":\"system\",\"databaseUuid\":\"dddddddd-0000-4000-8000-000000000000\","
                                  "\"databaseStatus\":" STATUS "\"healthy\":true}},{\"databaseName\":\"neo4j\",")) > 0);
}

TEST(a_read_replica_is_available_and_says_that_it_has_no_vote) {
  struct dbms replica = {.is_member = true, .part = DBMS_FOLLOWS, .is_replica = true};
  assert_get(&replica, "/db/manage/server/read-replica/available", "200 true");
  assert_get(&replica, "/db/manage/server/read-replica/writable", "404 false");
  CLEANUP(buf_done) struct buf status = get_with(&replica, "/db/neo4j/cluster/status", "");
  assert_true(str_find(buf_str(&status), STR("\"participatingInRaftGroup\":false,\"core\":false,\"isHealthy\":true}")) > 0);
}

TEST(who_asks_must_log_in_unless_nobody_must) {
  struct dbms d = {.is_member = true, .part = DBMS_LEADS, .auth = true};
  assert_status(&d, "/db/neo4j/cluster/writable", "", "HTTP/1.1 401");
  assert_status(&d, "/db/neo4j/cluster/writable", "Authorization: Basic YW5uOndyb25n\r\n", "HTTP/1.1 401");
  assert_status(&d, "/db/neo4j/cluster/writable", "Authorization: Bearer YW5uOnNlY3JldA==\r\n", "HTTP/1.1 401");
  assert_status(&d, "/db/neo4j/cluster/writable", "Authorization: Basic !\r\n", "HTTP/1.1 401");
  assert_status(&d, "/db/neo4j/cluster/writable", ANN, "HTTP/1.1 200");
  assert_status(&d, "/dbms/cluster/status", "", "HTTP/1.1 401");
  assert_status(&d, "/", "", "HTTP/1.1 200");
}

TEST(every_failed_allocation_is_an_answer_or_an_error) {
  struct dbms d = {.is_member = true, .part = DBMS_LEADS, .auth = true};
  static const char *const request = "GET /dbms/cluster/status HTTP/1.1\r\n" ANN "\r\n";
  EACH_ALLOC_FAILS(n) {
    struct http_routes r;
    struct http_connection c;
    struct http_caller caller = {0};
    struct buf out = BUF_INIT;
    http_routes_init(&r, &(struct http_routes_options){.dbms = &d, .status_needs_login = true});
    http_connection_init(&c, &r.handler, &caller, 1000, 100);
    enum err err = http_connection_receive(&c, request, strlen(request), 0, &out);
    assert_true(err == ERR_NOMEM || str_starts(buf_str(&out), STR("HTTP/1.1 200")) ||
                str_starts(buf_str(&out), STR("HTTP/1.1 500")) || str_starts(buf_str(&out), STR("HTTP/1.1 401")));
    http_connection_done(&c);
    buf_done(&out);
  }
}

TESTS(T(a_load_balancer_finds_who_takes_writes_and_who_reads), T(what_watched_a_master_goes_on_to_watch_the_leader),
      T(a_member_whose_group_has_failed_serves_nobody), T(a_standalone_server_is_no_member), T(what_there_is_not_is_not_found),
      T(the_status_is_a_document), T(a_read_replica_is_available_and_says_that_it_has_no_vote),
      T(who_asks_must_log_in_unless_nobody_must), T(every_failed_allocation_is_an_answer_or_an_error))
