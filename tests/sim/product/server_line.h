// Sessions' lines, from the server's side.
#pragma once

#include "server.h"

/// The server has died: who waits for it is told, sooner or later.
void session_lines_lose(struct product_server *s, enum world_end end);
void session_lines_new_world(void);
