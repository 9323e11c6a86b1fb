#!/usr/bin/env python3
"""Switch off each safety rule of consensus, of its host and of frames in turn and see the cluster simulator catch it.

    tools/cluster_mutants.py [--seeds N] [NAME...]

The rules are those of src/base/mutant.h that begin with raft_, group_ or frame_, or those named. Each is hunted from several first seeds; the
median number of worlds is printed. What the simulator does not find in most of these runs must be caught by the rule's script (suite mutants
of `meson test`). Exits 1 if a rule survives, or if the simulator fails with all rules on.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SIMULATOR = "tests/sim/sim_raft_off"
SCRIPTS = ("src/consensus/test_guards_off", "src/consensus/test_update_off", "src/cluster/test_cluster_group_off",
           "src/cluster/test_cluster_group_copy_off")
FIRST_SEEDS = (1, 100001, 200001)
COMBINATIONS = (("fifo", "3"), ("wild", "5"), ("fifo", "5"), ("wild", "3"), ("fifo", "1"))
CHUNK = 25


def names():
    found = re.findall(r"^  X\((\w+),", (ROOT / "src/base/mutant.h").read_text(), re.M)
    return [name for name in found if name.startswith(("raft_", "group_", "frame_"))]


def run(command, name=""):
    env = {**os.environ, "QUIVER_MUTANT": name} if name else os.environ
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, check=False)


def must(command):
    done = run(command)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return done.stdout


def build():
    if not (BUILD / "build.ninja").exists():
        must(["meson", "setup", str(BUILD), "-Dtests=enabled"])
    must(["ninja", "-C", str(BUILD), "-j", os.environ.get("JOBS", "2"), SIMULATOR, *SCRIPTS])


def hunt(name, first, seeds):
    """How many worlds it took until one failed, in turns over the combinations, and what it said; (None, "") if none did."""
    for played in range(0, seeds, CHUNK):
        order, voters = COMBINATIONS[played // CHUNK % len(COMBINATIONS)]
        done = run([str(BUILD / SIMULATOR), "--order", order, "--voters", voters, "--seed", str(first + played),
                    "--count", str(min(CHUNK, seeds - played)), "--no-shrink"], name)
        said = re.search(r"^FAILED seed (\d+) after (\d+) seeds: (.*)$", done.stdout, re.M)
        if said:
            return played + max(int(said[2]), 1), f"{order} {voters}, seed {said[1]}: {said[3]}"
        if done.returncode != 0:
            sys.exit(done.stdout)
    return None, ""


def script_catches(name, scripts):
    """A rule's script without the rule is a test that must fail: that test passes. A rule without a script is no test."""
    return name in scripts and run(["meson", "test", "-C", str(BUILD), "--no-rebuild", "--suite", "mutants", name]).returncode == 0


def verdict(name, seeds, scripts):
    """(caught, text)"""
    found = [hunt(name, first, seeds) for first in FIRST_SEEDS]
    caught = [count for count, _ in found if count is not None]
    median = statistics.median(count if count is not None else float("inf") for count, _ in found)
    times = f"{len(caught)} of {len(found)} times"
    if median != float("inf"):
        return True, f"median {median} seeds, {times}: " + next(text for count, text in found if count is not None)[:110]
    if script_catches(name, scripts):
        return True, f"by its script (in {seeds} seeds {times})"
    return bool(caught) and name == "", f"SURVIVED ({times} caught in {seeds} seeds)"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--seeds", type=int, default=400)
    arguments.add_argument("names", nargs="*")
    a = arguments.parse_args()
    known = names()
    unknown = set(a.names) - set(known)
    if unknown:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    build()
    scripts = set(re.findall(r"(\w+)$", must(["meson", "test", "-C", str(BUILD), "--no-rebuild", "--list", "--suite", "mutants"]), re.M))
    survivors = 0
    for name in ["", *(a.names or known)]:
        caught, text = verdict(name, a.seeds, scripts)
        good = caught == (name != "")
        survivors += not good
        print(f"{'ok ' if good else 'BAD'} {name or '(all rules on)':24} {text}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
