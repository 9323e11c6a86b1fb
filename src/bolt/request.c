#include "bolt/request.h"

#include "base/mem.h"

enum err bolt_queue_push(struct bolt_queue *q, struct str message) {
  struct bolt_request *r = mem_alloc(sizeof *r + message.len);
  if (r == NULL) return ERR_NOMEM;
  *r = (struct bolt_request){.bytes = {(char *) (r + 1), message.len}};
  memcpy(r + 1, message.ptr, message.len);
  if (q->last != NULL)
    q->last->next = r;
  else
    q->first = r;
  q->last = r;
  q->count++;
  q->bytes += message.len;
  return ERR_OK;
}

struct bolt_request *bolt_queue_pop(struct bolt_queue *q) {
  struct bolt_request *r = q->first;
  if (r == NULL) return NULL;
  q->first = r->next;
  if (q->first == NULL) q->last = NULL;
  q->count--;
  q->bytes -= r->bytes.len;
  return r;
}

void bolt_request_free(struct bolt_request *r) {
  mem_free(r);
}

void bolt_queue_clear(struct bolt_queue *q) {
  for (struct bolt_request *r; (r = bolt_queue_pop(q)) != NULL;) bolt_request_free(r);
}
