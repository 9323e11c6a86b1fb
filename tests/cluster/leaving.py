#!/usr/bin/env python3
"""Servers that leave a cluster for good: tests/cluster/leaving.py BINARY [TEST...]. Standard library only."""
import pathlib
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import NOT_A_LEADER, Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from lib.waiting import wait_for  # noqa: E402


def log(server):
    return (server.home / "console.out").read_text(errors="replace")


def ask(server, statement, db=None, **parameters):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run(statement, parameters, db=db).rows if db else bolt.run(statement, parameters).rows


def things(server):
    """None while the database is not available there."""
    try:
        return ask(server, "MATCH (t:Thing) RETURN count(t)")[0][0]
    except Failure as failure:
        if failure.code != "Neo.TransientError.General.DatabaseUnavailable":
            raise
        return None


def administer(cluster, statement, **parameters):
    """On whoever leads `system`."""
    deadline = time.monotonic() + 20
    while True:
        for server in cluster.alive():
            try:
                return ask(server, statement, "system", **parameters)
            except (OSError, Failure) as problem:
                unavailable = isinstance(problem, OSError) or problem.code in (NOT_A_LEADER, "Neo.TransientError.General.DatabaseUnavailable")
                if not unavailable or time.monotonic() > deadline:
                    raise
        time.sleep(0.05)


def servers_of(server):
    """{bolt address: (id, state, hosting)} as that server says."""
    rows = ask(server, "SHOW SERVERS YIELD serverId, address, state, hosting RETURN serverId, address, state, hosting", "system")
    return {address: (name, state, sorted(hosting)) for name, address, state, hosting in rows}


def id_of(cluster, server):
    asked = next(s for s in cluster.alive() if s is not server)
    return servers_of(asked)[f"127.0.0.1:{server.bolt_port}"][0]


def voters(server, database="neo4j"):
    return servers_that_vote(log(server), database)


def servers_that_vote(text, database):
    told = [line for line in text.splitlines() if f"[{database}] Members of the group: " in line]
    return int(told[-1].rsplit("voting: ", 1)[1].split(".")[0]) if told else None


class Writers:
    """Clients that write all the time; what was acknowledged to each."""

    def __init__(self, cluster, count=3):
        self.cluster, self.stopped, self.acknowledged = cluster, threading.Event(), [0] * count
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(count)]

    def write(self, i):
        while not self.stopped.is_set():
            try:
                with Bolt(self.cluster.leader().bolt_port) as bolt:
                    while not self.stopped.is_set():
                        bolt.run("CREATE (:Thing {writer: $i})", {"i": i})
                        self.acknowledged[i] += 1
            except (OSError, Failure, RuntimeError):
                pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def terms(server):
    """Elections that were won, as that server saw them."""
    return log(server).count("[neo4j] Leader changed from")


class Leaving(unittest.TestCase):
    def assert_gone(self, cluster, server, name):
        """Nobody knows it any more, and it serves nobody."""
        for other in cluster.alive():
            if other is not server:
                wait_for("it is on no list", lambda o=other: name not in [s[0] for s in servers_of(o).values()])
        wait_for("it is told", lambda: "This server was dropped from its cluster (DROP SERVER)" in log(server))
        wait_for("it serves nobody", lambda: things(server) is None)
        cluster.servers.remove(server)
        self.assertEqual(server.stop(), 0)

    def test_three_become_five_and_three_again_under_load_and_nothing_is_lost(self):
        with Cluster(BINARY) as cluster:
            first = cluster.leader()
            founders = list(cluster.servers)
            with Writers(cluster) as writers:
                newcomers = [cluster.add(), cluster.add()]
                wait_for("five vote", lambda: all(voters(s) == 5 for s in cluster.servers), 40)
                before = {address: server[0] for address, server in servers_of(first).items()}
                elections = [terms(s) for s in founders]
                for server in newcomers:
                    name = id_of(cluster, server)
                    administer(cluster, f"DROP SERVER '{name}'")
                    self.assert_gone(cluster, server, name)
                wait_for("three vote", lambda: all(voters(s) == 3 for s in founders))
                count = sum(writers.acknowledged)
                wait_for("they go on writing", lambda: sum(writers.acknowledged) > count + 50)
            self.assertIs(cluster.leader(), first)
            self.assertEqual([terms(s) for s in founders], elections)
            after = {address: server[0] for address, server in servers_of(first).items()}
            self.assertEqual(after, {f"127.0.0.1:{s.bolt_port}": before[f"127.0.0.1:{s.bolt_port}"] for s in founders})
            found = dict(ask(first, "MATCH (t:Thing) RETURN t.writer, count(t)"))
            for i, n in enumerate(writers.acknowledged):
                self.assertIn(found[i], (n, n + 1))

    def test_a_dropped_leader_hands_over_first(self):
        with Cluster(BINARY, 4, settings={"dbms.cluster.minimum_initial_system_primaries_count": "4"}) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            name = id_of(cluster, leader)
            administer(cluster, f"DROP SERVER '{name}'")
            self.assert_gone(cluster, leader, name)
            cluster.write("CREATE (:Thing)")
            for server in cluster.servers:
                wait_for("it is there", lambda s=server: things(s) == 2)
            leader.spawn()
            self.assertNotEqual(leader.process.wait(20), 0)
            self.assertIn("was dropped from cluster", log(leader))
            self.assertIn("server unbind", log(leader))

    def test_of_three_none_is_dropped(self):
        with Cluster(BINARY) as cluster:
            cluster.write("CREATE (:Thing)")
            name = id_of(cluster, cluster.servers[1])
            for statement in (f"DROP SERVER '{name}'", f"DEALLOCATE DATABASES FROM SERVER '{name}'"):
                with self.assertRaises(Failure) as refused:
                    administer(cluster, statement)
                self.assertIn(f"Not safe to remove member [{name}]", refused.exception.message)
                self.assertIn("below the expected cluster size of 3. Voting members: [", refused.exception.message)
            self.assertEqual({state for _, state, _ in servers_of(cluster.servers[0]).values()}, {"Enabled"})
            with self.assertRaises(Failure) as unknown:
                administer(cluster, "DROP SERVER 'somebody'")
            self.assertIn("no core of this cluster is called so", unknown.exception.message)

    def test_a_server_that_is_lost_for_good_is_replaced(self):
        with Cluster(BINARY) as cluster:
            for i in range(20):
                cluster.write("CREATE (:Thing {number: $i})", {"i": i})
            lost = next(s for s in cluster.servers if s is not cluster.leader())
            name = id_of(cluster, lost)
            lost.kill()
            newcomer = cluster.add()
            wait_for("it is filled", lambda: things(newcomer) == 20)
            administer(cluster, "DROP SERVER $id", id=name[:8])
            wait_for("three vote again", lambda: all(voters(s, db) == 3 for s in cluster.alive() for db in ("neo4j", "system")))
            wait_for("the lost one is on no list", lambda: name not in [s[0] for s in servers_of(newcomer).values()])
            lost.spawn()  # it was not lost after all
            wait_for("it is told", lambda: "This server was dropped from its cluster" in log(lost))
            cluster.servers.remove(lost)
            lost.stop()
            cluster.write("CREATE (:Thing {number: 20})")
            for server in cluster.servers:
                wait_for("all is there", lambda s=server: things(s) == 21)

    def test_a_deallocated_server_keeps_system_alone_and_may_be_enabled_again(self):
        with Cluster(BINARY, 4, settings={"dbms.cluster.minimum_initial_system_primaries_count": "4"}) as cluster:
            cluster.write("CREATE (:Thing)")
            server = next(s for s in cluster.servers if s is not cluster.leader())
            address, name = f"127.0.0.1:{server.bolt_port}", id_of(cluster, server)
            other = next(s for s in cluster.servers if s is not server)
            administer(cluster, f"DEALLOCATE DATABASES FROM SERVER '{name}'")
            wait_for("it keeps system alone", lambda: servers_of(other)[address] == (name, "Deallocated", ["system"]))
            wait_for("nobody is sent there", lambda: address not in cluster.table(other)["READ"])
            self.assertIsNone(things(server))
            self.assertEqual(voters(cluster.leader() if cluster.leader() is not server else other), 3)
            cluster.write("CREATE (:Thing)")
            administer(cluster, f"ENABLE SERVER '{name}'")
            wait_for("it has all of it again", lambda: things(server) == 2, 30)
            wait_for("and votes", lambda: voters(other) == 4)
            self.assertEqual(servers_of(other)[address], (name, "Enabled", ["neo4j", "system"]))


if __name__ == "__main__":
    sys.exit(stories.tell())
