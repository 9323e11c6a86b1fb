// What the digests that members say of one range mean for one of them (graph/digest.h). Pure; what is done about it is
// cluster_digest.c's. Private to dbms.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// What a voter says, or a replica.
struct digest_said {
  uint64_t server;
  bool heard;      // of
  uint64_t index;  // as of which entry; 0: it says nothing, because it has digested nothing since it started
  uint64_t digest; // 0: it cannot read what it has
};

enum digest_verdict {
  DIGEST_OPEN,     // too few have said
  DIGEST_AGREES,   // most voters have the same
  DIGEST_DIFFERS,  // most voters have another one
  DIGEST_DISUNITE, // all have said, and no majority has the same: nobody knows whose is right
};

/// About whoever says `here`, a voter (and then one of `voters`) or not. OPEN where nobody votes. `*ret_majority` is what most
/// voters have: with AGREES and DIFFERS.
enum digest_verdict digest_judge(const struct digest_said *here, const struct digest_said *voters, uint32_t count,
                                 uint64_t *ret_majority);

/// Whether somebody is there who has digested nothing since it started: everything is to be compared again.
bool digest_is_new_to(const struct digest_said *voters, uint32_t count);

/// Whether all that are heard of, and can read what they have, have said that range or a later one: the next may be asked for.
bool digest_is_answered(uint64_t index, const struct digest_said *voters, uint32_t count);
