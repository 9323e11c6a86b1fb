#!/usr/bin/env python3
"""Random chains of relationships over random small multigraphs, against brute force and against the engine without its shortcuts.

usage: patterns.py CYPHER_RUN [ROUNDS [SEED]]

Each round makes a graph with loops and parallel relationships and asks for chains and cycles of up to four relationships in all sorts of ways: counted,
distinct, grouped, limited, as rows. Every statement runs as it comes, without shortcuts, with runs that give up their thread, cold, and in a
graph whose last change changed the labels; all must agree with an enumeration in Python.
"""
import collections
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tck_run import Engine  # noqa: E402

MODES = ["", "F", "I", "W", "IW", "FW"]


class Graph:
    def __init__(self, rng):
        self.n = rng.randrange(1, 12)
        self.labels = [{"A"} | ({"B"} if rng.random() < 0.5 else set()) for _ in range(self.n)]
        if rng.random() < 0.3:  # so that not all ends have the label
            self.labels[rng.randrange(self.n)].discard("A")
        count = rng.randrange(0, 4 * self.n)
        self.rels = [(rng.randrange(self.n), rng.choice("RS"), rng.randrange(self.n)) for _ in range(count)]
        if rng.random() < 0.2:  # a hub of many
            self.rels += [(0, "R", rng.randrange(self.n)) for _ in range(100)]

    def create(self, engine):
        engine.send("R")
        for i in range(self.n):
            run(engine, f"CREATE (:{':'.join(sorted(self.labels[i]) + ['N'])} {{i: {i}, c: 'c' + {i % 3}}})")
        rows = ", ".join(f"{{f: {f}, t: '{t}', e: {e}, i: {i}}}" for i, (f, t, e) in enumerate(self.rels))
        for kind in "RS":
            run(engine, f"UNWIND [{rows}] AS r MATCH (a:N {{i: r.f}}), (b:N {{i: r.e}}) WHERE r.t = '{kind}' CREATE (a)-[:{kind} {{i: r.i}}]->(b)")


class Pattern:
    """Nodes 0..k and relationships between two of them each: a chain, of which the last may close a cycle."""

    def __init__(self, rng):
        self.k = rng.randrange(1, 4) if rng.random() < 0.9 else 4
        self.ends = [(i, i + 1) for i in range(self.k)]
        if self.k > 1 and rng.random() < 0.3:
            self.ends[-1] = (self.k - 1, rng.randrange(self.k - 1))
        self.nodes = sorted({n for e in self.ends for n in e})
        self.types = [rng.choice(["R", "R", "S", "R|S", ""]) for _ in self.ends]
        self.directions = [rng.choice(["->", "->", "<-", "-"]) for _ in self.ends]
        self.labels = {n: rng.choice(["", "", "A", "B"]) for n in self.nodes}
        self.start = rng.choice([None, None, 0, 1, 2])

    def text(self):
        out, named = "", set()
        for r, (a, b) in enumerate(self.ends):
            if r == 0:
                out += self.node(0, named)
            left, right = {"->": ("-", "->"), "<-": ("<-", "-"), "-": ("-", "-")}[self.directions[r]]
            out += f"{left}[r{r}{':' + self.types[r] if self.types[r] else ''}]{right}{self.node(b, named)}"
        return f"MATCH {out}" + (f" WHERE n0.i = {self.start}" if self.start is not None else "")

    def node(self, n, named):
        label = f":{self.labels[n]}" if self.labels[n] and n not in named else ""
        named.add(n)
        return f"(n{n}{label})"

    def matches(self, g):
        """Every match as (nodes by number, relationships)."""
        found = []

        def extend(r, nodes, rels):
            if r == len(self.ends):
                found.append((dict(nodes), tuple(rels)))
                return
            a, b = self.ends[r]
            for i, (f, t, e) in enumerate(g.rels):
                if i in rels or (self.types[r] and t not in self.types[r].split("|")):
                    continue
                ways = {"->": [(f, e)], "<-": [(e, f)], "-": [(f, e)] if f == e else [(f, e), (e, f)]}[self.directions[r]]
                for x, y in ways:
                    if x != nodes[a] or nodes.get(b, y) != y or (self.labels[b] and self.labels[b] not in g.labels[y]):
                        continue
                    extend(r + 1, {**nodes, b: y}, rels + [i])

        for n in range(g.n):
            if (self.start is None or n == self.start) and (not self.labels[0] or self.labels[0] in g.labels[n]):
                extend(0, {0: n}, [])
        return found


def questions(rng, p, found):
    """(statement's end, rows wanted)."""
    n, r = rng.choice(p.nodes), rng.randrange(len(p.ends))
    last = p.ends[-1][1]
    yield "RETURN count(*)", [(len(found),)]
    yield f"RETURN count(DISTINCT n{last})", [(len({m[0][last] for m in found}),)]
    yield f"RETURN count(DISTINCT n{n}), count(n{n}), count(DISTINCT r{r})", [(len({m[0][n] for m in found}), len(found), len({m[1][r] for m in found}))]
    yield f"RETURN DISTINCT n{last}.i", [(i,) for i in {m[0][last] for m in found}]
    yield f"WITH DISTINCT n{last} AS x RETURN x.i", [(i,) for i in {m[0][last] for m in found}]
    yield f"RETURN n{n}.i, count(*)", list(collections.Counter(m[0][n] for m in found).items())
    groups = collections.defaultdict(set)
    for m in found:
        groups[m[0][n]].add(m[0][last])
    yield f"WITH n{n} AS g, count(DISTINCT n{last}) AS c RETURN g.i, c", [(k, len(v)) for k, v in groups.items()]
    yield f"RETURN n{last}.c, count(*)", [(f"'c{k}'", v) for k, v in collections.Counter(m[0][last] % 3 for m in found).items()]
    yield f"WITH n{last}.c AS c, count(*) AS k ORDER BY k DESC, c LIMIT 2 RETURN c, k", top(found, last)
    yield f"WHERE_ n{last}.i > 3 RETURN count(DISTINCT n{last})", [(len({m[0][last] for m in found if m[0][last] > 3}),)]
    yield f"WITH * LIMIT 3 RETURN count(*)", [(min(3, len(found)),)]
    if len(found) < 500:
        columns = [f"n{x}.i" for x in p.nodes] + [f"r{x}.i" for x in range(len(p.ends))]
        yield f"RETURN {', '.join(columns)}", [tuple(m[0][x] for x in p.nodes) + m[1] for m in found]


def top(found, last):
    counts = collections.Counter(m[0][last] % 3 for m in found)
    return [(f"'c{k}'", v) for k, v in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[:2]]


def distance(g, types, direction, start, end, most):
    """Length of the shortest path, None without one."""
    level, seen, length = {start}, {start}, 0
    while level and length < most:
        length += 1
        ways = [(f, e) for f, t, e in g.rels if not types or t in types.split("|")]
        pairs = {"->": ways, "<-": [(e, f) for f, e in ways], "-": ways + [(e, f) for f, e in ways]}[direction]
        level = {y for x, y in pairs if x in level} - seen
        if end in level:
            return length
        seen |= level
    return None


def paths(engine, g, rng, seed):
    """Shortest paths between all pairs of nodes: their length, that they hold together, and as many of them as there are."""
    types, direction, most = rng.choice(["R", "S", "R|S", ""]), rng.choice(["->", "<-", "-"]), rng.choice([2, 15])
    left, right = {"->": ("-", "->"), "<-": ("<-", "-"), "-": ("-", "-")}[direction]
    step = f"{left}[{':' + types if types else ''}*..{most}]{right}"
    wanted = [(a, b, distance(g, types, direction, a, b, most)) for a in range(g.n) for b in range(g.n) if a != b]
    wanted = sorted((str(a), str(b), str(d)) for a, b, d in wanted if d is not None)
    for mode in rng.sample(MODES, 3):
        for letter in mode:
            engine.send(letter)
        for call in ("shortestPath", "allShortestPaths"):
            rows = run(engine, f"MATCH (a:N), (b:N) WHERE a <> b MATCH p = {call}((a){step}(b)) RETURN DISTINCT a.i, b.i, length(p), "
                               "nodes(p)[0] = a AND nodes(p)[-1] = b AND size(nodes(p)) = length(p) + 1 AND all(x IN range(0, length(p) - 1) WHERE "
                               "(startNode(relationships(p)[x]) = nodes(p)[x] AND endNode(relationships(p)[x]) = nodes(p)[x + 1]) OR "
                               "(startNode(relationships(p)[x]) = nodes(p)[x + 1] AND endNode(relationships(p)[x]) = nodes(p)[x]))")
            if sorted(tuple(r) for r in rows) != [(*w, "true") for w in wanted]:
                print(f"seed {seed}, mode {mode}: {call} {step}\n  relationships {g.rels}\n  wanted {wanted}\n  got    {rows}")
                raise SystemExit(1)
        for letter in mode:
            engine.send(letter.lower())
    return 6


def run(engine, statement):
    try:
        answer = engine.ask(statement)
    except EOFError:
        raise SystemExit(f"{statement}: the engine is gone") from None
    if answer.error:
        raise SystemExit(f"{statement}: {answer.error}")
    return answer.rows


def check(engine, g, p, rng, seed):
    found = p.matches(g)
    if len(found) > 20_000:
        return 0
    asked = 0
    for end, wanted in questions(rng, p, found):
        text = p.text()
        if end.startswith("WHERE_"):
            text, end = text + (" AND" if "WHERE" in text else " WHERE"), end[len("WHERE_"):]
        statement = f"{text} {end}"
        wanted = sorted(tuple(str(c) for c in row) for row in wanted)
        for mode in MODES if rng.random() < 0.2 else ["", "F", "I"]:
            for letter in mode:
                engine.send(letter)
            got = sorted(tuple(r) for r in run(engine, statement))
            for letter in mode:
                engine.send(letter.lower())
            asked += 1
            if got != wanted:
                print(f"seed {seed}, mode {mode or 'plain'}: {statement}\n  nodes {g.labels}\n  relationships {g.rels}\n  wanted {wanted[:10]}\n  got    {got[:10]}")
                raise SystemExit(1)
    return asked


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    engine, asked = Engine(sys.argv[1], []), 0
    for round_seed in range(seed, seed + rounds):
        rng = random.Random(round_seed)
        g = Graph(rng)
        g.create(engine)
        asked += paths(engine, g, rng, round_seed)
        for _ in range(4):
            asked += check(engine, g, Pattern(rng), rng, round_seed)
        if g.n > 1:
            victim = rng.randrange(g.n)
            g.labels[victim].symmetric_difference_update({"A"})
            run(engine, f"MATCH (n:N {{i: {victim}}}) {'SET' if 'A' in g.labels[victim] else 'REMOVE'} n:A")
            asked += check(engine, g, Pattern(rng), rng, round_seed)
    print(f"{rounds} graphs, {asked} statements agree")


if __name__ == "__main__":
    main()
