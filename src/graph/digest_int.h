// What digest.h needs inside: requests in the log, the state as of one, and the sum over a range.
#pragma once

#include "base/buf.h"
#include "graph/digest.h"
#include "graph/schema_int.h"
#include "os/thread.h"
#include "store/pages.h"

struct flight;

#define DIGEST_RANGE_IDS 65536u // unless graph_options say otherwise
enum { DIGEST_STEP_IDS = 512, DIGEST_REQUEST_BYTES = 24 };

/// What an entry says.
struct digest_request {
  struct digest_range range;
  uint32_t voters; // digest_result.voters
};

/// A range, and the state of which it is the digest.
struct digest_job {
  struct digest_request request;
  uint64_t index;
  struct page_snapshot snapshot; // closed: there is no job
  struct schema *schema;         // held
  uint32_t tokens[GRAPH_TOKEN_KIND_MAX];
};

/// A sum under way: the digest of what came before `at`.
struct digest_sum {
  graph_id at;
  uint64_t digest, entities;
  struct arena arena; // of one entity
  struct buf bytes;   // the same
};

struct digests {
  struct mutex mutex;      // of what follows
  struct digest_job asked; // whoever steps has not taken it yet
  struct digest_range last_asked;
  uint64_t cycle_index; // where the comparison of everything began that is under way, or is over
  bool under_way;
  bool on_its_way; // an entry of this member
  struct digest_result last;
  _Atomic uint64_t changed;  // the last entry that changed something
  _Atomic uint64_t finished; // ranges that were added up here
  // Of whoever steps.
  struct digest_job job;
  struct digest_sum sum;
};

void digests_init(struct digests *d);
void digests_done(struct digests *d);

/// Whether it is a request: nothing follows it in a batch, so that what is published then is what it asks for.
bool digest_is_request(const struct flight *f);
/// These have been applied and published, and nothing else. The applier.
void digest_note(struct graph *g, const struct flight *applied);
/// A step of the sum that is asked for; `*ret_more`: it goes on. ERR_NOMEM, ERR_MEMORY_POOL, ERR_LIMIT: later.
enum err digest_step(struct graph *g, bool *ret_more, struct error *e) NODISCARD;

/// Adds what there is of the job's range from `sum->at` on, a bounded number of ids; the end is reached when `sum->at` is the
/// range's. ERR_CORRUPT, ERR_IO: it cannot be read. ERR_NOMEM and its like: `sum` is as it was before the id that it stands at.
enum err digest_add(struct graph *g, const struct digest_job *job, struct page_access *access, struct digest_sum *sum,
                    struct error *e) NODISCARD;

void digest_request_put(uint8_t to[DIGEST_REQUEST_BYTES], const struct digest_request *r);
/// False: of a later version, or it makes no sense.
bool digest_request_get(struct str from, struct digest_request *ret);
/// What is asked for after `last` (zero: nothing was yet), `ids` at a time, of so many nodes and relationships.
struct digest_range digest_range_after(const struct digest_range *last, uint64_t ids, const graph_id high[2]);
