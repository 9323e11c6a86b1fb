// From address settings to what listeners and clients are told. Pure.
#pragma once

#include "base/arena.h"
#include "config/config.h"

/// "host:port" to listen on: host and port of `own`, else those of `common`, else localhost and `port`. "localhost" means 127.0.0.1; IPv6
/// stands in brackets. `ptr` is NULL when the arena has no memory.
struct str listen_address(struct arena *a, struct config_address own, struct config_address common, uint16_t port);

/// "host:port" that clients can reach, or an empty text where no setting names a host: then they are told what they dialled.
/// `listening` is the port that is listened on, for where `own` was not set.
struct str listen_advertised(struct arena *a, struct config_address own, bool own_is_set, struct config_address common, bool common_is_set,
                             uint16_t listening);
