#!/usr/bin/env python3
"""What it costs that an operation is handed on to the leader: bench/handed_on.py BINARY [ROUNDS].

Three members and a gateway on loopback, one client. Operations take turns at the leader, at a follower and at the gateway, so that
whatever else the machine does hits all alike; medians in microseconds, and their ratios to the leader's."""
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from lib.bolt import Bolt  # noqa: E402
from lib.cluster import Cluster  # noqa: E402

INCREMENT = "MATCH (c:Counter) SET c.n = c.n + 1 RETURN c.n"


def statement(bolt):
    bolt.run(INCREMENT)


def transaction(bolt):
    bolt.begin()
    bolt.run(INCREMENT)
    bolt.commit()


def measure(operation, bolts, rounds):
    """Medians by the name of the place."""
    took = {name: [] for name in bolts}
    for _ in range(rounds):
        for name, bolt in bolts.items():
            began = time.perf_counter()
            operation(bolt)
            took[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) * 1e6 for name, times in took.items()}


def main():
    binary, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with Cluster(binary) as cluster:
        gateway = cluster.gateway().start()
        leader = cluster.leader()
        follower = next(s for s in cluster.servers if s is not leader)
        with Bolt(leader.bolt_port) as a, Bolt(follower.bolt_port) as b, Bolt(gateway.bolt_port) as c:
            a.run("CREATE (:Counter {n: 0})")
            bolts = {"leader": a, "follower": b, "gateway": c}
            for operation in (statement, transaction):
                measure(operation, bolts, 100)
                medians = measure(operation, bolts, rounds)
                told = ", ".join(f"{name} {us:.0f} us ({us / medians['leader']:.2f})" for name, us in medians.items())
                print(f"{operation.__name__}: {told}", flush=True)


main()
