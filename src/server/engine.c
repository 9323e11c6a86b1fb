#include "server/engine.h"

#include "base/mem.h"
#include "dbms/dbms.h"
#include "server/help.h"
#include "server/machine.h"
#include "server/pool.h"

enum { MACHINE_THREADS = 3, PASSWORD_THREADS = 2, STATEMENT_THREADS_MIN = 2 };

struct engine {
  const struct config *config;
  struct disk *disk;
  struct event_sink *events;
  struct pool *pool;
  struct dbms *dbms;
  struct dbms_remote *remote;
};

static enum err start_pool(struct engine *engine, const struct config_values *v, struct error *e) {
  unsigned statements = v->worker_threads > 0 ? (unsigned) v->worker_threads : MAX(STATEMENT_THREADS_MIN, machine_processors(""));
  struct pool_options options = {{[WORK_STATEMENT] = statements, [WORK_MACHINE] = MACHINE_THREADS, [WORK_PASSWORD] = PASSWORD_THREADS}};
  return pool_start(&options, &engine->pool, e);
}

enum err engine_new(const struct config *config, struct disk *disk, struct event_sink *events, struct engine **ret, struct error *e) {
  struct engine *engine = mem_zalloc(sizeof *engine);
  if (engine == NULL) return error_set(e, ERR_NOMEM, "no memory to start");
  engine->config = config;
  engine->disk = disk != NULL ? disk : disk_system();
  engine->events = events;
  enum err err = start_pool(engine, config_values(config), e);
  if (err != ERR_OK) {
    mem_free(engine);
    return err;
  }
  *ret = engine;
  return ERR_OK;
}

void engine_reach(struct engine *engine, struct dbms_remote *remote) {
  engine->remote = remote;
}

enum err engine_open(struct engine *engine, const struct dbms_cluster_options *cluster, struct error *e) {
  const struct config_values *v = config_values(engine->config);
  int64_t memory = machine_memory_bytes("");
  struct machine_memory_plan plan = machine_plan_memory(memory, v->page_cache_bytes, v->heap_max_bytes, v->memory_total_max_bytes);
  event_raise(engine->events, EVENT_INFO, "server.memory", "Memory: %lld MiB in all, %lld MiB for pages, %lld MiB for transactions.",
              (long long) (memory >> 20), (long long) (plan.page_cache_bytes >> 20), (long long) (plan.query_bytes >> 20));
  struct dbms_options options = {
      .cluster = cluster,
      .config = v,
      .settings = engine->config,
      .disk = engine->disk,
      .clock = clock_system(),
      .random = random_system(),
      .events = engine->events,
      .host = pool_host(engine->pool),
      .remote = engine->remote,
      .page_cache_bytes = plan.page_cache_bytes,
      .query_memory_bytes = plan.query_bytes,
      .version = str_of(quiver_version()),
  };
  return dbms_open(&options, &engine->dbms, e);
}

struct dbms *engine_dbms(struct engine *engine) {
  return engine->dbms;
}

void engine_close(struct engine *engine) {
  if (engine == NULL) return;
  struct error e = ERROR_INIT;
  if (engine->dbms != NULL && dbms_stop(engine->dbms, &e) != ERR_OK) event_raise(engine->events, EVENT_ERROR, "server.checkpoint.failed", "%s", e.message);
  pool_stop(engine->pool);
  dbms_close(engine->dbms);
  mem_free(engine);
}
