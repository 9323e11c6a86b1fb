"""What is done to members of a group while clients write: killed, stopped, cut off, slowed down, their disks filled."""
import itertools
import pathlib
import signal
import subprocess
import time


class Faults:
    """Each is a generator: does the harm, yields while it lasts, mends it."""

    def __init__(self, members, rng):
        self.members, self.rng = members, rng

    def follower(self):
        leader = self.members.leader()
        return self.rng.choice([n for n in self.members.processes if n != leader])

    def kill(self, victims):
        for n in victims:
            self.members.kill(n)
        yield
        for n in victims:
            self.members.start(n)

    def kill_leader(self):
        yield from self.kill([self.members.leader()])

    def kill_follower(self):
        yield from self.kill([self.follower()])

    def kill_two(self):
        yield from self.kill(self.rng.sample(sorted(self.members.processes), 2))

    def kill_all(self):
        yield from self.kill(sorted(self.members.processes))

    def stop(self, n):
        self.members.signal(n, signal.SIGSTOP)
        yield
        self.members.signal(n, signal.SIGCONT)

    def stop_leader(self):
        yield from self.stop(self.members.leader())

    def stop_follower(self):
        yield from self.stop(self.follower())

    def cut(self, pairs):
        for source, target in pairs:
            self.members.network.cut(source, target)
        yield
        self.members.network.heal()

    def cut_leader(self):
        leader = self.members.leader()
        others = [n for n in self.members.processes if n != leader]
        yield from self.cut([(leader, n) for n in others] + [(n, leader) for n in others])

    def cut_one_way(self):
        leader = self.members.leader()
        others = [n for n in self.members.processes if n != leader]
        yield from self.cut([(leader, n) for n in others] if self.rng.random() < 0.5 else [(n, leader) for n in others])

    def cut_in_two(self):
        a, b = self.rng.sample(sorted(self.members.processes), 2)
        yield from self.cut([(a, b), (b, a)])

    def loss(self):
        for a, b in itertools.permutations(self.members.processes, 2):
            self.members.network.lose(a, b, 20)
        yield
        self.members.network.heal()

    def delay(self):
        """The wires of some hosts, or of all, are long; not all equally."""
        for n in self.rng.sample(sorted(self.members.processes), self.rng.randint(1, len(self.members.processes))):
            delay_ms = self.rng.uniform(5, 100)  # each way, at both ends
            self.members.network.slow_down(n, delay_ms=delay_ms, jitter_ms=delay_ms * self.rng.random())
        yield from [None] * 3  # some elections and retries long
        self.members.network.heal()

    def slow_link(self):
        """One host's wire is so thin that what clients write does not fit."""
        self.members.network.slow_down(self.rng.choice(sorted(self.members.processes)), bytes_a_second=self.rng.uniform(10e3, 200e3))
        yield from [None] * 3
        self.members.network.heal()

    def full_disk(self, ready=lambda n: None, lasts=1):
        """The disk of one member takes nothing more for a while: it has a small one of its own for the round. `ready(n)`: before that."""
        n = self.rng.choice(sorted(self.members.processes))
        place = self.members.directory / str(n)
        self.members.kill(n)
        subprocess.run(["cp", "-a", place, f"{place}.kept"], check=True)
        used_mib = sum(f.stat().st_blocks for f in pathlib.Path(f"{place}.kept").rglob("*")) // 2048
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used_mib + 8}m", "none", place], check=True)
        try:
            subprocess.run(["cp", "-a", f"{place}.kept/.", place], check=True)
            self.members.start(n)
            time.sleep(0.5)
            ready(n)
            subprocess.run(["dd", "if=/dev/zero", f"of={place}/filler", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
            yield from [None] * lasts
            (place / "filler").unlink()
            time.sleep(0.5)
        finally:
            self.members.kill(n)
            subprocess.run(["rm", "-rf", f"{place}.kept"], check=True)
            subprocess.run(["cp", "-a", place, f"{place}.kept"], check=True)
            subprocess.run(["umount", place], check=True)
            subprocess.run(["rm", "-rf", place], check=True)
            pathlib.Path(f"{place}.kept").rename(place)
            self.members.start(n)
