// POINT: making, reading, distance. Four coordinate reference systems: WGS-84 (longitude, latitude in degrees; height in metres)
// and Cartesian, each in two and three dimensions. Pure; any thread. Source: Cypher manual "Spatial functions".
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"

enum spatial_srid { SPATIAL_WGS84 = 4326, SPATIAL_WGS84_3D = 4979, SPATIAL_CARTESIAN = 7203, SPATIAL_CARTESIAN_3D = 9157 };

static inline bool spatial_is_3d(uint32_t srid) {
  return srid == SPATIAL_WGS84_3D || srid == SPATIAL_CARTESIAN_3D;
}

static inline bool spatial_is_geographic(uint32_t srid) {
  return srid == SPATIAL_WGS84 || srid == SPATIAL_WGS84_3D;
}

/// True if the srid is one of the four, coordinates are numbers (no NaN), and a latitude is between -90 and 90: for bytes from
/// outside.
bool spatial_in_range(const struct value_point *p);

/// point(): `map` has x and y, or longitude and latitude, perhaps z or height, crs or srid. Null or a null coordinate gives null.
/// ERR_ARGUMENT for what does not fit together, ERR_TYPE if it is no map. Longitudes go round to -180..180.
enum err spatial_point(struct value map, struct arena *a, struct value *ret, struct error *e) NODISCARD;

/// point.distance(): metres along the great circle, or Euclid's. Null for points of different systems. ERR_TYPE.
enum err spatial_distance(struct value a, struct value b, struct value *ret, struct error *e) NODISCARD;

/// point.withinBBox(): the border is inside. A geographic box may span the date line. Null for different systems. ERR_TYPE.
enum err spatial_within_bbox(struct value point, struct value lower_left, struct value upper_right, struct value *ret,
                             struct error *e) NODISCARD;

/// p.x, p.latitude, p.crs, ...: null where a point of this kind has none. ERR_ARGUMENT for other names. Text is static.
enum err spatial_get(const struct value_point *p, struct str field, struct value *ret, struct error *e) NODISCARD;

/// toString(): "point({x: 1.0, y: 2.0, crs: 'cartesian'})".
enum err spatial_write(struct buf *out, const struct value_point *p) NODISCARD;
enum err spatial_format(const struct value_point *p, struct arena *a, struct str *ret, struct error *e) NODISCARD;
