#!/usr/bin/env python3
"""Clients write to whichever member they are connected with, by bolt:// and the official Python driver.

tests/cluster/anywhere.py BINARY [--rounds N] [--clients N]

First a write at each member succeeds and is read there at once. Then, in each round, clients of the two members that follow count on
while the leader is killed (kill -9) and started again: none of them may see an error, no count may be lost or done twice, and each is
read at once where it was made.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "drivers"))
from lib.bolt import Bolt  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
import run  # noqa: E402

COUNTERS = 4
BEFORE_S, AFTER_S = 0.7, 3  # of the kill


def write_at_each(cluster):
    for i, server in enumerate(cluster.servers):
        with Bolt(server.bolt_port) as bolt:
            bolt.run("CREATE (:Thing)")
            assert bolt.run("MATCH (t:Thing) RETURN count(t)").rows == [[i + 1]], server.uri
            bolt.begin()
            bolt.run("CREATE (:Thing)")
            bolt.rollback()
            bolt.begin()
            bolt.run("CREATE (:Other)")
            bolt.commit()
            assert bolt.run("MATCH (o:Other) RETURN count(o)").rows == [[i + 1]], server.uri


def total(server):
    with Bolt(server.bolt_port) as bolt:
        return bolt.run("MATCH (c:Counter) RETURN sum(c.n)").rows[0][0]


def count_while_the_leader_dies(cluster, command, clients):
    """What the clients were told."""
    leader = cluster.leader()
    uris = [s.uri for s in cluster.servers if s is not leader]
    with subprocess.Popen([*command, str(clients), *uris], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        time.sleep(BEFORE_S)
        leader.kill()
        time.sleep(AFTER_S)
        out, _ = program.communicate(timeout=60)
    leader.start()
    return json.loads(out)


def check(cluster, told, before, number):
    deadline = time.monotonic() + 20
    expected = before + told["done"]
    while any(total(s) < expected for s in cluster.servers) and time.monotonic() < deadline:
        time.sleep(0.05)
    sums = [total(s) for s in cluster.servers]
    print(f"round {number}: {told['done']} done, {len(told['failed'])} failed, {told['unseen']} not read at once; the counters say {sums[0] - before}",
          flush=True)
    assert told["failed"] == [], told["failed"]
    assert told["unseen"] == 0
    assert sums == [expected] * len(sums), (sums, expected)
    assert told["done"] > 0
    return expected


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    commands = run.python_commands("anywhere")
    if not commands:
        print("no virtual environment for the Python driver can be made here")
        sys.exit(77)
    with Cluster(options.binary) as cluster:
        cluster.leader()
        write_at_each(cluster)
        with Bolt(cluster.servers[0].bolt_port) as bolt:
            bolt.run(f"UNWIND range(0, {COUNTERS - 1}) AS i CREATE (:Counter {{number: i, n: 0}})")
        expected = 0
        for number in range(1, options.rounds + 1):
            expected = check(cluster, count_while_the_leader_dies(cluster, commands[0], options.clients), expected, number)


main()
