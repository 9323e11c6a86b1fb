#!/usr/bin/env python3
"""The way from a standalone server to a cluster and back, and what is done when most of a cluster is lost:
tests/cluster/seeding.py BINARY [TEST...]. Standard library only."""
import pathlib
import re
import shutil
import subprocess
import sys
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


def ask(server, statement, db="neo4j", **parameters):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run(statement, parameters, db=db).rows


def things(server, db="neo4j"):
    """None while the database is not available there."""
    try:
        return ask(server, "MATCH (t:Thing) RETURN count(t)", db)[0][0]
    except Failure as failure:
        if failure.code not in ("Neo.TransientError.General.DatabaseUnavailable", "Neo.ClientError.Database.DatabaseNotFound"):
            raise
        return None


def administer(cluster, statement):
    """On whoever leads `system`."""
    deadline = time.monotonic() + 20
    while True:
        for server in cluster.alive():
            try:
                return ask(server, statement, "system")
            except Failure as failure:
                if failure.code != NOT_A_LEADER or time.monotonic() > deadline:
                    raise


def members(server, database):
    """How many vote, as that server has told last."""
    told = re.findall(rf"\[{database}\] Members of the group: \d+, voting: (\d+)\.", log(server))
    return int(told[-1]) if told else None


def admin(server, *words):
    done = subprocess.run([BINARY, "admin", *words, "--home", str(server.home)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def as_standalone(server):
    server.settings["dbms.mode"] = "SINGLE"
    return server


def as_core(server):
    server.settings["dbms.mode"] = "CORE"
    return server


def wipe(server):
    shutil.rmtree(server.home / "data", ignore_errors=True)


def fill(server, count, first=0, db="neo4j"):
    with Bolt(server.bolt_port) as bolt:
        for i in range(first, first + count):
            bolt.run("CREATE (:Thing {number: $i})", {"i": i}, db=db)


def start_all(servers):
    for server in servers:
        server.spawn()
    for server in servers:
        server.wait_until_up()


class Seeding(unittest.TestCase):
    def everything_is_everywhere(self, cluster, count, db="neo4j"):
        for server in cluster.servers:
            wait_for("all of it is there", lambda s=server: things(s, db) == count, 30)

    def test_a_standalone_server_founds_a_cluster_with_its_data(self):
        cluster = Cluster(BINARY)
        try:
            for place in range(3):  # whoever of the three proposes
                seed = cluster.servers[place]
                as_standalone(seed).start()
                fill(seed, 200)
                ask(seed, "CREATE CONSTRAINT FOR (t:Thing) REQUIRE t.number IS UNIQUE")
                ask(seed, "CREATE DATABASE films WAIT", "system")
                fill(seed, 30, db="films")
                ask(seed, "CREATE USER ann SET PASSWORD 'long enough' CHANGE NOT REQUIRED", "system")
                before = things(seed)
                self.assertEqual(seed.stop(), 0)
                as_core(seed)
                start_all(cluster.servers)
                self.everything_is_everywhere(cluster, before)
                self.everything_is_everywhere(cluster, 30, "films")
                self.assertIn("[films] The database is what the cluster begins with, up to transaction ", log(seed))
                cluster.write("CREATE (:Thing {number: -1})")
                with self.assertRaises(Failure) as refused:
                    cluster.write("CREATE (:Thing {number: 7})")
                self.assertIn("Constraint", refused.exception.code)
                cluster.leader().kill()
                cluster.write("CREATE (:Thing {number: -2})")
                for server in cluster.servers:
                    if server.process.poll() is not None:
                        server.start()
                self.everything_is_everywhere(cluster, before + 2)
                for server in cluster.servers:
                    self.assertIn(["ann"], ask(server, "SHOW USERS YIELD user RETURN user", "system"))
                    server.kill()
                start_all(cluster.servers)
                self.everything_is_everywhere(cluster, before + 2)
                cluster.write("CREATE (:Thing {number: -3})")
                for server in cluster.servers:
                    server.stop()
                    wipe(server)
        finally:
            cluster.__exit__(*sys.exc_info())

    def test_who_comes_later_gets_all_databases_of_such_a_cluster_and_new_ones_are_made(self):
        cluster = Cluster(BINARY)
        try:
            seed = cluster.servers[0]
            as_standalone(seed).start()
            fill(seed, 20)
            ask(seed, "CREATE DATABASE films WAIT", "system")
            fill(seed, 30, db="films")
            self.assertEqual(seed.stop(), 0)
            as_core(seed)
            start_all(cluster.servers)
            self.everything_is_everywhere(cluster, 20)
            cluster.add()
            self.everything_is_everywhere(cluster, 20)
            self.everything_is_everywhere(cluster, 30, "films")
            administer(cluster, "CREATE DATABASE later WAIT")
            self.everything_is_everywhere(cluster, 0, "later")
            wait_for("the newcomer votes in all of them", lambda: all(members(s, db) == 4 for s in cluster.servers for db in ("neo4j", "films", "system")), 40)
        finally:
            cluster.__exit__(*sys.exc_info())

    def test_a_founder_that_is_killed_while_it_is_filled_goes_on(self):
        cluster = Cluster(BINARY)
        try:
            seed, *others = cluster.servers
            as_standalone(seed).start()
            with Bolt(seed.bolt_port) as bolt:
                bolt.run("UNWIND range(1, 100000) AS i CREATE (:Thing {number: i, text: 'some text that takes a little room'})", {}, db="neo4j")
            self.assertEqual(seed.stop(), 0)
            as_core(seed)
            for server in cluster.servers:
                server.spawn()
            wait_for("it was copied", lambda: "was copied from the founder" in log(others[0]), 60)
            others[0].kill()
            seed.kill()
            others[0].spawn()
            seed.spawn()
            for server in cluster.servers:
                server.wait_until_up()
            self.everything_is_everywhere(cluster, 100000)
            cluster.write("CREATE (:Thing)")
            self.everything_is_everywhere(cluster, 100001)
        finally:
            cluster.__exit__(*sys.exc_info())

    def test_a_founder_that_is_late_for_the_beginning_is_taken_in_by_the_others(self):
        cluster = Cluster(BINARY, settings={"db.checkpoint.interval.volume": "1m"})
        try:
            seed, other, late = cluster.servers
            as_standalone(seed).start()
            fill(seed, 20)
            self.assertEqual(seed.stop(), 0)
            as_core(seed)
            for server in cluster.servers:
                server.spawn()
            wait_for("it has founded the cluster with the first", lambda: all("Bound to cluster" in log(s) for s in (seed, late)))
            late.kill()  # whoever proposed the cluster has been heard by one that stays
            for server in (seed, other):
                server.wait_until_up()
            text, count = "x" * 10000, 600  # the seed's checkpoint moves on
            for i in range(count // 100):
                cluster.write("UNWIND range(1, 100) AS i CREATE (:Thing {text: $text})", {"text": text})
            wait_for("it has a newer checkpoint", lambda: "store.checkpoint.done" in log(seed).split("Started.")[-1])
            late.start()
            self.assertIn("[neo4j] The others have begun already", log(late))
            self.everything_is_everywhere(cluster, 20 + count)
            wait_for("three vote", lambda: all(members(s, db) == 3 for s in cluster.servers for db in ("neo4j", "system")), 40)
            seed.kill()
            cluster.write("CREATE (:Thing)")
            for server in (other, late):
                wait_for("it goes on", lambda s=server: things(s) == 21 + count)
        finally:
            cluster.__exit__(*sys.exc_info())

    def test_two_servers_with_data_found_no_cluster_and_say_which_they_are(self):
        cluster = Cluster(BINARY)
        try:
            for server in cluster.servers[:2]:
                as_standalone(server).start()
                fill(server, 3)
                server.stop()
                as_core(server)
            for server in cluster.servers:
                server.spawn()
            wait_for("it is told", lambda: any("have databases of their own" in log(s) for s in cluster.servers))
            line = next(line for s in cluster.servers for line in log(s).splitlines() if "have databases of their own" in line)
            for server in cluster.servers[:2]:
                self.assertIn(server.settings["server.discovery.listen_address"] + " (system ", line)
                self.assertNotIn("Bound to cluster", log(server))
            cluster.servers[1].kill()
            wipe(cluster.servers[1])
            cluster.servers[1].spawn()
            for server in cluster.servers:
                server.wait_until_up()
            self.everything_is_everywhere(cluster, 3)
        finally:
            cluster.__exit__(*sys.exc_info())

    def test_from_a_cluster_to_a_standalone_server_and_back(self):
        with Cluster(BINARY) as cluster:
            for i in range(50):
                cluster.write("CREATE (:Thing {number: $i})", {"i": i})
            self.everything_is_everywhere(cluster, 50)
            last = cluster.servers[2]
            with Bolt(cluster.leader().bolt_port) as bolt:
                old = bolt.run("RETURN 1", db="neo4j").summary["bookmark"]
            for server in cluster.servers:
                self.assertEqual(server.stop(), 0)
            code, told = admin(last, "server", "unbind")
            self.assertEqual(code, 0, told)
            as_standalone(last).start()
            self.assertEqual(things(last), 50)
            with Bolt(last.bolt_port) as bolt, self.assertRaises(Failure) as refused:
                bolt.run("RETURN 1", db="neo4j", bookmarks=[old])
            self.assertIn("is of another generation of the database", refused.exception.message)
            with Bolt(last.bolt_port) as bolt:
                new = bolt.run("CREATE (:Thing {number: 50})", db="neo4j").summary["bookmark"]
                bolt.run("RETURN 1", db="neo4j", bookmarks=[new])
            fill(last, 9, 51)
            self.assertEqual(last.stop(), 0)
            for server in cluster.servers[:2]:
                wipe(server)
            as_core(last)
            start_all(cluster.servers)
            self.everything_is_everywhere(cluster, 60)
            cluster.write("CREATE (:Thing)")
            self.everything_is_everywhere(cluster, 61)

    def test_when_two_of_three_are_lost_for_good_the_third_founds_a_new_cluster(self):
        with Cluster(BINARY) as cluster:
            acknowledged = 0
            for i in range(100):
                cluster.write("CREATE (:Thing {number: $i})", {"i": i})
                acknowledged += 1
            former = next(s for s in cluster.servers if s is not cluster.leader())
            survivor = next(s for s in cluster.servers if s is not former and s is not cluster.leader())
            wait_for("it has acknowledged all", lambda: things(survivor) == acknowledged)
            for server in cluster.servers:
                server.kill()
            lost = [s for s in cluster.servers if s is not survivor]
            kept = former.home.with_name("kept")
            shutil.copytree(former.home / "data", kept)
            for server in lost:
                wipe(server)
            code, told = admin(survivor, "cluster", "recover")
            self.assertEqual(code, 0, told)
            for word in ("Database neo4j, generation 1", "last known to be committed", "last in the log", "(this one)", "Nothing was changed"):
                self.assertIn(word, told)
            survivor.start()  # as it was: alone of three, it serves what it has and elects nobody
            self.assertIn(things(survivor), (acknowledged - 1, acknowledged))  # the last one may be committed for all that it knows
            survivor.stop()
            code, told = admin(survivor, "cluster", "recover", "--accept-loss")
            self.assertEqual(code, 0, told)
            start_all(cluster.servers)
            self.everything_is_everywhere(cluster, acknowledged)
            cluster.write("CREATE (:Thing)")
            self.everything_is_everywhere(cluster, acknowledged + 1)
            newcomer = next(s for s in lost if s is former)
            newcomer.stop()
            cluster.servers.remove(newcomer)
            shutil.rmtree(newcomer.home / "data")
            shutil.copytree(kept, newcomer.home / "data")  # it was not lost after all
            newcomer.spawn()
            wait_for("it is told", lambda: "belongs to another cluster" in log(newcomer).split("Starting...")[-1])
            wait_for("and so are the others", lambda: "belongs to another cluster" in log(survivor))
            cluster.write("CREATE (:Thing)")
            self.assertEqual(things(survivor), acknowledged + 2)
            newcomer.kill()


if __name__ == "__main__":
    sys.exit(stories.tell())
