#!/usr/bin/env python3
"""Switch off safety rules of a server as a member of a cluster in turn and see the simulator of the product catch it.

    tools/product_mutants.py [--seeds N] [NAME...]

The build is that of tools/mutants.py. Each rule is hunted from several first seeds; the median number of worlds is printed. Exits 1 if one
survives in most of the runs, or if the simulator fails with all rules on.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

import mutants

SIMULATOR = "tests/sim/sim_product"
FIRST_SEEDS = (1, 100001, 200001)
SLOWEST_S = 1800
MORE_SEEDS = {"product_term": 600, "page_sync": 1000, "replica_overtaken": 300}  # those that take one world of many
# Rules that clients feel: who may write in which term, what is committed, whose vote it is, what a bookmark promises, what was durable.
RULES = ["product_uncommitted", "product_former_self", "data_mark", "start_older", "start_moves", "raft_lost", "product_bookmark", "product_term", "replica_own_noop", "replica_overtaken",
         "replica_names", "raft_hard_state", "raft_vote_twice", "raft_vote_up_to_date", "raft_ack_undurable", "raft_commit_uncapped",
         "group_hard_state", "group_persist_early", "log_sync", "page_sync", "copy_mark"]


def hunt(simulator, name, first, seeds):
    """How many worlds it took until one failed, and what it said; (None, "") if none did."""
    env = {**os.environ, "QUIVER_MUTANT": name} if name else os.environ
    try:
        done = subprocess.run([str(simulator), "--seeds", f"{first}..{first + seeds - 1}", "--no-shrink"], cwd=mutants.ROOT, text=True, env=env, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SLOWEST_S)
    except subprocess.TimeoutExpired:
        return seeds, "it hangs"
    said = re.search(r"^FAILED seed (\d+): (.*)$", done.stdout, re.M)
    crashed = re.search(r"^(.*)\n*\nsim_product: signal \d+ in the world of seed (\d+)", done.stdout, re.M)
    if said:
        return int(said[1]) - first + 1, said[2]
    if crashed:
        return int(crashed[2]) - first + 1, crashed[1]
    return (None, "") if done.returncode == 0 else sys.exit(done.stdout)


def verdict(simulator, name, seeds):
    """(caught, text)"""
    found = [hunt(simulator, name, first, seeds) for first in FIRST_SEEDS]
    caught = [count for count, _ in found if count is not None]
    median = statistics.median(count if count is not None else float("inf") for count, _ in found)
    times = f"{len(caught)} of {len(found)} times"
    if median == float("inf"):
        return False, f"SURVIVED ({times} caught in {seeds} seeds)"
    return True, f"median {median} seeds, {times}: " + next(text for count, text in found if count is not None)[:140]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("names", nargs="*", metavar="NAME", help="rules to switch off; all that are listed here without")
    arguments = parser.parse_args()
    simulator = mutants.build(SIMULATOR)
    count, text = hunt(simulator, "", 1, 20)
    if count is not None:
        sys.exit(f"with all rules on it fails after {count} seeds: {text}")
    survivors = 0
    for name in arguments.names or RULES:
        caught, text = verdict(simulator, name, max(arguments.seeds, MORE_SEEDS.get(name, 0)))
        survivors += not caught
        print(f"{name:24} {text}", flush=True)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
