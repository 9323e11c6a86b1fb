#!/usr/bin/env python3
"""Clusters of real servers under clients that speak Bolt, and under faults.

tests/cluster/breaking.py QUIVER [--clock-jump LIBRARY] [--rounds N] [--seed N] [--servers 3] [--only FAULT] [--set KEY=VALUE] [--ledger FILE] [--verbose]

Each round has a dozen clients (core_clients.py) and one fault in the middle, from the seed. Afterwards every history must be what a causal
cluster promises (list_append.py), every member must come to the same place in its logs and to the same content, and writes must go on.
"""
import argparse
import collections
import itertools
import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from core_clients import CROWD, Load, Round  # noqa: E402
from core_members import CoreMembers  # noqa: E402
from driver import Driver, Refused, Unknown  # noqa: E402
from faults import Faults  # noqa: E402
from list_append_cases import check_the_checker  # noqa: E402
from members import Hosts, Loopback  # noqa: E402

UNIQUE = [("List", "key"), ("Counter", "key"), ("Walker", "key"), ("User", "name")]
SOUGHT = UNIQUE + [("Step", "i"), ("User", "n"), ("Bulk", "key")]
SCHEMA = [f"CREATE CONSTRAINT {label.lower()} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE" for label, key in UNIQUE]
PROCESSES = ["kill-leader", "kill-follower", "kill-two", "kill-all", "stop-leader", "stop-follower", "restart-leader", "rolling-restart", "left-behind"]
NETWORK = ["cut-leader", "cut-one-way", "cut-in-two", "split", "loss", "delay", "slow-link", "full-disk", "full-disk-of-the-leader", "loss-and-kill",
           "delay-and-stop"]

CLOCKS = ["jump", "jump-and-restart"]
ORDERLY = ["restart-leader", "rolling-restart", "jump-and-restart"]


class CoreFaults(Faults):
    def restart(self, n):
        code = self.members.stop(n)
        if code != 0:
            raise AssertionError(f"server {n}, stopped in order, ended with {code}")
        yield
        self.members.start(n)

    def restart_leader(self):
        yield from self.restart(self.members.leader())

    def rolling_restart(self):
        """As for an upgrade: one after the other, each when the one before is back."""
        for n in self.rng.sample(sorted(self.members.servers), self.members.count):
            yield from self.restart(n)
            self.members.servers[n].wait_until_up()
            self.members.leader()

    def left_behind(self):
        """For some checkpoints long: the log of the others may have forgotten where it was."""
        n = self.follower()
        self.members.kill(n)
        yield from [None] * 8
        self.members.start(n)

    def full_disk_of_the_leader(self):
        yield from self.full_disk(ready=self.make_leader, lasts=5)

    def make_leader(self, n):
        """By stopping those who lead before it does; they may be lucky ten times."""
        self.members.servers[n].wait_until_up()
        for _ in range(10):
            other = self.members.leader()
            if other == n:
                return
            for _ in self.restart(other):
                self.members.leader()
            self.members.servers[other].wait_until_up()

    def split(self):
        """Into two parts that cannot hear each other."""
        mixed = self.rng.sample(sorted(self.members.servers), self.members.count)
        parts = mixed[:self.members.count // 2], mixed[self.members.count // 2:]
        yield from self.cut([pair for a, b in itertools.product(*parts) for pair in ((a, b), (b, a))])

    def jump(self):
        """The clocks of some servers, or of all, turn forth and back by up to a day."""
        victims = self.rng.sample(sorted(self.members.servers), self.rng.randint(1, self.members.count))
        for _ in range(4):
            for n in victims:
                self.members.turn_clock(n, self.rng.uniform(-1, 1) * self.rng.choice((1, 60, 86400)))
            yield
        for n in victims:
            self.members.turn_clock(n, 0)

    def jump_and_restart(self):
        yield from self.both(self.jump(), self.restart_leader())

    def loss_and_kill(self):
        yield from self.both(self.loss(), self.kill_leader())

    def delay_and_stop(self):
        yield from self.both(self.delay(), self.stop_leader())

    @staticmethod
    def both(a, b):
        """The second within the first."""
        next(a)
        yield from b
        yield from a


def persist(driver, statement, parameters, timeout_s=30):
    """As a driver's managed transaction: until it is acknowledged. The statement may be done twice. Returns its bookmark."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return driver.auto_commit("WRITE", None, statement, parameters)[1]
        except (Refused, Unknown) as problem:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout_s} s: {statement}: {problem}") from None
            time.sleep(0.1)


def prepare(driver, of):
    """What the clients use; what was left two rounds ago goes."""
    persist(driver, "MATCH (n {round: $round}) DETACH DELETE n", {"round": str(of.number - 2)})
    for kind in dict.fromkeys(CROWD):
        if kind.prepare:
            of.prepared = persist(driver, kind.prepare, {"round": str(of.number)})


def harm(members, fault, rng):
    time.sleep(rng.uniform(0.3, 1.0))
    long = rng.random() < 0.2  # longer than clients wait, and than a server may be silent
    for _ in fault():
        time.sleep(rng.uniform(4, 6) if long else rng.uniform(0.3, 2.0))
    members.leader()
    time.sleep(rng.uniform(0.3, 1.0))


def look(members, load, name):
    """After the round, everything healed: what is wrong."""
    if name in ORDERLY and load.total("unanswered"):
        yield f"{load.total('unanswered')} commits were not answered by servers that were stopped in order"
    yield from (f"server {n} ended with {code}" for n, code in members.dead())
    members.wait_together()
    for what in (members.digest, members.indexes):
        told = {n: what(n) for n in members.servers}
        if len(set(told.values())) != 1:
            yield f"members differ: {told}"
    for n, (label, key) in itertools.product(members.servers, SOUGHT):
        found, there = members.sought(n, label, key)
        if found != there:
            yield f"server {n} finds {found} of {there} pairs of {label} by {key}"
    server = members.leader()
    yield from load.judge(lambda statement: members.ask(server, statement, {"round": str(load.of.number)}, timeout_s=60).rows)


def play(members, name, of, seed, rng):
    """One round, with the fault of that name. Returns (what is wrong, the load)."""
    driver = Driver(members.addresses(), rng)
    fault, load = getattr(CoreFaults(members, rng), name.replace("-", "_")), None
    try:
        prepare(driver, of)
        load = Load(of, seed)
        with load:
            harm(members, fault, rng)
        return list(look(members, load, name)), load
    except (TimeoutError, AssertionError, RuntimeError) as problem:
        return [str(problem)], load
    finally:
        driver.close()


def names_in_order(arguments, members, rng):
    """All faults, shuffled, again and again."""
    names = PROCESSES + (NETWORK if isinstance(members.network, Hosts) else []) + (CLOCKS if arguments.clock_jump else [])
    names = [name for name in names if arguments.only in (None, name)]
    while True:
        yield from rng.sample(names, len(names))


def say_what_is_wrong(arguments, number, name, wrong, members, load):
    print(f"{members.said()}\nround {number}, {name}, seed {arguments.seed}, {arguments.servers} servers: {len(wrong)} wrong")
    for line in wrong[:20]:
        print(f"  {line[:2000]}")
    if load is not None:
        print(f"clients were told: {dict(load.causes())}")
    print(f"folders: {members.directory}", flush=True)


def note(arguments, counts, totals):
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    with open(arguments.ledger, "a", encoding="utf-8") as f:
        f.write(f"commit={commit} seed={arguments.seed} servers={arguments.servers} rounds={sum(counts.values())} acknowledged={totals['acknowledged']} "
                f"unknown={totals['unknown']} refused={totals['refused']} " + " ".join(f"{name}={n}" for name, n in sorted(counts.items())) + " result=ok\n")


def run(arguments, members):
    rng = random.Random(arguments.seed)
    values, counts, totals = itertools.count(1), collections.Counter(), collections.Counter()
    members.start_all().leader()
    driver = Driver(members.addresses(), rng)
    for statement in SCHEMA:
        persist(driver, statement, {})
    driver.close()
    for number, name in zip(range(arguments.rounds), names_in_order(arguments, members, rng)):
        begin = time.monotonic()
        members.listen()
        wrong, load = play(members, name, Round(number, members.addresses(), values), arguments.seed, rng)
        if wrong:
            say_what_is_wrong(arguments, number, name, wrong, members, load)
            return 1
        counts[name] += 1
        for what in ("acknowledged", "unknown", "refused"):
            totals[what] += load.total(what)
        if arguments.verbose:
            print(f"round {number}, {name}, {time.monotonic() - begin:.1f} s: {load.total('acknowledged')} acknowledged, {load.total('unknown')} unknown, "
                  f"told {dict(load.causes())}", flush=True)
    print(f"{sum(counts.values())} rounds, as promised: {dict(totals)}; {dict(counts)}")
    if arguments.ledger:
        note(arguments, counts, totals)
    return 0


def some_settings(seed):
    """Elections that are quick to come, or slow; members that come back to the log, or to a copy of a store."""
    rng = random.Random(seed)
    return {"dbms.cluster.raft.leader_failure_detection_window": rng.choice(("300ms", "600ms", "1s")),
            "db.cluster.raft.log.prune_strategy": rng.choice(("256m size", "500 entries"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("quiver")
    parser.add_argument("--clock-jump", help="the library of clock_jump.c")
    parser.add_argument("--rounds", type=int, default=len(PROCESSES + NETWORK + CLOCKS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of all servers")
    parser.add_argument("--ledger")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    check_the_checker()
    network = Hosts(arguments.servers) if Hosts.usable() else Loopback(arguments.servers)
    if not isinstance(network, Hosts):
        print("network namespaces cannot be made here (root, ip and nft): cut networks, loss and a full disk are left out", flush=True)
    settings = {**some_settings(arguments.seed), **dict(pair.split("=", 1) for pair in arguments.set)}
    members = CoreMembers(arguments.quiver, arguments.servers, network, arguments.clock_jump, settings)
    result = 1
    try:
        result = run(arguments, members)
    finally:
        members.close(keep=result != 0)
    return result


if __name__ == "__main__":
    sys.exit(main())
