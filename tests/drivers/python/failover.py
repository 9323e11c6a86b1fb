#!/usr/bin/env python3
"""Transaction functions through the official Python driver while leaders die: failover.py URI. See ../README.md."""
import json
import logging
import sys
import threading
import time

import neo4j
from neo4j import GraphDatabase, exceptions

NAME = f"python {neo4j.__version__}"
told = {"acknowledged": [], "unknown": [], "failed": [], "unseen": [], "readers": {}}
stopping = threading.Event()
lock = threading.Lock()


def write(tx, id_):
    tx.run("MERGE (w:Written {id: $id}) RETURN w.id", id=id_).consume()


def read(tx, id_):
    result = tx.run("MATCH (w:Written {id: $id}) RETURN count(w)", id=id_)
    return result.single()[0], result.consume().server.address


def write_and_read(driver, id_):
    """One write and, behind its bookmark, one read on whoever takes reads."""
    try:
        with driver.session() as session:
            session.execute_write(write, id_)
            with lock:
                told["acknowledged"].append(id_)
            count, address = session.execute_read(read, id_)
    except exceptions.IncompleteCommit:
        with lock:
            told["unknown"].append(id_)
        return
    except Exception as error:  # whatever a driver gives up with is what is looked for
        with lock:
            told["failed"].append({"id": id_, "code": getattr(error, "code", None) or type(error).__name__, "detail": str(error)})
        return
    with lock:
        reader = f"{address[0]}:{address[1]}"
        told["readers"][reader] = told["readers"].get(reader, 0) + 1
        if count != 1:
            told["unseen"].append(id_)


def writer(driver, number):
    i = 0
    while not stopping.is_set():
        write_and_read(driver, f"{NAME}/{number}/{i}")
        if i == 0:
            print(json.dumps({"ready": number}), flush=True)
        i += 1
        time.sleep(0.005)


def main():
    logging.getLogger("neo4j").addHandler(logging.NullHandler())  # each retry would be a line
    print(json.dumps({"driver": NAME}), flush=True)
    with GraphDatabase.driver(sys.argv[1]) as driver:
        writers = [threading.Thread(target=writer, args=(driver, number)) for number in range(2)]
        for thread in writers:
            thread.start()
        sys.stdin.read()
        stopping.set()
        for thread in writers:
            thread.join()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
