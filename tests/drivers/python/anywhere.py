#!/usr/bin/env python3
"""Increments through bolt:// by the official Python driver until the input ends: anywhere.py CLIENTS URI... One line of JSON at the end.

Every other client lets the driver run transaction functions; the rest are statements by themselves, which no driver runs again."""
import sys

from crowd import COUNTERS, INCREMENT, READ, lock, serve, stopping, told
from neo4j import GraphDatabase


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
                    seen = reader.run(READ, number=number).single()[0]
                with lock:
                    told["unseen"] += seen < n
            except Exception as error:  # whatever a client is told is what is looked for
                with lock:
                    told["failed"].append(f"{getattr(error, 'code', None) or type(error).__name__}: {error}")
                return


serve(client, int(sys.argv[1]), [GraphDatabase.driver(uri, auth=None) for uri in sys.argv[2:]])
