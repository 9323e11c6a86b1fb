"""One graph in a server with ample memory and in one with little; what must be equal, and what the little one did with its memory."""
import pathlib
import re
import shutil
import tempfile
import time

from lib.cgroup import limited
from lib.quiver import Server

MIB = 1 << 20


def say(*words):
    print(*words, flush=True)


class Run:
    """One home folder and its servers."""

    def __init__(self, binary, group=None):
        self.binary, self.group = binary, group
        self.home = tempfile.mkdtemp(prefix="quiver-memory-")
        self.wrapper = group.wrapper() if group is not None else []
        self.settings = group.settings if group is not None else {}

    def server(self, **settings):
        return Server(self.binary, home=self.home, auth=False, wrapper=self.wrapper, start_timeout_s=120, settings={**self.settings, **settings})

    def prepare(self):
        """The first start makes the system database's first user, whose password hash alone takes 64 MiB for a moment: outside the limit."""
        with Server(self.binary, home=self.home, auth=False):
            pass

    def store_bytes(self):
        return (self.folder() / "store.pages").stat().st_size

    def log_bytes(self):
        return sum(f.stat().st_size for f in self.folder().glob("store.log.*"))

    def folder(self):
        return pathlib.Path(self.home) / "data/databases/neo4j"

    def log(self):
        return (pathlib.Path(self.home) / "logs/neo4j.log").read_text()

    def page_counts(self):
        """What the servers of this home said when they stopped, added up: read, batches, evicted, written early."""
        found = re.findall(r"Page cache: \d+ of \d+ pages used, (\d+) read \((\d+) of them in (\d+) batches\), (\d+) evicted, (\d+) written early", self.log())
        names = ("read", "read in batches", "batches", "evicted", "written early")
        return dict(zip(names, (sum(int(row[i]) for row in found) for i in range(len(names)))))

    def used_by_transactions_kib(self):
        return max(map(int, re.findall(r"Transactions: (\d+) KiB at most", self.log())), default=0)

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


class Clock:
    def __init__(self):
        self.at = time.monotonic()

    def lap(self):
        now = time.monotonic()
        self.at, spent = now, now - self.at
        return spent


def tell_group(group, what, spent_s):
    if group.peak_bytes() is None:
        say(f"  {what:22} {spent_s:7.1f} s")
        return
    say(f"  {what:22} {spent_s:7.1f} s   peak {group.peak_bytes() / MIB:5.1f} MiB, now {group.anonymous_bytes() / MIB:5.1f} MiB anonymous, "
        f"{group.file_cache_bytes() / MIB:4.1f} MiB of files; limit met {group.refusals()} times")


def play(run, shape, clock, tell):
    """Load, updates, an orderly stop (which is a checkpoint), sums; then updates again, a kill, recovery and sums."""
    with run.server(**{"db.tx_log.rotation.size": "16m"}) as server:
        shape.load(server.bolt_port)
        tell("load", clock.lap())
        shape.update(server.bolt_port)
        tell("updates", clock.lap())
    tell("stop, with checkpoint", clock.lap())
    with run.server() as server:
        sums = [shape.sums(server.bolt_port)]
        tell("sums", clock.lap())
        shape.update_again(server.bolt_port)
        server.kill()
    clock.lap()
    with run.server() as server:
        tell("recovery after a kill", clock.lap())
        sums.append(shape.sums(server.bolt_port))
        tell("sums", clock.lap())
    return sums


def compare(binary, shape, limit_bytes):
    """True if all is well."""
    clock = Clock()
    ample = Run(binary)
    say(f"ample memory: {shape}")
    ample.prepare()
    expected = play(ample, shape, clock, lambda what, spent_s: say(f"  {what:22} {spent_s:7.1f} s"))
    ample.close()
    group = limited("memory", limit_bytes)
    say(f"{limit_bytes // MIB} MiB ({group.kind}):")
    settings_say = f"{limit_bytes // MIB} MiB in all"
    little = Run(binary, group)
    try:
        little.prepare()
        clock.lap()
        got = play(little, shape, clock, lambda what, spent_s: tell_group(group, what, spent_s))
        return judge(little, group, limit_bytes, expected, got, settings_say)
    finally:
        try:
            group.close()
        except OSError as e:
            say(f"the group could not be removed: {e}")


def judge(run, group, limit_bytes, expected, got, settings_say):
    counts = run.page_counts()
    say(f"store {run.store_bytes() / MIB:.0f} MiB ({run.store_bytes() / limit_bytes:.1f} times the limit), log {run.log_bytes() / MIB:.0f} MiB; "
        f"pages: {', '.join(f'{n} {name}' for name, n in counts.items())}; transactions: {run.used_by_transactions_kib()} KiB at most")
    peak = group.peak_bytes()
    wrong = [what for what, holds in (
        ("the sums differ", got == expected),
        ("the store is less than four times the limit", run.store_bytes() >= 4 * limit_bytes),
        ("nothing was evicted", counts["evicted"] > 0),
        ("nothing was read", counts["read"] > 0),
        ("the log was not kept short", run.log_bytes() < 4 * limit_bytes),
        ("the server did not see its limit", peak is None or settings_say in run.log()),
        ("the limit did not hold", peak is None or (0 < peak <= limit_bytes and group.kills() == 0)),
    ) if not holds]
    for what in wrong:
        say(f"FAILED: {what}")
    if expected != got:
        say(f"  with ample memory {expected}\n  with little {got}")
    if not wrong:
        say(f"ok: {got[-1]['nodes'][0]} nodes and {got[-1]['relationships'][0]} relationships are the same")
        run.close()
    return not wrong
