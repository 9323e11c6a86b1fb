"""Is a history of reads and writes of one register linearizable? The search of Wing and Gong with Lowe's memory of visited states.

A history is a list of Op. An operation whose outcome nobody knows has `end` None: it may take effect at any time after its begin, or never;
one that certainly did nothing is left out by the caller.
"""
import collections

Op = collections.namedtuple("Op", "begin end kind value")  # kind "w" or "r"; value written, or seen


def _events(history):
    """(time, is_return, number) in order; at equal times calls come first, which allows more."""
    events = []
    for number, op in enumerate(history):
        events.append((op.begin, 0, number))
        events.append((float("inf") if op.end is None else op.end, 1, number))
    return sorted(events)


class _Entry:
    __slots__ = ("number", "call", "match", "before", "after")

    def __init__(self, number, call):
        self.number, self.call, self.match, self.before, self.after = number, call, None, None, None

    def unlink(self):
        self.before.after = self.after
        if self.after is not None:
            self.after.before = self.before

    def link(self):
        self.before.after = self
        if self.after is not None:
            self.after.before = self


def _linked(history):
    head = at = _Entry(-1, False)
    calls = {}
    for _, is_return, number in _events(history):
        entry = _Entry(number, not is_return)
        if is_return:
            calls[number].match = entry
        else:
            calls[number] = entry
        at.after, entry.before, at = entry, at, entry
    return head


def linearizable(history, initial=None, steps_max=2_000_000):
    """True or False; None if the search was given up."""
    head = _linked(history)
    must = sum(1 for op in history if op.end is not None)
    state, done, done_must = initial, 0, 0
    visited, stack = set(), []
    at = head.after
    for _ in range(steps_max):
        if done_must == must:
            return True
        if at is not None and at.call:
            op = history[at.number]
            fits = op.kind == "w" or op.value == state
            after = (done | 1 << at.number, op.value if op.kind == "w" else state)
            if fits and after not in visited:
                visited.add(after)
                stack.append((at, state))
                done, state = after
                done_must += op.end is not None
                at.unlink()
                at.match.unlink()
                at = head.after
            else:
                at = at.after
            continue
        if not stack:
            return False
        at, state = stack.pop()  # a return, or the end: what was taken last came too early
        done &= ~(1 << at.number)
        done_must -= history[at.number].end is not None
        at.match.link()
        at.link()
        at = at.after
    return None


# ---- histories that the checker must tell apart ----

GOOD = {
    "nothing": [],
    "one after the other": [Op(0, 1, "w", 1), Op(2, 3, "r", 1), Op(4, 5, "w", 2), Op(6, 7, "r", 2)],
    "both orders of concurrent writes": [Op(0, 9, "w", 1), Op(0, 9, "w", 2), Op(10, 11, "r", 1)],
    "a read beside a write sees either": [Op(0, 1, "w", 1), Op(2, 9, "w", 2), Op(3, 4, "r", 1), Op(5, 6, "r", 2)],
    "an unknown write that happened": [Op(0, 1, "w", 1), Op(2, None, "w", 2), Op(8, 9, "r", 2)],
    "an unknown write that did not": [Op(0, 1, "w", 1), Op(2, None, "w", 2), Op(8, 9, "r", 1)],
    "an unknown write that happened late": [Op(0, 1, "w", 1), Op(2, None, "w", 2), Op(3, 4, "r", 1), Op(8, 9, "r", 2)],
}
BAD = {
    "a read of nothing written": [Op(0, 1, "w", 1), Op(2, 3, "r", 7)],
    "a lost write": [Op(0, 1, "w", 1), Op(2, 3, "w", 2), Op(4, 5, "r", 1)],
    "a stale read": [Op(0, 1, "w", 1), Op(2, 3, "w", 2), Op(4, 5, "r", 2), Op(6, 7, "r", 1)],
    "a read that goes back beside a write": [Op(0, 1, "w", 1), Op(2, 9, "w", 2), Op(3, 4, "r", 2), Op(5, 6, "r", 1)],
    "a write that happened twice": [Op(0, 1, "w", 1), Op(2, None, "w", 2), Op(3, 4, "r", 2), Op(5, 6, "w", 3), Op(7, 8, "r", 2)],
    "an unknown write seen, then gone": [Op(0, 1, "w", 1), Op(2, None, "w", 2), Op(3, 4, "r", 2), Op(5, 6, "r", 1)],
    "a read before the write": [Op(0, 1, "r", 1), Op(2, 3, "w", 1)],
}


def check_the_checker():
    for name, history in GOOD.items():
        assert linearizable(history) is True, f"refused: {name}"
    for name, history in BAD.items():
        assert linearizable(history) is False, f"accepted: {name}"
