#include "cluster/outbox.h"

#include <string.h>

#include "base/mem.h"

struct outbox_frame {
  struct outbox_frame *next;
  struct buf bytes;
  uint8_t group[MESSAGE_GROUP_BYTES]; // of bulk: all its messages are of this group
};

void outbox_init(struct outbox *o, size_t urgent_bytes_max, size_t bulk_bytes_max) {
  *o = (struct outbox){.urgent.bytes_max = urgent_bytes_max, .bulk.bytes_max = bulk_bytes_max};
}

static void frame_free(struct outbox_frame *f) {
  buf_done(&f->bytes);
  mem_free(f);
}

static struct outbox_frame *queue_pop(struct outbox_queue *q) {
  struct outbox_frame *f = q->first;
  if (f == NULL) return NULL;
  q->first = f->next;
  if (q->first == NULL) q->last = NULL;
  q->bytes -= f->bytes.len;
  return f;
}

static void queue_clear(struct outbox_queue *q) {
  for (struct outbox_frame *f; (f = queue_pop(q)) != NULL;) frame_free(f);
}

void outbox_clear(struct outbox *o) {
  queue_clear(&o->urgent);
  queue_clear(&o->bulk);
}

bool outbox_is_empty(const struct outbox *o) {
  return o->urgent.first == NULL && o->bulk.first == NULL;
}

// ---- putting ----

static bool is_of_group(const struct outbox_frame *f, const struct message *m) {
  return memcmp(f->group, m->group, MESSAGE_GROUP_BYTES) == 0;
}

static bool waits_in(const struct outbox_queue *q, const struct message *m) {
  for (const struct outbox_frame *f = q->first; f != NULL; f = f->next)
    if (is_of_group(f, m)) return true;
  return false;
}

static bool carries_entries(const struct message *m) {
  return m->body.type == CONSENSUS_APPEND && m->body.append.count > 0;
}

/// Into the last frame, if it is open for this message.
static bool put_last(struct outbox_queue *q, const struct message *m, bool alone) {
  struct outbox_frame *f = q->last;
  if (f == NULL || f->bytes.len + message_bytes(m) > OUTBOX_FRAME_BYTES || (alone && !is_of_group(f, m))) return false;
  size_t before = f->bytes.len;
  if (frame_add(&f->bytes, 0, m, NULL) != ERR_OK) return false;
  q->bytes += f->bytes.len - before;
  return true;
}

static bool put_new(struct outbox_queue *q, const struct message *m) {
  struct outbox_frame *f = mem_zalloc(sizeof *f);
  if (f == NULL) return false;
  size_t start;
  memcpy(f->group, m->group, MESSAGE_GROUP_BYTES);
  if (frame_begin(&f->bytes, &start) != ERR_OK || frame_add(&f->bytes, start, m, NULL) != ERR_OK) {
    frame_free(f);
    return false;
  }
  *(q->last != NULL ? &q->last->next : &q->first) = f;
  q->last = f;
  q->bytes += f->bytes.len;
  return true;
}

static bool has_room(const struct outbox_queue *q, const struct message *m) {
  return q->bytes == 0 || q->bytes + message_bytes(m) <= q->bytes_max;
}

bool outbox_put(struct outbox *o, const struct message *m) {
  bool bulk = carries_entries(m) || waits_in(&o->bulk, m);
  struct outbox_queue *q = bulk ? &o->bulk : &o->urgent;
  if (has_room(q, m) && (put_last(q, m, bulk) || put_new(q, m))) return true;
  o->dropped++;
  return false;
}

// ---- taking ----

bool outbox_take(struct outbox *o, uint64_t from, uint64_t to, uint64_t epoch, struct buf *ret) {
  struct outbox_frame *f = queue_pop(o->urgent.first != NULL ? &o->urgent : &o->bulk);
  if (f == NULL) return false;
  frame_end(&f->bytes, 0, from, to, epoch);
  *ret = f->bytes;
  mem_free(f);
  return true;
}
