// Before commands are applied, the pages that they will touch are read together (contract 23), in two waves: records, then what
// records point to. A window of commands at a time, no more than the page cache can hold beside everything else. A page that
// cannot be read is nobody's error here; whoever needs it will get its own.
#include "graph/apply_int.h"

enum { WINDOW_PAGES = 512, WINDOW_COMMANDS = 1024, WINDOW_SHARE = 16 }; // of the page cache

struct wanted {
  struct applier *ap;
  page_id pages[WINDOW_PAGES];
  unsigned n, max;
};

static void want_page(struct wanted *w, page_id page) {
  if (page == PAGE_NONE || w->n == w->max || pages_cached(&w->ap->view, page)) return;
  if (w->n > 0 && w->pages[w->n - 1] == page) return; // neighbours in one page are the rule
  w->pages[w->n++] = page;
}

static void want_pointer(struct wanted *w, block_ptr p) {
  if (p != BLOCK_NONE) want_page(w, block_page(p));
}

static void want_node(struct wanted *w, graph_id id, bool records) {
  const struct records *nodes = &w->ap->g->nodes;
  page_id page = record_page(nodes, id);
  if (records) {
    want_page(w, page);
    return;
  }
  const uint8_t *record;
  if (page == PAGE_NONE || !pages_cached(&w->ap->view, page)) return;
  if (record_read(nodes, &w->ap->view, id, &record, NULL) != ERR_OK || !record_in_use(record)) return;
  want_pointer(w, node_properties(record));
  want_pointer(w, node_adjacency(record, GRAPH_OUT));
  want_pointer(w, node_adjacency(record, GRAPH_IN));
}

static void want_command(struct wanted *w, const struct command *c, bool records) {
  switch (c->kind) {
  case COMMAND_CREATE_REL:
    want_node(w, c->start, records);
    want_node(w, c->end, records);
    break;
  case COMMAND_UPDATE_NODE:
  case COMMAND_DELETE_NODE:
  case COMMAND_DETACH_DELETE_NODE: want_node(w, c->id, records); break;
  case COMMAND_UPDATE_REL:
  case COMMAND_DELETE_REL:
    if (records) want_page(w, record_page(&w->ap->g->rels, c->id));
    break;
  default: break;
  }
}

/// Commands in log order: the rest of one transaction, then the flights behind it.
struct commands {
  struct bytes_in in;
  const struct flight *following;
};

/// False at the end, and where something does not decode: the applier will report that.
static bool next_command(struct commands *from, struct arena *scratch, struct command *ret) {
  while (bytes_in_done(&from->in)) {
    if (from->following == NULL || digest_is_request(from->following)) return false;
    from->in = bytes_in_of(buf_str(&from->following->bytes));
    from->following = from->following->next;
    if (command_open(&from->in, NULL) != ERR_OK) return false;
  }
  arena_reset(scratch);
  return command_take(&from->in, scratch, ret, NULL) == ERR_OK;
}

/// Reads one wave; returns how many commands it looked at.
static enum err read_wave(struct wanted *w, struct commands from, unsigned limit, bool records, unsigned *ret_commands,
                          struct error *e) {
  struct command c;
  unsigned n = 0;
  w->n = 0;
  for (; n < limit && w->n < w->max && next_command(&from, &w->ap->scratch, &c); n++) want_command(w, &c, records);
  *ret_commands = n;
  return w->n > 0 ? pages_prefetch(w->ap->g->space, w->pages, w->n, e) : ERR_OK;
}

/// Everything is in memory as long as nothing was ever evicted and the store was not just opened: then there is nothing to look
/// for.
static bool may_be_cold(const struct page_pool_stats *s) {
  return s->evictions + s->reads > 0;
}

enum err apply_ahead(struct applier *ap, struct bytes_in in, struct error *e) {
  struct page_pool_stats s;
  page_pool_stats(ap->g->options.pool, &s);
  ap->ahead = WINDOW_COMMANDS - 1; // and the one that is applied now
  if (!may_be_cold(&s)) return ERR_OK;
  struct wanted w = {.ap = ap, .max = (unsigned) MIN(s.frames / WINDOW_SHARE, (uint64_t) WINDOW_PAGES)};
  struct commands from = {in, ap->following};
  unsigned n = 0, ignored = 0;
  TRY(read_wave(&w, from, WINDOW_COMMANDS, true, &n, e));
  TRY(read_wave(&w, from, n, false, &ignored, e));
  ap->ahead = n > 0 ? n - 1 : 0;
  return apply_rest(ap, e); // what was read may have taken the frames that the commands need
}
