#!/usr/bin/env python3
"""Official drivers write and read through transaction functions with default settings while the leader is killed ten times, the last time for good.

tests/drivers/failover.py BINARY [node|python|go|java ...]      default: every language whose tools are there

Nothing may fail; what was acknowledged must be there once, be seen behind its bookmark at once, and reads go to followers, too. The
drivers of Python and Go do not run a function again whose connection was lost while its commit was under way, as it may have succeeded:
such are counted apart, cannot be more than the kills explain, and are there at most once. A driver's program (failover.mjs, python/failover.py, ...) writes until its input ends and then prints one line of JSON.
"""
import json
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from lib.bolt import Bolt  # noqa: E402
from lib.cluster import Cluster  # noqa: E402
import run  # noqa: E402

KILLS = 10
NODE_DRIVERS = ["1.7.8", "4.4.11", "5.28.3", "6.3.0"]
LANGUAGES = {
    "node": lambda: run.node_commands("failover", NODE_DRIVERS),
    "python": lambda: run.python_commands("failover"),
    "go": lambda: run.go_commands("failover"),
    "java": lambda: run.java_commands("Failover") + run.java_commands("Failover", "java-1.7"),
}


class Client:
    """A driver's program."""

    def __init__(self, command, uri):
        self.name, self.ready, self.told = command[-1], 0, None
        self.process = subprocess.Popen(command + [uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            self.name = said.get("driver", self.name)
            self.ready += "ready" in said
            self.told = said if "acknowledged" in said else self.told

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)  # a function may still try again for 30 s
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join()


def kill_leaders(cluster, seed):
    """How long it took until another one led, each time. The last one stays dead: it is not the one that drivers were given."""
    gaps = []
    while True:
        leader = cluster.leader()
        leader.kill()
        killed = time.monotonic()
        cluster.leader()
        gaps.append(time.monotonic() - killed)
        time.sleep(1)
        if len(gaps) >= KILLS and leader is not seed:
            return gaps
        leader.start()
        time.sleep(1)


def counts(cluster):
    """{id: how often it is there}"""
    with Bolt(cluster.leader().bolt_port, timeout_s=60) as bolt:
        return dict(bolt.run("MATCH (w:Written) RETURN w.id, count(*)").rows)


def judge(client, there):
    """What is wrong with what the driver's program tells."""
    if client.told is None:
        return [f"ended with {client.process.returncode} and told nothing"]
    told = client.told
    if len(told["unknown"]) > 2 * KILLS:
        return [f"{len(told['unknown'])} commits of unknown outcome: more than writers were cut off"]
    wrong = [f"failed: {f['id']}: {f['code']}: {f['detail'][:300]}" for f in told["failed"]]
    wrong += [f"lost: {i}" for i in told["acknowledged"] if i not in there]
    wrong += [f"there {n} times: {i}" for i, n in there.items() if i.startswith(client.name + "/") and n != 1]
    wrong += [f"not seen behind its bookmark: {i}" for i in told["unseen"]]
    if len(told["readers"]) < 2:
        wrong.append(f"reads went to {told['readers']} alone, although all servers followed in their turn")
    return wrong


def wait_until_all_write(clients, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while any(c.ready < 2 and c.process.poll() is None for c in clients) and time.monotonic() < deadline:
        time.sleep(0.05)


def main():
    binary, *languages = sys.argv[1:]
    run.WORK.mkdir(parents=True, exist_ok=True)
    commands = [command for language in languages or LANGUAGES for command in LANGUAGES[language]()]
    if not commands:
        print("none of node, python, go, java can be used here: the drivers are not run")
        return 77
    with Cluster(binary) as cluster:
        cluster.write("CREATE INDEX written FOR (w:Written) ON (w.id)")
        clients = [Client(command, f"neo4j://127.0.0.1:{cluster.servers[0].bolt_port}") for command in commands]
        try:
            wait_until_all_write(clients)
            gaps = kill_leaders(cluster, cluster.servers[0])
            time.sleep(2)
        finally:
            for client in clients:
                client.end()
        there = counts(cluster)
        failed = 0
        print(f"{len(gaps)} leaders killed; the next one led after {', '.join(f'{g * 1000:.0f}' for g in gaps)} ms")
        for client in clients:
            wrong = judge(client, there)
            failed += bool(wrong)
            done = len(client.told["acknowledged"]) if client.told else 0
            print(f"{'FAIL' if wrong else 'ok  '} {client.name}: {done} functions, {len(client.told['unknown']) if client.told else 0} of unknown outcome, reads by server: "
                  f"{client.told and client.told['readers']}")
            for line in wrong[:10]:
                print(f"     {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
