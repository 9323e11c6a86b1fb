#include "base/rng.h"
#include "base/test.h"
#include "value/compare.h"
#include "value/temporal_int.h"

static struct arena arena;
/// 2023-11-14T22:13:20.000000005Z
static const struct temporal_clock now = {1700000000, 5, ZONE_UTC};

enum {
  DATE = VALUE_DATE,
  LTIME = VALUE_LOCAL_TIME,
  TIME = VALUE_TIME,
  LDATETIME = VALUE_LOCAL_DATETIME,
  DATETIME = VALUE_DATETIME,
  DURATION = VALUE_DURATION
};

static struct value made(int type, struct value from) {
  struct value v = V_NULL;
  struct error e = ERROR_INIT;
  if (temporal_construct((enum value_type) type, from, now, &arena, &v, &e) != ERR_OK) fail_msg("%s", e.message);
  return v;
}

static struct value of_text(int type, const char *text) {
  return made(type, v_str(str_of(text)));
}

static void reads_as(struct value v, const char *expected) {
  struct str s = STR_NONE;
  assert_ok(temporal_format(v, &arena, &s, NULL));
  assert_str(s, expected);
}

static void refused(int type, struct value from, enum err expected) {
  struct value v = v_int(7);
  assert_int_equal(temporal_construct((enum value_type) type, from, now, &arena, &v, NULL), expected);
  assert_int_equal(v.i, 7);
}

/// A map of integers, written {"year", 1984, "month", 10}.
struct pair {
  const char *key;
  struct value value;
};

static struct value map_of(const struct pair *pairs) {
  uint32_t len = 0;
  while (pairs[len].key != NULL) len++;
  struct value_entry *entries = ARENA_ARRAY(&arena, struct value_entry, len);
  for (uint32_t i = 0; i < len; i++) entries[i] = (struct value_entry){str_of(pairs[i].key), pairs[i].value};
  return v_map(entries, value_map_sort(entries, len));
}

#define MAP(...) map_of((const struct pair[]){__VA_ARGS__, {NULL, V_NULL}})
#define N(key, n) \
  { key, v_int(n) }
#define F(key, f) \
  { key, v_float(f) }
#define V(key, v) \
  { key, v }
#define Z(name) \
  { "timezone", v_str(STR(name)) }

TEST(dates_are_read_in_every_form) {
  static const char *const of_21_july[] = {"2015-07-21", "20150721", "2015-7-21",  "2015-W30-2", "2015W302",
                                           "2015-202",   "2015202",  "2015-Q3-21", "2015Q321",   "+2015-07-21"};
  for (size_t i = 0; i < ARRAY_SIZE(of_21_july); i++) reads_as(of_text(DATE, of_21_july[i]), "2015-07-21");
  reads_as(of_text(DATE, "2015-07"), "2015-07-01");
  reads_as(of_text(DATE, "201507"), "2015-07-01");
  reads_as(of_text(DATE, "2015-W30"), "2015-07-20");
  reads_as(of_text(DATE, "2015"), "2015-01-01");
  reads_as(of_text(DATE, "-0044-03-15"), "-0044-03-15");
  reads_as(of_text(DATE, "+999999999-12-31"), "+999999999-12-31");
  reads_as(of_text(DATE, "-999999999-01-01"), "-999999999-01-01");
}

TEST(times_are_read_in_every_form) {
  reads_as(of_text(LTIME, "21:40:32.142"), "21:40:32.142");
  reads_as(of_text(LTIME, "214032,142"), "21:40:32.142");
  reads_as(of_text(LTIME, "2140"), "21:40");
  reads_as(of_text(LTIME, "21"), "21:00");
  reads_as(of_text(TIME, "214032-0100"), "21:40:32-01:00");
  reads_as(of_text(TIME, "2140-00:00"), "21:40Z");
  reads_as(of_text(TIME, "21:40"), "21:40Z");
  reads_as(of_text(LDATETIME, "2015202T21"), "2015-07-21T21:00");
  reads_as(of_text(LDATETIME, "2015-07-21"), "2015-07-21T00:00");
  reads_as(of_text(DATETIME, "2015-W30T2140-02"), "2015-07-20T21:40-02:00");
  reads_as(of_text(DATETIME, "2015-07-21T21:40:32.142[Europe/London]"), "2015-07-21T21:40:32.142+01:00[Europe/London]");
  reads_as(of_text(DATETIME, "1818-07-21T21:40:32.142[Europe/Stockholm]"), "1818-07-21T21:40:32.142+00:53:28[Europe/Stockholm]");
}

TEST(text_that_says_no_time_is_refused) {
  static const char *const dates[] = {"",
                                      "x",
                                      "202",
                                      "2015-",
                                      "2015-13",
                                      "2015-02-30",
                                      "20151301",
                                      "2015-W54",
                                      "2015-366",
                                      "2015-07-21x",
                                      "2015-07-211",
                                      "+1234567890-01-01",
                                      "2015--07",
                                      "2021-W53",
                                      "2015-07-21T10:00",
                                      "2015-Q5",
                                      "2015-Q1-91"};
  for (size_t i = 0; i < ARRAY_SIZE(dates); i++) refused(DATE, v_str(str_of(dates[i])), ERR_ARGUMENT);
  static const char *const times[] = {"",
                                      "2",
                                      "24:00",
                                      "21:60",
                                      "21:40:60",
                                      "21:40:32.",
                                      "21:40:32.1234567891",
                                      "21:4",
                                      "21:40+19:00",
                                      "21:40[Europe/Nowhere]",
                                      "21:40Europe/Paris"};
  for (size_t i = 0; i < ARRAY_SIZE(times); i++) refused(TIME, v_str(str_of(times[i])), ERR_ARGUMENT);
  refused(DATETIME, v_str(STR("2015-07-21T21:40+03:00[Europe/Stockholm]")), ERR_ARGUMENT);
  refused(DATETIME, v_str(STR("2015-07-21T21:40[Europe/Stockholm")), ERR_ARGUMENT);
  refused(DATETIME, v_str(STR("2015-07-21 21:40")), ERR_ARGUMENT);
  refused(DATETIME, v_int(5), ERR_TYPE);
}

TEST(an_offset_tells_which_of_two_equal_local_times_is_meant) {
  reads_as(of_text(DATETIME, "2024-10-27T02:30+02:00[Europe/Paris]"), "2024-10-27T02:30+02:00[Europe/Paris]");
  reads_as(of_text(DATETIME, "2024-10-27T02:30+01:00[Europe/Paris]"), "2024-10-27T02:30+01:00[Europe/Paris]");
  reads_as(of_text(DATETIME, "2024-03-31T02:30[Europe/Paris]"), "2024-03-31T03:30+02:00[Europe/Paris]");
}

TEST(dates_are_built_from_components) {
  reads_as(made(DATE, MAP(N("year", 1984), N("month", 10), N("day", 11))), "1984-10-11");
  reads_as(made(DATE, MAP(N("year", 1984), N("week", 10), N("dayOfWeek", 3))), "1984-03-07");
  reads_as(made(DATE, MAP(N("year", 1984), N("quarter", 3), N("dayOfQuarter", 45))), "1984-08-14");
  reads_as(made(DATE, MAP(N("year", 1984), N("ordinalDay", 202))), "1984-07-20");
  reads_as(made(DATE, MAP(N("YEAR", 1817), N("Week", 1))), "1816-12-30");
  refused(DATE, MAP(N("month", 10)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1984), N("day", 10)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1984), N("month", 2), N("day", 30)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1984), N("week", 1), N("month", 2)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1984), N("hour", 1)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1984), N("moon", 1)), ERR_ARGUMENT);
  refused(DATE, MAP(F("year", 1984.5)), ERR_ARGUMENT);
  refused(DATE, MAP(N("year", 1000000000)), ERR_ARGUMENT);
  refused(DATE, v_map(NULL, 0), ERR_ARGUMENT);
}

TEST(times_are_built_from_components) {
  reads_as(made(LTIME, MAP(N("hour", 12), N("minute", 31), N("second", 14), N("millisecond", 123), N("microsecond", 456),
                           N("nanosecond", 789))),
           "12:31:14.123456789");
  reads_as(made(TIME, MAP(N("hour", 12), Z("+02:05:59"))), "12:00+02:05:59");
  reads_as(made(TIME, MAP(N("hour", 12), Z("Europe/Stockholm"))), "12:00+01:00");
  reads_as(made(DATETIME, MAP(N("year", 1984), N("month", 8), Z("Europe/Stockholm"))),
           "1984-08-01T00:00+02:00[Europe/Stockholm]");
  reads_as(made(DATETIME, MAP(N("epochSeconds", 416779), N("nanosecond", 999999999))), "1970-01-05T19:46:19.999999999Z");
  reads_as(made(DATETIME, MAP(N("epochMillis", -1))), "1969-12-31T23:59:59.999Z");
  refused(LTIME, MAP(N("minute", 31)), ERR_ARGUMENT);
  refused(LTIME, MAP(N("hour", 1), N("second", 1)), ERR_ARGUMENT);
  refused(LTIME, MAP(N("hour", 1), N("nanosecond", 1)), ERR_ARGUMENT);
  refused(LTIME, MAP(N("hour", 12), Z("Z")), ERR_ARGUMENT);
  refused(TIME, MAP(N("hour", 12), N("minute", 0), N("second", 0), N("millisecond", 1), N("microsecond", 1000)), ERR_ARGUMENT);
}

TEST(components_replace_those_of_a_base) {
  struct value stockholm = of_text(DATETIME, "1984-10-11T12:00[Europe/Stockholm]"), date = of_text(DATE, "1816-12-31");
  reads_as(made(DATE, MAP(V("date", date), N("week", 2))), "1817-01-07");
  reads_as(made(DATE, MAP(V("date", of_text(DATE, "1984-10-11")), N("quarter", 1))), "1984-01-11");
  reads_as(made(LTIME, MAP(V("time", stockholm), N("second", 42))), "12:00:42");
  reads_as(made(TIME, MAP(V("time", stockholm), Z("+05:00"))), "16:00+05:00");
  reads_as(made(DATETIME, MAP(V("datetime", stockholm), N("day", 28), Z("Pacific/Honolulu"))),
           "1984-10-28T01:00-10:00[Pacific/Honolulu]");
  reads_as(made(DATETIME, MAP(V("date", date), V("time", stockholm))), "1816-12-31T12:00+00:53:28[Europe/Stockholm]");
  reads_as(made(LDATETIME, MAP(V("date", date), N("hour", 3))), "1816-12-31T03:00");
  refused(DATE, MAP(V("date", of_text(LTIME, "12:00"))), ERR_ARGUMENT);
  refused(LTIME, MAP(V("time", date)), ERR_ARGUMENT);
  refused(DATETIME, MAP(V("datetime", stockholm), V("date", date)), ERR_ARGUMENT);
  refused(DATE, MAP(V("date", v_int(1))), ERR_ARGUMENT);
}

TEST(one_type_becomes_another) {
  struct value stockholm = of_text(DATETIME, "1984-07-11T12:00[Europe/Stockholm]");
  reads_as(made(DATE, stockholm), "1984-07-11");
  reads_as(made(LTIME, stockholm), "12:00");
  reads_as(made(TIME, stockholm), "12:00+02:00");
  reads_as(made(LDATETIME, stockholm), "1984-07-11T12:00");
  reads_as(made(DATETIME, of_text(LDATETIME, "1984-07-11T12")), "1984-07-11T12:00Z");
  refused(TIME, of_text(DATE, "1984-07-11"), ERR_ARGUMENT);
  refused(DATE, of_text(LTIME, "12:00"), ERR_ARGUMENT);
  refused(DURATION, stockholm, ERR_TYPE);
  assert_true(v_is_null(made(DATE, V_NULL)));
}

static struct value duration(const char *text) {
  return of_text(DURATION, text);
}

TEST(durations_are_read_and_written) {
  static const char *const rows[][2] = {{"P14DT16H12M", "P14DT16H12M"},
                                        {"P5M1.5D", "P5M1DT12H"},
                                        {"P0.75M", "P22DT19H51M49.5S"},
                                        {"P2.5W", "P17DT12H"},
                                        {"P12Y5M14DT16H12M70S", "P12Y5M14DT16H13M10S"},
                                        {"P2012-02-02T14:37:21.545", "P2012Y2M2DT14H37M21.545S"},
                                        {"PT0S", "PT0S"},
                                        {"-PT1.5S", "PT-1.5S"},
                                        {"P-1.5D", "P-1DT-12H"},
                                        {"p1dt1h", "P1DT1H"},
                                        {"PT-0.000000001S", "PT-0.000000001S"}};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) reads_as(duration(rows[i][0]), rows[i][1]);
  static const char *const wrong[] = {"",
                                      "P",
                                      "PT",
                                      "P1",
                                      "P1S",
                                      "PT1D",
                                      "P1DT",
                                      "PT1.1S1M",
                                      "P1D1D",
                                      "1D",
                                      "P1.D",
                                      "P99999999999999999999D",
                                      "P9223372036854775807Y"};
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    struct value v;
    assert_int_not_equal(temporal_construct(VALUE_DURATION, v_str(str_of(wrong[i])), now, &arena, &v, NULL), ERR_OK);
  }
}

TEST(durations_are_built_from_units) {
  reads_as(made(DURATION, MAP(N("days", 14), N("seconds", 70), N("milliseconds", 1))), "P14DT1M10.001S");
  reads_as(made(DURATION, MAP(F("weeks", 2.5))), "P17DT12H");
  reads_as(made(DURATION, MAP(F("seconds", 0.1))), "PT0.1S");
  reads_as(made(DURATION, MAP(F("days", 1.1))), "P1DT2H24M");
  reads_as(made(DURATION, MAP(N("seconds", -60), N("milliseconds", -1))), "PT-1M-0.001S");
  reads_as(made(DURATION, MAP(N("seconds", 2), N("milliseconds", -1))), "PT1.999S");
  refused(DURATION, MAP(N("hours", INT64_MAX)), ERR_ARITHMETIC);
  refused(DURATION, MAP(V("hours", v_str(STR("1")))), ERR_ARGUMENT);
  refused(DURATION, MAP(N("fortnights", 1)), ERR_ARGUMENT);
}

static void adds_to(struct value a, struct value b, const char *sum, const char *difference) {
  struct value v;
  assert_ok(temporal_add(a, b, &arena, &v, NULL));
  reads_as(v, sum);
  assert_ok(temporal_subtract(a, b, &arena, &v, NULL));
  reads_as(v, difference);
}

TEST(durations_move_instants) {
  adds_to(of_text(DATE, "1984-10-11"), duration("P12Y5M14DT16H12M70S"), "1997-03-25", "1972-04-27");
  adds_to(of_text(DATE, "2024-03-31"), duration("P1M"), "2024-04-30", "2024-02-29");
  adds_to(of_text(DATE, "2024-03-31"), duration("PT-25H"), "2024-03-30", "2024-04-01");
  adds_to(of_text(LTIME, "12:31:14"), duration("P1DT16H13M10S"), "04:44:24", "20:18:04");
  adds_to(of_text(TIME, "12:31:14+01:00"), duration("PT0.5S"), "12:31:14.5+01:00", "12:31:13.5+01:00");
  adds_to(of_text(LDATETIME, "2024-01-01T00:00"), duration("P1DT1S"), "2024-01-02T00:00:01", "2023-12-30T23:59:59");
  adds_to(of_text(DATETIME, "2024-10-27T02:30+02:00[Europe/Paris]"), duration("PT1H"), "2024-10-27T02:30+01:00[Europe/Paris]",
          "2024-10-27T01:30+02:00[Europe/Paris]");
  adds_to(duration("P1Y2M"), duration("P1M-3DT-1S"), "P1Y3M-3DT-1S", "P1Y1M3DT1S");
}

TEST(arithmetic_that_leaves_the_range_is_an_error) {
  struct value v;
  assert_int_equal(temporal_add(of_text(DATE, "+999999999-12-31"), duration("P1D"), &arena, &v, NULL), ERR_ARITHMETIC);
  assert_int_equal(temporal_add(of_text(DATE, "2024-01-01"), duration("P9223372036854775807D"), &arena, &v, NULL),
                   ERR_ARITHMETIC);
  assert_int_equal(temporal_add(of_text(DATE, "2024-01-01"), duration("P9223372036854775807M"), &arena, &v, NULL),
                   ERR_ARITHMETIC);
  assert_int_equal(temporal_add(of_text(DATETIME, "2024-01-01T00Z"), duration("PT9223372036854775807S"), &arena, &v, NULL),
                   ERR_ARITHMETIC);
  assert_int_equal(temporal_add(duration("P9223372036854775807D"), duration("P1D"), &arena, &v, NULL), ERR_ARITHMETIC);
  assert_int_equal(temporal_multiply(duration("P9223372036854775807D"), v_int(2), &arena, &v, NULL), ERR_ARITHMETIC);
  assert_int_equal(temporal_multiply(duration("P1D"), v_float(1e300), &arena, &v, NULL), ERR_ARITHMETIC);
  assert_int_equal(temporal_divide(duration("P1D"), v_int(0), &arena, &v, NULL), ERR_DIVISION_BY_ZERO);
  assert_int_equal(temporal_add(of_text(DATE, "2024-01-01"), v_int(1), &arena, &v, NULL), ERR_TYPE);
  assert_int_equal(temporal_subtract(duration("P1D"), of_text(DATE, "2024-01-01"), &arena, &v, NULL), ERR_TYPE);
}

TEST(durations_are_scaled) {
  struct value v, d = duration("P12Y5M14DT16H13M10.000000001S");
  assert_ok(temporal_multiply(d, v_int(2), &arena, &v, NULL));
  reads_as(v, "P24Y10M28DT32H26M20.000000002S");
  assert_ok(temporal_multiply(v_float(0.5), d, &arena, &v, NULL));
  reads_as(v, "P6Y2M22DT13H21M8S");
  assert_ok(temporal_divide(d, v_int(2), &arena, &v, NULL));
  reads_as(v, "P6Y2M22DT13H21M8S");
  assert_ok(temporal_divide(duration("P3D"), v_int(3), &arena, &v, NULL));
  reads_as(v, "P1D");
}

static void lies_between(enum temporal_between kind, struct value a, struct value b, const char *expected) {
  struct value v;
  assert_ok(temporal_between(kind, a, b, &arena, &v, NULL));
  reads_as(v, expected);
}

TEST(durations_between_instants) {
  lies_between(TEMPORAL_BETWEEN, of_text(DATE, "1984-10-11"), of_text(DATE, "2015-06-24"), "P30Y8M13D");
  lies_between(TEMPORAL_BETWEEN, of_text(DATE, "1984-10-11"), of_text(TIME, "16:30+0100"), "PT16H30M");
  lies_between(TEMPORAL_BETWEEN, of_text(LDATETIME, "2018-01-01T10:00:00.2"), of_text(LDATETIME, "2018-01-02T10:00:00.1"),
               "PT23H59M59.9S");
  lies_between(TEMPORAL_BETWEEN, of_text(DATETIME, "2014-07-21T21:40:36.143+0200"),
               of_text(DATETIME, "2015-07-21T21:40:32.142+0100"), "P1YT59M55.999S");
  lies_between(TEMPORAL_IN_MONTHS, of_text(DATE, "2018-03-11"), of_text(DATE, "2016-06-24"), "P-1Y-8M");
  lies_between(TEMPORAL_IN_DAYS, of_text(LDATETIME, "2015-07-21T21:40:32.142"), of_text(DATE, "2015-06-24"), "P-27D");
  lies_between(TEMPORAL_IN_SECONDS, of_text(DATETIME, "2017-10-29T00:00[Europe/Stockholm]"), of_text(DATE, "2017-10-30"),
               "PT25H");
  lies_between(TEMPORAL_IN_SECONDS, of_text(LTIME, "12:44:54.7"), of_text(LTIME, "12:34:55.3"), "PT-9M-59.4S");
  lies_between(TEMPORAL_BETWEEN, of_text(DATE, "-999999999-01-01"), of_text(DATE, "+999999999-12-31"), "P1999999998Y11M30D");
  lies_between(TEMPORAL_IN_SECONDS, of_text(LDATETIME, "-999999999-01-01"), of_text(LDATETIME, "+999999999-12-31T23:59:59"),
               "PT17531639991215H59M59S");
}

static void truncates_to(int type, const char *unit, struct value from, struct value fields, const char *expected) {
  struct value v;
  struct error e = ERROR_INIT;
  if (temporal_truncate((enum value_type) type, str_of(unit), from, fields, now, &v, &e) != ERR_OK) fail_msg("%s", e.message);
  reads_as(v, expected);
}

TEST(instants_are_truncated) {
  struct value t = of_text(DATETIME, "1984-11-11T12:31:14.645876123+01:00");
  static const char *const rows[][2] = {{"millennium", "1000-01-01T00:00+01:00"},
                                        {"century", "1900-01-01T00:00+01:00"},
                                        {"decade", "1980-01-01T00:00+01:00"},
                                        {"year", "1984-01-01T00:00+01:00"},
                                        {"weekYear", "1984-01-02T00:00+01:00"},
                                        {"quarter", "1984-10-01T00:00+01:00"},
                                        {"month", "1984-11-01T00:00+01:00"},
                                        {"week", "1984-11-05T00:00+01:00"},
                                        {"day", "1984-11-11T00:00+01:00"},
                                        {"hour", "1984-11-11T12:00+01:00"},
                                        {"minute", "1984-11-11T12:31+01:00"},
                                        {"second", "1984-11-11T12:31:14+01:00"},
                                        {"millisecond", "1984-11-11T12:31:14.645+01:00"},
                                        {"microsecond", "1984-11-11T12:31:14.645876+01:00"}};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) truncates_to(DATETIME, rows[i][0], t, V_NULL, rows[i][1]);
  truncates_to(LTIME, "millisecond", t, MAP(N("nanosecond", 2)), "12:31:14.645000002");
  truncates_to(TIME, "microsecond", t, MAP(N("nanosecond", 2)), "12:31:14.645876002+01:00");
  truncates_to(DATE, "week", t, MAP(N("dayOfWeek", 3)), "1984-11-07");
  truncates_to(DATETIME, "day", t, MAP(Z("Europe/Stockholm")), "1984-11-11T00:00+01:00[Europe/Stockholm]");
  truncates_to(DATETIME, "day", of_text(DATE, "2024-07-01"), V_NULL, "2024-07-01T00:00Z");
  struct value v;
  assert_int_equal(temporal_truncate(VALUE_DATE, STR("hour"), t, V_NULL, now, &v, NULL), ERR_ARGUMENT);
  assert_int_equal(temporal_truncate(VALUE_LOCAL_TIME, STR("week"), t, V_NULL, now, &v, NULL), ERR_ARGUMENT);
  assert_int_equal(temporal_truncate(VALUE_DATE, STR("moon"), t, V_NULL, now, &v, NULL), ERR_ARGUMENT);
  assert_int_equal(temporal_truncate(VALUE_DATE, STR("day"), v_int(1), V_NULL, now, &v, NULL), ERR_TYPE);
}

static void has_component(struct value v, const char *name, int64_t expected) {
  struct value got;
  assert_ok(temporal_get(v, str_of(name), &arena, &got, NULL));
  assert_int_equal(got.type, VALUE_INT);
  assert_int_equal(got.i, expected);
}

TEST(components_are_read) {
  struct value t = of_text(DATETIME, "1984-11-11T12:31:14.645876123[Europe/Stockholm]"), got;
  static const struct {
    const char *name;
    int64_t value;
  } of_t[] = {{"year", 1984},
              {"quarter", 4},
              {"month", 11},
              {"week", 45},
              {"weekYear", 1984},
              {"day", 11},
              {"ordinalDay", 316},
              {"weekDay", 7},
              {"dayOfWeek", 7},
              {"dayOfQuarter", 42},
              {"hour", 12},
              {"minute", 31},
              {"second", 14},
              {"millisecond", 645},
              {"microsecond", 645876},
              {"nanosecond", 645876123},
              {"offsetMinutes", 60},
              {"offsetSeconds", 3600},
              {"epochSeconds", 469020674},
              {"epochMillis", 469020674645},
              {"YEAR", 1984}},
    of_d[] = {{"years", 1},
              {"quarters", 5},
              {"months", 16},
              {"weeks", 1},
              {"days", 10},
              {"hours", 1},
              {"minutes", 61},
              {"seconds", 3661},
              {"milliseconds", 3661111},
              {"microseconds", 3661111111},
              {"nanoseconds", 3661111111111},
              {"quartersOfYear", 1},
              {"monthsOfQuarter", 1},
              {"monthsOfYear", 4},
              {"daysOfWeek", 3},
              {"minutesOfHour", 1},
              {"secondsOfMinute", 1},
              {"millisecondsOfSecond", 111},
              {"microsecondsOfSecond", 111111},
              {"nanosecondsOfSecond", 111111111}};
  for (size_t i = 0; i < ARRAY_SIZE(of_t); i++) has_component(t, of_t[i].name, of_t[i].value);
  struct value d = made(DURATION, MAP(N("years", 1), N("months", 4), N("days", 10), N("hours", 1), N("minutes", 1),
                                      N("seconds", 1), N("nanoseconds", 111111111)));
  for (size_t i = 0; i < ARRAY_SIZE(of_d); i++) has_component(d, of_d[i].name, of_d[i].value);
  assert_ok(temporal_get(t, STR("timezone"), &arena, &got, NULL));
  assert_str(v_text(got), "Europe/Stockholm");
  assert_ok(temporal_get(t, STR("offset"), &arena, &got, NULL));
  assert_str(v_text(got), "+01:00");
  assert_int_equal(temporal_get(of_text(DATE, "2024"), STR("hour"), &arena, &got, NULL), ERR_ARGUMENT);
  assert_int_equal(temporal_get(v_int(1), STR("hour"), &arena, &got, NULL), ERR_TYPE);
  assert_int_equal(temporal_get(of_text(DATETIME, "+999999999-01-01T00Z"), STR("epochMillis"), &arena, &got, NULL),
                   ERR_ARITHMETIC);
}

TEST(the_clock_says_now) {
  reads_as(temporal_now(VALUE_DATE, now), "2023-11-14");
  reads_as(temporal_now(VALUE_DATETIME, now), "2023-11-14T22:13:20.000000005Z");
  struct temporal_clock there;
  assert_ok(temporal_clock_in(now, v_str(STR("Asia/Tokyo")), &there, NULL));
  reads_as(temporal_now(VALUE_TIME, there), "07:13:20.000000005+09:00");
  reads_as(temporal_now(VALUE_DATE, there), "2023-11-15");
  assert_int_equal(temporal_clock_in(now, v_int(1), &there, NULL), ERR_TYPE);
  struct value v;
  assert_ok(temporal_from_epoch_millis(v_int(237821673987), &v, NULL));
  reads_as(v, "1977-07-15T13:34:33.987Z");
  assert_int_equal(temporal_from_epoch(v_int(INT64_MAX), v_int(INT64_MAX), &v, NULL), ERR_ARGUMENT);
  assert_int_equal(temporal_from_epoch(v_int(INT64_MIN), v_int(INT64_MIN), &v, NULL), ERR_ARGUMENT);
  assert_ok(temporal_from_epoch_millis(v_int(INT64_MIN), &v, NULL));
  reads_as(v, "-292275055-05-16T16:47:04.192Z");
}

TEST(text_and_value_agree_for_random_instants) {
  struct rng r;
  rng_seed(&r, 31);
  for (int i = 0; i < 3000; i++) {
    struct value v = v_datetime((int64_t) rng_below(&r, UINT64_C(62000000000000000)) - INT64_C(31000000000000000),
                                (uint32_t) rng_below(&r, 1000000000), (int32_t) rng_below(&r, 129600) - 64800);
    struct str s;
    assert_ok(temporal_format(v, &arena, &s, NULL));
    assert_int_equal(value_order(made(DATETIME, v_str(s)), v), 0);
    struct value date = made(DATE, v), span, back;
    assert_ok(temporal_between(TEMPORAL_BETWEEN, v_date(0), date, &arena, &span, NULL));
    assert_ok(temporal_add(v_date(0), span, &arena, &back, NULL));
    assert_int_equal(back.i, date.i);
  }
}

static int setup(void **state UNUSED) {
  arena_init(&arena, NULL);
  return 0;
}

static int teardown(void **state UNUSED) {
  arena_done(&arena);
  return 0;
}

#define TT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TT(dates_are_read_in_every_form), TT(times_are_read_in_every_form), TT(text_that_says_no_time_is_refused),
      TT(an_offset_tells_which_of_two_equal_local_times_is_meant), TT(dates_are_built_from_components),
      TT(times_are_built_from_components), TT(components_replace_those_of_a_base), TT(one_type_becomes_another),
      TT(durations_are_read_and_written), TT(durations_are_built_from_units), TT(durations_move_instants),
      TT(arithmetic_that_leaves_the_range_is_an_error), TT(durations_are_scaled), TT(durations_between_instants),
      TT(instants_are_truncated), TT(components_are_read), TT(the_clock_says_now), TT(text_and_value_agree_for_random_instants))
