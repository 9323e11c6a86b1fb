#!/usr/bin/env python3
"""Loads the graph of Debian's packages as examples/debian says and holds its answers against a computation of its own.

tests/debian/check.py BINARY [PACKAGES]     PACKAGES: only the first so many, for slow builds

The packages differ from day to day, so nothing is expected literally: this file reads the same dump with a reader of its own
(regular expressions instead of the example's parser) and computes each answer with plain sets.
"""
import collections
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples/debian"
sys.path.insert(0, str(HERE.parent))
from lib.quiver import Server, npm_install  # noqa: E402

NAME = re.compile(r"\s*([a-z0-9][a-z0-9+.\-]*)")


def read(path):
    """name -> {field: value}; the first paragraph of a name counts."""
    packages = {}
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        fields = {m[1].lower(): m[2].strip() for m in re.finditer(r"^([A-Za-z0-9-]+):[ \t]*(.*(?:\n[ \t].*)*)", block, re.M)}
        if "package" in fields:
            packages.setdefault(fields["package"], fields)
    return packages


def groups(field):
    """[[name, ...], ...] of a relationship field."""
    split = [[NAME.match(part) for part in group.split("|")] for group in field.split(",")]
    return [[m[1] for m in group if m] for group in split if any(group)]


class Truth:
    """Answers by sets and breadth-first search, nothing shared with the example."""

    def __init__(self, packages):
        self.packages = packages
        self.depends = {name: [g for key in ("pre-depends", "depends") for g in groups(f.get(key, ""))] for name, f in packages.items()}
        self.out = {name: {t for g in gs for t in g} for name, gs in self.depends.items()}
        self.hard = {name: {g[0] for g in gs if len(g) == 1} for name, gs in self.depends.items()}
        self.into = collections.defaultdict(set)
        for name, targets in self.out.items():
            for target in targets:
                self.into[target].add(name)

    def size(self, name):
        text = self.packages[name].get("installed-size")
        return int(text) if text else None

    def reach(self, start, edges):
        """Everything at the end of one or more edges (start itself only when a cycle leads back)."""
        seen, frontier = set(), [start]
        while frontier:
            frontier = list({t for s in frontier for t in edges.get(s, ())} - seen)
            seen.update(frontier)
        return seen

    def distance(self, start, end):
        """Shortest number of DEPENDS relationships, over real and virtual packages alike."""
        frontier, seen, steps = {start}, {start}, 0
        while frontier:
            if end in frontier and steps > 0:
                return steps
            frontier = {t for s in frontier for t in self.out.get(s, ())} - seen
            seen |= frontier
            steps += 1
        return None

    def mutual(self):
        return sorted((a, b) for a in self.out for b in self.out[a] if a < b and b in self.out and a in self.out[b])

    def breaks(self, name):
        back = collections.defaultdict(set)
        for source, targets in self.hard.items():
            for target in targets:
                back[target].add(source)
        return self.reach(name, back)


def check(name, got, expected):
    if got != expected:
        print(f"not ok - {name}\n  answer   {json.dumps(got)[:400]}\n  expected {json.dumps(expected)[:400]}")
        return 1
    print(f"ok - {name}")
    return 0


def top(pairs, limit):
    return sorted(pairs, key=lambda p: (-p[1], p[0]))[:limit]


def compare(truth, ask):
    """Runs every question with arguments that fit today's packages; returns (passed, failed)."""
    p = truth.packages
    known = set(p)
    dependents = {n: len(truth.into[n]) for n in p if truth.into[n]}
    popular = [n for n, _ in top(dependents.items(), 400)]
    ssl = next((n for n in sorted(p) if n.startswith("libssl3")), popular[5])
    deep = max(itertools.islice(sorted(p), 0, None, max(1, len(p) // 30)), key=lambda n: len(truth.reach(n, truth.out)))
    sizes = sorted(((n, truth.size(n)) for n in p if ssl in truth.hard[n] and truth.size(n) is not None), key=lambda x: (-x[1], x[0]))
    sections = collections.Counter(f["section"] for f in p.values() if "section" in f)
    space = collections.Counter()
    for n, f in p.items():
        if "section" in f:
            space[f["section"]] += truth.size(n) or 0
    emails = collections.Counter((re.search(r"<([^>]*)>", f["maintainer"]) or ["", ""])[1] for f in p.values() if "maintainer" in f)
    virtual = collections.Counter(m[0] for f in p.values() for m in groups(f.get("provides", "")) if m[0] not in p)
    agent = top(virtual.items(), 1)[0][0]
    conflict = sorted({(n, c) for n, f in p.items() for g in groups(f.get("conflicts", "")) for c in g
                       if c in p and c in {t for r in groups(f.get("recommends", "")) for t in r}})
    pairs = truth.mutual()

    bad = 0
    bad += check("most-depended-upon", [[r["name"], r["dependents"]] for r in ask("most-depended-upon")], [list(x) for x in top(dependents.items(), 10)])
    for name in (ssl, popular[0], popular[50 % len(popular)], popular[-1]):
        bad += check(f"breaks {name}", ask("breaks", name=name), [{"packages": len(truth.breaks(name) & known)}])
    bad += check(f"breaks-first {ssl}", [[r["name"], r["installedKiB"]] for r in ask("breaks-first", name=ssl)
                                         if r["installedKiB"] is not None], [list(x) for x in sizes[:10]])
    for start, end in [(deep, popular[0]), (deep, popular[40 % len(popular)]), (popular[3], popular[0]), (popular[0], deep)]:
        found = ask("path", **{"from": start, "to": end})
        distance = truth.distance(start, end)
        bad += check(f"path {start} -> {end}", [r["length"] for r in found], [] if distance is None else [distance])
        for r in found:
            walk = all(b in truth.out.get(a, ()) for a, b in zip(r["names"], r["names"][1:]))
            bad += check(f"that path is one", [walk, r["names"][0], r["names"][-1]], [True, start, end])
    bad += check("mutual", [[r["one"], r["other"]] for r in ask("mutual")], [list(x) for x in pairs[:20]])
    bad += check("mutual-count", ask("mutual-count"), [{"pairs": len(pairs)}])
    for name in (deep, popular[1]):
        bad += check(f"needs {name}", ask("needs", name=name), [{"packages": len(truth.reach(name, truth.out) & known)}])
    bad += check(f"providers {agent}", [r["name"] for r in ask("providers", name=agent)],
                 sorted(n for n, f in p.items() if [agent] in [g[:1] for g in groups(f.get("provides", ""))]))
    bad += check("busiest-maintainers", [[r["email"], r["packages"]] for r in ask("busiest-maintainers")], [list(x) for x in top(emails.items(), 5)])
    bad += check("largest-sections", [[r["section"], r["packages"], r["installedKiB"]] for r in ask("largest-sections")],
                 [[s, sections[s], kib] for s, kib in top(space.items(), 5)])
    bad += check("without-dependents", ask("without-dependents"), [{"packages": sum(1 for n in p if not truth.into[n] & known)}])
    bad += check("conflicts", [[r["one"], r["other"]] for r in ask("conflicts")], [list(x) for x in conflict[:10]])
    return bad


def dump(folder, limit):
    """The machine's own packages, cut to `limit` of them."""
    path = pathlib.Path(folder) / "dumpavail"
    with open(path, "wb") as out:
        subprocess.run(["apt-cache", "dumpavail"], stdout=out, check=True)
    if limit:
        blocks = path.read_text(encoding="utf-8").split("\n\n")
        step = max(1, len(blocks) // limit)
        path.write_text("\n\n".join(blocks[::step][:limit]), encoding="utf-8")
    return path


def main():
    if not npm_install(EXAMPLE):
        print("npm is not there: the Debian example is not run")
        return 77
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        path = dump(folder, limit)
        packages = read(path)
        if not packages:
            print("apt-cache knows no packages here: the Debian example is not run")
            return 77
        with Server(sys.argv[1], auth=False) as server:
            env = {**os.environ, "NEO4J_URI": server.uri}
            subprocess.run(["node", str(EXAMPLE / "load.mjs"), "--file", str(path)], check=True, env=env)

            def ask(question, **arguments):
                words = [f"{key}={value}" for key, value in arguments.items()]
                out = subprocess.run(["node", str(EXAMPLE / "ask.mjs"), question, *words, "--json"], check=True, env=env, stdout=subprocess.PIPE)
                return json.loads(out.stdout)[question]

            failed = compare(Truth(packages), ask)
    print(f"{len(packages)} packages; {failed} answers differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
