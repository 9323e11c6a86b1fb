#include "bolt/server.h"

struct bolt_settings bolt_settings_default(void) {
  return (struct bolt_settings){
      .product_version = STR("5.26.0"),
      .edition = STR("community"),
      .threads = 1,
      .keep_alive_ms = 60 * 1000,
      .unauthenticated_timeout_ms = 30 * 1000,
      .stall_timeout_ms = 15 * 60 * 1000,
      .drain_timeout_ms = 10 * 1000,
      .drain_grace_ms = 100,
      .max_connections = 100000,
      .max_unauthenticated = 1000,
      .unauthenticated_message_bytes = 8 * 1024,
      .message_bytes = 64 * 1024 * 1024,
      .unauthenticated_depth = 4,
      .depth = 512,
      .unauthenticated_elements = 64,
      .websocket_frame_bytes = 64 * 1024,
      .queue_high = 300,
      .queue_low = 100,
      .out_high_bytes = 512 * 1024,
      .out_low_bytes = 128 * 1024,
      .max_open_results = 1000,
  };
}
