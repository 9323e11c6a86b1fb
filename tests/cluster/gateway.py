#!/usr/bin/env python3
"""One address for a cluster, as its users meet it: tests/cluster/gateway.py BINARY [TEST...]; --long S kills leaders for S seconds, --kills N as many of them,
with all official drivers that can be had here."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "drivers"))
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
import run as drivers  # noqa: E402

BINARY = os.environ.get("QUIVER", "")
PYTHON = []  # the program of the Python driver
COUNTERS, CLIENTS, KILLS = 4, 8, 20


def address(server):
    return f"127.0.0.1:{server.bolt_port}"


def ask(server, text, user=None, password=None, **extra):
    with Bolt(server.bolt_port, user, password) as bolt:
        return bolt.run(text, **extra).rows


def wait_for(what, condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


def things(server):
    return ask(server, "MATCH (t:Thing) RETURN count(t)")[0][0]


@contextlib.contextmanager
def cluster_and_gateway(**settings):
    with Cluster(BINARY, settings=settings) as cluster:
        yield cluster, cluster.gateway().start()


def programs():
    """Of every official driver that can be had here."""
    found = []
    for name, commands in (("JavaScript", lambda: drivers.node_commands("counting", ["1.7.8", "6.3.0"])), ("Python", lambda: drivers.python_commands("counting")),
                           ("Go", lambda: drivers.go_commands("counting")),
                           ("Java 1.7", lambda: drivers.java_commands("Counting", "java-1.7", ["java/Histories.java", "java/Counts.java"])),
                           ("Java", lambda: drivers.java_commands("Counting", "java", ["java/Histories.java", "java/Counts.java"]))):
        try:
            made = commands()
        except subprocess.CalledProcessError as problem:  # no registry of packages is reached, say
            print(problem, file=sys.stderr)
            made = []
        if not made:
            print(f"the {name} driver cannot be had here and is left out", file=sys.stderr, flush=True)
        found += made
    return found


class Counting:
    """Clients of official drivers count on at the gateway; `told` is what they were told."""

    def __init__(self, gateway, commands):
        self.gateway, self.commands = gateway, commands

    def __enter__(self):
        ask(self.gateway, f"UNWIND range(0, {COUNTERS - 1}) AS i MERGE (c:Counter {{number: i}}) SET c.n = 0")
        clients = max(4, CLIENTS // len(self.commands))  # four ways to say it
        self.programs = [subprocess.Popen([*command, str(clients), address(self.gateway)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                         for command in self.commands]
        return self

    def total(self):
        return ask(self.gateway, "MATCH (c:Counter) RETURN sum(c.n)")[0][0]

    def go_on(self, timeout_s=30):
        """Until clients have counted on: whatever was in the way is over."""
        before = self.total()
        wait_for("clients count on", lambda: self.total() >= before + CLIENTS, timeout_s)

    def __exit__(self, kind, error, trace):
        for program in self.programs:
            program.kill() if kind is not None else program.stdin.close()
        told = [program.stdout.read() for program in self.programs]
        for program in self.programs:
            program.wait(timeout=90)
        if kind is None:
            self.told = [json.loads(out) for out in told]
            self.counted = self.total()


def kill_leaders(cluster, counting, kills, until=None):
    """How many there were."""
    for number in range(kills):
        if until is not None and time.monotonic() > until:
            return number
        leader = cluster.leader()
        leader.kill()
        counting.go_on()
        leader.start()
    return kills


class Gateway(unittest.TestCase):
    def check(self, counting):
        done = [told["done"] for told in counting.told]
        failed = [failure for told in counting.told for failure in told["failed"]]
        unseen = sum(told["unseen"] for told in counting.told)
        print(f"{' + '.join(map(str, done))} done, {len(failed)} failed, {unseen} not read behind their bookmark; the counters say {counting.counted}",
              *failed, sep="\n", file=sys.stderr, flush=True)
        self.assertEqual(failed, [])
        self.assertEqual(unseen, 0)
        self.assertEqual(counting.counted, sum(done))
        self.assertGreater(min(done), 0)

    def test_whoever_comes_to_it_stays_with_it_and_finds_all_that_the_cluster_has(self):
        with cluster_and_gateway() as (cluster, gateway):
            ask(gateway, "CREATE (:Thing)")
            wait_for("the write is everywhere", lambda: [things(s) for s in cluster.servers] == [1] * 3)
            with Bolt(gateway.bolt_port) as bolt:
                bolt.begin()
                bolt.run("CREATE (:Thing)")
                bolt.rollback()
                bolt.begin()
                bolt.run("CREATE (:Thing)")
                bolt.commit()
                with self.assertRaises(Failure) as wrong:
                    bolt.run("MATCH (")
            self.assertEqual(wrong.exception.code, "Neo.ClientError.Statement.SyntaxError")
            self.assertEqual(cluster.write("MATCH (t:Thing) RETURN count(t)"), [[2]])
            ask(gateway, "CREATE DATABASE other WAIT", db="system")
            ask(gateway, "CREATE (:Other)", db="other")
            ask(gateway, "UNWIND range(1, 5000) AS i CALL { WITH i CREATE (:Many {i: i}) } IN TRANSACTIONS OF 1000 ROWS")
            self.assertEqual(cluster.write("MATCH (m:Many) RETURN count(m)"), [[5000]])
            with Bolt(gateway.bolt_port) as bolt:
                self.assertEqual(len(bolt.run("MATCH (m:Many) RETURN m.i").rows), 5000)
            with self.assertRaises(Failure) as missing:
                ask(gateway, "RETURN 1", db="nowhere")
            self.assertEqual(missing.exception.code, "Neo.ClientError.Database.DatabaseNotFound")

    def test_a_linearizable_read_sees_what_was_acknowledged_to_others_without_a_bookmark(self):
        with cluster_and_gateway() as (cluster, gateway):
            cluster.write("CREATE (:Counter {n: 0})")
            with Bolt(gateway.bolt_port) as reader, Bolt(cluster.leader().bolt_port) as writer:
                for _ in range(100):
                    n = writer.run("MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n").rows
                    read = reader.run("MATCH (c:Counter) RETURN c.n", mode="r", tx_metadata={"quiver.consistency": "linearizable"}).rows
                    self.assertEqual(read, n)

    def test_nobody_counts_on_it_or_is_sent_to_it(self):
        with cluster_and_gateway() as (cluster, gateway):
            known = {address(s) for s in cluster.servers}
            time.sleep(2.5)  # whoever tells of it would have done so
            for server in cluster.servers:
                shown = ask(server, "SHOW SERVERS", db="system")
                self.assertEqual(len(shown), 3, shown)
                table = cluster.table(server)
                self.assertEqual({a for role in table.values() for a in role}, known)
            cluster.servers[0].kill()
            cluster.servers[1].kill()
            with self.assertRaises((Failure, OSError)):  # one of three is no majority, whatever else is there
                with Bolt(cluster.servers[2].bolt_port) as bolt:
                    bolt.begin(tx_timeout=2000)
                    bolt.run("CREATE (:Thing)")
                    bolt.commit()
            for server in cluster.servers[:2]:
                server.start()

    def test_credentials_are_checked_by_a_member_each_time_somebody_logs_in(self):
        settings = {"dbms.security.auth_enabled": "true", "dbms.security.auth_minimum_password_length": "4"}
        with Cluster(BINARY, settings=settings) as cluster:
            gateway = cluster.gateway().start()
            wait_for("the first user is there", lambda: logs_in(gateway, "neo4j", "neo4j"))
            ask(gateway, "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'first'", "neo4j", "neo4j", db="system")
            wait_for("the password is known", lambda: logs_in(gateway, "neo4j", "first"))
            self.assertFalse(logs_in(gateway, "neo4j", "neo4j"))
            self.assertFalse(logs_in(gateway, "nobody", "first"))
            self.assertEqual(ask(gateway, "RETURN 1", "neo4j", "first"), [[1]])
            for _ in range(5):  # connections of the old login are kept
                ask(gateway, "RETURN 1", "neo4j", "first")
            ask(gateway, "ALTER USER neo4j SET PASSWORD 'second' CHANGE NOT REQUIRED", "neo4j", "first", db="system")
            wait_for("the password is known", lambda: logs_in(gateway, "neo4j", "second"))
            wait_for("the old one is not", lambda: not logs_in(gateway, "neo4j", "first"))

    def test_clients_count_on_while_leaders_are_killed(self):
        with cluster_and_gateway() as (cluster, gateway):
            with Counting(gateway, PYTHON) as counting:
                counting.go_on()
                kill_leaders(cluster, counting, KILLS)
            self.check(counting)

    def test_clients_count_on_while_every_member_is_killed_in_turn_and_all_at_once(self):
        with cluster_and_gateway() as (cluster, gateway):
            with Counting(gateway, PYTHON) as counting:
                counting.go_on()
                for server in cluster.servers:
                    server.kill()
                    counting.go_on()
                    server.start()
                for server in cluster.servers:
                    server.kill()
                time.sleep(1)
                for server in cluster.servers:
                    server.spawn()
                for server in cluster.servers:
                    server.wait_until_up()
                counting.go_on()
            self.check(counting)


def logs_in(server, user, password):
    try:
        with Bolt(server.bolt_port, user, password):
            return True
    except Failure:
        return False


def long_run(kills, seconds):
    """Leaders are killed so often, or for so long."""
    case = Gateway()
    began = time.monotonic()
    with cluster_and_gateway() as (cluster, gateway):
        with Counting(gateway, programs()) as counting:
            counting.go_on(60)
            done = kill_leaders(cluster, counting, kills, began + seconds)
        print(f"{done} kills in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        case.check(counting)


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    PYTHON = drivers.python_commands("counting")
    if not PYTHON:
        print("no virtual environment for the Python driver can be made here")
        sys.exit(77)
    if sys.argv[1:2] == ["--long"]:
        long_run(10**9, float(sys.argv[2]))
    elif sys.argv[1:2] == ["--kills"]:
        long_run(int(sys.argv[2]), 10**9)
    else:
        unittest.main()
