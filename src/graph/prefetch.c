// Before a batch is applied, the pages that its commands will touch are read together (contract 23), in two waves: records, then
// what records point to. A page that cannot be read is nobody's error here; whoever needs it will get its own.
#include "graph/apply_int.h"

#include "base/mem.h"

enum { PREFETCH_MAX = 4096 };

struct wanted {
  struct graph *g;
  page_id pages[PREFETCH_MAX];
  size_t n;
};

static void want_page(struct wanted *w, page_id page) {
  if (page != PAGE_NONE && w->n < PREFETCH_MAX && !pages_resident(w->g->space, page)) w->pages[w->n++] = page;
}

static void want_pointer(struct wanted *w, block_ptr p) {
  if (p != BLOCK_NONE) want_page(w, block_page(p));
}

static void want_node(struct applier *ap, struct wanted *w, graph_id id, bool records) {
  page_id page = record_page(&ap->g->nodes, id);
  if (records) {
    want_page(w, page);
    return;
  }
  const uint8_t *record;
  if (page == PAGE_NONE || !pages_resident(ap->g->space, page)) return;
  if (record_read(&ap->g->nodes, &ap->view, id, &record, NULL) != ERR_OK || !record_in_use(record)) return;
  want_pointer(w, node_properties(record));
  want_pointer(w, node_adjacency(record, GRAPH_OUT));
  want_pointer(w, node_adjacency(record, GRAPH_IN));
}

static void want_command(struct applier *ap, struct wanted *w, const struct command *c, bool records) {
  switch (c->kind) {
  case COMMAND_CREATE_REL:
    want_node(ap, w, c->start, records);
    want_node(ap, w, c->end, records);
    break;
  case COMMAND_UPDATE_NODE:
  case COMMAND_DELETE_NODE:
  case COMMAND_DETACH_DELETE_NODE: want_node(ap, w, c->id, records); break;
  case COMMAND_UPDATE_REL:
  case COMMAND_DELETE_REL:
    if (records) want_page(w, record_page(&ap->g->rels, c->id));
    break;
  default: break;
  }
}

/// Walks the commands of all flights; what does not decode is left to the applier to report.
static void want_flights(struct applier *ap, struct wanted *w, const struct flight *list, bool records) {
  for (const struct flight *f = list; f != NULL && w->n < PREFETCH_MAX; f = f->next) {
    struct bytes_in in = bytes_in_of(buf_str(&f->bytes));
    if (command_open(&in, NULL) != ERR_OK) return;
    while (!bytes_in_done(&in) && w->n < PREFETCH_MAX) {
      struct command c;
      arena_reset(&ap->scratch);
      if (command_take(&in, &ap->scratch, &c, NULL) != ERR_OK) return;
      want_command(ap, w, &c, records);
    }
  }
}

/// Everything is in memory as long as nothing was ever evicted or the store was just opened: then there is nothing to walk for.
static bool may_be_cold(struct graph *g) {
  struct page_pool_stats s;
  page_pool_stats(g->options.pool, &s);
  return s.evictions + s.reads > 0;
}

enum err apply_prefetch(struct applier *ap, const struct flight *list, struct error *e) {
  if (!may_be_cold(ap->g)) return ERR_OK;
  struct wanted *w = mem_alloc(sizeof *w);
  if (w == NULL) return error_ensure(e, ERR_NOMEM);
  w->g = ap->g;
  enum err err = ERR_OK;
  for (int wave = 0; wave < 2 && err == ERR_OK; wave++) {
    w->n = 0;
    want_flights(ap, w, list, wave == 0);
    if (w->n > 0) err = pages_prefetch(ap->g->space, w->pages, w->n, e);
  }
  mem_free(w);
  return err;
}
