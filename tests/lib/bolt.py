"""A small Bolt client (5.4, 4.4 or 3) over sockets, for tests that must not depend on a driver: values as Python's, failures as exceptions."""
import socket
import struct


class Failure(Exception):
    """A FAILURE message: .code and .message."""

    def __init__(self, fields):
        self.code, self.message = fields["code"], fields["message"]
        super().__init__(f"{self.code}: {self.message}")


class Structure:
    def __init__(self, tag, fields):
        self.tag, self.fields = tag, fields


def _size(tiny, marker, n):
    if tiny is not None and n < 16:
        return bytes([tiny | n])
    if n < 1 << 8:
        return struct.pack(">BB", marker, n)
    if n < 1 << 16:
        return struct.pack(">BH", marker + 1, n)
    return struct.pack(">BI", marker + 2, n)


def pack(v):
    if v is None:
        return b"\xc0"
    if v is True or v is False:
        return b"\xc3" if v else b"\xc2"
    if isinstance(v, int):
        return struct.pack(">b", v) if -16 <= v <= 127 else b"\xcb" + struct.pack(">q", v)
    if isinstance(v, float):
        return b"\xc1" + struct.pack(">d", v)
    if isinstance(v, str):
        data = v.encode()
        return _size(0x80, 0xD0, len(data)) + data
    if isinstance(v, (list, tuple)):
        return _size(0x90, 0xD4, len(v)) + b"".join(map(pack, v))
    if isinstance(v, dict):
        return _size(0xA0, 0xD8, len(v)) + b"".join(pack(k) + pack(x) for k, x in v.items())
    raise TypeError(v)


class _Unpacker:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def sized(self, marker, first):
        return self.number({0: ">B", 1: ">H", 2: ">I"}[marker - first])

    def value(self):
        m = self.take(1)[0]
        if m < 0x80:
            return m
        if m >= 0xF0:
            return m - 256
        kind, low = m & 0xF0, m & 0x0F
        if kind == 0x80 or 0xD0 <= m <= 0xD2:
            return self.take(low if kind == 0x80 else self.sized(m, 0xD0)).decode()
        if kind == 0x90 or 0xD4 <= m <= 0xD6:
            return [self.value() for _ in range(low if kind == 0x90 else self.sized(m, 0xD4))]
        if kind == 0xA0 or 0xD8 <= m <= 0xDA:
            return {self.value(): self.value() for _ in range(low if kind == 0xA0 else self.sized(m, 0xD8))}
        if kind == 0xB0:
            tag = self.take(1)[0]
            return Structure(tag, [self.value() for _ in range(low)])
        simple = {0xC0: None, 0xC2: False, 0xC3: True}
        if m in simple:
            return simple[m]
        forms = {0xC1: ">d", 0xC8: ">b", 0xC9: ">h", 0xCA: ">i", 0xCB: ">q"}
        if m in forms:
            return self.number(forms[m])
        if 0xCC <= m <= 0xCE:
            return self.take(self.sized(m, 0xCC))
        raise ValueError(f"marker {m:#x}")


class Result:
    def __init__(self, columns, rows, summary):
        self.columns, self.rows, self.summary = columns, rows, summary

    def dicts(self):
        return [dict(zip(self.columns, row)) for row in self.rows]


class Bolt:
    """`with Bolt(port) as b: b.run("RETURN 1").rows`"""

    def __init__(self, port, user=None, password=None, timeout_s=30, version=(5, 4), host="127.0.0.1", routing=None):
        """`routing`: the context with which a driver says that it routes (neo4j://)."""
        self.version, self.timeout_s = version, timeout_s
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        wanted = bytes([0, 0, version[1], version[0]])
        self.socket.sendall(b"\x60\x60\xb0\x17" + wanted + bytes(12))
        assert self.receive_exactly(4) == wanted
        hello = {"user_agent": "quiver-tests/1.0", "bolt_agent": {"product": "quiver-tests/1.0"}}
        if routing is not None:
            hello["routing"] = routing
        auth = {"scheme": "none"} if user is None else {"scheme": "basic", "principal": user, "credentials": password}
        if version >= (5, 1):
            self.call(0x01, hello)
            self.login = self.call(0x6A, auth)
        else:
            self.login = self.call(0x01, {**hello, **auth})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, tag, *fields):
        data = bytes([0xB0 | len(fields), tag]) + b"".join(map(pack, fields))
        chunks = [data[i:i + 65535] for i in range(0, len(data), 65535)]
        self.socket.sendall(b"".join(struct.pack(">H", len(c)) + c for c in chunks) + b"\x00\x00")

    def receive_exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return data

    def receive(self):
        data = b""
        while True:
            size = struct.unpack(">H", self.receive_exactly(2))[0]
            if size > 0:
                data += self.receive_exactly(size)
            elif data:
                return _Unpacker(data).value()

    def call(self, tag, *fields):
        self.send(tag, *fields)
        return self.answer()

    def answer(self, rows=None):
        """The SUCCESS behind any records, which go to `rows`."""
        while True:
            message = self.receive()
            if message.tag == 0x71:
                rows.append(message.fields[0])
            elif message.tag == 0x70:
                return message.fields[0]
            elif message.tag == 0x7F:
                raise Failure(message.fields[0])
            else:
                raise Failure({"code": "IGNORED", "message": "ignored"})

    def begin(self, **extra):
        return self.call(0x11, extra)

    def commit(self):
        return self.call(0x12)

    def rollback(self):
        return self.call(0x13)

    def reset(self):
        return self.call(0x0F)

    def route(self, database=None):
        return self.call(0x66, {}, [], {} if database is None else {"db": database})["rt"]

    def run(self, text, parameters=None, **extra):
        """RUN and PULL everything. After a failure the connection is reset, so that it can be used again."""
        rows = []
        self.send(0x10, text, parameters or {}, extra)
        self.send(0x3F, *([{"n": -1}] if self.version >= (4, 0) else []))
        try:
            columns = self.answer()["fields"]
            summary = self.answer(rows)
        except Failure:
            self.socket.settimeout(self.timeout_s)  # the caller may have shortened it
            self.send(0x0F)
            while True:
                message = self.receive()
                if message.tag == 0x70:
                    break
            raise
        return Result(columns, rows, summary)
