# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What those who watch connections are told. Needs root."""

import errno
import os
import select
import signal
import socket
import struct
import sys
import time
import unittest

from lab import (EVENT, EVENT_CONNECT, EVENT_ESTABLISHED, EVENT_FAILED, EVENT_REFUSED, EVENT_SEND, MAP_CREATE,
                 MAP_TYPE_RINGBUF, SERVICE_AFFINITY, SERVICE_POLICY_LOCAL, TCP, UDP, WATCHERS, Ring, bpf, netns_cookie,
                 packed)
from sock_lb_test import PODS4, PODS6, Services, ask, disconnect, errno_of, mapped, udp
from stats_test import CLOSED

FIELDS = ("time", "cgroup", "netns", "socket", "stats", "duration", "kind", "service", "process", "thread", "comm",
          "address", "backend", "client", "port", "backend_port", "client_port", "protocol", "family", "error")
SO_COOKIE = 57
NO_SERVICE = 0xffffffff
FOREVER = (1 << 63) - 1


class Watcher:
    """Somebody who watches, at one place."""

    def __init__(self, lab, place, size=1 << 20):
        self.lab = lab
        self.place = place
        self.fd = bpf(MAP_CREATE, struct.pack("=IIIII", MAP_TYPE_RINGBUF, 0, 0, size, 0))
        self.ring = Ring(self.fd, size)
        lab.maps["watcher_rings"].update(struct.pack("=I", place), struct.pack("=I", self.fd))
        self.watch(FOREVER)

    def watch(self, until):
        latest, *rest = struct.unpack(f"={1 + 2 * WATCHERS}Q", self.lab.maps["watchers"].lookup(bytes(4)))
        rest[self.place] = until
        latest = max(rest[:WATCHERS])
        self.lab.maps["watchers"].update(bytes(4), struct.pack(f"={1 + 2 * WATCHERS}Q", latest, *rest))

    def lost(self):
        return struct.unpack(f"={1 + 2 * WATCHERS}Q", self.lab.maps["watchers"].lookup(bytes(4)))[
            1 + WATCHERS + self.place]

    def read(self):
        records = self.ring.read()
        for record in records:
            assert len(record) == EVENT.size
        return [dict(zip(FIELDS, EVENT.unpack(record))) for record in records]

    def close(self):
        self.watch(0)
        self.lab.maps["watcher_rings"].delete(struct.pack("=I", self.place))
        os.close(self.fd)


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def name(address, port):
    return packed(address), struct.pack("!H", port)


class Cases(Services):
    """Everything that both variants do alike."""

    refused = {"no_endpoint": errno.ECONNREFUSED, "policy": errno.EHOSTUNREACH, "unknown_port": errno.ECONNREFUSED}

    def setUp(self):
        self.watcher = Watcher(self.lab, 0)
        self.addCleanup(self.watcher.close)

    def check(self, record, **expected):
        self.assertEqual({field: record[field] for field in expected}, expected)

    def check_caller(self, record, pid, netns):
        self.check(record, cgroup=os.stat(self.lab.cgroup).st_ino, netns=netns, process=pid, thread=pid,
                   comm=b"watched\0\0\0\0\0\0\0\0\0")

    def client(self, function):
        """Runs function in a client by that name. Returns its result, its process and its namespace."""
        def named():
            with open("/proc/self/comm", "w", encoding="ascii") as file:
                file.write("watched")
            return function(), os.getpid(), netns_cookie()
        return self.lab.run(named)

    def test_tcp_from_connect_to_established(self):
        for spell, pods, family in ((str, PODS4, socket.AF_INET), (str, PODS6, socket.AF_INET6),
                                    (mapped, PODS4, socket.AF_INET6)):
            vip, index = self.expose(pods[:1], stats=4711)

            def connect(family=family, target=spell(vip)):
                with socket.socket(family) as sock:
                    sock.connect((target, 80))
                    return cookie(sock), sock.getsockname()[:2]
            before = time.monotonic_ns()
            (sock, own), pid, netns = self.client(connect)
            after = time.monotonic_ns()
            connected, established = self.watcher.read()
            common = {"socket": sock, "stats": 4711, "protocol": TCP, "family": family, "error": 0}
            common["address"], common["port"] = name(vip, 80)
            common["backend"], common["backend_port"] = name(*pods[0])
            self.check(connected, kind=EVENT_CONNECT, service=index, duration=0, client_port=bytes(2), **common)
            self.assertIn(connected["client"], (packed("::"), packed("0.0.0.0")))
            self.check_caller(connected, pid, netns)
            address, port = name(*own)
            self.check(established, kind=EVENT_ESTABLISHED, client=address, client_port=port, process=0, comm=bytes(16),
                       **common)
            self.assertTrue(before < connected["time"] < established["time"] < after)
            self.assertTrue(0 < established["duration"] <= established["time"] - connected["time"] + 1_000_000)

    def test_tcp_that_fails(self):
        closed, index = self.expose(CLOSED, stats=4712)

        def connect():
            with socket.socket() as sock:
                sock.settimeout(None)  # with a timeout it would be one that does not wait
                errno_of(lambda: sock.connect((closed, 80)))
                first = cookie(sock)
                # A socket that connects again ends what was before.
                sock.connect(PODS4[0])
            with socket.socket() as sock:
                errno_of(lambda: sock.connect((closed, 80)))
                return first, cookie(sock)
        socks, pid, netns = self.client(connect)
        records = self.watcher.read()
        self.assertEqual([record["kind"] for record in records], [EVENT_CONNECT, EVENT_FAILED] * 2)
        for connected, failed, sock in ((*records[:2], socks[0]), (*records[2:], socks[1])):
            self.check(connected, socket=sock, service=index)
            address, port = name(closed, 80)
            backend, backend_port = name(*CLOSED[0])
            self.check(failed, socket=sock, stats=4712, address=address, port=port, backend=backend,
                       backend_port=backend_port, protocol=TCP, family=socket.AF_INET)
            self.check_caller(failed, pid, netns)
            self.assertTrue(0 < failed["duration"] <= failed["time"] - connected["time"] + 1_000_000)

    def test_udp_connects_say_where_the_socket_is_bound(self):
        vip, index = self.expose(PODS4[:1], UDP)

        def connect():
            with udp() as sock:
                sock.bind(("10.200.0.1", 5555))
                sock.connect((vip, 80))
                disconnect(sock)
                sock.connect((vip, 80))
        self.client(connect)
        records = self.watcher.read()
        self.assertEqual([record["kind"] for record in records], [EVENT_CONNECT] * 2)
        client, client_port = name("10.200.0.1", 5555)
        for record in records:
            self.check(record, client=client, client_port=client_port, protocol=UDP, service=index, stats=0)

    def test_datagrams_when_a_backend_is_chosen(self):
        for flags, seconds in ((0, 0), (SERVICE_AFFINITY, 60)):
            vip, index = self.expose(PODS4, UDP, flags=flags, seconds=seconds)

            def datagrams():
                with udp() as sock:
                    first = {ask(sock, vip)[0] for _ in range(5)}
                    self.lab.publish(index, [pod for pod in PODS4 if pod not in first], flags=flags, seconds=seconds)
                    second = {ask(sock, vip)[0] for _ in range(5)}
                    return cookie(sock), first.pop(), second.pop()
            (sock, *backends), pid, netns = self.client(datagrams)
            records = self.watcher.read()
            self.assertEqual(len(records), 2)
            for record, reached in zip(records, backends):
                address, port = name(vip, 80)
                backend, backend_port = name(*reached)
                self.check(record, kind=EVENT_SEND, socket=sock, service=index, address=address, port=port,
                           backend=backend, backend_port=backend_port, protocol=UDP, error=0)
                self.check_caller(record, pid, netns)

    def test_refusals_with_their_reason(self):
        vip, index = self.expose([], stats=1)
        self.expose([], UDP, address=vip, stats=2)
        _, local = self.expose([], address=vip, port=81, flags=SERVICE_POLICY_LOCAL, stats=3)
        self.lab.refuse(vip)

        def refusals():
            for port in (80, 81, 82):
                with socket.socket() as sock:
                    errno_of(lambda: sock.connect((vip, port)))
            with udp() as sock:
                errno_of(lambda: sock.connect((vip, 80)))
            with udp() as sock:
                errno_of(lambda: sock.sendto(b"?", (vip, 80)))
        _, pid, netns = self.client(refusals)
        expected = ((80, TCP, "no_endpoint", index, 1), (81, TCP, "policy", local, 3),
                    (82, TCP, "unknown_port", NO_SERVICE, 0), (80, UDP, "no_endpoint", index + 1, 2),
                    (80, UDP, "no_endpoint", index + 1, 2))
        records = self.watcher.read()
        self.assertEqual(len(records), len(expected))
        for record, (number, protocol, reason, service, stats) in zip(records, expected):
            address, port = name(vip, number)
            self.check(record, kind=EVENT_REFUSED, address=address, port=port, protocol=protocol, service=service,
                       stats=stats, error=self.refused[reason], backend=bytes(16), backend_port=bytes(2))
            self.check_caller(record, pid, netns)

    def test_addresses_of_no_service_are_not_told(self):
        def others():
            with socket.socket() as sock, udp() as other:
                sock.connect(PODS4[0])
                ask(other, *PODS4[0])
                other.connect(PODS4[0])
        self.client(others)
        self.assertEqual(self.watcher.read(), [])

    def test_each_watcher_has_all_and_nobody_has_what_comes_after_it(self):
        vip, _ = self.expose(PODS4, UDP)

        def connect():
            with udp() as sock:
                sock.connect((vip, 80))
        others = [Watcher(self.lab, place) for place in range(1, WATCHERS)]
        try:
            self.client(connect)
            self.assertEqual([len(watcher.read()) for watcher in (self.watcher, *others)], [1] * WATCHERS)
            others[0].watch(0)
            others[1].watch(time.monotonic_ns())
            self.client(connect)
            self.assertEqual([len(watcher.read()) for watcher in (self.watcher, *others)], [1, 0, 0, 1])
            for watcher in (self.watcher, *others):
                watcher.watch(time.monotonic_ns())
            self.client(connect)
            self.assertEqual([len(watcher.read()) for watcher in (self.watcher, *others)], [0] * WATCHERS)
            self.assertEqual([watcher.lost() for watcher in (self.watcher, *others)], [0] * WATCHERS)
        finally:
            for watcher in others:
                watcher.close()

    def test_what_does_not_fit_is_counted_for_who_lost_it(self):
        small = Watcher(self.lab, 2, size=4096)
        try:
            vip, _ = self.expose(PODS4, UDP)

            def connects():
                with udp() as sock:
                    for _ in range(100):
                        sock.connect((vip, 80))
            self.client(connects)
            got = len(small.read())
            self.assertEqual((got, small.lost()), (4096 // (EVENT.size + 8), 100 - got))
            self.assertEqual((len(self.watcher.read()), self.watcher.lost()), (100, 0))
        finally:
            small.close()

    def test_a_reader_is_woken_before_its_buffer_is_full(self):
        size = 16384
        sleeper = Watcher(self.lab, 1, size=size)
        poll = select.epoll()
        try:
            poll.register(sleeper.fd, select.EPOLLIN | select.EPOLLET)
            poll.poll(0)
            vip, _ = self.expose(PODS4, UDP)

            def connects(times):
                with udp() as sock:
                    for _ in range(times):
                        sock.connect((vip, 80))
            quarter = size // 4 // (EVENT.size + 8)
            self.client(lambda: connects(quarter))
            self.assertEqual(poll.poll(0.1), [])
            self.client(lambda: connects(2))
            self.assertEqual([fd for fd, _ in poll.poll(10)], [sleeper.fd])
            self.assertEqual(len(sleeper.read()), quarter + 2)
        finally:
            poll.close()
            sleeper.close()


class WatchTest(Cases, unittest.TestCase):
    """The object for kernels that have bpf_set_retval()."""


class WatchLegacyTest(Cases, unittest.TestCase):
    """The object for older kernels, where the kernel refuses, always in the same way."""

    variant = "sock_lb_legacy"
    refused = dict.fromkeys(Cases.refused, errno.ECONNREFUSED)


if __name__ == "__main__":
    # A test run that is asked to stop still removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
