#!/usr/bin/env python3
"""Linearizable reads as their users meet them: tests/cluster/reading.py BINARY [TEST...]. Standard library only.

Servers are real; a member that is to be deposed without knowing it is stopped by a signal while the others elect another one.
"""
import os
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402

LINEARIZABLE = {"tx_metadata": {"quiver.consistency": "linearizable"}}
COUNTER = "MATCH (c:Counter) RETURN c.n"


def read(bolt, **extra):
    return bolt.run(COUNTER, mode="r", **extra).rows[0][0]


class Reading(unittest.TestCase):
    """Three cores; two read replicas, of which one hands nothing on."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(BINARY, settings={"db.transaction.bookmark_ready_timeout": "3s"}).__enter__()
        cls.cluster.write("CREATE (:Counter {n: 0})")
        cls.replicas = [cls.cluster.replica().spawn(), cls.cluster.replica(dbms__routing__enabled="false").spawn()]
        for replica in cls.replicas:
            replica.wait_until_up()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_everybody_reads_what_was_acknowledged_without_a_bookmark(self):
        servers = self.cluster.servers + self.replicas
        readers = [Bolt(s.bolt_port) for s in servers]
        behind = 0
        with Bolt(self.cluster.leader().bolt_port) as writer:
            for _ in range(100):
                n = writer.run("MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n").rows[0][0]
                behind += sum(read(reader) < n for reader in readers)
                n = writer.run("MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n").rows[0][0]
                for server, reader in zip(servers, readers):
                    self.assertEqual(read(reader, **LINEARIZABLE), n, server.home)
        print(f"100 writes, {len(servers)} readers: {behind} causal reads were behind, no linearizable one", flush=True)
        for reader in readers:
            reader.close()

    def test_a_transaction_at_a_replica_is_linearizable_from_its_beginning(self):
        with Bolt(self.replicas[1].bolt_port) as reader, Bolt(self.cluster.leader().bolt_port) as writer:
            for _ in range(20):
                n = writer.run("MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n").rows[0][0]
                reader.begin(mode="r", **LINEARIZABLE)
                self.assertEqual(reader.run(COUNTER).rows, [[n]])
                reader.commit()

    def test_another_word_is_refused(self):
        with Bolt(self.replicas[0].bolt_port) as reader, self.assertRaises(Failure) as refused:
            read(reader, tx_metadata={"quiver.consistency": "eventual"})
        self.assertEqual(refused.exception.code, "Neo.ClientError.Statement.ArgumentError")
        self.assertIn("'linearizable'", refused.exception.message)

    def test_a_leader_that_was_stopped_and_deposed_answers_nothing_old_when_it_wakes(self):
        for _ in range(3):
            old = self.cluster.leader()
            others = [s for s in self.cluster.servers if s is not old]
            with Bolt(old.bolt_port) as bolt:
                before = read(bolt)
                os.kill(old.process.pid, signal.SIGSTOP)
                try:
                    self.write_at(others)
                    bolt.send(0x10, COUNTER, {}, {"mode": "r", **LINEARIZABLE})  # it is there when the server wakes
                    bolt.send(0x3F, {"n": -1})
                finally:
                    os.kill(old.process.pid, signal.SIGCONT)
                rows = []
                bolt.answer()
                bolt.answer(rows)
                self.assertEqual(rows, [[before + 1]])

    @staticmethod
    def write_at(servers, timeout_s=20):
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                with Bolt(servers[0].bolt_port) as bolt:
                    return bolt.run("MATCH (c:Counter) SET c.n = c.n + 1")
            except (OSError, Failure):
                if time.monotonic() > deadline:
                    raise

    def test_without_a_majority_nothing_is_answered_in_time(self):
        leader = self.cluster.leader()
        others = [s for s in self.cluster.servers if s is not leader]
        for other in others:
            os.kill(other.process.pid, signal.SIGSTOP)
        try:
            for server in [leader, self.replicas[0]]:
                with Bolt(server.bolt_port) as bolt:
                    begin = time.monotonic()
                    with self.assertRaises(Failure) as refused:
                        read(bolt, **LINEARIZABLE)
                    self.assertEqual(refused.exception.code, "Neo.TransientError.General.DatabaseUnavailable")
                    self.assertGreater(time.monotonic() - begin, 2.5)
                    self.assertLess(time.monotonic() - begin, 6)
                    self.assertIsInstance(read(bolt), int)
        finally:
            for other in others:
                os.kill(other.process.pid, signal.SIGCONT)
        self.cluster.leader()
        with Bolt(self.replicas[0].bolt_port) as bolt:
            self.assertIsInstance(read(bolt, **LINEARIZABLE), int)


class OneThatWritesAndOneThatReads(unittest.TestCase):
    def test_a_replica_of_a_standalone_server_reads_what_was_acknowledged(self):
        with Cluster(BINARY, 1, {"dbms.mode": "SINGLE", "dbms.clustering.enable": "true"}) as cluster:
            with Bolt(cluster.servers[0].bolt_port) as writer:
                writer.run("CREATE (:Counter {n: 0})")
                replica = cluster.replica(dbms__mode="READ_REPLICA")
                replica.spawn().wait_until_up()
                with Bolt(replica.bolt_port) as reader:
                    for _ in range(50):
                        n = writer.run("MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n").rows[0][0]
                        self.assertEqual(read(reader, **LINEARIZABLE), n)
                    self.assertEqual(read(writer, **LINEARIZABLE), n)


if __name__ == "__main__":
    sys.exit(stories.tell())
