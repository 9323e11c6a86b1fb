"""Clients of the official Python driver that count until the input ends, and what they were told."""
import json
import sys
import threading

COUNTERS = 4
INCREMENT = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n"
READ = "MATCH (c:Counter {number: $number}) RETURN c.n"
stopping = threading.Event()
lock = threading.Lock()  # of what they were told
told = {"done": 0, "failed": [], "unseen": 0}


def serve(client, count, drivers):
    """So many threads of client(driver, number), in turn on each driver; one line of JSON at the end."""
    threads = [threading.Thread(target=client, args=(drivers[i % len(drivers)], i)) for i in range(count)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stopping.set()
    for thread in threads:
        thread.join()
    for driver in drivers:
        driver.close()
    print(json.dumps(told), flush=True)
