#!/usr/bin/env python3
"""No needless election: three servers with little CPU, slow disks and lossy wires go on under the leaders that they have.

tests/cluster/needless.py QUIVER SLOW_SYNC [--minutes 60] [--sync-ms 500] [--cpu 10] [--loss 2] [--databases 2] [--keep] [--ledger FILE]

When the cluster is there, each server gets --cpu hundredths of a CPU, which it shares with a program that takes all it gets; every fsync and fdatasync
takes --sync-ms longer (SLOW_SYNC is the library of slow_sync.c); of what a server sends to another, --loss percent is lost. Some clients write and
read, little, and the logs go through checkpoints and are pruned. From the moment that all groups have been quiet for a minute so, none of their
terms may rise, as the group states on disk say; every commit that was acknowledged is there at the end. A line each minute. What was run
before it is interrupted is judged as well, so that runs add up in the ledger.
"""
import argparse
import itertools
import pathlib
import random
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from core_members import BOLT_PORT, CoreMembers  # noqa: E402
from driver import Driver, Refused, Unknown  # noqa: E402
from members import Hosts  # noqa: E402
from lib.bolt import Bolt  # noqa: E402
from lib.cpu import throttled  # noqa: E402

SERVERS = 3
SETTINGS = {
    "db.checkpoint.interval.volume": "256k",  # some a minute: what a checkpoint costs must not be taken for silence
    "db.tx_log.rotation.size": "128k",
    "db.cluster.raft.log.prune_strategy": "200 entries",
    "db.transaction.bookmark_ready_timeout": "30s",
    "quiver.routing.wait_timeout": "30s",
    "quiver.discovery.expiry": "10s",
}
PAD = "x" * 4000
SETTLE_S, LOOK_S, SAY_S = 60, 1, 60
SLOT_BYTES, TERM_AT = 16384, 56  # docs/formats/log.md: group state


class SlowMembers(CoreMembers):
    """Cores with little CPU and slow disks."""

    def __init__(self, binary, network, arguments):
        self.groups = [throttled(f"needless{n}", arguments.cpu) for n in range(1, SERVERS + 1)]
        self.slow_sync, self.arguments = str(pathlib.Path(arguments.slow_sync).resolve()), arguments
        super().__init__(binary, SERVERS, network, settings=SETTINGS)

    def server(self, binary, n):
        made = super().server(binary, n)
        made.wrapper = self.groups[n - 1].wrapper() + made.wrapper
        (self.directory / "delay").write_bytes(bytes(8))
        made.env.update(LD_PRELOAD=self.slow_sync, SLOW_SYNC=str(self.directory / "delay"))
        made.start_timeout_s = 180
        return made

    def slow_down(self):
        with open(self.directory / "delay", "r+b") as f:
            f.write(struct.pack("=q", self.arguments.sync_ms * 1000000))
        for group in self.groups:
            group.limit()
        for a, b in itertools.permutations(self.cores, 2):
            if self.arguments.loss:
                self.network.lose(a, b, self.arguments.loss)

    def start(self, n):
        super().start(n)
        self.groups[n - 1].watch(self.all[n].process.pid)

    def close(self, keep=False):
        super().close(keep)
        for group in self.groups:
            group.close()

    def terms(self):
        """{(database's folder, server): the highest term in its group state}"""
        found = {}
        for n in self.cores:
            for path in (self.all[n].home / "data/databases").glob("*/store.group"):
                data = path.read_bytes()
                slots = [data[i * SLOT_BYTES:(i + 1) * SLOT_BYTES] for i in range(2)]
                found[path.parent.name, n] = max(struct.unpack_from("<Q", slot, TERM_AT)[0] for slot in slots if len(slot) == SLOT_BYTES)
        return found

    def throttled_share(self):
        periods, wanted_more = map(sum, zip(*(group.periods() for group in self.groups)))
        return wanted_more / max(periods, 1)

    def retransmitted(self):
        """Segments, by the network of each server."""
        total = 0
        for server in self.processes.values():
            lines = [line.split() for line in pathlib.Path(f"/proc/{server.process.pid}/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
            total += int(lines[1][lines[0].index("RetransSegs")])
        return total

    def stood(self):
        """How often a member asked whether it would be elected."""
        return sum(self.console(n).count("Moving to CANDIDATE state") for n in self.cores)


class Patient(Driver):
    """What takes long is waited for."""

    ANSWER_S = 60.0


class Client(threading.Thread):
    """Counts in one node of its own, and reads what it counted."""

    def __init__(self, number, addresses, database, stop):
        super().__init__(daemon=True)
        self.driver = Patient(addresses, random.Random(number), database)
        self.number, self.stopped = number, stop
        self.acknowledged = self.unknown = self.refused = self.reads = 0
        self.times_s, self.wrong, self.bookmark = [], [], None

    def run(self):
        while not self.stopped.is_set():
            self.turn()
        self.driver.close()

    def turn(self):
        begin = time.monotonic()
        try:
            _, self.bookmark = self.driver.auto_commit("WRITE", self.bookmark, "MERGE (c:Count {key: $key}) SET c.n = coalesce(c.n, 0) + 1, c.pad = $pad",
                                                       {"key": self.number, "pad": PAD})
            self.acknowledged += 1
            self.times_s.append(time.monotonic() - begin)
            rows, _ = self.driver.auto_commit("READ", self.bookmark, "MATCH (c:Count {key: $key}) RETURN c.n", {"key": self.number})
            self.reads += 1
            self.judge(rows[0][0] if rows else 0)
        except Refused as problem:
            self.refused += 1
            print(f"client {self.number} was refused: {problem}", flush=True)
            time.sleep(0.5)
        except Unknown as problem:
            self.unknown += 1
            print(f"client {self.number} does not know: {problem}", flush=True)

    def judge(self, counted):
        if not self.acknowledged <= counted <= self.acknowledged + self.unknown:
            self.wrong.append(f"client {self.number} has {self.acknowledged} acknowledged and {self.unknown} unknown, and reads {counted}")


class Watch:
    """Terms, from when they are quiet."""

    def __init__(self, members):
        self.members, self.first, self.now, self.elections = members, None, None, []

    def settle(self, databases, quiet_s, timeout_s=900):
        """Until every group has a leader, and for so long nothing has changed."""
        since, deadline = time.monotonic(), time.monotonic() + timeout_s
        while time.monotonic() - since < quiet_s:
            terms = self.members.terms()
            if terms != self.now or len(terms) < SERVERS * databases:
                self.now, since = terms, time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"terms have not come to rest within {timeout_s} s: {terms}")
            time.sleep(LOOK_S)
        self.first = self.now

    def look(self):
        terms = self.members.terms()
        for key, term in terms.items():
            if term > self.now.get(key, term):
                self.elections.append((time.strftime("%H:%M:%S"), *key, self.now[key], term))
                print("at %s in %s on server %d: term %d became %d" % self.elections[-1], flush=True)
        self.now = {**self.now, **terms}

    def groups_elected(self):
        return sum(max(self.now[key] for key in self.now if key[0] == of) - max(self.first[key] for key in self.first if key[0] == of)
                   for of in {key[0] for key in self.first})


def make_databases(members, names):
    """As a user does; each answer is waited for."""
    for name in names:
        for attempt in range(20):
            try:
                with Bolt(BOLT_PORT, timeout_s=120, host=members.host(1)) as bolt:
                    bolt.run(f"CREATE DATABASE {name} IF NOT EXISTS WAIT", db="system")
                break
            except Exception as problem:
                if attempt == 19:
                    raise
                print(f"{name} is not there yet: {problem}", flush=True)
                time.sleep(3)


def percentile(values, part):
    return sorted(values)[int(part * (len(values) - 1))] if values else float("nan")


def drive(members, watch, clients, seconds):
    """Looks until the time is over, or somebody interrupts. Returns the seconds."""
    begin = said = time.monotonic()
    try:
        while time.monotonic() - begin < seconds:
            time.sleep(LOOK_S)
            watch.look()
            dead = members.dead()
            if dead:
                raise RuntimeError(f"servers ended: {dead}")
            if time.monotonic() - said >= min(SAY_S, seconds / 5):
                said = time.monotonic()
                times = [t for c in clients for t in c.times_s[-50:]]
                print(f"{said - begin:.0f} s of {seconds:.0f}: {sum(c.acknowledged for c in clients)} acknowledged, median {percentile(times, .5):.2f} s, "
                      f"{watch.groups_elected()} elections, {members.stood()} stood, {members.throttled_share():.0%} of periods throttled", flush=True)
    except KeyboardInterrupt:
        print("interrupted: judged as far as it came", flush=True)
    return time.monotonic() - begin


def judge(members, watch, clients, arguments):
    """What is wrong."""
    yield from ("at %s in %s on server %d: term %d became %d" % of for of in watch.elections)
    for client in clients:
        yield from client.wrong
        with Bolt(BOLT_PORT, timeout_s=120, host=members.host(members.leader(120))) as bolt:
            rows = bolt.run("MATCH (c:Count {key: $key}) RETURN c.n", {"key": client.number}, db=client.driver.database).rows
        client.judge(rows[0][0] if rows else 0)
        yield from client.wrong[-1:]
    times = [t for c in clients for t in c.times_s]
    if percentile(times, .5) < arguments.sync_ms / 1000:
        yield f"commits took {percentile(times, .5):.3f} s in the median: the disks were not slow"
    if members.throttled_share() < 0.2:
        yield f"CPU was short in {members.throttled_share():.0%} of all periods only"
    if arguments.loss and members.retransmitted() == 0:
        yield "nothing was lost on the wires"


def pruned(members):
    """How many segments the logs have let go: by the number of the first one that is there."""
    logs = [sorted(path.glob("store.log.*")) for n in members.cores for path in (members.all[n].home / "data/databases").iterdir()]
    return sum(int(segments[0].suffix[1:]) - 1 for segments in logs if segments)


def run(arguments, members):
    names = ["neo4j", *(f"other{i}" for i in range(1, arguments.databases))]
    members.start_all().leader(300)
    make_databases(members, names[1:])
    stop = threading.Event()
    clients = [Client(i, members.addresses(), names[i % len(names)], stop) for i in range(2 * len(names))]
    for client in clients:
        client.start()
    watch = Watch(members)
    print(f"servers in {members.directory}, {members.groups[0].kind}", flush=True)
    watch.settle(1 + len(names), min(SETTLE_S, arguments.minutes * 60))  # until leaders are spread
    members.slow_down()
    watch.settle(1 + len(names), min(SETTLE_S, arguments.minutes * 60))
    stood, sent_again = members.stood(), members.retransmitted()
    for client in clients:
        client.times_s = []
    seconds = drive(members, watch, clients, arguments.minutes * 60)
    stood, sent_again = members.stood() - stood, members.retransmitted() - sent_again
    stop.set()
    for client in clients:
        client.join(120)
    members.network.heal()
    wrong = list(judge(members, watch, clients, arguments))
    times = [t for c in clients for t in c.times_s]
    told = (f"seconds={seconds:.0f} groups={1 + len(names)} sync_ms={arguments.sync_ms} cpu={arguments.cpu}% loss={arguments.loss}% elections={watch.groups_elected()} "
            f"stood={stood} acknowledged={sum(c.acknowledged for c in clients)} unknown={sum(c.unknown for c in clients)} refused={sum(c.refused for c in clients)} "
            f"commit_median_s={statistics.median(times):.2f} commit_p99_s={percentile(times, .99):.2f} "
            f"throttled={members.throttled_share():.0%} retransmitted={sent_again} segments_pruned={pruned(members)}")
    return wrong, told


def note(arguments, told, result):
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    with open(arguments.ledger, "a", encoding="utf-8") as f:
        f.write(f"needless commit={commit} {told} result={result}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("quiver")
    parser.add_argument("slow_sync")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--sync-ms", type=int, default=500)
    parser.add_argument("--cpu", type=int, default=10, help="hundredths of a CPU for each server, and a program that wants them too")
    parser.add_argument("--loss", type=int, default=2, help="percent")
    parser.add_argument("--databases", type=int, default=2, help="beside system")
    parser.add_argument("--keep", action="store_true", help="the folders")
    parser.add_argument("--ledger")
    arguments = parser.parse_args()
    if not Hosts.usable():
        print("network namespaces cannot be made here (root, ip and nft)")
        return 77
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    network = Hosts(SERVERS)
    members, wrong = SlowMembers(arguments.quiver, network, arguments), ["did not come to its end"]
    try:
        wrong, told = run(arguments, members)
        for line in wrong:
            print(f"  {line}")
        print(told, flush=True)
        if arguments.ledger:
            note(arguments, told, "; ".join(wrong[:5]) if wrong else "ok")
    finally:
        if wrong:
            print(members.said(8000), flush=True)
        members.close(keep=arguments.keep or bool(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
