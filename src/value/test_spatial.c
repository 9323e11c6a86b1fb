#include <math.h>

#include "base/test.h"
#include "value/spatial.h"

static struct arena arena;

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
  { key, v_float(n) }
#define I(key, n) \
  { key, v_int(n) }
#define S(key, s) \
  { key, v_str(STR(s)) }

static struct value point(struct value map) {
  struct value v = V_NULL;
  struct error e = ERROR_INIT;
  if (spatial_point(map, &arena, &v, &e) != ERR_OK) fail_msg("%s", e.message);
  return v;
}

TEST(the_system_follows_from_the_names) {
  assert_int_equal(point(MAP(N("x", 1), N("y", 2))).point->srid, SPATIAL_CARTESIAN);
  assert_int_equal(point(MAP(N("x", 1), N("y", 2), I("z", 3))).point->srid, SPATIAL_CARTESIAN_3D);
  assert_int_equal(point(MAP(N("longitude", 1), N("latitude", 2))).point->srid, SPATIAL_WGS84);
  assert_int_equal(point(MAP(N("longitude", 1), N("latitude", 2), N("height", 3))).point->srid, SPATIAL_WGS84_3D);
  assert_int_equal(point(MAP(N("x", 1), N("y", 2), S("crs", "WGS-84"))).point->srid, SPATIAL_WGS84);
  assert_int_equal(point(MAP(N("x", 1), N("y", 2), N("z", 2), I("srid", 4979))).point->srid, SPATIAL_WGS84_3D);
  assert_true(v_is_null(point(MAP(N("x", 1), {"y", V_NULL}))));
  assert_true(v_is_null(point(V_NULL)));
}

static void refused(struct value map, enum err expected) {
  struct value v = v_int(7);
  assert_int_equal(spatial_point(map, &arena, &v, NULL), expected);
  assert_int_equal(v.i, 7);
}

TEST(what_does_not_fit_together_is_refused) {
  refused(v_int(1), ERR_TYPE);
  refused(MAP(N("x", 1)), ERR_ARGUMENT);
  refused(MAP(N("x", 1), S("y", "2")), ERR_ARGUMENT);
  refused(MAP(N("x", 1), N("y", 2), S("crs", "mars")), ERR_ARGUMENT);
  refused(MAP(N("x", 1), N("y", 2), I("srid", 1)), ERR_ARGUMENT);
  refused(MAP(N("x", 1), N("y", 2), I("srid", 7203), S("crs", "cartesian")), ERR_ARGUMENT);
  refused(MAP(N("x", 1), N("y", 2), I("srid", 9157)), ERR_ARGUMENT);
  refused(MAP(N("x", 1), N("y", 2), N("z", 3), I("srid", 7203)), ERR_ARGUMENT);
  refused(MAP(N("longitude", 1), N("latitude", 2), S("crs", "cartesian")), ERR_ARGUMENT);
  refused(MAP(N("longitude", 1), N("latitude", 91)), ERR_ARGUMENT);
  refused(MAP(N("x", NAN), N("y", 0)), ERR_ARGUMENT);
}

TEST(longitudes_go_round) {
  assert_true(point(MAP(N("longitude", 190), N("latitude", 0))).point->x == -170);
  assert_true(point(MAP(N("longitude", -190), N("latitude", 0))).point->x == 170);
  assert_true(point(MAP(N("longitude", 180), N("latitude", 0))).point->x == 180);
}

static double distance(struct value a, struct value b) {
  struct value v;
  assert_ok(spatial_distance(a, b, &v, NULL));
  assert_int_equal(v.type, VALUE_FLOAT);
  return v.f;
}

TEST(distances) {
  assert_true(distance(point(MAP(N("x", 0), N("y", 0))), point(MAP(N("x", 3), N("y", 4)))) == 5);
  assert_true(distance(point(MAP(N("x", 0), N("y", 0), N("z", 0))), point(MAP(N("x", 2), N("y", 3), N("z", 6)))) == 7);
  struct value copenhagen = point(MAP(N("longitude", 12.564590), N("latitude", 55.672874)));
  struct value malmo = point(MAP(N("longitude", 12.994341), N("latitude", 55.611784)));
  assert_true(fabs(distance(copenhagen, malmo) - 27842) < 1);
  struct value north = point(MAP(N("longitude", 0), N("latitude", 90))),
               south = point(MAP(N("longitude", 0), N("latitude", -90)));
  assert_true(fabs(distance(north, south) - M_PI * 6378140) < 1e-6);
  struct value v;
  assert_ok(spatial_distance(copenhagen, point(MAP(N("x", 0), N("y", 0))), &v, NULL));
  assert_true(v_is_null(v));
  assert_ok(spatial_distance(copenhagen, V_NULL, &v, NULL));
  assert_true(v_is_null(v));
  assert_int_equal(spatial_distance(copenhagen, v_int(1), &v, NULL), ERR_TYPE);
}

static bool inside(double x, double y, double low_x, double low_y, double high_x, double high_y, bool geographic) {
  const char *a = geographic ? "longitude" : "x", *b = geographic ? "latitude" : "y";
  struct value v;
  assert_ok(spatial_within_bbox(point(MAP(N(a, x), N(b, y))), point(MAP(N(a, low_x), N(b, low_y))),
                                point(MAP(N(a, high_x), N(b, high_y))), &v, NULL));
  return v.b;
}

TEST(boxes) {
  assert_true(inside(1, 1, 0, 0, 2, 2, false));
  assert_true(inside(2, 2, 0, 0, 2, 2, false));
  assert_false(inside(3, 1, 0, 0, 2, 2, false));
  assert_false(inside(1, 1, 2, 0, 0, 2, false));
  assert_true(inside(179, 0, 170, -10, -170, 10, true)); // over the date line
  assert_true(inside(-179, 0, 170, -10, -170, 10, true));
  assert_false(inside(0, 0, 170, -10, -170, 10, true));
}

TEST(components) {
  struct value_point p = *point(MAP(N("longitude", 1), N("latitude", 2))).point;
  struct value v;
  assert_ok(spatial_get(&p, STR("latitude"), &v, NULL));
  assert_true(v.f == 2);
  assert_ok(spatial_get(&p, STR("z"), &v, NULL));
  assert_true(v_is_null(v));
  assert_ok(spatial_get(&p, STR("crs"), &v, NULL));
  assert_str(v_text(v), "wgs-84");
  assert_ok(spatial_get(&p, STR("srid"), &v, NULL));
  assert_int_equal(v.i, 4326);
  assert_int_equal(spatial_get(&p, STR("w"), &v, NULL), ERR_ARGUMENT);
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

TESTS(TT(the_system_follows_from_the_names), TT(what_does_not_fit_together_is_refused), TT(longitudes_go_round), TT(distances),
      TT(boxes), TT(components))
