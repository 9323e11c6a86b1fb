#!/usr/bin/env python3
"""kill -9 under writes, again and again: nothing acknowledged is lost, nothing is there by halves, nothing twice.

tests/crash/kill.py BINARY [ROUNDS] [SEED]
"""
import collections
import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.quiver import Server, npm_install  # noqa: E402

CLIENTS, PARTS = 8, 3


def write_until_killed(server, first, moment_s):
    """Starts the writers, kills the server after `moment_s` of writing; returns the acknowledged (client, seq)."""
    writer = subprocess.Popen(["node", str(HERE / "writer.mjs"), server.uri, str(CLIENTS), str(first)], stdout=subprocess.PIPE, text=True)
    begun = writer.stdout.readline()  # the first acknowledgement: writing is under way
    time.sleep(moment_s)
    server.kill()
    out, _ = writer.communicate(timeout=30)
    if writer.returncode != 0:
        raise RuntimeError(f"a writer failed with {writer.returncode}")
    return {tuple(map(int, line.split())) for line in (begun + out).splitlines() if line.count(" ") == 1}


def problems(server, acknowledged):
    """What recovery got wrong, as text lines."""
    out = subprocess.run(["node", str(HERE / "verify.mjs"), server.uri], stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
    seen, counters = collections.Counter(), {}
    for line in out.splitlines():
        kind, *numbers = line.split()
        numbers = [int(n) for n in numbers]
        if kind == "orphan":
            yield f"a part without its transaction: {numbers}"
        elif kind == "counter":
            counters[numbers[0]] = numbers[1]
        elif kind == "tx":
            client, seq, parts = numbers
            seen[client, seq] += 1
            if parts != PARTS:
                yield f"transaction {client} {seq} is there by halves: {parts} of {PARTS} parts"
    yield from (f"transaction {client} {seq} is there {n} times" for (client, seq), n in seen.items() if n != 1)
    yield from (f"transaction {client} {seq} was acknowledged and is lost" for client, seq in acknowledged - set(seen))
    for client in range(CLIENTS):
        committed = sum(1 for c, _ in seen if c == client)
        if counters.get(client, 0) != committed:
            yield f"client {client}: the counter says {counters.get(client)}, {committed} transactions are there"


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if not npm_install(HERE.parent):
        print("npm is not there: the crash rounds are not run")
        return 77
    rng = random.Random(seed)
    acknowledged = set()
    with Server(sys.argv[1], auth=False) as server:
        for n in range(rounds):
            acknowledged |= write_until_killed(server, n * 1_000_000, rng.uniform(0.01, 0.4))
            server.start()
            found = list(problems(server, acknowledged))
            if found:
                print(f"round {n}, seed {seed}:", *found[:20], sep="\n  ")
                print(f"the data is in {server.home}")
                server.own_home = False
                return 1
            if n % 10 == 9 or n == rounds - 1:
                print(f"{n + 1} of {rounds} kills: {len(acknowledged)} acknowledged transactions, all there once and whole", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
