"""What the official drivers do with a cluster, small: routing tables, whom to ask, what to try again.

An attempt ends in one of three ways: it returns; Refused, when certainly nothing was changed; Unknown, when nobody can tell. Where the
drivers would try again, an attempt is Refused: that nothing has happened then is a promise, and the histories hold the servers to it.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.bolt import Bolt, Failure  # noqa: E402

CONNECT_S = 1.5
ANOTHER_LEADS = ("Neo.ClientError.Cluster.NotALeader", "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase")


class Refused(Exception):
    """.cause is a Failure, an OSError or a text."""

    def __init__(self, cause):
        super().__init__(str(cause))
        self.cause = cause


class Unknown(Exception):
    """.cause is a Failure or an OSError; .unanswered: the connection was closed behind a COMMIT, which an orderly stop must not do."""

    def __init__(self, cause, explicit):
        super().__init__(str(cause))
        self.cause, self.unanswered = cause, explicit and isinstance(cause, ConnectionError)


class Driver:
    """Of one client, one thread. `routers` are the addresses that it knows from the start."""

    ANSWER_S = 4.0

    def __init__(self, routers, rng, database="neo4j"):
        self.seeds, self.rng, self.database = list(routers), rng, database
        self.table, self.expires, self.idle = {}, 0.0, {}

    # ---- routing ----

    def refresh(self):
        known = [a for a in self.table.get("ROUTE", []) if a not in self.seeds] + self.seeds
        for address in self.rng.sample(known, len(known)):
            try:
                bolt = self.open(address)
                told = bolt.route(self.database)
            except (OSError, Failure):
                self.forget(address)
                continue
            self.table = {entry["role"]: [self.parse(a) for a in entry["addresses"]] for entry in told["servers"]}
            self.expires = time.monotonic() + told["ttl"]
            if self.table.get("READ"):
                return
        raise Refused("no router answers")

    @staticmethod
    def parse(address):
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def choose(self, role):
        if time.monotonic() >= self.expires or not self.table.get(role):
            self.refresh()
        if not self.table.get(role):
            raise Refused(f"nobody is there to {role.lower()}")
        return self.rng.choice(self.table[role])

    # ---- connections ----

    def open(self, address):
        bolt = self.idle.get(address)
        if bolt is None:
            bolt = self.idle[address] = Bolt(address[1], timeout_s=CONNECT_S, host=address[0], routing=self.context(address))
            bolt.timeout_s = self.ANSWER_S
            bolt.socket.settimeout(self.ANSWER_S)
        return bolt

    def context(self, address):
        """With which a driver says that it routes."""
        return {"address": f"{address[0]}:{address[1]}"}

    def forget(self, address):
        """It does not answer: it is not asked again before the next table."""
        bolt = self.idle.pop(address, None)
        if bolt is not None:
            bolt.close()
        for addresses in self.table.values():
            if address in addresses:
                addresses.remove(address)

    def close(self):
        for bolt in self.idle.values():
            bolt.close()

    # ---- attempts ----

    def attempt(self, role, bookmark, work, address=None, metadata=None):
        """An explicit transaction: `work(transaction)`. Returns what that returned, and the bookmark."""
        with Attempt(self, address or self.choose(role), explicit=True) as attempt:
            attempt.bolt.begin(**self.extra(role, bookmark, metadata))
            told = work(attempt.bolt)
            attempt.commits = True
            return told, attempt.bolt.commit()["bookmark"]

    def auto_commit(self, role, bookmark, statement, parameters=None, address=None, metadata=None):
        """One statement. Returns its rows and the bookmark."""
        with Attempt(self, address or self.choose(role)) as attempt:
            attempt.commits = role == "WRITE"
            result = attempt.bolt.run(statement, parameters, **self.extra(role, bookmark, metadata))
            return result.rows, result.summary["bookmark"]

    def extra(self, role, bookmark, metadata):
        return {"mode": "w" if role == "WRITE" else "r", "db": self.database, **({"bookmarks": [bookmark]} if bookmark else {}),
                **({"tx_metadata": metadata} if metadata else {})}


class Anywhere(Driver):
    """One that does not route (bolt://): it writes and reads where it is connected, which is another server now and then, and when there is
    trouble. It waits longer: the server does so for it."""

    ANSWER_S = 10.0
    home = None

    def choose(self, role):
        if self.home is None or self.rng.random() < 0.05:
            self.home = self.rng.choice(self.seeds)
        return self.home

    def context(self, address):
        return None

    def forget(self, address):
        super().forget(address)
        self.home = None


class Attempt:
    """With one server; what goes wrong inside becomes Refused or Unknown."""

    def __init__(self, driver, address, explicit=False):
        self.driver, self.address, self.explicit, self.commits = driver, address, explicit, False
        try:
            self.bolt = driver.open(address)
        except (OSError, Failure) as problem:
            driver.forget(address)
            raise Refused(problem) from None

    def __enter__(self):
        return self

    def __exit__(self, kind, problem, trace):
        if isinstance(problem, Failure):
            self.failed(problem)
        elif isinstance(problem, OSError):
            self.driver.forget(self.address)
            self.end(problem, self.commits)

    def failed(self, failure):
        if failure.code in ANOTHER_LEADS:
            self.driver.table.pop("WRITE", None)
        try:
            self.bolt.reset()
        except (OSError, Failure):
            self.driver.forget(self.address)
        if failure.code.endswith("DatabaseUnavailable"):
            self.driver.forget(self.address)
        self.end(failure, self.commits and failure.code.startswith("Neo.DatabaseError."))

    def end(self, cause, unknown):
        raise (Unknown(cause, self.explicit) if unknown else Refused(cause)) from None
