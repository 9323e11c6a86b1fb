#!/usr/bin/env python3
"""What a cluster has to bear on its own ports (discovery, Raft, transaction, routing) from whoever can reach them, and from servers that
are set up wrongly: tests/cluster/hostile.py BINARY [TEST...]. Standard library only.

Each is refused with a line of the log that says who, where, why and what to do; the log, memory and open files stay bounded; and beside
it a client writes on, nothing that was acknowledged is lost, and nobody is elected.
"""
import contextlib
import os
import pathlib
import re
import resource
import shutil
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from certificates import authority, certify  # noqa: E402
from hostile_bytes import (PROTOCOLS, Recorder, answer_to, connect, directory_frame, hello, identity, say)  # noqa: E402
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.quiver import Server, free_port  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

PORTS = {"discovery": "server.discovery", "Raft": "server.cluster.raft", "transaction": "server.cluster", "routing": "server.routing"}
# Nobody is silent for so long, however busy the machine is: an election here has another reason.
PATIENT = {"dbms.cluster.raft.leader_failure_detection_window": "5s"}
FEW_FILES = 1024
LINES_MAX = 60  # of the log, for each port, while one of these goes on


def log(server):
    return (server.home / "console.out").read_text(errors="replace")


def port_of(server, name):
    return int(server.settings[PORTS[name] + ".listen_address"].rsplit(":", 1)[1])


def logs(server, pattern, timeout_s=30):
    wait_for(f"'{pattern}' in the log of {server.home}", lambda: re.search(pattern, log(server)), timeout_s)


def all_lead(cluster):
    """Both databases have their leaders."""
    cluster.write("CREATE (:Begun)")
    wait_for("system has a leader", lambda: len(cluster.table(cluster.servers[0], "system").get("WRITE", [])) == 1, 60)


def count_of_things(server):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run("MATCH (t:Thing) RETURN count(t)").rows[0][0]


def has_things(server, at_least):
    try:
        return count_of_things(server) >= at_least
    except (OSError, Failure):
        return False


class Writer:
    """Writes on, one commit after the other, through one connection with the leader."""

    def __init__(self, server):
        self.server, self.acknowledged, self.trouble, self.over = server, 0, None, False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            with Bolt(self.server.bolt_port) as bolt:
                while not self.over:
                    bolt.run("CREATE (:Thing)")
                    self.acknowledged += 1
                    time.sleep(0.005)
        except (OSError, Failure) as problem:
            self.trouble = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over = True
        self.thread.join()

    def goes_on(self):
        before = self.acknowledged
        wait_for("a commit is acknowledged", lambda: self.acknowledged > before + 5 or self.trouble, 30)
        if self.trouble is not None:
            raise AssertionError(f"the writer: {self.trouble}")


class Attacked:
    """`with Attacked(cluster) as writer:` nothing of what goes on inside may hurt the cluster."""

    def __init__(self, cluster, lines_max=LINES_MAX):
        self.cluster, self.lines_max = cluster, lines_max

    def elections(self):
        return {s.home: len(re.findall(r"\[neo4j\] Moving to CANDIDATE state", log(s))) for s in self.cluster.servers}

    def lines(self):
        return {s.home: {name: len(re.findall(rf"refused [^\n]*{name} port", log(s))) for name in PORTS} for s in self.cluster.servers}

    def __enter__(self):
        self.writer = Writer(self.cluster.leader())
        self.there = count_of_things(self.writer.server)
        self.elected, self.told = self.elections(), self.lines()
        self.memory = {s.home: s.memory_mb() for s in self.cluster.servers}
        self.writer.__enter__()
        self.writer.goes_on()
        return self.writer

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.writer.goes_on()
        finally:
            self.writer.__exit__()
        if kind is not None:
            return
        assert self.elections() == self.elected, f"somebody stood for election: {self.elected}, then {self.elections()}"
        wait_for("nothing acknowledged is lost", lambda: count_of_things(self.writer.server) == self.there + self.writer.acknowledged)
        for server in self.cluster.servers:
            assert server.process.poll() is None, f"{server.home} ended"
            grown = server.memory_mb() - self.memory[server.home]
            assert grown < 200, f"{server.home} has grown by {grown} MB"
            for name, lines in self.lines()[server.home].items():
                assert lines - self.told[server.home][name] <= self.lines_max, f"{server.home} has told {lines} times of the {name} port"


class Hostile(unittest.TestCase):
    """One cluster for all of them; its connections go through recorders."""

    @classmethod
    def setUpClass(cls):
        cls.recorders = {}
        cls.cluster = Cluster(BINARY, settings={**PATIENT, "server.memory.pagecache.size": "32m"})
        for server in cls.cluster.servers:
            server.wrapper = ["sh", "-c", f"ulimit -n {FEW_FILES}; exec \"$@\"", "sh"]
            for name, setting in PORTS.items():
                recorder = Recorder(port_of(server, name))
                server.settings[setting + ".advertised_address"] = f"127.0.0.1:{recorder.port}"
                cls.recorders[server.home, name] = recorder
                cls.addClassCleanup(recorder.close)
        for server in cls.cluster.servers:
            server.settings["dbms.cluster.discovery.endpoints"] = ",".join(s.settings["server.discovery.advertised_address"] for s in cls.cluster.servers)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        all_lead(cls.cluster)

    def target(self):
        """The leader: whoever hurts it, hurts most."""
        return self.cluster.leader()

    def bystander(self):
        """A member that leads nothing."""
        leaders = self.cluster.table(self.cluster.servers[0], "system").get("WRITE", []) + self.cluster.table(self.cluster.servers[0])["WRITE"]
        return next(s for s in self.cluster.servers if f"127.0.0.1:{s.bolt_port}" not in leaders)

    def test_bytes_of_other_protocols_and_of_none_are_refused_and_told(self):
        server = self.target()
        with Attacked(self.cluster):
            for name in PORTS:
                for data in PROTOCOLS.values():
                    say(port_of(server, name), data)
                say(port_of(server, name), os.urandom(1 << 20))
        for name in PORTS:
            logs(server, rf"refused a connection to the {name} port from 127\.0\.0\.1:\d+: ")
        for name in "discovery", "Raft", "transaction":
            logs(server, rf"refused a connection to the {name} port from 127\.0\.0\.1:\d+: the other end speaks HTTP: this port is for")
            logs(server, rf"{name} port from 127\.0\.0\.1:\d+: the other end speaks TLS and this one does not: switch it on for both")

    def test_a_server_of_another_cluster_or_version_is_told_why_and_so_is_the_log(self):
        server = self.target()
        own = identity(server.home / "data")
        wrong = {
            "it belongs to another cluster: its settings": hello(os.urandom(16), 77),
            r"it speaks no version of the protocol that this server speaks \(it speaks 900 to 901, this one \d+": hello(own.cluster, 77, versions=(900, 901)),
            "it is this server itself": hello(own.cluster, own.number),
            "it is another server than the one that was asked for": hello(own.cluster, 77, expected=own.number + 1),
        }
        with Attacked(self.cluster):
            for name in "Raft", "transaction":
                for data in wrong.values():
                    said = answer_to(port_of(server, name), data)
                    self.assertTrue(said.startswith(b"QVCH") and said[52] != 0, said)  # a hello, with a reason
                for data in hello(own.cluster, 77)[:100], hello(own.cluster, 77)[:-1] + b"x", hello(own.cluster, 0), hello(own.cluster, 77, address=b"x\n\tERROR"):
                    say(port_of(server, name), data)
        for reason in wrong:
            self.assertEqual(len(re.findall(rf"refused server \d+ \(listens at [^)]*\) from 127\.0\.0\.1:\d+: {reason}", log(server))), 2, reason)
        logs(server, "Raft port from .*: a hello fails its check")
        logs(server, "Raft port from .*: a hello makes no sense")
        self.assertNotIn("\n\tERROR", log(server))

    def test_frames_of_the_discovery_port_that_are_cut_off_too_long_or_of_another_version_are_refused(self):
        server = self.target()
        whole = directory_frame(os.urandom(16), b"")
        with Attacked(self.cluster):
            for data in (whole[:20], directory_frame(os.urandom(16), b"", version=9), directory_frame(os.urandom(16), b"", length=1 << 31),
                         whole[:-1] + bytes([whole[-1] ^ 1]), directory_frame(os.urandom(16), os.urandom(64), count=3)):
                say(port_of(server, "discovery"), data)
        for reason in "the other server speaks version 9 of the discovery protocol; this one speaks version 3", "a length", "it fails its check":
            logs(server, f"refused a connection to the discovery port from .*{reason}")

    def test_what_was_recorded_between_members_is_of_no_use_to_whoever_says_it_again(self):
        follower = next(s for s in self.cluster.servers if s is not self.cluster.leader())
        with Bolt(follower.bolt_port) as bolt:
            bolt.run("CREATE (:ByWayOfTheLeader)")  # something on the routing port
        own = identity(follower.home / "data")
        replayed = {"Raft": 0, "discovery": 0}
        with Attacked(self.cluster) as writer:
            for (home, name), recorder in self.recorders.items():
                if name not in replayed:
                    continue
                for recorded in recorder.said():
                    for cut in (len(recorded), 176, 200, len(recorded) // 2):
                        say(recorder.target, recorded[:cut], linger_s=0.05)
                        replayed[name] += 1
            writer.goes_on()
        self.assertTrue(all(replayed.values()), replayed)
        told = "".join(log(s) for s in self.cluster.servers)
        self.assertRegex(told, "refused a connection to the Raft port from .*: it repeats what a member has said on another connection")
        with Attacked(self.cluster):  # a life that is over
            say(port_of(self.target(), "Raft"), hello(own.cluster, own.number, epoch=0, versions=(1, 1), address=self.raft_address(follower)))
        logs(self.target(), "Raft port from .*: it is from an earlier life of that server")

    def raft_address(self, server):
        return server.settings["server.cluster.raft.advertised_address"].encode()

    def test_thousands_of_idle_connections_keep_no_member_out(self):
        server = self.target()
        follower = self.bystander()
        own = identity(server.home / "data")
        with contextlib.ExitStack() as stack, Attacked(self.cluster) as writer:
            idle = []
            for name in PORTS:
                for i in range(700):
                    with contextlib.suppress(OSError):
                        idle.append(stack.enter_context(connect(port_of(server, name))))
                        if i % 3 == 0:
                            idle[-1].send(hello(own.cluster, 77)[:1 + i % 100])
            for _ in range(600):
                with contextlib.suppress(OSError):
                    stack.enter_context(connect(server.bolt_port))
            self.assertGreater(len(idle), 1500)
            self.assertLess(server.open_files(), FEW_FILES - 50)  # there are some for stores and members
            follower.kill()
            follower.start()  # its connections come after all of those
            written = writer.acknowledged
            wait_for("it follows again", lambda: has_things(follower, written), 60)
        logs(server, "Raft port from .*there are too many of those: somebody who is no member opens connections here")
        logs(server, "discovery port from .*there are too many connections of that kind: somebody")

    def test_a_flood_of_connections_does_not_fill_the_log(self):
        server = self.target()
        over = time.monotonic() + 3

        def flood(name):
            while time.monotonic() < over:
                with contextlib.suppress(OSError):
                    say(port_of(server, name), os.urandom(200), linger_s=0)

        with Attacked(self.cluster):
            threads = [threading.Thread(target=flood, args=(name,)) for name in PORTS for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def test_of_two_servers_with_one_identity_the_one_that_is_there_stays(self):
        leader = self.target()
        original = self.bystander()
        original.stop()
        copy = self.cluster.server("copy", free_port(), **PATIENT)
        shutil.copytree(original.home / "data", copy.home / "data")
        original.start()
        wait_for("it follows again", lambda: has_things(original, count_of_things(leader)))
        with Attacked(self.cluster):
            try:
                copy.spawn()
                for server in self.cluster.servers:
                    if server is not original:
                        logs(server, r"refused server \d+ \(listens at 127\.0\.0\.1:\d+\) from .*: it has the identity of another server, which is there: "
                                     "its data folder is a copy: stop it and start it with an empty data folder")
                        logs(server, r"refused the server at 127\.0\.0\.1:\d+: it has the identity \(.*\) of the server at 127\.0\.0\.1:\d+, which is there")
                logs(copy, "knows a server with this identity at another address, which is there: one data folder is a copy of the other")
            finally:
                copy.kill()
        wait_for("the original is still a member", lambda: has_things(original, count_of_things(leader)))

    def test_a_name_that_does_not_resolve_is_told_with_who_gave_it_and_what_to_do(self):
        with Attacked(self.cluster):
            lost = self.cluster.server("lost", free_port(), **{**PATIENT, "server.discovery.advertised_address": "nowhere.invalid:5001",
                                                               "server.cluster.raft.advertised_address": "nowhere.invalid:7001",
                                                               "dbms.cluster.discovery.endpoints": self.cluster.endpoints + ",typo.invalid:5000"})
            try:
                lost.spawn()
                logs(lost, r"no connection with typo\.invalid:5000 \(from dbms\.cluster\.discovery\.endpoints\): .*trying again\. Is the name right")
                logs(self.target(), r"Failed to connect to: nowhere\.invalid:7001 \(server \d+\): .*It advertises that name: set "
                                    r"server\.cluster\.raft\.advertised_address, or server\.default_advertised_address, there")
                self.assertIsNone(lost.process.poll())
            finally:
                lost.kill()

    def test_a_member_with_another_store_does_not_take_part_with_it(self):
        leader = self.target()
        member = self.bystander()
        with tempfile.TemporaryDirectory() as place:
            with Server(BINARY, home=pathlib.Path(place) / "other", auth=False) as other:
                with Bolt(other.bolt_port) as bolt:
                    bolt.run("CREATE (:Foreign)")
            with Attacked(self.cluster):
                member.stop()
                own = next((member.home / "data/databases").glob("neo4j*"))
                foreign = next((pathlib.Path(place) / "other/data/databases").glob("neo4j*"))
                kept = pathlib.Path(place) / "kept"
                shutil.move(own, kept)
                shutil.copytree(foreign, own)
                member.spawn()
                logs(member, "Failed to start: The store '.*' was made by a standalone server: a member of a cluster begins with an empty folder, or with "
                             "dbms.mode=SINGLE")
                member.process.wait(30)
                shutil.rmtree(own)
                shutil.move(kept, own)
                member.start()
                wait_for("with its own it follows again", lambda: has_things(member, count_of_things(leader)))


class HostileTls(unittest.TestCase):
    """A cluster whose members show each other certificates."""

    def test_who_has_no_certificate_of_the_cluster_is_refused_and_told(self):
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            ours, theirs = authority(place / "ours"), authority(place / "theirs")
            cluster = Cluster(BINARY, settings={**PATIENT, "dbms.ssl.policy.cluster.enabled": "true", "dbms.ssl.policy.cluster.verify_hostname": "true"})
            named = free_port()  # the members know this address, and a server with a certificate for another name will be there
            for server in cluster.servers:
                server.settings["dbms.cluster.discovery.endpoints"] += f",127.0.0.1:{named}"
                certify(server, ours)
            with cluster:
                all_lead(cluster)
                leader = cluster.leader()
                with Attacked(cluster):
                    for name in PORTS:
                        for data in PROTOCOLS.values():
                            say(port_of(leader, name), data, linger_s=0.05)
                    self.strangers_come(cluster, leader, named, ours, theirs)
                for name in PORTS:
                    logs(leader, rf"refused a connection to the {name} port from 127\.0\.0\.1:\d+: ")
                logs(leader, r"refused a connection to the discovery port from 127\.0\.0\.1:\d+: TLS: .*: the other end does not speak TLS here, switch it on for both")

    def strangers_come(self, cluster, leader, named, ours, theirs):
        other, expired, plain = (cluster.server(name, free_port()) for name in ("other", "expired", "plain"))
        misnamed = cluster.server("misnamed", named)
        certify(other, theirs)
        certify(expired, ours, expired=True)
        certify(misnamed, ours, name="elsewhere.example")
        plain.settings["dbms.ssl.policy.cluster.enabled"] = "false"
        strangers = other, expired, plain, misnamed
        try:
            for stranger in strangers:
                stranger.spawn()
            logs(other, r"no connection with 127\.0\.0\.1:\d+ \(from dbms\.cluster\.discovery\.endpoints\): TLS: the other end's certificate is not taken: "
                        "self-signed certificate in certificate chain. It needs one that an authority trusted here has signed")
            logs(expired, r"no connection with 127\.0\.0\.1:\d+ \(from .*\): TLS: the other end breaks off: certificate expired. See its log")
            logs(leader, "refused a connection to the discovery port from .*: TLS: the other end's certificate is not taken: certificate has expired")
            logs(plain, r"no connection with 127\.0\.0\.1:\d+ \(from .*\)")
            logs(leader, rf"no connection with 127\.0\.0\.1:{named} \(from .*\): TLS: the other end's certificate is not taken: IP address mismatch")
            for stranger in other, expired, plain:
                self.assertNotIn("Bound to cluster", log(stranger))
        finally:
            for stranger in strangers:
                stranger.kill()


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return stories.tell()


if __name__ == "__main__":
    sys.exit(main())
