#!/usr/bin/env python3
"""A wire that is slow: carries frames between two network interfaces, each way late, or no faster than so much.

slow_wire.py INTERFACE INTERFACE DELAY_MS JITTER_MS BYTES_A_SECOND      until it is killed; "ready" on its output when it carries

A frame comes late by DELAY_MS and up to JITTER_MS more, and never overtakes another. BYTES_A_SECOND 0: as fast as they come; otherwise
what waits for the wire is bounded like a router's queue, and what finds no room there is lost. Frames go with the kernel's own header of
checksums and segments still to be made, so nothing has to be switched off on the interfaces.
"""
import collections
import random
import select
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
ETH_P_ALL, FRAME_BYTES_MAX = 3, 1 << 17
QUEUE_S = 0.2  # so long may a frame wait for the wire


class Way:
    """From one interface to the other: what is on its way, in order."""

    def __init__(self, source, target, delay_s, jitter_s, rate):
        self.source, self.target = source, target
        self.delay_s, self.jitter_s, self.rate = delay_s, jitter_s, rate
        self.on_the_way = collections.deque()  # (arrival, frame)
        self.free_at = self.last = 0.0         # the wire takes the next frame; the last one arrives

    def take(self, frame, now):
        start = max(now, self.free_at)
        if self.rate and start - now > QUEUE_S:
            return
        self.free_at = start + (len(frame) / self.rate if self.rate else 0)
        self.last = max(self.last, self.free_at + self.delay_s + random.uniform(0, self.jitter_s))
        self.on_the_way.append((self.last, frame))

    def receive(self, now):
        while True:
            try:
                self.take(self.source.recv(FRAME_BYTES_MAX), now)
            except BlockingIOError:
                return

    def deliver(self, now):
        while self.on_the_way and self.on_the_way[0][0] <= now:
            try:
                self.target.send(self.on_the_way.popleft()[1])
            except OSError:
                pass  # the interface's queue is full, or it is down: lost, like on any wire


def tap(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((interface, ETH_P_ALL))
    return s


def carry(ways):
    sources = [way.source for way in ways]
    while True:
        due = min((way.on_the_way[0][0] for way in ways if way.on_the_way), default=None)
        select.select(sources, [], [], None if due is None else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for way in ways:
            way.receive(now)
            way.deliver(now)


def main():
    a, b = tap(sys.argv[1]), tap(sys.argv[2])
    delay_s, jitter_s, rate = float(sys.argv[3]) / 1000, float(sys.argv[4]) / 1000, float(sys.argv[5])
    print("ready", flush=True)
    carry([Way(a, b, delay_s, jitter_s, rate), Way(b, a, delay_s, jitter_s, rate)])


if __name__ == "__main__":
    main()
