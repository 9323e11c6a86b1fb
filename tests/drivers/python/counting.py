#!/usr/bin/env python3
"""Increments through one address by the official Python driver until the input ends: counting.py CLIENTS HOST:PORT. One line of JSON at the end.

Clients use bolt:// and neo4j://, and transaction functions and statements by themselves, in all four ways. Each then reads what it has
written, in read mode, behind its own bookmark."""
import sys
import traceback

from crowd import COUNTERS, INCREMENT, READ, lock, serve, stopping, told
from neo4j import GraphDatabase


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


def connect(scheme, address):
    driver = GraphDatabase.driver(f"{scheme}://{address}", auth=None)
    driver.scheme = scheme
    return driver


serve(client, int(sys.argv[1]), [connect(scheme, sys.argv[2]) for scheme in ("bolt", "neo4j")])
