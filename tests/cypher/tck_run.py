#!/usr/bin/env python3
"""Run the openCypher TCK on the engine in one process, without a server: what a change breaks shows in half a minute.

usage: tck_run.py CYPHER_RUN [TCK_DIR] [-e] [-w] [-i] [word ...]

TCK_DIR (or the variable of that name) holds features/ and graphs/. With words only scenarios whose file or name holds one of them are
run. -e puts barriers after every write; -w makes every page cold, so that everything that can wait does; -i lets runs give up
their thread every few batches. Scenarios with procedures are skipped. Prints each failure and counts; exit code 77 without TCK_DIR.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tck_check  # noqa: E402
from tck_value import parse, same_row  # noqa: E402

# detail of an error of the TCK -> what the name of ours may be; everything else only has to fail
KINDS = {
    "SyntaxError": {"SYNTAX"}, "ParameterMissing": {"PARAMETER_MISSING"}, "ConstraintVerificationFailed": {"CONSTRAINT"},
    "EntityNotFound": {"ENTITY_NOT_FOUND"}, "ProcedureError": {"PROCEDURE_NOT_FOUND"},
}
EFFECTS = {
    "+nodes": ("nodes_created",), "-nodes": ("nodes_deleted",), "+relationships": ("relationships_created",),
    "-relationships": ("relationships_deleted",),
}


def cells(line):
    return [c.replace("\\\\", "\\") for c in tck_check.cells(line)]


class Scenario:
    def __init__(self, path, name):
        self.path, self.name, self.steps, self.examples = path, name, [], []


def read_feature(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    background, found, current, at, examples = [], [], None, 0, False
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if re.match(r"(Scenario|Scenario Outline|Background):", line):
            examples = False
            current = Scenario(path, line.split(":", 1)[1].strip())
            if line.startswith("Background"):
                current.steps = background
            else:
                found.append(current)
        elif line.startswith("Examples:"):
            examples = True
            current.examples.append([])
        elif line.startswith("|") and examples:
            current.examples[-1].append(cells(line))
        elif line.startswith("|") and current:
            current.steps[-1][2].append(cells(line))
        elif line.startswith('"""') and current:
            indent = len(lines[at - 1]) - len(lines[at - 1].lstrip())
            end = at
            while not lines[end].strip().startswith('"""'):
                end += 1
            current.steps[-1][1] = "\n".join(l[indent:] for l in lines[at:end])
            at = end + 1
        elif current and re.match(r"(Given|When|Then|And|But) ", line):
            current.steps.append([line.split(" ", 1)[1], None, []])
    for s in found:
        s.steps = background + s.steps
    return found


def instances(scenario):
    if not scenario.examples:
        yield scenario.steps
    for table in scenario.examples:
        for row in table[1:]:
            def fill(text):
                for name, value in zip(table[0], row):
                    text = text.replace("<" + name + ">", value)
                return text
            yield [[fill(t), fill(d) if d else d, [[fill(c) for c in r] for r in rows]] for t, d, rows in scenario.steps]


class Engine:
    def __init__(self, tool, options):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for option in options:
            self.send(option)

    def send(self, record):
        self.process.stdin.write(record.encode() + b"\0")
        self.process.stdin.flush()

    def ask(self, query):
        self.send("Q" + query)
        data = bytearray()
        while not data.endswith(b"\0"):
            byte = self.process.stdout.read1(1 << 16)
            if not byte:
                raise EOFError
            data += byte
        return Answer(data[:-1].decode())


class Answer:
    def __init__(self, text):
        lines = text.rstrip("\n").split("\n")
        self.error = None if lines[0] == "ok" else lines[0].split("\t")[1:]
        self.columns, self.rows, self.stats = [], [], {}
        for line in lines[1:]:
            parts = line.split("\t")
            if parts[0] == "columns":
                self.columns = parts[1:]
            elif parts[0] == "row":
                self.rows.append(parts[1:])
            elif parts[0] == "stats":
                self.stats = {k: int(v) for k, v in (p.split("=") for p in parts[1:])}


def compare_rows(answer, table, ordered, loose):
    if not table:
        return f"rows where none were wanted: {answer.rows[:3]}" if answer.rows else None
    if sorted(answer.columns) != sorted(re.sub(r"\\(.)", r"\1", c) for c in table[0]) and sorted(answer.columns) != sorted(table[0]):
        return f"columns {answer.columns}, wanted {table[0]}"
    order = [answer.columns.index(c) if c in answer.columns else i for i, c in enumerate(table[0])]
    got = [[parse(r[i]) for i in order] for r in answer.rows]
    wanted = [[parse(c) for c in r] for r in table[1:]]
    if len(got) != len(wanted):
        return f"{len(got)} rows, wanted {len(wanted)}: {answer.rows[:4]}"
    if ordered:
        ok = all(same_row(g, w, loose) for g, w in zip(got, wanted))
    else:
        left, ok = list(got), True
        for w in wanted:
            hit = next((g for g in left if same_row(g, w, loose)), None)
            ok = ok and hit is not None
            if hit is not None:
                left.remove(hit)
    return None if ok else f"rows {answer.rows[:6]}, wanted {table[1:7]}"


def compare_effects(answer, table):
    wanted = {r[0]: int(r[1]) for r in table}
    for effect, names in EFFECTS.items():
        got = sum(answer.stats.get(n, 0) for n in names)
        if got != wanted.get(effect, 0):
            return f"{effect} {got}, wanted {wanted.get(effect, 0)}"
    return None


def run(engine, steps, graphs):
    """The first complaint about a scenario, or None."""
    engine.send("R")
    engine.send("P{}")
    answer = None
    for text, doc, table in steps:
        if text.startswith("the ") and text.endswith(" graph"):
            name = text.split()[1]
            answer = engine.ask((graphs / name / f"{name}.cypher").read_text())
            if answer.error:
                return f"the graph {name}: {answer.error}"
        elif text.startswith("having executed"):
            done = engine.ask(doc)
            if done.error:
                return f"{' '.join(doc.split())}: {done.error}"
        elif text.startswith("parameters are"):
            engine.send("P{" + ", ".join(f"`{k}`: {v}" for k, v in table) + "}")
        elif text.startswith("executing"):
            answer = engine.ask(doc)
        elif text.startswith("there exists a procedure"):
            return "skip"
        elif "should be raised" in text:
            kind = text.split()[1]
            if answer.error is None:
                return f"no error, wanted {text}: {answer.rows[:3]}"
            if kind in KINDS and "compile" in text and answer.error[0] not in KINDS[kind]:
                return f"{answer.error}, wanted {text}"
            if answer.error[0] in ("INTERNAL", "UNSUPPORTED"):
                return f"{answer.error}, wanted {text}"
        elif text.startswith("the result should be"):
            if answer.error:
                return f"{answer.error}"
            complaint = compare_rows(answer, table, "in order" in text, "ignoring element order" in text)
            if complaint:
                return complaint
        elif text.startswith("the side effects should be") or text == "no side effects":
            complaint = None if answer.error else compare_effects(answer, table)
            if complaint:
                return complaint
    return None


def main():
    arguments = [a for a in sys.argv[1:] if a not in ("-e", "-w", "-i")]
    options = [o for flag, o in (("-e", "E"), ("-w", "W"), ("-i", "I")) if flag in sys.argv]
    tck = arguments[1] if len(arguments) > 1 else os.environ.get("TCK_DIR")
    if not tck:
        print("skipped: TCK_DIR is not set")
        return 77
    words, root = arguments[2:], pathlib.Path(tck)
    engine = Engine(arguments[0], options)
    counts, by_file = collections.Counter(), collections.Counter()
    for path in sorted((root / "features").rglob("*.feature")):
        for scenario in read_feature(path):
            if words and not any(w in path.name or w in scenario.name for w in words):
                continue
            for steps in instances(scenario):
                try:
                    complaint = run(engine, steps, root / "graphs")
                except EOFError:
                    complaint, engine = "THE ENGINE DIED", Engine(arguments[0], options)
                counts["instances"] += 1
                counts["skipped" if complaint == "skip" else "failed" if complaint else "passed"] += 1
                if complaint and complaint != "skip":
                    by_file[path.parent.name] += 1
                    query = next((" ".join(d.split()) for t, d, _ in steps if t.startswith("executing")), "")
                    print(f"{path.name} {scenario.name}\n    {query[:300]}\n    {complaint[:500]}")
    print(", ".join(f"{k} {v}" for k, v in by_file.most_common()))
    print(f"{counts['instances']} instances: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
