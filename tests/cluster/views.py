#!/usr/bin/env python3
"""What people and their tools see of a cluster: tests/cluster/views.py BINARY [TEST...]. Standard library only."""
import base64
import json
import pathlib
import sys
import time
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import NOT_A_LEADER, Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402

ERAS = {3: (3, 0), 4: (4, 4), 5: (5, 4)}  # of Neo4j: the Bolt version that tells


def ask(server, text, era=5, **extra):
    with Bolt(server.bolt_port, version=ERAS[era]) as bolt:
        return bolt.run(text, **extra)


def get(server, path, headers=None):
    """(status, body)"""
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def bolt_address(server):
    return f"127.0.0.1:{server.bolt_port}"


def wait_for(what, look, wanted, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while (seen := look()) != wanted:
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s, but {seen}")
        time.sleep(0.05)


class Whole(unittest.TestCase):
    """A cluster in which nothing happens."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(BINARY).__enter__()
        cls.leader = cls.cluster.leader()
        cls.cluster.write("CREATE (:Thing)")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def roles(self):
        return {bolt_address(s): "LEADER" if s is self.leader else "FOLLOWER" for s in self.cluster.servers}

    def test_the_overview_of_neo4j_3_has_a_role_for_each_server(self):
        for server in self.cluster.servers:
            seen = ask(server, "call dbms.cluster.overview()", era=3)
            self.assertEqual(seen.columns, ["id", "addresses", "role", "groups", "database"])
            self.assertEqual({row[1][0].removeprefix("bolt://"): row[2] for row in seen.rows}, self.roles())
            self.assertEqual({row[4] for row in seen.rows}, {"default"})

    def test_the_overview_since_neo4j_4_has_roles_for_each_database(self):
        for era in (4, 5):
            seen = ask(self.cluster.servers[0], "CALL dbms.cluster.overview()", era)
            self.assertEqual(seen.columns, ["id", "addresses", "databases", "groups"])
            self.assertEqual({row[1][0].removeprefix("bolt://"): row[2]["neo4j"] for row in seen.rows}, self.roles())
            self.assertEqual(sorted(row[2]["system"] for row in seen.rows), ["FOLLOWER", "FOLLOWER", "LEADER"])

    def test_every_server_gives_the_same_overview(self):
        first, *others = [ask(s, "CALL dbms.cluster.overview()").rows for s in self.cluster.servers]
        self.assertEqual(others, [first, first])
        addresses = {a for row in first for a in row[1]}
        self.assertLessEqual({f"http://127.0.0.1:{s.http_port}" for s in self.cluster.servers}, addresses)

    def test_each_server_knows_its_role(self):
        for server in self.cluster.servers:
            wanted = [[self.roles()[bolt_address(server)]]]
            self.assertEqual(ask(server, "CALL dbms.cluster.role()", era=3).rows, wanted)
            self.assertEqual(ask(server, 'CALL dbms.cluster.role("neo4j")', era=4).rows, wanted)
        with self.assertRaises(Failure) as failed:
            ask(self.leader, 'CALL dbms.cluster.role("none")')
        self.assertEqual(failed.exception.code, "Neo.ClientError.Database.DatabaseNotFound")

    def test_the_connections_between_members_are_listed_at_both_ends(self):
        def raft():
            seen = [ask(server, "CALL dbms.cluster.protocols()") for server in self.cluster.servers]
            self.assertEqual(seen[0].columns, ["orientation", "remoteAddress", "applicationProtocol", "applicationProtocolVersion", "modifierProtocols"])
            rows = [[row for row in result.rows if row[2] == "raft"] for result in seen]
            self.assertLessEqual({(row[3], row[4]) for of_one in rows for row in of_one}, {(1, "[]")})
            return [len(of_one) for of_one in rows], sorted(row[0] for of_one in rows for row in of_one)

        wait_for("one for each pair", raft, ([2, 2, 2], ["inbound"] * 3 + ["outbound"] * 3))
        addresses = {s.settings["server.cluster.raft.listen_address"] for s in self.cluster.servers}
        for server in self.cluster.servers:
            dialled = {row[1] for row in ask(server, "CALL dbms.cluster.protocols()").rows if row[0] == "outbound" and row[2] == "raft"}
            self.assertLessEqual(dialled, addresses - {server.settings["server.cluster.raft.listen_address"]})

    def test_both_routing_procedures_of_neo4j_3_say_who_does_what(self):
        for text in ("CALL dbms.cluster.routing.getServers()", "CALL dbms.cluster.routing.getRoutingTable({})"):
            (ttl, servers), = ask(self.cluster.servers[1], text, era=3).rows
            roles = {entry["role"]: set(entry["addresses"]) for entry in servers}
            everybody, leader = {bolt_address(s) for s in self.cluster.servers}, {bolt_address(self.leader)}
            self.assertEqual((ttl, roles), (300, {"WRITE": leader, "READ": everybody - leader, "ROUTE": everybody}))

    def test_clients_are_spread_over_those_that_read(self):
        server = self.cluster.servers[0]
        firsts = {self.cluster.table(server)["READ"][0] for _ in range(4)}
        self.assertEqual(firsts, {bolt_address(s) for s in self.cluster.servers} - {bolt_address(self.leader)})

    def test_databases_are_shown_with_a_row_for_each_server(self):
        wanted = sorted(["neo4j", bolt_address(s), "primary", s is self.leader, "online", 0] for s in self.cluster.servers), 1
        text = "SHOW DATABASE neo4j YIELD name, address, role, writer, currentStatus, replicationLag, lastCommittedTxn"

        def seen(server):
            """The rows, and how many different last transactions they tell of: there may be one more at any moment."""
            rows = ask(server, text).rows
            return sorted(row[:-1] for row in rows), len({row[-1] for row in rows})

        for server in self.cluster.servers:
            wait_for("all are seen to be up to date", lambda s=server: seen(s), wanted)
        ids = {row[0] for row in ask(self.leader, "SHOW DATABASE system YIELD serverID").rows}
        self.assertEqual(ids, {row[0] for row in ask(self.leader, "CALL dbms.cluster.overview() YIELD id").rows})

    def test_databases_are_shown_as_neo4j_4_shows_them_to_its_clients(self):
        seen = ask(self.leader, "SHOW DATABASES", era=4)
        self.assertEqual(seen.columns, "name aliases access address role requestedStatus currentStatus error default home".split())
        roles = {row["address"]: row["role"].upper() for row in seen.dicts() if row["name"] == "neo4j"}
        self.assertEqual(roles, self.roles())
        self.assertIn("writer", ask(self.leader, "SHOW DATABASES").columns)

    def test_servers_are_shown(self):
        seen = ask(self.cluster.servers[2], "SHOW SERVERS YIELD *", db="system").dicts()
        self.assertEqual({row["address"] for row in seen}, {bolt_address(s) for s in self.cluster.servers})
        for row in seen:
            self.assertEqual((row["state"], row["health"], row["hosting"]), ("Enabled", "Available", ["neo4j", "system"]))
            self.assertEqual(row["name"], row["serverId"])

    def test_a_load_balancer_finds_the_writer_and_the_readers(self):
        for server in self.cluster.servers:
            yes, no = (200, "true"), (404, "false")
            leads, follows = (yes, no) if server is self.leader else (no, yes)
            for folder in ("/db/neo4j/cluster", "/db/manage/server/core", "/db/manage/server/causalclustering"):
                self.assertEqual([get(server, f"{folder}/{what}") for what in ("writable", "read-only", "available")], [leads, follows, yes])

    def test_the_status_tells_who_belongs_to_the_group(self):
        ids = {row[1][0].removeprefix("bolt://"): row[0] for row in ask(self.leader, "CALL dbms.cluster.overview()").rows}
        for server in self.cluster.servers:
            status = json.loads(get(server, "/db/neo4j/cluster/status")[1])
            self.assertEqual(sorted(status["votingMembers"]), sorted(ids.values()))
            self.assertEqual((status["memberId"], status["leader"]), (ids[bolt_address(server)], ids[bolt_address(self.leader)]))
            self.assertTrue(status["isHealthy"] and status["core"] and status["participatingInRaftGroup"])
            self.assertLess(status["millisSinceLastLeaderMessage"], 5000)
            both = json.loads(get(server, "/dbms/cluster/status")[1])
            self.assertEqual({d["databaseName"] for d in both}, {"neo4j", "system"})


class LoggedIn(unittest.TestCase):
    @staticmethod
    def changes_password(server):
        with Bolt(server.bolt_port, "neo4j", "neo4j") as bolt:
            try:
                bolt.run("ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'secret-one'", db="system")
                return True
            except Failure as refused:
                if refused.code != NOT_A_LEADER:
                    raise
                return False

    def test_the_status_is_for_who_may_log_in(self):
        with Cluster(BINARY, settings={"dbms.security.auth_enabled": "true"}) as cluster:
            server = cluster.servers[0]
            basic = "Basic " + base64.b64encode(b"neo4j:neo4j").decode()
            wait_for("the first user is there", lambda: get(server, "/db/neo4j/cluster/available", {"Authorization": basic})[0], 403)  # must change it
            self.assertTrue(any(self.changes_password(s) for s in cluster.servers))
            basic = "Basic " + base64.b64encode(b"neo4j:secret-one").decode()
            wait_for("every member knows it", lambda: {get(s, "/db/neo4j/cluster/available", {"Authorization": basic}) for s in cluster.servers}, {(200, "true")})
            self.assertEqual(get(server, "/db/neo4j/cluster/available")[0], 401)
            self.assertEqual(get(server, "/")[0], 200)


class Broken(unittest.TestCase):
    def test_a_server_that_is_gone_is_missed(self):
        with Cluster(BINARY, settings={"quiver.discovery.expiry": "2s"}) as cluster:
            names = {row["address"]: row["name"] for row in ask(cluster.leader(), "SHOW SERVERS").dicts()}
            gone = next(s for s in cluster.servers if s is not cluster.leader())
            gone.kill()
            one = cluster.leader()
            wait_for("nobody is sent there to read", lambda: bolt_address(gone) in cluster.table(one)["READ"], False, timeout_s=1)
            name = names[bolt_address(gone)]
            wait_for("it is unavailable", lambda: ask(one, f"SHOW SERVERS YIELD name, address, health WHERE name = '{name}'").rows, [[name, None, "Unavailable"]])
            self.assertEqual(ask(one, f"SHOW DATABASE neo4j YIELD serverID, role, currentStatus WHERE serverID = '{name}'").rows, [[name, "unknown", "unknown"]])
            self.assertEqual(len(ask(one, "CALL dbms.cluster.overview()").rows), 2)
            gone.start()
            wait_for("it knows everybody almost at once", lambda: {role: len(those) for role, those in cluster.table(gone).items()},
                     {"WRITE": 1, "READ": 2, "ROUTE": 3}, timeout_s=5)
            wait_for("it is back", lambda: ask(one, f"SHOW SERVERS YIELD name, health WHERE name = '{name}'").rows, [[name, "Available"]])

    def test_without_a_majority_there_is_no_writer_and_no_error(self):
        with Cluster(BINARY) as cluster:
            leader = cluster.leader()
            last = next(s for s in cluster.servers if s is not leader)
            for server in cluster.servers:
                if server is not last:
                    server.kill()
            wait_for("nobody writes", lambda: "WRITE" in cluster.table(last), False)
            with Bolt(last.bolt_port) as bolt:
                self.assertEqual({entry["role"] for entry in bolt.route()["servers"]}, {"READ", "ROUTE"})
            self.assertEqual(ask(last, "CALL dbms.cluster.role('neo4j')").rows, [["FOLLOWER"]])


if __name__ == "__main__":
    sys.exit(stories.tell())
