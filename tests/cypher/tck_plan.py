#!/usr/bin/env python3
"""Plan every query of the openCypher TCK, whose folder TCK_DIR (or the second argument) names.

usage: tck_plan.py PLAN_TOOL [TCK_DIR]

A query that the parser and the check take must be planned, or refused as not supported; once with barriers where they are
needed and once with barriers everywhere. (That every slot which is read is filled is a post-condition of planning itself.)
Prints counts and every failure. Exit code 77 (skipped) without TCK_DIR.
"""
import collections
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tck_check import expand, read_feature


def queries(root):
    seen = set()
    for path in sorted(root.rglob("*.feature")):
        for scenario in read_feature(path):
            for steps in expand(scenario):
                for text, doc in steps:
                    if doc is not None and "quer" in text and "executed" in text or doc is not None and "executing" in text:
                        if doc not in seen:
                            seen.add(doc)
                            yield doc


def main():
    tck = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("TCK_DIR")
    if not tck:
        print("skipped: TCK_DIR is not set")
        return 77
    root = pathlib.Path(tck)
    root = root / "features" if (root / "features").is_dir() else root
    asked = list(queries(root))
    answers = subprocess.run([sys.argv[1]], input=b"".join(q.encode() + b"\0" for q in asked), capture_output=True, check=True)
    lines = answers.stdout.decode().splitlines()
    counts = collections.Counter(line.split(" ", 1)[0] for line in lines)
    for i, line in enumerate(lines):
        if line.startswith(("failed", "unsupported")):
            print(f"{line}\n    {' '.join(asked[i // 2].split())}")
    print(f"{len(asked)} queries, each planned twice: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    return 1 if counts["failed"] or len(lines) != 2 * len(asked) else 0


if __name__ == "__main__":
    sys.exit(main())
