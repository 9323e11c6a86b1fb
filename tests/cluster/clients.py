"""Clients of the register that write down what they asked, when, and what they were told."""
import random
import socket
import threading
import time

from linearizable import Op

TIMEOUT_S = 1.5


class Client(threading.Thread):
    """Reads and writes keys at random, whoever leads. `history` has (key, Op); what certainly did nothing is not in it."""

    def __init__(self, members, number, keys, values, stop):
        super().__init__(daemon=True)
        self.members, self.keys, self.values, self.stopping = members, keys, values, stop
        self.rng = random.Random(number)
        self.connection, self.target, self.tag = None, None, 0
        self.history, self.acknowledged, self.refused, self.unknown = [], 0, 0, 0

    def connect(self):
        alive = list(self.members.processes)
        if not alive:
            time.sleep(0.02)
            raise OSError("nobody is there")
        if self.target not in alive:
            self.target = self.rng.choice(alive)
        s = socket.create_connection(self.members.client_address(self.target), timeout=TIMEOUT_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = s

    def drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection, self.target = None, None

    def ask(self, line):
        """The answer without its tag. OSError: nobody knows."""
        self.tag += 1
        tag = b"%d " % self.tag
        self.connection.sendall(tag + line.encode() + b"\n")
        buffer = b""
        while not buffer.endswith(b"\n"):
            more = self.connection.recv(65536)
            if not more:
                raise OSError("closed")
            buffer += more
        if not buffer.startswith(tag):
            raise OSError("an answer to something else")
        return buffer[len(tag):-1].decode()

    def once(self):
        key = self.rng.choice(self.keys)
        is_write = self.rng.random() < 0.6
        value = next(self.values) if is_write else None
        try:
            if self.connection is None:
                self.connect()
        except OSError:
            self.drop()
            return
        begin = time.monotonic()
        try:
            answer = self.ask(f"w {key} {value}" if is_write else f"r {key}")
        except OSError:
            self.drop()
            answer = "unknown"
        self.note(key, is_write, value, begin, answer)

    def note(self, key, is_write, value, begin, answer):
        end = time.monotonic()
        if answer == "ok":
            self.history.append((key, Op(begin, end, "w", value)))
            self.acknowledged += 1
        elif answer.startswith("= "):
            seen = answer[2:]
            self.history.append((key, Op(begin, end, "r", int(seen) if seen else None)))
        elif is_write and answer == "unknown":
            self.history.append((key, Op(begin, None, "w", value)))
            self.unknown += 1
        else:
            self.refused += 1
            if answer.startswith("no "):
                leader = int(answer[3:])
                self.drop()
                self.target = leader if leader else None
            time.sleep(0.005)

    def run(self):
        while not self.stopping.is_set():
            self.once()
        self.drop()


class Workload:
    """Some clients for the time of a `with`."""

    def __init__(self, members, keys, values, clients=8):
        self.stop = threading.Event()
        self.clients = [Client(members, n, keys, values, self.stop) for n in range(clients)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for client in self.clients:
            client.join()

    def histories(self):
        """{key: [Op]}"""
        by_key = {}
        for client in self.clients:
            for key, op in client.history:
                by_key.setdefault(key, []).append(op)
        return by_key

    def total(self, what):
        return sum(getattr(client, what) for client in self.clients)
