#include "dbms/balance.h"

#include <stddef.h>

struct str balance_wish(struct str setting, struct str database) {
  struct str common = STR_NONE;
  for (struct str rest = setting; rest.len > 0;) {
    struct str item = str_trim(str_cut(&rest, ','));
    if (str_find(item, STR("=")) < 0) {
      common = item;
      continue;
    }
    struct str group = item, name = str_cut(&group, '=');
    if (str_eq_nocase(str_trim(name), database)) return str_trim(group);
  }
  return common;
}

/// Of those who can lead, and are preferred as `preferred` says, the one that leads least; the first of several.
static const struct balance_server *least(const struct balance_view *v, bool preferred) {
  const struct balance_server *found = NULL;
  for (uint32_t i = 0; i < v->count; i++) {
    const struct balance_server *s = &v->others[i];
    if (s->can_lead && s->preferred == preferred && (found == NULL || s->leads < found->leads)) found = s;
  }
  return found;
}

/// Nobody of its kind leads more, nor as many with a lower number.
static bool leads_most(const struct balance_view *v) {
  for (uint32_t i = 0; i < v->count; i++) {
    const struct balance_server *s = &v->others[i];
    if (s->preferred != v->self.preferred) continue;
    if (s->leads > v->self.leads || (s->leads == v->self.leads && s->number < v->self.number)) return false;
  }
  return true;
}

uint64_t balance_target(const struct balance_view *v) {
  const struct balance_server *preferred = least(v, true);
  if (!v->self.preferred && preferred != NULL) return preferred->number;
  if (!v->equal || (v->has_wishes && !v->self.preferred) || !leads_most(v)) return 0;
  const struct balance_server *to = least(v, v->self.preferred);
  return to != NULL && to->leads + 2 <= v->self.leads ? to->number : 0;
}
