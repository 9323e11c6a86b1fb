// `text =~ pattern`: the whole text must match. Patterns are compiled once a run and kept by their text; matching is limited in
// steps and depth, so that a hostile pattern fails instead of holding a worker.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "exec/eval.h"
#include "exec/exec_int.h"

enum { REGEX_CACHE_SIZE = 64, REGEX_MATCH_LIMIT = 10000000, REGEX_HEAP_LIMIT_KIB = 65536 };

struct regex {
  char *pattern;
  size_t pattern_len;
  pcre2_code *code;
};

struct regex_cache {
  struct regex items[REGEX_CACHE_SIZE];
  uint32_t n, next; // next: the one to be replaced
  pcre2_general_context *general;
  pcre2_match_context *match;
  pcre2_match_data *data;
};

static void *regex_alloc(size_t bytes, void *context UNUSED) {
  return mem_alloc(bytes);
}

static void regex_free(void *p, void *context UNUSED) {
  mem_free(p);
}

static void regex_drop(struct regex *r) {
  pcre2_code_free(r->code);
  mem_free(r->pattern);
  *r = (struct regex){0};
}

void regex_cache_free(struct regex_cache *cache) {
  if (cache == NULL) return;
  for (uint32_t i = 0; i < cache->n; i++) regex_drop(&cache->items[i]);
  pcre2_match_data_free(cache->data);
  pcre2_match_context_free(cache->match);
  pcre2_general_context_free(cache->general);
  mem_free(cache);
}

static enum err cache_of(struct eval *c, struct regex_cache **ret) {
  if (c->x->regexes == NULL) {
    struct regex_cache *cache = mem_zalloc(sizeof *cache);
    if (cache == NULL) return error_set(c->error, ERR_NOMEM, "no memory for regular expressions");
    cache->general = pcre2_general_context_create(regex_alloc, regex_free, NULL);
    cache->match = cache->general != NULL ? pcre2_match_context_create(cache->general) : NULL;
    cache->data = cache->match != NULL ? pcre2_match_data_create(1, cache->general) : NULL;
    if (cache->data == NULL) {
      regex_cache_free(cache);
      return error_set(c->error, ERR_NOMEM, "no memory for regular expressions");
    }
    pcre2_set_match_limit(cache->match, REGEX_MATCH_LIMIT);
    pcre2_set_heap_limit(cache->match, REGEX_HEAP_LIMIT_KIB);
    c->x->regexes = cache;
  }
  *ret = c->x->regexes;
  return ERR_OK;
}

static enum err compile(struct eval *c, struct regex_cache *cache, struct str pattern, pcre2_code **ret) {
  int code;
  size_t at;
  pcre2_compile_context *context = pcre2_compile_context_create(cache->general);
  if (context == NULL) return error_set(c->error, ERR_NOMEM, "no memory for a regular expression");
  pcre2_code *compiled = pcre2_compile((PCRE2_SPTR) pattern.ptr, pattern.len,
                                       PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NO_UTF_CHECK, &code, &at, context);
  pcre2_compile_context_free(context);
  if (compiled == NULL) {
    if (code == PCRE2_ERROR_NOMEMORY || code == 121) return error_set(c->error, ERR_NOMEM, "no memory for a regular expression");
    char text[120];
    pcre2_get_error_message(code, (PCRE2_UCHAR *) text, sizeof text);
    return error_set(c->error, ERR_SYNTAX, "Invalid Regex: %s near index %zu in '%.*s'", text, at, STR_ARG(pattern));
  }
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); // without it the interpreter matches
  *ret = compiled;
  return ERR_OK;
}

static enum err code_of(struct eval *c, struct regex_cache *cache, struct str pattern, pcre2_code **ret) {
  for (uint32_t i = 0; i < cache->n; i++) {
    if (!str_eq(pattern, (struct str){cache->items[i].pattern, cache->items[i].pattern_len})) continue;
    *ret = cache->items[i].code;
    return ERR_OK;
  }
  struct regex made = {.pattern = mem_alloc(pattern.len + 1), .pattern_len = pattern.len};
  if (made.pattern == NULL) return error_set(c->error, ERR_NOMEM, "no memory for a regular expression");
  memcpy(made.pattern, pattern.ptr, pattern.len);
  enum err err = compile(c, cache, pattern, &made.code);
  if (err != ERR_OK) {
    mem_free(made.pattern);
    return err;
  }
  uint32_t at = cache->n < REGEX_CACHE_SIZE ? cache->n++ : cache->next++ % REGEX_CACHE_SIZE;
  if (cache->items[at].code != NULL) regex_drop(&cache->items[at]);
  cache->items[at] = made;
  *ret = made.code;
  return ERR_OK;
}

static enum err match_one(struct eval *c, struct regex_cache *cache, struct str text, struct str pattern, bool *ret) {
  pcre2_code *code;
  TRY(code_of(c, cache, pattern, &code));
  int result = pcre2_match(code, (PCRE2_SPTR) text.ptr, text.len, 0, PCRE2_NO_UTF_CHECK, cache->data, cache->match);
  if (result < 0 && result != PCRE2_ERROR_NOMATCH)
    return error_set(c->error, ERR_ARGUMENT, "The regular expression '%.*s' needs too many steps or too much memory.", STR_ARG(pattern));
  *ret = result >= 0;
  return ERR_OK;
}

enum err eval_regex(struct eval *c, const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  struct regex_cache *cache;
  TRY(cache_of(c, &cache));
  TRY(vec_alloc(c->arena, VEC_BOOL, n, ret, c->error));
  for (uint32_t i = 0; i < n; i++) {
    if (i % EXEC_CANCEL_STEPS == EXEC_CANCEL_STEPS - 1) TRY(exec_check(c->x, c->error));
    struct value text = vec_get(l, i), pattern = vec_get(r, i);
    bool match = false;
    if (pattern.type != VALUE_STRING && pattern.type != VALUE_NULL) {
      struct str shown = value_describe(c->arena, pattern);
      return error_set(c->error, ERR_TYPE, "Type mismatch: expected String but was %.*s", STR_ARG(shown));
    }
    bool texts = text.type == VALUE_STRING && pattern.type == VALUE_STRING;
    if (texts) TRY(match_one(c, cache, v_text(text), v_text(pattern), &match));
    ret->b[i] = match;
    ret->nulls[i] = !texts;
    ret->has_nulls |= !texts;
  }
  return ERR_OK;
}
