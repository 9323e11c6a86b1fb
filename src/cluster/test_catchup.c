// A store is copied from server to server under writes, over lines that break and lie, and the log is pulled.
#include "cluster/test_catchup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/tls_test.h"

enum { SMALL = 1000, LARGE = 6000 }; // pages: 4 and 24 MB

static const uint8_t *database_of(const struct upstream *u) {
  return store_uuid(u->place.store);
}

static void open_pair(struct upstream *u, struct learner *l, uint64_t pages) {
  *u = (struct upstream){0};
  *l = (struct learner){0};
  upstream_open(u, 1, pages, 7);
  learner_open(l, database_of(u));
  const char *address = u->address;
  learner_knows(l, &address, 1);
}

static void close_pair(struct upstream *u, struct learner *l) {
  learner_close(l);
  upstream_close(u);
}

static void assert_copy_arrives(struct learner *l) {
  if (learner_is_answered(l) && l->copy != NULL) return;
  fprintf(stderr, "%s\n", l->log);
  fail_msg("%s", l->why);
}

static uint64_t restarts(struct learner *l) {
  struct catchup_client_stats stats;
  catchup_client_stats(l->client, &stats);
  return stats.restarts;
}

static bool pins_become(struct upstream *u, unsigned count) {
  for (int i = 0; i < 5000 && upstream_pins(u) != count; i++) poll(NULL, 0, 1);
  return upstream_pins(u) == count;
}

// ---- copies ----

TEST(an_empty_directory_gets_a_store_that_is_written_to_and_then_the_rest_of_the_log) {
  struct upstream u;
  struct learner l;
  open_pair(&u, &l, LARGE);
  upstream_start_writing(&u);
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  upstream_stop_writing(&u);
  struct store_applied at = learner_installs(&l, &u);
  assert_true(pins_become(&u, 0)); // it said that it was done
  while (at.index < u.place.index) {
    learner_asks_pull(&l, (struct catchup_pull){1, at.index, at.term, 4096, 0});
    assert_true(learner_is_answered(&l));
    assert_int_equal(l.failed, ERR_OK);
    assert_int_equal(l.first_index, at.index + 1);
    at.index = l.last_index;
    at.term = l.last_term;
  }
  assert_true(
      learner_has_logged(&l, "Local database is empty, attempting to replace with copy from upstream server MemberId{00000001}"));
  assert_true(learner_has_logged(&l, "Initiating handshake"));
  assert_true(learner_has_logged(&l, "Installing: ProtocolStack{applicationProtocol=CATCHUP_1, modifierProtocols=[]}"));
  assert_true(learner_has_logged(&l, "Copying store from upstream server"));
  assert_true(learner_has_logged(&l, "Requesting store listing from: 127.0.0.1:"));
  assert_true(learner_has_logged(&l, "% completed"));
  close_pair(&u, &l);
}

// At the first bytes, within and between messages, within the log of a piece; then never.
TEST(the_connection_is_cut_at_many_places_and_the_copy_goes_on_where_it_was) {
  static uint64_t cuts[60] = {0,
                              1,
                              100,
                              HELLO_BYTES - 1,
                              HELLO_BYTES,
                              HELLO_BYTES + 1,
                              HELLO_BYTES + 23,
                              HELLO_BYTES + 24,
                              HELLO_BYTES + 4000,
                              HELLO_BYTES + 4120,
                              HELLO_BYTES + 4121};
  struct upstream u;
  struct learner l;
  struct line line = {.cuts = cuts, .cut_count = ARRAY_SIZE(cuts)};
  for (size_t i = 11; i < ARRAY_SIZE(cuts); i++) cuts[i] = 6000 + i * 62347; // up to 3.7 MB
  open_pair(&u, &l, LARGE);
  line_open(&line, u.address);
  const char *address = line.address;
  learner_knows(&l, &address, 1);
  upstream_start_writing(&u);
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  upstream_stop_writing(&u);
  assert_true(line.connections > 20);
  assert_int_equal(restarts(&l), 0);
  learner_installs(&l, &u);
  line_close(&line);
  close_pair(&u, &l);
}

TEST(bytes_that_were_changed_on_the_way_are_refused_and_come_again) {
  static uint64_t flips[30];
  struct upstream u;
  struct learner l;
  struct line line = {.flips = flips, .flip_count = ARRAY_SIZE(flips)};
  for (size_t i = 0; i < ARRAY_SIZE(flips); i++) flips[i] = 3 + i * 101 + (i > 3 ? i * i * i * 97 : 0); // up to 2.5 MB
  open_pair(&u, &l, LARGE);
  line_open(&line, u.address);
  const char *address = line.address;
  learner_knows(&l, &address, 1);
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  assert_true(line.connections >= 20);
  learner_installs(&l, &u);
  line_close(&line);
  close_pair(&u, &l);
}

static void two_upstreams(struct upstream *a, struct upstream *b, struct learner *l, uint64_t pages) {
  *a = *b = (struct upstream){0};
  *l = (struct learner){0};
  upstream_open(a, 1, pages, 7);
  upstream_open(b, 2, pages, 7);
  upstream_write(b, 5);
  place_checkpoint(&b->place);
  learner_open(l, database_of(a));
  learner_knows(l, (const char *const[]){a->address, b->address}, 2);
}

TEST(an_upstream_that_sends_pages_that_are_not_its_own_is_dropped_for_another) {
  struct upstream a, b;
  struct learner l;
  two_upstreams(&a, &b, &l, SMALL);
  a.liar.lies = true;
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  assert_true(learner_has_logged(&l, "A piece of a copied store is damaged"));
  assert_int_equal(learner_installs(&l, &b).index, b.place.index);
  learner_close(&l);
  upstream_close(&a);
  upstream_close(&b);
}

TEST(an_upstream_whose_disk_is_damaged_says_so_and_another_is_asked) {
  struct upstream a, b;
  struct learner l;
  two_upstreams(&a, &b, &l, SMALL);
  uint64_t size = sim_disk_file_size(a.place.disk, "db/store.pages");
  for (uint64_t at = 2 * PAGE_BYTES; at < size; at += PAGE_BYTES) sim_disk_flip(a.place.disk, "db/store.pages", at + 3000, 4);
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  assert_true(learner_has_logged(&l, "what is needed is damaged there"));
  learner_installs(&l, &b);
  learner_close(&l);
  upstream_close(&a);
  upstream_close(&b);
}

TEST(an_upstream_that_has_not_come_far_enough_is_passed_by) {
  struct upstream a, b;
  struct learner l;
  two_upstreams(&a, &b, &l, SMALL);
  learner_asks_copy(&l, a.place.index + 1);
  assert_copy_arrives(&l);
  assert_true(learner_has_logged(&l, "its durable store has not come as far as is needed"));
  learner_installs(&l, &b);
  learner_close(&l);
  upstream_close(&a);
  upstream_close(&b);
}

TEST(an_upstream_that_goes_away_in_the_middle_is_replaced_by_another_and_the_copy_begins_anew) {
  static const uint64_t cuts[] = {3 << 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  struct upstream a, b;
  struct learner l;
  struct line line = {.cuts = cuts, .cut_count = ARRAY_SIZE(cuts)};
  two_upstreams(&a, &b, &l, LARGE);
  line_open(&line, a.address);
  learner_knows(&l, (const char *const[]){line.address, b.address}, 2);
  learner_asks_copy(&l, 0);
  assert_copy_arrives(&l);
  assert_int_equal(learner_installs(&l, &b).index, b.place.index);
  line_close(&line);
  learner_close(&l);
  upstream_close(&a);
  upstream_close(&b);
}

TEST(a_restarted_upstream_that_still_has_the_checkpoint_goes_on_with_it) {
  static const uint64_t cuts[] = {5 << 20};
  struct upstream u;
  struct learner l;
  struct line line = {.cuts = cuts, .cut_count = 1};
  open_pair(&u, &l, LARGE);
  l.options.retry_min_ms = 200;
  line_open(&line, u.address);
  const char *address = line.address;
  learner_knows(&l, &address, 1);
  learner_asks_copy(&l, 0);
  while (line.connections == 0 || !learner_has_logged(&l, "Retrying")) poll(NULL, 0, 1);
  upstream_stop(&u);
  upstream_serve(&u);
  assert_copy_arrives(&l);
  assert_int_equal(restarts(&l), 0);
  learner_installs(&l, &u);
  line_close(&line);
  close_pair(&u, &l);
}

TEST(the_pin_of_a_client_that_is_gone_expires) {
  static const uint64_t cuts[] = {3 << 20, 0, 0, 0, 0, 0, 0};
  struct upstream u = {.options = {.pin_ms = 150}};
  struct learner l = {.options = {.retry_min_ms = 20000, .retry_max_ms = 20000}};
  struct line line = {.cuts = cuts, .cut_count = ARRAY_SIZE(cuts)};
  upstream_open(&u, 1, LARGE, 7);
  learner_open(&l, database_of(&u));
  line_open(&line, u.address);
  const char *address = line.address;
  learner_knows(&l, &address, 1);
  learner_asks_copy(&l, 0);
  assert_true(pins_become(&u, 1));
  assert_true(pins_become(&u, 0));
  line_close(&line);
  close_pair(&u, &l);
}

TEST(several_copy_the_same_checkpoint_under_one_pin) {
  struct upstream u = {.options = {.copies_max = 1}};
  struct learner l[3] = {0};
  upstream_open(&u, 1, LARGE, 7);
  const char *address = u.address;
  for (int i = 0; i < 3; i++) {
    learner_open(&l[i], database_of(&u));
    learner_knows(&l[i], &address, 1);
    learner_asks_copy(&l[i], 0);
  }
  for (int i = 0; i < 3; i++) {
    assert_copy_arrives(&l[i]);
    learner_installs(&l[i], &u);
  }
  assert_true(pins_become(&u, 0));
  for (int i = 0; i < 3; i++) learner_close(&l[i]);
  upstream_close(&u);
}

// The first one's disk stands still, so its copy waits in the connection.
TEST(who_wants_one_checkpoint_too_many_is_told_to_come_later_and_gets_it_then) {
  struct upstream u = {.options = {.copies_max = 1}};
  struct learner first = {0}, second = {0};
  upstream_open(&u, 1, LARGE, 7);
  const char *address = u.address;
  learner_open(&first, database_of(&u));
  learner_open(&second, database_of(&u));
  learner_knows(&first, &address, 1);
  learner_knows(&second, &address, 1);
  learner_stands_still(&first, true);
  learner_asks_copy(&first, 0);
  learner_stands_still(&first, false);
  assert_true(pins_become(&u, 1));
  learner_stands_still(&first, true);
  upstream_write(&u, 5);
  place_checkpoint(&u.place);
  learner_asks_copy(&second, u.place.index);
  while (!learner_has_logged(&second, "it makes as many copies as it may")) poll(NULL, 0, 1);
  learner_stands_still(&first, false);
  assert_copy_arrives(&first);
  assert_copy_arrives(&second);
  learner_installs(&first, &u);
  learner_installs(&second, &u);
  learner_close(&first);
  close_pair(&u, &second);
}

// ---- the log ----

TEST(a_pull_waits_for_a_commit_and_ends_without_one_when_its_time_is_over) {
  struct upstream u;
  struct learner l;
  open_pair(&u, &l, SMALL);
  struct store_applied at = store_applied(u.place.store);
  learner_asks_pull(&l, (struct catchup_pull){1, at.index, at.term, 1 << 20, 20000});
  poll(NULL, 0, 50);
  assert_false(l.done);
  upstream_write(&u, 1);
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.count, 1);
  assert_int_equal(l.first_index, at.index + 1);
  assert_int_equal(l.from, 1);
  at = store_applied(u.place.store);
  learner_asks_pull(&l, (struct catchup_pull){1, at.index, at.term, 1 << 20, 50});
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.failed, ERR_OK);
  assert_int_equal(l.count, 0);
  assert_int_equal(l.commit_index, at.index);
  close_pair(&u, &l);
}

TEST(a_pull_of_what_is_pruned_or_of_another_history_says_that_a_copy_is_needed) {
  struct upstream u;
  struct learner l;
  open_pair(&u, &l, SMALL);
  upstream_write(&u, 600); // several segments
  place_checkpoint(&u.place);
  struct store_applied at = store_applied(u.place.store);
  assert_ok(log_prune(store_log(u.place.store), at.index, 100, NULL, NULL));
  uint64_t first = log_first_index(store_log(u.place.store));
  assert_true(first > 2);
  const struct {
    struct catchup_pull pull;
    enum catchup_refusal refusal;
  } cases[] = {{{1, 1, 1, 1000, 0}, CATCHUP_PRUNED},
               {{0, 0, 0, 1000, 0}, CATCHUP_PRUNED},
               {{2, at.index, at.term, 1000, 0}, CATCHUP_GENERATION},
               {{1, at.index, at.term + 1, 1000, 0}, CATCHUP_DIVERGED}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    learner_asks_pull(&l, cases[i].pull);
    assert_true(learner_is_answered(&l));
    assert_int_equal(l.failed, ERR_DATABASE_UNAVAILABLE);
    assert_int_equal(l.refusal, cases[i].refusal);
    assert_non_null(strstr(l.why, catchup_refusal_text(cases[i].refusal)));
  }
  learner_asks_pull(&l, (struct catchup_pull){1, first - 1, 1, 1000, 0});
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.first_index, first);
  close_pair(&u, &l);
}

TEST(what_one_upstream_has_pruned_another_one_may_have) {
  struct upstream a, b;
  struct learner l;
  two_upstreams(&a, &b, &l, SMALL);
  upstream_write(&a, 600);
  place_checkpoint(&a.place);
  assert_ok(log_prune(store_log(a.place.store), a.place.index, 100, NULL, NULL));
  assert_true(log_first_index(store_log(a.place.store)) > 2);
  learner_asks_pull(&l, (struct catchup_pull){1, 1, 1, 1000, 0});
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.failed, ERR_OK);
  assert_int_equal(l.first_index, 2);
  learner_close(&l);
  upstream_close(&a);
  upstream_close(&b);
}

TEST(the_log_behind_a_checkpoint_that_is_copied_is_not_pruned) {
  static const uint64_t cuts[] = {3 << 20, 0, 0, 0, 0, 0, 0, 0};
  struct upstream u;
  struct learner l = {.options = {.retry_min_ms = 20000, .retry_max_ms = 20000}};
  struct line line = {.cuts = cuts, .cut_count = ARRAY_SIZE(cuts)};
  u = (struct upstream){0};
  upstream_open(&u, 1, LARGE, 7);
  learner_open(&l, database_of(&u));
  line_open(&line, u.address);
  const char *address = line.address;
  learner_knows(&l, &address, 1);
  uint64_t pinned = u.place.index;
  learner_asks_copy(&l, 0);
  assert_true(pins_become(&u, 1));
  upstream_write(&u, 600);
  place_checkpoint(&u.place);
  assert_ok(log_prune(store_log(u.place.store), u.place.index, 100, NULL, NULL));
  assert_true(log_first_index(store_log(u.place.store)) <= pinned + 1);
  line_close(&line);
  close_pair(&u, &l);
}

TEST(an_upstream_tells_how_far_it_is) {
  struct upstream u;
  struct learner l;
  open_pair(&u, &l, SMALL);
  learner_asks_status(&l);
  assert_true(learner_is_answered(&l));
  struct store_applied at = store_applied(u.place.store);
  assert_int_equal(l.status.generation, 1);
  assert_int_equal(l.status.applied.index, at.index);
  assert_int_equal(l.status.applied.commit_time_ns, at.commit_time_ns);
  assert_int_equal(l.status.first_index, 1);
  assert_int_equal(l.status.commit_index, at.index);
  close_pair(&u, &l);
}

// ---- who is not served ----

TEST(a_client_of_another_cluster_or_of_another_database_is_told_so_and_gives_up_in_time) {
  struct upstream u = {0};
  struct learner stranger = {.options = {.cluster = {9}, .retry_time_ms = 100}}, lost = {.options = {.retry_time_ms = 100}};
  uint8_t other[16] = {1, 2, 3};
  upstream_open(&u, 1, SMALL, 7);
  const char *address = u.address;
  learner_open(&stranger, database_of(&u));
  learner_open(&lost, other);
  learner_knows(&stranger, &address, 1);
  learner_knows(&lost, &address, 1);
  learner_asks_status(&stranger);
  learner_asks_copy(&lost, 0);
  assert_true(learner_is_answered(&stranger) && learner_is_answered(&lost));
  assert_non_null(strstr(stranger.why, "belongs to another cluster"));
  assert_non_null(strstr(lost.why, "it does not have the database open"));
  learner_close(&stranger);
  learner_close(&lost);
  upstream_close(&u);
}

TEST(nobody_at_home_is_tried_for_as_long_as_the_setting_says) {
  uint8_t database[16] = {1};
  struct learner l = {.options = {.retry_time_ms = 200}};
  learner_open(&l, database);
  learner_knows(&l, (const char *const[]){"127.0.0.1:1", "127.0.0.1:2"}, 2);
  learner_asks_copy(&l, 0);
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.failed, ERR_DATABASE_UNAVAILABLE);
  assert_non_null(strstr(l.why, "Connection refused"));
  struct catchup_client_stats stats;
  catchup_client_stats(l.client, &stats);
  assert_true(stats.troubles > 5);
  learner_close(&l);
}

// What somebody says who is no client: a hello (or not), and then bytes. True if the server ends the connection.
static bool is_hung_up_on(struct upstream *u, bool hello, const struct buf *says) {
  struct hello h = {.version_min = 1, .version_max = 1, .server = 50, .epoch = 1};
  uint8_t bytes[HELLO_BYTES], heard[4096];
  int s = line_dial(u->address);
  memcpy(h.cluster, u->options.cluster, sizeof h.cluster);
  hello_put(bytes, &h);
  bool sent = !hello || send(s, bytes, sizeof bytes, MSG_NOSIGNAL) == (ssize_t) sizeof bytes;
  sent = sent && send(s, says->data, says->len, MSG_NOSIGNAL) == (ssize_t) says->len;
  struct timeval patience = {.tv_sec = 10};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ssize_t got;
  while ((got = recv(s, heard, sizeof heard, 0)) > 0) continue;
  close(s);
  return sent && (got == 0 || errno == ECONNRESET);
}

TEST(what_is_no_request_ends_its_own_connection_and_nobody_elses) {
  struct upstream u;
  struct learner l;
  struct buf says = BUF_INIT;
  open_pair(&u, &l, SMALL);
  struct catchup_message ask = {.type = CATCHUP_ASK_STATUS}, answer = {.type = CATCHUP_END, .identity = 1};
  assert_ok(buf_append_str(&says, STR("GET / HTTP/1.1\r\nHost: here\r\n\r\n")));
  assert_true(is_hung_up_on(&u, false, &says));
  assert_true(is_hung_up_on(&u, true, &says));
  buf_clear(&says);
  assert_ok(catchup_message_put(&says, 1, &answer)); // only the other end may say that
  assert_true(is_hung_up_on(&u, true, &says));
  buf_clear(&says);
  assert_ok(catchup_message_put(&says, 2, &ask)); // the first one is missing
  assert_true(is_hung_up_on(&u, true, &says));
  buf_clear(&says);
  for (uint32_t n = 1; n <= 50; n++) assert_ok(catchup_message_put(&says, n, &ask)); // without waiting for an answer
  assert_true(is_hung_up_on(&u, true, &says));
  buf_done(&says);
  learner_asks_status(&l);
  assert_true(learner_is_answered(&l));
  assert_int_equal(l.failed, ERR_OK);
  close_pair(&u, &l);
}

// ---- TLS ----

TEST(a_copy_comes_over_tls) {
  char directory[] = "/tmp/quiver-tls-XXXXXX", certificate[100], key[100];
  assert_non_null(mkdtemp(directory));
  assert_true(tls_test_make_certificate(directory));
  snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
  snprintf(key, sizeof key, "%s/key.pem", directory);
  struct tls_settings settings = {
      .certificate_path = certificate, .key_path = key, .trusted_path = certificate, .client_auth = TLS_CLIENT_REQUIRED};
  struct tls_context *tls = NULL;
  assert_ok(tls_context_new(&settings, &tls, NULL));
  struct upstream u = {.options = {.tls = tls}};
  struct learner l = {.options = {.tls = tls, .tls_verify_names = true}}, plain = {.options = {.retry_time_ms = 50}};
  upstream_open(&u, 1, LARGE, 7);
  const char *address = u.address;
  learner_open(&l, database_of(&u));
  learner_open(&plain, database_of(&u));
  learner_knows(&l, &address, 1);
  learner_knows(&plain, &address, 1);
  learner_asks_copy(&l, 0);
  learner_asks_status(&plain);
  assert_copy_arrives(&l);
  learner_installs(&l, &u);
  assert_true(learner_is_answered(&plain));
  assert_int_equal(plain.failed, ERR_DATABASE_UNAVAILABLE);
  learner_close(&plain);
  close_pair(&u, &l);
  tls_context_free(tls);
  remove(certificate);
  remove(key);
  remove(directory);
}

/// An argument names the one that is run.
int main(int count, char **arguments) {
  const struct CMUnitTest tests[] = {T(an_empty_directory_gets_a_store_that_is_written_to_and_then_the_rest_of_the_log),
                                     T(the_connection_is_cut_at_many_places_and_the_copy_goes_on_where_it_was),
                                     T(bytes_that_were_changed_on_the_way_are_refused_and_come_again),
                                     T(an_upstream_that_sends_pages_that_are_not_its_own_is_dropped_for_another),
                                     T(an_upstream_whose_disk_is_damaged_says_so_and_another_is_asked),
                                     T(an_upstream_that_has_not_come_far_enough_is_passed_by),
                                     T(an_upstream_that_goes_away_in_the_middle_is_replaced_by_another_and_the_copy_begins_anew),
                                     T(a_restarted_upstream_that_still_has_the_checkpoint_goes_on_with_it),
                                     T(the_pin_of_a_client_that_is_gone_expires),
                                     T(several_copy_the_same_checkpoint_under_one_pin),
                                     T(who_wants_one_checkpoint_too_many_is_told_to_come_later_and_gets_it_then),
                                     T(a_pull_waits_for_a_commit_and_ends_without_one_when_its_time_is_over),
                                     T(a_pull_of_what_is_pruned_or_of_another_history_says_that_a_copy_is_needed),
                                     T(what_one_upstream_has_pruned_another_one_may_have),
                                     T(the_log_behind_a_checkpoint_that_is_copied_is_not_pruned),
                                     T(an_upstream_tells_how_far_it_is),
                                     T(a_client_of_another_cluster_or_of_another_database_is_told_so_and_gives_up_in_time),
                                     T(nobody_at_home_is_tried_for_as_long_as_the_setting_says),
                                     T(what_is_no_request_ends_its_own_connection_and_nobody_elses),
                                     T(a_copy_comes_over_tls)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (count > 1) cmocka_set_test_filter(arguments[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
