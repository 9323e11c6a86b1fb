#!/usr/bin/env python3
"""Appends, reads and registers through transaction functions of the official Python driver: history.py BASE URI. See ../README.md."""
import json
import logging
import random
import sys
import threading
import time

import neo4j
from neo4j import GraphDatabase, unit_of_work

LISTS, REGISTERS = 2, 1  # workers of each kind
PAUSE_S = 0.04  # at most, between two functions
APPEND = "MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v"
SEE = "MATCH (l:List {key: $key}) RETURN l.v"
SET = "MATCH (r:Register {key: $key}) SET r.v = $value RETURN r.v"
GET = "MATCH (r:Register {key: $key}) RETURN r.v"
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def place(bookmark):
    return int(bookmark.rsplit(":", 1)[1])


class Values:
    """That nobody else writes."""

    def __init__(self, base):
        self.last = base

    def next(self):
        with lock:
            self.last += 1
            return self.last


class Round:
    def __init__(self, driver, values, number, lists, registers, prepared):
        self.driver, self.values, self.number, self.lists, self.registers, self.shared = driver, values, number, lists, registers, prepared
        self.stop = threading.Event()
        self.workers = [threading.Thread(target=self.work, args=(self.one_of_lists,)) for _ in range(LISTS)]
        self.workers += [threading.Thread(target=self.work, args=(self.one_of_registers,)) for _ in range(REGISTERS)]
        for worker in self.workers:
            worker.start()

    def end(self):
        self.stop.set()
        for worker in self.workers:
            worker.join()
        say(ended=self.number)

    def work(self, one):
        own = prepared = self.shared
        while not self.stop.is_set():
            own = one(random.choice((own, own, self.shared, prepared))) or own
            with lock:
                self.shared = max(self.shared, own, key=place)
            time.sleep(random.uniform(0, PAUSE_S))

    def one_of_lists(self, after):
        kinds = random.choices("ar", k=random.randint(1, 4))
        keys = sorted(random.randrange(self.lists) for _ in kinds)  # in one order, so that nobody waits in a circle

        def body(tx, ops):
            for kind, i in zip(kinds, keys):
                key = f"{self.number}-{i}"
                if kind == "a":
                    value = self.values.next()
                    ops.append(["a", key, value])
                    ops.append(["r", key, tx.run(APPEND, key=key, value=value).single()[0]])
                else:
                    ops.append(["r", key, tx.run(SEE, key=key).single()[0]])

        return self.function("list", "a" in kinds or random.random() < 0.3, after, body)

    def one_of_registers(self, _):
        key, writes = f"{self.number}-{random.randrange(self.registers)}", random.random() < 0.3

        def body(tx, ops):
            if writes:
                ops.append(["w", key, self.values.next()])
                tx.run(SET, key=key, value=ops[-1][2]).single()
            else:
                ops.append(["r", key, tx.run(GET, key=key).single()[0]])

        self.function("register", writes, None, body, {"quiver.consistency": "linearizable"})

    def function(self, kind, writes, after, body, metadata=None):
        """Runs it as the driver does, and tells of each time that it was run. Returns its bookmark."""
        begin, attempts = time.monotonic(), []

        @unit_of_work(metadata=metadata)
        def work(tx):
            attempt = {"begin": attempts[-1]["end"] if attempts else begin, "ops": [], "whole": False}
            attempts.append(attempt)
            try:
                body(tx, attempt["ops"])
                attempt["whole"] = True
            finally:
                attempt["end"] = time.monotonic()

        problem = bookmark = None
        with self.driver.session(database="neo4j", bookmarks=neo4j.Bookmarks.from_raw_values([after] if after else [])) as session:
            try:
                (session.execute_write if writes else session.execute_read)(work)
                bookmark = max(session.last_bookmarks().raw_values, key=place)
            except Exception as error:  # whatever a driver gives up with is what is looked for
                problem = {"code": getattr(error, "code", None) or type(error).__name__, "detail": str(error), "after_s": time.monotonic() - begin}
        say(kind=kind, after=after, bookmark=bookmark, attempts=attempts, end=time.monotonic(), problem=problem)
        return bookmark


def main():
    logging.getLogger("neo4j").addHandler(logging.NullHandler())  # each retry would be a line
    values, current = Values(int(sys.argv[1])), None
    with GraphDatabase.driver(sys.argv[2]) as driver:
        say(driver=f"python {neo4j.__version__}")
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "begin":
                current = Round(driver, values, rest[0], int(rest[1]), int(rest[2]), rest[3])
            else:
                current.end()


if __name__ == "__main__":
    main()
