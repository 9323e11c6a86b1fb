#include "server/pool.h"

#include <stdatomic.h>

#include "base/test.h"

struct counted {
  struct work work;
  _Atomic int *runs;
  struct work_host *host;
  int again;
};

static void count(struct work *w) {
  struct counted *c = CONTAINER_OF(w, struct counted, work);
  atomic_fetch_add(c->runs, 1);
  if (c->again-- > 0) c->host->submit(c->host, WORK_STATEMENT, &c->work);
}

TEST(all_that_was_submitted_has_run_when_the_pool_has_stopped) {
  enum { N = 1000 };
  static struct counted all[N];
  _Atomic int runs = 0;
  struct pool *p;
  struct error e = ERROR_INIT;
  assert_ok(pool_start(&(struct pool_options){{3, 2, 1}}, &p, &e));
  for (int i = 0; i < N; i++) {
    all[i] = (struct counted){.work.run = count, .runs = &runs};
    pool_host(p)->submit(pool_host(p), (enum work_kind) (i % WORK_KIND_MAX), &all[i].work);
  }
  pool_stop(p);
  assert_int_equal(runs, N);
}

TEST(work_may_submit_itself_again) {
  _Atomic int runs = 0;
  struct pool *p;
  struct error e = ERROR_INIT;
  assert_ok(pool_start(&(struct pool_options){{2, 1, 1}}, &p, &e));
  struct counted c = {.work.run = count, .runs = &runs, .host = pool_host(p), .again = 9};
  pool_host(p)->submit(pool_host(p), WORK_STATEMENT, &c.work);
  pool_stop(p);
  assert_int_equal(runs, 10);
}

TEST(a_pool_without_memory_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct pool *p = NULL;
    enum err err = pool_start(&(struct pool_options){{1, 1, 1}}, &p, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (err == ERR_OK) pool_stop(p);
  }
}

TESTS(T(all_that_was_submitted_has_run_when_the_pool_has_stopped), T(work_may_submit_itself_again), T(a_pool_without_memory_is_an_error))
