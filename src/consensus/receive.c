// Messages from the network: what makes no sense is dropped here, the rest goes to the engine in the pieces that it gets right.
// Peers are members of the same cluster and authenticated, yet a delayed, repeated or confused message must never do harm.
#include "consensus/mutate.h"

/// An entry's index and term: both or neither, and of no later term than who speaks of it.
static bool place_ok(uint64_t index, uint64_t term, uint64_t sender_term) {
  return index <= CONSENSUS_INDEX_MAX && term <= sender_term && (index == 0) == (term == 0);
}

/// Entries follow their predecessor and each other, in index and term (log matching, 3.5), and none is of a later term than the
/// leader's own.
static bool entries_ok(const struct consensus_message *m) {
  uint64_t term = m->append.previous_term;
  for (uint32_t i = 0; i < m->append.count; i++) {
    const struct consensus_entry *entry = &m->append.entries[i];
    if (entry->index != m->append.previous_index + 1 + i || entry->term < term || entry->term == 0 || entry->term > m->term) {
      return false;
    }
    if (entry->kind < CONSENSUS_NOOP || entry->kind > CONSENSUS_MEMBERSHIP) return false;
    if ((entry->kind == CONSENSUS_MEMBERSHIP) != (entry->membership != NULL)) return false;
    if (entry->membership != NULL &&
        (entry->membership->index != entry->index || membership_check(entry->membership, NULL) != ERR_OK)) {
      return false;
    }
    term = entry->term;
  }
  return true;
}

/// Figure 3.1, AppendEntries.
static bool append_ok(const struct consensus_message *m) {
  if (!place_ok(m->append.previous_index, m->append.previous_term, m->term)) return false;
  if (m->append.count > APPEND_ENTRIES_MAX || (m->append.count > 0 && m->append.entries == NULL)) return false;
  return entries_ok(m);
}

/// Figure 5.3. A snapshot has the membership that is in force at its end.
static bool install_ok(const struct consensus_message *m) {
  const struct consensus_membership *membership = m->install.membership;
  return m->install.last_index != 0 && place_ok(m->install.last_index, m->install.last_term, m->term) && membership != NULL &&
         membership->index != 0 && membership->index <= m->install.last_index && membership_check(membership, NULL) == ERR_OK;
}

/// The term may not be known any more.
static bool acknowledged_ok(const struct consensus_message *m) {
  return m->acknowledged.last_index != 0 && m->acknowledged.last_index <= CONSENSUS_INDEX_MAX && m->acknowledged.last_term <= m->term;
}

/// Whether a message can come from a member that works: by itself, whatever our state.
static bool message_ok(const struct consensus *c, const struct consensus_message *m) {
  if (m->peer == 0 || m->peer == c->member_id || m->term == 0 || m->term > CONSENSUS_INDEX_MAX) return false;
  switch (m->type) {
  case CONSENSUS_APPEND: return append_ok(m);
  case CONSENSUS_APPEND_RESULT: return MAX(m->append_result.rejected, m->append_result.last_index) <= CONSENSUS_INDEX_MAX;
  case CONSENSUS_VOTE: return place_ok(m->vote.last_index, m->vote.last_term, m->term);
  case CONSENSUS_INSTALL: return install_ok(m);
  case CONSENSUS_TIMEOUT_NOW: return place_ok(m->timeout_now.last_index, m->timeout_now.last_term, m->term);
  case CONSENSUS_ACKNOWLEDGED: return acknowledged_ok(m);
  case CONSENSUS_VOTE_RESULT:
  case CONSENSUS_READ_PROBE:
  case CONSENSUS_READ_PROBE_RESULT: return true;
  default: return false;
  }
}

// ---- to the engine ----

/// One message, or piece of one, through the engine.
static enum err feed(struct consensus *c, const struct consensus_message *received, struct error *e) {
  struct consensus_message m = *received;
  mutate_incoming(c, &m);
  struct engine_output out;
  TRY(engine_receive(c->engine, c->now_ms, &m, &out, e));
  return update_absorb(c, &out, &m, e);
}

/// G1 (D1): the engine answers a leader of an older term with a number that it never set, under the new term; if the addressee
/// has become leader of that term in the meantime, it takes the number for an acknowledgement. This answer acknowledges nothing,
/// and deposes who is still in the older term (3.3).
static enum err answer_older_leader(struct consensus *c, const struct consensus_message *m, struct error *e) {
  return update_send(
      c, &(struct consensus_message){.type = CONSENSUS_APPEND_RESULT, .peer = m->peer, .term = engine_term(c->engine)}, e);
}

/// A leader's message, of this term or a later one. False: from a second leader of a term that we lead, which there cannot be
/// (3.2).
static bool may_be_leader(const struct consensus *c, const struct consensus_message *m) {
  return m->term > engine_term(c->engine) || !is_leader(c);
}

// ---- append ----

/// Contradicts a committed entry: either side has lost what it had promised. Nothing of such a message is taken; the place is
/// shown in the status. The engine would stop (G12).
static bool conflict(struct consensus *c, uint64_t index) {
  c->conflict_index = index;
  return true;
}

/// Committed entries never change (leader completeness, 3.6.3).
static bool contradicts(struct consensus *c, uint64_t index, uint64_t term) {
  if (MUTANT(raft_conflict)) return false;
  uint64_t ours = index <= c->commit_index ? terms_at(&c->terms, index) : 0;
  return ours != 0 && ours != term && conflict(c, index);
}

/// Its anchor or one of its entries does.
static bool append_contradicts(struct consensus *c, const struct consensus_message *m) {
  if (contradicts(c, m->append.previous_index, m->append.previous_term)) return true;
  for (uint32_t i = 0; i < m->append.count && m->append.entries[i].index <= c->commit_index; i++) {
    if (contradicts(c, m->append.entries[i].index, m->append.entries[i].term)) return true;
  }
  return false;
}

/// Drops the first `count` entries of an append, which it has, and moves its anchor.
static void append_skip(struct consensus_message *m, uint32_t count, uint64_t previous_index, uint64_t previous_term) {
  m->append.previous_index = previous_index;
  m->append.previous_term = previous_term;
  m->append.entries = m->append.count > count ? m->append.entries + count : NULL;
  m->append.count -= count;
}

/// G5 (D5): the engine has forgotten the terms below its log but the snapshot's, and takes an append that is anchored there
/// either for a mismatch, though it has acknowledged it, or (anchor 0) writes it at the wrong index. All up to the snapshot is
/// committed and so in the leader's log (leader completeness, 3.6.3): the append is anchored at the snapshot.
static void anchor(const struct consensus *c, struct consensus_message *m) {
  uint64_t snapshot = c->terms.snapshot_index;
  if (m->append.previous_index >= c->terms.first_index || m->append.previous_index >= snapshot || MUTANT(raft_anchor)) return;
  uint64_t skip = MIN(snapshot - m->append.previous_index, m->append.count);
  append_skip(m, (uint32_t) skip, snapshot, c->terms.snapshot_term);
}

/// G2 (D3): the engine notes a membership entry under the index of the first new entry of its message. So it is always the first
/// of its piece: how many entries the next piece has.
static uint32_t piece_length(const struct consensus_message *rest) {
  uint32_t n = MIN(1u, rest->append.count);
  while (n < rest->append.count && (rest->append.entries[n].kind != CONSENSUS_MEMBERSHIP || MUTANT(raft_split_change))) n++;
  return n;
}

/// Whether the entry before those of a piece is here (log matching, 3.5).
static bool matches(const struct consensus *c, const struct consensus_message *piece) {
  return terms_at(&c->terms, piece->append.previous_index) == piece->append.previous_term;
}

/// What a membership says of the one before it holds only of a log that is the leader's up to there.
static enum err feed_piece(struct consensus *c, const struct consensus_message *piece, struct error *e) {
  bool change = piece->append.count > 0 && piece->append.entries[0].kind == CONSENSUS_MEMBERSHIP && !c->installing;
  if (change && (matches(c, piece) || MUTANT(raft_change_unmatched)) && !MUTANT(raft_split_change))
    TRY(committed_before(c, piece->append.entries[0].index, e));
  return feed(c, piece, e);
}

/// An append goes to the engine in pieces, as far as they match.
static enum err receive_append(struct consensus *c, const struct consensus_message *m, struct error *e) {
  if (append_contradicts(c, m)) return ERR_OK;
  struct consensus_message rest = *m;
  if (!c->installing) anchor(c, &rest);
  do {
    struct consensus_message piece = rest;
    piece.append.count = piece_length(&rest);
    TRY(feed_piece(c, &piece, e));
    if (piece.append.count == rest.append.count) break;
    const struct consensus_entry *last = &piece.append.entries[piece.append.count - 1];
    append_skip(&rest, piece.append.count, last->index, last->term);
  } while (matches(c, &rest)); // if not, the last piece was refused, and so would the rest be
  return ERR_OK;
}

// ---- the others ----

/// G7 (D6): a rejection that was overtaken by an acknowledgement would set the follower's next index at or below what it has; the
/// hint likewise.
static void correct_rejection(const struct consensus *c, struct consensus_message *m) {
  uint64_t match = engine_match_index(c->engine, m->peer);
  if (m->append_result.rejected == 0 || MUTANT(raft_stale_rejection)) return;
  if (m->append_result.rejected <= match) {
    m->append_result.rejected = 0;
    m->append_result.last_index = 0;
  } else {
    m->append_result.last_index = MAX(m->append_result.last_index, match);
  }
}

/// G20: whoever rejects something, and has acknowledged something to this leader, is reminded of that. Whether its rejection came
/// late, or its data went back, it can tell itself.
static enum err remind(struct consensus *c, const struct consensus_message *m, struct error *e) {
  uint64_t match = engine_match_index(c->engine, m->peer);
  if (m->append_result.rejected == 0 || match == 0) return ERR_OK;
  struct consensus_message reminder = {.type = CONSENSUS_ACKNOWLEDGED, .peer = m->peer, .term = engine_term(c->engine)};
  reminder.acknowledged.last_index = match;
  reminder.acknowledged.last_term = terms_at(&c->terms, match);
  return update_send(c, &reminder, e);
}

/// Figure 3.1: a leader moves match and next index by it.
static enum err receive_append_result(struct consensus *c, const struct consensus_message *m, struct error *e) {
  struct consensus_message corrected = *m;
  if (is_leader(c) && m->term == engine_term(c->engine)) {
    leader_hears(c, m->peer);
    // Nobody has entries of this leader's that it has not made.
    if (m->append_result.rejected == 0 && m->append_result.last_index > c->terms.last_index) return ERR_OK;
    TRY(remind(c, m, e));
    correct_rejection(c, &corrected);
  }
  return feed(c, &corrected, e);
}

/// Whether this member can tell what it has acknowledged to that leader: it is in the leader's term, in which nobody but that
/// leader cuts its log, and nothing in it, and no copy where it begins, is of a later one.
static bool knows_of_term(const struct consensus *c, const struct consensus_message *m) {
  if (c->installing || engine_leader(c->engine) != m->peer) return false;
  return (m->term == engine_term(c->engine) || MUTANT(raft_lost_term)) &&
         (terms_last(&c->terms) <= m->term || MUTANT(raft_lost_later));
}

/// The log has that entry, or begins behind it.
static bool has_kept(const struct consensus *c, uint64_t index, uint64_t term) {
  uint64_t ours = terms_at(&c->terms, index);
  return index <= c->terms.last_index && (ours == 0 || term == 0 || ours == term);
}

/// G20: a leader goes on from what a member has acknowledged to it, and takes what that one rejects below for late (G7). A member
/// whose data were put back from an older copy would get nothing from it, and vote by what it has. What was acknowledged in a
/// term is durable before, and in that term nobody cuts it: whoever lacks it, has other data than those that acknowledged it.
/// Nothing here rests on the order of messages.
static enum err receive_acknowledged(struct consensus *c, const struct consensus_message *m, struct error *e) {
  uint64_t index = m->acknowledged.last_index;
  if (!knows_of_term(c, m) || has_kept(c, index, m->acknowledged.last_term) || MUTANT(raft_lost)) return ERR_OK;
  c->lost_index = index;
  return error_set(
      e, ERR_CORRUPT,
      "member %llu has acknowledged entry %llu to the leader of term %llu, and its log, which ends at %llu, does not have it: "
      "these data are older",
      (unsigned long long) c->member_id, (unsigned long long) index, (unsigned long long) m->term,
      (unsigned long long) c->terms.last_index);
}

/// The engine looks at its candidate's state whatever its state is, and takes a granted pre-vote of any later term for
/// impossible.
static enum err receive_vote_result(struct consensus *c, const struct consensus_message *m, struct error *e) {
  if (engine_state(c->engine) != CONSENSUS_CANDIDATE) return ERR_OK;
  bool pre_vote = engine_in_pre_vote(c->engine);
  if (pre_vote && m->vote_result.granted && m->term > engine_term(c->engine) + 1) return ERR_OK;
  TRY(feed(c, m, e));
  campaign_answered(c, m, pre_vote);
  return ERR_OK;
}

/// The engine answered the last message by giving its vote.
static bool vote_given(const struct consensus *c) {
  if (c->message_count == 0) return false;
  const struct consensus_message *last = &c->messages[c->message_count - 1];
  return last->type == CONSENSUS_VOTE_RESULT && last->vote_result.granted;
}

/// The engine denies votes as long as it has a leader (4.2.3), also one that is gone (G14, G15).
static enum err receive_vote(struct consensus *c, const struct consensus_message *m, struct error *e) {
  struct consensus_message corrected = *m;
  if (campaign_leader_gone(c)) corrected.vote.disrupt_leader = true;
  TRY(feed(c, &corrected, e));
  if (vote_given(c))
    campaign_vote_given(c);
  else
    campaign_vote_refused(c, m);
  return ERR_OK;
}

/// The log has that entry, or has forgotten it.
static bool has(const struct consensus *c, uint64_t index, uint64_t term) {
  return index <= c->terms.snapshot_index || terms_at(&c->terms, index) == term;
}

/// G18: the engine lets go of its log as soon as it hears of an install, and gives no votes until the copy is there. If its
/// leader is gone by then, and nobody else can give the copy before there is a leader again, that is never. So an install waits
/// for the copy, and the log, which is whole until then, goes on counting: until then the message is a sign of life.
static enum err wait_for_copy(struct consensus *c, const struct consensus_message *m, struct error *e) {
  c->update.copy_index = m->install.last_index;
  c->update.copy_term = m->install.last_term;
  if (MUTANT(raft_install_uncopied)) return feed(c, m, e);
  return receive_append(c, &(struct consensus_message){.type = CONSENSUS_APPEND, .peer = m->peer, .term = m->term}, e);
}

/// A log that has the copy's last entry gains nothing from being begun there: what follows was forgotten behind its end. The
/// engine would go on answering each install with that entry, the leader with the next install, and nobody would ask for a copy
/// that is newer.
static bool log_has_copy(const struct consensus *c, const struct consensus_message *m) {
  return has(c, m->install.copied_index, m->install.copied_term) && !MUTANT(raft_install_again);
}

/// A copy takes its time, and the leader may have forgotten more since, but not at once what follows (G5): the log can begin
/// where the copy ends, if the same membership is in force there. Otherwise each copy would be too old by the time that it has
/// come.
static void begin_at_copy(const struct consensus *c, struct consensus_message *m) {
  uint64_t index = m->install.copied_index;
  bool overtaken = index > c->commit_index && index < m->install.last_index && !log_has_copy(c, m);
  if (!overtaken || m->install.membership->index > index || MUTANT(raft_install_overtaken)) return;
  m->install.last_index = index;
  m->install.last_term = m->install.copied_term;
}

/// One install at a time: the engine keeps a second one's membership for ever. A snapshot that ends in what we have committed,
/// but with another entry, contradicts it.
static enum err receive_install(struct consensus *c, const struct consensus_message *m, struct error *e) {
  struct consensus_message at = *m;
  if (c->installing || contradicts(c, m->install.last_index, m->install.last_term)) return ERR_OK;
  begin_at_copy(c, &at);
  bool ready = m->install.copied_index >= at.install.last_index || has(c, at.install.last_index, at.install.last_term);
  return ready ? feed(c, &at, e) : wait_for_copy(c, m, e);
}

/// A sole voter leads without an election; it must not do so in a term it has led before (G4).
static enum err receive_timeout_now(struct consensus *c, const struct consensus_message *m, struct error *e) {
  return is_sole_voter(c) && !MUTANT(raft_sole_voter_term) ? ERR_OK : feed(c, m, e);
}

/// What only a leader sends is taken from the leader of this term or a later one.
static enum err receive_from_leader(struct consensus *c, const struct consensus_message *m, struct error *e) {
  if (m->term < engine_term(c->engine) && !MUTANT(raft_stale_append)) return answer_older_leader(c, m, e);
  if (!may_be_leader(c, m)) return ERR_OK;
  campaign_leader_heard(c, m->peer);
  return m->type == CONSENSUS_APPEND ? receive_append(c, m, e) : receive_install(c, m, e);
}

static enum err receive(struct consensus *c, const struct consensus_message *m, struct error *e) {
  if (!message_ok(c, m)) return ERR_OK;
  switch (m->type) {
  case CONSENSUS_APPEND:
  case CONSENSUS_INSTALL: return receive_from_leader(c, m, e);
  case CONSENSUS_APPEND_RESULT: return receive_append_result(c, m, e);
  case CONSENSUS_VOTE: return receive_vote(c, m, e);
  case CONSENSUS_VOTE_RESULT: return receive_vote_result(c, m, e);
  case CONSENSUS_TIMEOUT_NOW: return receive_timeout_now(c, m, e);
  case CONSENSUS_ACKNOWLEDGED: return receive_acknowledged(c, m, e);
  case CONSENSUS_READ_PROBE: return reads_receive_probe(c, m, e);
  case CONSENSUS_READ_PROBE_RESULT: return reads_receive_result(c, m, e);
  default: return feed(c, m, e);
  }
}

enum err consensus_receive(struct consensus *c, uint64_t now_ms, const struct consensus_message *m, struct error *e) {
  TRY(usable(c, e));
  update_begin(c, now_ms);
  return update_finish(c, receive(c, m, &c->failure), e);
}
