#include "cli/splitter.h"

void splitter_done(struct splitter *s) {
  buf_done(&s->text);
}

enum err splitter_add(struct splitter *s, struct str line) {
  TRY(buf_append_str(&s->text, line));
  return buf_append_byte(&s->text, '\n');
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Offset of the first byte that is neither blank nor within a comment.
static size_t skip_empty(struct str s) {
  size_t i = 0;
  while (i < s.len) {
    if (is_blank(s.ptr[i])) {
      i++;
    } else if (i + 1 < s.len && s.ptr[i] == '/' && s.ptr[i + 1] == '/') {
      while (i < s.len && s.ptr[i] != '\n') i++;
    } else if (i + 1 < s.len && s.ptr[i] == '/' && s.ptr[i + 1] == '*') {
      int64_t end = str_find((struct str){s.ptr + i + 2, s.len - i - 2}, STR("*/"));
      if (end < 0) return s.len;
      i += (size_t) end + 4;
    } else {
      return i;
    }
  }
  return i;
}

bool splitter_is_empty(const struct splitter *s) {
  return s->place == PLACE_CODE && skip_empty(buf_str(&s->text)) == s->text.len;
}

/// Where a byte in code leads to; `*ret_skip` bytes of it belong together.
static enum splitter_place enter(char c, char next, size_t *ret_skip) {
  *ret_skip = 1;
  if (c == '\'') return PLACE_SINGLE;
  if (c == '"') return PLACE_DOUBLE;
  if (c == '`') return PLACE_BACKTICK;
  if (c != '/' || (next != '/' && next != '*')) return PLACE_CODE;
  *ret_skip = 2;
  return next == '/' ? PLACE_LINE_COMMENT : PLACE_BLOCK_COMMENT;
}

/// Whether a byte ends the place.
static enum splitter_place leave(enum splitter_place place, char c, char next, size_t *ret_skip) {
  bool quoted = place == PLACE_SINGLE || place == PLACE_DOUBLE;
  *ret_skip = quoted && c == '\\' ? 2 : 1;
  switch (place) {
    case PLACE_SINGLE: return c == '\'' ? PLACE_CODE : place;
    case PLACE_DOUBLE: return c == '"' ? PLACE_CODE : place;
    case PLACE_BACKTICK: return c == '`' ? PLACE_CODE : place;
    case PLACE_LINE_COMMENT: return c == '\n' ? PLACE_CODE : place;
    case PLACE_BLOCK_COMMENT:
      if (c != '*' || next != '/') return place;
      *ret_skip = 2;
      return PLACE_CODE;
    case PLACE_CODE: break;
  }
  return place;
}

/// Moves the first `len` bytes into `ret` and drops them and `more` further ones.
static bool give(struct splitter *s, size_t len, size_t more, struct buf *ret) {
  buf_clear(ret);
  if (buf_append(ret, s->text.data, len) != ERR_OK) return false;
  buf_consume(&s->text, len + more);
  s->at = 0;
  s->place = PLACE_CODE;
  return true;
}

static bool take_command(struct splitter *s, struct buf *ret) {
  if (s->at > 0) return false;
  size_t begin = skip_empty(buf_str(&s->text));
  if (begin == s->text.len || s->text.data[begin] != ':') return false;
  struct str rest = {s->text.data + begin, s->text.len - begin};
  int64_t end = str_find(rest, STR("\n"));
  if (end < 0) return false;
  buf_consume(&s->text, begin);
  return give(s, (size_t) end, 1, ret);
}

bool splitter_take(struct splitter *s, struct buf *ret) {
  if (take_command(s, ret)) return true;
  while (s->at < s->text.len) {
    char c = s->text.data[s->at], next = s->at + 1 < s->text.len ? s->text.data[s->at + 1] : '\0';
    if (s->place == PLACE_CODE && c == ';') {
      bool empty = skip_empty((struct str){s->text.data, s->at}) == s->at;
      if (!give(s, s->at, 1, ret)) return false;
      if (!empty) return true;
      if (take_command(s, ret)) return true;
      continue;
    }
    size_t skip;
    s->place = s->place == PLACE_CODE ? enter(c, next, &skip) : leave(s->place, c, next, &skip);
    s->at = MIN(s->at + skip, s->text.len);
  }
  if (splitter_is_empty(s)) { // a command may follow
    buf_clear(&s->text);
    s->at = 0;
  }
  return false;
}

bool splitter_take_rest(struct splitter *s, struct buf *ret) {
  bool empty = skip_empty(buf_str(&s->text)) == s->text.len;
  return !empty && give(s, s->text.len, 0, ret);
}
