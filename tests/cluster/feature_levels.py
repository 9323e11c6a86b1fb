#!/usr/bin/env python3
"""Rolling upgrades and their roll-back: tests/cluster/feature_levels.py BINARY NEXT [TEST...]. Standard library only.

NEXT is a server that knows one feature level more (feature_level_next.c). Clients write all the time; none of what was acknowledged may be
lost on the way there, back, there again and up, and whoever is too old afterwards is told so and kept out.
"""
import os
import pathlib
import random
import struct
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from driver import Driver, Refused, Unknown  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

OLD = os.environ.get("QUIVER", "")
NEXT = os.environ.get("QUIVER_NEXT", "")
TOO_OLD = "The cluster was raised to feature level 2, and this version knows levels up to 1"


class Writer(threading.Thread):
    """Creates things, one after the other, at whoever leads."""

    def __init__(self, cluster):
        super().__init__()
        self.driver = Driver([("127.0.0.1", s.bolt_port) for s in cluster.servers], random.Random(1))
        self.acknowledged, self.unknown, self.stop = 0, 0, threading.Event()

    def run(self):
        while not self.stop.wait(0.01):
            try:
                self.driver.auto_commit("WRITE", None, "CREATE (:Thing)")
                self.acknowledged += 1
            except Unknown:
                self.unknown += 1
            except Refused:
                pass
        self.driver.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()


def ask(server, text, **extra):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run(text, **extra).rows


def status(server):
    """REQUIRES_UPGRADE or CURRENT, and a description."""
    return ask(server, "CALL dbms.upgradeStatus()", db="system")[0][:2]


def upgrade(server):
    return ask(server, "CALL dbms.upgrade()", db="system")[0][1]


def announced(server):
    """What levels are known to whom, as this server hears of it."""
    return sorted(row[0] for row in ask(server, "SHOW SERVERS YIELD featureLevel RETURN featureLevel", db="system") if row[0] is not None)


def levels_on_disk(server):
    """Those that batches of its logs were written at (docs/formats/log.md)."""
    found = set()
    for segment in server.home.rglob("store.log.*"):
        data = segment.read_bytes()
        for at in range(512, len(data), 512):
            if data[at:at + 4] == b"QVLB":
                found.add(struct.unpack_from("<I", data, at + 8)[0])
    return found


def restart(cluster, server, binary):
    """In order, as another version; returns when it takes part again."""
    if server.stop() != 0:
        raise AssertionError(f"{server.home} did not stop in order")
    server.binary = binary
    server.start()
    cluster.leader()


def roll(cluster, binary):
    for server in cluster.servers:
        restart(cluster, server, binary)


class FeatureLevels(unittest.TestCase):
    def test_a_rolling_upgrade_goes_back_and_forth_until_the_level_is_raised(self):
        with Cluster(OLD) as cluster, Writer(cluster) as writer:
            cluster.leader()
            roll_first(self, cluster)
            roll(cluster, OLD)  # and back
            self.assertEqual(status(cluster.servers[0])[0], "CURRENT")
            roll(cluster, NEXT)
            self.raise_level(cluster)
            wait_for("more is written", lambda n=writer.acknowledged: writer.acknowledged > n + 20)
            writer.stop.set()
            writer.join()
            self.check_nothing_is_lost(cluster, writer)
            self.check_what_is_written(cluster)
            self.check_that_an_old_one_does_not_start(cluster)
            self.check_that_old_ones_are_not_let_in(cluster)

    def raise_level(self, cluster):
        a, b, c = cluster.servers
        wait_for("all know the next level", lambda: announced(a) == [2, 2, 2])
        self.assertEqual(status(a)[0], "REQUIRES_UPGRADE")
        self.check_that_one_that_is_away_keeps_it_down(cluster)
        self.assertEqual(set().union(*map(levels_on_disk, cluster.servers)), {1})
        follower = next(s for s in (a, b, c) if s is not cluster.leader())
        self.assertEqual(upgrade(follower), "The cluster has feature level 2 from now on.")
        for server in cluster.servers:
            wait_for("it follows", lambda s=server: "The cluster has feature level 2;" in status(s)[1])
        self.assertIn("Nothing to do", upgrade(follower))

    def check_that_one_that_is_away_keeps_it_down(self, cluster):
        away = next(s for s in cluster.servers if s is not cluster.leader())
        other = next(s for s in cluster.servers if s is not away)
        away.kill()
        for server in cluster.alive():  # whoever leads is the one that judges
            wait_for("it is missed", lambda s=server: len(announced(s)) == 2, 30)
        with self.assertRaises(Failure) as refused:
            upgrade(other)
        self.assertIn("is not heard of", refused.exception.message)
        away.start()
        wait_for("it is back", lambda: announced(other) == [2, 2, 2])
        cluster.leader()

    def check_nothing_is_lost(self, cluster, writer):
        found = cluster.write("MATCH (t:Thing) RETURN count(t)")[0][0]
        print(f"{writer.acknowledged} acknowledged, {writer.unknown} unknown, {found} found", flush=True)
        self.assertGreaterEqual(found, writer.acknowledged)
        self.assertLessEqual(found, writer.acknowledged + writer.unknown)

    def check_what_is_written(self, cluster):
        for server in cluster.servers:
            wait_for("the new level is in its log", lambda s=server: levels_on_disk(s) == {1, 2})

    def check_that_an_old_one_does_not_start(self, cluster):
        server = next(s for s in cluster.servers if s is not cluster.leader())
        server.stop()
        server.binary = OLD
        server.spawn()
        self.assertNotEqual(server.process.wait(60), 0)
        self.assertRegex(server.console(), "level 2")
        server.binary = NEXT
        server.start()
        cluster.write("CREATE (:Thing)")

    def check_that_old_ones_are_not_let_in(self, cluster):
        cluster.binary = OLD
        replica = cluster.replica()
        replica.spawn()
        wait_for("the old replica is told", lambda: "wants a higher feature level than this server knows" in replica.console(), 60)
        newcomer = cluster.server("newcomer", 1, **{"server.discovery.listen_address": "127.0.0.1:0"}).spawn()
        cluster.replicas.append(newcomer)
        wait_for("the old core is told", lambda: TOO_OLD in newcomer.console(), 60)
        time.sleep(1)
        self.assertFalse(any("joins and is brought up to date" in (s.home / "console.out").read_text() for s in cluster.servers))


def roll_first(test, cluster):
    """One of three, and all."""
    first, other = cluster.servers[:2]
    restart(cluster, first, NEXT)
    wait_for("it says what it knows", lambda: announced(other) == [1, 1, 2])
    test.assertEqual(status(first)[0], "CURRENT")
    test.assertIn("Nothing to do", upgrade(first))
    for server in cluster.servers[1:]:
        restart(cluster, server, NEXT)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        OLD, NEXT = map(os.path.abspath, (sys.argv.pop(1), sys.argv.pop(1)))
    unittest.main(verbosity=2)
