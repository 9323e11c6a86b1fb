#!/usr/bin/env python3
"""A cluster of real servers as its users meet it: tests/cluster/cores.py BINARY [TEST...]. Standard library only."""
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from certificates import authority, certify  # noqa: E402
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import NOT_A_LEADER, Cluster  # noqa: E402
from lib.quiver import free_port  # noqa: E402
from lib.stories import BINARY  # noqa: E402


def things(server):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run("MATCH (t:Thing) RETURN count(t)").rows[0][0]


def things_or_none(server):
    """None while the database is not available."""
    try:
        return things(server)
    except Failure as failure:
        if failure.code != "Neo.TransientError.General.DatabaseUnavailable":
            raise
        return None


def logs_in(server, user, password):
    try:
        with Bolt(server.bolt_port, user, password) as bolt:
            return bolt.run("RETURN 1").rows == [[1]]
    except Failure:
        return False


def log(server):
    return (server.home / "console.out").read_text()


def wait_for(what, condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


class Cores(unittest.TestCase):
    def test_three_servers_found_a_cluster_whatever_the_order_and_delay_of_their_starts(self):
        cluster = Cluster(BINARY)
        try:
            for server in reversed(cluster.servers):
                server.spawn()
                time.sleep(0.7)
            for server in cluster.servers:
                server.wait_until_up()
            leader = cluster.leader()
            table = cluster.table(leader)
            self.assertEqual((len(table["WRITE"]), len(table["READ"]), len(table["ROUTE"])), (1, 2, 3))
            self.assertIn("Waiting for 3 members. Currently discovered", cluster.servers[2].console())
        finally:
            cluster.__exit__(None, None, None)

    def test_a_write_is_read_everywhere_and_refused_by_followers_that_may_not_hand_it_on(self):
        with Cluster(BINARY, settings={"quiver.routing.direct.enabled": "false"}) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            for server in cluster.servers:
                wait_for("the write is there", lambda s=server: things(s) == 1)
                if server is not leader:
                    with Bolt(server.bolt_port) as bolt, self.assertRaises(Failure) as refused:
                        bolt.run("CREATE (:Thing)")
                    self.assertEqual(refused.exception.code, NOT_A_LEADER)

    def test_a_killed_leader_is_succeeded_and_comes_back_by_a_plain_restart(self):
        with Cluster(BINARY) as cluster:
            written = 0
            for _ in range(3):
                leader = cluster.leader()
                for _ in range(20):
                    cluster.write("CREATE (:Thing)")
                    written += 1
                leader.kill()
                cluster.write("CREATE (:Thing)")
                written += 1
                self.assertIsNot(cluster.leader(), leader)
                leader.start()
                wait_for("it has caught up", lambda s=leader: things(s) == written)
            for server in cluster.servers:
                wait_for("nothing is lost", lambda s=server: things(s) == written)

    def test_all_killed_at_once_lose_nothing_that_was_acknowledged(self):
        with Cluster(BINARY) as cluster:
            acknowledged, stop = [0, 0, 0, 0], threading.Event()

            def write(i):
                while not stop.is_set():
                    try:
                        with Bolt(cluster.leader().bolt_port) as bolt:
                            while not stop.is_set():
                                bolt.run("CREATE (:Thing {writer: $i})", {"i": i})
                                acknowledged[i] += 1
                    except (OSError, Failure, RuntimeError):
                        pass

            threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            wait_for("all write", lambda: all(n > 20 for n in acknowledged))
            for server in cluster.servers:
                server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            for server in cluster.servers:
                server.spawn()
            for server in cluster.servers:
                server.wait_until_up()
            cluster.write("CREATE (:Thing {writer: 9})")
            with Bolt(cluster.leader().bolt_port) as bolt:
                found = dict(bolt.run("MATCH (t:Thing) WHERE t.writer < 9 RETURN t.writer, count(t)").rows)
            for i, n in enumerate(acknowledged):  # one more may have been committed when its client was cut off
                self.assertIn(found[i], (n, n + 1))

    def test_servers_that_come_later_are_filled_and_vote(self):
        with Cluster(BINARY) as cluster:
            for i in range(50):
                cluster.write("CREATE (:Thing {number: $i})", {"i": i})
            cluster.write("CREATE CONSTRAINT FOR (t:Thing) REQUIRE t.number IS UNIQUE")
            for _ in range(2):
                newcomer = cluster.add()
                wait_for("it has everything", lambda s=newcomer: things(s) == 50)
            told = "has caught up and votes from now on"
            wait_for("both vote, in both databases", lambda: sum((s.home / "console.out").read_text().count(told) for s in cluster.servers) == 4)
            for server in cluster.servers[:2]:  # of the founders one is left: no majority without the newcomers
                server.kill()
            cluster.write("CREATE (:Thing {number: 50})")
            for server in cluster.servers[:2]:
                server.start()
            for server in cluster.servers:
                wait_for("all are there", lambda s=server: things(s) == 51)

    def test_a_member_that_lost_its_databases_is_taken_in_again_as_another(self):
        with Cluster(BINARY) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            follower = next(s for s in cluster.servers if s is not leader)
            follower.kill()
            shutil.rmtree(follower.home / "data/databases")
            follower.start()
            wait_for("it is filled again", lambda: things(follower) == 1)
            for told in "its former self is voted out", "has caught up and votes from now on":
                wait_for("in both databases", lambda t=told: sum((s.home / "console.out").read_text().count(t) for s in cluster.servers) == 2)
            leader.kill()
            cluster.write("CREATE (:Thing)")
            self.assertIn(2, [things(s) for s in cluster.alive()])
            leader.start()

    def test_a_member_that_is_too_far_behind_gets_a_copy_of_the_store_and_serves_again(self):
        little_log = {"db.tx_log.rotation.size": "128k", "db.checkpoint.interval.volume": "256k", "db.cluster.raft.log.prune_strategy": "100 entries"}
        with Cluster(BINARY, settings=little_log) as cluster:
            cluster.write("CREATE CONSTRAINT FOR (t:Thing) REQUIRE t.number IS UNIQUE")
            leader = cluster.leader()
            behind = next(s for s in cluster.servers if s is not leader)
            behind.kill()
            many = 12000  # entries: what may be on its way to a member stays in the log in any case, and that is 8192

            def write(part):
                with Bolt(leader.bolt_port) as bolt:
                    bolt.run("UNWIND range($first, $last) AS i CALL { WITH i CREATE (:Thing {number: i, text: $text}) } IN TRANSACTIONS OF 1 ROW",
                             {"first": part * many // 12, "last": (part + 1) * many // 12 - 1, "text": "x" * 100})

            threads = [threading.Thread(target=write, args=(part,)) for part in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            behind.start()
            wait_for("it has everything", lambda: things_or_none(behind) == many)
            self.assertIn("The store is the copy now", (behind.home / "console.out").read_text())
            cluster.write("CREATE (:Thing {number: -1})")
            wait_for("it follows again", lambda: things_or_none(behind) == many + 1)
            with Bolt(behind.bolt_port) as bolt:
                self.assertEqual(bolt.run("MATCH (t:Thing {number: 11999}) RETURN count(t)").rows, [[1]])
            behind.kill()
            behind.start()
            wait_for("it is all there after a crash", lambda: things_or_none(behind) == many + 1)
            newcomer = cluster.add()  # for whom the log does not reach back either
            wait_for("who comes later is filled too", lambda: things_or_none(newcomer) == many + 1)
            wait_for("and votes", lambda: any("has caught up and votes from now on" in (s.home / "console.out").read_text() for s in cluster.servers), timeout_s=60)

    def test_sessions_of_an_old_leader_are_told_what_their_drivers_retry(self):
        with Cluster(BINARY) as cluster:
            old = cluster.leader()
            others = [s for s in cluster.servers if s is not old]
            with Bolt(old.bolt_port) as begun, Bolt(old.bolt_port) as written, Bolt(old.bolt_port) as idle:
                for bolt in (begun, written):
                    bolt.begin()
                written.run("CREATE (:Thing)")
                old.process.send_signal(signal.SIGSTOP)
                told = [f"127.0.0.1:{old.bolt_port}"]
                wait_for("another one leads", lambda: all(w and w != told for w in map(cluster.writers, others)))
                old.process.send_signal(signal.SIGCONT)
                wait_for("it knows", lambda: cluster.writers(old) not in ([], told))
                for bolt, ask in ((begun, lambda b: b.run("CREATE (:Thing)")), (written, lambda b: b.commit())):
                    with self.assertRaises(Failure) as refused:
                        ask(bolt)
                    self.assertEqual(refused.exception.code, "Neo.TransientError.Transaction.Outdated")
                idle.run("CREATE (:Thing)")  # is done by whoever leads
            self.assertEqual(things(cluster.leader()), 1)

    def test_the_log_tells_of_elections_and_lost_connections_and_no_more_than_once(self):
        with Cluster(BINARY) as cluster:
            old = cluster.leader()
            old.kill()
            new = cluster.leader()
            third = next(s for s in cluster.alive() if s is not new)
            member = r"MemberId\{[0-9a-f]{8}\}"
            for server in (new, third):
                self.assertRegex(log(server), r"\[neo4j\] First leader elected: " + member)
                wait_for("it is told", lambda s=server: re.search(rf"\[neo4j\] Leader changed from {member} to {member}", log(s)))
                self.assertRegex(log(server), r"Lost connection to: 127\.0\.0\.1:\d+ \(server \d+\): .*\. Retrying\.")
            self.assertRegex(log(new), rf"\[neo4j\] Moving to CANDIDATE state, {{term=\d+, candidate={member}, lastAppended=\d+, lastLogTerm=\d+}}")
            self.assertRegex(log(new), rf"\[neo4j\] Moving to LEADER state at term \d+ \(I am {member}\)\.")
            new.kill()  # the third one is alone now, and asks for votes again and again
            time.sleep(5)
            self.assertLessEqual(log(third).count("[neo4j] Moving to CANDIDATE state"), 3)
            self.assertLessEqual(log(third).count("Failed to connect to: "), 4)

    def test_an_orderly_stop_of_the_leader_hands_over_first(self):
        with Cluster(BINARY) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            started = time.monotonic()
            self.assertEqual(leader.stop(), 0)
            cluster.write("CREATE (:Thing)")
            self.assertLess(time.monotonic() - started, 10)
            self.assertIn("Moving to FOLLOWER state", (leader.home / "console.out").read_text())

    def test_a_password_that_was_set_before_the_first_start_lets_its_user_in_on_every_member(self):
        cluster = Cluster(BINARY, settings={"dbms.security.auth_enabled": "true", "dbms.security.auth_max_failed_attempts": "0"})
        for server in cluster.servers:
            subprocess.run([BINARY, "admin", "dbms", "set-initial-password", "long enough", "--home", str(server.home), "--set=dbms.mode=CORE"], check=True,
                           stdout=subprocess.DEVNULL)
        with cluster:
            for server in cluster.servers:
                wait_for("the user is there", lambda s=server: logs_in(s, "neo4j", "long enough"))

    def test_a_server_that_the_others_left_alone_with_a_commit_stops_when_asked(self):
        with Cluster(BINARY, settings={"db.shutdown_transaction_end_timeout": "1s"}) as cluster:
            cluster.write("CREATE (:Thing)")
            leader = cluster.leader()
            for server in cluster.servers:
                if server is not leader:
                    server.kill()
            told = []

            def write():
                try:
                    with Bolt(leader.bolt_port) as bolt:
                        bolt.run("CREATE (:Thing)")
                    told.append("committed")
                except (OSError, Failure) as problem:
                    told.append(str(problem))

            writer = threading.Thread(target=write)
            writer.start()
            time.sleep(0.5)
            self.assertEqual(told, [])  # nobody knows what becomes of it
            self.assertEqual(leader.stop(), 0)
            writer.join()
            self.assertNotEqual(told, ["committed"])
            for server in cluster.servers:
                server.spawn()
            for server in cluster.servers:
                server.wait_until_up()
            cluster.write("CREATE (:Thing {last: true})")  # that of the writer may have come to be, or not
            self.assertIn(things(cluster.leader()), (2, 3))

    def test_servers_with_certificates_of_one_authority_are_a_cluster_and_a_stranger_is_refused(self):
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            ours, theirs = authority(place / "ours"), authority(place / "theirs")
            cluster = Cluster(BINARY, settings={"dbms.ssl.policy.cluster.enabled": "true"})
            for server in cluster.servers:
                certify(server, ours)
            with cluster:
                cluster.write("CREATE (:Thing)")
                for server in cluster.servers:
                    wait_for("the write is there", lambda s=server: things(s) == 1)
                stranger = cluster.server("core3", free_port())
                certify(stranger, theirs)
                stranger.spawn()
                try:
                    wait_for("it is told", lambda: "certificate" in (stranger.home / "console.out").read_text())
                    cluster.write("CREATE (:Thing)")
                finally:
                    stranger.kill()

    def test_the_store_of_a_member_is_not_opened_by_a_standalone_server(self):
        with Cluster(BINARY) as cluster:
            member = cluster.servers[0]
            member.stop()
            alone = subprocess.run([BINARY, "console", "--home", str(member.home), "--set=dbms.mode=SINGLE"], capture_output=True, text=True, timeout=30,
                                   check=False)
            self.assertEqual(alone.returncode, 1)
            self.assertIn("belongs to a member of a cluster", alone.stdout + alone.stderr)
            member.start()


if __name__ == "__main__":
    sys.exit(stories.tell())
