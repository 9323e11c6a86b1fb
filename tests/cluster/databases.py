#!/usr/bin/env python3
"""Databases of a cluster as their users meet them: tests/cluster/databases.py BINARY [TEST...]. Standard library only."""
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

NOT_FOUND = "Neo.ClientError.Database.DatabaseNotFound"
UNAVAILABLE = ("Neo.TransientError.General.DatabaseUnavailable", "Neo.TransientError.Database.DatabaseUnavailable")


def wait_for(what, look, wanted=True, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while (seen := look()) != wanted:
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s, but {seen}")
        time.sleep(0.02)


def on_leader(cluster, statement, database, parameters=None, timeout_s=20):
    """Runs the statement on whoever leads the database; its rows."""
    deadline = time.monotonic() + timeout_s
    while True:
        for server in cluster.alive():
            try:
                with Bolt(server.bolt_port) as bolt:
                    return bolt.run(statement, parameters or {}, db=database).rows
            except (OSError, Failure) as problem:
                passing = isinstance(problem, OSError) or problem.code in (NOT_A_LEADER, *UNAVAILABLE)
                if not passing or time.monotonic() > deadline:
                    raise
        time.sleep(0.02)


def order(cluster, command):
    return on_leader(cluster, command, "system")


def things(server, database):
    """How many there are, or the code of the failure."""
    try:
        with Bolt(server.bolt_port) as bolt:
            return bolt.run("MATCH (t:Thing) RETURN count(t)", db=database).rows[0][0]
    except Failure as failure:
        return failure.code


def address(server):
    return f"127.0.0.1:{server.bolt_port}"


def statuses(server, database):
    """By server: (requested, current), as this one tells."""
    with Bolt(server.bolt_port) as bolt:
        rows = bolt.run(f"SHOW DATABASE {database} YIELD address, requestedStatus, currentStatus RETURN address, requestedStatus, currentStatus", db="system").rows
    return {row[0]: (row[1], row[2]) for row in rows}


def folders(server):
    return {path.name for path in (server.home / "data/databases").iterdir()}


class Databases(unittest.TestCase):
    def assert_all_have(self, cluster, database, wanted):
        for server in cluster.servers:
            wait_for(f"{wanted} things in {database} on {address(server)}", lambda s=server: things(s, database), wanted)

    def test_a_database_made_through_one_member_is_on_all_and_each_says_so(self):
        with Cluster(BINARY) as cluster:
            rows = order(cluster, "CREATE DATABASE films WAIT")
            self.assertEqual(sorted(row[0] for row in rows), sorted(map(address, cluster.servers)))
            self.assertEqual({tuple(row[1:]) for row in rows}, {("CaughtUp", "caught up", True)})
            on_leader(cluster, "CREATE (:Thing)", "films")
            self.assert_all_have(cluster, "films", 1)
            self.assert_all_have(cluster, "neo4j", 0)
            for server in cluster.servers:
                wait_for("all are online", lambda s=server: statuses(s, "films"), {address(s): ("online", "online") for s in cluster.servers})
                wait_for("the default one is in the catalogue", lambda s=server: statuses(s, "neo4j"),
                         {address(s): ("online", "online") for s in cluster.servers})

    def test_any_member_may_be_told_to_make_one(self):
        with Cluster(BINARY) as cluster:
            for i, server in enumerate(cluster.servers):
                with Bolt(server.bolt_port) as bolt:
                    rows = bolt.run(f"CREATE DATABASE `db-{i}` WAIT", db="system").rows
                self.assertEqual(sorted(row[0] for row in rows), sorted(map(address, cluster.servers)))
                self.assertEqual({row[1] for row in rows}, {"CaughtUp"})

    def test_a_server_that_is_told_by_another_one_is_called_by_its_address_for_clients(self):
        with Cluster(BINARY, settings={"server.default_advertised_address": "localhost"}) as cluster:
            for i, server in enumerate(cluster.servers):
                with Bolt(server.bolt_port) as bolt:
                    rows = bolt.run(f"CREATE DATABASE `db-{i}` WAIT", db="system").rows
                self.assertEqual(sorted(row[0] for row in rows), sorted(f"localhost:{s.bolt_port}" for s in cluster.servers))

    def test_a_stopped_database_keeps_its_data_on_all_and_one_that_is_dropped_leaves_nothing(self):
        with Cluster(BINARY) as cluster:
            order(cluster, "CREATE DATABASE films WAIT")
            on_leader(cluster, "UNWIND range(1, 100) AS i CREATE (:Thing {number: i})", "films")
            self.assertEqual({row[1] for row in order(cluster, "STOP DATABASE films WAIT")}, {"CaughtUp"})
            for server in cluster.servers:
                self.assertIn(things(server, "films"), UNAVAILABLE)
            self.assertEqual({row[1] for row in order(cluster, "START DATABASE films WAIT")}, {"CaughtUp"})
            self.assert_all_have(cluster, "films", 100)
            on_leader(cluster, "CREATE (:Thing)", "films")
            self.assert_all_have(cluster, "films", 101)
            self.assertEqual({row[1] for row in order(cluster, "DROP DATABASE films WAIT")}, {"CaughtUp"})
            for server in cluster.servers:
                self.assertEqual(things(server, "films"), NOT_FOUND)
                wait_for("its files are gone", lambda s=server: folders(s), {"system", "neo4j"})
                self.assertNotIn(" ERROR ", (server.home / "console.out").read_text())

    def test_a_member_that_was_away_follows_when_it_comes_back(self):
        with Cluster(BINARY) as cluster:
            for name in "films", "idle", "gone":
                order(cluster, f"CREATE DATABASE {name} WAIT")
                on_leader(cluster, "CREATE (:Thing)", name)
                self.assert_all_have(cluster, name, 1)
            away = cluster.servers[0]
            away.kill()
            order(cluster, "CREATE OR REPLACE DATABASE films")  # another one under its name
            order(cluster, "STOP DATABASE idle")
            order(cluster, "DROP DATABASE gone")
            rows = order(cluster, "CREATE DATABASE late WAIT")
            self.assertEqual(sorted(row[1] for row in rows), ["CaughtUp", "CaughtUp", "Incomplete"])
            on_leader(cluster, "CREATE (:Thing), (:Thing)", "films")
            on_leader(cluster, "CREATE (:Thing), (:Thing), (:Thing)", "late")
            away.start()
            self.assert_all_have(cluster, "films", 2)
            self.assert_all_have(cluster, "late", 3)
            wait_for("stopped", lambda: things(away, "idle") in UNAVAILABLE)
            wait_for("gone", lambda: things(away, "gone"), NOT_FOUND)
            wait_for("no files are left", lambda: len(folders(away)), 5)
            for server in cluster.servers[1:]:  # its votes count: it was named a member of what was made without it
                server.kill()
                on_leader(cluster, "CREATE (:Thing)", "late")
                server.start()
            self.assert_all_have(cluster, "late", 5)
            order(cluster, "START DATABASE idle WAIT")
            self.assert_all_have(cluster, "idle", 1)

    def test_a_member_that_lost_the_folder_of_a_database_is_filled_as_another_member(self):
        with Cluster(BINARY) as cluster:
            order(cluster, "CREATE DATABASE films WAIT")
            on_leader(cluster, "CREATE (:Thing)", "films")
            self.assert_all_have(cluster, "films", 1)
            loser = cluster.servers[0]
            loser.kill()
            lost, = folders(loser) - {"system", "neo4j"}
            for path in (loser.home / "data/databases" / lost).iterdir():
                path.unlink()
            loser.start()
            wait_for("it is filled", lambda: things(loser, "films"), 1)
            told = "[films] MemberId"
            wait_for("its former self is voted out, and it votes again", lambda: sum(
                (s.home / "console.out").read_text().count(told) for s in cluster.servers) >= 3)
            cluster.servers[1].kill()
            on_leader(cluster, "CREATE (:Thing)", "films")
            cluster.servers[1].start()
            self.assert_all_have(cluster, "films", 2)

    def test_ten_at_once_keep_what_was_written_over_a_restart_of_all(self):
        names = [f"db-{i}" for i in range(10)]
        with Cluster(BINARY) as cluster:
            makers = [threading.Thread(target=order, args=(cluster, f"CREATE DATABASE `{name}` WAIT")) for name in names]
            for maker in makers:
                maker.start()
            for maker in makers:
                maker.join()
            for i, name in enumerate(names):
                on_leader(cluster, "UNWIND range(1, $n) AS i CREATE (:Thing)", name, {"n": i + 1})
            for server in cluster.servers:
                server.kill()
            for server in cluster.servers:
                server.spawn()
            for server in cluster.servers:
                server.wait_until_up()
            for i, name in enumerate(names):
                self.assert_all_have(cluster, name, i + 1)
                on_leader(cluster, "CREATE (:Thing)", name)

    def test_a_server_that_comes_later_has_them_all_and_votes_in_each(self):
        with Cluster(BINARY) as cluster:
            for name in "films", "books":
                order(cluster, f"CREATE DATABASE {name} WAIT")
                on_leader(cluster, "CREATE (:Thing)", name)
            newcomer = cluster.add()
            for name in "films", "books":
                wait_for("it is filled", lambda n=name: things(newcomer, n), 1)
                wait_for("it votes", lambda n=name: any(f"[{n}] MemberId" in text and "votes from now on" in text for s in cluster.servers
                                                        for text in (s.home / "console.out").read_text().splitlines()))

    def test_leaders_are_spread_again_when_a_server_comes_back(self):
        with Cluster(BINARY) as cluster:
            for i in range(4):
                order(cluster, f"CREATE DATABASE `db-{i}`")
            away = cluster.servers[0]
            away.kill()
            for i in range(4):
                on_leader(cluster, "CREATE (:Thing)", f"db-{i}")
            away.start()
            names = ["system", "neo4j", *(f"db-{i}" for i in range(4))]

            def led():
                tables = [cluster.table(cluster.servers[1], name).get("WRITE", []) for name in names]
                return sorted(tables.count([address(s)]) for s in cluster.servers)

            wait_for("each leads two", led, [2, 2, 2], timeout_s=60)

    def test_servers_of_the_group_that_the_settings_name_lead(self):
        cluster = Cluster(BINARY, settings={"causal_clustering.leadership_priority_group": "fast", "causal_clustering.leadership_priority_group.films": "slow"})
        for server, group in zip(cluster.servers, ["fast", "slow", "slow"]):
            server.settings["causal_clustering.server_groups"] = group
        with cluster:
            order(cluster, "CREATE DATABASE films")
            fast, *slow = map(address, cluster.servers)
            wait_for("the fast one leads", lambda: cluster.table(cluster.servers[1]).get("WRITE"), [fast], timeout_s=40)
            wait_for("a slow one leads films", lambda: cluster.table(cluster.servers[1], "films").get("WRITE", [""])[0] in slow, timeout_s=40)

    def test_no_more_are_made_than_the_settings_allow(self):
        with Cluster(BINARY, settings={"dbms.max_databases": "3"}) as cluster:
            wait_for("the default one is in the catalogue", lambda: "CREATE" if "neo4j" in {r[0] for r in order(cluster, "SHOW DATABASES")} else "", "CREATE")
            order(cluster, "CREATE DATABASE films WAIT")
            with self.assertRaises(Failure) as refused:
                order(cluster, "CREATE DATABASE books")
            self.assertIn("dbms.max_databases", str(refused.exception))


if __name__ == "__main__":
    sys.exit(stories.tell())
