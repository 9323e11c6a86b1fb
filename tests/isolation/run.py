#!/usr/bin/env python3
"""Runs the concurrency tests of this folder against a server of its own: tests/isolation/run.py BINARY"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.quiver import Server, npm_install  # noqa: E402


def main():
    if not npm_install(HERE.parent):
        print("npm is not there: the concurrency tests are not run")
        return 77
    with Server(sys.argv[1], auth=False) as server:
        env = {**os.environ, "QUIVER_URI": server.uri}
        return subprocess.run(["node", "--test", str(HERE)], env=env, check=False, timeout=300).returncode


if __name__ == "__main__":
    sys.exit(main())
