"""Statements made to hurt. Each gets an answer or the right error within seconds; its session goes on, the others do not notice."""
import threading
import time

from base import HomeCase, connect
from lib.bolt import Failure

N = 100_000
MEGABYTE = 1 << 20
SYNTAX = "Neo.ClientError.Statement.SyntaxError"
ARGUMENT = "Neo.ClientError.Statement.ArgumentError"
ARITHMETIC = "Neo.ClientError.Statement.ArithmeticError"
UNSUPPORTED = "Neo.ClientError.Statement.UnsupportedOperationError"
TX_MEMORY = "Neo.ClientError.General.TransactionOutOfMemoryError"
TIMEOUT = "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration"
LEAST, MOST = "-9223372036854775808", "9223372036854775807"

NESTED = {
    "parentheses": "RETURN " + "(" * N + "1" + ")" * N,
    "parentheses that stay open": "RETURN " + "(" * N,
    "lists": "RETURN " + "[" * N + "]" * N,
    "maps": "RETURN " + "{a:" * N + "1" + "}" * N,
    "CASE": "RETURN " + "CASE WHEN true THEN " * N + "1" + " END" * N,
    "NOT": "RETURN " + "NOT " * N + "true",
    "signs": "RETURN " + "- " * N + "1",
    "sums": "RETURN " + "1+" * N + "1",
    "powers": "RETURN " + "2^" * N + "1",
    "calls of functions": "RETURN " + "abs(" * N + "1" + ")" * N,
    "indexes": "RETURN x" + "[0]" * N,
    "properties": "RETURN x" + ".a" * N,
    "comprehensions": "RETURN " + "[x IN " * N + "[1]" + "]" * N,
    "reduce": "RETURN " + "reduce(a = 0, x IN [1] | " * N + "1" + ")" * N,
    "EXISTS": "MATCH (n) WHERE " + "EXISTS { MATCH (n) WHERE " * N + "true" + "}" * N + " RETURN n",
    "COUNT": "RETURN " + "COUNT { RETURN " * N + "1" + "}" * N,
    "CALL": "CALL { " * N + "RETURN 1 AS x" + " }" * N + " RETURN 1",
    "FOREACH": "FOREACH (x IN [1] | " * N + "CREATE ()" + ")" * N,
    "labels": "MATCH (n:" + "(" * N + "A" + ")" * N + ") RETURN 1",
    "patterns": "MATCH " + "(" * N + "()" + ")" * N + " RETURN 1",
}

# statement: its value, or the code of its error
NUMBERS = {
    f"RETURN {LEAST} AS x": -2**63,
    f"RETURN {MOST} + 1 AS x": ARITHMETIC,
    f"RETURN {LEAST} - 1 AS x": ARITHMETIC,
    f"RETURN {MOST} * 2 AS x": ARITHMETIC,
    f"WITH {LEAST} AS n RETURN -n AS x": ARITHMETIC,
    f"RETURN {LEAST} % -1 AS x": 0,
    "RETURN 1 / 0 AS x": ARITHMETIC,
    "RETURN 1 % 0 AS x": ARITHMETIC,
    "RETURN 1.0 / 0 AS x": float("inf"),
    f"UNWIND [{MOST}, 1] AS n RETURN sum(n) AS x": ARITHMETIC,
    "RETURN 99999999999999999999 AS x": SYNTAX,
    "RETURN 1e999 AS x": SYNTAX,
    f"RETURN range(0, {MOST}, {MOST}) AS x": [0, 2**63 - 1],
    f"RETURN size(range(1, {MOST})) AS x": ARGUMENT,
    f"RETURN substring('abc', {MOST}, {MOST}) AS x": "",
    "RETURN substring('abc', -1) AS x": ARGUMENT,
    f"RETURN [1, 2, 3][{LEAST}] AS x": None,
    f"RETURN [1, 2, 3][{LEAST}..{MOST}] AS x": [1, 2, 3],
    f"UNWIND [1, 2] AS n RETURN n AS x ORDER BY n SKIP 1 LIMIT {MOST}": 2,
    f"RETURN duration({{years: {MOST}}}) AS x": ARITHMETIC,
    "RETURN date({year: 999999999999}) AS x": ARGUMENT,
    f"RETURN date('2020-01-01') + duration({{days: {MOST}}}) AS x": ARITHMETIC,
    "MATCH (a)-[*99999999999999999999]->(b) RETURN count(*) AS x": SYNTAX,
    f"MATCH (a)-[*1..{MOST}]->(b) RETURN count(*) AS x": 0,
    "RETURN toString([1, 2]) AS x": "Neo.ClientError.Statement.TypeError",
    "RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(((a|b)+)+)+$' AS x": ARGUMENT,
    "RETURN 'x' =~ '(((a{1,1000}){1,1000}){1,1000}){1,1000}' AS x": SYNTAX,
    "RETURN 'x' =~ '" + "(" * N + "a" + ")" * N + "' AS x": SYNTAX,
    "RETURN 'x' =~ '[' AS x": SYNTAX,
}

# Under a limit of 100 MB for a transaction. The client's time is ten seconds.
EXPLOSIONS = {
    "a text that doubles in one expression": ("RETURN size(reduce(s = 'x', i IN range(1, 40) | s + s))", TX_MEMORY),
    "a text that doubles in many projections": ("WITH 'x' AS s " + "WITH s + s AS s " * 40 + "RETURN size(s)", TX_MEMORY),
    "a list that doubles": ("RETURN size(reduce(l = [1], i IN range(1, 40) | l + l))", TX_MEMORY),
    "a text whose characters become texts": ("RETURN size(replace(replace('" + "a" * 600 + "', 'a', '" + "a" * 600 + "'), 'a', '" + "a" * 600 + "'))", TX_MEMORY),
    "a list of itself": ("WITH 1 AS l " + "WITH [l, l] AS l " * 40 + "RETURN count(DISTINCT l)", ARGUMENT),
    "a map of itself": ("WITH 1 AS m " + "WITH {a: m, b: m} AS m " * 40 + "RETURN m = m", ARGUMENT),
    "a list of a list of a list": ("WITH [1] AS l " + "WITH [l, l, l, l, l, l, l, l] AS l " * 9 + "RETURN size(l)", ARGUMENT),
    "nesting without end": (f"RETURN reduce(l = [], i IN range(1, {N}) | [l])", ARGUMENT),
    "a long range": ("RETURN range(1, 2000000000)", TX_MEMORY),
    "rows without end": (f"UNWIND range(1, {N}) AS a UNWIND range(1, {N}) AS b UNWIND range(1, {N}) AS c RETURN count(*)", TIMEOUT),
    "everything in one list": ("UNWIND range(1, 3000000) AS a UNWIND range(1, 100) AS b WITH collect(toString(a)) AS l RETURN size(l)", TX_MEMORY),
    "rows to be sorted": ("UNWIND range(1, 3000000) AS a UNWIND range(1, 100) AS b RETURN a + b AS c ORDER BY c", TX_MEMORY),
    "groups without end": ("UNWIND range(1, 3000000) AS a RETURN toString(a), count(*)", TX_MEMORY),
}


class Neighbour:
    """A session that asks something small all the time; `worst_s` is the longest that it ever waited, `problem` what it got instead."""

    def __init__(self, server):
        self.bolt, self.worst_s, self.problem, self.goes_on = connect(server), 0, None, True
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        while self.goes_on and self.problem is None:
            begun = time.monotonic()
            try:
                rows = self.bolt.run("RETURN 1 AS one").rows
                self.problem = None if rows == [[1]] else rows
            except (Failure, OSError) as why:
                self.problem = why
            self.worst_s = max(self.worst_s, time.monotonic() - begun)
            time.sleep(0.005)

    def leave(self):
        self.goes_on = False
        self.thread.join()
        self.bolt.close()


class Statements(HomeCase):
    def setUp(self):
        super().setUp()
        self.running = self.server(auth=False, settings={"db.memory.transaction.max": "100m"}).start()
        self.addCleanup(self.stop_well)
        self.bolt = connect(self.running)
        self.addCleanup(self.bolt.close)

    def stop_well(self):
        self.assertEqual(self.running.stop(), 0, self.running.console())

    def fails(self, code, text, position=False, **extra):
        with self.assertRaises(Failure) as caught:
            self.bolt.run(text, **extra)
        self.assertEqual(caught.exception.code, code, caught.exception.message[:500])
        if position:
            self.assertRegex(caught.exception.message, r"\(line \d+, column \d+ \(offset: \d+\)\)")
        self.assertEqual(self.bolt.run("RETURN 1 AS one").rows, [[1]])
        return caught.exception

    def test_nesting_a_hundred_thousand_levels_deep(self):
        for name, text in NESTED.items():
            with self.subTest(name):
                self.fails(SYNTAX, text, position=True)

    def test_what_is_wide_and_not_deep_is_answered(self):
        self.assertEqual(self.bolt.run("RETURN " + "true AND " * N + "true AS x").rows, [[True]])
        self.assertEqual(self.bolt.run("RETURN size([" + "1," * N + "1]) AS x").rows, [[N + 1]])
        self.assertEqual(self.bolt.run("RETURN 1 IN [" + "2," * N + "1] AS x").rows, [[True]])

    def test_statements_of_ten_megabytes(self):
        size = 10 * MEGABYTE
        self.assertEqual(self.bolt.run("RETURN size('" + "x" * size + "') AS n").rows, [[size]])
        self.assertEqual(self.bolt.run("RETURN 1 AS one /*" + " " * size + "*/").rows, [[1]])
        self.assertEqual(self.bolt.run("RETURN size($s) AS n", {"s": "x" * size}).rows, [[size]])
        self.assertIn(f"offset: {size + 8})", self.fails(SYNTAX, "RETURN " + " " * size + "(", position=True).message)
        self.fails(SYNTAX, "\x01" * size, position=True)
        self.fails(SYNTAX, "RETURN '" + "x" * size, position=True)

    def test_numbers_at_and_beyond_their_ends(self):
        for text, expected in NUMBERS.items():
            with self.subTest(text[:80]):
                if isinstance(expected, str) and expected.startswith("Neo."):
                    self.fails(expected, text)
                else:
                    self.assertEqual(self.bolt.run(text).rows, [[expected]])

    def test_values_and_rows_that_explode(self):
        before = self.running.memory_mb()
        for name, (text, code) in EXPLOSIONS.items():
            with self.subTest(name):
                self.fails(code, text, tx_timeout=10_000)
        self.assertLess(self.running.memory_mb() - before, 400)

    def test_the_neighbours_do_not_notice(self):
        neighbours = [Neighbour(self.running) for _ in range(3)]
        for name, text in [(name, text) for name, (text, _) in EXPLOSIONS.items()] + [*NESTED.items()]:
            with self.subTest(name), self.assertRaises(Failure):
                self.bolt.run(text, tx_timeout=10_000)
        for n in neighbours:
            n.leave()
        self.assertEqual([n.problem for n in neighbours], [None] * len(neighbours))
        self.assertLess(max(n.worst_s for n in neighbours), 10)

    def test_large_statements_and_what_they_compute_do_not_stay_in_memory(self):
        before = self.running.memory_mb()
        for i in range(10):
            self.bolt.run("RETURN size([" + f"{i}," * MEGABYTE + "1]) AS n")
            self.fails(TX_MEMORY, EXPLOSIONS["a text whose characters become texts"][0] + f" + {i}")
        self.assertLess(self.running.memory_mb() - before, 500)

    def test_rows_of_a_megabyte_wait_until_they_are_read(self):
        before = self.running.memory_mb()
        with connect(self.running) as lazy:
            lazy.send(0x10, "UNWIND range(1, 2000) AS i RETURN $s AS s", {"s": "x" * MEGABYTE}, {})
            lazy.send(0x3F, {"n": -1})
            time.sleep(1)
            self.assertLess(self.running.memory_mb() - before, 300)
        self.assertEqual(self.bolt.run("RETURN 1 AS one").rows, [[1]])

    def test_a_value_too_long_to_be_sent_is_refused(self):
        parts = ", ".join(["$s"] * 9)
        with self.assertRaises(Failure) as caught:
            self.bolt.run(f"WITH [{parts}] AS p RETURN [{', '.join(['p'] * 9)}] AS l", {"s": "x" * (4 * MEGABYTE)})
        self.assertEqual(caught.exception.code, ARGUMENT, caught.exception.message)
        self.assertIn("cannot be sent", caught.exception.message)
        self.assertEqual(self.bolt.run("RETURN 1 AS one").rows, [[1]])
