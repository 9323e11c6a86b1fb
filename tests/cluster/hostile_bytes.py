"""Bytes for the ports of a cluster: right ones (docs/formats/cluster.md, members.md), wrong ones, and what was recorded."""
import collections
import contextlib
import ctypes
import ctypes.util
import socket
import struct
import threading

HELLO_ACCEPTED_VERSIONS = (1, 2)
PROTOCOLS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: core\r\n\r\n",
    "POST": b"POST /db HTTP/1.1\r\nHost: core\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(190),
    "Bolt": b"\x60\x60\xb0\x17" + bytes.fromhex("00000405") + bytes(12),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a line": b"\n",
    "one byte": b"\x00",
}
_xxhash = ctypes.CDLL(ctypes.util.find_library("xxhash"))
_xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
_xxhash.XXH3_64bits_withSeed.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)

Identity = collections.namedtuple("Identity", "server number cluster")


def checksum(data, seed=0):
    return _xxhash.XXH3_64bits_withSeed(data, len(data), seed)


def identity(folder):
    data = (folder / "server_identity").read_bytes()
    return Identity(data[8:24], struct.unpack_from("<I", data, 24)[0], data[40:56])


def hello(cluster, server, expected=0, epoch=1, versions=HELLO_ACCEPTED_VERSIONS, address=b"127.0.0.1:1"):
    data = b"QVCH" + struct.pack("<HH16sQQQII112s", *versions, cluster, server, expected, epoch, 1, 0, address)
    return data + struct.pack("<Q", checksum(data))


def directory_frame(sender, records, version=3, length=None, count=0):
    head = struct.pack("<IHHII16sQ", 0x46445651, version, count, length if length is not None else 48 + len(records), 0, sender, 0)
    return head + struct.pack("<Q", checksum(records, checksum(head))) + records


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def say(port, data, linger_s=0.2):
    """Says it, and waits a little for the other end to close."""
    with contextlib.suppress(OSError), connect(port) as s:
        s.settimeout(linger_s or 0.001)
        s.sendall(data)
        while linger_s and s.recv(65536):
            pass


def answer_to(port, data):
    """All that the other end says until it closes."""
    said = b""
    with connect(port) as s:
        s.sendall(data)
        with contextlib.suppress(ConnectionError):
            while part := s.recv(65536):
                said += part
    return said


class Recorder:
    """Stands in front of a port, hands on what comes, and keeps the beginning of what each connection said."""

    KEPT_BYTES, KEPT = 1 << 16, 8

    def __init__(self, target):
        self.target, self.kept, self.lock = target, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = connect(self.target)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            kept = bytearray()
            with self.lock:
                self.kept.append(kept)
            threading.Thread(target=self.carry, args=(client, server, kept), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, None), daemon=True).start()

    def carry(self, source, target, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if kept is not None and len(kept) < self.KEPT_BYTES:
                    kept += data
                target.sendall(data)
        for s in source, target:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
        source.close()

    def said(self):
        with self.lock:
            return [bytes(kept) for kept in self.kept if kept][-self.KEPT:]

    def close(self):
        self.listener.close()
