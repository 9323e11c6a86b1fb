"""Histories that the checker of list-append transactions must tell apart: what it accepts, and what it refuses under which name."""
from list_append import Txn, check


def wrote(begin, end, bookmark, *ops, after=0):
    return Txn(begin, end, "ok", list(ops), after, bookmark)


def a(key, value):
    return "a", key, value


def r(key, *values):
    return "r", key, list(values)


ONE, TWO = wrote(0, 1, 10, a("x", 1)), wrote(2, 3, 11, a("x", 2))
LOST = Txn(2, None, "unknown", [a("x", 2)])
REFUSED = Txn(2, 3, "failed", [a("x", 2)])

GOOD = {
    "nothing": ([], {}),
    "one after the other": ([ONE, TWO, wrote(4, 5, 11, r("x", 1, 2))], {"x": [1, 2]}),
    "an old read without a bookmark": ([ONE, TWO, wrote(4, 5, 10, r("x", 1))], {"x": [1, 2]}),
    "reads that go back without bookmarks": ([ONE, TWO, wrote(4, 5, 11, r("x", 1, 2)), wrote(6, 7, 10, r("x", 1))], {"x": [1, 2]}),
    "an unknown append that happened": ([ONE, LOST], {"x": [1, 2]}),
    "an unknown append that did not": ([ONE, LOST], {"x": [1]}),
    "a refused append": ([ONE, REFUSED], {"x": [1]}),
    "a refused transaction saw its own": ([ONE, Txn(2, 3, "failed", [a("x", 2), r("x", 1, 2)])], {"x": [1]}),
    "its own appends": ([ONE, wrote(2, 3, 11, a("x", 2), r("x", 1, 2), a("x", 3), r("x", 1, 2, 3))], {"x": [1, 2, 3]}),
    "a snapshot a statement": ([ONE, wrote(0, 9, 12, r("x"), r("x", 1), a("y", 1))], {"x": [1], "y": [1]}),
    "beside each other, either order": ([wrote(0, 9, 11, a("x", 1)), wrote(0, 9, 10, a("x", 2))], {"x": [2, 1]}),
    "crossing reads before writes": ([wrote(0, 9, 10, r("y"), a("x", 1)), wrote(0, 9, 11, r("x"), a("y", 1))], {"x": [1], "y": [1]}),
}

BAD = {
    "a lost append": ([ONE, TWO], {"x": [1]}, "lost append"),
    "a refused append that happened": ([ONE, REFUSED], {"x": [1, 2]}, "aborted read"),
    "a refused append that was seen for a while": ([ONE, REFUSED, wrote(4, 5, 10, r("x", 1, 2))], {"x": [1]}, "aborted read"),
    "an append twice": ([ONE], {"x": [1, 1]}, "duplicate"),
    "an append twice for a while": ([ONE, wrote(4, 5, 10, r("x", 1, 1))], {"x": [1]}, "duplicate"),
    "an append of nobody": ([ONE], {"x": [1, 7]}, "nobody appended it"),
    "another order": ([ONE, TWO, wrote(4, 5, 11, r("x", 2, 1))], {"x": [1, 2]}, "incompatible order"),
    "an unknown append seen, then gone": ([ONE, LOST, wrote(4, 5, 11, r("x", 1, 2))], {"x": [1]}, "incompatible order"),
    "an append to what was overwritten": ([wrote(0, 9, 10, a("x", 1), r("x", 1)), wrote(0, 9, 11, a("x", 2), r("x", 2))], {"x": [1, 2]}, "append to an older list"),
    "half of an unknown transaction": ([Txn(0, None, "unknown", [a("x", 1), a("y", 1)])], {"x": [1], "y": []}, "half a transaction"),
    "a half of a transaction seen": ([wrote(0, 1, 10, a("x", 1), a("x", 2)), wrote(0, 1, 9, r("x", 1))], {"x": [1, 2]}, "intermediate read"),
    "somebody in between": ([wrote(0, 9, 10, a("x", 1), a("x", 3)), wrote(0, 9, 11, a("x", 2))], {"x": [1, 2, 3]}, "appends not together"),
    "its own append not seen": ([wrote(0, 1, 10, a("x", 1), r("x"))], {"x": [1]}, "own append not seen"),
    "two lists, two orders": ([wrote(0, 9, 10, a("x", 1), a("y", 1)), wrote(0, 9, 11, a("x", 2), a("y", 2))], {"x": [1, 2], "y": [2, 1]}, "G0"),
    "each saw the other": ([wrote(0, 9, 10, a("x", 1), r("y", 1)), wrote(0, 9, 11, a("y", 1), r("x", 1))], {"x": [1], "y": [1]}, "G1c"),
    "a circle of three": ([wrote(0, 9, 10, a("x", 1), r("z", 1)), wrote(0, 9, 11, a("y", 1), r("x", 1)), wrote(0, 9, 12, a("z", 1), r("y", 1))],
                          {"x": [1], "y": [1], "z": [1]}, "G1c"),
    "two commits in one place": ([wrote(0, 1, 10, a("x", 1)), wrote(0, 1, 10, a("y", 1))], {"x": [1], "y": [1]}, "two commits in one place"),
    "a list against the log": ([wrote(0, 9, 11, a("x", 1)), wrote(0, 9, 10, a("x", 2))], {"x": [1, 2]}, "commits out of order"),
    "the log against time": ([wrote(0, 1, 11, a("x", 1)), wrote(2, 3, 10, a("y", 1))], {"x": [1], "y": [1]}, "commits out of order"),
    "a bookmark of one's own write": ([ONE, wrote(2, 3, 9, r("x"), after=10)], {"x": [1]}, "bookmark not honoured"),
    "a bookmark of another's read": ([LOST, wrote(4, 5, 12, r("x", 2)), wrote(6, 7, 12, r("x"), after=12)], {"x": [2]}, "bookmark not honoured"),
    "a later bookmark": ([ONE, TWO, wrote(4, 5, 11, r("x", 1), after=11)], {"x": [1, 2]}, "bookmark not honoured"),
    "stale under its lease": ([ONE, wrote(2, 3, 11, a("y", 1), r("x"))], {"x": [1], "y": [1]}, "stale under its lease"),
}


def check_the_checker():
    for name, (txns, final) in GOOD.items():
        assert check(txns, final) == [], f"refused: {name}: {check(txns, final)}"
    for name, (txns, final, anomaly) in BAD.items():
        wrong = check(txns, final)
        assert any(line.startswith(anomaly + ":") for line in wrong), f"not found: {name}: {wrong}"


if __name__ == "__main__":
    check_the_checker()
