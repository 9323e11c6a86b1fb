#!/usr/bin/env python3
"""The pods of a StatefulSet that is scaled: tests/cluster/scaling.py BINARY POD_NAMES [TEST...]. Standard library only.

Kubernetes is played: its API by lib/kubernetes.py, its part in starting and stopping pods here, the names of pods by POD_NAMES (the library
of pod_names.c).
"""
import os
import pathlib
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
from leaving import Writers, ask, id_of, log, servers_of, things, voters  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
from lib.kubernetes import Kubernetes  # noqa: E402
from lib.quiver import free_port  # noqa: E402
from lib.waiting import wait_for  # noqa: E402

BINARY, POD_NAMES = "", ""
LEFT = "This server has left its cluster"
NEW = "it joins as a new server, and gets what the others have"


class StatefulSet(Cluster):
    """Pods core-0, core-1 and so on, each with a folder that stays when it goes."""

    def __init__(self, replicas, **settings):
        self.api = Kubernetes(pathlib.Path(tempfile.mkdtemp(prefix="quiver-kubernetes-")), "core")
        self.api.replicas = replicas
        self.ended, self.keeper = threading.Event(), threading.Thread(target=self.keep)
        self.pods = []
        super().__init__(BINARY, replicas, settings={
            "dbms.cluster.minimum_initial_system_primaries_count": str(replicas), **{key.replace("__", "."): value for key, value in settings.items()}})

    def server(self, name, discovery_port, mode="CORE", **settings):
        name = f"core-{len(self.pods)}"
        self.api.services[name] = discovery_port
        pod = super().server(name, discovery_port, mode, **settings)
        del pod.settings["dbms.cluster.discovery.endpoints"]
        pod.settings.update(self.api.settings())
        pod.settings["quiver.kubernetes.pod_name"] = name
        pod.settings["server.default_advertised_address"] = self.api.host(name)
        pod.settings["server.bolt.advertised_address"] = f"127.0.0.1:{pod.bolt_port}"
        pod.env.update(LD_PRELOAD=POD_NAMES, ASAN_OPTIONS="verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""))
        pod.start_timeout_s = 60
        self.pods.append(pod)
        return pod

    def keep(self):
        """What the kubelet does: a pod that ends by itself is started again."""
        while not self.ended.wait(0.1):
            for pod in self.servers[:self.api.replicas]:
                if pod.process is not None and pod.process.poll() == 0 and not pod.stopping:
                    pod.spawn()

    def stop(self, pod):
        pod.stopping = True
        return pod.stop(60)

    @staticmethod
    def lose(pod):
        """For good, until it is scaled up again."""
        pod.stopping = True
        pod.kill()

    def scale(self, replicas):
        """From the highest ordinal down, one after the other; or up."""
        self.api.replicas = replicas
        for pod in reversed(self.servers[replicas:]):
            self.stop(pod)
        gone, self.servers = self.servers[replicas:], self.servers[:replicas]
        while len(self.servers) < replicas:
            pod = self.pods[len(self.servers)] if len(self.servers) < len(self.pods) else self.server("", free_port())
            pod.stopping = False
            self.servers.append(pod.spawn())
        return gone

    def __enter__(self):
        self.api.__enter__()
        for pod in self.servers:
            pod.stopping = False
        self.keeper.start()
        return super().__enter__()

    def __exit__(self, kind, error, trace):
        self.ended.set()
        self.keeper.join()
        super().__exit__(kind, error, trace)
        self.api.__exit__(kind, error, trace)


def wait_for_voters(pods, n):
    for database in ("neo4j", "system"):
        wait_for(f"{n} vote in {database}", lambda: all(voters(pod, database) == n for pod in pods), 60)


def names(pod):
    return {name for name, _, _ in servers_of(pod).values()}


class Scaling(unittest.TestCase):
    def assert_kept(self, pod, writers):
        """Everything that was acknowledged is there, once."""
        found = dict(ask(pod, "MATCH (t:Thing) RETURN t.writer, count(t)"))
        for i, n in enumerate(writers.acknowledged):
            self.assertIn(found[i], (n, n + 1))

    def test_of_five_pods_two_are_scaled_away_under_load_and_one_of_the_three_may_be_lost(self):
        with StatefulSet(5) as pods:
            stay, go = pods.servers[:3], pods.servers[3:]
            gone = {id_of(pods, pod) for pod in go}
            with Writers(pods) as writers:
                wait_for("they write", lambda: sum(writers.acknowledged) > 50)
                pods.scale(3)
                for pod in go:
                    self.assertIn(LEFT, log(pod))
                wait_for_voters(stay, 3)
                lost = pods.leader()
                pods.lose(lost)
                count = sum(writers.acknowledged)
                wait_for("they go on writing", lambda: sum(writers.acknowledged) > count + 50, 60)
            self.assertFalse(names(pods.leader()) & gone)
            self.assert_kept(pods.leader(), writers)

    def test_pods_that_come_back_by_a_scale_up_join_anew_in_their_old_folders(self):
        with StatefulSet(5) as pods:
            pods.write("CREATE (:Thing)")
            former = names(pods.servers[0])
            stay = pods.servers[:3]
            back = pods.scale(3)
            wait_for_voters(stay, 3)
            pods.write("CREATE (:Thing)")
            pods.scale(5)
            wait_for_voters(stay, 5)
            for pod in back:
                self.assertIn(NEW, log(pod))
                self.assertTrue((pod.home / "data/databases.dropped/neo4j").is_dir())
                wait_for("it is filled", lambda p=pod: things(p) == 2, 60)
            self.assertEqual(len(names(stay[0]) & former), 3)
            self.assertEqual(len(names(stay[0])), 5)

    def test_a_pod_that_is_restarted_stays_a_member(self):
        with StatefulSet(4) as pods:
            before = names(pods.servers[0])
            pod = pods.servers[3]
            self.assertEqual(pods.stop(pod), 0)
            self.assertIn("this is a restart, and the server stays a member of its cluster", log(pod))
            pod.start()
            wait_for("all four are there", lambda: names(pods.servers[0]) == before and names(pod) == before)
            self.assertEqual({voters(p) for p in pods.servers[:3]}, {4})

    def test_where_kubernetes_does_not_say_it_the_pod_stays_a_member_and_the_log_says_what_to_do(self):
        with StatefulSet(4) as pods:
            before = names(pods.servers[0])
            pods.api.refuses = True
            gone = pods.scale(3)
            self.assertIn("allows get on statefulsets (apiGroups: apps)", log(gone[0]))
            self.assertIn("stays a member of its cluster", log(gone[0]))
            self.assertNotIn(LEFT, log(gone[0]))
            pods.write("CREATE (:Thing)")
            self.assertEqual(names(pods.servers[0]), before)
            self.assertEqual({voters(p) for p in pods.servers}, {4})

    def test_a_set_that_is_scaled_to_nothing_is_a_cluster_that_pauses(self):
        with StatefulSet(3) as pods:
            pods.write("CREATE (:Thing)")
            before = names(pods.servers[0])
            for pod in pods.scale(0):
                self.assertIn("the cluster as a whole ends or pauses", log(pod))
                self.assertNotIn(LEFT, log(pod))
            pods.scale(3)
            for pod in pods.servers:
                pod.wait_until_up()
            pods.write("CREATE (:Thing)")
            for pod in pods.servers:
                wait_for("all is there", lambda p=pod: things(p) == 2)
            self.assertEqual(names(pods.servers[0]), before)

    def test_three_do_not_become_two(self):
        with StatefulSet(3) as pods:
            gone = pods.scale(2)
            self.assertIn("This server does not leave its cluster, although its StatefulSet has no room for it: Not safe to remove member", log(gone[0]))
            pods.write("CREATE (:Thing)")
            self.assertEqual({voters(p) for p in pods.servers}, {3})

    def test_a_pod_that_was_lost_is_taken_out_when_the_set_has_no_room_for_it_and_nobody_else_is(self):
        with StatefulSet(5, quiver__kubernetes__absence="1s", quiver__discovery__expiry="3s") as pods:
            pods.write("CREATE (:Thing)")
            stay, lost, present = pods.servers[:4], pods.servers[4], names(pods.servers[3])
            pods.lose(lost)
            asked = pods.api.asked
            wait_for("Kubernetes is asked, twice", lambda: pods.api.asked >= asked + 2, 60)
            self.assertEqual({voters(p) for p in stay}, {5})  # there is room for it
            pods.api.replicas = 3  # nor is there for core-3, which has not been stopped yet
            pods.servers.remove(lost)
            wait_for_voters(stay, 4)
            self.assertTrue(any("it has been away for long, and its StatefulSet has no room for it any more" in log(p) for p in stay))
            pods.scale(5)  # it comes back, and does not know
            wait_for("it is told and begins anew", lambda: NEW in log(lost), 60)
            wait_for_voters(stay, 5)
            wait_for("it is filled", lambda: things(lost) == 1, 60)
            self.assertEqual(len(names(stay[0]) & present), 4)
            self.assertEqual([text for text in map(log, stay) if LEFT in text], [])


def main():
    global BINARY, POD_NAMES
    BINARY, POD_NAMES = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
    return 0 if unittest.main(argv=sys.argv[:1] + sys.argv[3:], exit=False, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
