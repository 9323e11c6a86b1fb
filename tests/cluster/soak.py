#!/usr/bin/env python3
"""A soak: three cores and a read replica, each on a host of its own, at 70 % of the load that they can carry, and a fault every 20 seconds.

tests/cluster/soak.py QUIVER [--minutes 60] [--percent 70] [--every 20] [--workers 32] [--seed N] [--keep] [--ledger FILE] [--folder DIR]

Clients in Go (soak_client/) read and write by routing tables; how much at most is measured first. The data that lives stays as much as it is. Faults:
a leader, follower or replica is killed (-9), stopped for a while, cut off, or restarted in order, which hands over the lead; packets are lost. So that
memory can be watched for long, some servers are spared of kills and restarts by turns, half of the time each.

Every 5 seconds memory, threads, descriptors and files of every server go to samples.csv in the folder. At the end: memory, threads and descriptors
of processes that lived long are flat once they are warm; files are bounded; after each fault all servers come to the leader's place within seconds, under load;
every counter has what was acknowledged, no more than was attempted, and the same on all servers; reads saw what their bookmarks promised. What was run before
it is interrupted is judged as well, so that runs add up in the ledger.
"""
import argparse
import collections
import json
import pathlib
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from core_faults import CoreFaults  # noqa: E402
from core_members import CoreMembers  # noqa: E402
from members import Hosts  # noqa: E402
from soak_samples import LONG_SAMPLES, WARM_S, Sampler, check_the_judge, descriptors_of, growth, long_lives, not_bounded, not_flat  # noqa: E402

KEYS, SLOTS = 4096, 3
SAMPLE_S = 5
MEASURE_S = 10
SETTINGS = {
    "db.checkpoint.interval.volume": "4m",
    "db.tx_log.rotation.size": "512k",
    "db.cluster.raft.log.prune_strategy": "4m size",
    "server.memory.pagecache.size": "32m",
}
KINDS = ["kill-leader", "kill-follower", "kill-replica", "stop-leader", "stop-follower", "stop-replica", "cut-leader", "cut-one-way", "cut-in-two",
         "cut-replica", "loss", "restart-leader", "restart-follower", "restart-replica"]


class SoakFaults(CoreFaults):
    """Those in `spared` are neither killed nor restarted."""

    spared = ()

    def unseat(self):
        """Until one leads that may be killed: the leader sleeps until another one leads."""
        for _ in range(10):
            leader = self.members.leader()
            if leader not in self.spared:
                return leader
            self.members.signal(leader, signal.SIGSTOP)
            time.sleep(2.5)
            self.members.signal(leader, signal.SIGCONT)
            time.sleep(0.5)
        raise TimeoutError("the leader comes back each time")

    def victim(self):
        leader = self.members.leader()
        return self.rng.choice([n for n in self.members.processes if n != leader and n not in self.spared] or [self.unseat()])

    def kill_leader(self):
        yield from self.kill([self.unseat()])

    def kill_follower(self):
        yield from self.kill([self.victim()])

    def restart_leader(self):
        yield from self.restart(self.unseat())

    def restart_follower(self):
        yield from self.restart(self.victim())

    def restart_replica(self):
        yield from self.restart(self.replica())

    def kinds(self):
        return [kind for kind in KINDS if not (kind in ("kill-replica", "restart-replica") and set(self.members.replicas) & set(self.spared))]


class Clients:
    """The process of all clients, and what it tells each second."""

    def __init__(self, program, counts, workers, addresses):
        self.totals, self.wrong, self.causes = collections.Counter(), [], collections.Counter()
        self.seconds, self.counts = queue.SimpleQueue(), counts
        self.process = subprocess.Popen([program, str(counts), str(workers), str(KEYS), str(SLOTS), *addresses], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, start_new_session=True)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            told = json.loads(line)
            self.wrong += told.pop("wrong", [])
            for cause in told.pop("causes", []):
                self.causes[cause[:100]] += 1
            self.seconds.put(told)
            for what in ("acknowledged", "unknown", "refused", "reads", "skipped"):
                self.totals[what] += told[what]

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def drain(self):
        """The seconds since it was asked last."""
        found = []
        while not self.seconds.empty():
            found.append(self.seconds.get())
        return found

    def measure(self, seconds):
        """Operations and writes a second, as fast as they go."""
        self.say("rate 0")
        time.sleep(seconds / 2)  # warm
        self.drain()
        time.sleep(seconds)
        told = self.drain()
        if not any(t["acknowledged"] for t in told):
            raise RuntimeError(f"nothing was written within {seconds} s: {[cause for t in told for cause in t.get('causes', [])][:3] or told or 'the clients tell nothing'}")
        return [sum(sum(t[w] for w in what) for t in told) / max(len(told), 1) for what in (("acknowledged", "reads"), ("acknowledged",))]

    def stop(self):
        """{key: (acknowledged, unknown)}"""
        self.say("stop")
        if self.process.wait(60) != 0:
            raise RuntimeError(f"the clients ended with {self.process.returncode}")
        self.thread.join(10)
        lines = (line.split() for line in self.counts.read_text().splitlines())
        return {int(key): (int(acknowledged), int(unknown)) for key, acknowledged, unknown in lines}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Sampling(threading.Thread):
    """Every SAMPLE_S seconds, of all that run."""

    def __init__(self, members, path):
        super().__init__(daemon=True)
        self.members, self.sampler, self.over = members, Sampler(path), threading.Event()
        self.begin, self.births = time.monotonic(), {}

    def run(self):
        while not self.over.wait(SAMPLE_S):
            self.take()

    def take(self):
        for n, server in sorted({**self.members.processes, **self.members.following}.items()):
            pid = server.process.pid
            now = time.monotonic()
            birth = self.births.setdefault(pid, now)
            self.sampler.take(now - self.begin, n, pid, now - birth, server.home)

    def end(self):
        self.over.set()
        self.join()


class Soak:
    def __init__(self, arguments, members, folder, program):
        self.arguments, self.members, self.folder, self.program = arguments, members, folder, program
        self.rng = random.Random(arguments.seed)
        self.faults = SoakFaults(members, self.rng)
        self.counts, self.wrong = collections.Counter(), []
        self.lag_max, self.catch_up_max_s, self.gap_max_s, self.rate, self.writes = 0, 0.0, 0.0, 0, 0

    # ---- faults and what follows ----

    def spare(self, part):
        """Of the time `part` has gone: the replica and a core first, then another core."""
        self.faults.spared = (self.members.cores[0], self.members.replicas[0]) if part < 0.5 else (self.members.cores[1],)

    def fault(self):
        kinds = self.faults.kinds()
        kind = min(self.rng.sample(kinds, len(kinds)), key=lambda k: self.counts[k])
        long = self.rng.random() < 0.2  # longer than a server may be silent
        for _ in getattr(self.faults, kind.replace("-", "_"))():
            time.sleep(self.rng.uniform(4, 6) if long else self.rng.uniform(0.3, 2.0))
        self.counts[kind] += 1
        return kind

    def places(self):
        """What readers of each server see; the leader is asked last, so that nobody looks nearer than it is."""
        leader = self.members.leader()
        return leader, {n: self.members.applied(n, "neo4j") for n in [*(n for n in self.members.servers if n != leader), leader]}

    def catch_up(self, timeout_s):
        """Until nobody is behind by more than half a second of writes: (seconds, the most that one is behind at the end)."""
        begin = time.monotonic()
        while True:
            leader, places = self.places()
            behind = None if None in places.values() else max(places[leader] - place for place in places.values())
            if behind is not None and behind <= max(self.writes / 2, 100):
                return time.monotonic() - begin, behind
            if time.monotonic() - begin > timeout_s:
                self.wrong.append(f"{timeout_s} s after a fault: server {leader} leads, and {places} are applied")
                return time.monotonic() - begin, behind or 0
            time.sleep(0.2)

    # ---- the run ----

    def prepare(self):
        self.members.start_all().leader()
        ask = lambda text, parameters=None: self.members.ask(self.members.leader(), text, parameters, timeout_s=60)  # noqa: E731
        ask("CREATE CONSTRAINT counter IF NOT EXISTS FOR (c:Counter) REQUIRE c.key IS UNIQUE")
        ask("UNWIND range(0, $keys - 1) AS key CREATE (c:Counter {key: key, n: 0, pad: ''}) WITH c UNWIND range(0, $slots - 1) AS slot "
            "CREATE (c)-[:HAS]->(:Event {slot: slot, text: ''})", {"keys": KEYS, "slots": SLOTS})
        self.catch_up(60)

    def run(self):
        self.prepare()
        idle = self.descriptors()
        clients = Clients(self.program, self.folder / "counts.txt", self.arguments.workers, [f"{h}:{p}" for h, p in self.members.addresses()])
        sampling = Sampling(self.members, self.folder / "samples.csv")
        try:
            most, most_writes = clients.measure(MEASURE_S)
            self.rate = max(int(most * self.arguments.percent / 100), 1)
            self.writes = most_writes * self.arguments.percent / 100
            print(f"at most {most:.0f} operations a second, {most_writes:.0f} of them writes; {self.rate} from now on; samples in {sampling.sampler.file.name}", flush=True)
            clients.say(f"rate {self.rate}")
            sampling.start()
            begin = time.monotonic()
            self.go_on(clients, begin)
            seconds = time.monotonic() - begin
            sampling.end()
            self.judge(clients, sampling.sampler.samples, idle)
            return self.told(clients, sampling.sampler.samples, seconds, most)
        finally:
            clients.kill()

    def go_on(self, clients, begin):
        seconds, number = self.arguments.minutes * 60, 0
        try:
            while time.monotonic() - begin < seconds:
                number += 1
                slot_end = min(begin + number * self.arguments.every, begin + seconds)
                self.slot(clients, begin, seconds)
                time.sleep(max(0, slot_end - time.monotonic()))
        except KeyboardInterrupt:
            print("interrupted: judged as far as it came", flush=True)
            self.members.network.heal()
            for n in self.members.servers:
                self.members.signal(n, signal.SIGCONT)
                self.members.start(n)

    def slot(self, clients, begin, seconds):
        gone = time.monotonic() - begin
        self.spare(gone / seconds)
        clients.drain()
        kind = self.fault()
        took, behind = self.catch_up(15)
        self.lag_max, self.catch_up_max_s = max(self.lag_max, behind), max(self.catch_up_max_s, took)
        self.wrong += [f"server {n} ended with {code} during {kind}" for n, code in self.members.dead()]
        if self.members.dead():
            raise RuntimeError(self.wrong[-1])
        self.say(clients, kind, gone, seconds, took)

    def say(self, clients, kind, gone, seconds, took):
        memory = {n: int(pathlib.Path(f"/proc/{s.process.pid}/statm").read_text().split()[1]) // 256
                  for n, s in sorted({**self.members.processes, **self.members.following}.items())}
        done = int(20 * gone / seconds)
        print(f"[{'#' * done}{'.' * (20 - done)}] {gone:.0f} s, {kind}, caught up after {took:.1f} s; {dict(clients.totals)}, {len(clients.wrong)} wrong; MiB {memory}", flush=True)

    # ---- judging ----

    def descriptors(self):
        return {n: descriptors_of(s.process.pid)["descriptors"] for n, s in {**self.members.processes, **self.members.following}.items()}

    def judge(self, clients, samples, idle):
        counts = clients.stop()
        self.wrong += clients.wrong[:20]
        self.members.wait_together()
        for n in self.members.servers:
            self.wrong += list(self.compare(n, counts))[:20]
        self.wrong += list(not_flat(samples, WARM_S, LONG_SAMPLES)) + list(not_bounded(samples, WARM_S, LONG_SAMPLES))
        self.judge_idle(idle)

    def compare(self, n, counts):
        """Of one server."""
        rows = self.members.ask(n, "MATCH (c:Counter) OPTIONAL MATCH (c)-[:HAS]->(e) RETURN c.key, c.n, count(e)", timeout_s=60).rows
        if len(rows) != KEYS:
            yield f"server {n} has {len(rows)} counters of {KEYS}"
        for key, counted, events in rows:
            acknowledged, unknown = counts.get(key, (0, 0))
            if not acknowledged <= counted <= acknowledged + unknown or events != SLOTS:
                yield f"server {n}, key {key}: {counted} with {events} events; {acknowledged} acknowledged, {unknown} unknown"

    def judge_idle(self, idle):
        """Without clients no descriptor stays."""
        deadline = time.monotonic() + 30
        while True:
            more = {n: now - idle[n] for n, now in self.descriptors().items() if now > idle[n] + 8}
            if not more:
                return
            if time.monotonic() > deadline:
                self.wrong.append(f"descriptors more than before the clients came: {more}")
                return
            time.sleep(0.5)

    def told(self, clients, samples, seconds, most):
        flat = "/".join(f"{server}:{growth(warm, 'rss_kib')[0] / 1024:.1f}>{growth(warm, 'rss_kib')[1] / 1024:.1f}in{warm[-1]['age_s'] - warm[0]['age_s']:.0f}s"
                        for (server, _), warm in long_lives(samples, WARM_S, LONG_SAMPLES))
        most_of = lambda what: max((s[what] for s in samples), default=0)  # noqa: E731
        return (f"seconds={seconds:.0f} most={most:.0f}/s rate={self.rate}/s faults={sum(self.counts.values())} acknowledged={clients.totals['acknowledged']} "
                f"reads={clients.totals['reads']} unknown={clients.totals['unknown']} refused={clients.totals['refused']} skipped={clients.totals['skipped']} "
                f"rss_mib={flat} rss_max_mib={most_of('rss_kib') / 1024:.0f} threads_max={most_of('threads')} descriptors_max={most_of('descriptors')} "
                f"files_max={most_of('files')} data_max_mib={most_of('data_kib') / 1024:.0f} log_max_mib={most_of('log_kib') / 1024:.0f} lag_max={self.lag_max} "
                f"catch_up_max_s={self.catch_up_max_s:.1f} " + " ".join(f"{kind}={n}" for kind, n in sorted(self.counts.items())))


def build_clients(folder):
    """None without Go."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        return None
    program = folder / "soak_client"
    subprocess.run([go, "build", "-o", program, "."], cwd=HERE / "soak_client", check=True)
    return program


def note(arguments, told, result):
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    with open(arguments.ledger, "a", encoding="utf-8") as f:
        f.write(f"soak commit={commit} seed={arguments.seed} {told} result={result}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("quiver")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--percent", type=int, default=70)
    parser.add_argument("--every", type=float, default=20, help="seconds between faults")
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="the folders")
    parser.add_argument("--folder", help="for samples.csv; otherwise a temporary one")
    parser.add_argument("--ledger")
    arguments = parser.parse_args()
    check_the_judge()
    folder = pathlib.Path(arguments.folder or tempfile.mkdtemp(prefix="quiver-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    program = build_clients(folder)
    if program is None or not Hosts.usable():
        print("Go, or network namespaces (root, ip and nft), are not to be had here")
        return 77
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    members = CoreMembers(arguments.quiver, 3, Hosts(4), settings=SETTINGS, replicas=1)
    soak, good = Soak(arguments, members, folder, program), False
    try:
        told = soak.run()
        good = not soak.wrong
        for line in soak.wrong:
            print(f"  {line}")
        print(told, flush=True)
        if arguments.ledger:
            note(arguments, told, "ok" if good else "; ".join(soak.wrong[:5]))
    finally:
        if not good:
            print(f"{members.said(8000)}\nfolders: {members.directory}, {folder}", flush=True)
        members.close(keep=arguments.keep or not good)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
