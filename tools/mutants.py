#!/usr/bin/env python3
"""Switch off each safety rule of the store in turn and see the crash simulator catch it.

    tools/mutants.py [--crashes N] [--seed N] [--server] [NAME...]

One build, under build-mutants/, for every rule of the store in src/base/mutant.h (or those named). Prints how many crashes it took;
exits 1 if one survives, or if the store fails with all rules on. Those of consensus and its host are the business of
tools/cluster_mutants.py. --server: the judge is the real server on the disk that loses power (tests/crash/power.py), which is
quick to miss these rules: log_sync, page_sync.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-mutants"
TARGETS = {False: "tests/sim/sim_store", True: "tests/sim/sim_server"}
SERVER_NAMES = ["log_sync", "page_sync"]
SLOWER = 10  # than with all rules on, and it is taken to hang


def names():
    text = (ROOT / "src/base/mutant.h").read_text()
    of_store = ("log_", "page_", "superblock_", "checkpoint_", "replay_", "shrink_", "copy_")  # others: other tools, and scripts
    return [name for name in re.findall(r"^  X\((\w+),", text, re.M) if name.startswith(of_store)]


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def build(target):
    if not (BUILD / "build.ninja").exists():
        setup = run(["meson", "setup", str(BUILD), "-Dmutants=true", "-Dtests=enabled"])
        if setup.returncode != 0:
            sys.exit(setup.stdout)
    made = run(["ninja", "-C", str(BUILD), "-j", os.environ.get("JOBS", "2"), target])
    if made.returncode != 0:
        sys.exit(made.stdout)
    return BUILD / target


def server_verdict(server, name, seed, cuts):
    """(caught, text)"""
    done = run(["tests/crash/power.py", str(server), "--seed", str(seed), "--cuts", str(cuts)], env={**os.environ, "QUIVER_MUTANT": name})
    said = re.search(r"^cut (\d+), seed (\d+), .*?:\n(.*)\nthe disk before", done.stdout, re.M | re.S)
    if done.returncode == 0:
        return False, f"SURVIVED {cuts} power cuts"
    return (True, f"caught after {said[1]} power cuts (seed {said[2]}): {said[3].splitlines()[-1].strip()[:140]}") if said else (name == "", done.stdout[-1000:])


def verdict(simulator, name, seed, crashes, limit_s=None):
    """(caught, text). A rule that makes the store hang is caught too: `limit_s` is far more than these crashes take."""
    try:
        done = run([str(simulator), "--seed", str(seed), "--crashes", str(crashes)], timeout=limit_s, env={**os.environ, "QUIVER_MUTANT": name})
    except subprocess.TimeoutExpired:
        return True, f"caught: it had not ended after {limit_s:.0f} s"
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
    arguments.add_argument("--server", action="store_true")
    arguments.add_argument("names", nargs="*")
    a = arguments.parse_args()
    known = names()
    unknown = set(a.names) - set(known)
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    judge = build(TARGETS[a.server])
    survivors, limit_s = 0, None
    for name in ["", *(a.names or (SERVER_NAMES if a.server else known))]:
        if a.server:
            caught, text = server_verdict(judge, name, a.seed, 50 if name == "" else 500)
        elif name == "":
            begun, crashes = time.monotonic(), min(a.crashes, 1000)
            caught, text = verdict(judge, name, a.seed, crashes)
            limit_s = 60 + SLOWER * (time.monotonic() - begun) / crashes * a.crashes
        else:
            caught, text = verdict(judge, name, a.seed, a.crashes, limit_s)
        good = caught == (name != "")
        survivors += not good
        print(f"{'ok ' if good else 'BAD'} {name or '(none)':20} {text}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
