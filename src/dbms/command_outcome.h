// What has come of CREATE, DROP, START or STOP DATABASE on each server of the cluster: as this one finds it, and as the others
// say. Private to dbms.
#pragma once

#include "cluster/announcement.h"
#include "dbms/catalogue.h"

/// What a command wants to come to be, everywhere.
struct command_aim {
  struct uuid system, database; // database none: nothing was to be done
  enum catalogue_request wanted;
  uint64_t at; // transaction of `system`
};

enum command_state { COMMAND_INCOMPLETE, COMMAND_FAILED, COMMAND_CAUGHT_UP };

/// Of a server that says this of itself. Pure.
enum command_state command_state_elsewhere(const struct announcement *said, const struct command_aim *aim);
