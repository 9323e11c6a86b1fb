// What the machine, or the control group that this process lives in, leaves to the server. Looked at once, when starting.
#pragma once

#include <stdint.h>

/// Bytes of memory: the least of what the machine has and what the control groups (version 1 or 2) from this process up to the root
/// allow. `root` is put in front of "/proc" and "/sys": "" but for tests.
int64_t machine_memory_bytes(const char *root);

/// Processors that may be used: of the machine, less where a control group of version 2 sets a quota; at least 1.
unsigned machine_processors(const char *root);

/// Raises this process's limit of open files as far as it may; returns the limit that holds now.
uint64_t machine_raise_open_files(void);

/// Files that clients' connections leave to stores, logs and the ports of the cluster, where strangers may hold some hundred for a
/// while: a thousand, or half of them where there are few.
uint64_t machine_files_kept(uint64_t open_files);

/// What `wanted` of `count` kinds of connections may be, where `open_files` are not enough for all: each its part of what
/// machine_files_kept leaves, and at least 1. Pure.
void machine_share_files(uint64_t open_files, uint32_t *wanted, unsigned count);

/// How the memory is shared out where settings say nothing (0).
struct machine_memory_plan {
  int64_t page_cache_bytes, query_bytes;
};

/// Half of the memory above 256 MiB for pages (of less than 512 MiB a quarter of all), and a quarter of it for queries, unless
/// given; 4 MiB each at least. The rest is for connections, commits on their way, the map of pages, the log. Sources for the
/// queries' part, strongest first: `query_bytes`, 70 % of `heap_bytes`, the memory.
struct machine_memory_plan machine_plan_memory(int64_t memory_bytes, int64_t page_cache_bytes, int64_t heap_bytes,
                                               int64_t query_bytes);
