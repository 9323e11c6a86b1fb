#!/usr/bin/env python3
"""Power cuts under writes: of what the server had not synced some sectors survive and others do not; what it had acknowledged does.

    tests/crash/power.py SIM_SERVER [--cuts N] [--seed N] [--large] [--ledger FILE]

The real server - sockets, sessions, threads, databases - runs on a simulated disk (tests/sim/sim_server.c). Cut n plays seed + n, which decides at
which operation power goes (between a write and its sync, within the sync, among the names of files, while recovering) and which of the
512-byte sectors survive that were not synced; the moment at which clients are then is up to the threads. The process dies at once, the
next one starts from what survived, and eight clients' acknowledged transactions (workload.py) are compared with what it finds. --large: some
of them are larger than a batch of the log.
"""
import argparse
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import ledger  # noqa: E402
import workload  # noqa: E402
from sim import PowerIsGone, SimServer  # noqa: E402

SETTINGS = {"db.checkpoint.interval.volume": "128k", "db.tx_log.rotation.size": "256k"}
LIFE_S = 20  # a life in which the chosen operation does not come by is ended by force
EVERYTHING_EVERY = 25


def choose_cut(rng):
    """Where power goes. Superblocks and new segments are rare among all changes, so some cuts are aimed at them."""
    return rng.choices([f"cut change * {rng.randrange(400)}", f"cut change * {rng.randrange(40)}", f"cut sync store.pages {rng.randrange(8)}",
                        f"cut write store.pages {rng.randrange(80)}", f"cut sync store.log {rng.randrange(60)}", f"cut other * {rng.randrange(12)}"],
                       [30, 15, 20, 10, 15, 10])[0]


class Play:
    """One disk through all its cuts."""

    def __init__(self, server, large_every=0):
        self.server, self.large_every = server, large_every
        self.committed = [0] * workload.CLIENTS
        self.prepared = False
        self.writers = None  # of the last life, not compared yet
        self.acknowledged = self.in_doubt = self.cut_while_starting = self.verified = 0

    def compare(self, everything):
        """Problems with what is there; PowerIsGone if it cannot be looked at to the end."""
        try:
            if not self.prepared:
                workload.prepare(self.server.bolt_port)
                self.prepared = True
            found, problems = workload.verify(self.server.bolt_port, self.committed, self.writers, everything)
        except OSError:
            if self.server.is_gone(10):
                raise PowerIsGone() from None
            raise
        if self.writers is not None:
            self.acknowledged += sum(self.writers.acknowledged) - sum(self.committed)
            self.in_doubt += sum(found) - sum(self.writers.acknowledged)
        self.committed, self.writers = found, None
        self.verified += 1
        return problems

    def life(self, seed, everything):
        """From power to power cut. Problems of what the last one left."""
        problems = []
        try:
            self.server.power_on(seed, choose_cut(random.Random(seed)))
            problems = self.compare(everything)
            if problems:
                return problems
            self.writers = workload.Writers(self.server.bolt_port, seed, self.committed, large_every=self.large_every).start()
            if not self.server.is_gone(LIFE_S):
                self.server.cut_now()
            self.writers.join()
            problems = [f"client {client} was answered {code}: {message}" for client, code, message in self.writers.failures]
        except PowerIsGone:
            self.cut_while_starting += 1
        except RuntimeError as why:
            problems.append(f"it does not start from what survived: {str(why)[-600:]}")
        return problems

    def end(self):
        """The last life, in which nothing happens but a comparison and an orderly stop; and what that left."""
        self.server.power_on(0)
        problems = self.compare(True)
        code = self.server.stop()
        self.server.power_on(0)
        return problems + self.compare(True) + ([f"stopped with {code}"] if code != 0 else [])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("binary")
    arguments.add_argument("--cuts", type=int, default=15)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--large", action="store_true")
    arguments.add_argument("--ledger", type=pathlib.Path)
    a = arguments.parse_args()
    first = a.seed or (ledger.next_seed(a.ledger) if a.ledger else 1)
    begun, n, problems = time.monotonic(), 0, []
    with SimServer(a.binary, settings=SETTINGS) as server:
        play = Play(server, large_every=3 if a.large else 0)
        while n < a.cuts and not problems:
            n += 1
            problems = play.life(first + n - 1, everything=n % EVERYTHING_EVERY == 0)
            if n % EVERYTHING_EVERY == 0 or n == a.cuts:
                print(f"{n} of {a.cuts} power cuts, {play.cut_while_starting} of them before it could be asked: {play.acknowledged} acknowledged "
                      f"transactions, all there once and whole; {play.in_doubt} more that were under way; {time.monotonic() - begun:.0f} s", flush=True)
        problems = problems or play.end()
        if problems:
            server.own_home = False
            print(f"cut {n}, seed {first + n - 1}, after {play.acknowledged} acknowledged transactions:", *problems[:20], sep="\n  ")
            print(f"the disk before the last life is in {server.home}; this seed is played again with --seed {first + n - 1}")
    if a.ledger:
        ledger.enter(a.ledger, first=first, next=first + n, cuts=n, while_starting=play.cut_while_starting, commit=ledger.commit(),
                     acknowledged=play.acknowledged, result="failed" if problems else "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
