#!/usr/bin/env python3
"""kill -9 under writes, again and again: nothing acknowledged is lost, nothing is there by halves, nothing twice.

    tests/crash/kill.py BINARY [--rounds N] [--seed N] [--ledger FILE]

Round n plays seed + n: eight clients write explicit transactions (workload.py), the server is killed at a moment that the seed says, in
some rounds once more while it recovers, and what the next one finds is compared with what was acknowledged. The store is the same
for all rounds of a run; checkpoints and rotations of the log come every few rounds. With --ledger the seeds go on where the last line ended.
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
from lib.quiver import Server  # noqa: E402

SETTINGS = {"db.checkpoint.interval.volume": "256k", "db.tx_log.rotation.size": "512k"}
EVERYTHING_EVERY = 25  # rounds, after which every transaction is read and not only those of the round


def play(server, committed, seed, everything):
    """One round. (what is committed now, writers, problems)"""
    rng = random.Random(seed)
    writers = workload.Writers(server.bolt_port, seed, committed).start()
    answered = writers.first.wait(30)
    time.sleep(rng.uniform(0, 0.25))
    server.kill()
    writers.join()
    problems = [f"client {client} was answered {code}: {message}" for client, code, message in writers.failures]
    if not answered or writers.acknowledged == committed:
        problems.append("nobody's transaction was acknowledged: the round shows nothing")
    while rng.random() < 0.2:
        server.spawn()
        time.sleep(rng.uniform(0, 0.03))
        server.kill()
    try:
        server.start()
    except RuntimeError as why:
        server.process = None  # its exit code is no news
        return committed, writers, [*problems, f"it does not start again: {str(why)[-600:]}"]
    found, more = workload.verify(server.bolt_port, committed, writers, everything)
    return found, writers, problems + more


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("binary")
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--ledger", type=pathlib.Path)
    a = arguments.parse_args()
    commit = ledger.commit()  # of now: a run takes long
    first = a.seed or (ledger.next_seed(a.ledger) if a.ledger else 1)
    committed, acknowledged, in_doubt, good = [0] * workload.CLIENTS, 0, 0, True
    begun = time.monotonic()
    n = 0
    with Server(a.binary, auth=False, settings=SETTINGS) as server:
        workload.prepare(server.bolt_port)
        while n < a.rounds and good:
            n += 1
            everything = n % EVERYTHING_EVERY == 0 or n == a.rounds
            found, writers, problems = play(server, committed, first + n - 1, everything)
            acknowledged += sum(writers.acknowledged) - sum(committed)
            in_doubt += sum(found) - sum(writers.acknowledged)
            committed = found
            if problems:
                good = server.own_home = False
                print(f"seed {first + n - 1}, round {n}:", *problems[:20], sep="\n  ")
                print(f"the data is in {server.home}")
            elif everything:
                print(f"{n} of {a.rounds} kills: {acknowledged} acknowledged transactions, all there once and whole; {in_doubt} more that were "
                      f"under way; {time.monotonic() - begun:.0f} s", flush=True)
    if a.ledger:
        ledger.enter(a.ledger, first=first, next=first + n, rounds=n, commit=commit, acknowledged=acknowledged, result="ok" if good else "failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
