#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds many connected UDP sockets, and tells when all of them have failed.

  holder.py ADDRESS PORT COUNT      says "ready", later "failed COUNT FIRST LAST ERROR"
  holder.py ADDRESS PORT 0 PAUSE    connects again and again, with a pause in seconds; when it is terminated, a line for
                                    each connect, "connect START DURATION", both in ns of CLOCK_MONOTONIC
"""

import errno
import resource
import select
import signal
import socket
import sys
import time


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def hold(address, port, count):
    limit = count + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    poll = select.epoll()
    opened = {}
    for _ in range(count):
        sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
        sock.connect((address, port))
        opened[sock.fileno()] = sock
        poll.register(sock, select.EPOLLERR | select.EPOLLONESHOT)
    print("ready", flush=True)
    times = []
    while len(times) < count:
        # Not closed yet: that would make room in the kernel meanwhile, and hide what it costs to have them.
        events = poll.poll(maxevents=count)
        times += [time.monotonic_ns()] * len(events)
    errors = {errno.errorcode[sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)] for sock in opened.values()}
    print("failed", len(times), times[0], times[-1], *errors, flush=True)


def probe(address, port, pause):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    seen = []
    while not ended:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
            start = time.monotonic_ns()
            sock.connect((address, port))
            seen.append((start, time.monotonic_ns() - start))
        time.sleep(pause)
    for start, duration in seen:
        print("connect", start, duration)


if __name__ == "__main__":
    if len(sys.argv) > 4:
        probe(sys.argv[1], int(sys.argv[2]), float(sys.argv[4]))
    else:
        hold(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
