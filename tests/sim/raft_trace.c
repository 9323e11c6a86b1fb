#include <inttypes.h>
#include <stdarg.h>

#include "raft_world.h"

// "[ 1200] 2: timeout, starts election for term 7"
void raft_trace(struct raft_world *w, uint64_t member, const char *fmt, ...) {
  fprintf(w->options.trace, "[%8.3f] ", (double) w->now_us / 1000);
  if (member != 0)
    fprintf(w->options.trace, "%" PRIu64 ": ", member);
  else
    fputs("-: ", w->options.trace);
  va_list args;
  va_start(args, fmt);
  vfprintf(w->options.trace, fmt, args);
  va_end(args);
  fputc('\n', w->options.trace);
}

static int describe(const struct message *m, char *to, size_t bytes) {
  const struct consensus_message *b = &m->body;
  switch (b->type) {
  case CONSENSUS_APPEND:
    if (b->append.count == 0)
      return snprintf(to, bytes, "heartbeat after %" PRIu64 "^%" PRIu64 ", commit %" PRIu64, b->append.previous_index,
                      b->append.previous_term, b->append.commit_index);
    return snprintf(to, bytes, "append %" PRIu64 "..%" PRIu64 " after term %" PRIu64 ", commit %" PRIu64,
                    b->append.previous_index + 1, b->append.previous_index + b->append.count, b->append.previous_term,
                    b->append.commit_index);
  case CONSENSUS_APPEND_RESULT:
    if (b->append_result.rejected != 0)
      return snprintf(to, bytes, "rejects %" PRIu64 ", try after %" PRIu64, b->append_result.rejected,
                      b->append_result.last_index);
    return snprintf(to, bytes, "has %" PRIu64, b->append_result.last_index);
  case CONSENSUS_VOTE:
    return snprintf(to, bytes, "asks for %svote%s, log ends at %" PRIu64 "^%" PRIu64, b->vote.pre_vote ? "pre-" : "",
                    b->vote.disrupt_leader ? " (transfer)" : "", b->vote.last_index, b->vote.last_term);
  case CONSENSUS_VOTE_RESULT:
    return snprintf(to, bytes, "%s the %svote", b->vote_result.granted ? "gives" : "denies",
                    b->vote_result.pre_vote ? "pre-" : "");
  case CONSENSUS_INSTALL: return snprintf(to, bytes, "install %" PRIu64 "^%" PRIu64, b->install.last_index, b->install.last_term);
  case CONSENSUS_TIMEOUT_NOW: return snprintf(to, bytes, "take over now");
  case CONSENSUS_READ_PROBE: return snprintf(to, bytes, "still leader? (%" PRIu64 ")", b->read_probe.nonce);
  case CONSENSUS_READ_PROBE_RESULT:
    return snprintf(to, bytes, "%s (%" PRIu64 ")", b->read_probe_result.confirmed ? "still leader" : "not leader",
                    b->read_probe_result.nonce);
  case CONSENSUS_ACKNOWLEDGED:
    return snprintf(to, bytes, "you have acknowledged %" PRIu64 "^%" PRIu64, b->acknowledged.last_index, b->acknowledged.last_term);
  default: return snprintf(to, bytes, "?");
  }
}

void raft_trace_message(struct raft_world *w, const char *what, const struct message *m) {
  char text[200];
  if (w->options.trace == NULL) return;
  describe(m, text, sizeof text);
  bool sent = what[0] == '-';
  raft_trace(w, sent ? m->from : m->to, "%s %" PRIu64 ": term %" PRIu64 ", %s", what, sent ? m->to : m->from, m->body.term, text);
}
