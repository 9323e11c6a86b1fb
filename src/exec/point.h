// Points: making, components, distance.
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "value/value.h"

enum { POINT_WGS84_2D = 4326, POINT_WGS84_3D = 4979, POINT_CARTESIAN_2D = 7203, POINT_CARTESIAN_3D = 9157 };

/// point({x, y[, z]}), point({longitude, latitude[, height]}), each with an optional crs or srid. Null where a coordinate is.
/// ERR_ARGUMENT for what is missing, unknown or out of range.
enum err point_construct(struct value map, struct arena *a, struct value *ret, struct error *e) NODISCARD;

/// x, y, z, longitude, latitude, height, crs, srid. ERR_ARGUMENT for another name or one that this system does not have.
enum err point_get(struct value point, struct str field, struct value *ret, struct error *e) NODISCARD;

/// Metres on the sphere (haversine, with the height of 3D points), or the Euclidean distance. False where the systems differ.
bool point_distance(const struct value_point *a, const struct value_point *b, double *ret);

/// Within the box of two corners, both included; a WGS-84 box may cross the 180th meridian. False where the systems differ.
bool point_within(const struct value_point *p, const struct value_point *lower_left, const struct value_point *upper_right, bool *ret);
