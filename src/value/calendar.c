#include "value/calendar_int.h"

int64_t calendar_days(int64_t year, int month, int day) {
  int64_t y = year - (month <= 2);
  int64_t era = floor_div(y, 400);
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1; // from March 1
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct calendar_date calendar_of_days(int64_t days) {
  int64_t shifted = days + 719468;
  int64_t era = floor_div(shifted, 146097);
  int64_t day_of_era = shifted - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int month_from_march = (int) ((5 * day_of_year + 2) / 153);
  int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return (struct calendar_date){.year = year_of_era + era * 400 + (month <= 2),
                                .month = month,
                                .day = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

int calendar_weekday(int64_t days) {
  return (int) floor_mod(days + 3, 7) + 1;
}

int64_t calendar_days_of_week(int64_t week_year, int64_t week) {
  int64_t fourth = calendar_days(week_year, 1, 4); // always in week 1
  return fourth - (calendar_weekday(fourth) - 1) + (week - 1) * 7;
}

struct calendar_week calendar_week_of_days(int64_t days) {
  int64_t thursday = days - calendar_weekday(days) + 4; // the week belongs to the year of its Thursday
  int64_t year = calendar_of_days(thursday).year;
  return (struct calendar_week){.year = year, .week = (int) ((thursday - calendar_days(year, 1, 1)) / 7) + 1};
}

int calendar_weeks_in_year(int64_t week_year) {
  return (int) ((calendar_days_of_week(week_year + 1, 1) - calendar_days_of_week(week_year, 1)) / 7);
}
