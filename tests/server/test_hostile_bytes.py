"""Bytes that no driver sends. Each client gets an answer or loses its connection; nobody else notices, and the memory comes back."""
import random
import socket
import struct
import time

from base import HomeCase, connect
from lib.bolt import Failure, pack

BOLT_5_4 = b"\x60\x60\xb0\x17" + b"\x00\x00\x04\x05" + bytes(12)
HELLO = b"\xb1\x01" + pack({"user_agent": "x", "bolt_agent": {"product": "x"}})
LOGON = b"\xb1\x6a" + pack({"scheme": "none"})
RESET = b"\x00\x02\xb0\x0f\x00\x00"
DEPTH = 100_000


def framed(message):
    chunks = [message[i:i + 65535] for i in range(0, len(message), 65535)]
    return b"".join(struct.pack(">H", len(c)) + c for c in chunks) + b"\x00\x00"


class Raw:
    """A client that says what it likes."""

    def __init__(self, server, *bytes_to_send, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", server.bolt_port), timeout=timeout_s)
        self.say(*bytes_to_send)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def say(self, *parts):
        """What the server has closed meanwhile is not an error here."""
        try:
            for part in parts:
                self.socket.sendall(part)
        except OSError:
            pass

    def hear(self, seconds=None):
        """All up to the end of the connection, or what came in that time."""
        self.socket.settimeout(seconds if seconds is not None else self.socket.gettimeout())
        heard = b""
        try:
            while part := self.socket.recv(65536):
                heard += part
        except TimeoutError:
            if seconds is None:
                raise
        except OSError:
            pass
        return heard


class Bytes(HomeCase):
    def setUp(self):
        super().setUp()
        self.running = self.server(auth=False, settings={"quiver.bolt.login_timeout": "2s"}).start()
        self.addCleanup(self.stop_well)
        self.witness = connect(self.running)
        self.addCleanup(self.witness.close)

    def stop_well(self):
        self.assertEqual(self.running.stop(), 0, self.running.console())

    def assert_well(self):
        """A session that was open all the time goes on, and a new one can be had."""
        self.assertEqual(self.witness.run("RETURN 1 AS one").rows, [[1]])
        with connect(self.running) as fresh:
            self.assertEqual(fresh.run("RETURN 2 AS two").rows, [[2]])

    def test_random_bytes_before_the_handshake(self):
        for seed in range(100):
            rng = random.Random(seed)
            opening = rng.choice([b"", b"\x60", b"\x60\x60\xb0\x17", b"GET ", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00"])
            with Raw(self.running, opening + rng.randbytes(rng.randrange(1, 300))) as client:
                client.socket.shutdown(socket.SHUT_WR)
                self.assertLess(len(client.hear()), 2000, f"seed {seed}")
        self.assert_well()

    def test_random_bytes_behind_the_handshake_and_behind_the_login(self):
        for seed in range(100):
            rng = random.Random(seed)
            login = framed(HELLO) + framed(LOGON) if seed % 2 else b""
            noise = b"".join(rng.choice([rng.randbytes(8), framed(rng.randbytes(40)), framed(b"\xb3\x10" + rng.randbytes(30)), RESET]) for _ in range(8))
            with Raw(self.running, BOLT_5_4 + login + noise) as client:
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.hear()[:4], b"\x00\x00\x04\x05", f"seed {seed}")
        self.assert_well()

    def test_a_message_that_is_cut_at_any_byte(self):
        message = framed(b"\xb3\x10" + pack("RETURN $p AS p") + pack({"p": [1, "two", {"three": 3.0}]}) + pack({}))
        for cut in range(len(message)):
            with Raw(self.running, BOLT_5_4 + framed(HELLO) + framed(LOGON) + message[:cut]) as client:
                client.socket.shutdown(socket.SHUT_WR)
                client.hear()
        self.assert_well()

    def test_before_login_a_long_message_is_refused(self):
        with Raw(self.running, BOLT_5_4, struct.pack(">H", 9000), HELLO + bytes(9000 - len(HELLO))) as client:
            self.assertIn(b"longer than 8192 bytes", client.hear())
        self.assert_well()

    def test_after_login_a_message_beyond_the_limit_is_refused_as_soon_as_it_is_seen(self):
        before = self.running.memory_mb()
        with connect(self.running) as client:
            chunk = struct.pack(">H", 65535) + b"\x80" * 65535
            try:
                for _ in range(65 * 16 + 64):
                    client.socket.sendall(chunk)
            except OSError:
                pass
            heard = Raw.hear(client)
            self.assertIn(b"longer than 67108864 bytes", heard)
        self.assert_well()
        self.assertLess(self.running.memory_mb() - before, 400)

    def test_a_declared_size_takes_no_memory(self):
        before = self.running.memory_mb()
        huge = [b"\xd6\x7f\xff\xff\xff", b"\xda\x7f\xff\xff\xff", b"\xd2\x7f\xff\xff\xff", b"\xce\x7f\xff\xff\xff", b"\xd5\xff\xff", b"\xd9\xff\xff"]
        for value in huge:
            with connect(self.running) as client:
                client.socket.sendall(framed(b"\xb3\x10" + pack("RETURN 1") + b"\xa1\x81p" + value))
                self.refused_and_goes_on(client)
        self.assert_well()
        self.assertLess(self.running.memory_mb() - before, 100)

    def refused_and_goes_on(self, client, code="Neo.ClientError.Request.Invalid"):
        with self.assertRaises(Failure) as caught:
            client.answer([])
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        client.reset()
        self.assertEqual(client.run("RETURN 3 AS three").rows, [[3]])

    def test_values_nested_a_hundred_thousand_levels_deep(self):
        shapes = {
            "lists": b"\x91" * DEPTH + b"\xc0",
            "maps": b"\xa1\x81k" * DEPTH + b"\xc0",
            "lists in maps": b"\xa1\x81k\x91" * DEPTH + b"\xc0",
            "structures": b"\xb1\x44" * DEPTH + b"\x01",
        }
        for name, value in shapes.items():
            with self.subTest(name), connect(self.running) as client:
                client.socket.sendall(framed(b"\xb3\x10" + pack("RETURN $p") + b"\xa1\x81p" + value + pack({})))
                self.refused_and_goes_on(client)
        self.assert_well()

    def test_a_websocket_that_pings_and_never_reads(self):
        before = self.running.memory_mb()
        upgrade = (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        with Raw(self.running, upgrade) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.socket.settimeout(5)
            pings = (b"\x89\xfd\x00\x00\x00\x00"[:2] + bytes(4) + b"p" * 125) * 1000
            sent = 0
            try:
                while sent < 200 << 20:
                    sent += client.socket.send(pings)
            except OSError:
                pass
            self.assertLess(sent, 200 << 20, "the server went on taking pings")
        self.assert_well()
        self.assertLess(self.running.memory_mb() - before, 100)

    def test_clients_that_take_their_time_lose_the_connection(self):
        """The time runs from accept to login, whatever is sent meanwhile."""
        begun = time.monotonic()
        clients = [Raw(self.running, start) for start in (b"", b"\x60", b"GET / HTTP/1.1\r\n", BOLT_5_4, BOLT_5_4 + struct.pack(">H", 8000), BOLT_5_4 + framed(HELLO))]
        while time.monotonic() - begun < 1.5:
            for client in clients:
                client.say(b"\x00" if client is clients[3] else b"")
            time.sleep(0.1)
        for client in clients:
            client.hear()
            client.socket.close()
        self.assertLess(time.monotonic() - begun, 15)
        self.assert_well()

    def test_ten_thousand_connections_that_are_opened_and_dropped(self):
        files, before = self.running.open_files(), self.running.memory_mb()
        for i in range(10_000):
            client = socket.create_connection(("127.0.0.1", self.running.bolt_port), timeout=20)
            if i % 3 == 1:
                client.sendall(BOLT_5_4[:i % 20])
            if i % 3 == 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
            client.close()
        deadline = time.monotonic() + 20
        while self.running.open_files() > files + 5 and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertLessEqual(self.running.open_files(), files + 5)
        self.assert_well()
        self.assertLess(self.running.memory_mb() - before, 100)

    def test_nine_hundred_clients_that_announce_large_messages_and_do_not_log_in(self):
        before = self.running.memory_mb()
        clients = [Raw(self.running, BOLT_5_4 + struct.pack(">H", 8192) + HELLO) for _ in range(900)]
        self.assert_well()
        self.assertLess(self.running.memory_mb() - before, 100)
        for client in clients:
            client.socket.close()
