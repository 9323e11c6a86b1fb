// PackStream, Bolt's encoding of values (packstream specification, Bolt 1 to 6.1): a decoder that pulls from a slice and an
// encoder that pushes into a buffer. Neither knows versions: what differs between them is in a profile that the handshake fills.
//
// Everything that is decoded is hostile: sizes are checked against the bytes that are left before anything is allocated, text
// must be UTF-8, nesting is limited, structures must have their exact fields in range. Stateless but for the structs; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"
#include "value/vec.h"

/// What a Bolt version can carry. All false is Bolt 1.
struct packstream_profile {
  bool has_temporal;    // 2.0 on: temporal and spatial structures
  bool utc_datetimes;   // 5.0 on, and 4.3/4.4 with the "utc" patch: zoned datetimes count from UTC, not from local time
  bool has_element_ids; // 5.0 on: entities carry element ids
  bool has_vectors;     // 6.0 on: clients may send Vector
  bool has_uuids;       // 6.1 on: clients may send UUID
  bool from_server;     // nodes, relationships and paths are read: a client's side of 5.0 on. The encoder takes no notice
};

/// Limits for what is decoded. Zero means the default.
struct packstream_limits {
  uint32_t depth_max;    // levels of lists, dictionaries and structures; default and most: PACKSTREAM_DEPTH_MAX, or from a
                         // server PACKSTREAM_DEPTH_SENT_MAX
  uint32_t elements_max; // values in one message; default: no limit of its own (each takes at least a byte)
};

/// What is sent may be as deep as a value; the parts of a path are three levels more on the wire.
enum { PACKSTREAM_DEPTH_MAX = 512, PACKSTREAM_DEPTH_SENT_MAX = VALUE_DEPTH_MAX + 3 };

// Decoding

/// A cursor over the bytes of one message. Zero it and call packstream_reader_init.
struct packstream_reader {
  const uint8_t *at, *end;
  struct packstream_profile profile;
  struct packstream_limits limits;
  uint32_t elements; // values seen so far
  uint32_t depth;    // containers open around the next value
  uint64_t owed;     // values that those still wait for
  bool within_path;  // relationships come without their ends
  struct arena *arena;
};

/// Lists, maps, durations and points go to `arena`. Strings and bytes point into `bytes`, which must outlive the values
/// (value_copy takes them along).
void packstream_reader_init(struct packstream_reader *r, struct packstream_profile profile, struct packstream_limits limits,
                            const void *bytes, size_t len, struct arena *arena);

/// Head of the message: a structure's tag and number of fields, whatever the tag. ERR_PROTOCOL.
enum err packstream_read_message(struct packstream_reader *r, uint8_t *ret_tag, uint32_t *ret_fields, struct error *e) NODISCARD;

/// The next value. Errors end the message:
/// ERR_PROTOCOL for malformed or missing bytes, broken limits, double or non-string keys, unknown structures: the connection is
/// lost; ERR_TYPE for entities from a client, who may not send any; ERR_ARGUMENT for structures with values out of range and
/// unknown zones: only the request is lost. Vectors become lists of numbers, UUIDs text.
enum err packstream_read_value(struct packstream_reader *r, struct value *ret, struct error *e) NODISCARD;

/// ERR_PROTOCOL if bytes are left.
enum err packstream_read_end(const struct packstream_reader *r, struct error *e) NODISCARD;

// Encoding: always the shortest form. A failed write may leave part of a value behind: cut the buffer back to where it began.

enum err packstream_write_null(struct buf *out) NODISCARD;
enum err packstream_write_bool(struct buf *out, bool b) NODISCARD;
enum err packstream_write_int(struct buf *out, int64_t i) NODISCARD;
enum err packstream_write_float(struct buf *out, double f) NODISCARD;
enum err packstream_write_str(struct buf *out, struct str s) NODISCARD;
enum err packstream_write_bytes(struct buf *out, const void *bytes, uint32_t len) NODISCARD;
/// The heads of a list, a dictionary and a structure (at most 15 fields); their items follow by further calls.
enum err packstream_write_list(struct buf *out, uint32_t items) NODISCARD;
enum err packstream_write_map(struct buf *out, uint32_t entries) NODISCARD;
enum err packstream_write_struct(struct buf *out, uint8_t tag, uint32_t fields) NODISCARD;

enum { PACKSTREAM_VALUE_BYTES_MAX = 256 << 20 };

/// Any value. ERR_LIMIT for one that takes more than PACKSTREAM_VALUE_BYTES_MAX; ERR_TYPE where the profile has no form for it; ERR_INTERNAL for an entity that is not hydrated.
enum err packstream_write_value(struct buf *out, const struct packstream_profile *profile, struct value v,
                                struct error *e) NODISCARD;

/// Bytes to leave free and to put in front of each row, so that a protocol can frame rows where they lie.
struct packstream_row_frame {
  uint32_t free_before; // left uninitialised
  struct str head;      // copied behind that: the head of a RECORD
  uint32_t free_after;  // left uninitialised
};

/// Rows [0, rows) as lists of `width` fields each, one behind the other: a batch at once, typed columns without boxing. Where
/// `sel` is not NULL, row r is element sel[r]. `ends` (room for `rows`) gets the offset in `out` behind each row and its
/// free_after.
enum err packstream_write_rows(struct buf *out, const struct packstream_profile *profile,
                               const struct packstream_row_frame *frame, const struct vec *columns, uint32_t width,
                               const uint32_t *sel, uint32_t rows, size_t *ends, struct error *e) NODISCARD;
