# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Which sockets the iterator of stale_sockets.bpf.c lists. Needs root."""

import collections
import os
import resource
import signal
import socket
import struct
import sys
import time
import unittest

from lab import SERVICE_TERMINATE, TCP, UDP, netns_cookie, packed
from sock_lb_test import (NODE4, OTHER4, OWN6, PODS4, PODS6, Services, disconnect, errno_of, kernel_peers, mapped, udp)

STALE = struct.Struct("=QQII16s16s16s2s2s2sBB")
FIELDS = ("cookie", "netns", "netns_inode", "interface", "source", "backend", "address", "source_port", "backend_port",
          "port", "protocol", "family")
SO_COOKIE = 57
MANY = 100_000
CLIENTS = 10  # so that the limits of a process suffice


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


class StaleSocketsTest(Services, unittest.TestCase):
    """Sockets in two namespaces, and what their Services become."""

    def stale(self, room=0):
        """The sockets that are listed, by cookie; those of earlier tests are closed."""
        content = self.lab.stale_sockets(room)
        self.assertEqual(len(content) % STALE.size, 0)
        records = [dict(zip(FIELDS, record)) for record in STALE.iter_unpack(content)]
        sockets = {record["cookie"]: record for record in records}
        self.assertEqual(len(sockets), len(records), "a socket was listed twice")
        return sockets

    def describe(self, sock):
        """What a record must say about the socket itself."""
        address, port = sock.getsockname()[:2]
        return {
            "cookie": cookie(sock), "netns": netns_cookie(), "netns_inode": os.stat("/proc/thread-self/ns/net").st_ino,
            "source": packed(address), "source_port": struct.pack("!H", port), "family": sock.family,
            "protocol": UDP if sock.type == socket.SOCK_DGRAM else TCP,
        }

    def test_connected_udp_is_stale_when_its_backend_has_left(self):
        for spell, pods, family in ((str, PODS4, socket.AF_INET), (str, PODS6, socket.AF_INET6),
                                    (mapped, PODS4, socket.AF_INET6)):
            vip, index = self.expose(pods, UDP)

            def client(family=family, pods=pods, name=spell(vip), index=index):
                socks = [udp(family) for _ in range(200)]  # one of eight pods is missed once in 10^11 times
                for sock in socks:
                    sock.connect((name, 80))
                peers = [(address.removeprefix("::ffff:"), port) for address, port in kernel_peers(socks)]
                before = self.stale()
                self.lab.publish(index, pods[1:])
                after = self.stale(room=1)
                expected = {cookie(sock): self.describe(sock) for sock, peer in zip(socks, peers) if peer == pods[0]}
                for sock in socks:
                    sock.close()
                return before, after, expected, self.stale()
            for number in (0, 1):
                self.lab.publish(index, pods)
                before, after, expected, closed = self.lab.run(client, client=number)
                self.assertEqual((before, closed), ({}, {}))
                self.assertGreater(len(expected), 0)
                self.assertEqual(set(after), set(expected))
                for record, wanted in zip((after[key] for key in expected), expected.values()):
                    self.assertEqual(record, dict(
                        wanted, interface=0, address=packed(vip), port=struct.pack("!H", 80), backend=packed(pods[0][0]),
                        backend_port=struct.pack("!H", pods[0][1])))

    def test_both_namespaces_are_seen_from_anywhere(self):
        vip, index = self.expose(PODS4[:1], UDP)
        gate, keeper = os.pipe()
        told, tell = os.pipe()

        def client():
            os.close(keeper)
            with udp() as sock:
                sock.connect((vip, 80))
                os.write(tell, struct.pack("=QI", cookie(sock), os.stat("/proc/thread-self/ns/net").st_ino))
                os.read(gate, 1)
        started = [self.lab.start(client, client=number) for number in (0, 1)]
        expected = {struct.unpack("=QI", os.read(told, 12)) for _ in started}
        self.lab.publish(index, PODS4[1:])
        found = {(record["cookie"], record["netns_inode"]) for record in self.stale().values()}
        os.close(keeper)
        for s in started:
            self.lab.finish(s)
        for fd in (gate, told, tell):
            os.close(fd)
        self.assertEqual(found, expected)
        self.assertEqual(len({inode for _, inode in found}), 2)

    def test_what_becomes_of_the_service(self):
        def gone(vip, _):
            self.lab.delete_frontend(vip, 80, UDP)

        def refused(vip, _):
            self.lab.delete_frontend(vip, 80, UDP)
            self.lab.refuse(vip)

        def empty(_, index):
            self.lab.publish(index, [])

        def renewed(_, index):
            self.lab.publish(index, [PODS4[0], PODS4[5]])

        def another(vip, _):
            self.lab.frontend(vip, 80, UDP, self.lab.service(PODS4[1:]))

        def another_with_the_same(vip, _):
            self.lab.frontend(vip, 80, UDP, self.lab.service(PODS4[:2]))

        def corrupt(vip, _):
            self.lab.frontend(vip, 80, UDP, 1 << 30)
        for change, listed in ((gone, 1), (refused, 1), (empty, 1), (renewed, 0), (another, 1),
                               (another_with_the_same, 0), (corrupt, 0)):
            vip, index = self.expose(PODS4[:1], UDP)

            def client(change=change, vip=vip, index=index):
                with udp() as sock:
                    sock.connect((vip, 80))
                    change(vip, index)
                    return len(self.stale())
            self.assertEqual((change.__name__, self.lab.run(client)), (change.__name__, listed))

    def test_what_becomes_of_the_socket(self):
        vip, index = self.expose(PODS4[:1], UDP)
        unreachable, _ = self.expose([("10.250.0.1", 80)], UDP)

        def stays(_):
            pass

        def direct(sock):
            sock.connect(PODS4[0])

        def fails(sock):
            errno_of(lambda: sock.connect((unreachable, 80)))
        for change, listed in ((stays, 1), (disconnect, 0), (direct, 0), (fails, 0)):
            self.lab.publish(index, PODS4[:1])

            def client(change=change):
                with udp() as sock:
                    sock.connect((vip, 80))
                    change(sock)
                    self.lab.publish(index, PODS4[1:])
                    return len(self.stale())
            self.assertEqual((change.__name__, self.lab.run(client)), (change.__name__, listed))

    def test_unconnected_udp_is_never_stale(self):
        vip, index = self.expose(PODS4[:1], UDP)

        def client():
            with udp() as sock:
                sock.sendto(b"?", (vip, 80))
                self.lab.publish(index, [])
                return self.stale()
        self.assertEqual(self.lab.run(client), {})

    def test_tcp_only_if_the_service_wants_it(self):
        for flags, listed in ((0, 0), (SERVICE_TERMINATE, 1)):
            for pods, family in ((PODS4[:1], socket.AF_INET), (PODS6[:1], socket.AF_INET6)):
                vip, index = self.expose(pods, flags=flags)

                def client(family=family, vip=vip, index=index):
                    with socket.socket(family) as sock:
                        sock.connect((vip, 80))
                        before = self.stale()
                        self.lab.publish(index, [])
                        self.assertEqual(self.stale(), {}, "it does not ask for it any more")
                        self.lab.publish(index, [], flags=flags)
                        after = self.stale()
                        record = self.describe(sock)
                        disconnect(sock)
                        return before, list(after.values()), record, self.stale()
                before, after, expected, later = self.lab.run(client)
                self.assertEqual((before, later, len(after)), ({}, {}, listed))
                for record in after:
                    self.assertEqual({field: record[field] for field in expected}, expected)

    def test_through_node_ports(self):
        port = self.expose_node_port(PODS4[:1], PODS6[:1], UDP)
        indexes = self.lab.next_service - 2, self.lab.next_service - 1
        names = [(socket.AF_INET, name) for name in (*NODE4, "0.0.0.0")] + [
            (socket.AF_INET6, name) for name in (OWN6, "::1", "::", mapped(OTHER4))]

        def client():
            socks = []
            for family, name in names:
                socks.append(udp(family))
                socks[-1].connect((name, port))
            before = self.stale()
            for index, pods in zip(indexes, (PODS4, PODS6)):
                self.lab.publish(index, pods[1:])
            after = self.stale()
            addresses = {key: record["address"] for key, record in after.items()}
            expected = {cookie(sock): packed(name.removeprefix("::ffff:")) for sock, (_, name) in zip(socks, names)}
            for sock in socks:
                sock.close()
            return before, addresses, expected
        before, found, expected = self.lab.run(client)
        self.assertEqual(before, {})
        self.assertEqual(found, expected)

    def test_a_socket_that_is_bound_to_an_interface(self):
        vip, index = self.expose(PODS4[:1], UDP)

        def client():
            with udp() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v0")
                sock.connect((vip, 80))
                self.lab.publish(index, [])
                record, = self.stale().values()
                return record["interface"], socket.if_nametoindex("v0")
        found, expected = self.lab.run(client)
        self.assertEqual(found, expected)

    def test_many_are_listed_once_each(self):
        vip, index = self.expose(PODS4[:2], UDP)
        gate, keeper = os.pipe()
        told, tell = os.pipe()

        def client():
            os.close(keeper)
            resource.setrlimit(resource.RLIMIT_NOFILE, (MANY // CLIENTS + 100,) * 2)
            with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="ascii") as file:
                file.write("1024 65535")
            socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(MANY // CLIENTS)]
            for sock in socks:
                sock.connect((vip, 80))
            os.write(tell, b"!")
            os.read(gate, 1)
            # The iterator gave each of these its cookie, or it was not there.
            cookies = [cookie(sock) for sock in socks]
            for sock in socks:
                sock.close()
            return cookies
        started = [self.lab.start(client, client=number % 2) for number in range(CLIENTS)]
        os.close(tell)
        if len([1 for _ in started if os.read(told, 1)]) < len(started):
            for s in started:
                self.lab.finish(s)  # says what went wrong
        timed = collections.defaultdict(list)
        try:
            for _ in range(3):
                before = time.monotonic()
                self.assertEqual(self.stale(), {})
                timed["none stale"].append(time.monotonic() - before)
            self.lab.publish(index, PODS4[2:])
            found = [set(self.stale(room)) for room in (0, 100)]
            before = time.monotonic()
            self.lab.stale_sockets()
            timed["all stale"].append(time.monotonic() - before)
        finally:
            os.close(keeper)
            cookies = {key for s in started for key in self.lab.finish(s)}
            for fd in (gate, told):
                os.close(fd)
        print(f"  {MANY} sockets:", {what: f"{min(times) * 1000:.0f} ms" for what, times in timed.items()})
        self.assertEqual(len(cookies), MANY)
        for listed in found:
            self.assertEqual(listed, cookies)


if __name__ == "__main__":
    # A test run that is asked to stop still removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
