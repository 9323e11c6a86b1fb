#include "dbms/system_tx.h"

#include "dbms/dbms_int.h"
#include "graph/tx.h"

enum err system_read(struct dbms *d, system_step *read, void *context, struct error *e) {
  struct graph_tx *tx;
  struct graph_tx_options options = {.read_only = true};
  TRY(database_enter(d->system, e));
  enum err err = graph_tx_begin(d->system->graph, &options, &tx, e);
  if (err == ERR_OK) {
    graph_tx_set_blocking(tx, true);
    err = graph_tx_statement(tx, e);
    if (err == ERR_OK) err = read(tx, context, e);
    graph_tx_free(tx);
  }
  database_leave(d->system);
  return err;
}

enum err system_change_graph(struct graph *g, system_step *change, void *context, struct error *e) {
  struct graph_tx *tx;
  struct graph_tx_options options = {0};
  TRY(graph_tx_begin(g, &options, &tx, e));
  graph_tx_set_blocking(tx, true);
  enum err err = graph_tx_statement(tx, e);
  bool committing = false;
  uint64_t id;
  while (err == ERR_OK || err == ERR_WAIT) {
    if (err == ERR_WAIT) err = graph_settle(g, e);
    if (err != ERR_OK) break;
    err = committing ? ERR_OK : change(tx, context, e);
    if (err == ERR_WAIT) continue;
    if (err == ERR_OK && !committing) err = graph_tx_seal(tx, true, e), committing = err == ERR_OK;
    if (err == ERR_OK) err = graph_tx_commit(tx, &id, e);
    if (err == ERR_OK) break;
  }
  graph_tx_free(tx);
  return err;
}

enum err system_change_alone(struct dbms *d, system_step *change, void *context, struct error *e) {
  return system_change_graph(d->system->graph, change, context, e);
}
