#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "base/test.h"
#include "cluster/frame.h"

static const uint8_t uuid[MESSAGE_GROUP_BYTES] = "the database";

static struct message message_of(enum consensus_message_type type) {
  struct message m = {.from = 1, .to = 2, .body = {.type = type, .peer = 2, .term = 7}};
  memcpy(m.group, uuid, sizeof m.group);
  return m;
}

static struct log_entry entry_of(uint64_t index, uint64_t term, const char *payload) {
  return (struct log_entry){.index = index,
                            .term = term,
                            .kind = LOG_TRANSACTION,
                            .parts = LOG_END,
                            .commit_time_ns = 1000 + (int64_t) index,
                            .origin_member = 3,
                            .origin_sequence = index * 2,
                            .metadata = str_of("user: neo4j"),
                            .payload = str_of(payload)};
}

static struct consensus_membership three_members(void) {
  struct consensus_membership m = {.index = 4, .count = 3};
  for (uint32_t i = 0; i < 3; i++) {
    m.members[i] = (struct consensus_member){.id = i + 1, .role = i == 2 ? CONSENSUS_LEARNER : CONSENSUS_VOTER};
    snprintf(m.members[i].address, sizeof m.members[i].address, "core-%u.example:7000", i);
  }
  return m;
}

// Writes it, checks that its size was foretold, and reads it again.
static enum err round_trip(const struct message *m, struct arena *a, struct message *ret) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct error e = ERROR_INIT;
  size_t at = 0;
  assert_ok(message_put(&bytes, m));
  assert_int_equal(bytes.len, message_bytes(m));
  assert_int_equal(bytes.len % 8, 0);
  uint8_t *copy = arena_copy(a, bytes.data, bytes.len); // the texts of entries point into it
  enum err err = message_get(copy, bytes.len, &at, a, ret, &e);
  if (err == ERR_OK) assert_int_equal(at, bytes.len);
  return err;
}

TEST(each_message_comes_back_as_it_was_sent) {
  struct arena a;
  struct message m, got;
  struct consensus_membership members = three_members();
  arena_init(&a, NULL);
  m = message_of(CONSENSUS_APPEND_RESULT);
  m.body.append_result.rejected = 12;
  m.body.append_result.last_index = 9;
  assert_ok(round_trip(&m, &a, &got));
  assert_memory_equal(got.group, uuid, sizeof uuid);
  assert_int_equal(got.from, 1);
  assert_int_equal(got.to, 2);
  assert_int_equal(got.body.peer, 1);
  assert_int_equal(got.body.term, 7);
  assert_int_equal(got.body.append_result.rejected, 12);
  assert_int_equal(got.body.append_result.last_index, 9);

  m = message_of(CONSENSUS_VOTE);
  m.body.vote.last_index = 5;
  m.body.vote.last_term = 6;
  m.body.vote.disrupt_leader = true;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.vote.last_index, 5);
  assert_int_equal(got.body.vote.last_term, 6);
  assert_true(got.body.vote.disrupt_leader && !got.body.vote.pre_vote);

  m = message_of(CONSENSUS_VOTE_RESULT);
  m.body.vote_result.pre_vote = true;
  assert_ok(round_trip(&m, &a, &got));
  assert_true(got.body.vote_result.pre_vote && !got.body.vote_result.granted);

  m = message_of(CONSENSUS_INSTALL);
  m.body.install.last_index = 40;
  m.body.install.last_term = 6;
  m.body.install.membership = &members;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.install.last_index, 40);
  assert_int_equal(got.body.install.membership->index, 4);
  assert_int_equal(got.body.install.membership->count, 3);
  assert_string_equal(got.body.install.membership->members[2].address, "core-2.example:7000");

  m = message_of(CONSENSUS_TIMEOUT_NOW);
  m.body.timeout_now.last_index = 8;
  m.body.timeout_now.last_term = 3;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.timeout_now.last_index, 8);
  assert_int_equal(got.body.timeout_now.last_term, 3);

  m = message_of(CONSENSUS_READ_PROBE);
  m.body.read_probe.nonce = 77;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.read_probe.nonce, 77);

  m = message_of(CONSENSUS_READ_PROBE_RESULT);
  m.body.read_probe_result.nonce = 78;
  m.body.read_probe_result.confirmed = true;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.read_probe_result.nonce, 78);
  assert_true(got.body.read_probe_result.confirmed);

  m = message_of(CONSENSUS_ACKNOWLEDGED);
  m.body.acknowledged.last_index = 57;
  m.body.acknowledged.last_term = 4;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.acknowledged.last_index, 57);
  assert_int_equal(got.body.acknowledged.last_term, 4);
  arena_done(&a);
}

TEST(entries_travel_whole) {
  struct arena a;
  struct message m = message_of(CONSENSUS_APPEND), got;
  struct log_entry entries[3] = {entry_of(11, 5, "one"), entry_of(12, 5, ""),
                                 entry_of(13, 7, "three, which is longer than a word")};
  arena_init(&a, NULL);
  m.body.append.previous_index = 10;
  m.body.append.previous_term = 4;
  m.body.append.commit_index = 9;
  m.body.append.count = 3;
  m.entries = entries;
  assert_ok(round_trip(&m, &a, &got));
  assert_int_equal(got.body.append.previous_index, 10);
  assert_int_equal(got.body.append.previous_term, 4);
  assert_int_equal(got.body.append.commit_index, 9);
  assert_int_equal(got.body.append.count, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(got.entries[i].index, entries[i].index);
    assert_int_equal(got.entries[i].term, entries[i].term);
    assert_int_equal(got.entries[i].commit_time_ns, entries[i].commit_time_ns);
    assert_int_equal(got.entries[i].origin_sequence, entries[i].origin_sequence);
    assert_true(str_eq(got.entries[i].metadata, entries[i].metadata));
    assert_true(str_eq(got.entries[i].payload, entries[i].payload));
  }
  arena_done(&a);
}

TEST(entries_out_of_order_or_of_impossible_terms_are_refused) {
  struct arena a;
  struct message m = message_of(CONSENSUS_APPEND), got;
  struct log_entry entries[2] = {entry_of(11, 5, "one"), entry_of(12, 6, "two")};
  arena_init(&a, NULL);
  m.body.append.previous_index = 10;
  m.body.append.previous_term = 5;
  m.body.append.count = 2;
  m.entries = entries;
  assert_ok(round_trip(&m, &a, &got));
  entries[1].index = 13;
  assert_int_equal(round_trip(&m, &a, &got), ERR_CORRUPT);
  entries[1].index = 12;
  entries[1].term = 4; // falls
  assert_int_equal(round_trip(&m, &a, &got), ERR_CORRUPT);
  entries[1].term = 8; // above the sender's
  assert_int_equal(round_trip(&m, &a, &got), ERR_CORRUPT);
  entries[1].term = 6;
  m.body.append.previous_term = 6; // above the first's
  assert_int_equal(round_trip(&m, &a, &got), ERR_CORRUPT);
  arena_done(&a);
}

// A valid message of each type, for tests that break it.
static void put_all_types(struct buf *to) {
  struct consensus_membership members = three_members();
  struct log_entry entries[2] = {entry_of(11, 5, "one"), entry_of(12, 5, "two")};
  for (int type = 1; type < CONSENSUS_MESSAGE_TYPE_MAX; type++) {
    struct message m = message_of(type);
    if (type == CONSENSUS_APPEND) {
      m.body.append.previous_index = 10;
      m.body.append.count = 2;
      m.entries = entries;
    }
    if (type == CONSENSUS_INSTALL) {
      m.body.install.last_index = 40;
      m.body.install.membership = &members;
    }
    assert_ok(message_put(to, &m));
  }
}

TEST(a_message_that_is_cut_anywhere_is_refused) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct arena a;
  struct message got;
  size_t at = 0;
  arena_init(&a, NULL);
  put_all_types(&bytes);
  while (at < bytes.len) {
    size_t whole = get_u32_le(bytes.data + at);
    for (size_t cut = 0; cut < whole; cut++) {
      size_t place = 0;
      assert_int_equal(message_get((uint8_t *) bytes.data + at, cut, &place, &a, &got, NULL), ERR_CORRUPT);
      assert_int_equal(place, 0);
    }
    at += whole;
  }
  arena_done(&a);
}

TEST(unknown_types_flags_and_lengths_are_refused) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct arena a;
  struct message m = message_of(CONSENSUS_READ_PROBE), got;
  arena_init(&a, NULL);
  assert_ok(message_put(&bytes, &m));
  static const struct {
    size_t at;
    uint8_t value;
  } wrong[] = {{4, 0}, {4, CONSENSUS_MESSAGE_TYPE_MAX}, {5, 1}, {6, 1}, {48, 1}, {52, 1}, {0, 56}, {0, 63}, {0, 72}, {24, 0},
               {32, 0}};
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    size_t at = 0;
    uint8_t kept = (uint8_t) bytes.data[wrong[i].at];
    bytes.data[wrong[i].at] = (char) wrong[i].value;
    assert_int_equal(message_get((uint8_t *) bytes.data, bytes.len, &at, &a, &got, NULL), ERR_CORRUPT);
    bytes.data[wrong[i].at] = (char) kept;
  }
  arena_done(&a);
}

// ---- frames ----

static void put_frame(struct buf *to, uint64_t epoch) {
  size_t start = 0;
  struct error e = ERROR_INIT;
  assert_ok(frame_begin(to, &start));
  for (uint64_t i = 0; i < 3; i++) { // heartbeats of three groups
    struct message m = message_of(CONSENSUS_APPEND);
    m.group[15] = (uint8_t) i;
    assert_ok(frame_add(to, start, &m, &e));
  }
  frame_end(to, start, 101, 102, epoch);
}

TEST(heartbeats_of_many_groups_are_one_frame) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct arena a;
  struct frame_reader r;
  struct message got;
  struct error e = ERROR_INIT;
  bool any = false;
  uint32_t whole = 0;
  arena_init(&a, NULL);
  put_frame(&bytes, 1);
  size_t first = bytes.len;
  put_frame(&bytes, 2); // two behind each other, as on a stream
  assert_int_equal(frame_peek((uint8_t *) bytes.data, 47, &whole, &e), ERR_SHORT);
  assert_ok(frame_peek((uint8_t *) bytes.data, bytes.len, &whole, &e));
  assert_int_equal(whole, first);
  assert_ok(frame_open((uint8_t *) bytes.data + first, bytes.len - first, &r, &e));
  assert_int_equal(r.header.from, 101);
  assert_int_equal(r.header.to, 102);
  assert_int_equal(r.header.epoch, 2);
  assert_int_equal(r.header.messages, 3);
  for (uint8_t i = 0; i < 3; i++) {
    assert_ok(frame_next(&r, &a, &got, &any, &e));
    assert_true(any);
    assert_int_equal(got.group[15], i);
  }
  assert_ok(frame_next(&r, &a, &got, &any, &e));
  assert_false(any);
  arena_done(&a);
}

TEST(every_flipped_bit_of_a_frame_is_noticed) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct frame_reader r;
  put_frame(&bytes, 1);
  for (size_t bit = 0; bit < bytes.len * 8; bit++) {
    bytes.data[bit / 8] ^= (char) (1u << bit % 8);
    assert_int_not_equal(frame_open((uint8_t *) bytes.data, bytes.len, &r, NULL), ERR_OK);
    bytes.data[bit / 8] ^= (char) (1u << bit % 8);
  }
  assert_ok(frame_open((uint8_t *) bytes.data, bytes.len, &r, NULL));
}

TEST(a_frame_may_say_how_far_its_sender_has_moved_and_nothing_else) {
  uint8_t frame[FRAME_MOVES_BYTES];
  struct frame_reader r;
  struct message got;
  bool any = true;
  uint32_t whole = 0;
  frame_put_moves(frame, 101, 102, 7, 42);
  assert_ok(frame_peek(frame, sizeof frame, &whole, NULL));
  assert_int_equal(whole, sizeof frame);
  assert_ok(frame_open(frame, sizeof frame, &r, NULL));
  assert_true(r.header.from == 101 && r.header.to == 102 && r.header.epoch == 7);
  assert_true(r.header.messages == 0 && r.header.moves == 42);
  assert_ok(frame_next(&r, NULL, &got, &any, NULL));
  assert_false(any);
  for (size_t bit = 0; bit < sizeof frame * 8; bit++) {
    frame[bit / 8] ^= (uint8_t) (1u << bit % 8);
    assert_int_not_equal(frame_open(frame, sizeof frame, &r, NULL), ERR_OK);
    frame[bit / 8] ^= (uint8_t) (1u << bit % 8);
  }
}

static void put_checksum(uint8_t *frame, size_t bytes) {
  put_u64_le(frame + 40, hash64(frame + FRAME_HEADER_BYTES, bytes - FRAME_HEADER_BYTES, hash64(frame, 40, 0)));
}

TEST(a_frame_with_a_right_checksum_and_wrong_contents_is_refused) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct arena a;
  struct frame_reader r;
  struct message got;
  bool any = true;
  arena_init(&a, NULL);
  put_frame(&bytes, 1);
  uint8_t *frame = (uint8_t *) bytes.data;
  put_u16_le(frame + 6, 2); // a message is behind the last
  put_checksum(frame, bytes.len);
  assert_ok(frame_open(frame, bytes.len, &r, NULL));
  assert_ok(frame_next(&r, &a, &got, &any, NULL));
  assert_ok(frame_next(&r, &a, &got, &any, NULL));
  assert_int_equal(frame_next(&r, &a, &got, &any, NULL), ERR_CORRUPT);
  put_u16_le(frame + 6, 4); // one too few
  put_checksum(frame, bytes.len);
  assert_ok(frame_open(frame, bytes.len, &r, NULL));
  for (int i = 0; i < 3; i++) assert_ok(frame_next(&r, &a, &got, &any, NULL));
  assert_int_equal(frame_next(&r, &a, &got, &any, NULL), ERR_CORRUPT);
  put_u16_le(frame + 6, 0);
  put_checksum(frame, bytes.len);
  assert_int_equal(frame_open(frame, bytes.len, &r, NULL), ERR_CORRUPT);
  put_u16_le(frame + 4, 2); // only without messages
  assert_int_equal(frame_open(frame, bytes.len, &r, NULL), ERR_CORRUPT);
  put_u16_le(frame + 4, 3);
  assert_int_equal(frame_open(frame, bytes.len, &r, NULL), ERR_UNSUPPORTED);
  put_u16_le(frame + 4, 1);
  put_u32_le(frame + 8, FRAME_BYTES_MAX + 8);
  uint32_t whole = 0;
  assert_int_equal(frame_peek(frame, bytes.len, &whole, NULL), ERR_CORRUPT);
  arena_done(&a);
}

TEST(a_full_frame_says_so_and_stays_as_it_is) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  struct message m = message_of(CONSENSUS_READ_PROBE);
  struct error e = ERROR_INIT;
  size_t start = 0;
  assert_ok(frame_begin(&bytes, &start));
  for (unsigned i = 0; i < FRAME_MESSAGES_MAX; i++) assert_ok(frame_add(&bytes, start, &m, &e));
  size_t before = bytes.len;
  assert_int_equal(frame_add(&bytes, start, &m, &e), ERR_LIMIT);
  assert_int_equal(bytes.len, before);
  buf_clear(&bytes);
  char *payload = mem_zalloc(LOG_ENTRY_BYTES_MAX);
  assert_non_null(payload);
  struct log_entry entry = {
      .index = 1, .term = 1, .kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, LOG_ENTRY_BYTES_MAX}};
  m = message_of(CONSENSUS_APPEND);
  m.body.append.count = 1;
  m.entries = &entry;
  assert_ok(frame_begin(&bytes, &start));
  assert_ok(frame_add(&bytes, start, &m, &e));
  before = bytes.len;
  assert_int_equal(frame_add(&bytes, start, &m, &e), ERR_LIMIT); // 8 MB are not enough for two of 4 MB
  assert_int_equal(bytes.len, before);
  mem_free(payload);
}

TEST(no_memory_leaves_a_frame_as_it_was) {
  struct consensus_membership members = three_members();
  struct message m = message_of(CONSENSUS_INSTALL);
  m.body.install.last_index = 40;
  m.body.install.membership = &members;
  EACH_ALLOC_FAILS(n) {
    struct buf bytes = BUF_INIT;
    struct error e = ERROR_INIT;
    struct arena a;
    struct message got;
    size_t start = 0;
    arena_init(&a, NULL);
    enum err err = frame_begin(&bytes, &start);
    if (err == ERR_OK) err = frame_add(&bytes, start, &m, &e);
    if (err == ERR_OK) {
      size_t at = FRAME_HEADER_BYTES;
      err = message_get((uint8_t *) bytes.data, bytes.len, &at, &a, &got, &e);
    }
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    arena_done(&a);
    buf_done(&bytes);
  }
}

TESTS(T(each_message_comes_back_as_it_was_sent), T(entries_travel_whole),
      T(entries_out_of_order_or_of_impossible_terms_are_refused), T(a_message_that_is_cut_anywhere_is_refused),
      T(unknown_types_flags_and_lengths_are_refused), T(heartbeats_of_many_groups_are_one_frame),
      T(every_flipped_bit_of_a_frame_is_noticed), T(a_frame_may_say_how_far_its_sender_has_moved_and_nothing_else),
      T(a_frame_with_a_right_checksum_and_wrong_contents_is_refused), T(a_full_frame_says_so_and_stays_as_it_is),
      T(no_memory_leaves_a_frame_as_it_was))
