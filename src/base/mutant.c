#include "base/mutant.h"

#ifdef QUIVER_MUTANTS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mutant mutant_off;

/// Before main, so that nothing is done under a rule that is to be off. A name that nobody knows must not pass for a mutant that
/// nobody caught.
__attribute__((constructor)) static void mutant_choose(void) {
  static const char *const names[] = {
      "",
#define MUTANT_NAME(name, without) #name,
      MUTANT_TABLE(MUTANT_NAME)
#undef MUTANT_NAME
  };
  const char *wanted = getenv("QUIVER_MUTANT");
  if (wanted == NULL) return;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], wanted) == 0) {
      mutant_off = (enum mutant) i;
      return;
    }
  }
  fprintf(stderr, "QUIVER_MUTANT=%s: there is no such rule in base/mutant.h\n", wanted);
  _Exit(0); // which is success, and so not what is expected of a mutant
}
#else
typedef int mutant_is_not_compiled;
#endif
