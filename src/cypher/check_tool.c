// Reads statements and says what the parser and the check make of them; for tests that drive it through a pipe.
//
// Input: records that end with a NUL byte. "Q<statement>" asks; "P<name>(<in> :: <type>, ...) :: (<out> :: <type>, ...)"
// registers a procedure; "R" forgets them; "X" prints the canonical text beside the answer from then on. Output: one line for
// each Q, fields separated by tabs, line ends inside of a field as "\n": `ok <query type> <columns> [canonical text]` or `error
// <status> <message>`.
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cypher/check.h"
#include "cypher/parse.h"

enum { MOST_PROCEDURES = 16, MOST_FIELDS = 8 };

struct registry {
  struct arena arena;
  struct cypher_procedure procedures[MOST_PROCEDURES];
  uint32_t count;
};

static cypher_types type_of(struct str name) {
  if (name.len > 0 && name.ptr[name.len - 1] == '?') name.len--;
  static const struct {
    const char *name;
    cypher_types types;
  } all[] = {{"INTEGER", CYPHER_INTEGER},
             {"FLOAT", CYPHER_FLOAT},
             {"NUMBER", CYPHER_NUMBER},
             {"STRING", CYPHER_STRING},
             {"BOOLEAN", CYPHER_BOOLEAN}};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++)
    if (str_eqz(name, all[i].name)) return all[i].types;
  return CYPHER_ANY;
}

/// "a :: INTEGER?, b :: STRING?" to fields.
static uint32_t read_fields(struct registry *r, struct str text, const struct cypher_field **ret) {
  struct cypher_field *fields = ARENA_ARRAY(&r->arena, struct cypher_field, MOST_FIELDS);
  uint32_t count = 0;
  while (fields != NULL && str_trim(text).len > 0 && count < MOST_FIELDS) {
    struct str field = str_cut(&text, ','), name = str_trim(str_cut(&field, ':'));
    struct str type = str_trim((struct str){field.ptr + 1, field.len > 0 ? field.len - 1 : 0});
    struct str copy = arena_str(&r->arena, name);
    fields[count++] = (struct cypher_field){.name = copy.ptr, .type = "ANY", .types = type_of(type), .elements = CYPHER_ANY};
  }
  *ret = fields;
  return count;
}

static void register_procedure(struct registry *r, struct str text) {
  if (r->count == MOST_PROCEDURES) return;
  struct cypher_procedure *f = &r->procedures[r->count++];
  *f = (struct cypher_procedure){.mode = CYPHER_PROCEDURE_READ};
  f->name = arena_str(&r->arena, str_trim(str_cut(&text, '('))).ptr;
  f->argument_count = f->required_count = read_fields(r, str_cut(&text, ')'), &f->arguments);
  str_cut(&text, '(');
  f->result_count = read_fields(r, str_cut(&text, ')'), &f->results);
}

static const struct cypher_procedure *find_procedure(void *context, struct str name) {
  struct registry *r = context;
  for (uint32_t i = 0; i < r->count; i++)
    if (str_eqz(name, r->procedures[i].name)) return &r->procedures[i];
  return NULL;
}

static void put_field(struct str text) {
  putchar('\t');
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\n')
      fputs("\\n", stdout);
    else if (text.ptr[i] != '\t' && text.ptr[i] != '\r')
      putchar(text.ptr[i]);
  }
}

static void put_columns(const struct ast_statement *s) {
  putchar('\t');
  for (uint32_t i = 0; i < s->column_count; i++) {
    if (i > 0) putchar('|');
    for (size_t k = 0; k < s->columns[i].name.len; k++) {
      char c = s->columns[i].name.ptr[k];
      putchar(c == '\n' || c == '\t' ? ' ' : c);
    }
  }
}

static enum err print_canonical(const struct ast_statement *s, struct buf *canonical) {
  return ast_print_statement(canonical, s);
}

static void answer(struct registry *r, struct str text, bool canonical) {
  static const char *const types[] = {"r", "w", "rw", "s"};
  struct arena arena;
  arena_init(&arena, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s = NULL;
  struct cypher_signatures signatures = {.find_procedure = find_procedure, .context = r};
  struct cypher_check_options options = {.signatures = &signatures};
  CLEANUP(buf_done) struct buf printed = BUF_INIT;
  enum err err = cypher_parse(&arena, text, NULL, &s, &e);
  if (err == ERR_OK && canonical) err = print_canonical(s, &printed);
  if (err == ERR_OK) err = cypher_check(s, &options, &e);
  if (err == ERR_OK) {
    fputs("ok", stdout);
    put_field(str_of(types[s->query_type]));
    put_columns(s);
    if (canonical) put_field(buf_str(&printed));
  } else {
    fputs("error", stdout);
    put_field(str_of(err_name(err)));
    put_field(str_of(e.message));
  }
  putchar('\n');
  arena_done(&arena);
}

int main(void) {
  struct registry r = {.count = 0};
  arena_init(&r.arena, NULL);
  CLEANUP(buf_done) struct buf record = BUF_INIT;
  bool canonical = false;
  int c;
  while ((c = getchar()) != EOF) {
    if (c != '\0') {
      if (buf_append_byte(&record, (uint8_t) c) != ERR_OK) return 1;
      continue;
    }
    struct str rest = record.len > 0 ? (struct str){record.data + 1, record.len - 1} : STR("");
    switch (record.len > 0 ? record.data[0] : 0) {
    case 'Q':
      answer(&r, rest, canonical);
      fflush(stdout);
      break;
    case 'P': register_procedure(&r, rest); break;
    case 'R': r.count = 0; break;
    case 'X': canonical = true; break;
    default: return 2;
    }
    buf_clear(&record);
  }
  arena_done(&r.arena);
  return 0;
}
