#!/usr/bin/env python3
"""Before a commit's SUCCESS leaves through the socket, the log was synced: seen in the system calls of the real server.

    tests/crash/synced.py BINARY

The server runs under strace while eight clients commit. The SUCCESS of a commit holds its bookmark, whose number is the entry's index in the log;
the write of each batch to the log holds the indexes of its entries (docs/formats/log.md). For each SUCCESS there must be a sync of the log's
file that began after the write of that batch had returned, and that returned before the write to the socket began. Exit code 77: no
strace here, or it may not attach.
"""
import collections
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.bolt import Bolt  # noqa: E402
from lib.quiver import Server  # noqa: E402

CLIENTS, COMMITS = 8, 25  # half of the commits in explicit transactions, half of single statements
CALLS = "pwrite64,pwritev,write,writev,sendmsg,sendto,fdatasync,fsync"
BYTES_SHOWN = 512

ENTRY = re.compile(r"^(\d+) +(\w+)\((\d+)<([^>]*)>(.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
BOOKMARK = re.compile(rb"bookmark.{1,5}Q1:([0-9a-f-]{36}):(\d+)", re.S)


def bytes_of(text):
    """The strings of a call, which strace prints with escapes, as bytes."""
    return b"".join(part.encode("latin-1").decode("unicode_escape").encode("latin-1") for part in STRING.findall(text))


class Watch:
    """Follows the calls, one line after the other: strace prints them in the order in which it saw them begin and end."""

    def __init__(self):
        self.under_way = {}                          # thread -> (call, file, rest of the line, what began_sync said)
        self.written = collections.defaultdict(list)  # (file, uuid) -> [first, last, synced]
        self.told = self.syncs = 0
        self.problems = []

    def line(self, text):
        entry, resumed = ENTRY.match(text), RESUMED.match(text)
        if entry:
            thread, call, _, file, rest = entry.groups()
            self.under_way[thread] = (call, file, rest, self.begins(call, file, rest))
            if not rest.endswith("<unfinished ...>"):
                self.ends(thread)
        elif resumed and resumed[1] in self.under_way:
            self.ends(resumed[1], resumed[3])

    def begins(self, call, file, rest):
        """A sync covers what was written before it began."""
        if call in ("fdatasync", "fsync"):
            return [batch for (path, _), batches in self.written.items() if path == file for batch in batches if not batch[2]]
        if "socket" in file or "TCP" in file:
            for uuid, index in BOOKMARK.findall(bytes_of(rest)):
                self.tell(uuid.decode(), int(index))
        return []

    def ends(self, thread, more=""):
        call, file, rest, covered = self.under_way.pop(thread)
        good = re.search(r"= (\d+)", (rest + more).rsplit(")", 1)[-1])
        if good and call in ("fdatasync", "fsync") and int(good[1]) == 0:
            self.syncs += 1
            for batch in covered:
                batch[2] = True
        elif good and "store.log" in file:
            self.note_batch(file, bytes_of(rest))

    def note_batch(self, file, data):
        if data[:4] != b"QVLB":
            return
        count, = struct.unpack_from("<I", data, 12)
        first, = struct.unpack_from("<Q", data, 48)
        uuid = data[24:40].hex()
        self.written[file, "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))].append([first, first + count - 1, False])

    def tell(self, uuid, index):
        self.told += 1
        batches = [b for (_, u), list_ in self.written.items() if u == uuid for b in list_ if b[0] <= index <= b[1]]
        if not batches:
            self.problems.append(f"transaction {index} was acknowledged and is not in the log")
        elif not any(b[2] for b in batches):
            self.problems.append(f"transaction {index} was acknowledged before the log was synced")


def may_trace():
    return shutil.which("strace") is not None and subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def commit_many(port, client):
    with Bolt(port) as bolt:
        for i in range(COMMITS):
            if i % 2 == 0:
                bolt.run("CREATE (:N {client: $client, i: $i})", {"client": client, "i": i})
                continue
            bolt.begin()
            bolt.run("CREATE (:N {client: $client, i: $i})-[:R]->(:M)", {"client": client, "i": i})
            bolt.commit()


def main():
    if not may_trace():
        print("strace is not there or may not attach: the order of calls is not looked at")
        return 77
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"  # it traces too, and there can be one tracer
    with tempfile.TemporaryDirectory(prefix="quiver-strace-") as folder:
        trace = pathlib.Path(folder) / "trace"
        wrapper = ["strace", "-f", "-y", "-s", str(BYTES_SHOWN), "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)]
        with Server(sys.argv[1], auth=False, wrapper=wrapper) as server:
            clients = [threading.Thread(target=commit_many, args=(server.bolt_port, n)) for n in range(CLIENTS)]
            for c in clients:
                c.start()
            for c in clients:
                c.join()
            subprocess.run(server.command("stop"), stdout=subprocess.DEVNULL, check=True, timeout=60)  # strace passes no signal on
            server.process.wait(60)
        watch = Watch()
        for line in trace.read_text(encoding="latin-1").splitlines():
            watch.line(line)
    batches = sum(map(len, watch.written.values()))
    print(f"{watch.told} acknowledged commits, {batches} batches written to logs, {watch.syncs} syncs; {len(watch.problems)} acknowledged too early")
    print(*watch.problems[:10], sep="\n")
    if watch.told < CLIENTS * COMMITS or watch.syncs == 0:
        print(f"{CLIENTS * COMMITS} commits were expected: the trace is not understood")
        return 1
    return 1 if watch.problems else 0


if __name__ == "__main__":
    sys.exit(main())
