#include "server/help.h"

#include <stdio.h>

#include "base/compiler.h"
#include "config/config.h"

const char *quiver_version(void) {
  return QUIVER_VERSION;
}

void help_print_version(void) {
  printf("quiver %s, compatible with Neo4j 5.26.0\n", quiver_version());
}

static const char server_text[] =
    "Usage: quiver COMMAND [--home DIR] [--conf FILE] [--set KEY=VALUE]...\n"
    "\n"
    "A graph database server that speaks Cypher over Bolt to every Neo4j driver.\n"
    "\n"
    "  console         run in the foreground, log on standard output; Ctrl-C stops it\n"
    "  start           run in the background\n"
    "  stop            stop it: open transactions end, everything is written\n"
    "  restart         stop and start\n"
    "  status          say whether it runs: exit code 0, or 3 if it does not\n"
    "  shell           run Cypher statements: `quiver shell --help`\n"
    "  admin ...       tools for the administrator: `quiver admin help`\n"
    "  help settings   every setting with its default\n"
    "  version\n"
    "\n"
    "  --home DIR      holds conf/ data/ logs/ import/ plugins/ run/ (or QUIVER_HOME, NEO4J_HOME)\n"
    "  --conf FILE     settings; otherwise conf/quiver.conf or conf/neo4j.conf of the home folder\n"
    "  --set KEY=VALUE one setting; stronger than NEO4J_a_b__c in the environment, and that than the file\n"
    "  --expand-commands  replace values of the form $(command) by what the command prints\n"
    "  --verbose       more lines in the log\n"
    "\n"
    "Settings have the names of Neo4j 3.x, 4.x or 5.x. The first login is neo4j with the password neo4j, which must\n"
    "then be changed; or say `quiver admin dbms set-initial-password` before the first start.\n";

static const char admin_text[] =
    "Usage: quiver admin COMMAND [--home DIR] [--conf FILE] [--set KEY=VALUE]...\n"
    "\n"
    "  dbms set-initial-password [PASSWORD] [--require-password-change]\n"
    "                                of the user neo4j, before the first start. Without PASSWORD it is read\n"
    "                                from standard input, where other users of the machine do not see it\n"
    "  server validate-config        read the settings and say what is wrong or outdated in them\n"
    "  server memory-recommendation  settings for the memory of this machine or container\n"
    "  server unbind [--keep-tail]   make a standalone server's data of a stopped member's: it starts with\n"
    "                                dbms.mode=SINGLE. Transactions that are not known to be committed are cut off\n"
    "  cluster recover [--cut-tail] [--accept-loss]\n"
    "                                on a stopped member, when most of its cluster is lost for good: says what is\n"
    "                                here and what may be lost; with --accept-loss takes it out of the old cluster,\n"
    "                                to found a new one\n"
    "  server console|start|stop|restart|status    as `quiver`\n"
    "\n"
    "Names of Neo4j 3.x and 4.x (set-initial-password, memrec, unbind) work as well, and so does calling this program\n"
    "neo4j-admin.\n";

void help_print(bool admin) {
  fputs(admin ? admin_text : server_text, stdout);
}

void help_print_settings(void) {
  struct config *c = config_new();
  if (c == NULL) return;
  for (uint32_t i = 0; i < config_entry_count(c); i++) {
    struct config_entry entry = config_entry(c, i);
    printf("%.*s=%.*s\n    %.*s\n", STR_ARG(entry.name), STR_ARG(entry.default_value), STR_ARG(entry.description));
  }
  config_free(c);
}
