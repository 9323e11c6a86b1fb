#include "metrics/metrics.h"

/// Each `*` goes back to the last one alone, so that no pattern takes more than its length times the name's.
static bool glob_takes(struct str glob, struct str name) {
  size_t g = 0, n = 0, star = SIZE_MAX, from = 0;
  while (n < name.len) {
    if (g < glob.len && glob.ptr[g] == '*') {
      star = g++;
      from = n;
    } else if (g < glob.len && (glob.ptr[g] == '?' || glob.ptr[g] == name.ptr[n])) {
      g++;
      n++;
    } else if (star != SIZE_MAX) {
      g = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (g < glob.len && glob.ptr[g] == '*') g++;
  return g == glob.len;
}

bool metrics_filter_takes(struct str filter, struct str name) {
  while (filter.len > 0) {
    struct str glob = str_trim(str_cut(&filter, ','));
    if (glob.len > 0 && glob_takes(glob, name)) return true;
  }
  return false;
}
