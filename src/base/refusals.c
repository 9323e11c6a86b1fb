#include "base/refusals.h"

#include <stdio.h>
#include <string.h>

#include "base/checksum.h"

enum { SAME_AGAIN_MS = 60000, ROOM_AGAIN_MS = 10000 };

/// Of host and text: the port is another one each time.
static uint64_t reason_of(const char *remote, const char *why) {
  const char *colon = strrchr(remote, ':');
  size_t host = colon != NULL ? (size_t) (colon - remote) : strlen(remote);
  uint64_t reason = hash64(why, strlen(why), hash64(remote, host, 0));
  return reason != 0 ? reason : 1;
}

/// That of the reason, or a free one, or that of the one which was told longest ago.
static size_t place_for(const struct refusals *r, uint64_t reason) {
  size_t place = 0;
  for (size_t i = 0; i < REFUSALS_KEPT; i++) {
    if (r->kept[i].reason == reason) return i;
    bool taken = r->kept[place].reason != 0;
    if (taken && (r->kept[i].reason == 0 || r->kept[i].told_ms < r->kept[place].told_ms)) place = i;
  }
  return place;
}

static void print_counts(char *ret, size_t size, uint32_t since, uint64_t untold) {
  int len = 0;
  ret[0] = '\0';
  if (since > 0) len = snprintf(ret, size, " (%u times more since this was told)", since);
  if (untold > 0 && len >= 0 && (size_t) len < size)
    snprintf(ret + len, size - (size_t) len, " (%llu other refusals were not told)", (unsigned long long) untold);
}

bool refusals_tell(struct refusals *r, int64_t now_ms, const char *remote, const char *why, char *ret, size_t size) {
  uint64_t reason = reason_of(remote, why);
  size_t place = place_for(r, reason);
  bool same = r->kept[place].reason == reason;
  bool free = r->kept[place].reason == 0;
  int64_t pause_ms = now_ms - r->kept[place].told_ms;
  if (!free && pause_ms < (same ? SAME_AGAIN_MS : ROOM_AGAIN_MS)) {
    if (same)
      r->kept[place].since++;
    else
      r->untold++;
    return false;
  }
  uint32_t since = r->kept[place].since;
  print_counts(ret, size, same ? since : 0, same ? r->untold : r->untold + since); // those of a reason that is forgotten, too
  r->kept[place].reason = reason;
  r->kept[place].told_ms = now_ms;
  r->kept[place].since = 0;
  r->untold = 0;
  return true;
}

void refusals_raise(struct refusals *r, struct event_sink *events, const char *name, int64_t now_ms, const char *what, const char *remote,
                    const char *why) {
  char counts[120], reason[700];
  snprintf(reason, sizeof reason, "%s: %s", what, why);
  if (refusals_tell(r, now_ms, remote, reason, counts, sizeof counts))
    event_raise(events, EVENT_WARN, name, "refused %s from %s: %s%s", what, remote, why, counts);
}
