#!/usr/bin/env python3
"""What a gateway says over HTTP of the cluster behind it: tests/cluster/gateway_http.py BINARY [TEST...]. Standard library only."""
import base64
import contextlib
import json
import pathlib
import socket
import sys
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from lib.waiting import wait_for  # noqa: E402


def get(server, path, user=None, password=None):
    """(status, body)"""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()} if user else {}
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


@contextlib.contextmanager
def cluster_and_gateway(**settings):
    with Cluster(BINARY, settings=settings) as cluster:
        yield cluster, cluster.gateway().start()


class OverHttp(unittest.TestCase):
    def test_the_cluster_is_writable_for_as_long_as_somebody_leads(self):
        with cluster_and_gateway() as (cluster, gateway):
            leader = cluster.leader()
            for what in ("writable", "read-only", "available"):
                wait_for(f"it is {what}", lambda: get(gateway, f"/db/neo4j/cluster/{what}") == (200, "true"), 60)
            self.assertEqual(get(gateway, "/db/manage/server/core/writable"), (200, "true"))
            self.assertEqual(get(gateway, "/db/none/cluster/writable")[0], 404)
            status = json.loads(get(gateway, "/db/neo4j/cluster/status")[1])
            self.assertEqual(len(status["votingMembers"]), 3)
            self.assertEqual({d["databaseName"] for d in json.loads(get(gateway, "/dbms/cluster/status")[1])}, {"neo4j", "system"})
            leader.kill()
            wait_for("the next one leads", lambda: get(gateway, "/db/neo4j/cluster/writable") == (200, "true"), 60)
            for server in cluster.alive():
                server.kill()
            wait_for("nobody is left to ask", lambda: get(gateway, "/db/neo4j/cluster/writable")[0] == 503, 60)
            self.assertEqual(get(gateway, "/")[0], 200)

    def test_without_a_majority_nothing_is_writable(self):
        with cluster_and_gateway() as (cluster, gateway):
            for server in cluster.servers[:2]:
                server.kill()
            wait_for("nobody leads", lambda: get(gateway, "/db/neo4j/cluster/writable") == (404, "false"), 60)
            wait_for("it is read", lambda: get(gateway, "/db/neo4j/cluster/available") == (200, "true"), 60)

    def test_members_look_at_the_credentials(self):
        with cluster_and_gateway(**{"dbms.security.auth_enabled": "true"}) as (cluster, gateway):
            wait_for("a member is asked", lambda: get(gateway, "/db/neo4j/cluster/available")[0] == 401, 60)
            wait_for("the first user must change its password", lambda: get(gateway, "/db/neo4j/cluster/available", "neo4j", "neo4j")[0] == 403, 60)
            self.assertIn(get(gateway, "/db/neo4j/cluster/available", "neo4j", "wrong")[0], (401, 429))

    def test_many_ask_at_once_and_some_go_away(self):
        with cluster_and_gateway() as (cluster, gateway):
            wait_for("somebody is asked", lambda: get(gateway, "/db/neo4j/cluster/available")[0] == 200, 60)
            for _ in range(50):  # gone before they are answered
                with socket.create_connection(("127.0.0.1", gateway.http_port), timeout=10) as s:
                    s.sendall(b"GET /db/neo4j/cluster/writable HTTP/1.1\r\nHost: a\r\n\r\n")
            with socket.create_connection(("127.0.0.1", gateway.http_port), timeout=60) as s:  # one after the other on one connection
                s.sendall(b"GET /db/neo4j/cluster/available HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
                seen = b""
                while seen.count(b"HTTP/1.1 200 OK") < 20 and (more := s.recv(65536)):
                    seen += more
                self.assertEqual(seen.count(b"HTTP/1.1 200 OK"), 20)


if __name__ == "__main__":
    sys.exit(stories.tell())
