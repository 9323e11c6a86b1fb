#!/usr/bin/env python3
"""The same random statements on the same random graph in three engines: one has no indexes and no rewrites of plans, one both, by cost, and
one every rewrite that is possible. The answers must be the same.

usage: differ.py CYPHER_RUN [-n STATEMENTS] [-s SEED] [-v]

Rows are compared in order where the statement fixes it (every ORDER BY ends in a key that no two rows share), else as a bag. Both engines
run the writes, too, some of them in the statement that asks, so that indexes are read with the transaction's own changes on top.
"""
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tck_run import Engine  # noqa: E402

INDEXES = [
    "CREATE INDEX FOR (n:P) ON (n.x)",
    "CREATE INDEX FOR (n:P) ON (n.k)",
    "CREATE INDEX FOR (n:P) ON (n.k, n.x)",
    "CREATE CONSTRAINT FOR (n:P) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX FOR (n:Q) ON (n.x)",
    "CREATE INDEX FOR ()-[r:R]-() ON (r.x)",
    "CREATE INDEX FOR ()-[r:R]-() ON (r.w, r.x)",
    "CREATE CONSTRAINT FOR ()-[r:S]-() REQUIRE r.id IS UNIQUE",
]


class Statements:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.id = 0

    def pick(self, *of):
        return self.random.choice(of)

    def number(self, top=6):
        return self.random.randrange(top)

    def value(self):
        """Few different values of many types, so that they meet; some are too long for a key, some are one instant in two zones."""
        kind = self.number(12)
        n = self.number(4)
        if kind < 4:
            return str(n)
        return [
            f"{n}.5", f"{n}.0", f"'t{n}'", self.pick("true", "false"), f"[{n}, 1]", f"date('2020-01-0{n + 1}')",
            f"'{'long' * 222}{n}{'er' * self.number(20)}'",
            f"datetime('2020-01-01T1{n}:00:00+0{n}:00')",
            f"datetime('2020-01-01T1{n}:00:00{self.pick('+02:00', 'Z', '[Europe/Berlin]')}')",
        ][self.number(9)]

    def next_id(self):
        self.id += 1
        return self.id

    def new_node(self):
        self.next_id()
        label = self.pick("P", "P", "P", "Q")
        keys = [f"id: {self.id}"]
        if self.number() > 0:
            keys.append(f"x: {self.value()}")
        if self.number() > 1:
            keys.append(f"k: {self.number(4)}")
        return f"(:{label} {{{', '.join(keys)}}})"

    def write(self):
        kind = self.number(11)
        if kind > 8:
            return f"MATCH ()-[r:{self.pick('R', 'S')} {{w: {self.number(5)}}}]->() WHERE r.id % 3 = 1 {self.pick('SET r.x = ' + self.value(), 'SET r.w = null', 'DELETE r')}"
        if kind < 3:
            return f"CREATE {', '.join(self.new_node() for _ in range(1 + self.number(5)))}"
        if kind == 3:
            return f"MATCH (n:P {{id: {1 + self.number(max(1, self.id))}}}) SET n.x = {self.value()}"
        if kind == 4:
            return f"MATCH (n {{id: {1 + self.number(max(1, self.id))}}}) DETACH DELETE n"
        if kind == 5:
            return f"MATCH (n {{id: {1 + self.number(max(1, self.id))}}}) SET n.k = {self.pick('null', str(self.number(4)))}"
        top = self.pick(12, 12, max(1, self.id))  # a few nodes get many relationships, loops and parallel ones among them
        return (f"MATCH (a {{id: {1 + self.number(top)}}}), (b {{id: {1 + self.number(top)}}}) "
                f"CREATE (a)-[:{self.pick('R', 'S')} {{w: {self.number(5)}, x: {self.value()}, id: {self.next_id()}}}]->(b)")

    def predicate(self, v):
        return self.pick(
            f"{v}.x IS NOT NULL", f"{v}.x > {self.value()}", f"{v}.x <= {self.value()}", f"{v}.x STARTS WITH 't'", f"{v}.k = {self.number(4)} AND {v}.x IS NOT NULL",
            f"{v}.k >= {self.number(3)} AND {v}.x IS NOT NULL", f"{v}.k IS NOT NULL", f"{v}.k IN [0, {self.number(4)}] AND {v}.x IS NOT NULL",
            f"{v}.x = {self.value()}", f"{v}.id > {self.number(9)}")

    def arrow(self, r):
        rel = f"[{r}:{self.pick('R', 'R', 'S', 'R|S')}]"
        return self.pick(f"-{rel}->", f"-{rel}->", f"<-{rel}-", f"-{rel}-")

    def ways(self):
        """Counting over the last hop, with loops and parallel relationships on the way."""
        hops = self.pick(1, 2, 2, 2, 3)
        start = self.pick("", "MATCH (a:P) WITH a ", "MATCH (a) WHERE a.id < 20 WITH a ")  # where it begins, else left to the planner
        pattern = self.pick("(a)", "(a:P)", "(a {k: 1})") + "".join(f"{self.arrow(r)}({v})" for r, v in zip("rst", "bcd"[:hops]))
        last, before, rel = "abcd"[hops], "abcd"[hops - 1], "rst"[hops - 1]
        where = self.pick("", "", f" WHERE {last}.k > 0", f" WHERE {before}.k IS NOT NULL", f" WHERE {last}.id > {before}.id", f" WHERE NOT {last} = {before}")
        call = self.pick("count(*)", f"count({last})", f"count({last}.k)", f"sum({last}.k)", f"sum({rel}.w)", f"max({last}.id)", f"count(DISTINCT {last})",
                         f"count(*) AS n, sum({last}.id), min({rel}.id)", f"count({last}.x) AS n, count(DISTINCT {last}.k)", "avg(1)")
        key = self.pick("", f"{last}.k AS k, ", f"{last}.id AS k, ", f"{before}.id AS k, ", f"{rel}.w AS k, ", f"type({rel}) AS k, ", "a.id AS k, ")
        optional = self.pick("", "", "", f" OPTIONAL MATCH ({last}){self.arrow('o')}(e) WHERE e.k > 0 WITH {last}, e")
        if optional:
            return f"{start}MATCH {pattern}{where}{optional} RETURN {self.pick('', last + '.id AS k, ')}{self.pick('count(*)', 'count(e)', 'sum(e.id)')} AS v"
        if self.number() == 0:
            return f"{start}MATCH {pattern}{where} RETURN DISTINCT {self.pick(last, before + ', ' + last, last + '.k')}"
        if self.number() == 0:
            return f"MATCH (p:P) WHERE p.k = 1 CALL {{ WITH p MATCH (p){self.arrow('q')}(a){self.arrow('r')}(b) RETURN b.k AS k, count(*) AS v }} RETURN p.id, k, v"
        return f"{start}MATCH {pattern}{where} RETURN {key}{call}"

    def rel_predicate(self):
        return self.pick(
            f"r.x = {self.value()}", f"r.x >= {self.value()}", f"r.x < {self.value()}", "r.x IS NOT NULL", "r.x STARTS WITH 'long'",
            f"r.w = {self.number(5)}", f"r.w = {self.number(5)} AND r.x IS NOT NULL", f"r.w IN [1, {self.number(5)}] AND r.x IS NOT NULL",
            f"r.id = {1 + self.number(max(1, self.id))}", f"r.id IN [{self.number(50)}, {self.number(50)}]", f"r.w > {self.number(5)} AND r.x IS NOT NULL")

    def order(self, v, more):
        direction = self.pick("", " DESC")
        keys = [f"{v}.{self.pick('x', 'x', 'k', 'id')}{direction}"]
        if self.number() > 2:
            keys.append(f"{v}.{self.pick('x', 'k')}{self.pick(direction, direction, ' DESC')}")
        return ", ".join(keys + more)

    def question(self):
        n, kind = "n", self.number(13)
        if kind > 9:
            return self.ways(), False
        limit = self.pick("", "", f" LIMIT {self.number(8)}", f" SKIP {self.number(4)} LIMIT {self.number(8)}")
        tail = self.pick("n.id", "n.id DESC")
        where = self.predicate(n)
        if kind < 3:
            return f"MATCH (n:P) WHERE {where} RETURN n.id AS id, n.x AS x, n.k AS k ORDER BY {self.order(n, [tail])}{limit}", True
        if kind == 3:
            best = self.pick("min", "max")
            return f"MATCH (n:P){self.pick('', '-[:R]->(m)', '-[:R]->(m:P)')} {self.pick('', 'WHERE ' + where)} RETURN {best}(n.{self.pick('x', 'k', 'id')}) AS v", True
        if kind == 4:
            return (f"MATCH (n:P)-[r:{self.pick('R', 'S', 'R|S')}]-(m) WHERE {where} "
                    f"RETURN n.id AS i, m.id AS j, r.w AS w ORDER BY {self.order(n, ['n.id', 'm.id', 'r.w', 'elementId(r)'])}{limit}", True)
        if kind > 7:
            r, pattern = "r", self.pick("()-[r:R]->()", "(a)-[r:R]-(b)", "(a:P)<-[r:R]-(b)", "()-[r:S]->()", "(c)-[:S]->(a)-[r:R]->(b)", "(a)-[r:R]->(b)-[q:R]-(c)")
            where = self.pick(self.rel_predicate(), self.rel_predicate() + " AND " + self.rel_predicate())
            if self.number() == 0:
                return f"MATCH {pattern} WHERE {where} RETURN {self.pick('min', 'max')}(r.{self.pick('x', 'w', 'id')}) AS v", True
            before = self.pick("", "", "", f"{self.write()} WITH count(*) AS done ")
            return f"{before}MATCH {pattern} WHERE {where} RETURN r.id AS id ORDER BY {self.pick('r.x', 'r.w', 'r.x DESC')}, r.id{limit}", True
        if kind == 5:
            return (f"MATCH (q:Q) CALL {{ WITH q MATCH (n:P) WHERE {where} RETURN n ORDER BY {self.order(n, [tail])} LIMIT {self.number(5)} }} "
                    f"RETURN q.id, n.id", False)
        if kind == 6:
            return (f"MATCH (n:P) WHERE {where} WITH n AS a ORDER BY {self.order('a', ['a.id'])}{limit} OPTIONAL MATCH (a)-[r]->(m:P) "
                    f"RETURN a.id AS i, m.id AS j, r.id AS k ORDER BY {self.order('a', ['i', 'j', 'k'])}", True)
        return f"{self.write()} WITH count(*) AS done MATCH (n:P) WHERE {where} RETURN n.id AS id, n.x AS x ORDER BY {self.order(n, [tail])}{limit}", True


def option(name, otherwise):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else otherwise


def same(a, b, ordered, statement):
    if (a.error is None) != (b.error is None):
        return False
    if " RETURN m" in statement:  # min() and max() of 1 and 1.0 are either
        return [[re.sub(r"\.0$", "", v) for v in r] for r in a.rows] == [[re.sub(r"\.0$", "", v) for v in r] for r in b.rows]
    return a.rows == b.rows if ordered else sorted(a.rows) == sorted(b.rows)


def main():
    seed = option("-s", 1)
    made = Statements(seed)
    engines = [Engine(sys.argv[1], options) for options in (["N"], [], ["A"])]
    for statement in INDEXES:
        assert all(e.ask(statement).error is None for e in engines[1:]), statement
    failed = rows = refused = 0
    for i in range(option("-n", 1500)):
        statement, ordered = made.question() if i % 3 == 2 else (made.write(), False)
        answers = [e.ask(statement) for e in engines]
        rows += len(answers[0].rows)
        refused += answers[0].error is not None
        if "-v" in sys.argv:
            print(statement, answers[0].error)
        if not all(same(answers[0], a, ordered, statement) for a in answers[1:]):
            failed += 1
            print(f"seed {seed}, statement {i}: {statement}")
            for name, a in zip(("plain", "by cost", "rewritten"), answers):
                print(f"    {name:9} {a.error or a.rows[:12]}")
    print(f"{rows} rows, {refused} statements refused by both, {failed} differ")
    return 1 if failed or rows == 0 or refused > 5 else 0


if __name__ == "__main__":
    sys.exit(main())
