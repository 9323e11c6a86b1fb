// Raft's own rules are kept inside the engine, where they cannot be switched off. Where messages and reports pass, what a core
// would do without one of them is imitated: for tests that must catch it. Compiled with QUIVER_MUTANTS alone; else nothing.
#pragma once

#include "consensus/consensus_int.h"

#ifdef QUIVER_MUTANTS
void mutate_incoming(const struct consensus *c, struct consensus_message *m);
void mutate_outgoing(const struct consensus *c, struct consensus_message *m);
void mutate_commit(struct consensus *c, const struct consensus_message *received);
/// After a write was handed out.
enum err mutate_written(struct consensus *c, struct error *e) NODISCARD;
#else
static inline void mutate_incoming(const struct consensus *c UNUSED, struct consensus_message *m UNUSED) {
}
static inline void mutate_outgoing(const struct consensus *c UNUSED, struct consensus_message *m UNUSED) {
}
static inline void mutate_commit(struct consensus *c UNUSED, const struct consensus_message *received UNUSED) {
}
static inline enum err mutate_written(struct consensus *c UNUSED, struct error *e UNUSED) {
  return ERR_OK;
}
#endif
