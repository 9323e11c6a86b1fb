#!/usr/bin/env python3
"""Machines that are gone without a word, as a server meets them: tests/cluster/lost.py BINARY [TEST...]      needs root, for network
namespaces; skipped (77) without.

Server and clients are on hosts of their own. The wire of one is cut: no end, no reset, nothing. Its transactions let go of their locks
within half a minute or so, whatever was under way to it; a client that reads nothing for as long is served to the end.
"""
import contextlib
import ctypes
import os
import pathlib
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
from lib import stories  # noqa: E402
from lib.bolt import Bolt  # noqa: E402
from lib.quiver import Server  # noqa: E402
from lib.stories import BINARY  # noqa: E402
from members import Hosts  # noqa: E402

SKIPPED = 77
SERVER, SLOW, LOST = 1, 2, 3  # hosts
GIVEN_UP_S = 40  # os/net.h: 30, and the steps in which a server looks
ROWS = 20000
ANSWER = "UNWIND range(1, $rows) AS i RETURN i, $text"
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def on_host(network, n):
    """Sockets that this thread makes meanwhile are of that host."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{network.name(n)}", os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(here, CLONE_NEWNET)
        os.close(here)
        os.close(there)


def ask_much(bolt, rows):
    """Of two kilobytes each. The answer is not read."""
    bolt.send(0x10, ANSWER, {"rows": rows, "text": "x" * 2000}, {})
    bolt.send(0x3F, {"n": -1})


def read_for_ever(bolt):
    with contextlib.suppress(OSError):
        while bolt.socket.recv(1 << 16):
            time.sleep(0.001)


class Lost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Hosts(3)
        try:
            cls.address = cls.network.address(SERVER)[0]
            cls.server = Server(BINARY, auth=False, host=cls.address, wrapper=cls.network.command(SERVER, [])).start()
        except BaseException:
            cls.network.close()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.__exit__(None, None, None)
        finally:
            cls.network.close()

    def client(self, host=None):
        """On that host, or on one that nothing happens to."""
        with contextlib.nullcontext() if host is None else on_host(self.network, host):
            bolt = Bolt(self.server.bolt_port, host=self.address, timeout_s=90)
        self.addCleanup(bolt.close)
        return bolt

    def one_that_locks(self, name):
        bolt = self.client(LOST)
        bolt.begin()
        bolt.run("MATCH (n:Thing {name: $name}) SET n.locked = true", {"name": name})
        return bolt

    def locked_for_s(self, name, since, result):
        with self.client() as bolt:
            bolt.run("MATCH (n:Thing {name: $name}) SET n.locked = false", {"name": name})
        result[name] = time.monotonic() - since

    def test_a_machine_that_is_gone_keeps_no_locks_and_a_slow_reader_is_served_to_the_end(self):
        names = ["it is silent", "it reads", "it does not read"]
        with self.client() as bolt:
            bolt.run("UNWIND $names AS name CREATE (:Thing {name: name})", {"names": names})
        slow = self.client(SLOW)
        ask_much(slow, ROWS)
        _, reading, not_reading = [self.one_that_locks(name) for name in names]
        ask_much(reading, 10**6)
        ask_much(not_reading, 10**6)
        threading.Thread(target=read_for_ever, args=(reading,), daemon=True).start()
        time.sleep(1)

        self.network.cut(SERVER, LOST)
        self.network.cut(LOST, SERVER)
        since, locked_s = time.monotonic(), {}
        waiting = [threading.Thread(target=self.locked_for_s, args=(name, since, locked_s), daemon=True) for name in names]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join(max(0, since + GIVEN_UP_S - time.monotonic()))
        print({name: round(s, 1) for name, s in locked_s.items()}, flush=True)
        self.assertEqual(sorted(locked_s), sorted(names), f"not within {GIVEN_UP_S} s")
        self.assertGreater(min(locked_s.values()), 10, "nobody could know by then")

        time.sleep(max(0, since + GIVEN_UP_S - time.monotonic()))
        rows = []
        slow.answer()
        slow.answer(rows)
        self.assertEqual([row[0] for row in rows], list(range(1, ROWS + 1)))


if __name__ == "__main__":
    if not Hosts.usable():
        print("no network namespaces here")
        sys.exit(SKIPPED)
    sys.exit(stories.tell())
