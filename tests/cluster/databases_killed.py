#!/usr/bin/env python3
"""kill -9 of members while databases are made, dropped and written to: tests/cluster/databases_killed.py BINARY [--rounds N] [--seed S].

A round: a client makes and drops databases without end, writers write to whatever there is, one to three members are killed at some moment and started
again. Then every member must have open what the catalogue says and nothing else, with nothing left of what was dropped, and every write that was
acknowledged in a database that is still the same one. Standard library only."""
import argparse
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.cluster import Cluster  # noqa: E402

NAMES = [f"db-{i}" for i in range(4)]


def attempt(cluster, statement, database, parameters=None):
    """Its rows, from whoever carries it out; None: nobody did, or nobody knows."""
    for server in random.sample(cluster.alive(), len(cluster.alive())):
        try:
            with Bolt(server.bolt_port, timeout_s=10) as bolt:
                return bolt.run(statement, parameters or {}, db=database).rows
        except (OSError, Failure):
            continue
    return None


class Round:
    def __init__(self, cluster, chance, number):
        self.cluster, self.chance, self.number = cluster, chance, number
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.acknowledged = {}  # by uuid of the database: keys

    def change(self):
        """Makes and drops, one after the other."""
        while not self.stop.is_set():
            name = self.chance.choice(NAMES)
            attempt(self.cluster, self.chance.choice([f"CREATE DATABASE `{name}` IF NOT EXISTS", f"CREATE OR REPLACE DATABASE `{name}`",
                                                      f"DROP DATABASE `{name}` IF EXISTS"]), "system")
            time.sleep(self.chance.random() * 0.5)

    def write(self, writer):
        """Numbers into whatever database has that name at the moment: the id of the node says which one it was."""
        number = 0
        while not self.stop.is_set():
            number += 1
            key = f"{writer}-{self.number}-{number}"
            rows = attempt(self.cluster, "CREATE (t:Thing {key: $key}) RETURN elementId(t)", NAMES[writer % len(NAMES)], {"key": key})
            if rows:
                with self.lock:
                    self.acknowledged.setdefault(rows[0][0].split(":")[1], set()).add(key)
            else:
                time.sleep(0.05)


def catalogue(server):
    """name -> uuid, as the server tells of itself."""
    with Bolt(server.bolt_port) as bolt:
        return dict(bolt.run("SHOW DATABASES YIELD name, databaseID, address, currentStatus RETURN DISTINCT name, databaseID", db="system").rows)


def settled(cluster):
    """All members know the same databases, each online everywhere."""
    try:
        told = [catalogue(s) for s in cluster.servers]
        if any(t != told[0] for t in told):
            return None
        for server in cluster.servers:
            for name in told[0]:
                with Bolt(server.bolt_port) as bolt:
                    bolt.run("RETURN 1", db=name)
        return told[0]
    except (OSError, Failure):
        return None


def wait_until_settled(cluster, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while (told := settled(cluster)) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"the members do not agree: {[catalogue(s) for s in cluster.servers]}")
        time.sleep(0.1)
    return told


def check_folders(cluster, told, timeout_s=20):
    wanted = {name if name in ("neo4j", "system") else uuid for name, uuid in told.items()}
    deadline = time.monotonic() + timeout_s
    for server in cluster.servers:
        while (there := {p.name for p in (server.home / "data/databases").iterdir()}) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"{server.home}: {there - wanted} is left, {wanted - there} is missing")
            time.sleep(0.1)


def check_writes(cluster, told, acknowledged, timeout_s=30):
    kept = 0
    for name, uuid in told.items():
        for server in cluster.servers if name != "system" else []:
            deadline = time.monotonic() + timeout_s
            while True:
                with Bolt(server.bolt_port) as bolt:
                    there = {row[0] for row in bolt.run("MATCH (t:Thing) RETURN t.key", db=name).rows}
                lost = acknowledged.get(uuid, set()) - there
                if not lost:
                    break
                if time.monotonic() > deadline:
                    raise AssertionError(f"{server.home}: {len(lost)} acknowledged writes of {name} ({uuid}) are lost")
                time.sleep(0.1)
        kept += len(acknowledged.get(uuid, set()))
    return kept


def play(cluster, chance, number):
    game = Round(cluster, chance, number)
    threads = [threading.Thread(target=game.change), threading.Thread(target=game.change)]
    threads += [threading.Thread(target=game.write, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1 + chance.random() * 3)
    victims = chance.sample(cluster.servers, chance.choice([1, 1, 2, 3]))
    for server in victims:
        server.kill()
        time.sleep(chance.random() * 0.5)
    for server in victims:
        server.spawn()
    for server in victims:
        server.wait_until_up()
    time.sleep(chance.random() * 2)
    game.stop.set()
    for thread in threads:
        thread.join()
    told = wait_until_settled(cluster)
    check_folders(cluster, told)
    return len(victims), len(told), check_writes(cluster, told, game.acknowledged), sum(map(len, game.acknowledged.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with Cluster(str(pathlib.Path(options.binary).resolve())) as cluster:
        for i in range(options.rounds):
            killed, databases, kept, acknowledged = play(cluster, chance, i)
            print(f"round {i + 1}: {killed} killed, {databases} databases, {acknowledged} writes acknowledged, {kept} of them in databases that are still there",
                  flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
