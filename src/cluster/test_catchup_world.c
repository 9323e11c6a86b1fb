#include "cluster/test_catchup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"

enum { CHANGED = 20, CHECKPOINT_EVERY = 40 };
static const uint8_t cluster[16] = {7, 7, 7};
static struct net_resolver *resolver;

// ---- what the pages hold ----

// Entry k changes the pages number (k * CHANGED + j) % pages for j < CHANGED.
static uint64_t *last_changes(uint64_t pages, uint64_t index) {
  uint64_t *last = mem_zalloc(pages * sizeof *last);
  for (uint64_t k = 2; k <= index; k++)
    for (uint64_t j = 0; j < CHANGED; j++) last[(k * CHANGED + j) % pages] = k;
  return last;
}

static void write_pages(struct upstream *u) {
  struct page_batch *b = place_begin(&u->place);
  uint64_t k = u->place.index + 1;
  for (uint64_t j = 0; j < CHANGED; j++) {
    void *page = NULL;
    assert_ok(page_batch_write(b, u->ids[(k * CHANGED + j) % u->pages], &page, NULL));
    put_u64_le((uint8_t *) page + 8 * (k % 500), k);
    put_u64_le(page, k);
  }
  place_publish(&u->place, b);
}

static void make_pages(struct upstream *u) {
  struct page_batch *b = place_begin(&u->place);
  page_id first = 0;
  u->ids = mem_alloc(u->pages * sizeof *u->ids);
  for (uint64_t made = 0; made < u->pages; made += 500) {
    unsigned count = (unsigned) MIN(u->pages - made, UINT64_C(500));
    assert_ok(page_batch_allocate_run(b, count, &first, NULL));
    for (unsigned i = 0; i < count; i++) u->ids[made + i] = first + i;
    assert_ok(page_batch_rest(b, NULL));
  }
  place_publish(&u->place, b);
}

void assert_store_is_right(struct store *s, struct page_access *a, const struct upstream *like) {
  struct page_snapshot snap;
  struct error e = ERROR_INIT;
  uint64_t *expected = last_changes(like->pages, store_applied_index(s));
  assert_ok(page_snapshot_open(store_space(s), &snap, NULL));
  for (uint64_t i = 0; i < like->pages; i++) {
    struct page_view v = page_view_of(&snap, a);
    const void *page = NULL;
    page_access_enter(a);
    if (pages_read(&v, like->ids[i], &page, &e) != ERR_OK) fail_msg("%s", e.message);
    assert_int_equal(get_u64_le(page), expected[i]);
    page_access_leave(a);
  }
  page_snapshot_close(&snap);
  mem_free(expected);
  if (store_check(s, true, &e) != ERR_OK) fail_msg("%s", e.message);
}

// ---- upstreams ----

static void upstream_has_work(void *context) {
  struct upstream *u = context;
  mutex_lock(&u->lock);
  u->work = true;
  condition_signal(&u->ready);
  mutex_unlock(&u->lock);
}

static void *upstream_works(void *argument) {
  struct upstream *u = argument;
  mutex_lock(&u->lock);
  while (!u->stop) {
    while (!u->work && !u->stop) condition_wait(&u->ready, &u->lock);
    u->work = false;
    mutex_unlock(&u->lock);
    for (bool worked = true; worked;) catchup_server_work(u->server, &worked);
    mutex_lock(&u->lock);
  }
  mutex_unlock(&u->lock);
  return NULL;
}

static struct catchup_source *inner(struct catchup_source *s) {
  return &CONTAINER_OF(s, struct upstream, liar.source)->source.source;
}

static enum err lying_status(struct catchup_source *s, struct catchup_status *ret, struct error *e) {
  return inner(s)->status(inner(s), ret, e);
}
static enum err lying_pin(struct catchup_source *s, int64_t expires_ns, struct catchup_pin *ret, struct error *e) {
  return inner(s)->pin(inner(s), expires_ns, ret, e);
}
static enum err lying_renew(struct catchup_source *s, const struct catchup_pin *p, int64_t expires_ns, struct error *e) {
  return inner(s)->renew(inner(s), p, expires_ns, e);
}
static void lying_unpin(struct catchup_source *s, struct catchup_pin *p) {
  inner(s)->unpin(inner(s), p);
}
static enum err lying_read(struct catchup_source *s, const struct catchup_pin *p, uint64_t *position, uint8_t *to,
                           size_t *ret_bytes, struct error *e) {
  TRY(inner(s)->read(inner(s), p, position, to, ret_bytes, e));
  if (CONTAINER_OF(s, struct upstream_liar, source)->lies && *ret_bytes > 0) to[*ret_bytes / 2] ^= 0x40;
  return ERR_OK;
}
static enum err lying_read_log(struct catchup_source *s, uint64_t index, uint32_t bytes_max, struct buf *to, uint32_t *ret_count,
                               struct error *e) {
  return inner(s)->read_log(inner(s), index, bytes_max, to, ret_count, e);
}
static enum err lying_term_at(struct catchup_source *s, uint64_t index, uint64_t *ret, struct error *e) {
  return inner(s)->term_at(inner(s), index, ret, e);
}

static void open_server(void *argument) {
  struct upstream *u = argument;
  struct error e = ERROR_INIT;
  u->options.listen = u->address[0] != '\0' ? str_of(u->address) : STR("127.0.0.1:0");
  if (catchup_server_open(u->loop, &u->options, &u->server, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(u->address, sizeof u->address, "%s", catchup_server_address(u->server));
  assert_ok(catchup_server_add(u->server, store_uuid(u->place.store), &u->liar.source, &e));
}

static void remove_database(void *argument) {
  struct upstream *u = argument;
  catchup_server_remove(u->server, store_uuid(u->place.store));
}

static void close_server(void *argument) {
  struct upstream *u = argument;
  catchup_server_close(u->server);
  u->server = NULL;
}

void upstream_serve(struct upstream *u) {
  u->stop = u->work = false;
  loop_call(u->loop, open_server, u);
  assert_ok(thread_start(&u->worker, "upstream", upstream_works, u, NULL));
}

void upstream_stop(struct upstream *u) {
  if (u->server == NULL) return;
  loop_call(u->loop, remove_database, u);
  mutex_lock(&u->lock);
  u->stop = true;
  condition_signal(&u->ready);
  mutex_unlock(&u->lock);
  thread_join(&u->worker);
  loop_call(u->loop, close_server, u);
}

static void start(struct upstream *u, uint64_t number, uint64_t pages) {
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  u->place.options.clock = clock_system(); // pins expire, and threads ask it for the time
  assert_ok(place_open(&u->place, NULL));
  u->pages = pages;
  make_pages(u);
  for (int i = 0; i < 3; i++) write_pages(u);
  place_checkpoint(&u->place);
  catchup_store_init(&u->source, u->place.store);
  u->liar.source =
      (struct catchup_source){lying_status, lying_pin, lying_renew, lying_unpin, lying_read, lying_read_log, lying_term_at};
  mutex_init(&u->lock);
  condition_init(&u->ready);
  assert_ok(loop_start("upstream", &u->loop, NULL));
  u->options.server = number;
  u->options.epoch = 1;
  u->options.clock = clock_system();
  u->options.work_ready = upstream_has_work;
  u->options.context = u;
  memcpy(u->options.cluster, cluster, sizeof cluster);
  upstream_serve(u);
}

void upstream_open(struct upstream *u, uint64_t number, uint64_t pages, uint64_t uuid_seed) {
  struct catchup_server_options options = u->options;
  *u = (struct upstream){.options = options, .pause_ns = NS_PER_MS / 2};
  place_init(&u->place, pages * 2 + 2000, false);
  random_seeded_init(&u->place.random, uuid_seed);
  start(u, number, pages);
}

void upstream_open_at(struct upstream *u, struct disk *disk, uint64_t number, uint64_t pages) {
  *u = (struct upstream){0};
  place_init(&u->place, pages * 2 + 2000, false);
  u->place.options.disk = disk;
  u->place.options.direct = true;
  start(u, number, pages);
}

void upstream_close(struct upstream *u) {
  upstream_stop(u);
  loop_stop(u->loop);
  place_done(&u->place);
  mem_free(u->ids);
  mutex_done(&u->lock);
  condition_done(&u->ready);
}

void upstream_write(struct upstream *u, unsigned entries) {
  for (unsigned i = 0; i < entries; i++) {
    write_pages(u);
    catchup_server_touch(u->server, store_uuid(u->place.store));
  }
}

static void *upstream_writes(void *argument) {
  struct upstream *u = argument;
  for (unsigned n = 1; u->writing; n++) {
    int64_t start_ns = clock_monotonic_ns(clock_system());
    upstream_write(u, 1);
    u->slowest_ns = MAX(u->slowest_ns, clock_monotonic_ns(clock_system()) - start_ns);
    if (n % CHECKPOINT_EVERY == 0) place_checkpoint(&u->place);
    if (u->pause_ns > 0) thread_sleep_ns(u->pause_ns);
  }
  return NULL;
}

void upstream_start_writing(struct upstream *u) {
  u->writing = true;
  assert_ok(thread_start(&u->writer, "writer", upstream_writes, u, NULL));
}

void upstream_stop_writing(struct upstream *u) {
  u->writing = false;
  thread_join(&u->writer);
}

static void count_pins(void *argument) {
  struct upstream *u = argument;
  struct catchup_server_stats stats;
  catchup_server_stats(u->server, &stats);
  u->pins = stats.pins;
}

unsigned upstream_pins(struct upstream *u) {
  loop_call(u->loop, count_pins, u);
  return u->pins;
}

// ---- a line that breaks ----

int line_dial(const char *to) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  const char *colon = strrchr(to, ':');
  int64_t port = 0;
  assert_true(str_to_i64(str_of(colon + 1), &port));
  a.sin_port = htons((uint16_t) port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(s, (struct sockaddr *) &a, sizeof a) != 0) {
    close(s);
    return -1;
  }
  return s;
}

static bool send_all(int to, const uint8_t *bytes, size_t len) {
  for (ssize_t sent; len > 0; bytes += sent, len -= (size_t) sent)
    if ((sent = send(to, bytes, len, MSG_NOSIGNAL)) <= 0) return false;
  return true;
}

// Bytes from the upstream, up to the cut; one of them is another one.
static bool carry_back(struct line *l, size_t number, int from, int to, uint64_t *carried) {
  uint8_t bytes[16384];
  size_t most = sizeof bytes;
  bool cut = number < l->cut_count;
  if (cut) most = MIN(most, l->cuts[number] - *carried);
  ssize_t got = most > 0 ? recv(from, bytes, most, 0) : 0;
  if (got <= 0) return false;
  if (number < l->flip_count && l->flips[number] >= *carried && l->flips[number] < *carried + (uint64_t) got)
    bytes[l->flips[number] - *carried] ^= 1;
  *carried += (uint64_t) got;
  return send_all(to, bytes, (size_t) got);
}

static bool carry_forth(int from, int to) {
  uint8_t bytes[4096];
  ssize_t got = recv(from, bytes, sizeof bytes, 0);
  return got > 0 && send_all(to, bytes, (size_t) got);
}

static void carry(struct line *l, size_t number, int client) {
  int up = line_dial(l->to);
  uint64_t carried = 0;
  bool open = up >= 0;
  while (open && !l->stop) {
    struct pollfd fds[2] = {{client, POLLIN, 0}, {up, POLLIN, 0}};
    if (poll(fds, 2, 20) < 0) break;
    if (fds[0].revents != 0) open = carry_forth(client, up);
    if (open && fds[1].revents != 0) open = carry_back(l, number, up, client, &carried);
    if (number < l->cut_count && carried >= l->cuts[number]) break;
  }
  close(client);
  if (up >= 0) close(up);
}

static void *line_runs(void *argument) {
  struct line *l = argument;
  while (!l->stop) {
    struct pollfd fd = {l->listener, POLLIN, 0};
    if (poll(&fd, 1, 20) <= 0) continue;
    int client = accept(l->listener, NULL, NULL);
    if (client >= 0) carry(l, (size_t) atomic_fetch_add(&l->connections, 1), client);
  }
  return NULL;
}

void line_open(struct line *l, const char *to) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  snprintf(l->to, sizeof l->to, "%s", to);
  l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(l->listener, (struct sockaddr *) &a, sizeof a), 0);
  assert_int_equal(listen(l->listener, 16), 0);
  assert_int_equal(getsockname(l->listener, (struct sockaddr *) &a, &len), 0);
  snprintf(l->address, sizeof l->address, "127.0.0.1:%u", ntohs(a.sin_port));
  assert_ok(thread_start(&l->thread, "line", line_runs, l, NULL));
}

void line_close(struct line *l) {
  l->stop = true;
  thread_join(&l->thread);
  close(l->listener);
}

// ---- somebody who catches up ----

static void learner_has_work(void *context) {
  struct learner *l = context;
  mutex_lock(&l->lock);
  l->work = true;
  condition_signal(&l->ready);
  mutex_unlock(&l->lock);
}

static void *learner_works(void *argument) {
  struct learner *l = argument;
  mutex_lock(&l->lock);
  while (!l->stop) {
    while ((!l->work || l->still) && !l->stop) condition_wait(&l->ready, &l->lock);
    l->work = false;
    mutex_unlock(&l->lock);
    bool worked = false;
    catchup_client_work(l->client, &worked);
    mutex_lock(&l->lock);
    l->work |= worked;
  }
  mutex_unlock(&l->lock);
  return NULL;
}

static void end_request(struct learner *l) {
  l->done = true;
  condition_signal(&l->over);
  mutex_unlock(&l->lock);
}

static void on_copied(void *context, struct store_copy *copy) {
  struct learner *l = context;
  mutex_lock(&l->lock);
  l->copy = copy;
  end_request(l);
}

static void on_pulled(void *context, const struct catchup_upstream *from, uint64_t commit_index, uint32_t count,
                      const uint8_t *bytes, size_t size) {
  struct learner *l = context;
  size_t at = 0;
  mutex_lock(&l->lock);
  l->count = count;
  l->from = from->server;
  l->commit_index = commit_index;
  l->first_index = l->last_index = l->last_term = 0;
  for (uint32_t i = 0; i < count; i++) {
    struct log_entry entry;
    assert_true(log_get_entry(bytes, size, &at, &entry));
    if (i == 0) l->first_index = entry.index;
    assert_true(i == 0 || entry.index == l->last_index + 1);
    l->last_index = entry.index;
    l->last_term = entry.term;
  }
  assert_int_equal(at, size);
  end_request(l);
}

static void on_status(void *context, const struct catchup_upstream *from, const struct catchup_status *status) {
  struct learner *l = context;
  mutex_lock(&l->lock);
  l->status = *status;
  l->from = from->server;
  end_request(l);
}

static void on_failed(void *context, enum catchup_refusal refusal, const struct error *why) {
  struct learner *l = context;
  mutex_lock(&l->lock);
  l->refusal = refusal;
  l->failed = why->code;
  snprintf(l->why, sizeof l->why, "%.380s", why->message);
  end_request(l);
}

static void note_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct learner *l = CONTAINER_OF(sink, struct learner, sink);
  mutex_lock(&l->lock);
  l->log_len += (size_t) snprintf(l->log + l->log_len, sizeof l->log - l->log_len, "%lld %s %.*s\n",
                                  (long long) (clock_monotonic_ns(clock_system()) / NS_PER_MS), name, STR_ARG(text));
  l->log_len = MIN(l->log_len, sizeof l->log - 1);
  mutex_unlock(&l->lock);
}

bool learner_has_logged(struct learner *l, const char *text) {
  mutex_lock(&l->lock);
  bool found = strstr(l->log, text) != NULL;
  mutex_unlock(&l->lock);
  return found;
}

void learner_stands_still(struct learner *l, bool still) {
  mutex_lock(&l->lock);
  l->still = still;
  l->work = true;
  condition_signal(&l->ready);
  mutex_unlock(&l->lock);
}

static void open_client(void *argument) {
  static const struct catchup_client_events events = {on_copied, on_pulled, on_status, on_failed};
  struct learner *l = argument;
  assert_ok(catchup_client_new(l->loop, &l->options, &events, l, &l->client, NULL));
}

void learner_open(struct learner *l, const uint8_t database[16]) {
  struct catchup_client_options options = l->options;
  struct disk *disk = l->disk;
  *l = (struct learner){.sim = sim_disk_new(3), .options = options, .sink.raise = note_event, .directory = "to"};
  l->disk = disk != NULL ? disk : sim_disk_table(l->sim);
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  mutex_init(&l->lock);
  condition_init(&l->ready);
  condition_init(&l->over);
  l->options.server = 99;
  l->options.epoch = 1;
  if (l->options.cluster[0] == 0) memcpy(l->options.cluster, cluster, sizeof cluster);
  l->options.resolver = resolver;
  l->options.disk = l->disk;
  l->options.events = &l->sink;
  l->options.work_ready = learner_has_work;
  if (l->options.retry_min_ms == 0) l->options.retry_min_ms = 2;
  if (l->options.retry_max_ms == 0) l->options.retry_max_ms = 20;
  memcpy(l->options.database, database, sizeof l->options.database);
  assert_ok(loop_start("learner", &l->loop, NULL));
  loop_call(l->loop, open_client, l);
  assert_ok(thread_start(&l->worker, "learner", learner_works, l, NULL));
}

static void close_client(void *argument) {
  struct learner *l = argument;
  catchup_client_free(l->client);
}

void learner_close(struct learner *l) {
  mutex_lock(&l->lock);
  l->stop = true;
  condition_signal(&l->ready);
  mutex_unlock(&l->lock);
  thread_join(&l->worker);
  loop_call(l->loop, close_client, l);
  loop_stop(l->loop);
  store_copy_close(l->copy);
  sim_disk_free(l->sim);
  mutex_done(&l->lock);
  condition_done(&l->ready);
  condition_done(&l->over);
}

struct call {
  struct learner *l;
  const char *const *addresses;
  size_t count;
  uint64_t least_index;
  struct catchup_pull pull;
};

static void set_now(void *argument) {
  struct call *c = argument;
  struct catchup_upstream list[8] = {0};
  for (size_t i = 0; i < c->count; i++) snprintf(list[i].address, sizeof list[i].address, "%s", c->addresses[i]);
  assert_ok(catchup_client_set_upstreams(c->l->client, list, c->count, NULL));
}

static void copy_now(void *argument) {
  struct call *c = argument;
  assert_ok(catchup_client_copy(c->l->client, c->l->directory, c->least_index, NULL));
}

static void pull_now(void *argument) {
  struct call *c = argument;
  assert_ok(catchup_client_pull(c->l->client, &c->pull, NULL));
}

static void status_now(void *argument) {
  struct call *c = argument;
  assert_ok(catchup_client_status(c->l->client, NULL));
}

void learner_knows(struct learner *l, const char *const *addresses, size_t count) {
  loop_call(l->loop, set_now, &(struct call){.l = l, .addresses = addresses, .count = count});
}

static void begin_request(struct learner *l) {
  l->done = false;
  l->refusal = CATCHUP_ACCEPTED;
  l->failed = ERR_OK;
}

void learner_asks_copy(struct learner *l, uint64_t least_index) {
  begin_request(l);
  loop_call(l->loop, copy_now, &(struct call){.l = l, .least_index = least_index});
}

void learner_asks_pull(struct learner *l, struct catchup_pull pull) {
  begin_request(l);
  loop_call(l->loop, pull_now, &(struct call){.l = l, .pull = pull});
}

void learner_asks_status(struct learner *l) {
  begin_request(l);
  loop_call(l->loop, status_now, &(struct call){.l = l});
}

bool learner_is_answered(struct learner *l) {
  mutex_lock(&l->lock);
  while (!l->done && condition_wait_for(&l->over, &l->lock, 100 * NS_PER_S)) continue;
  bool done = l->done;
  mutex_unlock(&l->lock);
  return done;
}

struct store_applied learner_installs(struct learner *l, struct upstream *like) {
  struct error e = ERROR_INIT;
  struct store *s = NULL;
  struct store_options options = like->place.options;
  assert_non_null(l->copy);
  struct store_applied applied = store_copy_identity(l->copy)->applied;
  if (store_copy_install(l->copy, clock_system(), &e) != ERR_OK) fail_msg("%s", e.message);
  store_copy_close(l->copy);
  l->copy = NULL;
  options.disk = l->disk;
  options.create = false;
  options.log.clustered = true;
  if (store_open(l->directory, &options, &s, &e) != ERR_OK) fail_msg("%s", e.message);
  assert_int_equal(store_applied_index(s), applied.index);
  assert_int_equal(log_first_index(store_log(s)), applied.index + 1);
  struct page_access *a = NULL;
  assert_ok(page_access_open(like->place.pool, &a, NULL));
  assert_store_is_right(s, a, like);
  page_access_close(a);
  store_close(s);
  return applied;
}
