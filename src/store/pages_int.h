// Inside the page store. Read pages.h first.
//
// Locks, in the order in which they are taken: pool.evict_mutex -> space.mutex -> pool.free_mutex. Readers take none as long as
// the page is in memory: they load an entry of the map, then the frame (or walk a chain of nodes). What they may be looking at
// is only *retired*: reused when every page access that was entered before has been left (epoch-based reclamation).
#pragma once

#include <assert.h>
#include <stdatomic.h>

#include "base/doubling.h"
#include "base/map.h"
#include "os/thread.h"
#include "base/mutant.h"
#include "store/pages.h"

#define MAP_FANOUT 408u
#define MAP_LEVELS 4u
#define SPACE_LEVELS 3u
#define MAP_LEVELS_MAX 4u
#define CHUNK_PAGES (PAGE_BYTES * 8u) // physical pages that one bitmap page tells of
#define ID_GROUP CHUNK_PAGES          // logical ids that one id page tells of
#define PAGE_ID_MAX ((UINT64_C(1) << 34) - 1)
#define SUPERBLOCKS 2u

// ---- pool ----

enum frame_state { FRAME_FREE, FRAME_HELD, FRAME_IN_MAP };

// About a frame; guarded by its space's mutex, by nobody while it is free or held.
struct frame {
  _Atomic(struct page_space *) space;
  page_id id;
  uint64_t epoch;    // of the version in it
  uint64_t physical; // where its bytes are on disk; 0: nowhere, it is dirty
  uint32_t checksum; // of those
  uint32_t node;     // the version that has it; 0: it is the page's only one, and the map names the frame
  _Atomic uint8_t state;
};

struct retired_frame {
  uint32_t frame;
  uint64_t after;
};

struct retired_memory {
  void *memory;
  uint64_t after;
};

struct page_access {
  _Atomic uint64_t entered; // pool epoch; 0: outside
  _Atomic bool taken;
  unsigned depth;
  uint32_t loaded; // frames taken for it since entering or resting
  struct page_pool *pool;
  void **copies; // with poison: what reads have handed out
  size_t copy_count, copy_capacity;
  char padding[64];
};

struct page_pool {
  uint8_t *base; // frame i is at base + i * PAGE_BYTES, from 1
  struct frame *frames;
  _Atomic uint8_t *referenced;
  uint32_t frame_count;
  uint32_t rest_after; // pages that an access brings in before it should rest
  bool poison;
  unsigned wait_ms;
  struct event_sink *events;

  _Atomic uint64_t epoch;
  struct page_access *accesses;
  unsigned accesses_max;
  _Atomic unsigned accesses_high;

  struct mutex free_mutex; // the three lists
  uint32_t *free_list;
  uint32_t free_count, pops;
  struct retired_frame *retired; // a ring, oldest first
  uint32_t retired_first, retired_count;
  struct retired_memory *memory;
  size_t memory_count, memory_capacity;

  struct mutex evict_mutex;
  uint32_t hand;
  _Atomic uint64_t reads, evictions, spills, waits, batches, batched_reads;
  _Atomic unsigned waiting; // for frames, just now
};

static inline uint8_t *pool_bytes(const struct page_pool *p, uint32_t frame) {
  return p->base + (size_t) frame * PAGE_BYTES;
}

/// A frame that nobody sees yet (FRAME_HELD), evicting if need be. No space's mutex may be held. `mine` is the access for which
/// it is: while only others keep frames, it waits for those to rest or leave. NULL never waits.
enum err pool_take_frame(struct page_pool *p, const struct page_access *mine, uint32_t *ret, struct error *e) NODISCARD;
/// Gives back a frame that nobody has seen.
void pool_give_frame(struct page_pool *p, uint32_t frame);
uint32_t pool_free_count(struct page_pool *p);
/// Call after what is retired cannot be found any more.
uint64_t pool_retire(struct page_pool *p);
/// True if every access that was inside at `pool_retire` has left.
bool pool_is_safe(struct page_pool *p, uint64_t retired);
void pool_retire_frame(struct page_pool *p, uint32_t frame);
/// Frees `memory` when it is safe.
void pool_retire_memory(struct page_pool *p, void *memory);
/// Makes room by evicting; page_evict.c.
enum err pool_evict(struct page_pool *p, struct page_space *resting, unsigned want, struct error *e);

// ---- map pages ----

// A page, and the checksum that it must have. Physical page 0: nothing there.
struct map_place {
  uint64_t physical;
  uint32_t checksum;
};

struct map_node {
  uint64_t number;
  uint8_t level;
  bool dirty;
  uint64_t physical[MAP_FANOUT];
  uint32_t checksum[MAP_FANOUT];
};

// The lowest level of the page map, with the state of each page in memory.
// An entry is 0 (on disk where the node says, or nowhere), a frame, or a chain of versions, newest first.
struct page_leaf {
  struct map_node node;
  _Atomic uint64_t entries[MAP_FANOUT];
};

#define ENTRY_TAG 3u
#define ENTRY_FRAME 1u
#define ENTRY_NODE 2u

static inline uint64_t entry_of_frame(uint32_t frame) {
  return (uint64_t) frame << 2 | ENTRY_FRAME;
}
static inline uint64_t entry_of_node(uint32_t node) {
  return (uint64_t) node << 2 | ENTRY_NODE;
}
static inline uint32_t entry_index(uint64_t entry) {
  return (uint32_t) (entry >> 2);
}

struct id_list {
  uint64_t *ids;
  size_t count, capacity;
};
enum err id_list_reserve(struct id_list *l, size_t extra) NODISCARD;
static inline void id_list_push(struct id_list *l, uint64_t id) { // room was reserved
  l->ids[l->count++] = id;
}
void id_list_done(struct id_list *l);
/// Sorted, each once.
void id_list_tidy(struct id_list *l);

// A tree of map pages on disk, loaded as needed.
struct map_tree {
  struct page_space *space;
  uint8_t kind, levels;
  uint64_t root_physical;
  uint32_t root_checksum;
  size_t node_bytes0;     // size of a node of level 0 in memory
  struct map nodes;       // level << 56 | number -> struct map_node *
  struct id_list dirty[MAP_LEVELS_MAX];
};

enum map_kind { MAP_PAGES = 1, MAP_SPACE = 2 };

void map_tree_init(struct map_tree *t, struct page_space *s, enum map_kind kind, unsigned levels, size_t node_bytes0);
void map_tree_done(struct map_tree *t);
/// The node, loaded, or made empty if there is none on disk.
enum err map_tree_node(struct map_tree *t, unsigned level, uint64_t number, struct map_node **ret, struct error *e);
struct map_node *map_tree_loaded(const struct map_tree *t, unsigned level, uint64_t number);
/// Where map page `number` of `level` is: from its parent (loaded) or the root.
enum err map_tree_place(struct map_tree *t, unsigned level, uint64_t number, uint64_t *ret_physical, uint32_t *ret_checksum, struct error *e);
/// Says that it is elsewhere now: reach, limbo, and its parent becomes dirty.
enum err map_tree_move(struct map_tree *t, unsigned level, uint64_t number, uint64_t physical, uint32_t checksum, struct error *e);
enum err map_tree_touch(struct map_tree *t, struct map_node *n);
/// Of the page's 4096 bytes: whether they say that they are this map page, its number, and what entry `slot` names.
bool map_page_is(const uint8_t *page, unsigned kind, unsigned level, uint64_t number);
uint64_t map_page_number(const uint8_t *page);
struct map_place map_page_entry(const uint8_t *page, uint64_t slot);
/// The page's 4096 bytes.
void map_node_encode(const struct map_tree *t, const struct map_node *n, uint8_t to[PAGE_BYTES]);

// ---- versions ----

#define NODE_FIRST 256u // nodes of the first chunk (base/doubling.h)
#define NODES_MAX (1u << 26)
enum { NODE_CHUNKS = 19 };
static_assert(NODES_MAX <= NODE_FIRST * ((UINT64_C(1) << NODE_CHUNKS) - 1), "every node has a chunk");

struct page_node {
  uint64_t epoch;
  page_id id;
  uint64_t physical; // where it is on disk; 0: only in its frame
  uint64_t owned_until; // sequence of the superblock that must be durable before an owned physical page is free
  uint32_t checksum;
  _Atomic uint32_t frame; // 0: not in memory
  _Atomic uint32_t prev;  // the next older version; 0: none. In a free node: the next free one
  bool gone;              // the page does not exist in this version
  bool owns;              // the physical page is named by no map
  bool listed;            // of the newest version: the page is in the space's list of chains
};

struct retired_node {
  uint32_t node;
  uint64_t after;
};

#define SNAPSHOTS_MAX 65536u
#define SNAPSHOT_CHUNK 256u

struct live_snapshots {
  uint64_t *epochs; // sorted, each once; the published epoch is the last
  size_t count, capacity;
};

// ---- physical pages ----

// A physical page that is free when superblock `sequence` is durable, no pin is older than it, and no access from before is inside.
struct limbo_page {
  uint64_t physical, sequence, after;
};

struct checkpoint_pin_slot {
  uint64_t sequence; // 0: free
  int64_t expires_ns;
  uint32_t id;
};

// A bitmap page that changed since it was written, and one that has its new place in the checkpoint under way.
enum chunk_state { CHUNK_DIRTY = 1, CHUNK_PLACED };

struct physical {
  uint64_t *used;         // a bit for each page of the file: taken, for whatever reason
  uint64_t *reach;        // what the superblock to come reaches
  _Atomic uint64_t pages; // in the file
  uint64_t capacity;      // that the bitmaps have room for
  uint64_t free, cursor, cuts;
  struct map_tree tree;
  struct map dirty_chunks; // chunk -> enum chunk_state
  struct limbo_page *limbo;
  size_t limbo_count, limbo_capacity;
  struct checkpoint_pin_slot pins[64];
  uint32_t pin_ids;
};

enum err physical_allocate(struct page_space *s, uint64_t *ret, struct error *e);
/// Undoes physical_allocate for a page that nothing names.
void physical_free_now(struct page_space *s, uint64_t physical);
/// Free once the superblock `sequence` (0: whichever) is durable.
void physical_release(struct page_space *s, uint64_t physical, uint64_t sequence);
enum err physical_reserve_limbo(struct page_space *s, size_t extra);
/// The map to come names `to` instead of `from`; 0 is none.
enum err physical_move_reach(struct page_space *s, uint64_t from, uint64_t to);
/// Gives the system back a part of the file's end that is free. True if it did: there may be more.
bool physical_shrink(struct page_space *s);
/// After a checkpoint: lets the file get shorter in time.
void physical_prefer_front(struct page_space *s);
/// Frees what may be freed of the limbo.
void physical_sweep(struct page_space *s);
enum err physical_open(struct page_space *s, uint64_t pages, struct error *e);
void physical_done(struct page_space *s);
static inline bool bit_get(const uint64_t *bits, uint64_t i) {
  return bits[i / 64] >> (i % 64) & 1;
}
static inline void bit_set(uint64_t *bits, uint64_t i, bool on) {
  if (on)
    bits[i / 64] |= UINT64_C(1) << (i % 64);
  else
    bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

// ---- a space ----

struct page_batch {
  struct page_space *space;
  struct page_access *access;
  uint64_t epoch;
  struct id_list touched;
  int64_t pages_delta;
  bool open;
};

#define PREFETCH_LANES 4u

struct page_space {
  struct page_pool *pool;
  struct disk_file *file;
  struct event_sink *events;
  uint8_t uuid[16];

  _Atomic(struct page_leaf **) leaves; // by number; grown by copying, the old one retired
  _Atomic uint64_t leaf_capacity;
  _Atomic uint64_t published;
  _Atomic(_Atomic uint64_t *) snapshot_chunks[SNAPSHOTS_MAX / SNAPSHOT_CHUNK];
  _Atomic uint32_t snapshots_high;
  _Atomic bool snapshots_changed;

  struct mutex mutex; // all below
  _Atomic(struct page_node *) node_chunks[NODE_CHUNKS];
  uint32_t node_count, node_free, nodes_alive;
  struct retired_node *retired;
  size_t retired_first, retired_count, retired_capacity;
  struct map_tree map;
  struct physical physical;
  struct page_batch batch;
  struct id_list dirty;   // ids changed since the last checkpoint began
  struct id_list chained; // ids whose entry is a node
  size_t chained_at;      // where pruning goes on,
  size_t chained_left;    // and how many it has yet to look at
  struct live_snapshots live;
  uint64_t live_lowest;   // the oldest of them
  bool live_complete;     // all of them are in the list
  uint64_t pinned_epoch;  // of the last checkpoint that began
  uint64_t sequence;      // of the durable superblock
  uint64_t id_high;       // ids from here on were never used
  uint64_t alloc_group, freed_group;
  uint64_t pages_logical;
  uint64_t leaves_loaded;

  struct prefetch {
    struct disk *disk;
    struct prefetch_lane {
      struct mutex mutex;         // held by whoever reads through it
      struct page_access *access; // both NULL until first used
      struct disk_queue *queue;
    } lanes[PREFETCH_LANES];
    _Atomic unsigned turn;
  } prefetch;
};

void prefetch_init(struct page_space *s, struct disk *disk);
void prefetch_done(struct page_space *s);

struct superblock;
enum err page_space_open(struct page_pool *pool, struct disk *disk, struct disk_file *file, const struct superblock *sb,
                         struct event_sink *events, struct page_space **ret, struct error *e);
void page_space_close(struct page_space *s);

static inline struct page_node *space_node(const struct page_space *s, uint32_t node) {
  unsigned chunk = doubling_chunk(node, NODE_FIRST);
  return &atomic_load_explicit(&s->node_chunks[chunk], memory_order_acquire)[node - doubling_begin(chunk, NODE_FIRST)];
}

/// The leaf, loaded or made; the mutex is held.
enum err space_leaf(struct page_space *s, page_id id, struct page_leaf **ret, struct error *e);

static inline struct page_leaf *space_leaf_loaded(struct page_space *s, page_id id) {
  uint64_t number = id / MAP_FANOUT;
  if (UNLIKELY(number >= atomic_load_explicit(&s->leaf_capacity, memory_order_acquire))) return NULL;
  return __atomic_load_n(&atomic_load_explicit(&s->leaves, memory_order_acquire)[number], __ATOMIC_ACQUIRE);
}

// The rest with the mutex held.

enum err node_new(struct page_space *s, page_id id, uint64_t epoch, uint32_t *ret, struct error *e);
/// Lets go of what the node has (frame, physical page) and retires it.
void node_drop(struct page_space *s, uint32_t node);
/// The node of the chain that `epoch` sees, or 0.
uint32_t node_at(const struct page_space *s, uint32_t head, uint64_t epoch);

void snapshots_collect(struct page_space *s);
/// Drops the versions of `id` that nobody sees; a chain that is one version for all becomes a plain entry, unless it is in the
/// list of chains and `unlist` is false. True if a chain stays.
bool versions_prune(struct page_space *s, page_id id, bool unlist);
/// Goes on round the list of chains: once round after each end of a snapshot.
void versions_prune_some(struct page_space *s, size_t budget);

/// Where the page's version for `epoch` is.
struct page_found {
  struct page_leaf *leaf;
  uint32_t slot;
  uint32_t node;  // 0: the entry itself
  uint32_t frame; // 0: not in memory
  uint64_t physical;
  uint32_t checksum;
  bool exists;
};
enum err page_find(struct page_space *s, page_id id, uint64_t epoch, struct page_found *ret, struct error *e);

/// Makes the map to come say where the version is: the old place is released when nothing needs it.
enum err page_map_to(struct page_space *s, page_id id, uint64_t epoch, uint64_t physical, uint32_t checksum, struct error *e);

/// Reads a physical page into `to` and checks it; no mutex needed.
enum err page_read_physical(struct page_space *s, page_id id, uint64_t physical, uint32_t checksum, void *to, struct error *e);

uint32_t page_checksum(const void *page);

/// Shows a frame that holds what `was` found to everybody, or gives it back if the version has moved since.
enum err page_install(struct page_space *s, page_id id, uint64_t epoch, const struct page_found *was, uint32_t frame, struct error *e);
