"""Clients of databases that are made and dropped while others write to them."""
import collections

from core_clients import Client
from driver import Refused, Unknown
from lib.bolt import Failure

NAMES = ["made-a", "made-b"]
GONE = ("Neo.ClientError.Database.DatabaseNotFound", "Neo.ClientError.Transaction.InvalidBookmark")  # made, dropped or another since


class Makers(Client):
    """One that makes and drops databases, and makes others under their names."""

    prepare, database = None, "system"
    HOW = {"CREATE DATABASE `{}` IF NOT EXISTS": {True}, "CREATE OR REPLACE DATABASE `{}`": {True}, "DROP DATABASE `{}` IF EXISTS": {False}}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.may_be, self.lasts = {name: {True, False} for name in NAMES}, False

    def once(self):
        self.of.stop.wait(self.rng.uniform(0.2, 1.5))
        name, (how, then) = self.rng.choice(NAMES), self.rng.choice(list(self.HOW.items()))
        self.of.changes += 1
        self.of.changing = True
        try:
            _, bookmark = self.driver.auto_commit("WRITE", self.bookmark, how.format(name))
        except Unknown:
            self.may_be[name] = self.may_be[name] | then
            self.lasts = True  # it may be done at any time from now on
            raise
        finally:
            self.of.changing = self.lasts
        self.may_be[name], self.bookmark = then, bookmark
        self.look(name, then, bookmark)

    def look(self, name, then, bookmark):
        address = self.rng.choice(self.of.readers)
        rows, _ = self.driver.auto_commit("READ", bookmark, "SHOW DATABASES YIELD name", address=address)
        if ([name] in rows) not in then:
            self.wrong.append(f"{name} is {'' if [name] in rows else 'not '}there on {address} behind bookmark {bookmark}")

    @staticmethod
    def judge(of, clients, ask):
        found = {row[0] for row in ask("SHOW DATABASES YIELD name", "system")}
        for client in clients:
            for name, may_be in client.may_be.items():
                if (name in found) not in may_be:
                    yield f"database {name} is {'' if name in found else 'not '}there, and may be: {may_be}"


class Archivists(Client):
    """Each writes numbers into the database of a name; the id of a node says which one it was."""

    prepare = None

    def __init__(self, of, number, seed):
        self.database = NAMES[number % len(NAMES)]
        super().__init__(of, number, seed)
        self.acknowledged, self.refused, self.n = collections.defaultdict(set), set(), 0

    def note(self, cause):
        if isinstance(cause, Failure) and cause.code in GONE:
            self.causes[cause.code] += 1
            self.bookmark = None
        else:
            super().note(cause)

    def some_bookmark(self):
        return self.bookmark  # others have theirs from other databases

    def given(self, bookmark):
        self.bookmark = bookmark

    def once(self):
        self.n += 1
        key, changes, changing = f"{self.number}-{self.n}", self.of.changes, self.of.changing
        try:
            rows = self.write("CREATE (a:Archived {key: $key, round: $round}) RETURN elementId(a)", key=key, round=str(self.of.number))
        except Refused:
            self.refused.add(key)
            raise
        self.acknowledged[rows[0][0].split(":")[1]].add(key)
        address = self.rng.choice(self.of.readers)
        rows, _ = self.driver.auto_commit("READ", self.bookmark, "MATCH (a:Archived {round: $round, key: $key}) RETURN count(a)",
                                          {"round": str(self.of.number), "key": key}, address=address)
        if rows != [[1]] and changes == self.of.changes and not changing:
            self.wrong.append(f"{key} is {rows} times in {self.database} on {address} with its bookmark {self.bookmark}")

    @staticmethod
    def judge(of, clients, ask):
        for name, uuid in ask("SHOW DATABASES YIELD name, databaseID RETURN DISTINCT name, databaseID", "system"):
            if name not in NAMES:
                continue
            found = collections.Counter(row[0] for row in ask("MATCH (a:Archived {round: $round}) RETURN a.key", name))
            acknowledged = set().union(*(c.acknowledged[uuid] for c in clients if c.database == name))
            refused = set().union(*(c.refused for c in clients))
            lost = acknowledged - set(found)
            if lost:
                yield f"{len(lost)} of {len(acknowledged)} writes that were acknowledged are not in {name}: {sorted(lost)[:5]}"
            if refused & set(found):
                yield f"refused, and in {name}: {sorted(refused & set(found))[:5]}"
            yield from (f"{key} is {n} times in {name}" for key, n in found.items() if n > 1)
