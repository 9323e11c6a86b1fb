#!/usr/bin/env python3
"""Real processes found a cluster while they are killed (kill -9) and started again; then one more joins, and one starts alone.

tests/cluster/assemble.py ASSEMBLE [--rounds N] [--seed N]

Each round: three to five servers with fresh folders, started within three seconds of each other, each with some of the addresses; for some
seconds random ones are killed and started again. In the end all are up and in one cluster, whatever anybody ever printed is the same
cluster, and everybody sees everybody.
"""
import argparse
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 60


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Server:
    def __init__(self, program, folder, port, endpoints):
        folder.mkdir()
        self.command = [program, "--directory", str(folder), "--listen", f"127.0.0.1:{port}", "--endpoints", ",".join(endpoints)]
        self.said = folder.with_suffix(".out")
        self.log = folder.with_suffix(".log")
        self.process = None

    def start(self):
        with self.said.open("a") as out, self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=log)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def lines(self, word):
        return [line.split() for line in self.said.read_text().splitlines() if line.startswith(word)] if self.said.exists() else []

    def formed(self):
        return self.lines("formed")

    def sees(self):
        seen = self.lines("servers")
        return int(seen[-1][1]) if seen else 0

    def check_alive(self):
        assert self.process.poll() is None, f"{self.command}: ended: {self.log.read_text()[-2000:]}"


def wait_until(what, condition, servers):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        for s in servers:
            s.check_alive()
        if time.monotonic() > end:
            logs = "\n".join(f"== {s.command[4:]}\n{s.log.read_text()[-1500:]}" for s in servers)
            raise AssertionError(f"not within {TIMEOUT_S} s: {what}\n{logs}")
        time.sleep(0.02)


def trouble(rng, servers, seconds):
    """Kills and starts; some have not been started at all yet. Returns how many were killed."""
    due = {s: time.monotonic() + rng.uniform(0, 3) for s in servers}
    end, kills = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for s in servers:
            if s.process is None and time.monotonic() >= due[s]:
                s.start()
        if rng.random() < 0.06:
            victim = rng.choice(servers)
            kills += victim.process is not None
            victim.kill()
            due[victim] = time.monotonic() + rng.uniform(0, 1.5)
        time.sleep(0.02)
    for s in servers:
        if s.process is None:
            s.start()
    return kills


def one_cluster(servers):
    clusters = {line[1] for s in servers for line in s.formed()}
    assert len(clusters) == 1, f"clusters: {clusters}"
    return clusters.pop()


def play(program, folder, seed):
    rng = random.Random(seed)
    count = rng.choice([3, 4, 5])
    ports = free_ports(count + 1)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    servers = []
    for n in range(count):
        known = [addresses[rng.randrange(n)]] if n > 0 else [addresses[0]]
        servers.append(Server(program, folder / f"server{n}", ports[n], sorted({*known, *rng.sample(addresses[:count], rng.randrange(count))})))
    late = Server(program, folder / "late", ports[-1], [addresses[rng.randrange(count)]])
    try:
        kills = trouble(rng, servers, rng.uniform(1, 8))
        wait_until("all are in a cluster", lambda: all(s.formed() for s in servers), servers)
        cluster = one_cluster(servers)
        late.start()
        wait_until("the late one is in it and all see all", lambda: late.formed() and all(s.sees() == count + 1 for s in [*servers, late]), [*servers, late])
        assert late.formed()[0][1] == cluster and late.formed()[0][3] == "joined"
        numbers = {line[2] for s in [*servers, late] for line in s.formed()[-1:]}
        assert len(numbers) == count + 1, "two servers have one number"
        for s in [*servers, late]:
            s.kill()
        before = len(servers[-1].formed())
        servers[-1].start()
        wait_until("one alone knows its cluster", lambda: len(servers[-1].formed()) > before, servers[-1:])
        assert servers[-1].formed()[-1][1] == cluster
        return count, kills
    finally:
        for s in [*servers, late]:
            s.kill()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("program")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=1)
    a = arguments.parse_args()
    for seed in range(a.seed, a.seed + a.rounds):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="quiver-assemble-"))
        begin = time.monotonic()
        try:
            count, kills = play(a.program, folder, seed)
        except AssertionError as why:
            sys.exit(f"seed {seed}: {why}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"seed {seed}: {count} servers, {kills} kills, one cluster; {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
