// DEALLOCATE DATABASES FROM SERVER, DROP SERVER and ENABLE SERVER, in Neo4j's words. A command says in `system` that a server
// leaves (departure.h); what comes of it is the groups' and the servers' own.
#include "dbms/command.h"
#include "dbms/departure_check.h"

enum { SHORT_NAME_BYTES = 8 };

struct command {
  struct transaction *tx;
  struct result *result;
  const struct ast *text;
  struct value parameters;
  struct arena arena;
  struct departure_view view; // as it is when the command is carried out
};

static struct dbms *dbms_of(const struct command *c) {
  return c->tx->database->dbms;
}

// ---- what is not there ----

static enum err refuse_unknown(const struct command *c, struct error *e) {
  const struct ast *n = c->text;
  const char *what = NULL;
  switch ((enum ast_verb) n->server.verb) {
  case AST_VERB_DROP:
  case AST_VERB_DEALLOCATE: break;
  case AST_VERB_ENABLE:
    what = n->server.options != NULL ? "this server knows no OPTIONS of servers. Leave them out" : NULL;
    break;
  case AST_VERB_REALLOCATE: what = "a database is on all servers of its cluster: there is nothing to reallocate"; break;
  default: what = "ALTER SERVER and RENAME SERVER are not available in this server"; break;
  }
  if (n->server.dry_run) what = "DRYRUN is not available in this server";
  if (what != NULL) return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: %s.", what);
  if (dbms_of(c)->cluster != NULL) return ERR_OK;
  return error_set(e, ERR_UNSUPPORTED_ADMIN,
                   "Unsupported administration command: this server is in no cluster (dbms.mode=SINGLE).");
}

// ---- which server ----

static bool is_called(const struct command *c, const struct roster_server *s, struct str name) {
  struct str own = departure_server_name(&c->view, s);
  return str_eq_nocase(own, name) || (name.len >= SHORT_NAME_BYTES && own.len > name.len && !uuid_is_none(s->server) &&
                                      str_eq_nocase((struct str){own.ptr, name.len}, name));
}

static const char *verb_name(const struct command *c) {
  switch ((enum ast_verb) c->text->server.verb) {
  case AST_VERB_DROP: return "drop";
  case AST_VERB_ENABLE: return "enable";
  default: return "deallocate";
  }
}

static enum err find(struct command *c, struct str name, const struct roster_server **ret, struct error *e) {
  const struct roster_server *found = NULL;
  for (uint32_t i = 0; i < c->view.roster.count; i++) {
    const struct roster_server *s = &c->view.roster.servers[i];
    if (!is_called(c, s, name)) continue;
    if (found != NULL)
      return error_set(e, ERR_ARGUMENT, "Could not %s server '%.*s': more than one is called so. Give the whole id.",
                       verb_name(c), STR_ARG(name));
    found = s;
  }
  if (found == NULL || (found->said != NULL && found->said->mode != SERVER_CORE))
    return error_set(e, ERR_ARGUMENT,
                     "Could not %s server '%.*s': no core of this cluster is called so. SHOW SERVERS tells of all servers.",
                     verb_name(c), (int) MIN(name.len, (size_t) 100), name.ptr);
  *ret = found;
  return ERR_OK;
}

// ---- the three ----

/// The list is read again, so that the next server of the same command meets this one there.
static enum err reread(struct command *c, struct error *e) {
  c->result->counters.system_updates++;
  return departures_read(c->tx->graph_tx, &c->view.list, e);
}

static enum err leave(struct command *c, struct str name, enum departure_kind kind, struct error *e) {
  const struct roster_server *s = NULL;
  TRY(find(c, name, &s, e));
  const struct departure *known = departures_find(&c->view.list, s->server, s->number);
  if (known != NULL && known->kind >= kind) return ERR_OK;
  enum err err = departure_check_minimum(&c->view, s, kind, e);
  if (err != ERR_OK)
    return error_prefix(e, "Could not %s server '%.*s'", verb_name(c), STR_ARG(departure_server_name(&c->view, s)));
  struct departure departure = {.server = s->server, .number = s->number, .kind = kind};
  TRY(known != NULL ? departures_drop(c->tx->graph_tx, known, e) : departures_add(c->tx->graph_tx, &departure, e));
  return reread(c, e);
}

static enum err deallocate(struct command *c, struct error *e) {
  AST_EACH(n, c->text->server.names) {
    struct str name;
    TRY(command_text(n, c->parameters, &name, e));
    TRY(leave(c, name, DEPARTS_FROM_DATABASES, e));
  }
  return ERR_OK;
}

static enum err enable(struct command *c, struct str name, struct error *e) {
  const struct roster_server *s = NULL;
  TRY(find(c, name, &s, e));
  const struct departure *known = departures_find(&c->view.list, s->server, s->number);
  if (known == NULL) return ERR_OK; // every server that joins is
  if (known->kind == DEPARTS)
    return error_set(e, ERR_ARGUMENT, "Could not enable server '%.*s': it is dropped, and may have been told already.",
                     STR_ARG(name));
  TRY(departures_cancel(c->tx->graph_tx, known, e));
  return reread(c, e);
}

static enum err carry_out(struct command *c, struct error *e) {
  struct str name;
  TRY(refuse_unknown(c, e));
  TRY(roster_take(dbms_of(c), &c->arena, &c->view.roster, e));
  TRY(departures_lock(c->tx->graph_tx, e));
  TRY(departures_read(c->tx->graph_tx, &c->view.list, e));
  if (c->text->server.verb == AST_VERB_DEALLOCATE) return deallocate(c, e);
  TRY(command_text(c->text->server.name, c->parameters, &name, e));
  return c->text->server.verb == AST_VERB_DROP ? leave(c, name, DEPARTS, e) : enable(c, name, e);
}

enum err command_server(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  struct command *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  *c = (struct command){.tx = t, .result = r, .text = n, .parameters = parameters};
  c->view.dbms = dbms_of(c);
  c->view.arena = &c->arena;
  arena_init(&c->arena, &t->budget);
  enum err err = carry_out(c, e);
  arena_done(&c->arena);
  mem_free(c);
  return err;
}
