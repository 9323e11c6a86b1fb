// In the place of offline.c in a build without clusters.
#include "dbms/offline.h"
#include "dbms/seed.h"

enum err offline_open(const struct config_values *config UNUSED, struct disk *disk UNUSED, struct event_sink *events UNUSED,
                      struct offline **ret UNUSED, struct error *e) {
  return error_set(e, ERR_UNSUPPORTED, "This build of Quiver is without clusters: build it with -Dconsensus=enabled.");
}

// offline_open never succeeds, so nobody has what these want.

void offline_close(struct offline *o UNUSED) {
}

enum err offline_look(struct offline *o UNUSED, struct arena *a UNUSED, struct offline_report *ret UNUSED,
                      struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

enum err offline_unbind(struct offline *o UNUSED, bool keep_tail UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

enum err seed_look(const struct config_values *config UNUSED, struct disk *disk UNUSED, struct announced_database *ret UNUSED,
                   bool *ret_any UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

enum err seed_begin(const struct config_values *config UNUSED, struct disk *disk UNUSED, struct event_sink *events UNUSED,
                    const struct dbms_cluster_options *cluster UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}
