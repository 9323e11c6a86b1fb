// The shape of every typed kernel of two inputs: one loop for columns on both sides, one each for a constant on one side, so that the
// compiler makes vector code of them. `x` and `y` are the elements, `i` the row.
#pragma once

#include <string.h>

#include "value/vec.h"

#define KERNEL_LOOP(type_l, member_l, type_r, member_r, body)                              \
  do {                                                                                     \
    if (l->constant && !r->constant) {                                                     \
      const type_l x = l->member_l[0];                                                     \
      for (uint32_t i = 0; i < n; i++) {                                                   \
        const type_r y = r->member_r[i];                                                   \
        body;                                                                              \
      }                                                                                    \
    } else if (r->constant && !l->constant) {                                              \
      const type_r y = r->member_r[0];                                                     \
      for (uint32_t i = 0; i < n; i++) {                                                   \
        const type_l x = l->member_l[i];                                                   \
        body;                                                                              \
      }                                                                                    \
    } else {                                                                               \
      for (uint32_t i = 0; i < n; i++) {                                                   \
        const type_l x = l->member_l[i];                                                   \
        const type_r y = r->member_r[i];                                                   \
        body;                                                                              \
      }                                                                                    \
    }                                                                                      \
  } while (0)

/// ret is null where one of the inputs is. Both typed (not VEC_ANY); `ret` made by vec_alloc. Where both are constant n is 1.
static inline void kernel_nulls(const struct vec *l, const struct vec *r, uint32_t n, struct vec *ret) {
  const struct vec *sides[] = {l, r};
  for (int side = 0; side < 2; side++) {
    const struct vec *v = sides[side];
    if (!v->has_nulls) continue;
    ret->has_nulls = true;
    if (v->constant) {
      if (v->nulls[0]) memset(ret->nulls, 1, n);
    } else {
      for (uint32_t i = 0; i < n; i++) ret->nulls[i] |= v->nulls[i];
    }
  }
}
