// Names of labels, relationship types and property keys, numbered from 0 for each kind. Readers go from number to name without a
// lock and from name to number under a mutex. The applier adds; names are never taken away.
#pragma once

#include "base/map.h"
#include "graph/stable_int.h"
#include "graph/types.h"
#include "os/thread.h"
#include "store/btree.h"

struct token_table {
  struct stable names; // token -> struct str *, followed by its bytes
  _Atomic uint32_t count;
  struct strmap by_name; // under the mutex
};

struct tokens {
  page_id root; // tree "tokens": kind u8, token u32 -> name in pieces
  struct token_table kinds[GRAPH_TOKEN_KIND_MAX];
  _Atomic uint64_t version;
  struct mutex mutex;
};

void tokens_init(struct tokens *t);
void tokens_done(struct tokens *t);
enum err tokens_load(struct tokens *t, const struct page_view *v, struct error *e) NODISCARD;

bool tokens_find(struct tokens *t, enum graph_token_kind kind, struct str name, graph_token *ret);
/// The name, valid as long as the graph; a NULL pointer for a number that is not in use.
struct str tokens_name(const struct tokens *t, enum graph_token_kind kind, graph_token token);

/// Makes a token that the log gave: in the tree and for readers, who may use it at once because it is committed. Doing it again
/// after an aborted batch is fine; ERR_CORRUPT for a number or name that is taken otherwise.
enum err tokens_apply(struct tokens *t, struct page_batch *b, enum graph_token_kind kind, graph_token token, struct str name,
                      struct error *e) NODISCARD;
