// Inside seed.h: fetching copies (seed_fetch.c).
#pragma once

#include "dbms/offline_int.h"
#include "dbms/seed.h"

/// Gets a copy of the seed's database and puts it into its folder, which has no store in use. Waits for the seed to be there.
enum err seed_fetch(struct offline *o, const struct dbms_cluster_options *cluster, struct uuid database, struct str folder,
                    struct error *e) NODISCARD;
