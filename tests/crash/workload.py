"""What the crash tests write, and how they tell afterwards what was lost, halved or doubled.

A transaction is (:Tx)-[:PART]->(:Part) three times, made by separate statements, and in the same transaction the client's own
(:Client)-[:LAST]->(:Tx) is moved and counted up. A client numbers its transactions 1, 2, 3, ... without a gap, and begins the next one only
when the last was acknowledged. So what the database holds of a client is wholly described by one number, and after a crash that
number may be what was acknowledged, or one more: the transaction that was under way.
"""
import collections
import threading
import time

from lib.bolt import Bolt, Failure

CLIENTS, PARTS = 8, 3

SCHEMA = ["CREATE INDEX tx_key IF NOT EXISTS FOR (t:Tx) ON (t.key)", "CREATE INDEX tx_round IF NOT EXISTS FOR (t:Tx) ON (t.round)",
          "CREATE INDEX part_round IF NOT EXISTS FOR (p:Part) ON (p.round)"]
INDEXES = {"tx_key", "tx_round", "part_round"}
CREATE = "CREATE (:Tx {key: $key, client: $client, seq: $seq, round: $round})"
CONNECT = ("MATCH (t:Tx {key: $key}) UNWIND range(1, $parts) AS i "
           "CREATE (t)-[:PART {i: i}]->(:Part {key: $key, i: i, round: $round, pad: $pad, padded: size($pad)})")
MOVE = ("MATCH (c:Client {client: $client}), (t:Tx {key: $key}) OPTIONAL MATCH (c)-[last:LAST]->() DELETE last "
        "CREATE (c)-[:LAST]->(t) SET c.n = c.n + 1")

WHOLE = "OPTIONAL MATCH (t)-[r:PART]->(p:Part) WHERE p.key = t.key AND p.i = r.i AND p.round = t.round AND size(p.pad) = p.padded RETURN t.client, t.seq, count(DISTINCT p.i), count(r)"
TOTALS = {"transactions": "MATCH (t:Tx) RETURN count(t)", "parts": "MATCH (p:Part) RETURN count(p)",
          "PART relationships": "MATCH ()-[r:PART]->() RETURN count(r)", "LAST relationships": "MATCH ()-[r:LAST]->() RETURN count(r)"}


def key_of(client, seq):
    return client * 1_000_000_000 + seq


def prepare(port):
    """Indexes, and the node of each client. May be done again after a crash in the middle."""
    with Bolt(port) as bolt:
        for statement in SCHEMA:
            bolt.run(statement)
        bolt.run("UNWIND range(0, $clients - 1) AS i MERGE (c:Client {client: i}) ON CREATE SET c.n = 0", {"clients": CLIENTS})


def write_one(bolt, client, seq, round_number, pad="", before_commit=lambda: None):
    values = {"key": key_of(client, seq), "client": client, "seq": seq, "round": round_number, "parts": PARTS, "pad": pad}
    bolt.begin()
    for statement in (CREATE, CONNECT, MOVE):
        bolt.run(statement, values)
    before_commit()
    bolt.commit()


class Writers:
    """Eight clients that write until the server is gone or they are stopped; `acknowledged[client]` is the last number that was acknowledged."""

    def __init__(self, port, round_number, committed, retry_on=None, large_every=0):
        """`retry_on`: the code of a refusal that says that the transaction has not happened, so that it is written again. Every
        `large_every`th transaction of the first client has ten million bytes: it goes into the log in several batches."""
        self.large_every = large_every
        self.port, self.round, self.retry_on = port, round_number, retry_on
        self.refused = [0] * CLIENTS
        self.stopping = False
        self.acknowledged = list(committed)
        self.commits_sent = [0] * CLIENTS  # transactions whose COMMIT was sent, acknowledged or not
        self.failures = []                 # (client, code, message): what the server answered instead of an acknowledgement
        self.first = threading.Event()     # something was acknowledged, or nobody is left who could be
        self.threads = [threading.Thread(target=self._write, args=(client,)) for client in range(CLIENTS)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        """Each ends its transaction first."""
        self.stopping = True
        self.join()

    def join(self):
        for t in self.threads:
            t.join(60)
        if any(t.is_alive() for t in self.threads):
            raise RuntimeError("a client still waits for an answer a minute after the server is gone")
        self.first.set()

    def _pad(self, client):
        large = self.large_every > 0 and client == 0 and (self.acknowledged[0] + 1) % self.large_every == 0
        return "x" * (10_000_000 // PARTS) if large else ""

    def _write(self, client):
        def sent():
            self.commits_sent[client] += 1
        try:
            with Bolt(self.port) as bolt:
                while not self.stopping:
                    try:
                        write_one(bolt, client, self.acknowledged[client] + 1, self.round, self._pad(client), sent)
                    except Failure as failure:
                        if failure.code != self.retry_on:
                            raise
                        self.refused[client] += 1
                        bolt.reset()
                        time.sleep(0.01)
                        continue
                    self.acknowledged[client] += 1
                    self.first.set()
        except Failure as failure:
            self.failures.append((client, failure.code, failure.message))
        except TimeoutError:
            self.failures.append((client, "no answer", "the server neither answered nor went away"))
        except (OSError, AssertionError):
            pass  # the server is gone
        if all(not t.is_alive() or t is threading.current_thread() for t in self.threads):
            self.first.set()


def _judge_rows(rows, expected, which):
    """Compares rows of WHOLE with the numbers that must be there, {client: range}."""
    seen = collections.Counter()
    for client, seq, distinct, parts in rows:
        seen[client, seq] += 1
        if distinct != PARTS or parts != PARTS:
            yield f"transaction {client} {seq} is there by halves: {distinct} of {PARTS} parts, {parts} relationships"
    yield from (f"transaction {client} {seq} is there {n} times" for (client, seq), n in seen.items() if n != 1)
    wanted = {(client, seq) for client, numbers in expected.items() for seq in numbers}
    yield from (f"transaction {client} {seq} {which} and is lost" for client, seq in sorted(wanted - set(seen)))
    yield from (f"transaction {client} {seq} is there and was never written" for client, seq in sorted(set(seen) - wanted))


def verify(port, before, writers, everything=False):
    """(committed, problems) after a crash: the last number of each client that is there; `before` is what was there when `writers` began
    (None for writers: nothing was written since). The totals cost nothing; transactions are read one by one only of this round, or with
    `everything` all."""
    with Bolt(port, timeout_s=120) as bolt:
        heads = {client: (n, lasts, seq) for client, n, lasts, seq in
                 bolt.run("MATCH (c:Client) OPTIONAL MATCH (c)-[:LAST]->(t) RETURN c.client, c.n, count(t), max(t.seq)").rows}
        totals = {name: bolt.run(statement).rows[0][0] for name, statement in TOTALS.items()}
        acknowledged = writers.acknowledged if writers is not None else before
        committed = [heads.get(client, (0, 0, None))[0] for client in range(CLIENTS)]
        found = []
        for client in range(CLIENTS):
            n, lasts, seq = heads.get(client, (0, 0, None))
            if lasts != (1 if n > 0 else 0) or (n > 0 and seq != n):
                found.append(f"client {client} counts {n} transactions; its LAST is {lasts} relationships, to number {seq}")
            under_way = 1 if writers is not None else 0
            if not acknowledged[client] <= n <= acknowledged[client] + under_way:
                found.append(f"client {client}: {acknowledged[client]} transactions were acknowledged, the counter says {n}")
        missing = INDEXES - {name for name, in bolt.run("SHOW INDEXES YIELD name RETURN name").rows}
        if missing:
            found.append(f"indexes are lost: {sorted(missing)}")
        if len(heads) != CLIENTS:
            found.append(f"{len(heads)} of {CLIENTS} clients are there")
        n = sum(committed)
        expected = {"transactions": n, "parts": n * PARTS, "PART relationships": n * PARTS, "LAST relationships": sum(1 for c in committed if c > 0)}
        found += [f"{totals[name]} {name} where {wanted} belong" for name, wanted in expected.items() if totals[name] != wanted]
        if writers is not None:
            rows = bolt.run("MATCH (t:Tx {round: $round}) " + WHOLE, {"round": writers.round}).rows
            found += _judge_rows(rows, {c: range(before[c] + 1, max(committed[c], acknowledged[c]) + 1) for c in range(CLIENTS)}, "was acknowledged")
            parts = bolt.run("MATCH (p:Part {round: $round}) RETURN count(p)", {"round": writers.round}).rows[0][0]
            if parts != len(rows) * PARTS:
                found.append(f"{parts} parts of this round belong to {len(rows)} transactions")
        if everything:
            found += _judge_rows(bolt.run("MATCH (t:Tx) " + WHOLE).rows, {c: range(1, committed[c] + 1) for c in range(CLIENTS)}, "was there")
    return committed, found
