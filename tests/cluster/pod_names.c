// Loaded before the program's own libraries (LD_PRELOAD): every name below `.test` is this machine, as the names of pods are
// known inside a Kubernetes cluster.
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

#define REPLACES __attribute__((visibility("default"))) // hidden it would replace nothing

static int (*machine_getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

__attribute__((constructor)) static void find(void) {
  *(void **) &machine_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
}

static int is_pod(const char *name) {
  size_t len = name != NULL ? strlen(name) : 0;
  return len > 5 && strcmp(name + len - 5, ".test") == 0;
}

REPLACES int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret) {
  return machine_getaddrinfo(is_pod(name) ? "127.0.0.1" : name, service, hints, ret);
}
