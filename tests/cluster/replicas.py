#!/usr/bin/env python3
"""Read replicas as their users meet them: tests/cluster/replicas.py BINARY [TEST...]. Standard library only, but for one driver."""
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "drivers"))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402
import run as drivers  # noqa: E402

LITTLE_LOG = {"db.tx_log.rotation.size": "128k", "db.checkpoint.interval.volume": "256k", "db.cluster.raft.log.prune_strategy": "10 entries"}
SOME = 3000  # entries: cores keep 8192 in any case
CHAINED = {"causal_clustering__upstream_selection_strategy": "typically-connect-to-random-read-replica"}


def ask(server, text, user=None, password=None, **extra):
    with Bolt(server.bolt_port, user, password) as bolt:
        return bolt.run(text, **extra)


def address(server):
    return f"127.0.0.1:{server.bolt_port}"


def log_of(server):
    return (server.home / "logs/neo4j.log").read_text()


def copies(server):
    return log_of(server).count("[neo4j] The store is the copy now")


def wait_for(what, look, wanted, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while (seen := look()) != wanted:
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s, but {seen} instead of {wanted}")
        time.sleep(0.02)


def things(server):
    """None while it does not answer."""
    try:
        return ask(server, "MATCH (t:Thing) RETURN count(t), count(DISTINCT t.n)").rows[0]
    except (OSError, Failure):
        return None


def other_things(server):
    """Of the database `other`: rows, or the code of the refusal."""
    try:
        return ask(server, "MATCH (t:Thing) RETURN count(t)", db="other").rows
    except Failure as refused:
        return refused.code


def write_entries(leader, begin, end):
    """Each thing an entry of the log, by twelve clients."""
    text = "UNWIND range($first, $last) AS i CALL { WITH i CREATE (:Thing {n: i, text: $text}) } IN TRANSACTIONS OF 1 ROW"

    def write(part):
        with Bolt(leader.bolt_port) as bolt:
            bolt.run(text, {"first": begin + part * (end - begin) // 12, "last": begin + (part + 1) * (end - begin) // 12 - 1, "text": "x" * 100})

    threads = [threading.Thread(target=write, args=(part,)) for part in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Writer:
    """Writes things one by one to whoever leads, each until it is acknowledged: `with Writer(cluster) as w`; w.count at the end."""

    def __init__(self, cluster):
        self.cluster, self.count, self.over, self.trouble = cluster, 0, False, None
        self.thread = threading.Thread(target=self.write_all)

    def write_all(self):
        bolt = None
        while not self.over:
            try:
                bolt = bolt or Bolt(self.cluster.leader().bolt_port)
                bolt.run("MERGE (:Thing {n: $n})", {"n": self.count})
                self.count += 1
            except (OSError, Failure, RuntimeError) as trouble:
                self.trouble, bolt = trouble, None

    def __enter__(self):
        self.cluster.write("CREATE CONSTRAINT thing IF NOT EXISTS FOR (t:Thing) REQUIRE t.n IS UNIQUE")
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.end()

    def end(self):
        self.over = True
        self.thread.join()

    def wait(self, more, timeout_s=20):
        wanted, deadline = self.count + more, time.monotonic() + timeout_s
        while self.count < wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {self.count} of {wanted} things were written: {self.trouble!r}")
            time.sleep(0.01)

    def all_are_on(self, *servers):
        for server in servers:
            wait_for("all that was acknowledged is there, once", lambda s=server: things(s), [self.count, self.count])


class Whole(unittest.TestCase):
    """Three cores and two replicas, to which nothing happens."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(BINARY, settings={"causal_clustering.server_groups": "east"}).__enter__()
        cls.cluster.write("CREATE (:Early)")
        cls.replicas = [cls.cluster.replica().spawn(), cls.cluster.replica(dbms__routing__enabled="false").spawn()]
        for replica in cls.replicas:
            replica.wait_until_up()
        cls.leader = cls.cluster.leader()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_a_replica_answers_when_it_has_what_was_there_before_it(self):
        for replica in self.replicas:
            self.assertEqual(ask(replica, "MATCH (e:Early) RETURN count(e)").rows, [[1]])

    def test_who_reads_behind_a_bookmark_sees_the_write(self):
        with Bolt(self.leader.bolt_port) as writes, Bolt(self.replicas[0].bolt_port) as one, Bolt(self.replicas[1].bolt_port) as other:
            for n in range(100):
                bookmark = writes.run("CREATE (:Marked {n: $n})", {"n": n}).summary["bookmark"]
                for reads in (one, other):
                    self.assertEqual(reads.run("MATCH (m:Marked) RETURN count(m)", bookmarks=[bookmark]).rows, [[n + 1]])

    def test_routing_tables_send_readers_to_replicas_and_nobody_else(self):
        cores, replicas = {address(s) for s in self.cluster.servers}, {address(r) for r in self.replicas}
        for server in self.cluster.servers + self.replicas:
            wait_for("everybody is known", lambda s=server: set(self.cluster.table(s)["READ"]), replicas | cores - {address(self.leader)})
            table = self.cluster.table(server)
            self.assertEqual((set(table["WRITE"]), set(table["ROUTE"])), ({address(self.leader)}, cores))

    def test_every_server_shows_the_replicas(self):
        for server in self.cluster.servers + self.replicas:
            wait_for("both are seen", lambda s=server: sum(r[2].get("neo4j") == "READ_REPLICA" for r in ask(s, "CALL dbms.cluster.overview()").rows), 2)
            self.assertEqual(len(ask(server, "SHOW SERVERS", db="system").rows), 5)
            shown = {row[0]: row[1:] for row in ask(server, "SHOW DATABASE neo4j YIELD address, role, writer, currentStatus").rows}
            for replica in self.replicas:
                self.assertEqual(shown[address(replica)], ["secondary", False, "online"])
            self.assertEqual(shown[address(self.leader)], ["primary", True, "online"])
        self.assertEqual(ask(self.replicas[0], "CALL dbms.cluster.role('neo4j')").rows, [["READ_REPLICA"]])

    def test_a_write_on_a_replica_is_carried_out_by_the_leader_or_refused_with_a_code_that_drivers_know(self):
        with Bolt(self.replicas[0].bolt_port) as bolt:
            bookmark = bolt.run("CREATE (:HandedOn)").summary["bookmark"]
            self.assertEqual(bolt.run("MATCH (h:HandedOn) RETURN count(h)", bookmarks=[bookmark]).rows, [[1]])
        with self.assertRaises(Failure) as failed:
            ask(self.replicas[1], "CREATE (:Nowhere)")
        self.assertEqual(failed.exception.code, "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase")
        self.assertIn("READ_REPLICA", failed.exception.message)

    def test_indexes_and_constraints_reach_it(self):
        self.cluster.write("CREATE INDEX early_name FOR (e:Early) ON (e.name)")
        self.cluster.write("CREATE CONSTRAINT early_id FOR (e:Early) REQUIRE e.id IS UNIQUE")
        wanted = [["early_id", "ONLINE"], ["early_name", "ONLINE"]]
        text = "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'early' RETURN name, state ORDER BY name"
        for replica in self.replicas:
            wait_for("both are online", lambda r=replica: ask(r, text).rows, wanted)
        self.cluster.write("DROP INDEX early_name")
        for replica in self.replicas:
            wait_for("one is gone", lambda r=replica: ask(r, text).rows, wanted[:1])

    def test_server_groups_are_told(self):
        groups = {row[1][0]: row[3] for row in ask(self.replicas[1], "CALL dbms.cluster.overview()").rows}
        self.assertEqual(set(map(tuple, groups.values())), {("east",)})

    def test_pythons_driver_reads_its_own_writes_from_replicas(self):
        commands = drivers.python_commands("replicas")
        if not commands:
            self.skipTest("Python's driver cannot be had here")
        told = subprocess.run(commands[0] + [address(self.leader)] + [address(r) for r in self.replicas], stdout=subprocess.PIPE, check=True, timeout=60)
        said = json.loads(told.stdout)
        self.assertEqual((said["written"], said["seen"]), (50, 50))
        self.assertTrue(set(said["readers"]) & {address(r) for r in self.replicas}, said)


class LoggedIn(unittest.TestCase):
    def test_users_of_the_cluster_log_in_on_a_replica(self):
        with Cluster(BINARY, settings={"dbms.security.auth_enabled": "true"}) as cluster:
            def changes_password(server):
                try:
                    ask(server, "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'secret-one'", "neo4j", "neo4j", db="system")
                    return True
                except (Failure, OSError):
                    return False
            wait_for("somebody leads system", lambda: any([changes_password(s) for s in cluster.servers]), True)
            replica = cluster.replica().start()
            self.assertEqual(ask(replica, "RETURN 1", "neo4j", "secret-one").rows, [[1]])
            with self.assertRaises(Failure):
                ask(replica, "RETURN 1", "neo4j", "neo4j")


class Faults(unittest.TestCase):
    def test_a_replica_that_was_killed_goes_on_from_its_log_and_one_that_lost_its_data_gets_a_copy(self):
        with Cluster(BINARY, settings={"db.checkpoint.interval.volume": "16k"}) as cluster, Writer(cluster) as writer:
            replica = cluster.replica().start()
            writer.wait(100)
            wait_for("it has some", lambda: (things(replica) or [0])[0] > 0, True)
            replica.kill()
            writer.wait(50)
            before = copies(replica)
            replica.start()
            self.assertEqual(copies(replica), before)
            writer.wait(20)
            replica.kill()
            shutil.rmtree(replica.home / "data")
            replica.start()
            self.assertEqual(copies(replica), before + 1)
            writer.wait(20)
            writer.end()
            writer.all_are_on(replica, *cluster.servers)

    def test_replicas_go_on_when_the_leader_is_killed_and_whoever_they_pull_from(self):
        with Cluster(BINARY) as cluster, Writer(cluster) as writer:
            plain, first, second = cluster.replica(), cluster.replica(**CHAINED), cluster.replica(**CHAINED)
            for replica in cluster.replicas:
                replica.start()
            writer.wait(100)
            cluster.leader().kill()
            writer.wait(100)
            first.kill()
            writer.wait(100)
            writer.end()
            writer.all_are_on(plain, second)
            first.start()
            writer.all_are_on(first)

    def test_reads_go_on_without_any_core_and_what_is_there_survives_a_restart(self):
        with Cluster(BINARY) as cluster, Writer(cluster) as writer:
            replica = cluster.replica().start()
            writer.wait(50)
            writer.end()
            writer.all_are_on(replica)
            for core in cluster.servers:
                core.kill()
            self.assertEqual(things(replica), [writer.count, writer.count])
            replica.kill()
            replica.start()
            self.assertEqual(things(replica), [writer.count, writer.count])

    def test_a_replica_that_was_away_too_long_gets_a_copy(self):
        with Cluster(BINARY, settings=LITTLE_LOG) as cluster:
            replica = cluster.replica().start()
            before = copies(replica)
            self.assertEqual(replica.stop(), 0)
            first, written = "data/databases/neo4j/store.log.00000001", 0
            while any((core.home / first).exists() for core in cluster.servers):
                write_entries(cluster.leader(), written, written + SOME)
                written += SOME
            replica.start()
            wait_for("it has all", lambda: things(replica), [written, written])
            self.assertEqual(copies(replica), before + 1)
            cluster.write("CREATE (:Thing {n: -1})")
            wait_for("and goes on", lambda: things(replica), [written + 1, written + 1])

    def test_a_replica_that_stops_leaves_routing_tables_at_once(self):
        with Cluster(BINARY) as cluster:
            replica = cluster.replica().start()
            wait_for("it is there", lambda: address(replica) in cluster.table(cluster.servers[0])["READ"], True)
            self.assertEqual(replica.stop(), 0)
            wait_for("it is gone", lambda: address(replica) in cluster.table(cluster.servers[0])["READ"], False, timeout_s=2)

    def test_the_folder_of_a_core_is_no_replicas(self):
        with Cluster(BINARY) as cluster:
            core = cluster.servers[2]
            core.stop()
            core.settings["dbms.mode"] = "READ_REPLICA"
            with self.assertRaises(RuntimeError) as refused:
                core.start()
            self.assertIn("belongs to a core", str(refused.exception))
            core.settings["dbms.mode"] = "CORE"
            core.start()


class Standby(unittest.TestCase):
    """One server that takes writes and one that reads: two machines, no quorum."""

    def setUp(self):
        self.pair = Cluster(BINARY, count=1, settings={"dbms.clustering.enable": "true"})
        self.primary, = self.pair.servers
        self.primary.settings["dbms.mode"] = "SINGLE"
        self.pair.__enter__()
        self.standby = self.pair.replica().start()

    def tearDown(self):
        self.pair.__exit__(*sys.exc_info())

    def follows(self, count):
        wait_for("the standby has it", lambda: things(self.standby), [count, count])

    def test_the_standby_is_read_while_it_replicates_and_outlives_the_primary(self):
        with Bolt(self.primary.bolt_port) as writes, Bolt(self.standby.bolt_port) as reads:
            for n in range(50):
                bookmark = writes.run("CREATE (:Thing {n: $n})", {"n": n}).summary["bookmark"]
                self.assertEqual(reads.run("MATCH (t:Thing) RETURN count(t)", bookmarks=[bookmark]).rows, [[n + 1]])
        table = {"WRITE": [address(self.primary)], "READ": [address(self.standby)], "ROUTE": [address(self.primary)]}
        for server in (self.primary, self.standby):
            wait_for("the table has both", lambda s=server: self.pair.table(s), table)
        self.primary.kill()
        self.assertEqual(things(self.standby), [50, 50])
        self.standby.kill()
        self.standby.start()
        self.assertEqual(things(self.standby), [50, 50])
        self.primary.start()
        ask(self.primary, "CREATE (:Thing {n: 50})")
        self.follows(51)

    def test_a_write_at_the_standby_is_carried_out_by_the_primary_and_read_at_once(self):
        for n in range(1, 6):
            ask(self.standby, f"CREATE (:Thing {{n: {n}}})")
            self.assertEqual(things(self.standby), [n, n])
        self.assertEqual(things(self.primary), [5, 5])

    def test_databases_come_and_go_and_users_with_them(self):
        ask(self.primary, "CREATE USER reader SET PASSWORD 'long enough' CHANGE NOT REQUIRED", db="system")
        ask(self.primary, "CREATE DATABASE other", db="system")
        ask(self.primary, "CREATE (:Thing)", db="other")
        wait_for("the other database is there", lambda: other_things(self.standby), [[1]])
        self.assertIn(["reader"], [row[:1] for row in ask(self.standby, "SHOW USERS", db="system").rows])
        ask(self.primary, "DROP DATABASE other", db="system")
        wait_for("and gone", lambda: other_things(self.standby), "Neo.ClientError.Database.DatabaseNotFound")

    def test_the_standby_gets_a_copy_when_the_log_was_pruned(self):
        before = copies(self.standby)
        self.standby.stop()
        ask(self.primary, "UNWIND range(1, 1000) AS i CREATE (:Thing {n: i})")
        for _ in range(2):  # a stop writes a checkpoint, and the log of a server alone is pruned up to it
            self.primary.settings["db.tx_log.rotation.size"] = "128k"
            ask(self.primary, "UNWIND range(1, 3000) AS i CREATE (:Filler {n: i, text: 'so that a segment is full'})")
            self.assertEqual(self.primary.stop(), 0)
            self.primary.start()
        self.standby.start()
        self.follows(1000)
        self.assertEqual(copies(self.standby), before + 1)


if __name__ == "__main__":
    sys.exit(stories.tell())
