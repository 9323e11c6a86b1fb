"""Clients of registers who carry no bookmark and read linearizably, wherever they are connected."""
import time

from core_clients import Client
from driver import Unknown
from linearizable import Op, linearizable

METADATA = {"quiver.consistency": "linearizable"}


class Registers(Client):
    """Each writes values that nobody else writes, and reads on members and read replicas at random."""

    KEYS = 2
    prepare = f"UNWIND range(0, {KEYS - 1}) AS i MERGE (r:Register {{key: $round + '-' + i}}) ON CREATE SET r.v = 0, r.round = $round"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.history = []  # (key, Op)

    def once(self):
        key = self.of.key(self.rng.randrange(self.KEYS))
        if self.rng.random() < 0.3:
            self.write_one(key, next(self.of.values))
        else:
            self.read_one(key)

    def write_one(self, key, value):
        begin = time.monotonic()
        try:
            self.driver.auto_commit("WRITE", None, "MATCH (r:Register {key: $key}) SET r.v = $value", {"key": key, "value": value})
        except Unknown:
            self.history.append((key, Op(begin, None, "w", value)))
            raise
        self.history.append((key, Op(begin, time.monotonic(), "w", value)))

    def read_one(self, key):
        begin, address = time.monotonic(), self.rng.choice(self.of.readers)
        role = "READ" if self.routes else self.rng.choice(("READ", "WRITE"))
        statement, parameters = "MATCH (r:Register {key: $key}) RETURN r.v", {"key": key}
        if self.rng.random() < 0.5:
            rows, _ = self.driver.auto_commit(role, None, statement, parameters, address, METADATA)
        else:
            rows, _ = self.driver.attempt(role, None, lambda tx: tx.run(statement, parameters).rows, address, METADATA)
        if len(rows) != 1:
            self.wrong.append(f"{len(rows)} registers with the key {key} on {address}, read linearizably")
            return
        self.history.append((key, Op(begin, time.monotonic(), "r", rows[0][0])))

    @staticmethod
    def judge(of, clients, ask):
        for key in map(of.key, range(Registers.KEYS)):
            history = [op for c in clients for its, op in c.history if its == key]
            verdict = linearizable(history, initial=0)
            if verdict is not True:
                yield f"register {key}: {len(history)} operations {'are not linearizable' if verdict is False else 'are too many to tell'}: {sorted(history)}"
