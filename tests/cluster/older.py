#!/usr/bin/env python3
"""A vote belongs to its data: a server whose data folder, or a part of it, was put back from an older copy does not vote as the member that
it was. tests/cluster/older.py BINARY [TEST...]. Standard library only."""
import pathlib
import shutil
import struct
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

ALONE_S = 4  # several elections' time
IDENTITY_NUMBER_AT = 24  # docs/formats/members.md


def log(server):
    return (server.home / "console.out").read_text(errors="replace")


def things(server, database="neo4j"):
    """None while the database is not available there."""
    try:
        with Bolt(server.bolt_port) as bolt:
            return bolt.run("MATCH (t:Thing) RETURN count(t)", db=database).rows[0][0]
    except (OSError, Failure):
        return None


def voters(server, database="neo4j"):
    told = [line for line in log(server).splitlines() if f"[{database}] Members of the group: " in line]
    return int(told[-1].rsplit("voting: ", 1)[1].split(".")[0]) if told else None


def number(server):
    return struct.unpack_from("<I", (server.home / "data/server_identity").read_bytes(), IDENTITY_NUMBER_AT)[0]


def moves(folder, server_number):
    """What is kept there of how far the starts of that server have moved (docs/formats/members.md, Moves)."""
    file = folder / "server_moves"
    words = struct.unpack_from(f"<{(len(file.read_bytes()) - 40) // 8}Q", file.read_bytes(), 32) if file.exists() else ()
    return {start: times for of, start, times in zip(words[::3], words[1::3], words[2::3]) if of == server_number}


def copy_of(server, part, to):
    shutil.copytree(server.home / part, to, ignore=shutil.ignore_patterns("*.new"))


def put_back(server, part, copy):
    shutil.rmtree(server.home / part)
    shutil.copytree(copy, server.home / part)


def administer(server, statement):
    """Any server has it done."""
    with Bolt(server.bolt_port) as bolt:
        bolt.run(statement, db="system")


class Older(unittest.TestCase):
    def acknowledge_without(self, cluster, lagging, count):
        lagging.stop()
        for _ in range(count):
            cluster.write("CREATE (:Thing)")
        administer(cluster.leader(), "CREATE DATABASE between WAIT")

    def assert_nobody_leads(self, cluster):
        """The two that are up are not enough: what one of them has acknowledged, it has no more."""
        end = time.monotonic() + ALONE_S
        while time.monotonic() < end:
            for server in cluster.alive():
                self.assertEqual(cluster.writers(server), [], f"{server.uri} knows a leader:\n{server.console()}")
            time.sleep(0.1)

    def wait_until_it_has_moved(self, server, copy, witnesses):
        """It promises something, and the others know that."""
        before = moves(copy, number(server))
        for witness in witnesses:
            wait_for("it has moved since the copy", lambda w=witness: any(
                times > before.get(start, 0) for start, times in moves(w.home / "data", number(server)).items()), 40)

    def put_back_an_older_copy(self, part, said, while_it_runs=False, killed=False):
        with Cluster(BINARY) as cluster:
            one, two, three = cluster.servers
            cluster.write("CREATE (:Thing)")
            wait_for("everybody has it", lambda: all(things(s) == 1 for s in cluster.servers))
            if not while_it_runs:
                three.stop()
            copy_of(three, part, cluster.folder / "copy")
            if not while_it_runs:
                three.start()
            wait_for("the three are together again", lambda: all(things(s) == 1 for s in cluster.servers))
            if killed:
                cluster.write("MATCH (t:Thing) SET t.seen = true")
                self.wait_until_it_has_moved(three, cluster.folder / "copy", (one, two))
            self.acknowledge_without(cluster, two, 5)
            if killed:
                three.kill()
            else:
                three.stop()
            one.stop()
            put_back(three, part, cluster.folder / "copy")
            two.spawn()
            three.spawn()
            two.wait_until_up()
            self.assert_nobody_leads(cluster)
            self.assertIn(said, log(three))
            one.start()
            for server in cluster.servers:
                wait_for("everything that was acknowledged is there", lambda s=server: things(s) == 6, 40)
            wait_for("it votes again, as another member", lambda: all(voters(s) == 3 for s in cluster.servers), 40)
            self.assertIn("its former self is voted out", log(one) + log(two))
            administer(one, "CREATE DATABASE later WAIT")
            for database in ("between", "later"):
                for server in cluster.servers:
                    wait_for(f"{database} is everywhere", lambda s=server, d=database: things(s, d) == 0 and voters(s, d) == 3, 40)
            one.stop()
            cluster.write("CREATE (:Thing)")
            for server in (two, three):
                wait_for("they go on together", lambda s=server: things(s) == 7)

    def test_databases_that_are_older_than_their_server(self):
        self.put_back_an_older_copy("data/databases", "[neo4j] The data here are older than what this server has left here")

    def test_one_database_that_is_older_than_its_server(self):
        self.put_back_an_older_copy("data/databases/neo4j", "[neo4j] The data here are older than what this server has left here")

    def test_a_whole_data_folder_that_is_older_than_what_the_others_know(self):
        self.put_back_an_older_copy("data", "The data folder of this server is an older copy")

    def test_databases_of_which_a_copy_was_made_while_the_server_ran(self):
        self.put_back_an_older_copy("data/databases", "[neo4j] The data here are older than what this server has left here", while_it_runs=True)


    def test_a_whole_data_folder_of_which_a_copy_was_made_while_the_server_ran(self):
        self.put_back_an_older_copy("data", "The data folder of this server is an older copy", while_it_runs=True, killed=True)

    def wait_until_it_has_just_moved(self, cluster, server, witnesses):
        """And will not again for ten seconds."""
        def times(who):
            return sum(moves(who.home / "data", number(server)).values())

        def moves_on():
            cluster.write("MATCH (t:Thing) SET t.seen = true")
            return all(times(who) > before for who in witnesses)
        before = times(server)
        wait_for("it has moved", moves_on, 40)

    def put_back_a_copy_from_a_moment_ago(self, part):
        """Nobody knows of a move of its start since; only who leads, of what it has acknowledged since."""
        with Cluster(BINARY) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            wait_for("everybody has it", lambda: all(things(s) == 1 for s in cluster.servers))
            copied = next(s for s in cluster.servers if s is not leader)
            others = [s for s in cluster.servers if s is not copied]
            if part == "data":
                self.wait_until_it_has_just_moved(cluster, copied, others)
            copy_of(copied, part, cluster.folder / "copy")
            for _ in range(5):
                cluster.write("CREATE (:Thing)")
            wait_for("it has acknowledged them", lambda: things(copied) == 6)
            copied.kill()
            self.assertIs(cluster.leader(), leader)
            put_back(copied, part, cluster.folder / "copy")
            copied.spawn()
            wait_for("it is told what it has acknowledged", lambda: "it has acknowledged entry" in log(copied))
            self.assertIn("The data folder of this server is an older copy: in the group of database", log(copied))
            wait_for("it has come as another member", lambda: "its former self is voted out" in "".join(log(s) for s in others), 40)
            cluster.write("CREATE (:Thing)")
            for server in cluster.servers:
                wait_for("it votes again", lambda s=server: voters(s) == 3, 40)
                wait_for("everything that was acknowledged is there", lambda s=server: things(s) == 7, 40)
            for server in others:
                self.assertNotIn("is an older copy", log(server))

    def test_a_whole_data_folder_of_a_moment_ago_under_the_same_leader(self):
        self.put_back_a_copy_from_a_moment_ago("data")

    def test_databases_of_a_moment_ago_under_the_same_leader(self):
        self.put_back_a_copy_from_a_moment_ago("data/databases")


if __name__ == "__main__":
    sys.exit(stories.tell())
