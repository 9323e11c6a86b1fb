"""Values as the TCK's tables and cypher_run write them, read and compared."""
import math
import re

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
NAME = re.compile(r"`[^`]*`|[^\W\d]\w*|\w+")


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self):
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def take(self, token):
        self.skip()
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def need(self, token):
        if not self.take(token):
            raise ValueError(f"{token!r} expected at {self.at} of {self.text!r}")

    def name(self):
        self.skip()
        match = NAME.match(self.text, self.at)
        self.at = match.end()
        return match.group().strip("`")

    def string(self):
        out = []
        while self.text[self.at] != "'":
            if self.text[self.at] == "\\":
                self.at += 1
                out.append({"n": "\n", "t": "\t"}.get(self.text[self.at], self.text[self.at]))
            else:
                out.append(self.text[self.at])
            self.at += 1
        self.at += 1
        return ("text", "".join(out))

    def map(self):
        entries = {}
        while not self.take("}"):
            key = self.name()
            self.need(":")
            entries[key] = self.value()
            self.take(",")
        return entries

    def node(self):
        labels = set()
        while self.take(":"):
            labels.add(self.name())
        entries = self.map() if self.take("{") else {}
        self.need(")")
        return ("node", frozenset(labels), entries)

    def rel(self):
        self.need(":")
        kind = self.name()
        entries = self.map() if self.take("{") else {}
        self.need("]")
        return ("rel", kind, entries)

    def path(self):
        parts = []
        while not self.take(">"):
            if self.take("("):
                parts.append(self.node())
            elif self.take("<-[") or self.take("-["):
                back = self.text[self.at - 3:self.at] == "<-["
                parts.append((back, self.rel()))
                self.need("-" if back else "->")
            else:
                raise ValueError(self.text)
        return ("path", parts)

    def value(self):
        self.skip()
        if self.take("'"):
            return self.string()
        if self.text.startswith("[:", self.at):
            self.at += 1
            return self.rel()
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.value())
                self.take(",")
            return ("list", items)
        if self.take("{"):
            return ("map", self.map())
        if self.take("("):
            return self.node()
        if self.take("<"):
            return self.path()
        for word, value in (("null", None), ("true", True), ("false", False), ("NaN", math.nan), ("Infinity", math.inf),
                            ("Inf", math.inf), ("-Infinity", -math.inf), ("-Inf", -math.inf)):
            if self.take(word):
                return value
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise ValueError(f"no value at {self.at} of {self.text!r}")
        self.at = match.end()
        text = match.group()
        return float(text) if re.search(r"[.eE]", text) else int(text)


def parse(text):
    return Reader(text).value()


def same(a, b, loose):
    """`a` of the engine, `b` of the TCK. With `loose` the order within lists plays no part."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-12)
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple) and a[0] == b[0] == "list":
        if len(a[1]) != len(b[1]):
            return False
        if not loose:
            return all(same(x, y, loose) for x, y in zip(a[1], b[1]))
        left = list(a[1])
        for y in b[1]:
            hit = next((i for i, x in enumerate(left) if same(x, y, loose)), None)
            if hit is None:
                return False
            left.pop(hit)
        return True
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y, loose) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], loose) for k in a)
    return a == b


def same_row(got, wanted, loose):
    return all(same(g, w, loose) for g, w in zip(got, wanted))
