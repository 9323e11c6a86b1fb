"""The crowd of clients of one round when it is the official drivers: programs of tests/drivers, one of each, which stay for all rounds.

What a program tells of a transaction function is every time that the driver ran it: what certainly was not committed, what may have been, and
what was, so that the judges of our own clients (core_clients.py, register_readers.py) can have it.
"""
import collections
import json
import pathlib
import subprocess
import sys
import threading

from core_members import place
from linearizable import Op, linearizable
from list_append import Txn, check

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "drivers"))
import run  # noqa: E402

LISTS, REGISTERS = 12, 4
PREPARE = [f"UNWIND range(0, {LISTS - 1}) AS i MERGE (l:List {{key: $round + '-' + i}}) ON CREATE SET l.v = [], l.round = $round",
           f"UNWIND range(0, {REGISTERS - 1}) AS i MERGE (r:Register {{key: $round + '-' + i}}) ON CREATE SET r.v = 0, r.round = $round"]
VALUES = 10 ** 9  # of a program
RETRY_S = 30  # every driver's own, by default
# The last two attempts within it are 16 s apart, a fifth by chance: that both failed says something of the cluster only where it was well in between.
OUTAGE_S = 12
READY_S = 120
END_S = 90  # a function may try again for 30 s, and wait for its last answer
DRIVERS = {
    "js-1.7": lambda: run.node_commands("history", ["1.7.8"]),
    "js-6": lambda: run.node_commands("history", ["6.3.0"]),
    "python": lambda: run.python_commands("history"),
    "go": lambda: run.go_commands("history"),
    "java-1.7": lambda: run.java_commands("History", "java-1.7", ["java/Histories.java"]),
    "java": lambda: run.java_commands("History", "java", ["java/Histories.java"]),
}

# What a driver tells its user although its own rules would let it try again, or because nobody can know: (code, a part of its text).
OWN = [
    ("IncompleteCommit", ""),  # Python: the connection was lost behind COMMIT
    ("*errorutil.ConnectivityError", "Connection lost during commit"),  # Go: the same
    ("ProtocolError", "Connection was closed by server"),  # JavaScript 5 and later: it was lost while it logged in
    ("ProtocolError", "Failed to connect to server"),  # the same, where the other end is gone
]


def is_own(problem):
    return any(problem["code"] == code and text in problem["detail"] for code, text in OWN)


def outages(functions):
    """(begin, end) of every time of OUTAGE_S or more in which nothing was committed that wrote."""
    ends = sorted(f["end"] for f in functions if f["problem"] is None and any(op[0] in "aw" for op in f["attempts"][-1]["ops"]))
    return [(a, b) for a, b in zip(ends, ends[1:]) if b - a >= OUTAGE_S]


def fell_into(function, times):
    """Whether the driver gave up because its time was over, and that time had an outage which was longer than a fault's."""
    end, after_s = function["end"], function["problem"]["after_s"]
    return after_s >= RETRY_S and any(b > end - after_s and a < end for a, b in times)


class Program:
    """Of one driver."""

    def __init__(self, number, command, uri):
        self.name, self.functions, self.ready, self.ended = command[-1], [], threading.Event(), threading.Event()
        self.process = subprocess.Popen([*command, str((number + 1) * VALUES), uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "driver" in said:
                self.name = said["driver"]
                self.ready.set()
            if "kind" in said:
                self.functions.append(said)
            elif "ended" in said:
                self.ended.set()

    def tell(self, line):
        try:
            self.process.stdin.write(line + "\n")
        except BrokenPipeError:
            pass  # `silent` says so

    def begin(self, of):
        self.functions, self.prepared = [], of.prepared
        self.ended.clear()
        self.tell(f"begin {of.number} {LISTS} {REGISTERS} {of.prepared}")

    def silent(self):
        """What is wrong with the program itself, if it does not end its round."""
        if self.ended.wait(END_S):
            return None
        return f"{self.name} has not ended its functions within {END_S} s" if self.process.poll() is None else f"{self.name} ended with {self.process.returncode}"

    def close(self):
        self.process.kill()
        self.process.wait()

    def problems(self):
        return [f["problem"] for f in self.functions if f["problem"]]

    def attempts(self, kind):
        """(function, attempt, outcome) of every time that one was run."""
        for f in self.functions:
            for i, attempt in enumerate(f["attempts"] if f["kind"] == kind else ()):
                good = f["problem"] is None and i == len(f["attempts"]) - 1
                yield f, attempt, "ok" if good else "unknown" if attempt["whole"] else "failed"

    def transactions(self):
        for f, attempt, outcome in self.attempts("list"):
            good = outcome == "ok"
            yield Txn(attempt["begin"], f["end"] if good else attempt["end"], outcome, [tuple(op) for op in attempt["ops"]],
                      place(f["after"] or self.prepared), place(f["bookmark"]) if good else None)

    def operations(self):
        """(key, Op) of registers."""
        for f, attempt, outcome in self.attempts("register"):
            for kind, key, value in attempt["ops"]:
                if outcome == "ok":
                    yield key, Op(attempt["begin"], f["end"], kind, value)
                elif outcome == "unknown" and kind == "w":
                    yield key, Op(attempt["begin"], None, kind, value)


class Programs:
    """All that can be had; a driver that cannot be had here is left out, and said so."""

    def __init__(self, names, addresses):
        run.WORK.mkdir(parents=True, exist_ok=True)
        self.all = []
        for name in names or DRIVERS:
            try:
                commands = DRIVERS[name]()
            except subprocess.CalledProcessError as problem:  # no registry of packages is reached, say
                print(problem, flush=True)
                commands = []
            if not commands:
                print(f"the driver {name} cannot be had here and is left out", flush=True)
            for command in commands:
                host, port = addresses[len(self.all) % len(addresses)]
                self.all.append(Program(len(self.all), command, f"neo4j://{host}:{port}"))
        for program in self.all:  # some look for the cluster when they are made, once
            if not program.ready.wait(READY_S):
                self.close()
                raise RuntimeError(f"{program.name} was not ready within {READY_S} s")

    def some(self):
        return bool(self.all)

    def names(self):
        return ",".join(p.name.replace(" ", "-") for p in self.all)

    def close(self):
        for program in self.all:
            program.close()


class DriverLoad:
    """For the time of a `with`; then what core_load.Load tells."""

    def __init__(self, of, programs):
        self.of, self.programs, self.wrong = of, programs.all, []

    def __enter__(self):
        for program in self.programs:
            program.begin(self.of)
        return self

    def __exit__(self, *_):
        self.of.stop.set()
        for program in self.programs:
            program.tell("end")
        self.wrong = [silent for p in self.programs if (silent := p.silent())]

    def outcomes(self):
        return collections.Counter(outcome for p in self.programs for kind in ("list", "register") for _, _, outcome in p.attempts(kind))

    def total(self, what):
        if what == "unanswered":
            return sum(is_own(problem) for p in self.programs for problem in p.problems())
        return self.outcomes()[{"acknowledged": "ok", "unknown": "unknown", "refused": "failed"}[what]]

    def causes(self):
        return collections.Counter(f"{p.name}: {problem['code']}" for p in self.programs for problem in p.problems())

    def by_driver(self):
        return {p.name: sum(f["problem"] is None for f in p.functions) for p in self.programs}

    def judge(self, ask):
        """What is wrong; `ask(statement)` gives rows of the healed cluster."""
        yield from self.wrong
        times = outages([f for p in self.programs for f in p.functions])
        if times:
            print(f"nothing was written for {', '.join(f'{b - a:.0f} s' for a, b in times)}", flush=True)
        for program in self.programs:
            if not self.wrong and not any(f["problem"] is None for f in program.functions):
                yield f"{program.name} has done nothing"
            for f in program.functions:
                problem = f["problem"]
                if problem and not is_own(problem) and not fell_into(f, times):
                    yield f"{program.name}: a function failed after {problem['after_s']:.1f} s: {problem['code']}: {problem['detail'][:600]}"
        final = dict(ask("MATCH (l:List {round: $round}) RETURN l.key, l.v"))
        yield from check([txn for p in self.programs for txn in p.transactions()], final)
        histories = collections.defaultdict(list)
        for program in self.programs:
            for key, op in program.operations():
                histories[key].append(op)
        for key, history in histories.items():
            verdict = linearizable(history, initial=0)
            if verdict is not True:
                yield f"register {key}: {len(history)} operations {'are not linearizable' if verdict is False else 'are too many to tell'}: {sorted(history, key=lambda op: op.begin)}"
