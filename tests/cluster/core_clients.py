"""Clients of a cluster of real servers, each a thread with a driver of its own, and what they can say of it afterwards.

A workload makes what it needs (`prepare`), is a client while the round lasts (`once`, again and again), and judges what it finds at the end.
"""
import collections
import itertools
import random
import threading
import time

from core_members import place
from driver import ANOTHER_LEADS, Anywhere, Driver, Refused, Unknown
from lib.bolt import Failure
from list_append import Txn, check

EXPECTED = ("Neo.DatabaseError.Transaction.TransactionLogError", "Neo.DatabaseError.Transaction.TransactionCommitFailed")


def is_expected(cause, routes):
    """A cluster in trouble may say this; anything else is a mistake. Only who `routes` can do something with another leader."""
    expected = EXPECTED + ANOTHER_LEADS if routes else EXPECTED
    return not isinstance(cause, Failure) or cause.code in expected or cause.code.startswith("Neo.TransientError.")


class Round:
    """What the clients of one round share. `addresses` are those of cores, `readers` of all; `bookmark` is the highest that any of them was
    given; `changes` counts when a database begins to be made or dropped, and while it may be `changing` is true."""

    def __init__(self, number, addresses, values, readers):
        self.number, self.addresses, self.values, self.readers, self.changes = number, addresses, values, readers, 0
        self.stop, self.begin, self.bookmark, self.changing = threading.Event(), time.monotonic(), None, False
        self.merged = collections.Counter()  # (name, outcome)

    def key(self, i):
        return f"{self.number}-{i}"

    def tell(self, bookmark):
        if self.bookmark is None or place(bookmark) > place(self.bookmark):
            self.bookmark = bookmark


class Client(threading.Thread):
    database = "neo4j"

    def __init__(self, of, number, seed):
        super().__init__(daemon=True)
        self.of, self.number, self.rng = of, number, random.Random(f"{seed} {of.number} {number}")
        self.routes = self.rng.random() < 0.5
        self.driver = Driver(of.addresses, self.rng, self.database) if self.routes else Anywhere(of.readers, self.rng, self.database)
        self.bookmark = None
        self.counts, self.wrong, self.causes = collections.Counter(), [], collections.Counter()

    def run(self):
        trouble = 0
        while not self.of.stop.is_set():
            try:
                self.once()
                self.counts["acknowledged"] += 1
                trouble = 0
            except Refused as refused:
                self.counts["refused"] += 1
                self.note(refused.cause)
                trouble += 1
            except Unknown as unknown:
                self.counts["unknown"] += 1
                self.counts["unanswered"] += unknown.unanswered
                self.note(unknown.cause)
            except Exception as problem:  # nobody looks at a thread that has ended
                self.wrong.append(f"client {self.number}: {problem!r}")
                raise
            self.of.stop.wait(self.rng.uniform(0, min(0.02 * 2 ** trouble, 0.5)))
        self.driver.close()

    def note(self, cause):
        self.causes[cause.code if isinstance(cause, Failure) else type(cause).__name__] += 1
        if not is_expected(cause, self.routes):
            self.wrong.append(f"client {self.number} ({type(self).__name__}, {'routes' if self.routes else 'anywhere'}) was told: {cause}")

    def some_bookmark(self):
        """Its own, that of others, or none."""
        return self.rng.choice((self.bookmark, self.bookmark, self.of.bookmark, None))

    def given(self, bookmark):
        self.bookmark = bookmark
        self.of.tell(bookmark)

    def write(self, statement, **parameters):
        """An auto-commit or an explicit transaction, which must come to the same."""
        if self.rng.random() < 0.5:
            rows, bookmark = self.driver.auto_commit("WRITE", self.some_bookmark(), statement, parameters)
        else:
            rows, bookmark = self.driver.attempt("WRITE", self.some_bookmark(), lambda tx: tx.run(statement, parameters).rows)
        self.given(bookmark)
        return rows


class Lists(Client):
    """Transactions of one to four appends to lists and reads of them."""

    KEYS = 5
    prepare = f"UNWIND range(0, {KEYS - 1}) AS i MERGE (l:List {{key: $round + '-' + i}}) ON CREATE SET l.v = [], l.round = $round"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.history = []

    def perform(self, tx, kinds, ops):
        for kind in kinds:
            key = self.of.key(self.rng.randrange(self.KEYS))
            if kind == "a":
                value = next(self.of.values)
                ops.append(("a", key, value))  # sent, whatever comes of it
                seen = tx.run("MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v", {"key": key, "value": value}).rows
            else:
                seen = tx.run("MATCH (l:List {key: $key}) RETURN l.v", {"key": key}).rows
            if len(seen) == 1:
                ops.append(("r", key, seen[0][0]))
            else:
                self.wrong.append(f"{len(seen)} lists with the key {key}, bookmark {self.bookmark}")

    def once(self):
        kinds = self.rng.choices("ar", k=self.rng.randint(1, 4))
        role = "WRITE" if "a" in kinds or self.rng.random() < 0.3 else "READ"
        after, ops, begin, outcome, bookmark = self.some_bookmark() or self.of.prepared, [], time.monotonic(), "ok", None
        try:
            _, bookmark = self.driver.attempt(role, after, lambda tx: self.perform(tx, kinds, ops))
            self.given(bookmark)
        except Refused:
            outcome = "failed"
            raise
        except Unknown:
            outcome = "unknown"
            raise
        finally:
            self.history.append(Txn(begin, time.monotonic(), outcome, ops, place(after), bookmark and place(bookmark)))

    @staticmethod
    def judge(of, clients, ask):
        final = dict(ask("MATCH (l:List {round: $round}) RETURN l.key, l.v"))
        yield from check(list(itertools.chain(*(c.history for c in clients))), final)


class Counters(Client):
    KEYS = 2
    prepare = f"UNWIND range(0, {KEYS - 1}) AS i MERGE (c:Counter {{key: $round + '-' + i}}) ON CREATE SET c.n = 0, c.round = $round"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = collections.Counter()

    def once(self):
        key, outcome = self.of.key(self.rng.randrange(self.KEYS)), "acknowledged"
        try:
            self.write("MATCH (c:Counter {key: $key}) SET c.n = c.n + 1", key=key)
        except Refused:
            outcome = "refused"
            raise
        except Unknown:
            outcome = "unknown"
            raise
        finally:
            self.asked[key, outcome] += 1

    @staticmethod
    def judge(of, clients, ask):
        asked = sum((c.asked for c in clients), collections.Counter())
        for key, n in ask("MATCH (c:Counter {round: $round}) RETURN c.key, c.n"):
            least = asked[key, "acknowledged"]
            if not least <= n <= least + asked[key, "unknown"]:
                yield f"counter {key} is {n} after {least} acknowledged and {asked[key, 'unknown']} unknown"


class Walkers(Client):
    """Each takes steps of its own, and looks for each, with the bookmark that it was given, on members at random."""

    prepare = "UNWIND range(0, 15) AS i MERGE (w:Walker {key: $round + '-' + i}) ON CREATE SET w.round = $round"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.step, self.outcome = 0, {}

    def once(self):
        self.step += 1
        key = self.of.key(self.number)
        self.outcome[self.step] = "unknown"
        try:
            self.write(self.step_statement(), key=key, i=self.step, round=str(self.of.number))
            self.outcome[self.step] = "acknowledged"
        except Refused:
            self.outcome[self.step] = "refused"
            raise
        address = self.rng.choice(self.of.readers)
        rows, _ = self.driver.auto_commit("READ", self.bookmark, "MATCH (:Walker {key: $key})-[:STEP]->(s:Step {i: $i}) RETURN count(s)",
                                          {"key": key, "i": self.step}, address=address)
        if rows != [[1]]:
            self.wrong.append(f"step {self.step} of {key} is {rows} times on {address} with its bookmark {self.bookmark}")

    def step_statement(self):
        """Now and then with names that nobody has used before, two clients at the same time."""
        new = f"{self.of.number}_{self.step // 25}"
        return f"MATCH (w:Walker {{key: $key}}) CREATE (w)-[:STEP {{i: $i}}]->(:Step:Part{new} {{i: $i, round: $round, key{new}: $i}})"

    @staticmethod
    def judge(of, clients, ask):
        found = collections.Counter((key, i) for key, i in ask("MATCH (w:Walker {round: $round})-[:STEP]->(s:Step) RETURN w.key, s.i"))
        for client in clients:
            for step, outcome in client.outcome.items():
                n = found[of.key(client.number), step]
                if n not in {"acknowledged": (1,), "refused": (0,), "unknown": (0, 1)}[outcome]:
                    yield f"step {step} of {of.key(client.number)}, {outcome}, is there {n} times"


class Mergers(Client):
    """Several merge the same new name at the same moment."""

    NAMES_A_SECOND = 15
    prepare = None

    def once(self):
        name, outcome = self.of.key(int((time.monotonic() - self.of.begin) * self.NAMES_A_SECOND)), "acknowledged"
        try:
            self.write("MERGE (u:User {name: $name}) ON CREATE SET u.n = 1, u.round = $round ON MATCH SET u.n = u.n + 1", name=name, round=str(self.of.number))
        except Refused:
            outcome = "refused"
            raise
        except Unknown:
            outcome = "unknown"
            raise
        finally:
            self.of.merged[name, outcome] += 1

    @staticmethod
    def judge(of, clients, ask):
        found = ask("MATCH (u:User {round: $round}) RETURN u.name, u.n")
        counts, n_of = collections.Counter(name for name, _ in found), dict(found)
        for name in {name for name, _ in of.merged} | set(counts):
            acknowledged, unknown = of.merged[name, "acknowledged"], of.merged[name, "unknown"]
            if counts[name] > 1:
                yield f"{counts[name]} users are called {name}"
            if not acknowledged <= n_of.get(name, 0) <= acknowledged + unknown:
                yield f"user {name} was merged {n_of.get(name, 0)} times; {acknowledged} acknowledged, {unknown} unknown"


class Carriers(Client):
    """Transactions that are too long for one entry of the log: whole, or not at all."""

    NODES, TEXT, A_ROUND = 600, "x" * 8000, 2
    prepare = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.outcome = {}

    def once(self):
        if len(self.outcome) == self.A_ROUND:
            self.of.stop.wait()
            return
        self.of.stop.wait(self.rng.uniform(0, 1.5))
        load = len(self.outcome)
        self.outcome[load] = "unknown"
        try:
            self.write("UNWIND range(1, $n) AS i CREATE (:Bulk {key: $round + '-' + $load + '-' + i, load: $load, round: $round, text: $text})",
                       n=self.NODES, load=load, round=str(self.of.number), text=self.TEXT)
            self.outcome[load] = "acknowledged"
        except Refused:
            self.outcome[load] = "refused"
            raise

    @staticmethod
    def judge(of, clients, ask):
        found = dict(ask("MATCH (b:Bulk {round: $round}) RETURN b.load, count(b)"))
        for client in clients:
            for load, outcome in client.outcome.items():
                allowed = {"acknowledged": (client.NODES,), "refused": (0,), "unknown": (0, client.NODES)}[outcome]
                if found.get(load, 0) not in allowed:
                    yield f"load {load}, {outcome}, has {found.get(load, 0)} of {client.NODES} nodes"


class Planners(Client):
    """One that makes and drops indexes and a constraint while others write."""

    MADE = {"step_i": "CREATE INDEX step_i IF NOT EXISTS FOR (s:Step) ON (s.i)", "user_n": "CREATE INDEX user_n IF NOT EXISTS FOR (u:User) ON (u.n)",
            "bulk_key": "CREATE CONSTRAINT bulk_key IF NOT EXISTS FOR (b:Bulk) REQUIRE b.key IS UNIQUE"}
    prepare = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.may_be = {name: {True, False} for name in self.MADE}  # there, or not

    def once(self):
        self.of.stop.wait(self.rng.uniform(0, 0.5))
        name = self.rng.choice(sorted(self.MADE))
        make = self.may_be[name] == {False} or self.rng.random() < 0.5
        try:
            _, bookmark = self.driver.auto_commit("WRITE", self.some_bookmark(), self.MADE[name] if make else self.dropping(name))
        except Unknown:
            self.may_be[name].add(make)
            raise
        self.may_be[name] = {make}
        self.given(bookmark)
        address = self.rng.choice(self.of.readers)
        rows, _ = self.driver.auto_commit("READ", bookmark, "SHOW INDEXES YIELD name", address=address)
        if ([name] in rows) != make:
            self.wrong.append(f"{name} is {'not ' if make else ''}there on {address} with the bookmark {bookmark} of its {'making' if make else 'drop'}")

    @staticmethod
    def dropping(name):
        return f"DROP {'CONSTRAINT' if name == 'bulk_key' else 'INDEX'} {name} IF EXISTS"

    @staticmethod
    def judge(of, clients, ask):
        found = dict(ask("SHOW INDEXES YIELD name, state"))
        for client in clients:
            for name, may_be in client.may_be.items():
                if (name in found) not in may_be:
                    yield f"index {name} is {'' if name in found else 'not '}there, and may be: {may_be}"
        for name, state in found.items():
            if state != "ONLINE":
                yield f"index {name} is {state}"
