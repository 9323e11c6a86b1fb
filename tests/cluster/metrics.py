#!/usr/bin/env python3
"""What Prometheus is given: tests/cluster/metrics.py BINARY [TEST...]. Standard library only."""
import math
import pathlib
import re
import socket
import sys
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.quiver import Server, free_port  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

RAFT = ("append_index commit_index applied_index term is_leader last_leader_message tx_retries_total replication_new_total replication_attempt_total "
        "replication_success_total replication_fail_total replication_maybe_total in_flight_cache_total_bytes in_flight_cache_max_bytes "
        "in_flight_cache_element_count in_flight_cache_hits_total in_flight_cache_misses_total").split()


def listens(port):
    """It begins to, after Bolt."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        return True
    except OSError:
        return False


def get(port, path="/metrics", method="GET"):
    """(status, content type, body)"""
    wait_for("it listens", lambda: listens(port))
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], refused.read().decode()


def answers(port):
    try:
        return get(port)[0] == 200
    except OSError:  # it was full
        return False


NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*")*\}'


def parse(text):
    """{name: value} of the text format 0.0.4, and nothing else: every family is told of before its samples, once and in one piece, and no
    sample comes twice."""
    types, samples, family = {}, {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if told := re.fullmatch(f"# HELP ({NAME}) (.+)", line):
            assert told[1] not in types, line
            family = told[1]
            types[family] = None
        elif told := re.fullmatch(f"# TYPE ({NAME}) (counter|gauge)", line):
            assert told[1] == family and types[family] is None, line
            types[family] = told[2]
        else:
            sample = re.fullmatch(f"({NAME})({LABELS})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)", line)
            assert sample, line
            assert sample[1] == family and types[family], line
            key, value = sample[1] + (sample[2] or ""), float(sample[3])
            assert key not in samples and math.isfinite(value), line
            assert types[family] != "counter" or value >= 0, line
            samples[key] = value
    return samples


def with_metrics(**more):
    return {"server.metrics.prometheus.enabled": "true", **more}


class Watched:
    """Servers of a cluster with an endpoint each."""

    def __init__(self, cluster):
        self.cluster = cluster
        for server in cluster.servers + cluster.replicas:
            self.listen(server)

    @staticmethod
    def listen(server):
        server.metrics_port = free_port()
        server.settings.update(with_metrics(**{"server.metrics.prometheus.endpoint": f"127.0.0.1:{server.metrics_port}"}))
        return server


def metrics(server):
    status, content_type, body = get(server.metrics_port)
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8"), (status, content_type, body)
    return parse(body)


class OfACluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(BINARY)
        Watched(cls.cluster)
        cls.cluster.__enter__()
        cls.replica = Watched.listen(cls.cluster.replica()).start()
        cls.leader = cls.cluster.leader()
        with Bolt(cls.leader.bolt_port) as bolt:
            for _ in range(10):
                bolt.run("CREATE (:Thing)")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_the_group_of_metrics_of_raft_is_whole_under_both_names(self):
        for server in self.cluster.servers:
            seen = metrics(server)
            for database in ("neo4j", "system"):
                for name in RAFT:
                    new, old = (f"neo4j_database_{database}_{era}_{name}" for era in ("cluster_raft", "causal_clustering_core"))
                    self.assertIn(new, seen)
                    self.assertIn(old, seen)

    def test_one_leads_and_what_it_did_is_counted(self):
        all_of = {server: metrics(server) for server in self.cluster.servers}
        raft = "neo4j_database_neo4j_cluster_raft_"
        self.assertEqual([server for server, seen in all_of.items() if seen[raft + "is_leader"] == 1], [self.leader])
        self.assertEqual(len({seen[raft + "term"] for seen in all_of.values()}), 1)
        of_leader = all_of[self.leader]
        self.assertGreaterEqual(of_leader[raft + "replication_success_total"], 10)
        self.assertGreaterEqual(of_leader[raft + "replication_new_total"], of_leader[raft + "replication_success_total"])
        self.assertGreaterEqual(of_leader[raft + "replication_attempt_total"], of_leader[raft + "replication_new_total"])
        self.assertEqual(of_leader[raft + "replication_maybe_total"], 0)
        self.assertGreaterEqual(of_leader["neo4j_database_neo4j_transaction_committed_write_total"], 10)
        self.assertGreaterEqual(of_leader[raft + "append_index"], of_leader[raft + "commit_index"])
        for server, seen in all_of.items():
            self.assertGreater(seen["neo4j_dbms_cluster_raft_message_processing_timer_count_total"], 0)
            self.assertEqual(seen["neo4j_dbms_cluster_discovery_cluster_unreachable"], 0)
            if server is not self.leader:
                self.assertEqual(seen[raft + "replication_new_total"], 0)
                self.assertGreaterEqual(seen[raft + "last_leader_message"], 0)
        wait_for("all apply the same", lambda: len({metrics(s)[raft + "applied_index"] for s in self.cluster.servers}) == 1)

    def test_a_replica_tells_what_it_pulls(self):
        wait_for("it pulls", lambda: metrics(self.replica).get("neo4j_database_neo4j_cluster_store_copy_pull_updates_total", 0) > 0)
        seen = metrics(self.replica)
        self.assertNotIn("neo4j_database_neo4j_cluster_raft_term", seen)
        self.assertGreater(seen["neo4j_database_neo4j_causal_clustering_read_replica_pull_update_highest_tx_id_received_total"], 0)
        pulled = [metrics(s)["neo4j_dbms_cluster_catchup_tx_pull_requests_received_total"] for s in self.cluster.servers]
        self.assertGreater(sum(pulled), 0)
        self.assertEqual(seen["neo4j_dbms_cluster_discovery_cluster_members"], 4)

    def test_scraping_all_the_time_hurts_nobody(self):
        with Bolt(self.leader.bolt_port) as bolt:
            for _ in range(50):
                bolt.run("CREATE (:Thing)")
                metrics(self.leader)


class OfOneServer(unittest.TestCase):
    def test_it_is_off_unless_it_is_wanted(self):
        with Server(BINARY, auth=False) as server:
            self.assertNotIn("Prometheus", server.console())

    def test_names_are_filtered_and_those_of_older_versions(self):
        port = free_port()
        settings = {"metrics.prometheus.enabled": "true", "metrics.prometheus.endpoint": f"localhost:{port}", "metrics.namespaces.enabled": "false",
                    "metrics.prefix": "graph", "metrics.filter": "*transaction.committed, *bolt.connections_opened"}
        with Server(BINARY, auth=False, settings=settings):
            self.assertEqual(sorted(parse(get(port)[2])), ["graph_bolt_connections_opened", "graph_neo4j_transaction_committed",
                                                           "graph_system_transaction_committed", "graph_transaction_committed"])

    def test_databases_with_names_alike_are_told_apart(self):
        port = free_port()
        with Server(BINARY, auth=False, settings=with_metrics(**{"server.metrics.prometheus.endpoint": f"127.0.0.1:{port}"})) as server:
            with Bolt(server.bolt_port) as bolt:
                for name in ("a-b", "a.b"):
                    bolt.run(f"CREATE DATABASE `{name}` WAIT", db="system")
            seen = parse(get(port)[2])
            for name in ("a-b", "a.b"):
                self.assertIn('neo4j_database_a_b_transaction_active{database="%s"}' % name, seen)

    def test_transactions_are_counted(self):
        port = free_port()
        with Server(BINARY, auth=False, settings=with_metrics(**{"server.metrics.prometheus.endpoint": f"127.0.0.1:{port}"})) as server:
            def counted():
                return {k.removeprefix("neo4j_database_neo4j_transaction_"): v for k, v in parse(get(port)[2]).items()}

            with Bolt(server.bolt_port) as bolt:
                bolt.run("CREATE (:A)")
                with self.assertRaises(Failure):
                    bolt.run("RETURN 1/0")
                wait_for("none is open", lambda: counted()["active"] == 0)
                seen = counted()
                self.assertEqual((seen["committed_write_total"], seen["rollbacks_total"], seen["terminated_total"]), (1, 1, 0))
            self.assertGreaterEqual(parse(get(port)[2])["neo4j_dbms_bolt_connections_opened_total"], 1)

    def test_what_is_no_such_request_is_refused(self):
        port = free_port()
        with Server(BINARY, auth=False, settings=with_metrics(**{"server.metrics.prometheus.endpoint": f"127.0.0.1:{port}"})):
            self.assertEqual(get(port, "/")[0], 404)
            self.assertEqual(get(port, "/db/neo4j/cluster/available")[0], 404)
            self.assertEqual(get(port, method="POST")[0], 405)
            self.assertEqual(get(port, method="HEAD")[::2], (200, ""))
            for bytes_sent, status in ((b"\x16\x03\x01\x02\x00\x01\xff\xff\r\n\r\n", b"400"), (b"GET /metrics HTTP/1.1\r\nA: " + b"x" * 20000, b"431"),
                                       (b"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413")):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
                    s.sendall(bytes_sent)
                    self.assertIn(status, s.recv(100))
            idle = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(60)]  # more than it keeps
            for s in idle:
                s.close()
            wait_for("it answers again", lambda: answers(port))

    def test_an_address_that_is_taken_is_told(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            server = Server(BINARY, auth=False, settings=with_metrics(**{"server.metrics.prometheus.endpoint": f"127.0.0.1:{s.getsockname()[1]}"}))
            with self.assertRaises(RuntimeError) as failed:
                server.start()
            self.assertIn("server.metrics.prometheus.endpoint", str(failed.exception))


if __name__ == "__main__":
    sys.exit(stories.tell())
