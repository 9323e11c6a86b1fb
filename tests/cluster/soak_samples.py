"""What soak.py looks at while it runs, from outside: memory, threads, descriptors and files of each server; and what must not grow.

soak_samples.py [SAMPLES.CSV]      judges what was written down

A sample is a dict: time_s since the beginning, server, age_s of its process, and numbers. Judging is arithmetic over samples; `check_the_judge` shows that
it sees what grows.
"""
import csv
import os
import pathlib
import statistics
import sys

WARM_S, LONG_SAMPLES = 240, 60  # seconds; samples that make a life long
NUMBERS = ["rss_kib", "anonymous_kib", "threads", "descriptors", "sockets", "files", "folders", "data_kib", "log_kib", "segments", "behind"]
COLUMNS = ["time_s", "server", "pid", "age_s"] + NUMBERS
MIB = 1024  # KiB


def status_of(pid):
    """{rss_kib, anonymous_kib, threads}"""
    told = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {"rss_kib": int(told["VmRSS"].split()[0]), "anonymous_kib": int(told["RssAnon"].split()[0]), "threads": int(told["Threads"])}


def descriptors_of(pid):
    """Without those of the log's segments, which are counted as files."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue  # closed meanwhile
    return {"descriptors": sum("/store.log." not in link for link in links), "sockets": sum(link.startswith("socket:") for link in links)}


def files_of(home):
    """Of the data folder: what is there, and what it takes on disk."""
    told = {"files": 0, "folders": 0, "data_kib": 0, "log_kib": 0, "segments": 0}
    for folder, _, names in os.walk(home / "data"):
        told["folders"] += 1
        for name in names:
            try:
                kib = os.stat(os.path.join(folder, name)).st_blocks // 2
            except FileNotFoundError:
                continue
            told["files"] += 1
            told["data_kib"] += kib
            if name.startswith("store.log."):
                told["log_kib"] += kib
                told["segments"] += 1
    return told


class Sampler:
    """Keeps all samples, and writes them to a file as they come."""

    def __init__(self, path):
        self.samples, self.file = [], open(path, "w", encoding="utf-8", newline="")
        self.writer = csv.DictWriter(self.file, COLUMNS)
        self.writer.writeheader()

    def take(self, time_s, n, pid, age_s, home, behind=None):
        """False if the process has gone meanwhile."""
        try:
            sample = {"time_s": round(time_s, 1), "server": n, "pid": pid, "age_s": round(age_s, 1), **status_of(pid), **descriptors_of(pid), **files_of(home),
                      "behind": behind}
        except (FileNotFoundError, ProcessLookupError, KeyError):  # a process that ends has no memory any more
            return False
        self.samples.append(sample)
        self.writer.writerow(sample)
        self.file.flush()
        return True


# ---- judging ----

def thirds(values):
    """The medians of the second third and of the last. In the first a process comes to what it has never done before: leads, has all clients come
    back at once after a fault, serves somebody's catching up; what it needed most, the allocator keeps."""
    part = max(len(values) // 3, 1)
    return statistics.median(values[-2 * part:-part] or values), statistics.median(values[-part:])


def lives(samples):
    """{(server, pid): its samples}"""
    found = {}
    for sample in samples:
        found.setdefault((sample["server"], sample["pid"]), []).append(sample)
    return found


def growth(samples, what):
    """(second third, last third, per cent)"""
    first, last = thirds([s[what] for s in samples])
    return first, last, 100 * (last - first) / max(first, 1)


def long_lives(samples, warm_s, least):
    """Of processes that lived for long after they were warm: their samples since then."""
    for key, of in lives(samples).items():
        warm = [s for s in of if s["age_s"] >= warm_s]
        if len(warm) >= least:
            yield key, warm


def not_flat(samples, warm_s, least):
    """Of processes that lived long: memory, threads and descriptors that were more at the end than when they were warm."""
    for (server, pid), warm in long_lives(samples, warm_s, least):
        for what, percent, room in (("rss_kib", 5, 2 * MIB), ("anonymous_kib", 5, 2 * MIB), ("threads", 0, 2), ("descriptors", 0, 8)):
            first, last, _ = growth(warm, what)
            if last - first > max(first * percent / 100, room):
                yield f"{what} of server {server} (process {pid}) went from {first:.0f} to {last:.0f} within {warm[-1]['age_s'] - warm[0]['age_s']:.0f} s"


def not_bounded(samples, warm_s, least):
    """Files of a server, whatever its processes: what all of them together take."""
    for server in sorted({s["server"] for s in samples}):
        of = [s for s in samples if s["server"] == server and s["time_s"] >= warm_s]
        if len(of) < least:
            continue
        for what, percent, room in (("files", 10, 8), ("folders", 0, 2), ("data_kib", 20, 8 * MIB), ("log_kib", 25, 8 * MIB), ("segments", 25, 8)):
            first, last, _ = growth(of, what)
            if last - first > max(first * percent / 100, room):
                yield f"{what} of server {server} went from {first:.0f} to {last:.0f} within {of[-1]['time_s'] - of[0]['time_s']:.0f} s"


def check_the_judge():
    """That what grows is seen, and what swings is not."""
    def made(grow):
        return [{"time_s": 5.0 * i, "server": 1, "pid": 7, "age_s": 5.0 * i, **dict.fromkeys(NUMBERS, 50000 + i % 7), **grow(i)} for i in range(400)]

    assert not list(not_flat(made(lambda i: {}), 120, 60)) and not list(not_bounded(made(lambda i: {}), 120, 60))
    for what, step in (("rss_kib", 30), ("anonymous_kib", 30), ("threads", 1), ("descriptors", 1)):
        assert len(list(not_flat(made(lambda i, w=what, s=step: {w: 50000 + i * s}), 120, 60))) == 1, what
    for what, step in (("files", 100), ("folders", 1), ("data_kib", 200), ("log_kib", 200), ("segments", 200)):
        assert len(list(not_bounded(made(lambda i, w=what, s=step: {w: 50000 + i * s}), 120, 60))) == 1, what


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return [{key: float(value) if value else None for key, value in row.items()} for row in csv.DictReader(f)]


def main():
    check_the_judge()
    wrong = []
    for path in sys.argv[1:]:
        samples = read(path)
        for (server, _), warm in long_lives(samples, WARM_S, LONG_SAMPLES):
            told = ", ".join("%s %.0f to %.0f" % (what, *growth(warm, what)[:2]) for what in ("rss_kib", "anonymous_kib", "threads", "descriptors"))
            print(f"server {server:.0f}, {warm[-1]['age_s'] - warm[0]['age_s']:.0f} s: {told}")
        wrong += [*not_flat(samples, WARM_S, LONG_SAMPLES), *not_bounded(samples, WARM_S, LONG_SAMPLES)]
    print("\n".join(wrong) if wrong else "flat, bounded" if sys.argv[1:] else "the judge sees what grows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
