#include "value/spatial.h"

#include <math.h>

#include "value/text.h"

static const struct crs {
  uint32_t srid;
  struct str name;
} systems[] = {{SPATIAL_WGS84, {"wgs-84", 6}},
               {SPATIAL_WGS84_3D, {"wgs-84-3d", 9}},
               {SPATIAL_CARTESIAN, {"cartesian", 9}},
               {SPATIAL_CARTESIAN_3D, {"cartesian-3d", 12}}};

static const struct crs *system_of(uint32_t srid) {
  for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
    if (systems[i].srid == srid) return &systems[i];
  return NULL;
}

bool spatial_in_range(const struct value_point *p) {
  if (system_of(p->srid) == NULL || isnan(p->x) || isnan(p->y) || isnan(p->z)) return false;
  return !spatial_is_geographic(p->srid) || (p->y >= -90 && p->y <= 90);
}

static enum err number_of(struct str name, struct value v, double *ret, struct error *e) {
  if (v.type == VALUE_FLOAT)
    *ret = v.f;
  else if (v.type == VALUE_INT)
    *ret = (double) v.i;
  else
    return error_set(e, ERR_ARGUMENT, "%.*s of a point must be a number, but is a %s.", STR_ARG(name),
                     value_type_name((enum value_type) v.type));
  return ERR_OK;
}

/// A named component, NULL where the map has none.
static const struct value *entry(struct value map, const char *name) {
  return value_map_get(map, str_of(name));
}

static enum err srid_of_name(struct value name, uint32_t *ret, struct error *e) {
  if (name.type == VALUE_STRING)
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
      if (str_eq_nocase(v_text(name), systems[i].name)) return *ret = systems[i].srid, ERR_OK;
  return error_set(e, ERR_ARGUMENT, "Unknown coordinate reference system: use wgs-84, wgs-84-3d, cartesian or cartesian-3d.");
}

/// The system that the map names, or 0.
static enum err named_srid(struct value map, uint32_t *ret, struct error *e) {
  const struct value *crs = entry(map, "crs"), *srid = entry(map, "srid");
  *ret = 0;
  if (crs != NULL && srid != NULL) return error_set(e, ERR_ARGUMENT, "A point cannot have both a crs and a srid.");
  if (crs != NULL) return srid_of_name(*crs, ret, e);
  if (srid == NULL) return ERR_OK;
  if (srid->type != VALUE_INT || srid->i < 0 || srid->i > UINT32_MAX || system_of((uint32_t) srid->i) == NULL)
    return error_set(e, ERR_ARGUMENT, "Unknown coordinate reference system: use 4326, 4979, 7203 or 9157.");
  *ret = (uint32_t) srid->i;
  return ERR_OK;
}

static enum err no_system(uint32_t srid, const char *why, struct error *e) {
  return error_set(e, ERR_ARGUMENT, "A point in %.*s %s.", STR_ARG(system_of(srid)->name), why);
}

static enum err settle_srid(struct value map, bool geographic, bool is_3d, uint32_t *ret, struct error *e) {
  uint32_t srid;
  TRY(named_srid(map, &srid, e));
  if (srid == 0)
    srid = geographic ? (is_3d ? SPATIAL_WGS84_3D : SPATIAL_WGS84) : (is_3d ? SPATIAL_CARTESIAN_3D : SPATIAL_CARTESIAN);
  if (geographic && !spatial_is_geographic(srid)) return no_system(srid, "has no longitude and latitude", e);
  if (spatial_is_3d(srid) != is_3d) return no_system(srid, is_3d ? "has only two coordinates" : "needs a third coordinate", e);
  *ret = srid;
  return ERR_OK;
}

static enum err read_coordinate(const struct value *v, const char *name, double *ret, struct error *e) {
  return v != NULL ? number_of(str_of(name), *v, ret, e) : ERR_OK;
}

static bool any_null(struct value map) {
  for (uint32_t i = 0; i < map.len; i++)
    if (v_is_null(map.entries[i].value)) return true;
  return false;
}

enum err spatial_point(struct value map, struct arena *a, struct value *ret, struct error *e) {
  if (v_is_null(map) || (map.type == VALUE_MAP && any_null(map))) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (map.type != VALUE_MAP)
    return error_set(e, ERR_TYPE, "Expected a map, but got a %s.", value_type_name((enum value_type) map.type));
  const struct value *x = entry(map, "x"), *y = entry(map, "y"), *z = entry(map, "z");
  const struct value *longitude = entry(map, "longitude"), *latitude = entry(map, "latitude"), *height = entry(map, "height");
  bool geographic = x == NULL || y == NULL;
  if (geographic && (longitude == NULL || latitude == NULL))
    return error_set(e, ERR_ARGUMENT, "A point must contain either 'x' and 'y' or 'latitude' and 'longitude'");
  const struct value *third = z != NULL ? z : height;
  struct value_point p = {0};
  TRY(settle_srid(map, geographic, third != NULL, &p.srid, e));
  TRY(read_coordinate(geographic ? longitude : x, geographic ? "longitude" : "x", &p.x, e));
  TRY(read_coordinate(geographic ? latitude : y, geographic ? "latitude" : "y", &p.y, e));
  TRY(read_coordinate(third, z != NULL ? "z" : "height", &p.z, e));
  if (spatial_is_geographic(p.srid) && isfinite(p.x) && fabs(p.x) > 180) p.x = fmod(fmod(p.x, 360) + 540, 360) - 180;
  if (!spatial_in_range(&p))
    return error_set(e, ERR_ARGUMENT,
                     "Cannot create a point with a latitude outside of -90 to 90, or a coordinate that is not a number.");
  struct value_point *copy = arena_copy(a, &p, sizeof p);
  if (copy == NULL) return arena_err(a, e);
  *ret = (struct value){.type = VALUE_POINT, .point = copy};
  return ERR_OK;
}

static double radians(double degrees) {
  return degrees * (M_PI / 180);
}

/// Angle between two places on a sphere (haversine formula, Sinnott 1984).
static double great_circle(const struct value_point *a, const struct value_point *b) {
  double lat_a = radians(a->y), lat_b = radians(b->y);
  double half_lat = sin((lat_b - lat_a) / 2), half_lon = sin(radians(b->x - a->x) / 2);
  double h = half_lat * half_lat + cos(lat_a) * cos(lat_b) * half_lon * half_lon;
  return 2 * asin(sqrt(h < 1 ? h : 1));
}

#define EARTH_RADIUS_METRES 6378140.0 // as Neo4j has it

static double distance(const struct value_point *a, const struct value_point *b) {
  double up = b->z - a->z;
  if (!spatial_is_geographic(a->srid)) return sqrt((b->x - a->x) * (b->x - a->x) + (b->y - a->y) * (b->y - a->y) + up * up);
  double along = (EARTH_RADIUS_METRES + (a->z + b->z) / 2) * great_circle(a, b);
  return spatial_is_3d(a->srid) ? sqrt(along * along + up * up) : along;
}

static enum err check_points(const struct value *points, int len, bool *ret_none, struct error *e) {
  *ret_none = false;
  for (int i = 0; i < len; i++) {
    if (v_is_null(points[i]))
      *ret_none = true;
    else if (points[i].type != VALUE_POINT)
      return error_set(e, ERR_TYPE, "Expected a POINT, but got a %s.", value_type_name((enum value_type) points[i].type));
  }
  for (int i = 1; i < len && !*ret_none; i++) *ret_none = points[i].point->srid != points[0].point->srid;
  return ERR_OK;
}

enum err spatial_distance(struct value a, struct value b, struct value *ret, struct error *e) {
  bool none;
  TRY(check_points((struct value[]){a, b}, 2, &none, e));
  *ret = none ? V_NULL : v_float(distance(a.point, b.point));
  return ERR_OK;
}

static bool within(double low, double x, double high) {
  return low <= x && x <= high;
}

enum err spatial_within_bbox(struct value point, struct value lower_left, struct value upper_right, struct value *ret,
                             struct error *e) {
  bool none;
  TRY(check_points((struct value[]){point, lower_left, upper_right}, 3, &none, e));
  if (none) {
    *ret = V_NULL;
    return ERR_OK;
  }
  const struct value_point *p = point.point, *low = lower_left.point, *high = upper_right.point;
  bool over_date_line = spatial_is_geographic(p->srid) && low->x > high->x;
  bool in_x = over_date_line ? p->x >= low->x || p->x <= high->x : within(low->x, p->x, high->x);
  *ret = v_bool(in_x && within(low->y, p->y, high->y) && within(low->z, p->z, high->z));
  return ERR_OK;
}

enum err spatial_get(const struct value_point *p, struct str field, struct value *ret, struct error *e) {
  bool geographic = spatial_is_geographic(p->srid), is_3d = spatial_is_3d(p->srid);
  const struct {
    const char *name;
    bool there;
    struct value value;
  } rows[] = {{"x", true, v_float(p->x)},
              {"y", true, v_float(p->y)},
              {"z", is_3d, v_float(p->z)},
              {"longitude", geographic, v_float(p->x)},
              {"latitude", geographic, v_float(p->y)},
              {"height", geographic && is_3d, v_float(p->z)},
              {"crs", true, v_str(system_of(p->srid)->name)},
              {"srid", true, v_int(p->srid)}};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    if (!str_eq_nocase(field, str_of(rows[i].name))) continue;
    *ret = rows[i].there ? rows[i].value : V_NULL;
    return ERR_OK;
  }
  return error_set(e, ERR_ARGUMENT, "No such field: %.*s", STR_ARG(field));
}

static enum err write_coordinate(struct buf *out, const char *name, double f) {
  char text[TEXT_FLOAT_MAX];
  return buf_printf(out, "%s: %.*s, ", name, (int) text_put_float(f, text), text);
}

enum err spatial_write(struct buf *out, const struct value_point *p) {
  TRY(buf_append_str(out, STR("point({")));
  TRY(write_coordinate(out, "x", p->x));
  TRY(write_coordinate(out, "y", p->y));
  if (spatial_is_3d(p->srid)) TRY(write_coordinate(out, "z", p->z));
  return buf_printf(out, "crs: '%.*s'})", STR_ARG(system_of(p->srid)->name));
}

enum err spatial_format(const struct value_point *p, struct arena *a, struct str *ret, struct error *e) {
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  if (spatial_write(&text, p) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  struct str s = arena_str(a, buf_str(&text));
  if (s.ptr == NULL) return arena_err(a, e);
  *ret = s;
  return ERR_OK;
}
