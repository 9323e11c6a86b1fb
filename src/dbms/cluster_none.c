// In the place of the files of cluster.h in a build without the consensus engine: a standalone server.
#include "dbms/cluster.h"

#include "base/compiler.h"
#include "dbms/gateway_doors.h"
#include "dbms/relay_int.h"
#include "dbms/scale_down.h"

enum err cluster_open(struct dbms *d UNUSED, const struct dbms_cluster_options *options UNUSED, struct cluster **ret UNUSED,
                      struct error *e) {
  return error_set(e, ERR_UNSUPPORTED,
                   "This build of Quiver is without clusters: build it with -Dconsensus=enabled, or set dbms.mode=SINGLE.");
}

// cluster_open never succeeds, so nobody has what these want.

void cluster_close(struct cluster *c UNUSED) {
}

void cluster_hand_over(struct cluster *c UNUSED, int64_t timeout_ms UNUSED) {
}

void cluster_database_uuid(const struct cluster *c UNUSED, struct str name UNUSED, uint8_t ret[16] UNUSED) {
}

enum err cluster_first_members(struct cluster *c UNUSED, struct arena *a UNUSED, struct str *ret UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

void cluster_forget_life(struct dbms *d UNUSED, struct uuid database UNUSED) {
}

bool cluster_knows_again(struct cluster *c UNUSED) {
  return false;
}

enum err cluster_settle(struct cluster *c UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

enum err cluster_join(struct cluster *c UNUSED, struct database *db UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

void cluster_leave(struct database *db UNUSED) {
}

enum err cluster_begin(struct cluster *c UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

bool cluster_exchange(struct database *db UNUSED) {
  return true;
}

bool cluster_forget_copy(struct database *db UNUSED) {
  return true;
}

void cluster_stop_copies(struct cluster *c UNUSED) {
}

void cluster_rest_noter(struct cluster *c UNUSED) {
}

void cluster_judge_levels(struct cluster *c UNUSED) {
}

void cluster_tell_others(struct cluster *c UNUSED) {
}

void cluster_published(struct cluster_group *g UNUSED) {
}

void cluster_touch(struct cluster_group *g UNUSED) {
}

bool cluster_checkpointed(struct cluster_group *g UNUSED, uint64_t index UNUSED) {
  return false;
}

void cluster_status(struct cluster_group *g UNUSED, struct cluster_status *ret) {
  *ret = (struct cluster_status){.role = CLUSTER_FAILED};
}

void cluster_figures(struct cluster_group *g UNUSED, struct cluster_figures *ret) {
  *ret = (struct cluster_figures){0};
}

void cluster_server_figures(struct cluster *c UNUSED, struct cluster_server_figures *ret) {
  *ret = (struct cluster_server_figures){0};
}

enum err cluster_view(const struct cluster *c UNUSED, struct arena *a UNUSED, struct directory_copy *ret UNUSED,
                      struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

bool cluster_read(struct cluster_group *g UNUSED, struct cluster_read *r UNUSED) {
  return false;
}

void cluster_read_cancel(struct cluster *c UNUSED, struct cluster_read *r UNUSED) {
}

bool cluster_is_behind(struct cluster_group *g UNUSED, uint64_t index UNUSED) {
  return false;
}

bool cluster_has_lost(struct cluster *c UNUSED, uint64_t server UNUSED) {
  return false;
}

void cluster_members(struct cluster_group *g UNUSED, struct cluster_members *ret) {
  *ret = (struct cluster_members){0};
}

enum err gateway_meet(struct relay *r UNUSED, struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

enum err gateway_http_doors(struct dbms *d UNUSED, struct arena *a UNUSED, const struct str **ret UNUSED, uint32_t *ret_n UNUSED,
                            struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}

void scale_down_init(struct dbms *d UNUSED) {
}

void scale_down_rest(struct dbms *d UNUSED) {
}

void scale_down_done(struct dbms *d UNUSED) {
}
