#include "cluster/announcement.h"

#include <string.h>

#include "base/bytes.h"
#include "base/feature_level.h"

enum { HEADER_BYTES = 64, DATABASE_BYTES = 64 };

const char *server_mode_text(enum server_mode mode) {
  static const char *const texts[SERVER_MODE_MAX] = {[SERVER_CORE] = "core",
                                                     [SERVER_READ_REPLICA] = "read replica",
                                                     [SERVER_SINGLE] = "single server",
                                                     [SERVER_GATEWAY] = "gateway"};
  return texts[mode];
}

// ---- writing ----

static enum err put_text(struct buf *to, struct str s, size_t max, const char *what, struct error *e) {
  uint8_t len[2];
  if (s.len > max || !str_is_utf8(s))
    return error_set(e, ERR_LIMIT, "%s '%.*s' is longer than %zu bytes, or not UTF-8", what, STR_ARG(s), max);
  put_u16_le(len, (uint16_t) s.len);
  TRY(buf_append(to, len, sizeof len));
  return buf_append_str(to, s);
}

static enum err put_texts(struct buf *to, const struct announcement *a, struct error *e) {
  size_t start = to->len;
  for (size_t i = 0; i < ADDRESS_MAX; i++)
    TRY(put_text(to, a->addresses[i], ANNOUNCEMENT_ADDRESS_MAX, "the advertised address", e));
  TRY(put_text(to, a->version, ANNOUNCEMENT_VERSION_MAX, "the version", e));
  for (uint32_t i = 0; i < a->tag_count; i++) TRY(put_text(to, a->tags[i], ANNOUNCEMENT_TAG_MAX, "the server group", e));
  while ((to->len - start) % 8 != 0) TRY(buf_append_byte(to, 0));
  return ERR_OK;
}

static enum err put_header(struct buf *to, const struct announcement *a) {
  uint8_t h[HEADER_BYTES] = {0};
  uuid_put(h, a->server);
  put_u64_le(h + 16, a->epoch);
  put_u64_le(h + 24, a->revision);
  put_u64_le(h + 32, a->beat);
  put_u64_le(h + 40, a->sequence);
  put_u32_le(h + 48, a->number);
  put_u32_le(h + 52, a->feature_level);
  h[56] = (uint8_t) a->mode;
  h[57] = (uint8_t) a->state;
  h[58] = (uint8_t) a->tag_count;
  h[59] = (uint8_t) (a->cluster_level > FEATURE_LEVEL_FIRST ? a->cluster_level : 0); // so that older servers can read it
  put_u32_le(h + 60, a->database_count);
  return buf_append(to, h, sizeof h);
}

static enum err put_founding(struct buf *to, const struct founding *f) {
  uint8_t bytes[FOUNDING_BYTES_MAX];
  if (f == NULL) return ERR_OK;
  founding_put(bytes, f);
  return buf_append(to, bytes, founding_bytes(f));
}

static enum err put_database(struct buf *to, const struct announced_database *d) {
  uint8_t bytes[DATABASE_BYTES] = {0};
  uuid_put(bytes, d->uuid);
  put_u64_le(bytes + 16, d->term);
  put_u64_le(bytes + 24, d->applied_index);
  put_u64_le(bytes + 32, d->member);
  bytes[40] = (uint8_t) d->role;
  bytes[41] = (uint8_t) d->status;
  put_u64_le(bytes + 48, d->digest_index);
  put_u64_le(bytes + 56, d->digest);
  return buf_append(to, bytes, sizeof bytes);
}

static enum err put_all(struct buf *to, const struct announcement *a, struct error *e) {
  size_t start = to->len;
  if (a->tag_count > ANNOUNCEMENT_TAGS_MAX)
    return error_set(e, ERR_LIMIT, "a server can be in %u server groups, not %u", ANNOUNCEMENT_TAGS_MAX, a->tag_count);
  if (a->database_count > ANNOUNCEMENT_DATABASES_MAX)
    return error_set(e, ERR_LIMIT, "a server can announce %u databases, not %u", ANNOUNCEMENT_DATABASES_MAX, a->database_count);
  TRY(put_header(to, a));
  TRY(put_texts(to, a, e));
  TRY(put_founding(to, a->founding));
  for (uint32_t i = 0; i < a->database_count; i++) TRY(put_database(to, &a->databases[i]));
  return to->len - start <= ANNOUNCEMENT_BYTES_MAX ? ERR_OK : error_set(e, ERR_LIMIT, "an announcement is too long");
}

enum err announcement_put(struct buf *to, const struct announcement *a, struct error *e) {
  size_t before = to->len;
  enum err err = put_all(to, a, e);
  if (err == ERR_OK) return ERR_OK;
  to->len = before;
  return error_ensure(e, err);
}

// ---- reading ----

struct reader {
  const uint8_t *from;
  size_t at, end;
};

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "an announcement makes no sense: %s", what);
}

static bool get_text(struct reader *r, size_t min, size_t max, struct str *ret) {
  if (r->end - r->at < 2) return false;
  size_t len = get_u16_le(r->from + r->at);
  if (len < min || len > max || r->end - r->at - 2 < len) return false;
  *ret = (struct str){(const char *) r->from + r->at + 2, len};
  r->at += 2 + len;
  return str_is_utf8(*ret);
}

static bool get_texts(struct reader *r, struct announcement *a) {
  for (size_t i = 0; i < ADDRESS_MAX; i++)
    if (!get_text(r, 0, ANNOUNCEMENT_ADDRESS_MAX, &a->addresses[i])) return false;
  if (!get_text(r, 0, ANNOUNCEMENT_VERSION_MAX, &a->version)) return false;
  for (uint32_t i = 0; i < a->tag_count; i++)
    if (!get_text(r, 1, ANNOUNCEMENT_TAG_MAX, &a->tags[i])) return false;
  for (; r->at % 8 != 0; r->at++)
    if (r->at >= r->end || r->from[r->at] != 0) return false;
  return true;
}

static enum err get_header(struct reader *r, struct announcement *a, struct error *e) {
  const uint8_t *h = r->from;
  if (r->end < HEADER_BYTES) return bad(e, "it is cut off");
  *a = (struct announcement){.server = uuid_get(h),
                             .epoch = get_u64_le(h + 16),
                             .revision = get_u64_le(h + 24),
                             .beat = get_u64_le(h + 32),
                             .sequence = get_u64_le(h + 40),
                             .number = get_u32_le(h + 48),
                             .feature_level = get_u32_le(h + 52),
                             .mode = (enum server_mode) h[56],
                             .state = (enum identity_state) h[57],
                             .tag_count = h[58],
                             .cluster_level = h[59],
                             .database_count = get_u32_le(h + 60)};
  r->at = HEADER_BYTES;
  if (uuid_is_none(a->server) || a->number == 0 || a->epoch == 0) return bad(e, "it does not say whose it is");
  if (h[56] < SERVER_CORE || h[56] >= SERVER_MODE_MAX || h[57] < IDENTITY_UNBOUND || h[57] > IDENTITY_BOUND)
    return bad(e, "nobody can be in that state");
  if (a->tag_count > ANNOUNCEMENT_TAGS_MAX || a->database_count > ANNOUNCEMENT_DATABASES_MAX) return bad(e, "it names too much");
  return ERR_OK;
}

/// Who is prepared is in the founding, under the number that it has.
static bool fits_state(const struct announcement *a) {
  if (a->state == IDENTITY_UNBOUND) return true;
  const struct founder *self = founding_find(a->founding, a->server);
  return self != NULL ? self->number == a->number : a->state == IDENTITY_BOUND;
}

/// What has nothing to give away says nothing by which it could be taken for somebody who has.
static bool fits_mode(const struct announcement *a) {
  bool fits = a->state != IDENTITY_PREPARED && a->database_count == 0;
  for (size_t i = 0; i < ADDRESS_MAX; i++) fits &= i == ADDRESS_DISCOVERY || a->addresses[i].len == 0;
  return fits || a->mode != SERVER_GATEWAY;
}

static enum err get_founding(struct reader *r, struct arena *arena, struct announcement *a, struct error *e) {
  struct founding *f = arena_alloc(arena, sizeof *f);
  size_t len;
  if (f == NULL) return arena_err(arena, e);
  TRY(founding_get(r->from + r->at, r->end - r->at, f, &len, e));
  r->at += len;
  a->founding = f;
  return ERR_OK;
}

static bool get_database(const uint8_t *from, struct announced_database *ret) {
  for (size_t i = 42; i < 48; i++)
    if (from[i] != 0) return false;
  *ret = (struct announced_database){.uuid = uuid_get(from),
                                     .term = get_u64_le(from + 16),
                                     .applied_index = get_u64_le(from + 24),
                                     .member = get_u64_le(from + 32),
                                     .role = (enum database_role) from[40],
                                     .status = (enum database_status) from[41],
                                     .digest_index = get_u64_le(from + 48),
                                     .digest = get_u64_le(from + 56)};
  return from[40] < ROLE_MAX && from[41] < DATABASE_STATUS_MAX;
}

static enum err get_databases(const uint8_t *from, struct arena *arena, struct announcement *a, struct error *e) {
  if (a->database_count == 0) return ERR_OK;
  struct announced_database *databases = arena_alloc(arena, a->database_count * sizeof *databases);
  if (databases == NULL) return arena_err(arena, e);
  for (uint32_t i = 0; i < a->database_count; i++)
    if (!get_database(from + i * DATABASE_BYTES, &databases[i])) return bad(e, "one of its databases");
  a->databases = databases;
  return ERR_OK;
}

enum err announcement_get(const uint8_t *from, size_t bytes, struct arena *arena, struct announcement *ret, struct error *e) {
  struct reader r = {.from = from, .end = bytes};
  struct announcement a;
  if (bytes > ANNOUNCEMENT_BYTES_MAX) return bad(e, "it is too long");
  TRY(get_header(&r, &a, e));
  if (!get_texts(&r, &a)) return bad(e, "one of its texts");
  if (!fits_mode(&a)) return bad(e, "a gateway has nothing but a discovery address");
  if (a.state != IDENTITY_UNBOUND) TRY(get_founding(&r, arena, &a, e));
  if (!fits_state(&a)) return bad(e, "its state and its founding do not fit");
  if (bytes - r.at != (size_t) a.database_count * DATABASE_BYTES) return bad(e, "its length");
  TRY(get_databases(from + r.at, arena, &a, e));
  *ret = a;
  return ERR_OK;
}

// ---- comparing ----

static bool same_texts(const struct announcement *a, const struct announcement *b) {
  if (!str_eq(a->version, b->version) || a->tag_count != b->tag_count) return false;
  for (size_t i = 0; i < ADDRESS_MAX; i++)
    if (!str_eq(a->addresses[i], b->addresses[i])) return false;
  for (uint32_t i = 0; i < a->tag_count; i++)
    if (!str_eq(a->tags[i], b->tags[i])) return false;
  return true;
}

static bool same_founding(const struct founding *a, const struct founding *b) {
  return a == b || (a != NULL && b != NULL && uuid_eq(a->cluster, b->cluster));
}

static bool same_databases(const struct announcement *a, const struct announcement *b) {
  if (a->database_count != b->database_count) return false;
  for (uint32_t i = 0; i < a->database_count; i++) {
    const struct announced_database *x = &a->databases[i], *y = &b->databases[i];
    if (!uuid_eq(x->uuid, y->uuid) || x->term != y->term || x->role != y->role || x->status != y->status ||
        x->member != y->member)
      return false;
  }
  return true;
}

bool announcement_same(const struct announcement *a, const struct announcement *b) {
  return uuid_eq(a->server, b->server) && a->epoch == b->epoch && a->sequence == b->sequence && a->number == b->number &&
         a->feature_level == b->feature_level && a->cluster_level == b->cluster_level && a->mode == b->mode && a->state == b->state &&
         same_founding(a->founding, b->founding) && same_texts(a, b) && same_databases(a, b);
}

int announcement_cmp_version(uint64_t a_epoch, uint64_t a_revision, uint64_t b_epoch, uint64_t b_revision) {
  if (a_epoch != b_epoch) return a_epoch < b_epoch ? -1 : 1;
  return a_revision == b_revision ? 0 : a_revision < b_revision ? -1 : 1;
}
