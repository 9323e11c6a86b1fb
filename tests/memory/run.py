#!/usr/bin/env python3
"""A graph four times the memory: tests/memory/run.py BINARY [LIMIT_MIB]

The same load, updates, checkpoint, kill and recovery twice: with ample memory, and in a memory group of the kernel without swap. Sums
over all nodes, relationships and properties must be equal, and the limit must have held.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from graph import Shape  # noqa: E402
from limits import MIB, compare  # noqa: E402


def main():
    binary, limit_mib = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64
    shape = Shape(nodes=1750 * limit_mib, text_bytes=900, relationships=1500 * limit_mib)
    return 0 if compare(binary, shape, limit_mib * MIB) else 1


if __name__ == "__main__":
    sys.exit(main())
