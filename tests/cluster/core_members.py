"""Real core servers, each on a host of its own (members.Hosts): started, stopped, killed, and asked how they stand."""
import hashlib
import os
import pathlib
import shutil
import signal
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.bolt import Bolt, Failure, Structure  # noqa: E402
from lib.quiver import Server  # noqa: E402

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
    """In the log: the last part of a bookmark."""
    return int(bookmark.rsplit(":", 1)[1])


class CoreMembers:
    """Servers 1 to `count`. `processes` has those that run, as faults.Faults wants it."""

    def __init__(self, binary, count, network, clock_jump=None, settings=None):
        """`clock_jump`: the library of clock_jump.c, if clocks are to be turned."""
        self.network, self.processes, self.count, self.settings = network, {}, count, {**SETTINGS, **(settings or {})}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="quiver-breaking-"))
        self.clock_jump = clock_jump and str(pathlib.Path(clock_jump).resolve())
        self.servers = {n: self.server(binary, n) for n in range(1, count + 1)}

    def host(self, n):
        return self.network.address(n)[0]

    def address(self, n):
        return self.host(n), BOLT_PORT

    def addresses(self):
        return [self.address(n) for n in self.servers]

    def turn_clock(self, n, ahead_s):
        """The wall clock of server n is ahead by so much from now on."""
        with open(self.directory / f"{n}.clock", "r+b") as f:
            f.write(struct.pack("=q", int(ahead_s * 1e9)))

    def server(self, binary, n):
        env = None
        if self.clock_jump:
            (self.directory / f"{n}.clock").write_bytes(bytes(8))
            env = {"LD_PRELOAD": self.clock_jump, "CLOCK_JUMP": str(self.directory / f"{n}.clock")}
        server = Server(binary, home=self.directory / str(n), auth=False, wrapper=self.network.command(n, []), host=self.host(n), env=env)
        server.bolt_port = BOLT_PORT
        at = self.host(n)
        server.settings.update(self.settings, **{
            "dbms.mode": "CORE",
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

    def start(self, n):
        if n not in self.processes:
            self.processes[n] = self.servers[n].spawn()

    def start_all(self):
        for n in self.servers:
            self.start(n)
        for server in self.servers.values():
            server.wait_until_up()
        return self

    def kill(self, n):
        server = self.processes.pop(n, None)
        if server is not None:
            server.kill()

    def stop(self, n):
        """In order; what it says is its exit code."""
        return self.processes.pop(n).stop()

    def signal(self, n, number):
        if n in self.processes:
            os.killpg(self.processes[n].process.pid, number)

    def dead(self):
        """Those that ended by themselves."""
        return [(n, server.process.returncode) for n, server in self.processes.items() if server.process.poll() is not None]

    def close(self, keep=False):
        for n in list(self.processes):
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
        return next((m for m in self.servers if table.get("WRITE") == [f"{self.host(m)}:{BOLT_PORT}"]), None)

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
            return place(self.ask(n, "RETURN 1" if database == "neo4j" else "SHOW DATABASES", db=database).summary["bookmark"])
        except (OSError, Failure):
            return None

    def wait_together(self, timeout_s=30):
        """Until all members have applied the same of both databases: {database: place}."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = {database: [self.applied(n, database) for n in self.servers] for database in ("neo4j", "system")}
            if all(None not in of and len(set(of)) == 1 for of in told.values()):
                return {database: of[0] for database, of in told.items()}
            if time.monotonic() > deadline:
                raise TimeoutError(f"members have not come together within {timeout_s} s: {told}")
            time.sleep(0.1)

    def digest(self, n):
        """Of all nodes, relationships, labels and properties with their ids, in no order."""
        total = count = 0
        for statement in ("MATCH (n) RETURN id(n), labels(n), properties(n)",
                          "MATCH (a)-[r]->(b) RETURN id(r), id(a), id(b), type(r), properties(r)"):
            for row in self.ask(n, statement, timeout_s=60).rows:
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

    # ---- what they say ----

    def listen(self):
        """`said` begins here."""
        self.heard = {n: (server.home / "console.out").stat().st_size for n, server in self.servers.items()}

    def said(self, bytes_max=20000):
        """What each server said since, its end if that is too much."""
        parts = []
        for n, server in self.servers.items():
            text = (server.home / "console.out").read_bytes()[self.heard[n]:][-bytes_max:].decode(errors="replace")
            parts.append(f"---- server {n}, {self.host(n)} ----\n{text}")
        return "\n".join(parts)
