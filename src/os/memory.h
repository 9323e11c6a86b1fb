// Memory by the page from the system, for what is large and used bit by bit: reserved as address space, given real pages (huge
// ones where the system has them) as they are touched.
#pragma once

#include <stddef.h>

#include "base/compiler.h"

/// `bytes` bytes of zeros, aligned to the system's page; NULL when there is no address space. Counts as an allocation for the fault
/// countdown of base/fault.h.
void *memory_reserve(size_t bytes) NODISCARD;

/// NULL is fine.
void memory_release(void *p, size_t bytes);
