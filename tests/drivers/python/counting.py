#!/usr/bin/env python3
"""Increments through one address by the official Python driver until the input ends: counting.py CLIENTS HOST:PORT. One line of JSON at the end.

Clients use bolt:// and neo4j://, and transaction functions and statements by themselves, in all four ways. Each then reads what it has
written, in read mode, behind its own bookmark."""
import json
import sys
import threading
import traceback

from neo4j import GraphDatabase

INCREMENT = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n"
READ = "MATCH (c:Counter {number: $number}) RETURN c.n"
COUNTERS = 4
stopping = threading.Event()
lock = threading.Lock()
told = {"done": 0, "failed": [], "unseen": 0}


def value(text, number):
    return lambda tx: tx.run(text, number=number).single()[0]


def described(error):
    """With where it happened and what led to it."""
    return "".join(traceback.format_exception(error))


def client(driver, i):
    number = i % COUNTERS
    in_function = i // 2 % 2 == 0
    with driver.session(database="neo4j") as session:
        while not stopping.is_set():
            try:
                n = session.execute_write(value(INCREMENT, number)) if in_function else value(INCREMENT, number)(session)
                with lock:
                    told["done"] += 1
                seen = session.execute_read(value(READ, number))
                with lock:
                    told["unseen"] += seen < n
            except Exception as error:  # whatever a client is told is what is looked for
                with lock:
                    told["failed"].append(f"{driver.scheme} {in_function}: {described(error)}")
                return


def main():
    clients, address = int(sys.argv[1]), sys.argv[2]
    drivers = []
    for scheme in ("bolt", "neo4j"):
        drivers.append(GraphDatabase.driver(f"{scheme}://{address}", auth=None))
        drivers[-1].scheme = scheme
    threads = [threading.Thread(target=client, args=(drivers[i % 2], i)) for i in range(clients)]
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
