#include "base/test.h"
#include "value/calendar_int.h"
#include "value/zone.h"

static int32_t zone_of(const char *text) {
  int32_t zone = 0;
  assert_ok(zone_parse(str_of(text), &zone, NULL));
  return zone;
}

static int64_t at(int64_t year, int month, int day, int hour, int minute) {
  return calendar_days(year, month, day) * CALENDAR_DAY_SECONDS + hour * 3600 + minute * 60;
}

TEST(offsets_are_read_in_every_iso_form) {
  static const struct {
    const char *text;
    int32_t seconds;
  } rows[] = {{"Z", 0},          {"z", 0},           {"+00:00", 0},        {"+01:00", 3600},
              {"-01", -3600},    {"+0130", 5400},    {"-02:03:04", -7384}, {"+020304", 7384},
              {"+18:00", 64800}, {"-18:00", -64800}, {"+2", 7200}};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) assert_int_equal(zone_of(rows[i].text), rows[i].seconds);
}

TEST(what_is_no_zone_is_refused) {
  static const char *const rows[] = {
      "",         "+",       "-",        "+1:00",           "+25:00",       "+18:01",        "+01:60",
      "+01:0",    "+01:00:", "+0100:00", "Europe/Atlantis", "europe/paris", "Europe/Paris ", "+01:00x",
      "Zulu time"};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    int32_t zone = 77;
    assert_int_equal(zone_parse(str_of(rows[i]), &zone, NULL), ERR_ARGUMENT);
    assert_int_equal(zone, 77);
  }
}

TEST(a_named_zone_has_its_history) {
  int32_t stockholm = zone_of("Europe/Stockholm");
  assert_true(zone_is_id(stockholm));
  assert_str(zone_name(stockholm), "Europe/Stockholm");
  assert_int_equal(zone_offset_at(stockholm, at(1818, 7, 21, 0, 0)), 53 * 60 + 28); // plain IANA data: Berlin's local mean time
  assert_int_equal(zone_offset_at(stockholm, at(2017, 3, 26, 0, 59)), 3600);
  assert_int_equal(zone_offset_at(stockholm, at(2017, 3, 26, 1, 0)), 7200);
  assert_int_equal(zone_offset_at(stockholm, at(2017, 10, 29, 0, 59)), 7200);
  assert_int_equal(zone_offset_at(stockholm, at(2017, 10, 29, 1, 0)), 3600);
}

TEST(the_rule_goes_on_behind_the_table) {
  int32_t stockholm = zone_of("Europe/Stockholm"), sydney = zone_of("Australia/Sydney"), dublin = zone_of("Europe/Dublin");
  for (int64_t year = 2000; year < 9000; year += 371) {
    assert_int_equal(zone_offset_at(stockholm, at(year, 7, 1, 0, 0)), 7200);
    assert_int_equal(zone_offset_at(stockholm, at(year, 1, 1, 0, 0)), 3600);
    if (year < 2002) continue;
    assert_int_equal(zone_offset_at(sydney, at(year, 7, 1, 0, 0)), 36000); // daylight time spans new year
    assert_int_equal(zone_offset_at(sydney, at(year, 1, 1, 0, 0)), 39600);
    assert_int_equal(zone_offset_at(dublin, at(year, 7, 1, 0, 0)), 3600); // "standard" is summer
    assert_int_equal(zone_offset_at(dublin, at(year, 1, 1, 0, 0)), 0);
  }
}

TEST(a_local_time_that_is_missing_or_double_has_one_offset) {
  int32_t paris = zone_of("Europe/Paris");
  assert_int_equal(zone_offset_at_local(paris, at(2024, 3, 31, 1, 59)), 3600);
  assert_int_equal(zone_offset_at_local(paris, at(2024, 3, 31, 2, 30)), 3600); // missing: becomes 03:30+02:00
  assert_int_equal(zone_offset_at_local(paris, at(2024, 3, 31, 3, 0)), 7200);
  assert_int_equal(zone_offset_at_local(paris, at(2024, 10, 27, 2, 30)), 7200); // double: the earlier
  assert_int_equal(zone_offset_at_local(paris, at(2024, 10, 27, 3, 0)), 3600);
  assert_int_equal(zone_offset_at_local(zone_of("+05:00"), at(2024, 1, 1, 0, 0)), 18000);
}

TEST(zones_without_a_country_and_with_one_offset) {
  assert_int_equal(zone_offset_at(zone_of("UTC"), 0), 0);
  assert_int_equal(zone_offset_at(zone_of("Etc/GMT+5"), INT64_C(1) << 40), -18000);
  assert_int_equal(zone_offset_at(zone_of("Asia/Kolkata"), INT64_C(1) << 40), 19800);
  assert_int_equal(zone_offset_at(zone_of("US/Eastern"), at(2024, 1, 1, 0, 0)), -18000);
}

TEST(an_id_that_no_zone_has_counts_as_utc) {
  assert_null(zone_name(ZONE_ID_MIN).ptr);
  assert_null(zone_name(3600).ptr);
  assert_int_equal(zone_offset_at(ZONE_ID_MIN, 0), 0);
}

TEST(offsets_are_written_as_java_does) {
  char text[ZONE_OFFSET_TEXT];
  assert_str(((struct str){text, zone_offset_format(0, text)}), "Z");
  assert_str(((struct str){text, zone_offset_format(3600, text)}), "+01:00");
  assert_str(((struct str){text, zone_offset_format(-5400, text)}), "-01:30");
  assert_str(((struct str){text, zone_offset_format(-3208, text)}), "-00:53:28");
}

TEST(the_calendar_agrees_with_itself) {
  assert_int_equal(calendar_days(1970, 1, 1), 0);
  assert_int_equal(calendar_days(-999999999, 1, 1), INT64_C(-365243219162));
  assert_int_equal(calendar_days(999999999, 12, 31), INT64_C(365241780471));
  for (int64_t days = -800000; days < 800000; days += 13) {
    struct calendar_date d = calendar_of_days(days);
    assert_int_equal(calendar_days(d.year, d.month, d.day), days);
    assert_in_range(d.day, 1, calendar_days_in_month(d.year, d.month));
    struct calendar_week w = calendar_week_of_days(days);
    assert_int_equal(calendar_days_of_week(w.year, w.week) + calendar_weekday(days) - 1, days);
    assert_in_range(w.week, 1, calendar_weeks_in_year(w.year));
  }
  assert_int_equal(calendar_weekday(0), 4);
  assert_int_equal(calendar_weeks_in_year(2020), 53);
  assert_int_equal(calendar_weeks_in_year(2021), 52);
}

TESTS(T(offsets_are_read_in_every_iso_form), T(what_is_no_zone_is_refused), T(a_named_zone_has_its_history),
      T(the_rule_goes_on_behind_the_table), T(a_local_time_that_is_missing_or_double_has_one_offset),
      T(zones_without_a_country_and_with_one_offset), T(an_id_that_no_zone_has_counts_as_utc),
      T(offsets_are_written_as_java_does), T(the_calendar_agrees_with_itself))
