// In the place of member.c in a build without clusters.
#include "server/member.h"

bool member_is_wanted(const struct config *c) {
  return str_eqz(config_values(c)->mode, "CORE");
}

enum err member_open(const struct config *config UNUSED, struct disk *disk UNUSED, struct event_sink *events UNUSED,
                     struct member **ret UNUSED, struct error *e) {
  return error_set(e, ERR_UNSUPPORTED,
                   "This build of Quiver is without clusters: build it with -Dconsensus=enabled, or set dbms.mode=SINGLE.");
}

// member_open never succeeds, so nobody has what these want.

enum err member_form(struct member *m UNUSED, const struct dbms_cluster_options **ret UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

bool member_wants_restart(const struct member *m UNUSED) {
  return false;
}

void member_announce(struct member *m UNUSED, struct dbms *d UNUSED) {
}

void member_hush(struct member *m UNUSED) {
}

void member_close(struct member *m UNUSED) {
}

void member_leave(struct member *m UNUSED, struct dbms *d UNUSED) {
}

void member_hurry(struct member *m UNUSED) {
}

bool member_is_to_end(const struct member *m UNUSED) {
  return false;
}
