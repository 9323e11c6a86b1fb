"""Little CPU for a process and what it starts: a group of the kernel (version 2 or 1) with a quota; or, where none can be made, stopping and
continuing it a hundred times a second."""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.cgroup import _own_path  # noqa: E402

PERIOD_US = 100000
HOG = ["sh", "-c", "while :; do :; done"]


class _Group:
    """With a program inside that takes all that it gets, so that the quota is used up in every period."""

    def __init__(self, folder, limits):
        self.folder, self.limits, self.hog = folder, limits, None
        folder.mkdir()
        try:
            self.limit()
        except OSError:
            folder.rmdir()
            raise
        self.unlimit()

    def write(self, name, value):
        with open(self.folder / name, "r+", encoding="ascii") as f:  # r+: a limit that the kernel has not is not made
            f.write(value)

    def limit(self):
        """From now on. Not before: what starts would take minutes."""
        for name, (_, value) in self.limits.items():
            self.write(name, value)
        self.hog = self.hog or subprocess.Popen(self.wrapper() + HOG)

    def outweigh(self):
        """On a busy machine it is to get what it may have: the quota is what is tried, not the neighbours."""
        for name, value in (("cpu.weight", "1000"), ("cpu.shares", "8192")):
            if (self.folder / name).exists():
                self.write(name, value)

    def unlimit(self):
        for name, (value, _) in self.limits.items():
            self.write(name, value)
        self.end_hog()

    def end_hog(self):
        if self.hog is not None:
            self.hog.kill()
            self.hog.wait()
            self.hog = None

    def wrapper(self):
        """Words in front of a command that run it inside."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def watch(self, pid):
        pass

    def periods(self):
        """(that have been, in which it wanted more than it got)"""
        told = dict(line.split() for line in (self.folder / "cpu.stat").read_text().splitlines())
        return int(told["nr_periods"]), int(told["nr_throttled"])

    def close(self):
        """All that ran inside has ended."""
        self.end_hog()
        for _ in range(100):  # a process that was killed leaves its group a moment later
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)
        self.folder.rmdir()


class _Duty:
    """Of every hundredth of a second a part."""

    kind = "stopped and continued"

    def __init__(self, percent):
        self.run_s, self.pids, self.rounds, self.over = percent / 100 * 0.01, set(), 0, False
        self.thread = threading.Thread(target=self.work, daemon=True)

    def limit(self):
        self.thread.start()

    def wrapper(self):
        return []

    def watch(self, pid):
        """It leads a group of processes."""
        self.pids.add(pid)

    def signal(self, number):
        for pid in list(self.pids):
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                self.pids.discard(pid)

    def work(self):
        while not self.over:
            self.signal(signal.SIGCONT)
            time.sleep(self.run_s)
            self.signal(signal.SIGSTOP)
            time.sleep(0.01 - self.run_s)
            self.rounds += 1
        self.signal(signal.SIGCONT)

    def periods(self):
        return self.rounds, self.rounds

    def close(self):
        self.over = True
        if self.thread.is_alive():
            self.thread.join()


def throttled(name, percent):
    """So many hundredths of one CPU from `limit()` on. Processes are started with its `wrapper()` and shown to `watch`; `close` it when all have
    ended."""
    unique = f"quiver-{name}-{os.getpid()}"
    quota = str(PERIOD_US * percent // 100)
    kinds = [("cgroup v2", "/sys/fs/cgroup", _own_path(""), {"cpu.max": (f"max {PERIOD_US}", f"{quota} {PERIOD_US}")}),
             ("cgroup v1", "/sys/fs/cgroup/cpu", _own_path("cpu"), {"cpu.cfs_period_us": (str(PERIOD_US),) * 2, "cpu.cfs_quota_us": ("-1", quota)})]
    for kind, mount, path, limits in kinds:
        for parent in [] if path is None else dict.fromkeys((mount + path.rstrip("/"), mount)):
            try:
                made = _Group(pathlib.Path(parent) / unique, limits)
            except OSError:
                continue
            made.kind = kind
            made.outweigh()
            return made
    return _Duty(percent)
