#include "os/net_queue.h"

#include <string.h>

#include "base/mem.h"

enum { SEGMENT_BYTES_MIN = 2048, TAKE_OVER_BYTES = 4096 };

struct net_segment {
  struct net_segment *next;
  char *data;      // behind this struct, or the memory of a buf
  size_t at, len;  // waiting: [at, len)
  size_t capacity; // 0: taken over, nothing can be added
};

static void segment_free(struct net_segment *s) {
  if (s->capacity == 0) mem_free(s->data);
  mem_free(s);
}

static void queue_link(struct net_queue *q, struct net_segment *s) {
  if (q->last != NULL)
    q->last->next = s;
  else
    q->first = s;
  q->last = s;
  q->bytes += s->len - s->at;
}

enum err net_queue_put(struct net_queue *q, const void *bytes, size_t len) {
  if (len == 0) return ERR_OK;
  struct net_segment *last = q->last;
  if (last != NULL && last->capacity >= last->len && last->capacity - last->len >= len) {
    memcpy(last->data + last->len, bytes, len);
    last->len += len;
    q->bytes += len;
    return ERR_OK;
  }
  size_t capacity = MAX(len, (size_t) SEGMENT_BYTES_MIN);
  struct net_segment *s = mem_alloc(sizeof *s + capacity);
  if (s == NULL) return ERR_NOMEM;
  *s = (struct net_segment){.data = (char *) (s + 1), .len = len, .capacity = capacity};
  memcpy(s->data, bytes, len);
  queue_link(q, s);
  return ERR_OK;
}

enum err net_queue_put_buf(struct net_queue *q, struct buf *b, size_t from) {
  if (b->len - from < TAKE_OVER_BYTES) {
    if (b->len > from) TRY(net_queue_put(q, b->data + from, b->len - from));
    buf_clear(b);
    return ERR_OK;
  }
  struct net_segment *s = mem_alloc(sizeof *s);
  if (s == NULL) return ERR_NOMEM;
  *s = (struct net_segment){.data = b->data, .at = from, .len = b->len};
  *b = BUF_INIT;
  queue_link(q, s);
  return ERR_OK;
}

int net_queue_peek(const struct net_queue *q, struct iovec *slices, int max) {
  int count = 0;
  for (struct net_segment *s = q->first; s != NULL && count < max; s = s->next)
    slices[count++] = (struct iovec){.iov_base = s->data + s->at, .iov_len = s->len - s->at};
  return count;
}

void net_queue_drop(struct net_queue *q, size_t len) {
  q->bytes -= len;
  while (q->first != NULL && len >= q->first->len - q->first->at) {
    struct net_segment *s = q->first;
    len -= s->len - s->at;
    q->first = s->next;
    if (q->first == NULL) q->last = NULL;
    segment_free(s);
  }
  if (len > 0) q->first->at += len;
}

void net_queue_done(struct net_queue *q) {
  net_queue_drop(q, q->bytes);
}
