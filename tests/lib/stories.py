"""Stories about real servers, a file each: FILE.py BINARY [TEST...].

`BINARY` is the server that they are told about: the first argument, or $QUIVER. A file ends with `sys.exit(stories.tell())`.
"""
import os
import pathlib
import sys
import unittest

BINARY = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("QUIVER", "")).resolve())


def tell():
    """Of the calling file. 0: all came true."""
    return 0 if unittest.main(argv=sys.argv[:1] + sys.argv[2:], exit=False, verbosity=2).result.wasSuccessful() else 1
