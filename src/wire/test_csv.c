#include "base/arena.h"
#include "base/rng.h"
#include "base/test.h"
#include "wire/csv.h"

/// A text in pieces of `piece` bytes.
struct text_source {
  struct csv_source source;
  struct str rest;
  size_t piece;
};

static enum err read_text(struct csv_source *source, void *to, size_t bytes, size_t *ret, struct error *e UNUSED) {
  struct text_source *t = CONTAINER_OF(source, struct text_source, source);
  size_t n = MIN(MIN(bytes, t->piece), t->rest.len);
  if (n > 0) memcpy(to, t->rest.ptr, n);
  t->rest = (struct str){t->rest.ptr + n, t->rest.len - n};
  *ret = n;
  return ERR_OK;
}

/// Rows as "line: [a][b]; " with "null" for unquoted nothing; the error's code at its place.
static struct str flat(struct arena *a, struct str text, struct csv_dialect dialect, size_t piece, size_t limit) {
  struct text_source t = {{read_text}, text, piece};
  struct csv_reader r;
  csv_reader_init(&r, &t.source, dialect, limit);
  struct str all = STR("");
  while (true) {
    const struct csv_field *fields;
    uint32_t count;
    enum err err = csv_next_row(&r, &fields, &count, NULL);
    if (err != ERR_OK) {
      all = arena_printf(a, "%.*s%s", STR_ARG(all), err_name(err));
      break;
    }
    if (fields == NULL) break;
    all = arena_printf(a, "%.*s%d:", STR_ARG(all), (int) csv_line(&r));
    for (uint32_t i = 0; i < count; i++) {
      bool null = fields[i].text.len == 0 && !fields[i].quoted;
      all = arena_printf(a, "%.*s[%.*s]", STR_ARG(all), null ? 4 : (int) fields[i].text.len, null ? "null" : fields[i].text.ptr);
    }
    all = arena_printf(a, "%.*s ", STR_ARG(all));
  }
  csv_reader_done(&r);
  return all;
}

/// In every way in which the text can come in pieces.
static void reads_in(struct csv_dialect dialect, const char *text, const char *expected) {
  for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
    struct arena a;
    arena_init(&a, NULL);
    assert_str(flat(&a, str_of(text), dialect, piece, 1 << 20), expected);
    arena_done(&a);
  }
}

static void reads(const char *text, const char *expected) {
  reads_in(CSV_DIALECT_DEFAULT, text, expected);
}

TEST(rows_and_fields) {
  reads("", "");
  reads("a,b\nc,d\n", "1:[a][b] 2:[c][d] ");
  reads("a,b\r\nc,d", "1:[a][b] 2:[c][d] ");
  reads("a\rb", "1:[a] 2:[b] ");
  reads(",", "1:[null][null] ");
  reads("a,\n,b", "1:[a][null] 2:[null][b] ");
  reads("\n\n a \n\r\n\nb", "3:[ a ] 6:[b] "); // empty lines are no rows
  reads("\xef\xbb\xbf"
        "a,b",
        "1:[a][b] ");
}

TEST(quotes) {
  reads("\"a,b\",c", "1:[a,b][c] ");
  reads("\"a\nb\",c\nd", "1:[a\nb][c] 3:[d] ");
  reads("\"a\"\"b\"", "1:[a\"b] ");
  reads("\"a\\\"b\\\\\"", "1:[a\"b\\] ");
  reads("\"\",", "1:[][null] ");
  reads("5\" disk,x", "1:[5\" disk][x] "); // a quote inside a plain field is text
  reads("\"\"\"\"", "1:[\"] ");
  reads_in((struct csv_dialect){.delimiter = ';', .quote = '\'', .multiline = true}, "'a;b\\';c", "1:[a;b\\][c] ");
}

TEST(wrong_quotes_are_errors) {
  reads("\"a", "ARGUMENT");
  reads("x\n\"a\"b", "1:[x] ARGUMENT");
  reads_in((struct csv_dialect){.delimiter = ',', .quote = '"'}, "\"a\nb\"", "ARGUMENT");
  reads("\xff", "ARGUMENT");
}

TEST(a_row_without_end_is_stopped) {
  struct arena a;
  arena_init(&a, NULL);
  static char endless[1 << 20];
  memset(endless, 'x', sizeof endless);
  assert_str(flat(&a, (struct str){endless, sizeof endless}, CSV_DIALECT_DEFAULT, 1000, 100000), "ARGUMENT");
  arena_done(&a);
}

TEST(what_is_written_reads_as_the_same) {
  struct rng r;
  rng_seed(&r, 61);
  struct csv_dialect dialect = CSV_DIALECT_DEFAULT;
  static const char alphabet[] = "ab ,\"\\\n\r\xc3";
  for (int round = 0; round < 2000; round++) {
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    char fields[3][8];
    size_t lens[3];
    for (int i = 0; i < 3; i++) {
      lens[i] = rng_below(&r, 8);
      for (size_t b = 0; b < lens[i]; b++) fields[i][b] = alphabet[rng_below(&r, 8)];
      if (i > 0) assert_ok(buf_append_byte(&out, ','));
      assert_ok(csv_write_field(&out, &dialect, (struct str){fields[i], lens[i]}));
    }
    struct text_source t = {{read_text}, buf_str(&out), 1 + rng_below(&r, 20)};
    struct csv_reader reader;
    csv_reader_init(&reader, &t.source, dialect, 1 << 20);
    const struct csv_field *back;
    uint32_t count;
    assert_ok(csv_next_row(&reader, &back, &count, NULL));
    assert_int_equal(count, 3);
    for (int i = 0; i < 3; i++) assert_true(str_eq(back[i].text, (struct str){fields[i], lens[i]}));
    csv_reader_done(&reader);
  }
}

TEST(csv_without_memory_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct text_source t = {{read_text}, STR("a,b\nc"), 2};
    struct csv_reader r;
    csv_reader_init(&r, &t.source, CSV_DIALECT_DEFAULT, 1 << 20);
    const struct csv_field *fields;
    uint32_t count;
    enum err err = csv_next_row(&r, &fields, &count, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    csv_reader_done(&r);
  }
}

TESTS(T(rows_and_fields), T(quotes), T(wrong_quotes_are_errors), T(a_row_without_end_is_stopped),
      T(what_is_written_reads_as_the_same), T(csv_without_memory_is_an_error))
