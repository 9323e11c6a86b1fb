// point(), point.distance(), point.withinBBox(): in front of value/spatial.h.
#include "exec/exec_int.h"
#include "exec/fn.h"
#include "value/spatial.h"

FN(point) {
  struct value from = arguments[0];
  if (from.type == VALUE_POINT) {
    *ret = from;
    return ERR_OK;
  }
  if (from.type == VALUE_NODE || from.type == VALUE_REL) {
    struct vec entity, map;
    TRY(eval_constant(c, from, &entity));
    TRY(fn_properties(c, &entity, 1, 1, &map));
    from = vec_get(&map, 0);
  }
  return spatial_point(from, c->arena, ret, c->error);
}

FN(point_distance) {
  *ret = V_NULL; // what is no point has no distance
  if (arguments[0].type != VALUE_POINT || arguments[1].type != VALUE_POINT) return ERR_OK;
  return spatial_distance(arguments[0], arguments[1], ret, c->error);
}

FN(point_within_bbox) {
  *ret = V_NULL;
  for (int i = 0; i < 3; i++)
    if (arguments[i].type != VALUE_POINT) return ERR_OK;
  return spatial_within_bbox(arguments[0], arguments[1], arguments[2], ret, c->error);
}
