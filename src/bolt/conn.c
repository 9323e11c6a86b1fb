#include "bolt/conn.h"

#include "bolt/reply.h"

// Beyond the mark of queued requests so many bytes are still read, because a RESET among them must be seen.
enum { OVER_MARK_BYTES_MAX = 64 * 1024 };

void bolt_conn_init(struct bolt_conn *c, const struct bolt_conn_setup *setup, int64_t now_ms) {
  *c = (struct bolt_conn){.setup = *setup, .unauthenticated_since_ms = now_ms, .written_ms = now_ms, .progress_ms = now_ms};
}

void bolt_conn_done(struct bolt_conn *c) {
  bolt_session_free(c->session);
  bolt_transport_done(&c->transport);
  bolt_chunk_reader_done(&c->chunks);
  buf_done(&c->wire);
  buf_done(&c->tls_hello);
  buf_done(&c->early);
}

bool bolt_conn_is_authenticated(const struct bolt_conn *c) {
  return c->session != NULL && bolt_session_is_authenticated(c->session);
}

bool bolt_conn_is_idle(const struct bolt_conn *c) {
  return c->session == NULL || bolt_session_is_idle(c->session);
}

bool bolt_conn_is_busy(const struct bolt_conn *c) {
  return c->session != NULL && bolt_session_is_busy(c->session);
}

bool bolt_conn_could_go_on(const struct bolt_conn *c) {
  return c->session != NULL && !c->finish && !bolt_session_waits(c->session) &&
         (bolt_session_is_busy(c->session) || bolt_session_queued(c->session) > 0);
}

bool bolt_conn_disconnect(struct bolt_conn *c) {
  return c->session == NULL || bolt_session_disconnect(c->session);
}

static void lost(struct bolt_conn *c) {
  c->abort = true;
}

static void give_up(struct bolt_conn *c, _Atomic uint64_t *counter, const char *why) {
  bolt_tally_add(counter, 1);
  c->gave_up = why;
  lost(c);
}

// ---- output ----

/// Moves what the session wrote to the wire.
static void collect(struct bolt_conn *c, int64_t now_ms) {
  if (c->session == NULL) return;
  struct buf *out = bolt_session_out(c->session);
  if (out->len == 0) return;
  c->written_ms = now_ms;
  if (bolt_transport_send(&c->transport, out, &c->wire) != ERR_OK) lost(c);
}

static void say(struct bolt_conn *c, struct str bytes, int64_t now_ms) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  c->written_ms = now_ms;
  if (buf_append_str(&out, bytes) != ERR_OK || bolt_transport_send(&c->transport, &out, &c->wire) != ERR_OK) lost(c);
}

static void close_behind_answer(struct bolt_conn *c) {
  if (c->finish) return;
  c->finish = true;
  if (bolt_transport_end(&c->transport, &c->wire) != ERR_OK) lost(c);
}

void bolt_conn_set_sent(struct bolt_conn *c, size_t unsent_bytes, uint64_t sent_bytes, int64_t now_ms) {
  if (sent_bytes != c->sent_bytes || unsent_bytes == 0) c->progress_ms = now_ms;
  if (unsent_bytes <= c->setup.settings->out_low_bytes) c->transport_bytes = 0;
  c->unsent_bytes = unsent_bytes;
  c->sent_bytes = sent_bytes;
}

// ---- running ----

/// Full at so many requests, or at as many bytes as one message may have.
static void check_marks(struct bolt_conn *c) {
  const struct bolt_settings *set = c->setup.settings;
  uint32_t queued = bolt_session_queued(c->session);
  uint64_t bytes = bolt_session_queued_bytes(c->session);
  if (queued >= set->queue_high || bytes >= set->message_bytes) c->queue_full = true;
  if (queued <= set->queue_low && bytes < set->message_bytes) {
    c->queue_full = false;
    c->over_mark_bytes = 0;
  }
  c->pause_reading = c->early.len > 0 || (c->queue_full && c->over_mark_bytes >= OVER_MARK_BYTES_MAX);
}

/// What a commit's answer will follow within a moment goes out with it: one packet, not two. A commit that takes long does not
/// hold it back: see bolt_conn_tick.
static void collect_unless_more_follows(struct bolt_conn *c, int64_t now_ms) {
  if (c->session == NULL || !bolt_session_commits(c->session)) collect(c, now_ms);
}

void bolt_conn_run(struct bolt_conn *c, int64_t now_ms) {
  if (c->session == NULL || c->abort) return;
  bool was_authenticated = bolt_conn_is_authenticated(c);
  c->run_again = bolt_session_run(c->session, c->unsent_bytes + c->wire.len);
  if (was_authenticated && !bolt_conn_is_authenticated(c)) c->unauthenticated_since_ms = now_ms; // LOGOFF
  collect_unless_more_follows(c, now_ms);
  check_marks(c);
  if (bolt_session_state(c->session) == BOLT_DEFUNCT) close_behind_answer(c);
}

// ---- input ----

static void open_session(struct bolt_conn *c) {
  struct bolt_session_setup setup = {
      .settings = c->setup.settings,
      .dbms = c->setup.dbms,
      .version = c->handshake.version,
      .by_manifest = c->handshake.by_manifest,
      .peer = c->setup.peer,
      .local = c->setup.local,
      .connection_id = c->setup.connection_id,
      .owner = c->setup.owner,
      .tally = c->setup.tally,
      .events = c->setup.events,
  };
  if (bolt_session_new(&setup, &c->session, NULL) != ERR_OK) lost(c);
}

/// Takes the handshake's part of the bytes. True when the version is agreed.
static bool receive_handshake(struct bolt_conn *c, const uint8_t **bytes, size_t *len, int64_t now_ms) {
  while (c->session == NULL && *len > 0) {
    size_t taken = bolt_handshake_receive(&c->handshake, *bytes, *len);
    *bytes += taken;
    *len -= taken;
    struct str answer = bolt_handshake_take_answer(&c->handshake);
    if (answer.len > 0) say(c, answer, now_ms);
    if (c->handshake.state == BOLT_HANDSHAKE_DONE) open_session(c);
    if (c->handshake.state == BOLT_HANDSHAKE_REFUSED) close_behind_answer(c);
    if (c->abort || c->finish) return false;
  }
  return c->session != NULL;
}

static size_t message_bytes_max(const struct bolt_conn *c) {
  const struct bolt_settings *set = c->setup.settings;
  return bolt_conn_is_authenticated(c) ? set->message_bytes : set->unauthenticated_message_bytes;
}

static void refuse_length(struct bolt_conn *c, int64_t now_ms) {
  struct error error = ERROR_INIT;
  error_set(&error, ERR_PROTOCOL, "The message is longer than %zu bytes.", message_bytes_max(c));
  collect(c, now_ms);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  if (bolt_reply_failure(&out, c->handshake.version, &error, NULL, NULL) == ERR_OK) say(c, buf_str(&out), now_ms);
  close_behind_answer(c);
}

static bool login_is_under_way(const struct bolt_conn *c) {
  return !bolt_conn_is_authenticated(c) && bolt_session_waits(c->session);
}

static void keep_for_later(struct bolt_conn *c, const uint8_t *bytes, size_t len) {
  if (buf_append(&c->early, bytes, len) != ERR_OK) lost(c);
}

/// One message from the bytes. False when there is no further one.
static bool receive_message(struct bolt_conn *c, const uint8_t **bytes, size_t *len, int64_t now_ms) {
  struct str message;
  enum err err = bolt_chunk_read(&c->chunks, bytes, len, message_bytes_max(c), &message);
  if (err == ERR_SHORT) return false;
  if (err == ERR_LIMIT) {
    refuse_length(c, now_ms);
    return false;
  }
  if (err == ERR_OK) err = bolt_session_receive(c->session, message);
  if (err != ERR_OK) lost(c);
  return err == ERR_OK;
}

/// Before login each message is worked on at once, because the limits of the next depend on it.
static void receive_messages(struct bolt_conn *c, const uint8_t *bytes, size_t len, int64_t now_ms) {
  while (!c->finish && !c->abort) {
    if (login_is_under_way(c)) {
      keep_for_later(c, bytes, len);
      break;
    }
    if (!receive_message(c, &bytes, &len, now_ms)) break;
    if (!bolt_conn_is_authenticated(c)) bolt_conn_run(c, now_ms);
  }
  bolt_conn_run(c, now_ms);
}

void bolt_conn_operation_done(struct bolt_conn *c, int64_t now_ms) {
  bolt_session_operation_done(c->session);
  bolt_conn_run(c, now_ms);
  if (c->early.len == 0 || login_is_under_way(c)) return;
  CLEANUP(buf_done) struct buf early = c->early;
  c->early = BUF_INIT;
  receive_messages(c, (const uint8_t *) early.data, early.len, now_ms);
}

static void receive_bolt(struct bolt_conn *c, const uint8_t *bytes, size_t len, int64_t now_ms) {
  if (c->queue_full) c->over_mark_bytes += len;
  if (!receive_handshake(c, &bytes, &len, now_ms)) return;
  receive_messages(c, bytes, len, now_ms);
}

static struct bolt_transport_policy policy_now(const struct bolt_conn *c, int64_t wall_s) {
  const struct bolt_settings *set = c->setup.settings;
  return (struct bolt_transport_policy){
      .tls_level = set->tls_level,
      .allowed_origins = set->allowed_origins,
      .allowed_origin_count = set->allowed_origin_count,
      .discovery = {set->advertised_address, 7687, set->product_version, set->edition},
      .frame_bytes_max = bolt_conn_is_authenticated(c) ? 0 : set->websocket_frame_bytes,
      .wall_s = wall_s,
  };
}

static void receive_through_transport(struct bolt_conn *c, const uint8_t *bytes, size_t len, int64_t now_ms, int64_t wall_s) {
  CLEANUP(buf_done) struct buf in = BUF_INIT;
  struct bolt_transport_policy policy = policy_now(c, wall_s);
  size_t waiting = c->wire.len;
  enum bolt_transport_result result = bolt_transport_receive(&c->transport, &policy, bytes, len, &in, &c->wire);
  c->transport_bytes += c->wire.len - waiting;
  switch (result) {
  case BOLT_TRANSPORT_GO_ON: receive_bolt(c, (const uint8_t *) in.data, in.len, now_ms); break;
  case BOLT_TRANSPORT_START_TLS:
    c->tls_hello = in;
    in = BUF_INIT;
    c->start_tls = true;
    break;
  case BOLT_TRANSPORT_CLOSE:
    receive_bolt(c, (const uint8_t *) in.data, in.len, now_ms);
    close_behind_answer(c);
    break;
  case BOLT_TRANSPORT_NO_MEMORY: lost(c); break;
  }
  // A client that pings and reads no pong would fill the memory.
  if (c->transport_bytes > c->setup.settings->out_high_bytes) give_up(c, &c->setup.tally->stalled, "it sends on and reads no answers");
}

void bolt_conn_receive(struct bolt_conn *c, const uint8_t *bytes, size_t len, int64_t now_ms, int64_t wall_s) {
  bolt_tally_add(&c->setup.tally->bytes_received, len);
  if (c->finish || c->abort) return;
  if (c->transport.kind == BOLT_TRANSPORT_PLAIN)
    receive_bolt(c, bytes, len, now_ms);
  else
    receive_through_transport(c, bytes, len, now_ms, wall_s);
}

// ---- time ----

static bool too_long(int64_t since_ms, int64_t now_ms, int64_t limit_ms) {
  return limit_ms > 0 && now_ms - since_ms >= limit_ms;
}

static bool keep_alive_is_due(const struct bolt_conn *c, int64_t now_ms) {
  return bolt_conn_is_busy(c) && c->handshake.version->noop_out &&
         too_long(c->written_ms, now_ms, c->setup.settings->keep_alive_ms);
}

void bolt_conn_tick(struct bolt_conn *c, int64_t now_ms) {
  const struct bolt_settings *set = c->setup.settings;
  if (c->finish || c->abort) return;
  collect(c, now_ms);
  if (!bolt_conn_is_authenticated(c) && too_long(c->unauthenticated_since_ms, now_ms, set->unauthenticated_timeout_ms))
    give_up(c, &c->setup.tally->unauthenticated_timeouts, "it did not log in in time (quiver.bolt.login_timeout)");
  else if (c->unsent_bytes > set->out_low_bytes && too_long(c->progress_ms, now_ms, set->stall_timeout_ms))
    give_up(c, &c->setup.tally->stalled, "it reads nothing of its answers");
  else if (keep_alive_is_due(c, now_ms))
    say(c, (struct str){"\0\0", 2}, now_ms); // between messages: the session hands over whole ones
}
