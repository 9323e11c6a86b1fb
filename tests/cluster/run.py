#!/usr/bin/env python3
"""A replicated register of real processes under faults; every history must be linearizable.

tests/cluster/run.py REGISTER [ROUNDS] [--seed N] [--only KIND] [--ledger FILE]

Kinds: kill-leader, kill-follower, kill-two, kill-all, stop-leader, stop-follower, full-disk, grow (3 to 5 to 3) and, where network
namespaces can be made (root), cut-leader, cut-one-way, cut-in-two, loss, delay, slow-link. Each round has fresh keys, eight clients and one fault in the middle.
"""
import argparse
import itertools
import pathlib
import random
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from clients import Workload  # noqa: E402
from linearizable import Op, check_the_checker, linearizable  # noqa: E402
from members import Hosts, Members, ask  # noqa: E402

KEYS_A_ROUND = 4
TIMING = ["--election", "400", "--heartbeat", "60", "--checkpoint", "3000", "--trailing", "200"]


class Faults:
    """Each is a generator: does the harm, yields while it lasts, mends it."""

    def __init__(self, members, rng):
        self.members, self.rng = members, rng

    def follower(self):
        leader = self.members.leader()
        return self.rng.choice([n for n in self.members.processes if n != leader])

    def kill(self, victims):
        for n in victims:
            self.members.kill(n)
        yield
        for n in victims:
            self.members.start(n)

    def kill_leader(self):
        yield from self.kill([self.members.leader()])

    def kill_follower(self):
        yield from self.kill([self.follower()])

    def kill_two(self):
        yield from self.kill(self.rng.sample(sorted(self.members.processes), 2))

    def kill_all(self):
        yield from self.kill(sorted(self.members.processes))

    def stop(self, n):
        self.members.signal(n, signal.SIGSTOP)
        yield
        self.members.signal(n, signal.SIGCONT)

    def stop_leader(self):
        yield from self.stop(self.members.leader())

    def stop_follower(self):
        yield from self.stop(self.follower())

    def cut(self, pairs):
        for source, target in pairs:
            self.members.network.cut(source, target)
        yield
        self.members.network.heal()

    def cut_leader(self):
        leader = self.members.leader()
        others = [n for n in self.members.processes if n != leader]
        yield from self.cut([(leader, n) for n in others] + [(n, leader) for n in others])

    def cut_one_way(self):
        leader = self.members.leader()
        others = [n for n in self.members.processes if n != leader]
        yield from self.cut([(leader, n) for n in others] if self.rng.random() < 0.5 else [(n, leader) for n in others])

    def cut_in_two(self):
        a, b = self.rng.sample(sorted(self.members.processes), 2)
        yield from self.cut([(a, b), (b, a)])

    def loss(self):
        for a, b in itertools.permutations(self.members.processes, 2):
            self.members.network.lose(a, b, 20)
        yield
        self.members.network.heal()

    def delay(self):
        """The wires of some hosts, or of all, are long; not all equally."""
        for n in self.rng.sample(sorted(self.members.processes), self.rng.randint(1, len(self.members.processes))):
            delay_ms = self.rng.uniform(5, 100)  # each way, at both ends
            self.members.network.slow_down(n, delay_ms=delay_ms, jitter_ms=delay_ms * self.rng.random())
        yield from [None] * 3  # some elections and retries long
        self.members.network.heal()

    def slow_link(self):
        """One host's wire is so thin that what clients write does not fit."""
        self.members.network.slow_down(self.rng.choice(sorted(self.members.processes)), bytes_a_second=self.rng.uniform(10e3, 200e3))
        yield from [None] * 3
        self.members.network.heal()

    def full_disk(self):
        """The disk of one member takes nothing more for a while: it has a small one of its own for the round."""
        n = self.rng.choice(sorted(self.members.processes))
        place = self.members.directory / str(n)
        self.members.kill(n)
        subprocess.run(["cp", "-a", place, f"{place}.kept"], check=True)
        used_mib = sum(f.stat().st_blocks for f in pathlib.Path(f"{place}.kept").rglob("*")) // 2048
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used_mib + 8}m", "none", place], check=True)
        try:
            subprocess.run(["cp", "-a", f"{place}.kept/.", place], check=True)
            self.members.start(n)
            time.sleep(0.5)
            subprocess.run(["dd", "if=/dev/zero", f"of={place}/filler", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
            yield
            (place / "filler").unlink()
            time.sleep(0.5)
        finally:
            self.members.kill(n)
            subprocess.run(["rm", "-rf", f"{place}.kept"], check=True)
            subprocess.run(["cp", "-a", place, f"{place}.kept"], check=True)
            subprocess.run(["umount", place], check=True)
            subprocess.run(["rm", "-rf", place], check=True)
            pathlib.Path(f"{place}.kept").rename(place)
            self.members.start(n)

    def grow(self):
        """3 to 5 to 3, and other machines than before."""
        now = sorted(self.members.processes)
        new = [n for n in range(1, 8) if n not in now][:2]
        for n in new:
            subprocess.run(["rm", "-rf", self.members.directory / str(n)], check=True)
            self.members.first = [m for m in self.members.first if m != n]  # it comes as a stranger, whatever it was once
            self.members.start(n)
            self.members.tell_leader(f"add {n} {self.members.text(n)}")
            self.members.tell_leader(f"promote {n}")
        yield
        leaving = self.rng.sample([n for n in now], 2)
        for _ in range(100):
            if self.members.leader() not in leaving:
                break
            self.members.tell_leader(f"transfer {new[0]}")
            time.sleep(0.2)
        for n in leaving:
            self.members.tell_leader(f"remove {n}")
            self.members.kill(n)


def final_reads(members, keys):
    for key in keys:
        end = time.monotonic() + 20
        while True:
            begin = time.monotonic()
            try:
                answer = ask(members.client_address(members.leader()), f"r {key}")
            except OSError:
                answer = ""
            if answer.startswith("="):
                seen = answer[1:].strip()
                yield key, Op(begin, time.monotonic(), "r", int(seen) if seen else None)
                break
            if time.monotonic() > end:
                raise TimeoutError("nothing can be read after the fault was mended")


def play(members, fault, number, values, rng):
    """One round. Returns (what went wrong or None, clients' totals)."""
    keys = [number * KEYS_A_ROUND % 60000 + k for k in range(KEYS_A_ROUND)]
    with Workload(members, keys, values) as load:
        time.sleep(rng.uniform(0.1, 0.4))
        for _ in fault():
            time.sleep(rng.uniform(0.2, 1.0))
        members.leader()
        time.sleep(rng.uniform(0.1, 0.3))
    histories = load.histories()
    for key, op in final_reads(members, keys):
        histories.setdefault(key, []).append(op)
    for key, history in histories.items():
        verdict = linearizable(history)
        if verdict is not True:
            return f"key {key}: {'not linearizable' if verdict is False else 'undecided'}: {sorted(history)[-40:]}", load
    for n, last in members.dead():
        return f"member {n} ended: {last}", load
    return None, load


def fault_names(members, wanted):
    faults = Faults(members, None)
    names = ["kill-leader", "kill-follower", "kill-two", "kill-all", "stop-leader", "stop-follower", "grow"]
    if isinstance(members.network, Hosts):
        names += ["cut-leader", "cut-one-way", "cut-in-two", "loss", "delay", "slow-link", "full-disk"]
    names = [name for name in names if wanted in (None, name)]
    assert all(hasattr(faults, name.replace("-", "_")) for name in names)
    return names


def run(arguments, rng, members):
    names, values = fault_names(members, arguments.only), itertools.count(1)
    counts = dict.fromkeys(names, 0)
    totals = dict.fromkeys(("acknowledged", "unknown", "refused"), 0)
    members.start_all().leader()
    for number in range(arguments.rounds):
        name = names[number % len(names)]
        fault = getattr(Faults(members, rng), name.replace("-", "_"))
        wrong, load = play(members, fault, number, values, rng)
        if wrong:
            print(f"round {number}, {name}, seed {arguments.seed}: {wrong}\nlogs: {members.directory}")
            return 1
        counts[name] += 1
        if arguments.verbose:
            print(f"round {number}, {name}: {load.total('acknowledged')} acknowledged, {load.total('unknown')} unknown", flush=True)
        for what in totals:
            totals[what] += load.total(what)
        if (number + 1) % 10 == 0 or number + 1 == arguments.rounds:
            print(f"{number + 1} rounds, all linearizable: {totals}", flush=True)
    members.wait_together()
    print("rounds: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    if arguments.ledger:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        with open(arguments.ledger, "a", encoding="utf-8") as f:
            f.write(f"register {commit} seed {arguments.seed} rounds {arguments.rounds} acknowledged {totals['acknowledged']} unknown {totals['unknown']} "
                    + " ".join(f"{name} {n}" for name, n in counts.items()) + " ok\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("register")
    parser.add_argument("rounds", type=int, nargs="?", default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--ledger")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    check_the_checker()
    rng = random.Random(arguments.seed)
    network = Hosts(7) if Hosts.usable() else None
    if network is None:
        print("network namespaces cannot be made here (root, ip and nft): cut networks, loss and a full disk are left out", flush=True)
    members = Members(arguments.register, 3, 7, network, TIMING)
    result = 1
    try:
        result = run(arguments, rng, members)
    finally:
        members.close(keep=result != 0)
    return result


if __name__ == "__main__":
    sys.exit(main())
