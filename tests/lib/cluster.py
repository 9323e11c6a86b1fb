"""A cluster of real servers for tests, on loopback, each in a home folder of its own.

`with Cluster(binary, 3) as c:` founds one of three; c.servers are tests.lib.quiver.Server; c.leader() is the one that takes writes.
"""
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.quiver import Server, free_port  # noqa: E402

NOT_A_LEADER = "Neo.ClientError.Cluster.NotALeader"


class Cluster:
    def __init__(self, binary, count=3, settings=None, folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="quiver-cluster-"))
        self.own_folder = folder is None
        self.binary, self.settings = binary, settings or {}
        ports = [free_port() for _ in range(count)]
        self.endpoints = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.replicas = []
        self.servers = [self.server(f"core{i}", port) for i, port in enumerate(ports)]

    def server(self, name, discovery_port, mode="CORE", **settings):
        return Server(self.binary, home=self.folder / name, auth=False, settings={
            "dbms.mode": mode,
            "dbms.cluster.discovery.endpoints": self.endpoints,
            "server.default_advertised_address": "127.0.0.1",
            "server.discovery.listen_address": f"127.0.0.1:{discovery_port}",
            "server.cluster.listen_address": f"127.0.0.1:{free_port()}",
            "server.cluster.raft.listen_address": f"127.0.0.1:{free_port()}",
            "server.routing.listen_address": f"127.0.0.1:{free_port()}",
            "server.memory.pagecache.size": "64m",
            **self.settings,
            **settings,
        })

    def replica(self, **settings):
        """A read replica, not started; its settings with __ for each dot."""
        made = self.server(f"replica{len(self.replicas)}", free_port(), "READ_REPLICA", **{key.replace("__", "."): value for key, value in settings.items()})
        self.replicas.append(made)
        return made

    def gateway(self, **settings):
        """A gateway, not started; its settings with __ for each dot. Ends with the replicas."""
        made = self.server(f"gateway{len(self.replicas)}", free_port(), "GATEWAY", **{key.replace("__", "."): value for key, value in settings.items()})
        self.replicas.append(made)
        return made

    def add(self):
        """One more server, started: it knows the founders, and they do not know it."""
        self.servers.append(self.server(f"core{len(self.servers)}", free_port()).start())
        return self.servers[-1]

    def __enter__(self):
        try:
            for server in self.servers:
                server.spawn()
            for server in self.servers:
                server.wait_until_up()
        except BaseException as problem:  # nobody else would end those that run
            self.__exit__(type(problem), problem, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        for server in self.replicas + self.servers:
            if server.process is not None and server.process.poll() is None:
                server.stop() if kind is None else server.kill()
        if self.own_folder and kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self):
        return [s for s in self.servers if s.process is not None and s.process.poll() is None]

    def leader(self, timeout_s=20, database="neo4j"):
        """The server that all routing tables call the writer, once they agree and it is alive."""
        deadline = time.monotonic() + timeout_s
        told = None
        while time.monotonic() < deadline:
            told = [self.writers(s, database) for s in self.alive()]
            if told and all(t == told[0] and len(t) == 1 for t in told):
                for server in self.alive():
                    if told[0] == [f"127.0.0.1:{server.bolt_port}"]:
                        return server
            time.sleep(0.02)
        raise RuntimeError(f"no leader within {timeout_s} s: {told}")

    @staticmethod
    def table(server, database="neo4j"):
        with Bolt(server.bolt_port) as bolt:
            rows = bolt.run("CALL dbms.cluster.routing.getRoutingTable({}, $database)", {"database": database}, db="system").rows
        return {entry["role"]: entry["addresses"] for entry in rows[0][1]}

    def writers(self, server, database="neo4j"):
        try:
            return self.table(server, database).get("WRITE", [])
        except (OSError, Failure):
            return []

    def write(self, statement, parameters=None, timeout_s=20, database="neo4j"):
        """Runs the statement on whoever leads; its rows."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with Bolt(self.leader(database=database).bolt_port) as bolt:
                    return bolt.run(statement, parameters or {}, db=database).rows
            except (OSError, Failure) as problem:
                if isinstance(problem, Failure) and problem.code != NOT_A_LEADER or time.monotonic() > deadline:
                    raise
