"""A graph made by queries alone, of any size and always the same, and sums over all of it that do not depend on an order.

Nothing but numbers goes to the server, so that the client's memory and speed do not matter."""
import hashlib
import random
import string

from lib.bolt import Bolt

TEXT_BYTES = 60_000
NODES = """UNWIND range($from, $to - 1) AS i
CREATE (:Person {id: i, name: 'person ' + i, score: i * 0.5, text: substring($text, i * 37 % 50000, $bytes / 2 + i * 7 % $bytes)})"""
# One relationship in eight leads anywhere, the others to a neighbour in the numbering.
RELATIONSHIPS = """UNWIND range($from, $to - 1) AS i
MATCH (a:Person {id: i % $nodes}) MATCH (b:Person {id: CASE WHEN i % 8 = 0 THEN i * 7919 % $nodes ELSE (i + i / 8 % 30 + 1) % $nodes END})
CREATE (a)-[:KNOWS {since: i}]->(b)"""
# One node in ten grows, one relationship in fifty goes.
GROW = """UNWIND range($from, $to - 1) AS i WITH i WHERE i % 10 = 3
MATCH (p:Person {id: i}) SET p.text = p.text + ' grown', p.score = p.score + 1, p.grown = true"""
SHRINK = """UNWIND range($from, $to - 1) AS i WITH i WHERE i % 50 = 7
MATCH (:Person {id: i})-[r:KNOWS]->() DELETE r"""
LAST = """UNWIND range($from, $to - 1) AS i WITH i WHERE i % 100 = 51
MATCH (p:Person {id: i}) SET p.last = i WITH p MATCH (p)-[r:KNOWS]->() SET r.last = p.last"""


class Client(Bolt):
    """Hashes records without decoding them."""

    def sum_of(self, text):
        """(records, sum of their hashes)."""
        self.send(0x10, text, {}, {})
        self.send(0x3F, {"n": -1})
        count, total = 0, 0
        for message in self._messages():
            tag = message[1]
            if tag == 0x71:
                count += 1
                total += int.from_bytes(hashlib.blake2b(message, digest_size=8).digest(), "little")
            elif tag == 0x7F:
                raise RuntimeError(f"{text}: {message}")
            elif tag == 0x70 and b"fields" not in message:
                return count, total % 2**64
        raise RuntimeError("the connection ended")

    def _messages(self):
        """Whole messages; reads ahead, so only for a connection that asks nothing else meanwhile."""
        data, at, message = b"", 0, []
        while True:
            while len(data) - at >= 2:
                size = data[at] << 8 | data[at + 1]
                if len(data) - at < 2 + size:
                    break
                if size > 0:
                    message.append(data[at + 2:at + 2 + size])
                elif message:
                    yield b"".join(message)
                    message = []
                at += 2 + size
            more = self.socket.recv(1 << 18)
            if not more:
                return
            data, at = data[at:] + more, 0


def _text():
    return "".join(random.Random(5).choices(string.ascii_letters + "    ", k=TEXT_BYTES))


class Shape:
    """How large the graph is: so many nodes with about so many bytes of text each, so many relationships."""

    def __init__(self, nodes, text_bytes, relationships, batch=1000):
        self.nodes, self.text_bytes, self.relationships, self.batch = nodes, text_bytes, relationships, batch

    def __str__(self):
        return f"{self.nodes} nodes with about {self.text_bytes} bytes of text, {self.relationships} relationships"

    def each_batch(self, client, query, end, **parameters):
        for start in range(0, end, self.batch):
            client.run(query, {"from": start, "to": min(start + self.batch, end), **parameters})

    def load(self, port):
        with Client(port, timeout_s=120) as client:
            client.run("CREATE CONSTRAINT person_id IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE")
            self.each_batch(client, NODES, self.nodes, text=_text(), bytes=self.text_bytes)
            self.each_batch(client, RELATIONSHIPS, self.relationships, nodes=self.nodes)

    def update(self, port):
        with Client(port, timeout_s=120) as client:
            self.each_batch(client, GROW, self.nodes)
            self.each_batch(client, SHRINK, self.nodes)

    def update_again(self, port):
        with Client(port, timeout_s=120) as client:
            self.each_batch(client, LAST, self.nodes)

    @staticmethod
    def sums(port):
        """Of all nodes with labels and properties, of all relationships with type, ends and properties."""
        result = {}
        for name, query in (("nodes", "MATCH (n) RETURN labels(n), properties(n)"),
                            ("relationships", "MATCH (a)-[r]->(b) RETURN a.id, type(r), properties(r), b.id")):
            with Client(port, timeout_s=300) as client:
                result[name] = client.sum_of(query)
        return result
