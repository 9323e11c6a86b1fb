#!/usr/bin/env python3
"""A full disk and a failing one under eight writing clients: they are told so, readers go on, the server lives, nothing acknowledged is lost.

    tests/crash/trouble.py BINARY SIM_SERVER

Full: commits are refused with TransactionLogError and have not happened; when there is room they go on by themselves. On the simulated disk,
and, where this user may mount one, on a small tmpfs under the real binary. Failing: an error of a write or a sync of the log stops the log until the server is started again, and commits
are refused; one of the pages fails a checkpoint or all of them, and commits go on, because the log is whole.
"""
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import workload  # noqa: E402
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.quiver import Server  # noqa: E402
from sim import SimServer  # noqa: E402

SETTINGS = {"db.checkpoint.interval.volume": "4m", "db.tx_log.rotation.size": "256k"}
REFUSED = "Neo.DatabaseError.Transaction.TransactionLogError"
NOBODY = [0] * workload.CLIENTS


class Reader:
    """Counts transactions again and again; in a `with`."""

    def __init__(self, port):
        self.port, self.reads, self.problem, self.over = port, 0, None, False
        self.thread = threading.Thread(target=self._read)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.over = True
        self.thread.join(60)

    def _read(self):
        try:
            with Bolt(self.port) as bolt:
                while not self.over:
                    bolt.run("MATCH (c:Client)-[:LAST]->(t:Tx) RETURN c.client, t.seq")
                    self.reads += 1
        except (Failure, OSError) as why:
            self.problem = why


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def judge(port, writers, before=NOBODY):
    _, problems = workload.verify(port, before, writers, everything=True)
    if problems:
        raise RuntimeError("\n".join(problems[:20]))


def full(server, fill, make_room):
    """Fills the disk and makes room again, twice."""
    workload.prepare(server.bolt_port)
    writers = workload.Writers(server.bolt_port, 1, NOBODY, retry_on=REFUSED).start()
    with Reader(server.bolt_port) as reader:
        for _ in range(2):
            fill()
            refused = list(writers.refused)
            wait_for("every client is refused", lambda seen=refused: all(now > then for now, then in zip(writers.refused, seen)))
            reads = reader.reads
            wait_for("readers go on", lambda seen=reads: reader.problem is not None or reader.reads > seen + 20)
            make_room()
            acknowledged = list(writers.acknowledged)
            wait_for("every client goes on", lambda seen=acknowledged: all(now > then + 3 for now, then in zip(writers.acknowledged, seen)))
    writers.stop()
    if writers.failures or reader.problem:
        raise RuntimeError(f"writers: {writers.failures}, reader: {reader.problem}")
    judge(server.bolt_port, writers)
    return writers


def full_simulated(binary):
    with SimServer(binary, settings=SETTINGS) as server:
        server.power_on(1)
        writers = full(server, lambda: server.tell("room 100000"), lambda: server.tell("room all"))
        server.cut_now()
        server.power_on(2)
        judge(server.bolt_port, writers)
        return f"{sum(writers.refused)} commits refused, {sum(writers.acknowledged)} acknowledged and there after a power cut"


def full_tmpfs(binary):
    with tempfile.TemporaryDirectory(prefix="quiver-tmpfs-") as place:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, check=False).returncode != 0:
            return "left out: this user may not mount a tmpfs"
        try:
            home, ballast = pathlib.Path(place) / "home", pathlib.Path(place) / "ballast"

            def fill():
                with open(ballast, "wb") as f:
                    block = bytes(1 << 16)
                    try:
                        while True:
                            f.write(block)
                            f.flush()
                    except OSError:
                        pass

            with Server(binary, home=home, auth=False, settings=SETTINGS) as server:
                writers = full(server, fill, ballast.unlink)
                server.kill()
                server.start()
                judge(server.bolt_port, writers)
            return f"{sum(writers.refused)} commits refused, {sum(writers.acknowledged)} acknowledged and there after a kill"
        finally:
            subprocess.run(["umount", place], check=False)


def try_to_write(port):
    """The code of the refusal, or None."""
    with Bolt(port) as bolt:
        try:
            bolt.run("CREATE (:Late)")
            return None
        except Failure as failure:
            return failure.code


def failing(binary, seed, fault, refuses):
    """One operation of the disk fails. `refuses`: commits are refused from then on; else they go on, because the log is whole."""
    with SimServer(binary, settings={**SETTINGS, "db.checkpoint.interval.volume": "64k"}) as server:
        server.power_on(seed)
        workload.prepare(server.bolt_port)
        writers = workload.Writers(server.bolt_port, seed, NOBODY).start()
        with Reader(server.bolt_port) as reader:
            writers.first.wait(30)
            server.tell(fault)
            if refuses:
                writers.join()
            else:
                wait_for("the store tells of it", lambda: "A simulated fault." in (server.home / "console.out").read_text())
            reads, acknowledged = reader.reads, list(writers.acknowledged)
            wait_for("readers go on", lambda: reader.problem is not None or reader.reads > reads + 20)
            if not refuses:
                wait_for("writers go on", lambda: all(now > then for now, then in zip(writers.acknowledged, acknowledged)))
        told = {code for _, code, _ in writers.failures}
        late = try_to_write(server.bolt_port)
        server.cut_now()
        writers.join()
        if reader.problem or told != ({REFUSED} if refuses else set()) or late != (REFUSED if refuses else None):
            raise RuntimeError(f"{fault}: reader {reader.problem}, writers were told {told}, a later one {late}")
        server.power_on(seed + 1)
        judge(server.bolt_port, writers)
        with Bolt(server.bolt_port) as bolt:
            found = bolt.run("MATCH (l:Late) RETURN count(l)").rows[0][0]
        if found != (0 if refuses else 1):
            raise RuntimeError(f"{fault}: {found} of what came later is there")
        if try_to_write(server.bolt_port) is not None:
            raise RuntimeError(f"{fault}: no writing after a restart")
        return f"{sum(writers.acknowledged)} acknowledged and there after a restart; commits {'were refused' if refuses else 'went on'}"


FAULTS = [("fail sync store.log 3 io", True), ("fail write store.log 3 io", True), ("fail write store.pages 3 io", False),
          ("fail sync store.pages 0 io", False), ("fail write store.pages 3 nospc", False), ("fail allocate store.pages 0 nospc", False)]


def main():
    binary, sim = sys.argv[1:3]
    print("full, simulated:", full_simulated(sim), flush=True)
    print("full, tmpfs:", full_tmpfs(binary), flush=True)
    for seed, (fault, refuses) in enumerate(FAULTS, start=10):
        print(f"{fault}: {failing(sim, seed, fault, refuses)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
