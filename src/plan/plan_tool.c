// Reads statements, each ended by a NUL byte, and plans them against the invented database of test_world.h; for tests that drive it
// through a pipe. One line of answer for each: "ok", "refused" (by parser or check), "unsupported <message>" or "failed <message>".
// With an argument, the plan follows as short text, ended by a NUL byte.
#include <stdio.h>
#include <stdlib.h>

#include "plan/test_world.h"

static const char *verdict(enum err err, const struct plan *p) {
  if (err == ERR_OK) return "ok";
  if (p == NULL || p->statement == NULL) return "refused";
  return err == ERR_UNSUPPORTED ? "unsupported" : "failed";
}

static void answer(struct str text, bool eager, bool with_plan) {
  struct plan_options options = {.catalog = &world, .eager_everywhere = eager};
  struct error e = ERROR_INIT;
  struct plan *p = NULL;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  enum err err = world_plan(text, &options, &p, &e);
  const char *said = verdict(err, p);
  for (char *c = e.message; *c != 0; c++) *c = *c == '\n' ? ' ' : *c;
  printf("%s %s\n", said, err != ERR_OK ? e.message : "");
  if (with_plan && err == ERR_OK && plan_print(p, &out) == ERR_OK) printf("%.*s", (int) out.len, out.data);
  if (with_plan) putchar(0);
  fflush(stdout);
  plan_unref(p);
}

int main(int argc, char **argv) {
  char *text = NULL;
  size_t room = 0;
  ssize_t n;
  while ((n = getdelim(&text, &room, 0, stdin)) > 0) {
    struct str s = {text, (size_t) n - (text[n - 1] == 0)};
    answer(s, false, argc > 1);
    if (argc == 1) answer(s, true, false); // barriers everywhere must plan as well
  }
  free(text);
  return 0;
}
