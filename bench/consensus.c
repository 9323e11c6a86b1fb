// What a committed entry costs in src/consensus alone: three members in one thread, a disk and a network that take no time.
// Prints entries a second for the leader's and both followers' work together, by the number of entries in one proposal.
//
//   consensus [ENTRIES]      (default 1,000,000 for each size)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consensus/consensus.h"

#define MEMBERS 3u
#define LOG_MAX (1u << 22)

static struct consensus *members[MEMBERS + 1];
static struct consensus_entry *entries; // the leader's log, from index 1; bodies are not looked at
static struct {
  uint64_t to;
  struct consensus_message m;
} messages[256];
static size_t message_count;
static uint64_t now_ms = 1000, applied[MEMBERS + 1];

static void check(enum err err) {
  if (err != ERR_OK) abort();
}

/// Messages go into the queue, writes are durable at once, and all that may be is applied.
static void carry_out(uint64_t id) {
  struct consensus *c = members[id];
  const struct consensus_update *u = consensus_update(c);
  uint64_t last = 0, apply = u->apply_index;
  for (size_t i = 0; i < u->write_count; i++) {
    last = u->writes[i].id;
    if (u->state == CONSENSUS_LEADER)
      memcpy(&entries[u->writes[i].first_index], u->writes[i].entries, u->writes[i].count * sizeof *entries);
  }
  for (size_t i = 0; i < u->message_count; i++) {
    messages[message_count].to = u->messages[i].peer;
    messages[message_count].m = u->messages[i];
    messages[message_count++].m.peer = id;
  }
  if (last != 0) {
    check(consensus_persisted(c, now_ms, last, NULL));
    carry_out(id);
  } else {
    if (apply > applied[id]) {
      applied[id] = apply;
      check(consensus_applied(c, now_ms, apply, NULL));
      carry_out(id);
    }
  }
}

static void deliver(void) {
  for (size_t at = 0; at < message_count; at++) {
    struct consensus_message m = messages[at].m;
    uint64_t to = messages[at].to;
    if (m.type == CONSENSUS_APPEND) m.append.entries = &entries[m.append.previous_index + 1];
    check(consensus_receive(members[to], now_ms, &m, NULL));
    carry_out(to);
  }
  message_count = 0;
}

static void start(void) {
  static struct consensus_membership m = {.index = 1, .count = MEMBERS};
  for (uint32_t i = 0; i < MEMBERS; i++) {
    m.members[i] = (struct consensus_member){.id = i + 1, .role = CONSENSUS_VOTER};
    snprintf(m.members[i].address, sizeof m.members[i].address, "%u", i);
  }
  struct consensus_term_run run = {1, 1};
  entries[1] = (struct consensus_entry){.index = 1, .term = 1, .kind = CONSENSUS_MEMBERSHIP, .membership = &m};
  for (uint64_t id = 1; id <= MEMBERS; id++) {
    struct consensus_persisted s = {.member_id = id,
                                    .term = 1,
                                    .first_index = 1,
                                    .last_index = 1,
                                    .runs = &run,
                                    .run_count = 1,
                                    .memberships = &m,
                                    .membership_count = 1,
                                    .applied_index = 1};
    applied[id] = 1;
    check(consensus_start(&s, NULL, now_ms, id, &members[id], NULL));
  }
  now_ms += 2000;
  check(consensus_tick(members[1], now_ms, NULL));
  carry_out(1);
  deliver();
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  size_t wanted = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
  for (size_t batch = 1; batch <= 256; batch *= 16) {
    entries = calloc(LOG_MAX, sizeof *entries);
    if (entries == NULL || wanted + 10 > LOG_MAX) abort();
    start();
    struct consensus_entry proposed[256] = {0};
    double begin = seconds();
    for (size_t done = 0; done < wanted; done += batch) {
      for (size_t i = 0; i < batch; i++) proposed[i] = (struct consensus_entry){.kind = CONSENSUS_DATA};
      check(consensus_propose(members[1], now_ms, 2, proposed, batch, NULL));
      carry_out(1);
      deliver();
    }
    printf("%3zu a proposal: %.2f million entries a second\n", batch, (double) wanted / (seconds() - begin) / 1e6);
    for (uint64_t id = 1; id <= MEMBERS; id++) consensus_free(members[id]);
    free(entries);
  }
  return 0;
}
