// Reading files of which only a path below one folder is known, as a user of the database gives it (LOAD CSV). No part of the
// path may be a symbolic link, "." or "..", and what is opened is a regular file: nothing outside of the folder can be reached,
// whatever stands in it. The folder itself may be a link; the operator has named it. Any thread; one reader at a time for each
// file.
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct rooted_file;

/// ERR_NOTFOUND (it or a folder on the way is not there), ERR_INVALID (not a path as above, or not a regular file), ERR_IO,
/// ERR_NOMEM. `path` may begin with slashes. The message says what is wrong, not where the folder is.
enum err rooted_file_open(struct str folder, struct str path, struct rooted_file **ret, struct error *e) NODISCARD;
/// Up to `cap` bytes, 0 at the end. Blocks.
enum err rooted_file_read(struct rooted_file *f, void *ret, size_t cap, size_t *ret_bytes, struct error *e) NODISCARD;
/// NULL is fine.
void rooted_file_close(struct rooted_file *f);
