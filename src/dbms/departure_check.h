// Whether a server may leave: what is said of it in `system` is written only then (departure.h). Private to dbms.
#pragma once

#include "dbms/departure.h"
#include "dbms/roster.h"

/// What is looked at. The owner fills it, and reads the list again after each departure that is written.
struct departure_view {
  struct dbms *dbms;
  struct arena *arena; // of names and texts
  struct roster roster;
  struct departures list;
};

/// What SHOW SERVERS calls it, in the view's arena.
struct str departure_server_name(const struct departure_view *v, const struct roster_server *s);

/// Every database that it would leave keeps as many voting members as the settings say. ERR_ARGUMENT: says which one does not,
/// and what to do; errors of the arena.
enum err departure_check_minimum(const struct departure_view *v, const struct roster_server *s, enum departure_kind kind,
                                 struct error *e) NODISCARD;

/// Of those that would go on to vote a majority is there, in every database: the vote of one that is there may decide.
/// ERR_ARGUMENT: the same.
enum err departure_check_majority(const struct departure_view *v, const struct roster_server *s, struct error *e) NODISCARD;
