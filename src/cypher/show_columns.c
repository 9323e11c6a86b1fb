#include "cypher/show_columns.h"

#include "base/compiler.h"

#define DATABASE "name type aliases access address role writer requestedStatus currentStatus statusMessage"
#define DATABASE_MORE                                                                                                                    \
  "databaseID serverID currentPrimariesCount currentSecondariesCount requestedPrimariesCount requestedSecondariesCount creationTime "     \
  "lastStartTime lastStopTime store lastCommittedTxn replicationLag options"
#define DATABASE_4 "name aliases access address role requestedStatus currentStatus error"
#define DATABASE_4_MORE "type writer statusMessage constituents " DATABASE_MORE
#define ROUTINE_MORE "argumentDescription returnDescription"
#define ROLES_OF_ROUTINE "rolesExecution rolesBoostedExecution"
#define TRANSACTION_MORE                                                                                                                 \
  "outerTransactionId metaData parameters planner runtime indexes currentQueryStartTime currentQueryStatus "              \
  "currentQueryActiveLockCount currentQueryElapsedTime currentQueryCpuTime currentQueryWaitTime currentQueryIdleTime "                   \
  "currentQueryAllocatedBytes currentQueryPageHits currentQueryPageFaults protocol requestUri statusDetails resourceInformation "        \
  "activeLockCount cpuTime waitTime idleTime allocatedBytes allocatedDirectBytes estimatedUsedHeapMemory pageHits pageFaults "           \
  "initializationStackTrace"

static const struct cypher_show_columns all[] = {
    [AST_SHOW_DATABASES] = {STR(DATABASE " default home constituents"), STR(DATABASE_MORE)},
    [AST_SHOW_DEFAULT_DATABASE] = {STR(DATABASE " constituents"), STR(DATABASE_MORE)},
    [AST_SHOW_HOME_DATABASE] = {STR(DATABASE " constituents"), STR(DATABASE_MORE)},
    [AST_SHOW_ALIASES] = {STR("name composite database location url user"), STR("driver properties")},
    [AST_SHOW_SERVERS] = {STR("name address state health hosting"),
                          STR("serverId httpAddress httpsAddress requestedHosting tags allowedDatabases deniedDatabases modeConstraint version featureLevel")},
    [AST_SHOW_INDEXES] = {STR("id name state populationPercent type entityType labelsOrTypes properties indexProvider owningConstraint lastRead readCount"),
                          STR("trackedSince options failureMessage createStatement")},
    [AST_SHOW_CONSTRAINTS] = {STR("id name type entityType labelsOrTypes properties ownedIndex propertyType"), STR("options createStatement")},
    [AST_SHOW_FUNCTIONS] = {STR("name category description"),
                            STR("signature isBuiltIn " ROUTINE_MORE " aggregating " ROLES_OF_ROUTINE " isDeprecated deprecatedBy")},
    [AST_SHOW_PROCEDURES] = {STR("name description mode worksOnSystem"),
                             STR("signature " ROUTINE_MORE " admin " ROLES_OF_ROUTINE " isDeprecated deprecatedBy option")},
    [AST_SHOW_SETTINGS] = {STR("name value isDynamic defaultValue description"), STR("startupValue isExplicitlySet validValues isDeprecated")},
    [AST_SHOW_TRANSACTIONS] = {STR("database transactionId currentQueryId connectionId clientAddress username currentQuery startTime status elapsedTime"),
                               STR(TRANSACTION_MORE)},
    [AST_SHOW_TERMINATE_TRANSACTIONS] = {STR("transactionId username message"), STR_NONE},
    [AST_SHOW_USERS] = {STR("user roles passwordChangeRequired suspended home"), STR_NONE},
    [AST_SHOW_CURRENT_USER] = {STR("user roles passwordChangeRequired suspended home"), STR_NONE},
    [AST_SHOW_ROLES] = {STR("role"), STR("immutable")},
    [AST_SHOW_PRIVILEGES] = {STR("access action resource graph segment role"), STR("immutable")},
    [AST_SHOW_ROLE_PRIVILEGES] = {STR("access action resource graph segment role"), STR("immutable")},
    [AST_SHOW_USER_PRIVILEGES] = {STR("access action resource graph segment role user"), STR("immutable")},
    [AST_SHOW_SUPPORTED_PRIVILEGES] = {STR("action qualifier target scope description"), STR_NONE},
};

// What is new since then comes with YIELD.
static const struct cypher_show_columns of_4[] = {
    [AST_SHOW_DATABASES] = {STR(DATABASE_4 " default home"), STR(DATABASE_4_MORE)},
    [AST_SHOW_DEFAULT_DATABASE] = {STR(DATABASE_4), STR(DATABASE_4_MORE)},
    [AST_SHOW_HOME_DATABASE] = {STR(DATABASE_4), STR(DATABASE_4_MORE)},
};

struct cypher_show_columns cypher_show_columns(enum ast_show what, uint32_t output, uint32_t neo4j_major) {
  struct cypher_show_columns columns = all[what];
  bool is_old = (neo4j_major == 3 || neo4j_major == 4) && what < ARRAY_SIZE(of_4) && of_4[what].defaults.ptr != NULL;
  if (is_old) columns = of_4[what];
  if (output & AST_SHOW_WITH_USERS) columns.defaults = STR("role member");
  if (output & AST_SHOW_WITH_AUTH) columns.defaults = STR("user roles passwordChangeRequired suspended home provider auth");
  if (output & (AST_SHOW_AS_COMMANDS | AST_SHOW_AS_REVOKE_COMMANDS)) columns = (struct cypher_show_columns){STR("command"), STR("immutable")};
  return columns;
}
