#include "server/user_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/thread.h"

enum { QUEUE_BYTES_MAX = 1 << 20 };

struct user_log {
  struct event_sink sink;
  struct user_log_options options;
  struct thread thread;

  // The writer's.
  int file; // -1: none
  int64_t file_bytes;

  struct mutex mutex; // what follows
  struct condition more;
  struct buf queue;
  uint64_t dropped;
  bool stopping;
};

/// Year, month and day of a day number (H. Hinnant, "chrono-compatible low-level date algorithms").
static void civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  unsigned doe = (unsigned) (days - era * 146097);
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  unsigned mp = (5 * doy + 2) / 153;
  *ret_day = doy - (153 * mp + 2) / 5 + 1;
  *ret_month = mp < 10 ? mp + 3 : mp - 9;
  *ret_year = (int64_t) yoe + era * 400 + (*ret_month <= 2);
}

void user_log_stamp(int64_t wall_ns, int32_t ahead_s, char out[USER_LOG_STAMP + 1]) {
  int64_t ms = wall_ns / NS_PER_MS - (wall_ns % NS_PER_MS < 0) + ahead_s * (int64_t) 1000;
  int32_t ahead_min = abs(ahead_s / 60);
  int64_t days = ms / 86400000 - (ms % 86400000 < 0);
  unsigned of_day = (unsigned) (ms - days * 86400000);
  int64_t year;
  unsigned month, day;
  civil_from_days(days, &year, &month, &day);
  snprintf(out, USER_LOG_STAMP + 1, "%04lld-%02u-%02u %02u:%02u:%02u.%03u%c%02d%02d", (long long) year, month, day, of_day / 3600000,
           of_day / 60000 % 60, of_day / 1000 % 60, of_day % 1000, ahead_s < 0 ? '-' : '+', ahead_min / 60 % 100, ahead_min % 60);
}

static const char *level_text(enum event_level level) {
  switch (level) {
    case EVENT_DEBUG: return "DEBUG";
    case EVENT_INFO: return "INFO ";
    case EVENT_WARN: return "WARN ";
    case EVENT_ERROR: return "ERROR";
  }
  return "INFO ";
}

/// Texts that are no sentence ("peer=... limit=...") need the event's name to be understood.
static bool is_sentence(struct str text) {
  return text.len > 0 && !(text.ptr[0] >= 'a' && text.ptr[0] <= 'z');
}

/// A line break in a text would let a client forge lines: one stays only where no line can begin, before a tab or the last bracket.
static bool stays(struct str text, size_t i) {
  if (text.ptr[i] == '\t') return i > 0 && text.ptr[i - 1] == '\n';
  bool before_tab = i + 1 < text.len && text.ptr[i + 1] == '\t', before_last = i + 2 == text.len && text.ptr[i + 1] == ']';
  return text.ptr[i] == '\n' && (before_tab || before_last);
}

/// One line for one event, and those that belong to it.
static enum err append_line(struct buf *b, int64_t wall_ns, int32_t ahead_s, enum event_level level, const char *name, struct str text) {
  char stamp[USER_LOG_STAMP + 1];
  user_log_stamp(wall_ns, ahead_s, stamp);
  TRY(buf_reserve(b, text.len + 64));
  TRY(buf_printf(b, "%s %s ", stamp, level_text(level)));
  if (!is_sentence(text)) TRY(buf_printf(b, "[%s] ", name));
  for (size_t i = 0; i < text.len; i++) TRY(buf_append_byte(b, (uint8_t) ((unsigned char) text.ptr[i] < 0x20 && !stays(text, i) ? ' ' : text.ptr[i])));
  return buf_append_byte(b, '\n');
}

static void raise_event(struct event_sink *sink, enum event_level level, const char *name, struct str text) {
  struct user_log *log = CONTAINER_OF(sink, struct user_log, sink);
  if (level == EVENT_DEBUG && !log->options.debug) return;
  int64_t now = clock_wall_ns(log->options.clock);
  int32_t ahead_s = log->options.local_time ? clock_zone_ahead_s(now) : 0;
  mutex_lock(&log->mutex);
  size_t before = log->queue.len;
  if (before + text.len + 64 > QUEUE_BYTES_MAX || append_line(&log->queue, now, ahead_s, level, name, text) != ERR_OK) {
    log->queue.len = before;
    log->dropped++;
  }
  condition_signal(&log->more);
  mutex_unlock(&log->mutex);
}

static void write_all(int fd, struct str s) {
  while (s.len > 0) {
    ssize_t n = write(fd, s.ptr, s.len);
    if (n <= 0) return; // a log that cannot be written must not end the server
    s = (struct str){s.ptr + n, s.len - (size_t) n};
  }
}

static int open_file(const char *path, int64_t *ret_bytes) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat st;
  *ret_bytes = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
  return fd;
}

/// path.2 -> path.3, path.1 -> path.2, path -> path.1, and begins a new file.
static void rotate(struct user_log *log) {
  char from[4200], to[4200];
  for (int i = log->options.keep; i >= 1; i--) {
    snprintf(to, sizeof to, "%s.%d", log->options.path, i);
    if (i > 1) {
      snprintf(from, sizeof from, "%s.%d", log->options.path, i - 1);
    } else {
      snprintf(from, sizeof from, "%s", log->options.path);
    }
    rename(from, to);
  }
  close(log->file);
  log->file = open_file(log->options.path, &log->file_bytes);
}

static void write_lines(struct user_log *log, struct str lines) {
  if (log->options.console) write_all(STDOUT_FILENO, lines);
  if (log->file < 0) return;
  write_all(log->file, lines);
  log->file_bytes += (int64_t) lines.len;
  if (log->options.rotation_bytes > 0 && log->file_bytes >= log->options.rotation_bytes) rotate(log);
}

static void *run(void *argument) {
  struct user_log *log = argument;
  struct buf taken = BUF_INIT;
  mutex_lock(&log->mutex);
  while (!log->stopping || log->queue.len > 0 || log->dropped > 0) {
    while (log->queue.len == 0 && log->dropped == 0 && !log->stopping) condition_wait(&log->more, &log->mutex);
    struct buf full = log->queue;
    log->queue = taken;
    uint64_t dropped = log->dropped;
    log->dropped = 0;
    mutex_unlock(&log->mutex);
    write_lines(log, buf_str(&full));
    if (dropped > 0) {
      char text[64];
      int len = snprintf(text, sizeof text, "%llu lines of this log were lost here\n", (unsigned long long) dropped);
      write_lines(log, (struct str){text, (size_t) len});
    }
    buf_clear(&full);
    taken = full;
    mutex_lock(&log->mutex);
  }
  mutex_unlock(&log->mutex);
  buf_done(&taken);
  return NULL;
}

static void log_free(struct user_log *log) {
  if (log->file >= 0) close(log->file);
  buf_done(&log->queue);
  condition_done(&log->more);
  mutex_done(&log->mutex);
  mem_free(log);
}

enum err user_log_open(const struct user_log_options *options, struct user_log **ret, struct error *e) {
  struct user_log *log = mem_zalloc(sizeof *log);
  if (log == NULL) return error_set(e, ERR_NOMEM, "no memory for the log");
  log->sink.raise = raise_event;
  log->options = *options;
  log->file = -1;
  mutex_init(&log->mutex);
  condition_init(&log->more);
  enum err err = ERR_OK;
  if (options->path != NULL && (log->file = open_file(options->path, &log->file_bytes)) < 0)
    err = error_set(e, ERR_IO, "Cannot write the log file %s. Is its folder there, and may this user write to it?", options->path);
  if (err == ERR_OK) err = thread_start(&log->thread, "log", run, log, e);
  if (err != ERR_OK) {
    log_free(log);
    return err;
  }
  *ret = log;
  return ERR_OK;
}

struct event_sink *user_log_sink(struct user_log *log) {
  return &log->sink;
}

void user_log_close(struct user_log *log) {
  if (log == NULL) return;
  mutex_lock(&log->mutex);
  log->stopping = true;
  condition_signal(&log->more);
  mutex_unlock(&log->mutex);
  thread_join(&log->thread);
  log_free(log);
}
