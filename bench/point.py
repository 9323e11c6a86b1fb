"""One row by a random key: Quiver beside PostgreSQL, client for client, in one run."""
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import subprocess

from lib.bolt import Bolt
from lib.quiver import Server
from measure import HERE, SECONDS, compile_tool, cpu_s, syncs_of, words_of
from postgres import Postgres, find

KINDS, CONNECTIONS, PIPELINED, COMPARED = ("lookup", "update", "create"), (1, 64), 16, 1000
BUILD_OPTIONS = ("buildtype", "optimization", "b_ndebug", "b_sanitize", "mutants")
NEW_KEYS = 10**7  # room for the new keys of one run


class Quiver:
    name = "Quiver"

    def __init__(self, build):
        self.build, self.server = build, Server(f"{build}/quiver", auth=False)

    def __enter__(self):
        self.server.start()
        self.pid, self.port, self.client = self.server.process.pid, self.server.bolt_port, compile_tool("bolt_client")
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)

    def load(self, data):
        subprocess.run(["node", str(HERE / "load.mjs"), self.server.uri, str(data), "persons"], check=True)

    def ask(self, text, **parameters):
        with Bolt(self.port) as bolt:
            return bolt.run(text, parameters).rows

    def settings(self):
        options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", self.build], stdout=subprocess.PIPE, text=True, check=True).stdout)
        threads = [(path / "comm").read_text().strip() for path in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]
        return {
            "version": " ".join(*self.ask("CALL dbms.components() YIELD name, versions RETURN name + ' ' + versions[0]")),
            "durability": "the log is synced before SUCCESS; no setting turns that off",
            "memory": re.search(r"Memory: (.*)\.", self.log()).group(1),
            "threads": ", ".join(f"{n} {name}" for name, n in sorted(collections.Counter(re.sub(r"[ -]?\d+$", "", t) for t in threads).items())),
            "build": ", ".join(f"{option['name']}={option['value']}" for option in options if option["name"] in BUILD_OPTIONS),
        }

    def log(self):
        return (self.server.home / "logs/neo4j.log").read_text()

    def persons(self, ids):
        rows = self.ask("UNWIND $ids AS id MATCH (p:Person {id: id}) RETURN p.id, p.name, p.age, p.city ORDER BY p.id", ids=ids)
        return ["|".join(map(str, row)) for row in rows]

    def totals(self):
        """(persons, sum of their ages)"""
        return tuple(self.ask("MATCH (p:Person) RETURN count(*), sum(p.age)")[0])

    def rest(self):
        """Nothing: its threads stay."""

    def counted_syncs(self):
        """It tells its own count when it stops."""

    def tell_pipelined(self, keys):
        operations, _, cpu = words_of([self.client, str(self.port), "lookup", "1", str(SECONDS), str(keys), "0", str(PIPELINED), str(self.pid)])
        print(f"lookup, 1 conn. with {PIPELINED} outstanding, Quiver alone: {int(operations) / max(float(cpu), 0.01):.0f} a second of CPU")

    def tell_syncs(self):
        self.server.stop()
        told = re.search(r"\[neo4j\] Log: (.*? syncs)", self.log()).group(1)
        print(f"Quiver's own count of all these runs and the load: {told}")


Figure = collections.namedtuple("Figure", "operations wall_s cpu_s syncs")


class Workload:
    """Runs clients against one side and keeps account of what was acknowledged."""

    def __init__(self, side, keys):
        self.side, self.keys, self.runs = side, keys, 0
        self.persons, self.ages = side.totals()

    def run(self, kind, connections):
        self.runs += 1
        command = [self.side.client, str(self.side.port), kind, str(connections), str(SECONDS), str(self.keys), str(10**9 + self.runs * NEW_KEYS)]
        operations, wall = words_of(command)
        self.persons += int(operations) if kind == "create" else 0
        self.ages += int(operations) * {"lookup": 0, "update": 1, "create": 30}[kind]
        self.side.rest()
        return int(operations), float(wall)

    def measure(self, kind, connections):
        syncs = self.side.counted_syncs()
        self.side.rest()
        cpu = cpu_s(self.side.pid)
        operations, wall = self.run(kind, connections)
        spent = max(cpu_s(self.side.pid) - cpu, 0.01)
        return Figure(operations, wall, spent, None if syncs is None else self.side.counted_syncs() - syncs)

    def check(self):
        """Every acknowledged operation is there, and no other."""
        if self.side.totals() != (self.persons, self.ages):
            raise RuntimeError(f"{self.side.name} has {self.side.totals()} persons and years, but {self.persons, self.ages} were acknowledged")


def compare(sides, keys):
    ids = sorted(random.Random(7).sample(range(keys), COMPARED))
    answers = [side.persons(ids) for side in sides]
    for side, got in zip(sides, answers):
        if len(got) != COMPARED or got != answers[0]:
            raise RuntimeError(f"{side.name} answers otherwise than {sides[0].name}: {sorted(set(got) ^ set(answers[0]))[:2]}, {len(got)} of {COMPARED}")
    print(f"{COMPARED} persons by id: the same answers from {' and '.join(side.name for side in sides)}")


def tell_settings(sides):
    for side in sides:
        print(f"\n{side.name}")
        for name, value in side.settings().items():
            print(f"  {name:20}{value}")
    print(f"\nmachine: {os.cpu_count()} processors, load average {' '.join(f'{n:.1f}' for n in os.getloadavg())}")


def tell_figures(figures):
    """figures[kind, connections] is a list with one of each side, Quiver's first."""
    print(f"\n{'':22}{'Quiver':>30}{'PostgreSQL':>34}{'ratio':>12}")
    print(f"{'':22}{'ops/s':>12}{'ops/s of CPU':>18}{'ops/s':>12}{'ops/s of CPU':>14}{'syncs':>8}{'of CPU':>12}")
    for (kind, connections), (ours, *theirs) in figures.items():
        line = f"{kind}, {connections} conn.".ljust(22) + f"{ours.operations / ours.wall_s:12.0f}{ours.operations / ours.cpu_s:18.0f}"
        for f in theirs:
            line += f"{f.operations / f.wall_s:12.0f}{f.operations / f.cpu_s:14.0f}{f.syncs:8}{ours.operations / ours.cpu_s / (f.operations / f.cpu_s):12.2f}"
        print(line)


def tell_syncs(workloads):
    """In runs of their own: strace slows them down."""
    print(f"\nsyncs {'':16}{'':12}{'commits':>10}{'by strace':>12}{'by itself':>12}{'commits a sync':>16}")
    for kind in KINDS[1:]:
        for connections in CONNECTIONS:
            for workload in workloads:
                calls, figure = syncs_of(workload.side.pid, lambda: workload.measure(kind, connections))  # noqa: B023 - called at once
                a_sync = "" if not calls else f"{figure.operations / calls:.2f}"
                print(f"{kind}, {connections} conn.".ljust(22) + f"{workload.side.name:12}{figure.operations:10}{calls if calls is not None else '-':>12}"
                      f"{figure.syncs if figure.syncs is not None else '-':>12}{a_sync:>16}")


def point(build, data, keys):
    with contextlib.ExitStack() as stack:
        quiver = stack.enter_context(Quiver(build))
        sides = [quiver]
        if find() is not None and os.geteuid() == 0:
            sides.append(stack.enter_context(Postgres(find())))
        else:
            print("PostgreSQL is not installed here (or this is not root): its columns are empty")
        for side in sides:
            side.load(data)
        compare(sides, keys)
        tell_settings(sides)
        workloads = [Workload(side, keys) for side in sides]
        tell_figures({(kind, n): [workload.measure(kind, n) for workload in workloads] for kind in KINDS for n in CONNECTIONS})
        quiver.tell_pipelined(keys)
        tell_syncs(workloads)
        for workload in workloads:
            workload.check()
        quiver.tell_syncs()
