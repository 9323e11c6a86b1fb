#include "exec/point.h"

#include <math.h>

static bool is_geographic(uint32_t srid) {
  return srid == POINT_WGS84_2D || srid == POINT_WGS84_3D;
}

static bool has_z(uint32_t srid) {
  return srid == POINT_WGS84_3D || srid == POINT_CARTESIAN_3D;
}

static struct str crs_name(uint32_t srid) {
  switch (srid) {
  case POINT_WGS84_2D: return STR("wgs-84");
  case POINT_WGS84_3D: return STR("wgs-84-3d");
  case POINT_CARTESIAN_2D: return STR("cartesian");
  default: return STR("cartesian-3d");
  }
}

/// What the map of point() says.
struct coordinates {
  struct value x, y, z;
  bool geographic, has_x, has_z;
};

/// The value under one of two names.
static bool find(struct value map, const char *name, struct value *ret) {
  const struct value *v = value_map_get(map, str_of(name));
  if (v != NULL) *ret = *v;
  return v != NULL;
}

static enum err read_coordinates(struct value map, struct coordinates *ret, struct error *e) {
  *ret = (struct coordinates){0};
  bool longitude = find(map, "longitude", &ret->x), latitude = find(map, "latitude", &ret->y);
  if (longitude && latitude) {
    ret->geographic = true;
  } else if (!find(map, "x", &ret->x) || !find(map, "y", &ret->y)) {
    return error_set(e, ERR_ARGUMENT, "A point must contain either 'x' and 'y' or 'latitude' and 'longitude'");
  }
  ret->has_z = find(map, "height", &ret->z) || find(map, "z", &ret->z);
  return ERR_OK;
}

static enum err read_system(struct value map, const struct coordinates *of, uint32_t *ret, struct error *e) {
  struct value v;
  *ret = of->geographic ? (of->has_z ? POINT_WGS84_3D : POINT_WGS84_2D) : of->has_z ? POINT_CARTESIAN_3D : POINT_CARTESIAN_2D;
  if (find(map, "crs", &v)) {
    if (v.type != VALUE_STRING) return error_set(e, ERR_ARGUMENT, "The 'crs' of a point must be a string");
    static const uint32_t all[] = {POINT_WGS84_2D, POINT_WGS84_3D, POINT_CARTESIAN_2D, POINT_CARTESIAN_3D};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
      if (str_eq_nocase(v_text(v), crs_name(all[i]))) {
        *ret = all[i];
        return ERR_OK;
      }
    return error_set(e, ERR_ARGUMENT, "Unknown coordinate reference system: %.*s", STR_ARG(v_text(v)));
  }
  if (find(map, "srid", &v)) {
    if (v.type != VALUE_INT || (v.i != POINT_WGS84_2D && v.i != POINT_WGS84_3D && v.i != POINT_CARTESIAN_2D && v.i != POINT_CARTESIAN_3D))
      return error_set(e, ERR_ARGUMENT, "Unknown coordinate reference system code: %lld", v.type == VALUE_INT ? (long long) v.i : 0);
    *ret = (uint32_t) v.i;
  }
  return ERR_OK;
}

static enum err coordinate(struct value v, double *ret, struct error *e) {
  if (v.type != VALUE_INT && v.type != VALUE_FLOAT)
    return error_set(e, ERR_ARGUMENT, "The coordinates of a point must be numbers, not %s", value_type_name(v.type));
  *ret = v.type == VALUE_INT ? (double) v.i : v.f;
  return ERR_OK;
}

/// Longitudes wrap around; latitudes end at the poles.
static enum err check_sphere(struct value_point *p, struct error *e) {
  if (!isfinite(p->x) || !isfinite(p->y) || fabs(p->y) > 90)
    return error_set(e, ERR_ARGUMENT, "Cannot create WGS84 point with invalid coordinate: latitude must be within -90 to 90, got %g", p->y);
  while (p->x > 180) p->x = remainder(p->x, 360);
  while (p->x < -180) p->x = remainder(p->x, 360);
  return ERR_OK;
}

enum err point_construct(struct value map, struct arena *a, struct value *ret, struct error *e) {
  struct coordinates in;
  struct value_point p = {0};
  TRY(read_coordinates(map, &in, e));
  TRY(read_system(map, &in, &p.srid, e));
  if (v_is_null(in.x) || v_is_null(in.y) || (in.has_z && v_is_null(in.z))) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (has_z(p.srid) != in.has_z)
    return error_set(e, ERR_ARGUMENT, "Cannot create %s point with %d coordinates", has_z(p.srid) ? "3D" : "2D", in.has_z ? 3 : 2);
  if (in.geographic && !is_geographic(p.srid))
    return error_set(e, ERR_ARGUMENT, "Geographic points does not support coordinate reference system: %.*s", STR_ARG(crs_name(p.srid)));
  TRY(coordinate(in.x, &p.x, e));
  TRY(coordinate(in.y, &p.y, e));
  if (in.has_z) TRY(coordinate(in.z, &p.z, e));
  if (is_geographic(p.srid)) TRY(check_sphere(&p, e));
  const struct value_point *kept = arena_copy(a, &p, sizeof p);
  if (kept == NULL) return arena_err(a, e);
  *ret = (struct value){.type = VALUE_POINT, .point = kept};
  return ERR_OK;
}

enum err point_get(struct value point, struct str field, struct value *ret, struct error *e) {
  const struct value_point *p = point.point;
  bool sphere = is_geographic(p->srid), space = has_z(p->srid);
  if (str_eqz(field, "x") || (sphere && str_eqz(field, "longitude"))) {
    *ret = v_float(p->x);
  } else if (str_eqz(field, "y") || (sphere && str_eqz(field, "latitude"))) {
    *ret = v_float(p->y);
  } else if (space && (str_eqz(field, "z") || (sphere && str_eqz(field, "height")))) {
    *ret = v_float(p->z);
  } else if (str_eqz(field, "crs")) {
    *ret = v_str(crs_name(p->srid));
  } else if (str_eqz(field, "srid")) {
    *ret = v_int(p->srid);
  } else {
    return error_set(e, ERR_ARGUMENT, "Field: %.*s is not available on point: a %.*s point", STR_ARG(field), STR_ARG(crs_name(p->srid)));
  }
  return ERR_OK;
}

#define EARTH_RADIUS_METRES 6378140.0

static double radians(double degrees) {
  return degrees * (M_PI / 180);
}

/// Great-circle distance; points above the ground: along the circle at their mean height, and the difference.
static double distance_on_sphere(const struct value_point *a, const struct value_point *b) {
  double dy = sin(radians(b->y - a->y) / 2), dx = sin(radians(b->x - a->x) / 2);
  double h = dy * dy + cos(radians(a->y)) * cos(radians(b->y)) * dx * dx;
  double angle = 2 * atan2(sqrt(h), sqrt(1 - h));
  if (!has_z(a->srid)) return angle * EARTH_RADIUS_METRES;
  double along = angle * (EARTH_RADIUS_METRES + (a->z + b->z) / 2);
  return hypot(along, a->z - b->z);
}

bool point_distance(const struct value_point *a, const struct value_point *b, double *ret) {
  if (a->srid != b->srid) return false;
  if (is_geographic(a->srid)) {
    *ret = distance_on_sphere(a, b);
  } else {
    double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
    *ret = sqrt(dx * dx + dy * dy + dz * dz);
  }
  return true;
}

bool point_within(const struct value_point *p, const struct value_point *lower_left, const struct value_point *upper_right, bool *ret) {
  if (p->srid != lower_left->srid || p->srid != upper_right->srid) return false;
  bool x = p->x >= lower_left->x && p->x <= upper_right->x;
  if (is_geographic(p->srid) && lower_left->x > upper_right->x) x = p->x >= lower_left->x || p->x <= upper_right->x;
  *ret = x && p->y >= lower_left->y && p->y <= upper_right->y && p->z >= lower_left->z && p->z <= upper_right->z;
  return true;
}
