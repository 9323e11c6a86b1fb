#!/usr/bin/env python3
"""Increments through bolt:// by the official Python driver until the input ends: anywhere.py CLIENTS URI... One line of JSON at the end.

Every other client lets the driver run transaction functions; the rest are statements by themselves, which no driver runs again."""
import json
import sys
import threading

from neo4j import GraphDatabase

INCREMENT = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n"
COUNTERS = 4
stopping = threading.Event()
lock = threading.Lock()
told = {"done": 0, "failed": [], "unseen": 0}


def count_on(session, number, in_function):
    """What the counter was set to."""
    if in_function:
        return session.execute_write(lambda tx: tx.run(INCREMENT, number=number).single()[0])
    return session.run(INCREMENT, number=number).single()[0]


def client(driver, i):
    number = i % COUNTERS
    with driver.session(database="neo4j") as session:
        while not stopping.is_set():
            try:
                n = count_on(session, number, i // COUNTERS % 2 == 0)
                with lock:
                    told["done"] += 1
                with driver.session(database="neo4j", default_access_mode="READ") as reader:  # no bookmark of the other session
                    seen = reader.run("MATCH (c:Counter {number: $number}) RETURN c.n", number=number).single()[0]
                with lock:
                    told["unseen"] += seen < n
            except Exception as error:  # whatever a client is told is what is looked for
                with lock:
                    told["failed"].append(f"{getattr(error, 'code', None) or type(error).__name__}: {error}")
                return


def main():
    clients, uris = int(sys.argv[1]), sys.argv[2:]
    drivers = [GraphDatabase.driver(uri, auth=None) for uri in uris]
    threads = [threading.Thread(target=client, args=(drivers[i % len(drivers)], i)) for i in range(clients)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stopping.set()
    for thread in threads:
        thread.join()
    for driver in drivers:
        driver.close()
    print(json.dumps(told), flush=True)


main()
