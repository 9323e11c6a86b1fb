"""What is done to core servers and read replicas while clients write, beyond what is done to any group (faults.py)."""
import itertools
import time

from faults import Faults


class CoreFaults(Faults):
    def restart(self, n):
        code = self.members.stop(n)
        if code != 0:
            raise AssertionError(f"server {n}, stopped in order, ended with {code}")
        yield
        self.members.start(n)

    def restart_leader(self):
        yield from self.restart(self.members.leader())

    def rolling_restart(self):
        """As for an upgrade: one after the other, each when the one before is back."""
        for n in self.rng.sample(self.members.cores, self.members.count):
            yield from self.restart(n)
            self.members.servers[n].wait_until_up()
            self.members.leader()

    def left_behind(self):
        """For some checkpoints long: the log of the others may have forgotten where it was."""
        n = self.follower()
        self.members.kill(n)
        yield from [None] * 8
        self.members.start(n)

    def full_disk_of_the_leader(self):
        yield from self.full_disk(ready=self.make_leader, lasts=5)

    def make_leader(self, n):
        """By stopping those who lead before it does; they may be lucky ten times."""
        self.members.servers[n].wait_until_up()
        for _ in range(10):
            other = self.members.leader()
            if other == n:
                return
            for _ in self.restart(other):
                self.members.leader()
            self.members.servers[other].wait_until_up()

    def split(self):
        """Into two parts that cannot hear each other."""
        mixed = self.rng.sample(self.members.cores, self.members.count)
        parts = mixed[:self.members.count // 2], mixed[self.members.count // 2:]
        yield from self.cut([pair for a, b in itertools.product(*parts) for pair in ((a, b), (b, a))])

    def jump(self):
        """The clocks of some servers, or of all, turn forth and back by up to a day."""
        victims = self.rng.sample(self.members.cores, self.rng.randint(1, self.members.count))
        for _ in range(4):
            for n in victims:
                self.members.turn_clock(n, self.rng.uniform(-1, 1) * self.rng.choice((1, 60, 86400)))
            yield
        for n in victims:
            self.members.turn_clock(n, 0)

    def jump_and_restart(self):
        yield from self.both(self.jump(), self.restart_leader())

    def loss_and_kill(self):
        yield from self.both(self.loss(), self.kill_leader())

    def delay_and_stop(self):
        yield from self.both(self.delay(), self.stop_leader())

    @staticmethod
    def both(a, b):
        """The second within the first."""
        next(a)
        yield from b
        yield from a

    # ---- read replicas ----

    def replica(self):
        return self.rng.choice(self.members.replicas)

    def kill_replica(self):
        yield from self.kill([self.replica()])

    def stop_replica(self):
        yield from self.stop(self.replica())

    def cut_replica(self):
        """From some cores, or from all; both ways, or one."""
        n = self.replica()
        pairs = [(n, core) for core in self.rng.sample(self.members.cores, self.rng.randint(1, self.members.count))]
        back = [(core, n) for _, core in pairs]
        yield from self.cut(self.rng.choice((pairs, back, pairs + back)))

    def empty_replica(self):
        """It comes back with nothing."""
        n = self.replica()
        self.members.kill(n)
        self.members.empty(n)
        yield
        self.members.start(n)

    # ---- copies of stores ----

    def copy(self, victim):
        """A server that lost its store gets a copy, over a wire that takes its time if there is one; `victim(receiver, giver)` is killed in
        the middle. A core may be filled from the log instead: by the leader."""
        receiver = self.rng.choice(self.members.cores + self.members.replicas)
        self.members.kill(receiver)
        self.members.empty(receiver)
        since = self.members.console_bytes(receiver)
        if hasattr(self.members.network, "slow_down"):
            self.members.network.slow_down(receiver, bytes_a_second=self.rng.uniform(1e6, 5e6))
        self.members.start(receiver)
        giver = self.members.giver_of_copy(receiver, since)
        time.sleep(self.rng.uniform(0, 1))
        self.members.copies_cut += giver is not None and not self.members.has_copy(receiver, since)
        yield from self.kill([victim(receiver, giver or self.members.leader())])
        yield
        if hasattr(self.members.network, "heal"):
            self.members.network.heal()

    def copy_and_kill_giver(self):
        yield from self.copy(lambda receiver, giver: giver)

    def copy_and_kill_receiver(self):
        yield from self.copy(lambda receiver, giver: receiver)

    # ---- other members ----

    def grow_and_shrink(self):
        """Two servers more, which vote; then they leave for good, led by whoever leads then."""
        for n in self.members.spares:
            self.members.join(n)
        self.members.wait_for_voters(self.members.count + len(self.members.spares))
        yield
        for n in self.rng.sample(self.members.spares, len(self.members.spares)):
            self.members.leave(n)
            yield

    def grow_and_kill(self):
        """The same while somebody is killed."""
        for n in self.members.spares:
            self.members.join(n)
        yield from self.kill([self.rng.choice(self.members.cores + self.members.spares)])
        self.members.wait_for_voters(self.members.count + len(self.members.spares))
        for n in self.rng.sample(self.members.spares, len(self.members.spares)):
            yield from self.kill([self.rng.choice(self.members.cores)])
            self.members.leave(n)
