#include "http/response.h"

const char *http_status_text(int status) {
  static const struct {
    int status;
    const char *text;
  } texts[] = {
      {200, "OK"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
    if (texts[i].status == status) return texts[i].text;
  return "Unknown";
}

/// Days since 1970-01-01 to a civil date (Howard Hinnant's days-from-civil, backwards), for days from 0000-03-01 on.
static void civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
  days += 719468;
  int64_t era = days / 146097, of_era = days % 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * of_year + 2) / 153; // month counted from March
  *day = (int) (of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int) (shifted < 10 ? shifted + 3 : shifted - 9);
  *year = year_of_era + era * 400 + (*month <= 2);
}

enum err http_date_write(struct buf *out, int64_t wall_s) {
  static const char week_days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  wall_s = MAX(wall_s, 0);
  int64_t days = wall_s / 86400, second = wall_s % 86400, year;
  int month, day;
  civil_from_days(days, &year, &month, &day);
  return buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", week_days[days % 7], day, months[month - 1], (int) year,
                    (int) (second / 3600), (int) (second / 60 % 60), (int) (second % 60));
}

static enum err response_write(struct buf *out, const struct http_response *r, int64_t wall_s, bool keep_alive, bool head_only) {
  TRY(buf_printf(out, "HTTP/1.1 %d %s\r\nDate: ", r->status, http_status_text(r->status)));
  TRY(http_date_write(out, wall_s));
  TRY(buf_printf(out, "\r\nConnection: %s\r\n", keep_alive ? "keep-alive" : "close"));
  TRY(buf_append_str(out, r->headers));
  if (r->content_type.len > 0) TRY(buf_printf(out, "Content-Type: %.*s\r\n", STR_ARG(r->content_type)));
  TRY(buf_printf(out, "Content-Length: %zu\r\n\r\n", r->body.len));
  return head_only ? ERR_OK : buf_append_str(out, r->body);
}

enum err http_response_write(struct buf *out, const struct http_response *r, int64_t wall_s, bool keep_alive, bool head_only) {
  size_t before = out->len;
  enum err err = response_write(out, r, wall_s, keep_alive, head_only);
  if (err != ERR_OK) out->len = before;
  return err;
}
