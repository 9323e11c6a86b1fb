// Every status that can leave a module, one row each: name, Neo4j status code, GQLSTATUS, one-line description.
// Rows with an empty Neo4j code are internal: whoever gets one must turn it into one that a client may see.
// Sources: Neo4j status codes (manual), ISO/IEC 39075 GQLSTATUS. A condition without its own GQLSTATUS has 50N42.
#pragma once

// clang-format off
#define ERR_TABLE(X) \
  X(OK,                      "",                                                           "00000", "success") \
  /* what the machine did */ \
  X(NOMEM,                   "Neo.TransientError.General.OutOfMemoryError",                "51N33", "the system has no memory left") \
  X(IO,                      "Neo.DatabaseError.General.UnknownError",                     "50N42", "an input or output operation failed") \
  X(NOSPC,                   "Neo.DatabaseError.General.UnknownError",                     "50N42", "the disk is full") \
  X(CORRUPT,                 "Neo.DatabaseError.General.UnknownError",                     "50N42", "stored data failed its check") \
  X(NOTFOUND,                "",                                                           "50N42", "there is no such thing") \
  X(EXISTS,                  "",                                                           "50N42", "it exists already") \
  X(DENIED,                  "",                                                           "50N42", "the system does not permit it") \
  X(BUSY,                    "",                                                           "50N42", "it is in use") \
  X(LIMIT,                   "Neo.ClientError.Statement.ArgumentError",                    "50N42", "a limit was reached") \
  X(INVALID,                 "",                                                           "50N42", "an argument is not valid") \
  X(SHORT,                   "",                                                           "50N42", "more bytes are needed") \
  X(AGAIN,                   "",                                                           "50N42", "it must be waited for and tried again") \
  X(CLOSED,                  "",                                                           "50N42", "it is closed") \
  X(UNREACHABLE,             "",                                                           "50N42", "nobody was reached there") \
  X(WAIT,                    "",                                                           "50N42", "something must be waited for; call again when it has happened") \
  X(INTERNAL,                "Neo.DatabaseError.General.UnknownError",                     "50N00", "internal error") \
  /* memory limits */ \
  X(MEMORY_POOL,             "Neo.TransientError.General.MemoryPoolOutOfMemoryError",      "51N72", "the memory pool limit was exceeded") \
  X(TX_MEMORY,               "Neo.ClientError.General.TransactionOutOfMemoryError",        "51N72", "the transaction uses more memory than is allowed") \
  /* statements */ \
  X(SYNTAX,                  "Neo.ClientError.Statement.SyntaxError",                      "42001", "invalid syntax") \
  X(SEMANTIC,                "Neo.ClientError.Statement.SemanticError",                    "42N44", "the statement has no meaning") \
  X(TYPE,                    "Neo.ClientError.Statement.TypeError",                        "22G03", "invalid value type") \
  X(ARGUMENT,                "Neo.ClientError.Statement.ArgumentError",                    "22N11", "invalid argument") \
  X(ARITHMETIC,              "Neo.ClientError.Statement.ArithmeticError",                  "22003", "numeric value out of range") \
  X(DIVISION_BY_ZERO,        "Neo.ClientError.Statement.ArithmeticError",                  "22012", "division by zero") \
  X(EXTERNAL_RESOURCE,       "Neo.ClientError.Statement.ExternalResourceFailed",           "22N43", "an external resource could not be loaded") \
  X(ENTITY_NOT_FOUND,        "Neo.ClientError.Statement.EntityNotFound",                   "22N29", "unknown entity") \
  X(PARAMETER_MISSING,       "Neo.ClientError.Statement.ParameterMissing",                 "42N51", "a parameter is missing") \
  X(PROPERTY_NOT_FOUND,      "Neo.ClientError.Statement.PropertyNotFound",                 "50N42", "there is no such property") \
  X(ACCESS_MODE,             "Neo.ClientError.Statement.AccessMode",                       "08N03", "a write in read access mode") \
  X(NOT_SYSTEM_DATABASE,     "Neo.ClientError.Statement.NotSystemDatabaseError",           "51N26", "an administration command outside the system database") \
  X(UNSUPPORTED_ADMIN,       "Neo.ClientError.Statement.UnsupportedAdministrationCommand", "51N27", "the administration command is not supported") \
  X(UNSUPPORTED,             "Neo.ClientError.Statement.UnsupportedOperationError",        "51N29", "the feature is not available") \
  X(EXECUTION,               "Neo.DatabaseError.Statement.ExecutionFailed",                "50N42", "the statement failed") \
  /* procedures and functions */ \
  X(PROCEDURE_NOT_FOUND,     "Neo.ClientError.Procedure.ProcedureNotFound",                "42N08", "no such procedure") \
  X(PROCEDURE_TIMED_OUT,     "Neo.ClientError.Procedure.ProcedureTimedOut",                "52N37", "the procedure did not end in its time") \
  X(PROCEDURE_FAILED,        "Neo.ClientError.Procedure.ProcedureCallFailed",              "52N37", "the procedure failed") \
  /* schema */ \
  X(CONSTRAINT,              "Neo.ClientError.Schema.ConstraintValidationFailed",          "22N79", "a constraint was violated") \
  X(CONSTRAINT_EXISTS,       "Neo.ClientError.Schema.ConstraintAlreadyExists",             "22N65", "the constraint exists already") \
  X(CONSTRAINT_NOT_FOUND,    "Neo.ClientError.Schema.ConstraintNotFound",                  "42N12", "no such constraint") \
  X(CONSTRAINT_NAME_EXISTS,  "Neo.ClientError.Schema.ConstraintWithNameAlreadyExists",     "22N66", "a constraint of that name exists already") \
  X(CONSTRAINT_CREATION,     "Neo.DatabaseError.Schema.ConstraintCreationFailed",          "50N11", "the constraint cannot be created") \
  X(INDEX_EXISTS,            "Neo.ClientError.Schema.IndexAlreadyExists",                  "22N70", "the index exists already") \
  X(INDEX_NAME_EXISTS,       "Neo.ClientError.Schema.IndexWithNameAlreadyExists",          "22N71", "an index of that name exists already") \
  X(INDEX_NOT_FOUND,         "Neo.ClientError.Schema.IndexNotFound",                       "42N57", "no such index") \
  X(INDEX_CREATION_FAILED,   "Neo.DatabaseError.Schema.IndexCreationFailed",               "50N42", "the index cannot be created") \
  X(TOKEN_NAME,              "Neo.ClientError.Schema.TokenNameError",                      "22N77", "not a valid token name") \
  /* transactions */ \
  X(TX_TERMINATED,           "Neo.TransientError.Transaction.Terminated",                  "25N02", "the transaction was terminated") \
  X(TX_TIMEOUT,              "Neo.ClientError.Transaction.TransactionTimedOut",            "25N14", "the transaction timed out") \
  X(TX_TIMEOUT_CLIENT,       "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", "25N15", "the transaction timed out by the client's setting") \
  X(TX_NOT_FOUND,            "Neo.ClientError.Transaction.TransactionNotFound",            "25N03", "no such transaction") \
  X(TX_LIMIT,                "Neo.TransientError.Transaction.MaximumTransactionLimitReached", "51N35", "the limit of open transactions was reached") \
  X(TX_START,                "Neo.ClientError.Transaction.TransactionStartFailed",         "25N06", "the transaction cannot start") \
  X(DEADLOCK,                "Neo.TransientError.Transaction.DeadlockDetected",            "50N05", "deadlock detected") \
  X(LOCK_TIMEOUT,            "Neo.ClientError.Transaction.LockAcquisitionTimeout",         "50N18", "a lock could not be had in time") \
  X(TX_LOG,                  "Neo.DatabaseError.Transaction.TransactionLogError",          "50N42", "the transaction could not be written to the log") \
  X(OUTDATED,                "Neo.TransientError.Transaction.Outdated",                    "51N34", "the transaction's data is out of date") \
  X(COMMIT_UNKNOWN,          "Neo.DatabaseError.Transaction.TransactionCommitFailed",      "40003", "it is not known whether the transaction was committed") \
  X(BOOKMARK_INVALID,        "Neo.ClientError.Transaction.InvalidBookmark",                "08N13", "not a bookmark of this database") \
  X(BOOKMARK_TIMEOUT,        "Neo.TransientError.Transaction.BookmarkTimeout",             "08N12", "the bookmark was not reached in time") \
  /* databases and cluster */ \
  X(DATABASE_NOT_FOUND,      "Neo.ClientError.Database.DatabaseNotFound",                  "22N51", "no such database") \
  X(DATABASE_EXISTS,         "Neo.ClientError.Database.ExistingDatabaseFound",             "22N87", "the database exists already") \
  X(DATABASE_LIMIT,          "Neo.DatabaseError.Database.DatabaseLimitReached",            "51N54", "there are as many databases as are allowed") \
  X(DATABASE_UNAVAILABLE,    "Neo.TransientError.General.DatabaseUnavailable",             "08N09", "the database is not available") \
  X(READ_ONLY,               "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",        "51N28", "the database is read-only") \
  X(NOT_LEADER,              "Neo.ClientError.Cluster.NotALeader",                         "08N07", "not the leader of the database") \
  /* protocol and security */ \
  X(PROTOCOL,                "Neo.ClientError.Request.Invalid",                            "08N06", "protocol error") \
  X(REQUEST_FORMAT,          "Neo.ClientError.Request.InvalidFormat",                      "08N06", "the request has the wrong format") \
  X(NO_THREADS,              "Neo.TransientError.Request.NoThreadsAvailable",              "51N31", "no thread is free") \
  X(UNAUTHORIZED,            "Neo.ClientError.Security.Unauthorized",                      "42NFF", "access denied") \
  X(AUTH_RATE_LIMIT,         "Neo.ClientError.Security.AuthenticationRateLimit",           "42NFF", "too many failed attempts") \
  X(CREDENTIALS_EXPIRED,     "Neo.ClientError.Security.CredentialsExpired",                "42NFD", "the password must be changed") \
  X(FORBIDDEN,               "Neo.ClientError.Security.Forbidden",                         "42NFF", "permission denied") \
  X(GENERAL_ARGUMENTS,       "Neo.ClientError.General.InvalidArguments",                   "22N06", "invalid arguments")
// clang-format on
