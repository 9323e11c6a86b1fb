// What the last PULL of a result tells: counters, plan, notifications or statuses, per version. Pure.
#pragma once

#include "bolt/reply.h"
#include "dbms/session.h"

/// Fills the SUCCESS that ends a result. `profile`: with the utc patch where that was agreed.
void bolt_summary_write(struct dict *meta, const struct bolt_version *v, const struct packstream_profile *profile,
                        const struct dbms_summary *summary);

/// {ttl, servers} and, from 4.4 on, db, under the key `rt`.
void bolt_routing_table_write(struct dict *meta, const struct bolt_version *v, const struct dbms_routing_table *table);
