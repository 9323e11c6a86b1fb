// Cuts text into statements at `;`, where that stands outside of quotes, backticks and comments, and into shell commands: lines that begin
// with `:` where no statement has begun. Pure.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum splitter_place { PLACE_CODE, PLACE_SINGLE, PLACE_DOUBLE, PLACE_BACKTICK, PLACE_LINE_COMMENT, PLACE_BLOCK_COMMENT };

struct splitter {
  struct buf text; // what has been added and not been taken
  size_t at;       // looked at so far
  enum splitter_place place;
};

void splitter_done(struct splitter *s);

/// Adds a line with its line break.
enum err splitter_add(struct splitter *s, struct str line) NODISCARD;

/// The next whole statement without its `;`, or a command; moved into `ret`. False: more text is needed.
bool splitter_take(struct splitter *s, struct buf *ret);

/// What is left at the end of the input: a statement whose `;` was left out, or nothing but blanks and comments (false).
bool splitter_take_rest(struct splitter *s, struct buf *ret);

/// Nothing of a statement has been added yet: the prompt for a new one is due.
bool splitter_is_empty(const struct splitter *s);
