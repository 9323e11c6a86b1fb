// The state of the replicated register: texts by key, and up to which entry of the log they are carried out. Also as one piece of
// bytes, which is what lies in the file `state` and what a member that is too far behind gets as its copy.
#pragma once

#include "base/buf.h"
#include "cluster/group.h"
#include "os/disk.h"

enum { REGISTER_KEYS = 65536, REGISTER_VALUE_BYTES_MAX = 4096 };

struct register_state {
  struct group_applied applied;
  struct buf values[REGISTER_KEYS];
};

struct register_state *register_state_new(void);
void register_state_free(struct register_state *s);

/// The payload of an entry that sets a key.
size_t register_put_command(uint8_t *to, uint32_t key, struct str value);
/// Carries an entry out; other kinds than transactions only move `applied`.
enum err register_apply(struct register_state *s, const struct log_entry *entry, struct error *e) NODISCARD;

enum err register_encode(const struct register_state *s, struct buf *to) NODISCARD;
/// Replaces the whole state. ERR_CORRUPT leaves it as it was.
enum err register_decode(struct register_state *s, const void *bytes, size_t len, struct error *e) NODISCARD;

/// Bytes of register_encode into `directory`/state, durable when it returns; a crash leaves the old one or the new one.
enum err register_save(const char *directory, const struct buf *bytes, struct error *e) NODISCARD;
/// An empty state if there is no file.
enum err register_load(struct register_state *s, const char *directory, struct error *e) NODISCARD;
