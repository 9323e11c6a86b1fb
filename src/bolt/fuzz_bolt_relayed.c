// Fuzzes what servers add to Bolt on the routing port: the input is a dictionary, as another server may send it in a request or
// in an answer, behind a byte that says whether it is composed: then bytes from 0xC0 on are keys and values that servers use, and
// dictionaries that begin and end.
// Everything is read from it that either end looks for; what is taken is written again and read as the same.
#include <stdlib.h>
#include <string.h>

#include "bolt/relayed.h"
#include "wire/packstream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static const struct packstream_profile profile = {.has_temporal = true, .utc_datetimes = true, .has_element_ids = true};

enum { WORDS_FROM = 0xC0, OPEN = 0xFE, CLOSE = 0xFF, DEPTH_MAX = 8 };

static const char *const words[] = {"origin",  "member",    "sequence",      "linearizable", "behind",           "fate",
                                    "outcome", "committed", "not committed", "unknown",      "bookmark",         "place",
                                    "term",    "last",      "client",        "neo4j_major",  "legacy_bookmarks", "gateway",
                                    "verdict", "not made",  "database",      "6f1c2a34-0d5e-4b7a-8c9d-0123456789ab"};

static void put_word(struct buf *to, struct str word) {
  if (word.len > 15) must(buf_append_byte(to, 0xD0) == ERR_OK);
  must(buf_append_byte(to, (uint8_t) (word.len > 15 ? word.len : 0x80 + word.len)) == ERR_OK &&
       buf_append_str(to, word) == ERR_OK);
}

// A dictionary that is being written: where it begins, and how many keys and values it has.
struct open {
  size_t at, values;
};

static struct open open_map(struct buf *to) {
  struct open ret = {.at = to->len};
  must(buf_append(to, "\xD8", 2) == ERR_OK);
  return ret;
}

static void close_map(struct buf *to, const struct open *o) {
  if (o->values % 2 != 0) must(buf_append(to, "\x81x", 2) == ERR_OK); // the value of the last key
  to->data[o->at + 1] = (char) (uint8_t) MIN((o->values + 1) / 2, (size_t) UINT8_MAX);
}

static void put_piece(struct buf *to, uint8_t piece) {
  if (piece < WORDS_FROM)
    must(buf_append_byte(to, piece) == ERR_OK);
  else
    put_word(to, str_of(words[piece % ARRAY_SIZE(words)]));
}

/// A dictionary with what is in it.
static void compose(struct buf *to, const uint8_t *data, size_t size) {
  struct open open[DEPTH_MAX] = {open_map(to)};
  size_t depth = 1;
  for (size_t i = 0; i < size; i++) {
    if (data[i] == CLOSE && depth > 1) close_map(to, &open[--depth]);
    if (data[i] == CLOSE) continue;
    open[depth - 1].values++;
    if (data[i] == OPEN && depth < DEPTH_MAX)
      open[depth++] = open_map(to);
    else
      put_piece(to, data[i]);
  }
  while (depth > 0) close_map(to, &open[--depth]);
}

static enum err decode(struct arena *a, const void *bytes, size_t len, struct value *ret) {
  struct packstream_reader r;
  packstream_reader_init(&r, profile, (struct packstream_limits){0}, bytes, len, a);
  TRY(packstream_read_value(&r, ret, NULL));
  return packstream_read_end(&r, NULL);
}

// All that one end may have said to the other.
struct said {
  struct dbms_tx_options tx;
  struct dbms_fate fate;
  struct dbms_place place;
  struct dbms_client client;
};

static enum err read_all(struct value from, struct said *ret, struct error *e) {
  *ret = (struct said){.client.neo4j_major = 4};
  TRY(bolt_relayed_read_origin(from, &ret->tx.origin, e));
  TRY(bolt_relayed_read_database(from, &ret->tx, e));
  TRY(bolt_relayed_read_linearizable(from, &ret->tx, e));
  TRY(bolt_relayed_read_question(from, &ret->tx, e));
  TRY(bolt_relayed_read_fate(from, &ret->fate, e));
  TRY(bolt_relayed_read_place(from, &ret->place, e));
  return bolt_relayed_read_client(from, &ret->client, e);
}

static void write_all(struct buf *to, const struct said *s) {
  struct dict d;
  dict_begin(&d, to);
  bolt_relayed_write_origin(&d, s->tx.origin);
  bolt_relayed_write_database(&d, &s->tx);
  bolt_relayed_write_linearizable(&d, &s->tx);
  bolt_relayed_write_question(&d, &s->tx);
  bolt_relayed_write_fate(&d, &s->fate);
  bolt_relayed_write_place(&d, s->place);
  bolt_relayed_write_client(&d, &s->client);
  must(dict_end(&d) == ERR_OK);
}

static void check_same(const struct said *a, const struct said *b) {
  must(a->tx.origin.member == b->tx.origin.member && a->tx.origin.sequence == b->tx.origin.sequence);
  must(uuid_eq(a->tx.database_id, b->tx.database_id));
  must(a->tx.linearizable == b->tx.linearizable && a->tx.asks_fate == b->tx.asks_fate && a->tx.behind == b->tx.behind &&
       a->tx.wants_verdict == b->tx.wants_verdict);
  must(a->fate.outcome == b->fate.outcome && str_eq(a->fate.bookmark, b->fate.bookmark));
  must(a->place.term == b->place.term && a->place.last == b->place.last);
  must(a->client.neo4j_major == b->client.neo4j_major && a->client.legacy_bookmarks == b->client.legacy_bookmarks &&
       str_eq(a->client.gateway, b->client.gateway));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena a;
  struct value v;
  struct said first, again;
  struct buf in = BUF_INIT, out = BUF_INIT;
  struct error e = ERROR_INIT;
  if (size == 0) return 0;
  arena_init(&a, NULL);
  if (data[0] != 0)
    compose(&in, data + 1, size - 1);
  else
    must(buf_append(&in, data + 1, size - 1) == ERR_OK);
  if (decode(&a, in.data, in.len, &v) == ERR_OK && v.type == VALUE_MAP) {
    if (read_all(v, &first, &e) == ERR_OK) {
      write_all(&out, &first);
      must(decode(&a, out.data, out.len, &v) == ERR_OK && read_all(v, &again, NULL) == ERR_OK);
      check_same(&first, &again);
    } else {
      must(e.code == ERR_PROTOCOL && e.message[0] != '\0');
    }
  }
  buf_done(&in);
  buf_done(&out);
  arena_done(&a);
  return 0;
}
