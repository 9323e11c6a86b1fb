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
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from clients import Workload  # noqa: E402
from faults import Faults  # noqa: E402
from linearizable import Op, check_the_checker, linearizable  # noqa: E402
from members import Hosts, Members, ask  # noqa: E402

KEYS_A_ROUND = 4
TIMING = ["--election", "400", "--heartbeat", "60", "--checkpoint", "3000", "--trailing", "200"]


class RegisterFaults(Faults):
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
    faults = RegisterFaults(members, None)
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
        fault = getattr(RegisterFaults(members, rng), name.replace("-", "_"))
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
