#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cypher/fingerprint.h"
#include "cypher/token.h"

TEST(every_word_is_at_its_place_in_the_table) {
  static const struct {
    const char *name;
    uint32_t slot;
  } words[] = {
#define TEST_WORD(name, slot) {#name, slot},
      TOKEN_WORDS(TEST_WORD)
#undef TEST_WORD
  };
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
    uint32_t slot = word_slot(words[i].name, strlen(words[i].name));
    if (slot != words[i].slot) fail_msg("the place of %s is %u", words[i].name, slot);
    for (size_t k = 0; k < i; k++)
      if (words[k].slot == slot) fail_msg("%s and %s meet at %u: find another multiplier", words[k].name, words[i].name, slot);
  }
}

static void expect_tokens(const char *text, const uint16_t *kinds, size_t count) {
  struct arena a;
  arena_init(&a, NULL);
  struct token_array tokens;
  uint32_t at;
  assert_ok(token_split(&a, str_of(text), &tokens, &at));
  assert_int_equal(tokens.count, count + 1);
  for (size_t i = 0; i < count; i++)
    if (tokens.items[i].kind != kinds[i]) fail_msg("token %zu of %s is %u, not %u", i, text, tokens.items[i].kind, kinds[i]);
  assert_int_equal(tokens.items[count].kind, T_END);
  arena_done(&a);
}

#define EXPECT_TOKENS(text, ...) \
  expect_tokens(text, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

TEST(text_falls_into_tokens) {
  EXPECT_TOKENS("match MATCH mAtCh matches", K_MATCH, K_MATCH, K_MATCH, T_NAME);
  EXPECT_TOKENS("1..3 1.5 .5 1e3 1.5e-3 0x1F a.b", T_INTEGER, T_DOTDOT, T_INTEGER, T_FLOAT, T_FLOAT, T_INTEGER, T_FLOAT,
                T_INTEGER, T_NAME, T_DOT, T_NAME);
  EXPECT_TOKENS("<= >= <> < > =~ = + += || | :: :", T_LE, T_GE, T_NE, T_LT, T_GT, T_MATCHES, T_EQ, T_PLUS, T_PLUSEQ, T_BARBAR,
                T_BAR, T_COLONCOLON, T_COLON);
  EXPECT_TOKENS("'a\\'b' \"c\" `d``e` 'f", T_STRING, T_STRING, T_QUOTED, T_BAD);
  EXPECT_TOKENS("/* a */ x // b\n y", T_NAME, T_NAME);
  EXPECT_TOKENS("a-->b<-[c]", T_NAME, T_MINUS, T_MINUS, T_GT, T_NAME, T_LT, T_MINUS, T_LBRACKET, T_NAME, T_RBRACKET);
}

static struct cypher_fingerprint fingerprint(struct arena *a, const char *text) {
  struct cypher_fingerprint f;
  assert_ok(cypher_fingerprint(a, str_of(text), &f));
  return f;
}

TEST(statements_that_differ_in_literals_share_a_fingerprint) {
  struct arena a;
  arena_init(&a, NULL);
  struct cypher_fingerprint one = fingerprint(&a, "MATCH (n {x: 1}) WHERE n.y = 'a' RETURN n");
  struct cypher_fingerprint two = fingerprint(&a, "MATCH (n {x:  27}) /* c */ WHERE n.y='bcd' RETURN n");
  assert_int_equal(one.hash, two.hash);
  assert_true(str_eq(one.text, two.text));
  assert_int_equal(two.literal_count, 2);
  assert_int_equal(two.literals[0].kind, CYPHER_INTEGER_LITERAL);
  assert_int_equal(two.literals[0].len, 2);
  assert_true(fingerprint(&a, "MATCH (n {x: 1.0}) WHERE n.y = 'a' RETURN n").hash != one.hash);
  assert_true(fingerprint(&a, "MATCH (N {x: 1}) WHERE n.y = 'a' RETURN n").hash != one.hash);
  arena_done(&a);
}

TESTS(T(every_word_is_at_its_place_in_the_table), T(text_falls_into_tokens),
      T(statements_that_differ_in_literals_share_a_fingerprint))
