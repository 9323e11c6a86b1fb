#!/usr/bin/env python3
"""Clusters of real servers under clients that speak Bolt, and under faults.

tests/cluster/breaking.py QUIVER [--clock-jump LIBRARY] [--rounds N] [--seed N] [--servers 3] [--replicas 1] [--only FAULT]... [--set KEY=VALUE] [--ledger FILE] [--verbose]
                          [--drivers [NAME...]]

Each round has some clients (core_clients.py), which route as drivers do or write to whatever server they are connected with, and one fault in
the middle (core_faults.py), from the seed. Afterwards every history must be what a causal
cluster promises (list_append.py) and, of linearizable reads, what they do (linearizable.py), every member must come to the same place in its logs and to the same content, and writes must go on.

With --drivers the clients are transaction functions of the official drivers with their default settings instead (driver_load.py): none may
fail. That of a driver that is not to be had here is left out.
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
from core_clients import Round  # noqa: E402
from core_faults import CoreFaults  # noqa: E402
from core_load import CROWD, Load  # noqa: E402
from core_members import CoreMembers  # noqa: E402
from driver import Driver, Refused, Unknown  # noqa: E402
from driver_load import DRIVERS, PREPARE, DriverLoad, Programs  # noqa: E402
from list_append_cases import check_the_checker  # noqa: E402
from members import Hosts, Loopback  # noqa: E402

UNIQUE = [("List", "key"), ("Counter", "key"), ("Walker", "key"), ("User", "name"), ("Register", "key")]
SOUGHT = UNIQUE + [("Step", "i"), ("User", "n"), ("Bulk", "key")]
SCHEMA = [f"CREATE CONSTRAINT {label.lower()} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE" for label, key in UNIQUE]
PROCESSES = ["kill-leader", "kill-follower", "kill-two", "kill-all", "stop-leader", "stop-follower", "restart-leader", "rolling-restart", "left-behind"]
NETWORK = ["cut-leader", "cut-one-way", "cut-in-two", "split", "loss", "delay", "slow-link", "full-disk", "full-disk-of-the-leader", "loss-and-kill",
           "delay-and-stop"]

CLOCKS = ["jump", "jump-and-restart"]
REPLICAS = ["kill-replica", "stop-replica", "empty-replica"]
COPIES = ["copy-and-kill-giver", "copy-and-kill-receiver"]
MEMBERS = ["grow-and-shrink", "grow-and-kill"]
SPARES = 2  # servers that join and leave
ORDERLY = ["restart-leader", "rolling-restart", "jump-and-restart"]


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


def write_entries(driver, count):
    """Of the log, each a transaction: those that begin with nothing get a copy of a store afterwards."""
    persist(driver, "MERGE (f:Filler)", {})
    text = "MATCH (f:Filler) UNWIND range(1, $n) AS i CALL { WITH f, i SET f.n = i } IN TRANSACTIONS OF 1 ROW"
    for _ in range(count // 500):
        persist(driver, text, {"n": 500})


class OwnClients:
    """Made anew in each round (core_load.py)."""

    PREPARE = [kind.prepare for kind in dict.fromkeys(CROWD) if kind.prepare]

    def __init__(self, seed):
        self.seed = seed

    def load(self, of):
        return Load(of, self.seed)

    def some(self):
        return True

    def names(self):
        return "own"

    def close(self):
        pass


class OfficialDrivers(Programs):
    PREPARE = PREPARE

    def load(self, of):
        return DriverLoad(of, self)


def prepare(driver, of, statements):
    """What the clients use; what was left two rounds ago goes."""
    persist(driver, "MATCH (n {round: $round}) DETACH DELETE n", {"round": str(of.number - 2)})
    for statement in statements:
        of.prepared = persist(driver, statement, {"round": str(of.number)})


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
    for what in (members.digests, members.indexes):
        told = {n: what(n) for n in members.servers}
        if len(set(told.values())) != 1:
            yield f"members differ: {told}"
    for n, (label, key) in itertools.product(members.servers, SOUGHT):
        found, there = members.sought(n, label, key)
        if found != there:
            yield f"server {n} finds {found} of {there} pairs of {label} by {key}"
    server = members.leader()
    yield from load.judge(lambda statement, database="neo4j": members.ask(server, statement, {"round": str(load.of.number)}, timeout_s=60, db=database).rows)


def play(members, name, of, clients, rng):
    """One round, with the fault of that name. Returns (what is wrong, the load)."""
    driver = Driver(members.addresses(), rng)
    fault, load = getattr(CoreFaults(members, rng), name.replace("-", "_")), None
    try:
        prepare(driver, of, clients.PREPARE)
        load = clients.load(of)
        with load:
            harm(members, fault, rng)
        return list(look(members, load, name)), load
    except (TimeoutError, AssertionError, RuntimeError) as problem:
        return [str(problem)], load
    finally:
        driver.close()


def names_in_order(arguments, members, rng):
    """All faults, shuffled, again and again."""
    names = PROCESSES + COPIES + MEMBERS + (CLOCKS if arguments.clock_jump else [])
    names += NETWORK if isinstance(members.network, Hosts) else []
    if members.replicas:
        names += REPLICAS + (["cut-replica"] if isinstance(members.network, Hosts) else [])
    names = [name for name in names if arguments.only is None or name in arguments.only]
    while True:
        yield from rng.sample(names, len(names))


def say_what_is_wrong(arguments, number, name, wrong, members, load):
    print(f"{members.said()}\nround {number}, {name}, seed {arguments.seed}, {arguments.servers} servers: {len(wrong)} wrong")
    for line in wrong[:20]:
        print(f"  {line[:2000]}")
    if load is not None:
        print(f"clients were told: {dict(load.causes())}")
    print(f"folders: {members.directory}", flush=True)


def note(arguments, clients, counts, totals, copies_cut):
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    with open(arguments.ledger, "a", encoding="utf-8") as f:
        f.write(f"commit={commit} seed={arguments.seed} servers={arguments.servers} replicas={arguments.replicas} clients={clients.names()} rounds={sum(counts.values())} acknowledged={totals['acknowledged']} "
                f"unknown={totals['unknown']} refused={totals['refused']} copies-cut={copies_cut} " + " ".join(f"{name}={n}" for name, n in sorted(counts.items())) + " result=ok\n")


def run(arguments, members, clients):
    rng = random.Random(arguments.seed)
    values, counts, totals = itertools.count(1), collections.Counter(), collections.Counter()
    driver = Driver(members.addresses(), rng)
    for statement in SCHEMA:
        persist(driver, statement, {})
    write_entries(driver, arguments.entries)
    driver.close()
    for number, name in zip(range(arguments.rounds), names_in_order(arguments, members, rng)):
        begin = time.monotonic()
        members.listen()
        wrong, load = play(members, name, Round(number, members.addresses(), values, members.addresses(members.servers)), clients, rng)
        if wrong:
            say_what_is_wrong(arguments, number, name, wrong, members, load)
            return 1
        counts[name] += 1
        for what in ("acknowledged", "unknown", "refused"):
            totals[what] += load.total(what)
        if arguments.verbose:
            print(f"round {number}, {name}, {time.monotonic() - begin:.1f} s: {load.total('acknowledged')} acknowledged, {load.total('unknown')} unknown, "
                  f"told {dict(load.causes())}", flush=True)
    print(f"{sum(counts.values())} rounds, as promised: {dict(totals)}; {dict(counts)}; {members.copies_cut} copies of stores were cut short")
    if arguments.ledger:
        note(arguments, clients, counts, totals, members.copies_cut)
    return 0


def some_settings(seed):
    """Elections that are quick to come, or slow; members that come back to the log, or to a copy of a store."""
    rng = random.Random(seed)
    return {"dbms.cluster.raft.leader_failure_detection_window": rng.choice(("300ms", "600ms", "1s")),
            "quiver.routing.wait_timeout": rng.choice(("2s", "30s")),
            "db.cluster.raft.log.prune_strategy": rng.choice(("256m size", "500 entries"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("quiver")
    parser.add_argument("--clock-jump", help="the library of clock_jump.c")
    parser.add_argument("--rounds", type=int, default=len(PROCESSES + NETWORK + CLOCKS + REPLICAS + COPIES + MEMBERS) + 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--only", action="append", metavar="FAULT")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--entries", type=int, default=0, help="of the log that are written first: cores keep 8,192")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of all servers")
    parser.add_argument("--drivers", nargs="*", metavar="NAME", choices=list(DRIVERS), help="the clients are official drivers; without a name, all")
    parser.add_argument("--ledger")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    check_the_checker()
    hosts = arguments.servers + arguments.replicas + SPARES
    network = Hosts(hosts) if Hosts.usable() else Loopback(hosts)
    if not isinstance(network, Hosts):
        print("network namespaces cannot be made here (root, ip and nft): cut networks, loss and a full disk are left out", flush=True)
    settings = {**some_settings(arguments.seed), **dict(pair.split("=", 1) for pair in arguments.set)}
    members = CoreMembers(arguments.quiver, arguments.servers, network, arguments.clock_jump, settings, arguments.replicas, SPARES)
    result, clients = 1, None
    try:
        members.start_all().leader()
        members.check_clocks()
        clients = OwnClients(arguments.seed) if arguments.drivers is None else OfficialDrivers(arguments.drivers, members.addresses())
        if not clients.some():
            print("none of these drivers can be had here")
            return (result := 77)
        result = run(arguments, members, clients)
    finally:
        if clients is not None:
            clients.close()
        members.close(keep=result not in (0, 77))
    return result


if __name__ == "__main__":
    sys.exit(main())
