# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the programs count for each Service and each backend, from connect() to close(). Needs root."""

import errno
import itertools
import os
import random
import select
import signal
import socket
import struct
import sys
import time
import unittest

from lab import (CONNECTIONS, COUNTERS, LATENCY_RANGES, PROGRAMS, SERVICE_AFFINITY, SERVICE_BACKEND_STATS, SERVICE_POLICY_LOCAL,
                 SERVICE_TERMINATE, UDP, TCP)
from sock_lb_test import (OWN4, PODS4, PODS6, Services, ask, bind, disconnect, errno_of, hear, mapped, tcp, udp, vip4,
                          vip6)

KEYS = itertools.count(1 << 40)
# Nobody listens there: the connection is refused by the host of the pod.
CLOSED = [("10.201.0.1", 9)]
# A neighbour that does not exist: the connection waits.
SILENT = [("10.200.0.77", 80)]
# No route leads there.
UNREACHABLE = [("10.250.0.1", 80)]
TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, MSG_FASTOPEN = 23, 30, 0x20000000
IPPROTO_MPTCP = 262
SO_COOKIE = 57


def stream(family=socket.AF_INET):
    sock = socket.socket(family)
    sock.settimeout(20)
    return sock


class Counting(Services):
    """Services whose statistics have keys of their own."""

    def counted(self, backends, protocol=TCP, made=True, **settings):
        """A Service with statistics; returns (address, key). made: a program need not make the entries."""
        key = next(KEYS)
        if made:
            self.lab.make_stats(key, backends if settings.get("flags", 0) & SERVICE_BACKEND_STATS else ())
        vip, _ = self.expose(backends, protocol, stats=key, **settings)
        return vip, key

    def open(self, key):
        stats = self.lab.service_stats(key)
        return stats["connects_tcp"] - stats["closed_tcp"], stats["connects_udp"] - stats["closed_udp"]

    def expect(self, key, **expected):
        """Asserts that a Service has these statistics, and none but these."""
        stats = self.lab.service_stats(key) or {}
        stats.pop("established_ns", None)
        stats["established"] = sum(stats.get("established", ()))
        self.assertEqual({name: value for name, value in stats.items() if value}, expected)


class Cases(Counting):
    """Everything that both variants do alike."""

    def test_tcp_from_connect_to_close(self):
        for pods in (PODS4, PODS6):
            vip, key = self.counted(pods)
            before = time.monotonic_ns()
            for n in range(1, 4):
                self.lab.run(lambda: tcp(vip))
                self.expect(key, connects_tcp=n, closed_tcp=n, established=n)
            elapsed = time.monotonic_ns() - before
            stats = self.lab.service_stats(key)
            self.assertTrue(0 < stats["established_ns"] < elapsed, stats)
            # Three connections within their ranges, and within the sum.
            least = sum(16_000 << 2 * (n - 1) for n, many in enumerate(stats["established"]) for _ in range(many) if n)
            most = sum(16_000 << 2 * n for n, many in enumerate(stats["established"]) for _ in range(many))
            self.assertTrue(least <= stats["established_ns"] < most, stats)

    def test_programs_make_the_entries_that_are_missing(self):
        for _ in range(50):
            vip, key = self.counted(PODS4[:1], made=False, flags=SERVICE_BACKEND_STATS)
            self.assertIsNone(self.lab.service_stats(key))
            self.assertIsNone(self.lab.backend_stats(key, PODS4[0]))
            failed, _ = self.count("stats_failed", lambda vip=vip: self.lab.run(lambda: tcp(vip)))
            if not failed:
                break
            time.sleep(0.2)  # the kernel had no memory for it just then
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)
        self.assertEqual(self.lab.backend_stats(key, PODS4[0]), {"connects": 1, "closed": 1, "failed": 0, "sends": 0})

    def test_entries_are_not_made_while_there_is_no_memory_for_them(self):
        counters = self.lab.maps["counters"]
        pause = struct.pack("=I", len(COUNTERS))  # behind them, per CPU: until when
        cpus = len(counters.lookup(pause)) // 8
        vip, key = self.counted(PODS4, made=False)
        counters.update(pause, struct.pack("=Q", time.monotonic_ns() + 60_000_000_000) * cpus)
        try:
            failed, _ = self.count("stats_failed", lambda: self.lab.run(lambda: [tcp(vip) for _ in range(3)]))
        finally:
            counters.update(pause, struct.pack("=Q", time.monotonic_ns() - 1) * cpus)
        self.assertEqual(failed, 3)
        self.assertIsNone(self.lab.service_stats(key))
        for _ in range(50):
            failed, _ = self.count("stats_failed", lambda: self.lab.run(lambda: tcp(vip)))
            if not failed:
                break
            time.sleep(0.2)  # really none
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_through_a_v4_mapped_address(self):
        vip, key = self.counted(PODS4)
        self.lab.run(lambda: tcp(mapped(vip)))
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_a_service_without_a_key_is_not_counted(self):
        before = len(self.lab.maps["service_stats"].keys(8))
        for protocol in (TCP, UDP):
            vip, _ = self.expose(PODS4, protocol, flags=SERVICE_BACKEND_STATS)
            empty, _ = self.expose([], protocol)

            def client(protocol=protocol, vip=vip, empty=empty):
                errno_of(lambda: tcp(empty))
                if protocol == TCP:
                    tcp(vip)
                    return
                with udp() as sock:
                    ask(sock, vip)
                    sock.connect((vip, 80))
            self.lab.run(client)
        self.assertEqual(len(self.lab.maps["service_stats"].keys(8)), before)

    def test_refusals_by_reason(self):
        for address in (vip4, vip6):
            none, no_endpoint = self.counted([], address=address())
            local, policy = self.counted([], address=address(), flags=SERVICE_POLICY_LOCAL)
            udp_none, udp_no_endpoint = self.counted([], UDP, address=address())
            udp_local, udp_policy = self.counted([], UDP, address=address(), flags=SERVICE_POLICY_LOCAL)

            def client():
                for vip in (none, local):
                    errno_of(lambda: tcp(vip))
                for vip in (udp_none, udp_local):
                    with udp(socket.AF_INET6 if ":" in vip else socket.AF_INET) as sock:
                        errno_of(lambda: sock.sendto(b"?", (vip, 80)))
                    with udp(socket.AF_INET6 if ":" in vip else socket.AF_INET) as sock:
                        errno_of(lambda: sock.connect((vip, 80)))
            self.lab.run(client)
            self.expect(no_endpoint, refused_no_endpoint=1)
            self.expect(policy, refused_policy=1)
            self.expect(udp_no_endpoint, refused_no_endpoint=2)
            self.expect(udp_policy, refused_policy=2)

    def test_datagrams_of_an_unconnected_socket(self):
        vip, key = self.counted(PODS4, UDP, flags=SERVICE_BACKEND_STATS)

        def client():
            with udp() as sock:
                return {ask(sock, vip)[0] for _ in range(20)}
        backend, = self.lab.run(client)
        self.expect(key, sends_udp=20)
        self.assertEqual(self.lab.backend_stats(key, backend), {"connects": 0, "closed": 0, "failed": 0, "sends": 1})

    def test_each_choice_of_a_backend_for_datagrams_is_counted_once(self):
        # More Services than inline flows, with and without affinity, so each way to choose is gone.
        services = [self.counted(PODS4, UDP, flags=SERVICE_BACKEND_STATS | flags, **settings)
                    for flags, settings in ((0, {}), (SERVICE_AFFINITY, {"seconds": 60})) for _ in range(4)]

        def client():
            with udp() as sock:
                return [[ask(sock, vip)[0] for vip, _ in services] for _ in range(3)]
        rounds = self.lab.run(client)
        self.assertEqual(rounds[0], rounds[1])
        for n, (_, key) in enumerate(services):
            self.expect(key, sends_udp=3)
            sends = [self.lab.backend_stats(key, pod) for pod in PODS4]
            self.assertEqual([(pod, stats["sends"]) for pod, stats in zip(PODS4, sends) if stats["sends"]],
                             [(rounds[0][n], 1)])

    def test_backends_are_counted_where_the_service_wants_it(self):
        plain, plain_key = self.counted(PODS4)
        vip, key = self.counted(PODS4, flags=SERVICE_BACKEND_STATS)
        vip6_, key6 = self.counted(PODS6, flags=SERVICE_BACKEND_STATS)
        closed, closed_key = self.counted(CLOSED, flags=SERVICE_BACKEND_STATS)
        reached = self.lab.run(lambda: [tcp(vip)[0] for _ in range(30)])
        reached6 = self.lab.run(lambda: [tcp(vip6_)[0] for _ in range(30)])
        self.lab.run(lambda: (tcp(plain), errno_of(lambda: tcp(closed))))
        for service, pods, backends in ((key, PODS4, reached), (key6, PODS6, reached6)):
            for pod in pods:
                stats = self.lab.backend_stats(service, pod) or {"connects": 0, "closed": 0, "failed": 0, "sends": 0}
                times = backends.count(pod)
                self.assertEqual(stats, {"connects": times, "closed": times, "failed": 0, "sends": 0})
        self.assertEqual([self.lab.backend_stats(plain_key, pod) for pod in PODS4], [None] * len(PODS4))
        self.assertEqual(self.lab.backend_stats(closed_key, CLOSED[0]),
                         {"connects": 1, "closed": 1, "failed": 1, "sends": 0})

    # A socket is open until its last descriptor is closed.

    def test_a_socket_is_open_as_long_as_somebody_has_it(self):
        vip, key = self.counted(PODS4)
        datagrams, udp_key = self.counted(PODS4, UDP)

        def client():
            seen = []
            with stream() as sock, udp() as other:
                sock.connect((vip, 80))
                other.connect((datagrams, 80))
                first, second = os.dup(sock.fileno()), os.dup(other.fileno())
            seen.append((self.open(key), self.open(udp_key)))
            readable, writable = os.pipe()
            child = os.fork()
            if not child:
                os.close(writable)
                os.read(readable, 1)
                os._exit(0)
            os.close(first)
            os.close(second)
            seen.append((self.open(key), self.open(udp_key)))
            os.close(writable)
            os.waitpid(child, 0)
            seen.append((self.open(key), self.open(udp_key)))
            return seen
        self.assertEqual(self.lab.run(client), [((1, 0), (0, 1)), ((1, 0), (0, 1)), ((0, 0), (0, 0))])

    def test_a_process_that_is_killed_closes_its_sockets(self):
        vip, key = self.counted(PODS4)
        datagrams, udp_key = self.counted(PODS4, UDP)

        def client():
            readable, writable = os.pipe()
            child = os.fork()
            if not child:
                socks = [stream() for _ in range(50)] + [udp() for _ in range(50)]
                for sock in socks:
                    sock.connect((vip if sock.type == socket.SOCK_STREAM else datagrams, 80))
                os.write(writable, b"!")
                time.sleep(60)
            os.read(readable, 1)
            alive = self.open(key), self.open(udp_key)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return alive, (self.open(key), self.open(udp_key))
        self.assertEqual(self.lab.run(client), (((50, 0), (0, 50)), ((0, 0), (0, 0))))

    def test_the_side_that_accepts_counts_nothing(self):
        vip, key = self.counted([(OWN4, 7070)])

        def client():
            with bind(OWN4, 7070) as listener, stream() as sock:
                listener.listen()
                sock.connect((vip, 80))
                accepted, _ = listener.accept()
                both = self.open(key)
                accepted.close()
                one = self.open(key)
            return both, one
        self.assertEqual(self.lab.run(client), ((1, 0), (1, 0)))
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_udp_that_connects_again(self):
        one, first = self.counted(PODS4, UDP, flags=SERVICE_BACKEND_STATS)
        two, second = self.counted(PODS4, UDP)

        def client():
            with udp() as sock:
                seen = []
                for target in ((one, 80), (two, 80), (two, 80), (one, 80), PODS4[0], (one, 80)):
                    sock.connect(target)
                    seen.append((self.open(first)[1], (self.lab.service_stats(second) and self.open(second)[1]) or 0))
            return seen
        self.assertEqual(self.lab.run(client), [(1, 0), (0, 1), (0, 1), (1, 0), (0, 0), (1, 0)])
        self.expect(first, connects_udp=3, closed_udp=3)
        self.expect(second, connects_udp=2, closed_udp=2)
        backends = [self.lab.backend_stats(first, pod) for pod in PODS4]
        self.assertEqual(sum(stats["connects"] for stats in backends if stats), 3)
        self.assertEqual(sum(stats["closed"] for stats in backends if stats), 3)

    def test_udp_that_is_dissolved_is_open_until_it_connects_or_is_closed(self):
        vip, key = self.counted(PODS4, UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                disconnect(sock)
                dissolved = self.open(key)
                sock.connect((vip, 80))
                again = self.open(key)
                disconnect(sock)
            return dissolved, again
        self.assertEqual(self.lab.run(client), ((0, 1), (0, 1)))
        self.expect(key, connects_udp=2, closed_udp=2)

    def test_tcp_that_is_dissolved_and_connects_again(self):
        one, first = self.counted(PODS4)
        two, second = self.counted(PODS4)

        def client():
            with stream() as sock:
                sock.connect((one, 80))
                disconnect(sock)
                dissolved = self.open(first)
                sock.connect((two, 80))
                return dissolved, self.open(first), self.open(second)
        self.assertEqual(self.lab.run(client), ((1, 0), (0, 0), (1, 0)))
        self.expect(first, connects_tcp=1, closed_tcp=1, established=1)
        self.expect(second, connects_tcp=1, closed_tcp=1, established=1)

    def test_tcp_that_the_pod_refuses(self):
        closed, failed = self.counted(CLOSED)
        vip, key = self.counted(PODS4)

        def client():
            with socket.socket() as sock:
                sock.settimeout(None)  # with a timeout it would be one that does not wait
                refused = errno_of(lambda: sock.connect((closed, 80)))
                before = self.open(failed)
                sock.connect((vip, 80))
                return refused, before, self.open(failed), self.open(key)
        self.assertEqual(self.lab.run(client), (errno.ECONNREFUSED, (1, 0), (0, 0), (1, 0)))
        self.expect(failed, connects_tcp=1, closed_tcp=1, failed_tcp=1)
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_tcp_that_the_kernel_cannot_route(self):
        vip, key = self.counted(UNREACHABLE)

        def client():
            with stream() as sock:
                return errno_of(lambda: sock.connect((vip, 80))), self.open(key)
        self.assertEqual(self.lab.run(client), (errno.ENETUNREACH, (1, 0)))
        self.expect(key, connects_tcp=1, closed_tcp=1, failed_tcp=1)

    def test_tcp_that_does_not_wait(self):
        vip, key = self.counted(PODS4)
        silent, waits = self.counted(SILENT)
        closed, failed = self.counted(CLOSED)

        def client():
            results = []
            for address in (vip, silent, closed):
                with socket.socket() as sock:
                    sock.setblocking(False)
                    results.append(sock.connect_ex((address, 80)))
                    select.select([], [sock], [], 0.2 if address == silent else 20)
                    # A second connect() asks how it went, and runs no program.
                    results.append(sock.connect_ex((address, 80)))
                    if address == vip:
                        results.append(sock.connect_ex((address, 80)))
            return results
        self.assertEqual(self.lab.run(client), [errno.EINPROGRESS, 0, errno.EISCONN, errno.EINPROGRESS, errno.EALREADY,
                                                errno.EINPROGRESS, errno.ECONNREFUSED])
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)
        self.expect(waits, connects_tcp=1, closed_tcp=1, failed_tcp=1)
        self.expect(failed, connects_tcp=1, closed_tcp=1, failed_tcp=1)

    def test_a_connection_that_the_peer_ends_was_established(self):
        vip, key = self.counted([(OWN4, 7071)])

        def client():
            for reset in (False, True):
                with bind(OWN4, 7071, options=[(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)]) as listener:
                    with stream() as sock:
                        listener.listen()
                        sock.connect((vip, 80))
                        accepted, _ = listener.accept()
                        if reset:
                            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
                        accepted.close()
                        time.sleep(0.05)
                        errno_of(lambda: sock.recv(1))
        self.lab.run(client)
        self.expect(key, connects_tcp=2, closed_tcp=2, established=2)

    def test_fast_open(self):
        def client(port, vip):
            with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as file:
                file.write("3")
            with bind(OWN4, port) as listener:
                listener.setsockopt(TCP, TCP_FASTOPEN, 16)
                listener.listen()
                seen = []
                for n in range(4):  # the first two get the cookie
                    with socket.socket() as sock:
                        sock.settimeout(None)
                        if n % 2:
                            sock.setsockopt(TCP, TCP_FASTOPEN_CONNECT, 1)
                            sock.connect((vip, 80))
                            if n == 3:
                                time.sleep(0.3)  # the SYN goes with what is sent now
                            sock.send(b"?")
                        else:
                            sock.sendto(b"?", MSG_FASTOPEN, (vip, 80))
                        accepted, _ = listener.accept()
                        seen.append(accepted.recv(1))
                        accepted.close()
                return seen
        took = []
        # A machine that stands still can only make it longer.
        for port in range(7172, 7177):
            vip, key = self.counted([(OWN4, port)])
            self.assertEqual(self.lab.run(lambda port=port, vip=vip: client(port, vip)), [b"?"] * 4)
            self.expect(key, connects_tcp=4, closed_tcp=4, established=4)
            took.append(self.lab.service_stats(key)["established_ns"])
            if took[-1] < 0.3e9:
                break
        self.assertLess(min(took), 0.3e9)

    def test_time_to_establish_is_that_of_the_peer(self):
        # A listener whose queue is full answers when the kernel tries again, after a second.
        vip, key = self.counted([(OWN4, 7073)])

        def client():
            with bind(OWN4, 7073) as listener, stream() as one, stream() as two, stream() as late:
                listener.listen(0)
                one.connect((OWN4, 7073))
                two.setblocking(False)
                two.connect_ex((OWN4, 7073))
                late.setblocking(False)
                late.connect_ex((vip, 80))
                time.sleep(0.3)
                for _ in range(2):
                    accepted, _ = listener.accept()
                    accepted.close()
                    time.sleep(0.05)
                    if select.select([listener], [], [], 0)[0] == []:
                        break
                return bool(select.select([], [late], [], 30)[1])
        self.assertTrue(self.lab.run(client))
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)
        stats = self.lab.service_stats(key)
        self.assertTrue(0.9e9 < stats["established_ns"] < 31e9, stats)
        # 16 us << 16 is 1.05 s.
        last = stats["established_ns"] >= 16_000 << 16
        self.assertEqual(stats["established"][LATENCY_RANGES - 1], last)

    def test_much_at_random_on_all_cpus(self):
        services = [self.counted(PODS4), self.counted(PODS4, UDP), self.counted(CLOSED), self.counted(SILENT),
                    self.counted(PODS6, UDP), self.counted([], UDP)]
        told_read, told = os.pipe()
        gate, gate_keeper = os.pipe()

        def client(seed):
            os.close(gate_keeper)
            chance = random.Random(seed)
            cpus = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {cpus[seed % len(cpus)]})
            socks = []  # each with the Service for which it is open, and further descriptors of it
            end = time.monotonic() + 3
            while time.monotonic() < end:
                action = chance.random()
                if action < 0.45 and len(socks) < 200:
                    n = chance.randrange(6)
                    sock = socket.socket(socket.AF_INET6 if n == 4 else socket.AF_INET,
                                         socket.SOCK_DGRAM if n in (1, 4, 5) else socket.SOCK_STREAM)
                    sock.setblocking(False)
                    sock.connect_ex((services[n][0], 80))
                    socks.append([sock, None if n == 5 else n])
                elif not socks:
                    continue
                elif action < 0.6:
                    entry = chance.choice(socks)
                    if entry[0].type == socket.SOCK_DGRAM and entry[0].family == socket.AF_INET:
                        address, after = chance.choice((((services[1][0], 80), 1), (PODS4[0], None),
                                                        ((services[5][0], 80), entry[1])))
                        entry[0].connect_ex(address)
                        entry[1] = after
                elif action < 0.65:
                    disconnect(chance.choice(socks)[0])
                elif action < 0.7:
                    entry = chance.choice(socks)
                    entry.append(os.dup(entry[0].fileno()))
                else:
                    sock, _, *copies = socks.pop(chance.randrange(len(socks)))
                    sock.close()
                    for copy in copies:
                        os.close(copy)
            os.write(told, struct.pack("=6I", *(sum(n == wanted for _, n, *_ in socks) for wanted in range(6))))
            os.read(gate, 1)
            for sock, _, *copies in socks:
                sock.close()
                for copy in copies:
                    os.close(copy)
        started = [self.lab.start(lambda seed=seed: client(seed)) for seed in range(4)]
        expected = [0] * 6
        for _ in started:
            expected = [a + b for a, b in zip(expected, struct.unpack("=6I", os.read(told_read, 24)))]
        found = [sum(self.open(key)) if self.lab.service_stats(key)["refused_no_endpoint"] == 0 else 0
                 for _, key in services]
        os.close(gate_keeper)
        for s in started:
            self.lab.finish(s)
        for fd in (told_read, told, gate):
            os.close(fd)
        self.assertEqual(found, expected)
        self.assertGreater(min(expected[:5]), 0)
        for _, key in services:
            self.assertEqual(self.open(key), (0, 0))
        total = sum(self.lab.service_stats(key)["connects_tcp"] for _, key in services)
        self.assertGreater(total, 1000)


class StatsTest(Cases, unittest.TestCase):
    """The object for kernels that have bpf_set_retval()."""

    def test_a_refused_connect_leaves_the_former_one_open(self):
        vip, key = self.counted(PODS4, UDP)
        empty, refused = self.counted([], UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                error = errno_of(lambda: sock.connect((empty, 80)))
                sock.send(b"?")
                return error, self.open(key), hear(sock)[1]
        self.assertEqual(self.lab.run(client), (errno.ECONNREFUSED, (0, 1), (vip, 80)))
        self.expect(key, connects_udp=1, closed_udp=1)
        self.expect(refused, refused_no_endpoint=1)

    def test_the_end_of_mptcp_is_not_seen(self):
        # What is translated is a socket of the kernel's own, which is closed without running a program.
        vip, key = self.counted(PODS4)

        def client():
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as sock:
                sock.connect((vip, 80))
                return sock.recv(100)
        try:
            self.lab.run(client)
        except AssertionError as failure:
            if "Protocol not supported" in str(failure):
                self.skipTest("this kernel has no MPTCP")
            raise
        self.expect(key, connects_tcp=1, established=1)


class StatsLegacyTest(Cases, unittest.TestCase):
    """The object for older kernels, whose TCP sockets all remember in their storage."""

    variant = "sock_lb_legacy"


class CrowdedTest(Cases, unittest.TestCase):
    """Each slot of `connections` is taken, so TCP sockets remember in their storage."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.fill_slots(1 << 63)

    def tearDown(self):
        self.assertEqual(set(self.lab.slots()), {1 << 63})


class SlotTest(Counting, unittest.TestCase):
    """Where a TCP socket remembers, while it is open and when it is not any more."""

    def setUp(self):
        self.lab.fill_slots(0)

    def test_a_slot_is_given_back_when_the_socket_is_closed(self):
        for pods in (PODS4, PODS6):
            vip, key = self.counted(pods)
            datagrams, _ = self.counted(pods, UDP)
            family = socket.AF_INET6 if ":" in vip else socket.AF_INET

            def client(vip=vip, datagrams=datagrams, family=family):
                with stream(family) as sock, udp(family) as other:
                    sock.connect((vip, 80))
                    other.connect((datagrams, 80))
                    cookie, = struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))
                    return self.lab.slots() == [cookie], sock.getpeername()[:2], vip
            alone, peer, vip = self.lab.run(client)
            self.assertTrue(alone)
            self.assertEqual(peer, (vip, 80))
            self.assertEqual(self.lab.slots(), [])
            self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_a_taken_slot_is_left_alone(self):
        vip, key = self.counted(PODS4)
        self.lab.fill_slots(1 << 63)

        def client():
            with stream() as sock:
                sock.connect((vip, 80))
                return sock.getpeername()
        self.assertEqual(self.lab.run(client), (vip, 80))
        self.assertEqual(self.lab.slots(), [1 << 63] * CONNECTIONS)
        self.expect(key, connects_tcp=1, closed_tcp=1, established=1)

    def test_from_one_place_to_the_other(self):
        # A Service whose connections end with their backends wants them where the iterator looks.
        plain, first = self.counted(PODS4)
        ending, second = self.counted(PODS4, flags=SERVICE_TERMINATE)

        def client():
            seen = []
            with stream() as sock:
                for target in (plain, plain, ending, plain):
                    sock.connect((target, 80))
                    seen.append((len(self.lab.slots()), sock.getpeername()[0] == target))
                    disconnect(sock)
                sock.connect(PODS4[0])
                seen.append((len(self.lab.slots()), sock.getpeername() == PODS4[0]))
            return seen
        # What has storage keeps it until it connects to no Service.
        self.assertEqual(self.lab.run(client), [(1, True), (1, True), (0, True), (0, True), (0, True)])
        self.expect(first, connects_tcp=3, closed_tcp=3, established=3)
        self.expect(second, connects_tcp=1, closed_tcp=1, established=1)

    def test_who_goes_to_no_service_gives_its_slot_back(self):
        vip, key = self.counted(PODS4)

        def client():
            with stream() as sock:
                sock.connect((vip, 80))
                disconnect(sock)
                before = len(self.lab.slots())
                sock.connect(PODS4[0])
                return before, len(self.lab.slots()), self.open(key)
        self.assertEqual(self.lab.run(client), (1, 0, (0, 0)))


class LateTest(Counting, unittest.TestCase):
    """Sockets that were there before a program was."""

    options = {"programs": ()}

    def test_sockets_that_nobody_saw_connect_do_not_count_when_they_end(self):
        vip, key = self.counted(PODS4)
        datagrams, udp_key = self.counted(PODS4, UDP)

        def client():
            with stream() as sock, udp() as other, stream() as fresh:
                sock.connect(PODS4[0])
                other.connect(PODS4[0])
                self.lab.attach(name for name in PROGRAMS if name != "pb_sock_ops")
                other.connect((datagrams, 80))
                fresh.connect((vip, 80))
                fresh.recv(1)
                self.lab.attach(["pb_sock_ops"])
        self.lab.run(client)
        # Nobody saw the connection established, but it was when it ended.
        self.expect(key, connects_tcp=1, closed_tcp=1)
        self.expect(udp_key, connects_udp=1, closed_udp=1)


class UntimedTest(Counting, unittest.TestCase):
    """Without the program that sees a connection being established."""

    options = {"programs": tuple(name for name in PROGRAMS if name != "pb_sock_ops")}

    def test_what_is_known_to_have_failed(self):
        vip, key = self.counted(PODS4)
        closed, failed = self.counted(CLOSED)
        silent, waits = self.counted(SILENT)
        unreachable, lost = self.counted(UNREACHABLE)
        resetting, reset = self.counted([(OWN4, 7074)])

        def client():
            tcp(vip)
            for address in (closed, unreachable):
                with socket.socket() as sock:
                    sock.settimeout(None)
                    errno_of(lambda address=address: sock.connect((address, 80)))
            for address in (silent, closed):
                with socket.socket() as sock:
                    sock.setblocking(False)
                    sock.connect_ex((address, 80))
                    select.select([], [sock], [], 0.2 if address == silent else 20)
            with bind(OWN4, 7074) as listener, stream() as sock:
                listener.listen()
                sock.connect((resetting, 80))
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
                accepted.close()
                errno_of(lambda: sock.recv(1))
        self.lab.run(client)
        self.expect(key, connects_tcp=1, closed_tcp=1)
        self.expect(reset, connects_tcp=1, closed_tcp=1)
        # Who did not wait and was refused looks like one that was reset: that one is not counted.
        self.expect(failed, connects_tcp=2, closed_tcp=2, failed_tcp=1)
        self.expect(waits, connects_tcp=1, closed_tcp=1, failed_tcp=1)
        self.expect(lost, connects_tcp=1, closed_tcp=1, failed_tcp=1)


class FullTest(Counting, unittest.TestCase):
    """Maps without room."""

    options = {"entries": {"service_stats": 4, "backend_stats": 2}}

    def test_connections_go_on_uncounted(self):
        services = [self.counted(PODS4[:1], made=False, flags=SERVICE_BACKEND_STATS) for _ in range(8)]
        for round_ in (1, 2):
            failed, _ = self.count("stats_failed", lambda: self.lab.run(lambda: [tcp(vip) for vip, _ in services]))
            counted = [stats for stats in (self.lab.service_stats(key) for _, key in services) if stats]
            # A hash that is not preallocated counts its entries roughly, for each CPU.
            self.assertTrue(4 <= len(counted) < 8, counted)
            for stats in counted:
                self.assertEqual((stats["connects_tcp"], stats["closed_tcp"]), (round_, round_))
            backends = [stats for stats in (self.lab.backend_stats(key, PODS4[0]) for _, key in services) if stats]
            self.assertEqual(failed, (8 - len(counted)) + (len(counted) - len(backends)))
            for stats in backends:
                self.assertEqual((stats["connects"], stats["closed"]), (round_, round_))

    def test_an_entry_that_was_taken_away_does_not_come_back_with_an_end(self):
        for key in self.lab.maps["service_stats"].keys(8):
            self.lab.maps["service_stats"].delete(key)
        vip, key = self.counted(PODS4)  # there is room again

        def client():
            with stream() as sock:
                sock.connect((vip, 80))
                self.lab.maps["service_stats"].delete(struct.pack("=Q", key))
        self.lab.run(client)
        self.assertIsNone(self.lab.service_stats(key))


if __name__ == "__main__":
    # A test run that is asked to stop still removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
