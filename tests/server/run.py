#!/usr/bin/env python3
"""The server as operators meet it: tests/server/run.py BINARY [TEST...]. Standard library only."""
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))


def main():
    os.environ["QUIVER"] = str(pathlib.Path(sys.argv[1]).resolve())
    for name in [n for n in os.environ if n.startswith("NEO4J_")] + ["QUIVER_HOME"]:
        os.environ.pop(name, None)
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(sys.argv[2:]) if sys.argv[2:] else loader.discover(str(HERE), "test_*.py")
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
