#include "cluster/catchup_store.h"

static struct store *store_of(struct catchup_source *s) {
  return CONTAINER_OF(s, struct catchup_store, source)->store;
}

static enum err status(struct catchup_source *s, struct catchup_status *ret, struct error *e UNUSED) {
  struct store *store = store_of(s);
  struct log *log = store_log(store);
  *ret = (struct catchup_status){log_generation(log), store_applied(store), log_first_index(log), log_commit_index(log)};
  return ERR_OK;
}

// The log first: what the checkpoint needs of it is then there, because the durable index only rises.
static enum err pin(struct catchup_source *s, int64_t expires_ns, struct catchup_pin *ret, struct error *e) {
  struct store *store = store_of(s);
  struct checkpoint_status durable;
  checkpoint_status(store, &durable);
  struct catchup_pin p = {0};
  TRY(log_pin(store_log(store), durable.durable_index + 1, expires_ns, &p.log_pin, e));
  enum err err = checkpoint_pin(store, expires_ns, &p.checkpoint, e);
  if (err == ERR_OK)
    *ret = p;
  else
    log_unpin(store_log(store), p.log_pin);
  return err;
}

static enum err renew(struct catchup_source *s, const struct catchup_pin *p, int64_t expires_ns, struct error *e) {
  TRY(checkpoint_pin_renew(&p->checkpoint, expires_ns, e));
  return log_pin_move(store_log(store_of(s)), p->log_pin, p->checkpoint.identity.applied.index + 1, expires_ns, e);
}

static void unpin(struct catchup_source *s, struct catchup_pin *p) {
  checkpoint_unpin(&p->checkpoint);
  log_unpin(store_log(store_of(s)), p->log_pin);
}

static enum err read(struct catchup_source *s UNUSED, const struct catchup_pin *p, uint64_t *position, uint8_t *to,
                     size_t *ret_bytes, struct error *e) {
  return checkpoint_read(&p->checkpoint, position, to, ret_bytes, e);
}

// The cursor reads what is durable; what is not committed yet is no business of others.
static enum err put_entries(struct log_cursor *c, uint64_t last, uint32_t bytes_max, struct buf *to, uint32_t *count,
                            struct error *e) {
  size_t start = to->len;
  const struct log_entry *entry = NULL;
  for (; *count < CATCHUP_ENTRIES_MAX && to->len - start < bytes_max; ++*count) {
    TRY(log_cursor_next(c, &entry, e));
    if (entry == NULL || entry->index > last) return ERR_OK;
    if (*count > 0 && to->len - start + log_entry_bytes(entry) > bytes_max) return ERR_OK;
    if (log_put_entry(to, entry) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    if (entry->index == last) {
      ++*count;
      return ERR_OK;
    }
  }
  return ERR_OK;
}

static enum err read_log(struct catchup_source *s, uint64_t index, uint32_t bytes_max, struct buf *to, uint32_t *ret_count,
                         struct error *e) {
  struct log *log = store_log(store_of(s));
  struct log_cursor *c = NULL;
  uint64_t last = log_commit_index(log);
  *ret_count = 0;
  if (index < last || index + 1 < log_first_index(log)) TRY(log_cursor_open(log, index + 1, &c, e));
  enum err err = c != NULL ? put_entries(c, last, bytes_max, to, ret_count, e) : ERR_OK;
  log_cursor_close(c);
  return err;
}

static enum err term_at(struct catchup_source *s, uint64_t index, uint64_t *ret, struct error *e) {
  return log_term_at(store_log(store_of(s)), index, ret, e);
}

void catchup_store_init(struct catchup_store *c, struct store *store) {
  *c = (struct catchup_store){.source = {status, pin, renew, unpin, read, read_log, term_at}, .store = store};
}
