"""Is a history of transactions that append to lists and read them what a causal cluster promises? After Elle (Kingsbury, Alvaro 2020).

Each appended value is unique, so a list tells who appended what, in which order; the lists at the end tell the order of all. Promised, and
checked here:

- Read committed, as Neo4j has it, a snapshot a statement: no G0 (appends are made under locks that last until the commit is published), no
  G1a (nobody sees what was not committed), no G1b (nor half of a transaction), no G1c (nor a circle of who saw whom). Anti-dependencies
  (G-single, G2) are not promised and not looked for, but for one: an append is made to the list as it is, never to an older one.
- What was acknowledged is there, once; what was refused is not; what nobody knows is there whole or not at all.
- A transaction sees what it appended itself.
- The Raft term is the lease: what a transaction reads after its first write, and commits, is not older than what was acknowledged
  before it began; transactions commit in the order in which they followed upon each other.
- Bookmarks are causal on every member: with one, nothing is missing that was acknowledged with it or before it, and nothing that
  somebody saw who was given it.
"""
import bisect
import collections

# An operation is ("a", key, value) or ("r", key, what was seen). `outcome`: "ok", "failed" (certainly nothing happened), "unknown".
# `after` is the place in the log that the bookmark it began with names, 0: none; `bookmark` that of the answer, None without one.
Txn = collections.namedtuple("Txn", "begin end outcome ops after bookmark", defaults=(0, None))


def appends(txn):
    return [(key, value) for kind, key, value in txn.ops if kind == "a"]


class History:
    """What is known of the transactions together. `final` is {key: list} after everything has ended."""

    def __init__(self, txns, final):
        self.txns, self.final, self.wrong = txns, final, []
        self.writer = {(key, value): n for n, txn in enumerate(txns) for key, value in appends(txn)}
        self.place = {(key, value): i for key, values in final.items() for i, value in enumerate(values)}
        self.committed = {n for n, txn in enumerate(txns) if txn.outcome == "ok" or any(a in self.place for a in appends(txn))}
        self.acknowledged = [n for n, txn in enumerate(txns) if txn.outcome == "ok" and appends(txn)]

    def note(self, anomaly, *what):
        self.wrong.append(f"{anomaly}: " + "; ".join(map(str, what)))

    def seen_of_others(self):
        """(number, key, what was seen without the transaction's own, its own appends before) of every read."""
        for n, txn in enumerate(self.txns):
            own = collections.defaultdict(list)
            for kind, key, value in txn.ops:
                if kind == "a":
                    own[key].append(value)
                    continue
                mine = own[key]
                if mine and value[-len(mine):] != mine:
                    self.note("own append not seen", key, value, mine, txn)
                yield n, key, value[:len(value) - len(mine)], mine


def check_final(h):
    for key, values in h.final.items():
        for value, count in collections.Counter(values).items():
            if count > 1:
                h.note("duplicate", key, value)
        for value in values:
            n = h.writer.get((key, value))
            if n is None:
                h.note("nobody appended it", key, value)
            elif h.txns[n].outcome == "failed":
                h.note("aborted read", "at the end", key, value, h.txns[n])
    for txn in h.txns:
        there = [a in h.place for a in appends(txn)]
        if txn.outcome == "ok" and not all(there):
            h.note("lost append", txn)
        elif any(there) and not all(there):
            h.note("half a transaction", txn)
        for key in {key for key, _ in appends(txn)} if all(there) else ():
            places = [h.place[a] for a in appends(txn) if a[0] == key]
            if places != list(range(places[0], places[0] + len(places))):
                h.note("appends not together", key, txn)


def check_reads(h):
    for n, key, seen, own in h.seen_of_others():
        txn = h.txns[n]
        if seen != h.final.get(key, [])[:len(seen)]:
            aborted = [v for v in seen if (key, v) in h.writer and h.txns[h.writer[key, v]].outcome == "failed"]
            name = "aborted read" if aborted else "duplicate" if len(set(seen)) < len(seen) else "incompatible order"
            h.note(name, key, seen, h.final.get(key), txn)
            continue
        if own and n in h.committed and h.place.get((key, own[0])) not in (None, len(seen)):
            h.note("append to an older list", key, seen, txn)
        if seen and h.writer.get((key, seen[-1])) not in (None, n):
            writer = h.txns[h.writer[key, seen[-1]]]
            if [v for k, v in appends(writer) if k == key][-1] != seen[-1]:
                h.note("intermediate read", key, seen, txn, writer)


# ---- circles ----

def edges(h, reads):
    """{transaction: those that must come after it}: who appended next (ww), and who saw it (wr)."""
    after = collections.defaultdict(set)
    for key, values in h.final.items():
        writers = [h.writer[key, v] for v in values if (key, v) in h.writer]
        for a, b in zip(writers, writers[1:]):
            after[a].add(b)
    for n, key, seen, _ in h.seen_of_others() if reads else ():
        if n in h.committed and seen and (key, seen[-1]) in h.writer:
            after[h.writer[key, seen[-1]]].add(n)
    for n in after:
        after[n].discard(n)
    return after


def find_circle(after):
    """Those that are left when whoever waits for nobody is taken away, again and again; None if nobody is."""
    waits = collections.Counter(b for targets in after.values() for b in targets)
    free = [n for n in after if not waits[n]]
    while free:
        for b in after.get(free.pop(), ()):
            waits[b] -= 1
            if not waits[b]:
                free.append(b)
    return [n for n, count in waits.items() if count] or None


def check_circles(h):
    for name, reads in (("G0", False), ("G1c", True)):
        circle = find_circle(edges(h, reads))
        if circle:
            h.note(name, *[h.txns[n] for n in circle[:6]])
            return


# ---- orders ----

def check_order_of_commits(h):
    """By place in the log: every one its own, and none before what was acknowledged when it began; in each list too."""
    by_place, acknowledged = {}, set(h.acknowledged)
    for n in h.acknowledged:
        if by_place.setdefault(h.txns[n].bookmark, n) != n:
            h.note("two commits in one place", h.txns[n], h.txns[by_place[h.txns[n].bookmark]])
    for key, values in h.final.items():
        places = [h.txns[h.writer[key, v]].bookmark for v in values if h.writer.get((key, v)) in acknowledged]
        if places != sorted(places):
            h.note("commits out of order", key, places)
    ended = sorted((h.txns[n].end, h.txns[n].bookmark) for n in h.acknowledged)
    highest = running_maximum(ended)
    for n in h.acknowledged:
        before = bisect.bisect_left(ended, (h.txns[n].begin,))
        if before and highest[before - 1] >= h.txns[n].bookmark:
            h.note("commits out of order", f"{highest[before - 1]} was acknowledged before this began", h.txns[n])


def running_maximum(pairs):
    out = []
    for _, value in pairs:
        out.append(max(value, out[-1]) if out else value)
    return out


class Floor:
    """For a key: how long the list was at least, when a measure (time, place in the log) had a value."""

    def __init__(self, pairs):
        self.at = sorted(pairs)
        self.longest = running_maximum(self.at)

    def of(self, value, inclusive):
        n = bisect.bisect_right(self.at, (value, float("inf"))) if inclusive else bisect.bisect_left(self.at, (value,))
        return self.longest[n - 1] if n else 0


def floors(h, measure, more=()):
    pairs = collections.defaultdict(list)
    for n in h.acknowledged:
        for key, value in appends(h.txns[n]):
            if (key, value) in h.place:
                pairs[key].append((measure(h.txns[n]), h.place[key, value] + 1))
    for key, at, length in more:
        pairs[key].append((at, length))
    return {key: Floor(p) for key, p in pairs.items()}


def check_bookmarks(h):
    reads = list(h.seen_of_others())
    given = [(key, h.txns[n].bookmark, len(seen)) for n, key, seen, _ in reads if h.txns[n].bookmark is not None]
    least = floors(h, lambda txn: txn.bookmark, given)
    for n, key, seen, _ in reads:
        if h.txns[n].after and key in least and len(seen) < least[key].of(h.txns[n].after, inclusive=True):
            h.note("bookmark not honoured", key, f"{len(seen)} of {least[key].of(h.txns[n].after, inclusive=True)}", h.txns[n])


def check_lease(h):
    least = floors(h, lambda txn: txn.end)
    for n, txn in enumerate(h.txns):
        if txn.outcome != "ok":
            continue
        wrote = False
        for kind, key, value in txn.ops:
            wrote |= kind == "a"
            if wrote and kind == "r" and key in least and len(value) < least[key].of(txn.begin, inclusive=False):
                h.note("stale under its lease", key, value, txn)


def check(txns, final):
    """What is wrong with it, a line each; empty if nothing is."""
    h = History(txns, final)
    for part in (check_final, check_reads, check_circles, check_order_of_commits, check_bookmarks, check_lease):
        part(h)
    return h.wrong
