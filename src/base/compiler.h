// Small compiler conveniences that every module may use.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(ptr, type, member) ((type *) ((char *) (ptr) - offsetof(type, member)))

#define NODISCARD __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/// Runs `function(&variable)` when the variable leaves its scope: `CLEANUP(buf_done) struct buf b = BUF_INIT;`
#define CLEANUP(function) __attribute__((cleanup(function)))

/// Hands a pointer on and forgets it, so that its CLEANUP has nothing left to do.
#define TAKE_PTR(p)           \
  ({                          \
    __auto_type taken_ = (p); \
    (p) = NULL;               \
    taken_;                   \
  })

/// Returns from the calling function with the error of `expr` unless it is ERR_OK.
#define TRY(expr)             \
  do {                        \
    enum err try_err_ = (expr); \
    if (UNLIKELY(try_err_ != ERR_OK)) return try_err_; \
  } while (0)
