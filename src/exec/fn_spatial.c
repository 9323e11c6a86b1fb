// point(), point.distance(), point.withinBBox().
#include "exec/exec_int.h"
#include "exec/fn.h"
#include "exec/point.h"

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
  if (from.type != VALUE_MAP) return fn_wrong_type(c, "point", "Map, Node or Relationship", from);
  return point_construct(from, c->arena, ret, c->error);
}

FN(point_distance) {
  double distance;
  *ret = V_NULL; // what is no point has no distance
  if (arguments[0].type == VALUE_POINT && arguments[1].type == VALUE_POINT &&
      point_distance(arguments[0].point, arguments[1].point, &distance))
    *ret = v_float(distance);
  return ERR_OK;
}

FN(point_within_bbox) {
  bool within;
  *ret = V_NULL;
  for (int i = 0; i < 3; i++)
    if (arguments[i].type != VALUE_POINT) return ERR_OK;
  if (point_within(arguments[0].point, arguments[1].point, arguments[2].point, &within)) *ret = v_bool(within);
  return ERR_OK;
}
