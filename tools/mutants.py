#!/usr/bin/env python3
"""Switch off each safety rule of the store in turn and see the crash simulator catch it.

    tools/mutants.py [--crashes N] [--seed N] [NAME...]

One build, under build-mutants/, for every rule of the store in src/base/mutant.h (or those named). Prints how many crashes it took;
exits 1 if one survives, or if the store fails with all rules on. The rules of consensus have directed tests of their own, which
every `meson test` runs (suite mutants).
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-mutants"
TARGET = "tests/sim/sim_store"


def names():
    text = (ROOT / "src/base/mutant.h").read_text()
    return [name for name in re.findall(r"^  X\((\w+),", text, re.M) if not name.startswith("raft_")]


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def build():
    if not (BUILD / "build.ninja").exists():
        setup = run(["meson", "setup", str(BUILD), "-Dmutants=true", "-Dtests=enabled"])
        if setup.returncode != 0:
            sys.exit(setup.stdout)
    made = run(["ninja", "-C", str(BUILD), "-j", os.environ.get("JOBS", "2"), TARGET])
    if made.returncode != 0:
        sys.exit(made.stdout)
    return BUILD / TARGET


def verdict(simulator, name, seed, crashes):
    """(caught, text)"""
    try:
        done = run([str(simulator), "--seed", str(seed), "--crashes", str(crashes)], timeout=900,
                   env={**os.environ, "QUIVER_MUTANT": name})
    except subprocess.TimeoutExpired:
        return True, "caught: it never ended"
    if done.returncode == 0:
        return False, f"SURVIVED {crashes} crashes"
    said = re.search(r"^FAILED seed (\d+) after .*?, (\d+) in all: (.*)$", done.stdout, re.M)
    if said:
        return True, f"caught after {said[2]} crashes (seed {said[1]}): {said[3][:100]}"
    last = re.search(r"(\d+) crashes", done.stdout)
    return True, f"caught by signal {-done.returncode} within {last[1] if last else 'the first'} crashes"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--crashes", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("names", nargs="*")
    a = arguments.parse_args()
    known = names()
    unknown = set(a.names) - set(known)
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    simulator = build()
    survivors = 0
    for name in ["", *(a.names or known)]:
        caught, text = verdict(simulator, name, a.seed, min(a.crashes, 1000) if name == "" else a.crashes)
        good = caught == (name != "")
        survivors += not good
        print(f"{'ok ' if good else 'BAD'} {name or '(none)':20} {text}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
