// A log on the disk that loses power, for the tests of the log alone; test_place.h has a whole store.
#pragma once

#include "base/test.h"
#include "store/log.h"
#include "store/sim_disk.h"

struct place {
  struct sim_disk *disk;
  struct clock_manual clock;
  struct log_options options;
  struct event_sink *events; // from the next opening on
  struct log *log;           // NULL: closed
};

static const uint8_t place_uuid[16] = "a test database";

/// The disk only; place_open makes the log.
static inline void place_init(struct place *p, struct log_options options) {
  *p = (struct place){.disk = sim_disk_new(1), .options = options};
  clock_manual_init(&p->clock, 1000);
}

static inline enum err place_open(struct place *p, bool create, struct error *e) {
  return log_open(sim_disk_table(p->disk), "db", place_uuid, create, &p->options, &p->clock.clock, p->events, &p->log, e);
}

/// Disk and log.
static inline void place_make(struct place *p, struct log_options options) {
  place_init(p, options);
  assert_ok(place_open(p, true, NULL));
}

static inline void place_close(struct place *p) {
  log_close(p->log);
  p->log = NULL;
}

static inline void place_done(struct place *p) {
  place_close(p);
  sim_disk_free(p->disk);
}

/// Leaves the log closed and the power on.
static inline void place_power_cut(struct place *p) {
  sim_disk_cut(p->disk);
  place_close(p);
  sim_disk_power_on(p->disk);
}

static inline enum err place_cut_and_open(struct place *p, struct error *e) {
  place_power_cut(p);
  return place_open(p, false, e);
}
