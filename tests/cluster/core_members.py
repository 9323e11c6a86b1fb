"""Real core servers, each on a host of its own (members.Hosts): started, stopped, killed, and asked how they stand."""
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.bolt import Bolt, Failure, Structure  # noqa: E402
from lib.quiver import Server  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

BOLT_PORT, DISCOVERY_PORT, CATCHUP_PORT, RAFT_PORT, ROUTING_PORT, HTTP_PORT = 7687, 5000, 6000, 7000, 7688, 7474
SETTINGS = {
    "server.memory.pagecache.size": "64m",
    "quiver.discovery.expiry": "3s",
    "dbms.routing_ttl": "10s",
    "db.transaction.bookmark_ready_timeout": "3s",
    "db.checkpoint.interval.volume": "2m",  # many, so that members come back to a store and a tail of the log
    "db.tx_log.rotation.size": "128k",  # of a segment: a log whose disk is full soon has no room
}


def place(bookmark):
    """In the log: the last part of a bookmark, of Bolt 1 to 3 with "tx" before it."""
    return int(bookmark.rsplit(":", 1)[1].removeprefix("tx"))


class CoreMembers:
    """Cores 1 to `count`, then read replicas, then spares, which are cores for a while. `servers` are those that belong to the cluster now;
    `processes` has the cores among them that run, as faults.Faults wants it, `following` the replicas."""

    def __init__(self, binary, count, network, clock_jump=None, settings=None, replicas=0, spares=0):
        """`clock_jump`: the library of clock_jump.c, if clocks are to be turned."""
        self.network, self.processes, self.following = network, {}, {}
        self.heard, self.forgotten = {}, {}  # of what each said: bytes
        self.copies_cut = 0
        self.count, self.settings = count, {**SETTINGS, **(settings or {})}
        hosts = list(range(1, count + replicas + spares + 1))
        self.cores, self.replicas, self.spares = hosts[:count], hosts[count:count + replicas], hosts[count + replicas:]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="quiver-breaking-"))
        self.clock_jump = clock_jump and str(pathlib.Path(clock_jump).resolve())
        self.all = {n: self.server(binary, n) for n in hosts}
        self.servers = {n: self.all[n] for n in self.cores + self.replicas}

    def host(self, n):
        return self.network.address(n)[0]

    def address(self, n):
        return self.host(n), BOLT_PORT

    def addresses(self, of=None):
        """Of the cores, or of those."""
        return [self.address(n) for n in of or self.cores]

    def turn_clock(self, n, ahead_s):
        """The wall clock of server n is ahead by so much from now on."""
        with open(self.directory / f"{n}.clock", "r+b") as f:
            f.write(struct.pack("=q", int(ahead_s * 1e9)))

    def check_clocks(self):
        """That they turn: a library that is not heard would prove nothing."""
        for n in self.cores if self.clock_jump else []:
            self.turn_clock(n, 3600)
            ahead_s = self.ask(n, "RETURN timestamp()", timeout_s=10).rows[0][0] / 1000 - time.time()
            self.turn_clock(n, 0)
            assert 3500 < ahead_s < 3700, f"the clock of server {n} was to be an hour ahead, and is {ahead_s:.0f} s"

    def server(self, binary, n):
        env = None
        if self.clock_jump:
            (self.directory / f"{n}.clock").write_bytes(bytes(8))
            env = {"LD_PRELOAD": self.clock_jump, "CLOCK_JUMP": str(self.directory / f"{n}.clock")}
        server = Server(binary, home=self.directory / str(n), auth=False, wrapper=self.network.command(n, []), host=self.host(n), env=env)
        server.bolt_port = BOLT_PORT
        at = self.host(n)
        server.settings.update(self.settings, **{
            "dbms.mode": "READ_REPLICA" if n in self.replicas else "CORE",
            "dbms.cluster.minimum_initial_system_primaries_count": str(self.count),
            "dbms.cluster.discovery.endpoints": ",".join(f"{self.host(m)}:{DISCOVERY_PORT}" for m in range(1, self.count + 1)),
            "server.default_advertised_address": at,
            "server.bolt.listen_address": f"{at}:{BOLT_PORT}",
            "server.http.listen_address": f"{at}:{HTTP_PORT}",
            "server.discovery.listen_address": f"{at}:{DISCOVERY_PORT}",
            "server.cluster.listen_address": f"{at}:{CATCHUP_PORT}",
            "server.cluster.raft.listen_address": f"{at}:{RAFT_PORT}",
            "server.routing.listen_address": f"{at}:{ROUTING_PORT}",
        })
        return server

    # ---- as processes ----

    def running(self, n):
        """Where it is, if it runs."""
        return self.following if n in self.replicas else self.processes

    def start(self, n):
        if n not in self.running(n):
            self.running(n)[n] = self.all[n].spawn()

    def start_all(self):
        for n in self.servers:
            self.start(n)
        for server in self.servers.values():
            server.wait_until_up()
        return self

    def kill(self, n):
        server = self.running(n).pop(n, None)
        if server is not None:
            server.kill()

    def stop(self, n):
        """In order; what it says is its exit code."""
        return self.running(n).pop(n).stop()

    def signal(self, n, number):
        if n in self.running(n):
            os.killpg(self.all[n].process.pid, number)

    def dead(self):
        """Those that ended by themselves."""
        running = {**self.processes, **self.following}
        return [(n, server.process.returncode) for n, server in running.items() if server.process.poll() is not None]

    def empty(self, n):
        """What it had of neo4j is gone; a replica has nothing at all any more."""
        data = self.all[n].home / "data"
        shutil.rmtree(data if n in self.replicas else data / "databases/neo4j")

    def close(self, keep=False):
        for n in [*self.processes, *self.following]:
            self.signal(n, signal.SIGCONT)
            self.kill(n)
        self.network.close()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    # ---- as members ----

    def ask(self, n, statement, parameters=None, timeout_s=2, **extra):
        with Bolt(BOLT_PORT, timeout_s=timeout_s, host=self.host(n)) as bolt:
            return bolt.run(statement, parameters, **extra)

    def writer(self, n):
        """Whom it calls the leader of neo4j: a number; None if nobody, or if it does not answer."""
        try:
            with Bolt(BOLT_PORT, timeout_s=1, host=self.host(n)) as bolt:
                table = {entry["role"]: entry["addresses"] for entry in bolt.route("neo4j")["servers"]}
        except (OSError, Failure):
            return None
        return next((m for m in self.all if table.get("WRITE") == [f"{self.host(m)}:{BOLT_PORT}"]), None)

    def leader(self, timeout_s=30):
        """The one that most of all members take for the leader."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = [self.writer(n) for n in list(self.processes)]
            for n in self.processes:
                if told.count(n) > self.count // 2:
                    return n
            if time.monotonic() > deadline:
                raise TimeoutError(f"no leader within {timeout_s} s: {told}")
            time.sleep(0.05)

    def applied(self, n, database):
        """The last transaction that its readers see."""
        try:
            return place(self.ask(n, "SHOW DATABASES" if database == "system" else "RETURN 1", db=database).summary["bookmark"])
        except (OSError, Failure):
            return None

    def databases(self, n):
        """{name: id}, as server n says; empty if it says nothing."""
        try:
            return dict(self.ask(n, "SHOW DATABASES YIELD name, databaseID RETURN DISTINCT name, databaseID", db="system").rows)
        except (OSError, Failure):
            return {}

    def wait_together(self, timeout_s=60):
        """Until all members have the same databases and have applied the same of each: {database: place}."""
        deadline = time.monotonic() + timeout_s
        while True:
            named = [self.databases(n) for n in self.servers]
            told = {database: [self.applied(n, database) for n in self.servers] for database in {"neo4j", "system"}.union(*named)}
            if all(of == named[0] for of in named) and all(None not in of and len(set(of)) == 1 for of in told.values()):
                return {database: of[0] for database, of in told.items()}
            if time.monotonic() > deadline:
                raise TimeoutError(f"members have not come together within {timeout_s} s: {told} {named}")
            time.sleep(0.1)

    def digests(self, n):
        """Of each database."""
        return tuple((database, self.digest(n, database)) for database in sorted(self.databases(n)) if database != "system")

    def digest(self, n, database):
        """Of all nodes, relationships, labels and properties with their ids, in no order."""
        total = count = 0
        for statement in ("MATCH (n) RETURN id(n), labels(n), properties(n)",
                          "MATCH (a)-[r]->(b) RETURN id(r), id(a), id(b), type(r), properties(r)"):
            for row in self.ask(n, statement, timeout_s=60, db=database).rows:
                assert not any(isinstance(value, Structure) for value in row)
                text = repr([sorted(v.items()) if isinstance(v, dict) else v for v in row])
                total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
                count += 1
        return count, total % (1 << 128)

    def indexes(self, n):
        """Names and states."""
        return tuple(sorted(map(tuple, self.ask(n, "SHOW INDEXES YIELD name, state").rows)))

    def sought(self, n, label, key):
        """How often a node finds one with its key: by the index, if there is one, and by counting. The same on a member that is well."""
        by_key = f"MATCH (a:{label}) MATCH (b:{label} {{{key}: a.{key}}}) RETURN count(*)"
        counted = f"MATCH (a:{label}) WITH a.{key} AS k, count(*) AS n RETURN coalesce(sum(n * n), 0)"
        return [self.ask(n, statement, timeout_s=60).rows[0][0] for statement in (by_key, counted)]

    # ---- that come and go ----

    def join(self, n):
        self.servers[n] = self.all[n]
        self.start(n)

    def wait_for_voters(self, count, timeout_s=60):
        """So many vote in neo4j, as all cores say that run."""
        wait_for(f"{count} vote", lambda: all(self.voters(n) == count for n in self.processes), timeout_s)

    def voters(self, n):
        told = re.findall(r"\[neo4j\] Members of the group: .*voting: (\d+)\.", self.console(n))
        return int(told[-1]) if told else None

    def hosts_by_id(self, n):
        """As server n says, without a host of those that it does not hear of; empty if it says nothing."""
        try:
            rows = self.ask(n, "SHOW SERVERS YIELD serverId, address RETURN serverId, address", db="system").rows
        except (OSError, Failure):
            return {}
        return {name: address and address.rsplit(":", 1)[0] for name, address in rows}

    def id_of(self, n):
        """Of server n, as any core knows it; None if none does."""
        return next((name for m in self.cores for name, host in self.hosts_by_id(m).items() if host == self.host(n)), None)

    def leave(self, n, timeout_s=60):
        """Server n is dropped, is told so, is stopped, and forgets everything: whoever is started there next is another."""
        known = []
        wait_for("it is known", lambda: known.append(self.id_of(n)) or known[-1] is not None, timeout_s)
        wait_for("somebody drops it", lambda: self.dropped(known[-1]), timeout_s)
        wait_for("it is told", lambda: "This server was dropped from its cluster (DROP SERVER)" in self.console(n), timeout_s)
        if self.stop(n) != 0:
            raise AssertionError(f"server {n}, dropped and stopped, ended with an error")
        del self.servers[n]
        shutil.rmtree(self.all[n].home / "data")
        self.forgotten[n] = self.console_bytes(n)

    def dropped(self, name):
        """Told to any core, again until it is on no list."""
        m = random.choice(self.cores)
        try:
            self.ask(m, f"DROP SERVER '{name}'", db="system", timeout_s=10)
        except (OSError, Failure):
            pass
        told = [self.hosts_by_id(core) for core in self.cores]
        return all(ids and name not in ids for ids in told)

    # ---- what they say ----

    def console_bytes(self, n):
        path = self.all[n].home / "console.out"
        return path.stat().st_size if path.exists() else 0

    def console(self, n, since=None):
        """Since a number of bytes; otherwise since it was a new server."""
        path = self.all[n].home / "console.out"
        return path.read_bytes()[self.forgotten.get(n, 0) if since is None else since:].decode(errors="replace") if path.exists() else ""

    def giver_of_copy(self, n, since, timeout_s=10):
        """Who gives server n a copy that takes its time, when some of it is there; None if it gets none."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            hosts = {self.host(m): m for m in self.servers}
            given = re.findall(r"Copying store from ([\d.]+):\d+: \d\d% completed", self.console(n, since))
            if given:
                return hosts.get(given[-1])
            time.sleep(0.01)
        return None

    def has_copy(self, n, since):
        return "[neo4j] The store is the copy now" in self.console(n, since)

    def listen(self):
        """`said` begins here."""
        self.heard = {n: self.console_bytes(n) for n in self.all}

    def said(self, bytes_max=20000):
        """What each server said since, its end if that is too much."""
        parts = []
        for n in self.all:
            text = self.console(n, self.heard.get(n, 0))[-bytes_max:]
            parts.append(f"---- server {n}, {self.host(n)} ----\n{text}")
        return "\n".join(parts)
