#!/usr/bin/env python3
"""A follower that is far behind, over a thin wire: what it is sent must not keep heartbeats from it, so that it keeps its leader.

tests/cluster/behind.py REGISTER [MEGABYTES]      needs root, for network namespaces; skipped (77) without

With 4 MB the wire is so thin that one append of a megabyte would take longer than an election timeout.

One member is dead while so much is written (default 50); it comes back over a wire of a tenth of that a second. Until it has all of it,
term and leader stay what they are, for the others and, once it has heard of them, for itself; writes go on; and hardly anything is sent
twice.
"""
import argparse
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from members import Hosts, Members, ask  # noqa: E402

# A log that forgets nothing: the member is brought up to date by entries, not by a copy.
OPTIONS = ["--election", "1000", "--heartbeat", "100", "--checkpoint", "100000000"]
VALUE_BYTES, OUTSTANDING = 4000, 256
SKIPPED = 77


def write(address, megabytes):
    """So much, in entries of VALUE_BYTES, OUTSTANDING at a time."""
    count = megabytes * 1000000 // VALUE_BYTES
    with socket.create_connection(address, timeout=10) as s, s.makefile("rb") as answers:
        for sent in range(count):
            s.sendall(b"%d w %d %s\n" % (sent, sent % 1000, b"x" * VALUE_BYTES))
            if sent >= OUTSTANDING:
                check_written(answers.readline())
        for _ in range(min(count, OUTSTANDING)):
            check_written(answers.readline())


def check_written(answer):
    assert answer.endswith(b" ok\n"), answer


def match_of(status, n):
    return next(int(match) for server, _, match in (part.split(":") for part in status["members"].split(",")) if int(server) == n)


def catch_up(members, leader, behind, timeout_s):
    """Until the leader knows that the member has what is committed now. Returns (seconds, writes meanwhile, the slowest of them)."""
    before = members.status(leader)
    begin, writes, slowest, has_leader = time.monotonic(), 0, 0.0, False
    while time.monotonic() < begin + timeout_s:
        asked = time.monotonic()
        assert ask(members.client_address(leader), "w 1 y") == "ok"
        slowest, writes = max(slowest, time.monotonic() - asked), writes + 1
        now = members.status(leader)
        assert (now["state"], now["term"]) == ("leader", before["term"]), f"the leadership was lost: {before}, then {now}"
        its = members.status(behind)
        assert not has_leader or its is None or its["leader"] == str(leader), f"the member that is behind has lost its leader: {its}"
        has_leader = has_leader or (its is not None and its["leader"] == str(leader))
        if match_of(now, behind) >= int(before["commit"]):
            return time.monotonic() - begin, writes, slowest
        time.sleep(0.05)
    raise TimeoutError(f"still behind: {now}")


def run(members, megabytes):
    leader = members.start_all().leader()
    behind = next(n for n in sorted(members.processes) if n != leader)
    rate = megabytes * 1e6 / 10
    members.wait_together()
    members.kill(behind)
    write(members.client_address(leader), megabytes)
    members.network.slow_down(behind, bytes_a_second=rate)
    before = members.network.sent_to(behind)
    members.start(behind)
    seconds, writes, slowest = catch_up(members, leader, behind, 120)
    assert seconds > 8, f"{megabytes} MB at {rate / 1e6} MB/s took {seconds:.1f} s: the wire was not thin"
    times = (members.network.sent_to(behind) - before) / (megabytes * 1e6)
    its = members.status(behind)
    assert int(its["leader"]) == leader and its["term"] == members.status(leader)["term"], its
    assert times < 1.3, f"it was sent {times:.2f} times what it lacked"
    members.network.heal()
    members.wait_together()
    print(f"{megabytes} MB behind over {rate / 1e6:g} MB/s: caught up in {seconds:.1f} s under one leader and term, sent {times:.2f} times; "
          f"{writes} writes meanwhile, the slowest {slowest * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("register")
    parser.add_argument("megabytes", type=int, nargs="?", default=50)
    arguments = parser.parse_args()
    if not Hosts.usable():
        print("no network namespaces here")
        return SKIPPED
    members = Members(arguments.register, 3, 3, Hosts(3), OPTIONS)
    good = False
    try:
        run(members, arguments.megabytes)
        good = True
    finally:
        members.close(keep=not good)
    return 0


if __name__ == "__main__":
    sys.exit(main())
