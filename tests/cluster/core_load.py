"""The crowd of clients of one round."""
import collections

from core_clients import Carriers, Counters, Lists, Mergers, Planners, Walkers
from core_makers import Archivists, Makers
from register_readers import Registers

CROWD = [Lists] * 4 + [Counters] * 2 + [Walkers] * 2 + [Mergers] * 2 + [Carriers, Planners, Makers] + [Archivists] * 2 + [Registers] * 3


class Load:
    """All of them, for the time of a `with`."""

    def __init__(self, of, seed):
        self.of, self.clients = of, [kind(of, number, seed) for number, kind in enumerate(CROWD)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.of.stop.set()
        for client in self.clients:
            client.join()

    def total(self, what):
        return sum(client.counts[what] for client in self.clients)

    def causes(self):
        return sum((client.causes for client in self.clients), collections.Counter())

    def judge(self, ask):
        """What is wrong; `ask(statement, database)` gives rows of the healed cluster."""
        for client in self.clients:
            yield from client.wrong
        for kind in dict.fromkeys(CROWD):
            yield from kind.judge(self.of, [c for c in self.clients if isinstance(c, kind)], ask)
