# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Drives real sockets through the programs of sock_lb.bpf.c, in both variants. Needs root."""

import collections
import ctypes
import errno
import ipaddress
import itertools
import os
import resource
import signal
import socket
import struct
import sys
import time
import unittest

from lab import (EVENT, EVENTS_BYTES, PROGRAMS, SERVICE_AFFINITY, SERVICE_POLICY_LOCAL, TCP, UDP, Lab, netns_cookie,
                 packed)

PODS4 = [(f"10.201.0.{n}", 8080) for n in range(1, 9)]
PODS6 = [(f"fd00:201::{n}", 8080) for n in range(1, 5)]
# One address with many ports: backends differ by port alone.
PORTS4 = [("10.201.0.9", 9000 + n) for n in range(128)]
ENDPOINTS = PODS4 + PODS6 + PORTS4
# Room for a program to grow; a limit that is met by accident means an explosion of states, which
# the older verifiers answer with a refusal.
MOST_INSTRUCTIONS = 60_000

ADDRESSES = itertools.count(1)
NODE_PORTS = itertools.count(30000)
# Client 0 is the node: its own addresses and those of another node, to which nobody has a route.
OWN4, OTHER4 = "10.200.0.1", "10.222.0.1"
OWN6, OTHER6 = "fd00:200::1", "fd00:222::1"
NODE4, NODE6 = (OWN4, OTHER4, "127.0.0.1"), (OWN6, OTHER6, "::1")


def vip4():
    n = next(ADDRESSES)
    return f"10.96.{n >> 8}.{n & 255}"


def vip6():
    return f"fd00:10:96::{next(ADDRESSES):x}"


def mapped(address):
    return f"::ffff:{address}"


def parse(reply):
    address, port = reply.decode().split()
    return address, int(port)


def tcp(address, port=80, family=None):
    """Connects; returns (backend reached, what getpeername says)."""
    family = family or (socket.AF_INET6 if ":" in address else socket.AF_INET)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(20)
        sock.connect((address, port))
        name = sock.getpeername()[:2]
        return parse(sock.recv(100)), name


def udp(family=socket.AF_INET):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(20)
    return sock


def ask(sock, address, port=80):
    """One datagram there and back; returns (backend reached, source of the reply)."""
    sock.sendto(b"?", (address, port))
    return hear(sock)


def hear(sock):
    reply, source = sock.recvfrom(100)
    return parse(reply), source[:2]


def bind(address, port, kind=socket.SOCK_STREAM, family=None, options=()):
    """Binds; the address may be none of this host's. Returns the socket."""
    family = family or (socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock = socket.socket(family, kind)
    try:
        sock.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND; of both families
        for option in options:
            sock.setsockopt(*option)
        sock.bind((address, port))
        return sock
    except OSError:
        sock.close()
        raise


def answer_at(address, port, kind=socket.SOCK_STREAM):
    """Connects to a listener of its own there; returns what getpeername says."""
    with bind(address, port, kind) as listener:
        if kind == socket.SOCK_STREAM:
            listener.listen()
        family = listener.family
        with socket.socket(family, kind) as sock:
            sock.connect((address, port))
            peer = sock.getpeername()[:2]
            sock.send(b"?")
            if kind == socket.SOCK_STREAM:
                listener.accept()[0].close()
            else:
                listener.recv(1)
            return peer


def errno_of(function):
    try:
        function()
    except OSError as failure:
        return failure.errno
    return 0


def disconnect(sock):
    """connect(AF_UNSPEC), which Python's connect() cannot say."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.connect(sock.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16):
        raise OSError(ctypes.get_errno(), "connect(AF_UNSPEC)")


def kernel_peers(socks):
    """The peers of UDP sockets as the kernel has them, whatever getpeername says."""
    wanted = [os.fstat(sock.fileno()).st_ino for sock in socks]
    peers = {}
    # A socket that another process closes meanwhile makes the reader miss some: read again.
    for _ in range(20):
        for name, family in (("udp", socket.AF_INET), ("udp6", socket.AF_INET6)):
            with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
                next(file)
                for fields in map(str.split, file):
                    address, port = fields[2].split(":")
                    words = (int(address[i:i + 8], 16) for i in range(0, len(address), 8))
                    address = socket.inet_ntop(family, struct.pack(f"={len(address) // 8}I", *words))
                    peers[int(fields[9])] = address, int(port, 16)
        if all(inode in peers for inode in wanted):
            return [peers[inode] for inode in wanted]
    raise AssertionError("sockets are missing from /proc/net/udp")


class Services:
    """A lab, and Services in it."""

    variant = "sock_lb"
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.variant, ENDPOINTS, **cls.options)
        cls.addClassCleanup(cls.lab.close)
        for address in NODE4 + NODE6:
            cls.lab.node_address(address)

    def expose(self, backends, protocol=TCP, address=None, port=80, **settings):
        """A Service with one frontend; returns (address, index)."""
        address = address or (vip6() if backends and ":" in backends[0][0] else vip4())
        index = self.lab.service(backends, **settings)
        self.lab.frontend(address, port, protocol, index)
        return address, index

    def expose_node_port(self, backends4=(), backends6=(), protocol=TCP, **settings):
        """A node port for the families that have backends; returns its number."""
        port = next(NODE_PORTS)
        for any_address, backends in (("0.0.0.0", backends4), ("::", backends6)):
            if backends:
                self.lab.frontend(any_address, port, protocol, self.lab.service(backends, **settings))
        return port

    def count(self, name, function):
        before = self.lab.counter(name)
        result = function()
        return self.lab.counter(name) - before, result


class Cases(Services):
    """Everything that both variants do alike."""

    bind_refused = errno.EADDRINUSE

    def test_verifier_accepts_every_program_within_reason(self):
        for program in (*PROGRAMS, "pb_stale_sockets"):
            verified = self.lab.verified_instructions(program)
            print(f"  {self.variant:15} {program:16} {verified:7} instructions verified")
            self.assertGreater(verified, 10)
            self.assertLess(verified, MOST_INSTRUCTIONS)

    # TCP

    def test_tcp_reaches_a_backend_and_sees_the_service(self):
        for pods in (PODS4, PODS6):
            vip, _ = self.expose(pods)
            counted, (backend, peer) = self.count("connect_tcp", lambda: self.lab.run(lambda: tcp(vip)))
            self.assertIn(backend, pods)
            self.assertEqual(peer, (vip, 80))
            self.assertEqual(counted, 1)

    def test_tcp_through_a_v4_mapped_address(self):
        vip, _ = self.expose(PODS4)
        backend, peer = self.lab.run(lambda: tcp(mapped(vip)))
        self.assertIn(("10.201.0." + backend[0].rsplit(".", 1)[1], 8080), PODS4)
        self.assertEqual(peer, (mapped(vip), 80))

    def test_addresses_of_no_service_are_untouched(self):
        self.assertEqual(self.lab.run(lambda: tcp(*PODS4[0])), (PODS4[0], PODS4[0]))
        self.assertEqual(self.lab.run(lambda: tcp(*PODS6[0])), (PODS6[0], PODS6[0]))

        def datagrams():
            with udp() as sock:
                return ask(sock, *PODS4[0])
        self.assertEqual(self.lab.run(datagrams), (PODS4[0], PODS4[0]))

    def test_backends_are_chosen_evenly(self):
        vip, _ = self.expose(PODS4[:3])
        chosen = collections.Counter(self.lab.run(lambda: [tcp(vip)[0] for _ in range(900)]))
        # Binomial: 300 expected, standard deviation 14.
        self.assertEqual(set(chosen), set(PODS4[:3]))
        for backend, times in chosen.items():
            self.assertAlmostEqual(times, 300, delta=85, msg=backend)

    def test_a_publication_moves_new_connections_at_once(self):
        vip, index = self.expose(PODS4[:2])
        self.lab.publish(index, PODS4[2:4])
        self.assertLessEqual(set(self.lab.run(lambda: [tcp(vip)[0] for _ in range(30)])), set(PODS4[2:4]))

    def test_tcp_socket_that_connects_again_sees_its_new_peer(self):
        vip, _ = self.expose(PODS4[:1])

        def client():
            with socket.socket() as sock:
                sock.settimeout(20)
                sock.connect((vip, 80))
                first = sock.getpeername()
                disconnect(sock)
                sock.connect(PODS4[0])
                return first, sock.getpeername()
        self.assertEqual(self.lab.run(client), ((vip, 80), PODS4[0]))

    # Connected UDP

    def test_connected_udp_hears_the_service(self):
        cases = (
            (socket.AF_INET, PODS4, lambda vip: vip),
            (socket.AF_INET6, PODS6, lambda vip: vip),
            (socket.AF_INET6, PODS4, mapped),
        )
        for family, pods, spell in cases:
            vip, _ = self.expose(pods, UDP)

            def client(family=family, name=spell(vip)):
                with udp(family) as sock:
                    sock.connect((name, 80))
                    sock.send(b"?")
                    return hear(sock), sock.getpeername()[:2]
            (backend, source), peer = self.lab.run(client)
            self.assertIn(backend, pods)
            self.assertEqual(source, (spell(vip), 80))
            self.assertEqual(peer, (spell(vip), 80))

    def test_disconnected_udp_sees_the_pod(self):
        vip, _ = self.expose(PODS4[:1], UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                disconnect(sock)
                return ask(sock, *PODS4[0])
        self.assertEqual(self.lab.run(client), (PODS4[0], PODS4[0]))

    def test_udp_connected_straight_to_the_pod_sees_the_pod(self):
        vip, _ = self.expose(PODS4[:1], UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                sock.connect(PODS4[0])
                sock.send(b"?")
                return hear(sock), sock.getpeername()
        self.assertEqual(self.lab.run(client), ((PODS4[0], PODS4[0]), PODS4[0]))

    def test_connected_udp_that_names_its_service_stays_on_its_backend(self):
        vip, _ = self.expose(PODS4, UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                sock.send(b"?")
                return [hear(sock)] + [ask(sock, vip) for _ in range(20)]
        replies = set(self.lab.run(client))
        self.assertEqual(len(replies), 1)
        self.assertEqual(replies.pop()[1], (vip, 80))

    # Unconnected UDP

    def test_unconnected_udp_hears_the_service(self):
        cases = (
            (socket.AF_INET, PODS4, lambda vip: vip),
            (socket.AF_INET6, PODS6, lambda vip: vip),
            (socket.AF_INET6, PODS4, mapped),
        )
        for family, pods, spell in cases:
            vip, _ = self.expose(pods, UDP)

            def client(family=family, name=spell(vip)):
                with udp(family) as sock:
                    return ask(sock, name)
            before = self.lab.counter("send_udp"), self.lab.counter("reply_udp")
            backend, source = self.lab.run(client)
            self.assertIn(backend, pods)
            self.assertEqual(source, (spell(vip), 80))
            self.assertEqual(self.lab.counter("send_udp"), before[0] + 1)
            self.assertEqual(self.lab.counter("reply_udp"), before[1] + 1)

    def test_unconnected_udp_keeps_its_backend_while_it_is_valid(self):
        vip, index = self.expose(PODS4, UDP)

        def client():
            with udp() as sock:
                first, _ = ask(sock, vip)
                same = {ask(sock, vip)[0] for _ in range(20)}
                self.lab.publish(index, sorted([first] + PODS4[:3]))
                reordered = {ask(sock, vip)[0] for _ in range(20)}
                others = [pod for pod in PODS4 if pod != first]
                self.lab.publish(index, others)
                moved = {ask(sock, vip) for _ in range(20)}
                return first, same, reordered, others, moved
        first, same, reordered, others, moved = self.lab.run(client)
        self.assertEqual(same, {first})
        self.assertEqual(reordered, {first})
        self.assertEqual(len(moved), 1)
        backend, source = moved.pop()
        self.assertIn(backend, others)
        self.assertEqual(source, (vip, 80))

    def test_an_index_that_passes_to_another_service_takes_no_flow_with_it(self):
        vip, index = self.expose(PODS4[:1], UDP)

        def client():
            with udp() as sock:
                first = ask(sock, vip)
                other = self.lab.service(PODS4[1:2])
                self.lab.generations[other] = self.lab.generations[index] - 1
                self.lab.publish(other, PODS4[1:2])
                self.lab.frontend(vip, 80, UDP, other)
                return first, ask(sock, vip)
        self.assertEqual(self.lab.run(client), ((PODS4[0], (vip, 80)), (PODS4[1], (vip, 80))))

    def test_64_services_from_one_socket(self):
        vips = [self.expose(PORTS4[2 * n:2 * n + 2], UDP)[0] for n in range(64)]

        def client():
            with udp() as sock:
                rounds = []
                for _ in range(3):
                    for vip in vips:
                        sock.sendto(b"?", (vip, 80))
                    rounds.append({source[0]: backend for backend, source in (hear(sock) for _ in vips)})
                return rounds
        rounds = self.lab.run(client)
        for n, vip in enumerate(vips):
            self.assertIn(rounds[0][vip], PORTS4[2 * n:2 * n + 2])
        self.assertEqual(rounds[0], rounds[1])
        self.assertEqual(rounds[0], rounds[2])

    def test_an_overflowed_flow_leaves_a_backend_that_is_gone(self):
        services = [self.expose(PORTS4[2 * n:2 * n + 2], UDP) for n in range(8)]
        vip, index = services[7]

        def client():
            with udp() as sock:
                for address, _ in services[:7]:
                    ask(sock, address)
                first = ask(sock, vip)
                other = [pod for pod in PORTS4[14:16] if pod != first[0]]
                self.lab.publish(index, other)
                return first[1], other[0], ask(sock, vip)
        source, other, reply = self.lab.run(client)
        self.assertEqual(source, (vip, 80))
        self.assertEqual(reply, (other, (vip, 80)))

    def test_two_services_of_one_socket_avoid_one_backend(self):
        one, _ = self.expose(PODS4[:2], UDP)
        two, _ = self.expose(PODS4[:2], UDP)

        def client():
            for _ in range(60):
                with udp() as sock:
                    first, second = ask(sock, one), ask(sock, two)
                    if first[0] == second[0] or (first[1][0], second[1][0]) != (one, two):
                        return first, second
            return None
        self.assertIsNone(self.lab.run(client))

    def test_reply_of_a_shared_backend_belongs_to_the_flow_used_last(self):
        # More Services than inline flows, so both kinds of flow meet.
        vips = [self.expose(PODS4[:1], UDP)[0] for _ in range(7)]

        def client():
            with udp() as sock:
                return [(vip, ask(sock, vip)[1][0]) for vip in vips + vips[::-1] + vips]
        for vip, source in self.lab.run(client):
            self.assertEqual(vip, source)

    def test_a_datagram_to_the_pod_itself_hears_the_pod(self):
        vips = [self.expose(PODS4[:1], UDP)[0] for _ in range(6)]

        def client():
            with udp() as sock:
                return [(ask(sock, vip)[1], ask(sock, *PODS4[0])[1], ask(sock, vip)[1]) for vip in vips]
        for vip, sources in zip(vips, self.lab.run(client)):
            self.assertEqual(sources, ((vip, 80), PODS4[0], (vip, 80)))

    # Node ports

    def test_a_node_port_is_reached_through_every_address_of_every_node(self):
        port = self.expose_node_port(PODS4, PODS6)
        cases = [(name, PODS4) for name in NODE4] + [(mapped(name), PODS4) for name in NODE4] + [
            (name, PODS6) for name in NODE6]
        here = [("0.0.0.0", PODS4), (mapped("0.0.0.0"), PODS4), ("::", PODS6)]
        for name, pods in cases + here:
            counted, (backend, peer) = self.count(
                "connect_tcp", lambda name=name: self.lab.run(lambda: tcp(name, port)))
            self.assertIn(backend[1], {8080}, name)
            self.assertIn(backend, pods, name)
            self.assertEqual(peer, (name, port))
            self.assertEqual(counted, 1)
        for name, pods in cases:
            if not name.endswith(("127.0.0.1", "::1")) or name in (OWN6, OTHER6):
                backend, peer = self.lab.run(lambda name=name: tcp(name, port), client=1)
                self.assertIn(backend, pods, name)
                self.assertEqual(peer, (name, port))

    def test_unspecified_addresses_lead_to_node_ports_only_if_loopback_does(self):
        port = self.expose_node_port(PODS4, PODS6)
        for loopback, own, names in (("127.0.0.1", OWN4, ("0.0.0.0", mapped("0.0.0.0"), "127.0.0.1")),
                                     ("::1", OWN6, ("::", "::1"))):
            self.lab.delete_frontend(loopback, 0, 0)
            try:
                for name in names:
                    counted, failed = self.count(
                        "connect_tcp", lambda name=name: self.lab.run(lambda: errno_of(lambda: tcp(name, port))))
                    self.assertEqual((failed, counted), (errno.ECONNREFUSED, 0), name)
                self.assertEqual(self.lab.run(lambda own=own: tcp(own, port))[1], (own, port))
            finally:
                self.lab.node_address(loopback)

    def test_udp_through_a_node_port_hears_the_address_that_it_asked(self):
        port = self.expose_node_port(PODS4, PODS6, UDP)
        cases = [(socket.AF_INET, name, PODS4) for name in NODE4] + [
            (socket.AF_INET6, mapped(name), PODS4) for name in NODE4] + [
            (socket.AF_INET6, name, PODS6) for name in NODE6]
        for family, name, pods in cases:
            def connected(family=family, name=name):
                with udp(family) as sock:
                    sock.connect((name, port))
                    sock.send(b"?")
                    return hear(sock), sock.getpeername()[:2]

            def unconnected(family=family, name=name):
                with udp(family) as sock:
                    return ask(sock, name, port)
            (backend, source), peer = self.lab.run(connected)
            self.assertIn(backend, pods, name)
            self.assertEqual((source, peer), ((name, port), (name, port)))
            backend, source = self.lab.run(unconnected)
            self.assertIn(backend, pods, name)
            self.assertEqual(source, (name, port))

    def test_one_socket_tells_the_addresses_of_a_node_port_apart(self):
        port = self.expose_node_port(PODS4, protocol=UDP)

        def client():
            with udp() as sock:
                return [(name, ask(sock, name, port)[1]) for name in NODE4 * 3]
        for name, source in self.lab.run(client):
            self.assertEqual(source, (name, port))

    def test_loopback_of_another_namespace_is_its_own(self):
        tcp_port = self.expose_node_port(PODS4, PODS6)
        udp_port = self.expose_node_port(PODS4, PODS6, UDP)
        for name in ("127.0.0.1", mapped("127.0.0.1"), "::1"):
            for kind, port in ((socket.SOCK_STREAM, tcp_port), (socket.SOCK_DGRAM, udp_port)):
                peer = self.lab.run(lambda name=name, kind=kind, port=port: answer_at(name, port, kind), client=1)
                self.assertEqual(peer, (name, port))
        for name in ("0.0.0.0", "::"):
            failure = self.lab.run(lambda name=name: errno_of(lambda: tcp(name, tcp_port)), client=1)
            self.assertEqual(failure, errno.ECONNREFUSED)

    def test_ports_of_a_node_address_that_are_no_node_ports_are_untouched(self):
        port = self.expose_node_port(PODS4, PODS6)
        only6 = self.expose_node_port(backends6=PODS6)

        def client():
            return (answer_at(OWN4, port + 10000), answer_at(OWN6, port + 10000),
                    answer_at(OWN4, port, socket.SOCK_DGRAM), answer_at(OWN4, only6))
        before = [self.lab.counter(name) for name in ("connect_tcp", "connect_udp")]
        self.assertEqual(self.lab.run(client), ((OWN4, port + 10000), (OWN6, port + 10000), (OWN4, port), (OWN4, only6)))
        self.assertEqual([self.lab.counter(name) for name in ("connect_tcp", "connect_udp")], before)

    def test_a_frontend_of_its_own_comes_before_the_node_port(self):
        port = self.expose_node_port(PODS4)
        self.expose(PORTS4, address=OTHER4, port=port)
        self.assertIn(self.lab.run(lambda: tcp(OTHER4, port)[0]), PORTS4)
        self.assertIn(self.lab.run(lambda: tcp(OWN4, port)[0]), PODS4)

    def test_a_service_address_has_no_node_ports(self):
        vip, _ = self.expose(PODS4)
        self.lab.refuse(vip)
        port = self.expose_node_port(PODS4)
        self.assertIn(self.lab.run(lambda: tcp(vip)[0]), PODS4)
        self.assertEqual(self.lab.run(lambda: errno_of(lambda: tcp(vip, port))), errno.ECONNREFUSED)

    def test_a_node_port_without_endpoints_is_refused(self):
        port = next(NODE_PORTS)
        self.lab.frontend("0.0.0.0", port, TCP, self.lab.service([]))
        for name in NODE4:
            counted, failure = self.count(
                "refused_no_endpoint", lambda name=name: self.lab.run(lambda: errno_of(lambda: tcp(name, port))))
            self.assertEqual((failure, counted), (errno.ECONNREFUSED, 1))

    def test_a_socket_that_was_bound_to_loopback_has_no_way_to_a_pod(self):
        port = self.expose_node_port(PODS4)

        def client():
            with bind("127.0.0.1", 0) as sock:
                return errno_of(lambda: sock.connect(("127.0.0.1", port)))
        self.assertEqual(self.lab.run(client), errno.EINVAL)

    # Binding to node ports

    def bind_error(self, address, port, kind=socket.SOCK_STREAM, client=0, **how):
        def attempt():
            with bind(address, port, kind, **how):
                pass
        return self.lab.run(lambda: errno_of(attempt), client)

    def test_a_listener_that_a_node_port_would_hide_is_refused(self):
        everywhere = ["0.0.0.0", mapped("0.0.0.0"), "::"]
        for kind, protocol in ((socket.SOCK_STREAM, TCP), (socket.SOCK_DGRAM, UDP)):
            port = self.expose_node_port(PODS4, PODS6, protocol)
            for name in everywhere + [*NODE4, *NODE6] + [mapped(name) for name in NODE4]:
                counted, failure = self.count(
                    "refused_bind", lambda name=name, kind=kind, port=port: self.bind_error(name, port, kind))
                self.assertEqual((name, failure, counted), (name, self.bind_refused, 1))

    def test_a_listener_that_no_node_port_hides_is_left_alone(self):
        port = self.expose_node_port(PODS4, PODS6)
        only4 = self.expose_node_port(backends4=PODS4)
        only6 = self.expose_node_port(backends6=PODS6)
        cases = (
            ("0.0.0.0", port + 10000), ("::", port + 10000),
            ("127.0.0.2", port), ("10.99.0.1", port), ("fd00:99::1", port), (mapped("10.99.0.1"), port),
            ("::1", only4), (OWN6, only4), ("0.0.0.0", only6), (OWN4, only6), (mapped(OWN4), only6),
        )
        for name, number in cases:
            self.assertEqual((name, number, self.bind_error(name, number)), (name, number, 0))
            self.assertEqual(self.bind_error(name, number, client=1), 0)
        for name in ("0.0.0.0", "::", OWN4, "127.0.0.1"):
            self.assertEqual(self.bind_error(name, port, socket.SOCK_DGRAM), 0)
            self.assertEqual(self.bind_error(name, port, client=1), 0)

    def test_a_listener_at_every_address_hears_both_families(self):
        for port in (self.expose_node_port(backends4=PODS4), self.expose_node_port(backends6=PODS6)):
            self.assertEqual(self.bind_error("::", port), self.bind_refused)
        # What a program cannot see: this one would not hear IPv4.
        port = self.expose_node_port(backends4=PODS4)
        only = [(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)]
        self.assertEqual(self.bind_error("::", port, options=only), self.bind_refused)

    def test_sharing_the_port_is_no_way_around(self):
        port = self.expose_node_port(PODS4)
        for option in (socket.SO_REUSEPORT, socket.SO_REUSEADDR):
            options = [(socket.SOL_SOCKET, option, 1)]
            self.assertEqual(self.bind_error("0.0.0.0", port, options=options), self.bind_refused)

    def test_a_socket_may_try_again_and_the_port_is_free(self):
        port = self.expose_node_port(PODS4)

        def client():
            with socket.socket() as sock, socket.socket() as other:
                first = errno_of(lambda: sock.bind(("0.0.0.0", port)))
                sock.bind(("0.0.0.0", port + 10000))
                self.lab.delete_frontend("0.0.0.0", port, TCP)
                other.bind(("0.0.0.0", port))
                return first, sock.getsockname(), other.getsockname()
        self.assertEqual(self.lab.run(client), (self.bind_refused, ("0.0.0.0", port + 10000), ("0.0.0.0", port)))

    def test_ports_that_the_kernel_chooses(self):
        def client():
            with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="ascii") as file:
                file.write(f"{port} {port}")
            try:
                with socket.socket() as bound, udp() as sender, socket.socket() as connected:
                    explicit = errno_of(lambda: bound.bind(("0.0.0.0", 0)))
                    sender.sendto(b"?", PODS4[0])
                    connected.connect(PODS4[0])
                    return explicit, sender.getsockname()[1], connected.getsockname()[1]
            finally:
                with open("/proc/sys/net/ipv4/ip_local_port_range", "w", encoding="ascii") as file:
                    file.write("32768 60999")
        port = self.expose_node_port(PODS4)
        self.assertEqual(self.lab.run(client), (self.bind_refused, port, port))

    def test_a_refused_bind_leaves_an_event(self):
        self.lab.events.read()
        cookies = set()
        port = self.expose_node_port(PODS4, PODS6, UDP, stats=77)
        index = self.lab.next_service - 1  # of IPv6

        def client():
            with open("/proc/self/comm", "w", encoding="ascii") as file:
                file.write("a-rather-long-name")
            errno_of(lambda: bind("::", port, socket.SOCK_DGRAM))
            errno_of(lambda: bind(mapped(OWN4), port, socket.SOCK_DGRAM))
            errno_of(lambda: bind("127.0.0.1", port, socket.SOCK_DGRAM))
            return os.getpid(), netns_cookie()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        pid, cookie = self.lab.run(client)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        records = self.lab.events.read()
        expected = (("::", socket.AF_INET6, index), (OWN4, socket.AF_INET6, index - 1),
                    ("127.0.0.1", socket.AF_INET, index - 1))
        self.assertEqual(len(records), len(expected))
        for record, (address, family, service) in zip(records, expected):
            self.assertEqual(len(record), EVENT.size)
            when, group, netns, sock, *rest = EVENT.unpack(record)
            self.assertTrue(before < when < after)
            self.assertEqual((group, netns), (os.stat(self.lab.cgroup).st_ino, cookie))
            cookies.add(sock)
            self.assertEqual(rest, [
                77, 0, 1, service, pid, pid, b"a-rather-long-n\0", packed(address), bytes(16), bytes(16),
                struct.pack("!H", port), bytes(2), bytes(2), UDP, family, self.bind_refused])
        self.assertEqual(len(cookies - {0}), len(expected))

    def test_events_that_do_not_fit_are_counted(self):
        port = self.expose_node_port(PODS4)
        attempts = EVENTS_BYTES // (EVENT.size + 8) + 100

        def client():
            with socket.socket() as sock:
                return sum(errno_of(lambda: sock.bind(("0.0.0.0", port))) == self.bind_refused for _ in range(attempts))
        self.lab.events.read()
        lost, refused = self.count("events_lost", lambda: self.lab.run(client))
        self.assertEqual(refused, attempts)
        self.assertGreaterEqual(lost, 100)
        self.assertEqual(len(self.lab.events.read()), attempts - lost)
        self.lab.run(client)
        self.assertGreater(len(self.lab.events.read()), 1000)

    # Corrupt content. The same answer in both variants: refused, never misrouted.

    def test_content_that_points_nowhere_is_refused_and_counted(self):
        outside = vip4()
        self.lab.frontend(outside, 80, TCP, 0xffffff)
        range_outside, index = self.expose([])
        self.lab.publish_word(index, 0xfffff0, 10)
        never_written, index = self.expose([])
        self.lab.publish_word(index, 200_000, 1)
        other_family, _ = self.expose(PODS6[:1], address=vip4())
        other_family6, _ = self.expose(PODS4[:1], address=vip6())
        for vip in (outside, range_outside, never_written, other_family, other_family6):
            counted, failure = self.count("corrupt", lambda vip=vip: self.lab.run(lambda: errno_of(lambda: tcp(vip))))
            self.assertEqual((vip, failure, counted), (vip, errno.ECONNREFUSED, 1))

    # Session affinity

    def test_affinity_keeps_a_client_on_its_backend(self):
        vip, _ = self.expose(PODS4, flags=SERVICE_AFFINITY, seconds=60)
        counted, backends = self.count(
            "affinity_kept", lambda: self.lab.run(lambda: {tcp(vip)[0] for _ in range(20)}))
        self.assertEqual(len(backends), 1)
        self.assertEqual(counted, 19)
        self.assertEqual(self.lab.run(lambda: tcp(vip)[0]), backends.pop())

    def test_affinity_is_of_a_namespace(self):
        def client():
            return [tcp(vip)[0] for vip in vips]
        vips = [self.expose(PODS4, flags=SERVICE_AFFINITY, seconds=60)[0] for _ in range(8)]
        # Two clients agree on all of eight Services with eight backends once in 16 million runs.
        self.assertNotEqual(self.lab.run(client, client=0), self.lab.run(client, client=1))

    def affinity_key(self, index, client=0):
        return struct.pack("=QQII", self.lab.run(netns_cookie, client), 0, index, 0)

    @staticmethod
    def affinity_value(backend, generation=0, age=0.0):
        used = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - int(age * 1e9)
        return packed(backend[0]) + struct.pack("!H", backend[1]) + struct.pack("=HIQ", 0, generation, used)

    def set_affinity(self, index, backend, generation=0, age=0.0):
        self.lab.maps["affinity"].update(self.affinity_key(index), self.affinity_value(backend, generation, age))

    def test_affinity_ends_when_its_time_is_over(self):
        vip, index = self.expose(PODS4, flags=SERVICE_AFFINITY, seconds=100)
        # Negative: another CPU used the entry after this one had read the clock. Far from the end, as a machine
        # may stand still.
        for age, kept in ((-1, 20), (60, 20), (101, 0)):
            def connects(age=age):
                total = 0
                for _ in range(20):
                    self.set_affinity(index, PODS4[3], age=age)
                    total += self.lab.run(lambda: tcp(vip)[0]) == PODS4[3]
                return total
            counted, hits = self.count("affinity_kept", connects)
            self.assertEqual(counted, kept)
            # By chance one in eight; twenty in a row are not chance.
            self.assertEqual(hits == 20, kept == 20)

    def test_affinity_is_refreshed_by_each_connection(self):
        vip, index = self.expose(PODS4, flags=SERVICE_AFFINITY, seconds=1000)
        self.set_affinity(index, PODS4[3], age=900)
        self.lab.run(lambda: tcp(vip))
        key = self.affinity_key(index)
        *_, generation, used = struct.unpack("=16sHHIQ", self.lab.maps["affinity"].lookup(key))
        self.assertLess(time.clock_gettime_ns(time.CLOCK_MONOTONIC) - used, 100e9)
        self.assertEqual(generation, self.lab.generations[index])

    def test_affinity_leaves_a_backend_that_is_gone_and_settles_again(self):
        vip, index = self.expose(PODS4, flags=SERVICE_AFFINITY, seconds=60)
        first = self.lab.run(lambda: tcp(vip)[0])
        self.lab.publish(index, [pod for pod in PODS4 if pod != first], flags=SERVICE_AFFINITY, seconds=60)
        later = self.lab.run(lambda: {tcp(vip)[0] for _ in range(20)})
        self.assertEqual(len(later), 1)
        self.assertNotEqual(later.pop(), first)

    def test_affinity_believes_no_generation(self):
        # An entry that was given to another key while it was read looks like this.
        vip, index = self.expose(PODS4[:4], flags=SERVICE_AFFINITY, seconds=60)
        self.set_affinity(index, PODS4[7], generation=self.lab.generations[index])
        self.assertIn(self.lab.run(lambda: tcp(vip)[0]), PODS4[:4])

    def test_affinity_rules_datagrams_too(self):
        vip, _ = self.expose(PODS4, UDP, flags=SERVICE_AFFINITY, seconds=60)

        def client():
            replies = set()
            for _ in range(20):
                with udp() as sock:
                    replies.add(ask(sock, vip))
            with udp() as sock:
                sock.connect((vip, 80))
                sock.send(b"?")
                replies.add(hear(sock))
            return replies
        replies = self.lab.run(client)
        self.assertEqual(len(replies), 1)
        self.assertEqual(replies.pop()[1], (vip, 80))

    def parallel_connects(self, vips):
        """Two clients on two CPUs connect to all Services, each at the same moment. Backends by Service."""
        start = time.monotonic() + 0.2

        def client(cpu):
            os.sched_setaffinity(0, {cpu})
            resource.setrlimit(resource.RLIMIT_NOFILE, (2 * len(vips), 2 * len(vips)))
            socks = [udp() for _ in vips]
            for n, (sock, vip) in enumerate(zip(socks, vips)):
                # Waking up takes longer than the race is wide, so spin: 0.3 s in all.
                while time.monotonic() < start + n * 150e-6:
                    pass
                sock.connect((vip, 80))
            peers = kernel_peers(socks)
            for sock in socks:
                sock.close()
            return peers
        cpus = sorted(os.sched_getaffinity(0))[:2]
        self.assertEqual(len(cpus), 2, "a race needs two CPUs")
        started = [self.lab.start(lambda cpu=cpu: client(cpu)) for cpu in cpus]
        return [set(reached) for reached in zip(*(self.lab.finish(s) for s in started))]

    def test_parallel_first_connects_agree(self):
        vips = [self.expose(PODS4, UDP, flags=SERVICE_AFFINITY, seconds=60)[0] for _ in range(2000)]
        self.assertEqual(sum(len(backends) - 1 for backends in self.parallel_connects(vips)), 0)

    def test_parallel_replacements_agree(self):
        services = [self.expose(PODS4, UDP, flags=SERVICE_AFFINITY, seconds=60) for _ in range(2000)]
        gone = self.affinity_value(("10.201.0.200", 80))
        key = self.affinity_key(0)
        for _, index in services:
            self.lab.maps["affinity"].update(key[:16] + struct.pack("=II", index, 0), gone)
        differing = sum(len(backends) - 1 for backends in self.parallel_connects([vip for vip, _ in services]))
        self.assertEqual(differing, 0)

    def test_every_place_of_a_range_is_found_and_nothing_between(self):
        # Three ports an address, whose order turns round when their bytes are swapped.
        ports = (1023, 1025, 1290)

        def client():
            with udp(family) as sock:
                sock.connect((vip, 80))
                return kernel_peers([sock])[0]
        for size in (1, 2, 3, 4, 7, 100):
            for family, pattern in ((socket.AF_INET, "10.201.{}.{}"), (socket.AF_INET6, "fd00:201:0:0:{}::{}")):
                pods = [(str(ipaddress.ip_address(pattern.format(n // 24, n // 3 % 8 + 1))), ports[n % 3])
                        for n in range(size)]
                vip, index = self.expose(pods, UDP, flags=SERVICE_AFFINITY, seconds=60)
                for pod in sorted(set(pods[:3] + pods[size // 2:size // 2 + 3] + pods[-3:])):
                    self.set_affinity(index, pod)
                    counted, reached = self.count("affinity_kept", lambda: self.lab.run(client))
                    self.assertEqual((reached, counted), (pod, 1))
                    for near in ((pod[0], pod[1] - 2), (pod[0], pod[1] + 1)):
                        if near in pods:
                            continue
                        self.set_affinity(index, near)
                        counted, reached = self.count("affinity_kept", lambda: self.lab.run(client))
                        self.assertIn(reached, pods)
                        self.assertEqual(counted, 0)

    # Refusals that are alike in both variants: connect() of TCP.

    def test_tcp_is_refused_where_no_endpoint_is(self):
        for vip in (vip4(), vip6()):
            self.expose([], address=vip)
            for name in (vip,) if ":" in vip else (vip, mapped(vip)):
                counted, failure = self.count(
                    "refused_no_endpoint", lambda: self.lab.run(lambda name=name: errno_of(lambda: tcp(name))))
                self.assertEqual((name, failure, counted), (name, errno.ECONNREFUSED, 1))

    def test_tcp_is_refused_at_a_port_of_no_service(self):
        vip, _ = self.expose(PODS4)
        self.lab.refuse(vip)
        counted, failure = self.count(
            "refused_unknown_port", lambda: self.lab.run(lambda: errno_of(lambda: tcp(vip, 81))))
        self.assertEqual((failure, counted), (errno.ECONNREFUSED, 1))
        self.assertIn(self.lab.run(lambda: tcp(vip)[0]), PODS4)


class SockLbTest(Cases, unittest.TestCase):
    """The object for kernels that have bpf_set_retval()."""

    variant = "sock_lb"

    def failures(self, vip, port=80):
        def client():
            def connected():
                with udp(family) as sock:
                    sock.connect((vip, port))

            def unconnected():
                with udp(family) as sock:
                    sock.sendto(b"?", (vip, port))
            family = socket.AF_INET6 if ":" in vip else socket.AF_INET
            return errno_of(lambda: tcp(vip, port)), errno_of(connected), errno_of(unconnected)
        return self.lab.run(client)

    def test_every_call_fails_at_once_with_the_reason(self):
        for vip in (vip4(), vip6()):
            for protocol in (TCP, UDP):
                self.expose([], protocol, address=vip)
                self.expose([], protocol, address=vip, port=81, flags=SERVICE_POLICY_LOCAL)
            self.lab.refuse(vip)
            spellings = (vip,) if ":" in vip else (vip, mapped(vip))
            for name in spellings:
                for port, reason, error in ((80, "refused_no_endpoint", errno.ECONNREFUSED),
                                            (81, "refused_policy", errno.EHOSTUNREACH),
                                            (82, "refused_unknown_port", errno.ECONNREFUSED)):
                    counted, failures = self.count(reason, lambda: self.failures(name, port))
                    self.assertEqual((name, port, failures, counted), (name, port, (error,) * 3, 3))

    def test_a_refused_connect_leaves_a_udp_socket_connected(self):
        vip, _ = self.expose(PODS4, UDP)
        empty, _ = self.expose([], UDP)

        def client():
            with udp() as sock:
                sock.connect((vip, 80))
                failure = errno_of(lambda: sock.connect((empty, 80)))
                sock.send(b"?")
                return failure, hear(sock)[1], sock.getpeername()
        self.assertEqual(self.lab.run(client), (errno.ECONNREFUSED, (vip, 80), (vip, 80)))


class SockLbLegacyTest(Cases, unittest.TestCase):
    """The object for older kernels: the kernel refuses, at a closed loopback port."""

    variant = "sock_lb_legacy"
    bind_refused = errno.EPERM

    def test_connected_udp_is_refused_when_it_sends(self):
        for family, vip, spell in ((socket.AF_INET, vip4(), str), (socket.AF_INET6, vip6(), str),
                                   (socket.AF_INET6, vip4(), mapped)):
            self.expose([], UDP, address=vip)

            def client(family=family, name=spell(vip)):
                with udp(family) as sock:
                    sock.connect((name, 80))
                    sock.send(b"?")
                    return errno_of(lambda: sock.recv(1))
            self.assertEqual(self.lab.run(client), errno.ECONNREFUSED)

    def test_policy_cannot_be_told_from_absence(self):
        vip, _ = self.expose([], flags=SERVICE_POLICY_LOCAL)
        self.assertEqual(self.lab.run(lambda: errno_of(lambda: tcp(vip))), errno.ECONNREFUSED)


class UnknownNodeTest(unittest.TestCase):
    """Where the agent could not ask for its namespace, no namespace is the node's."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("sock_lb", ENDPOINTS, node=None)
        cls.addClassCleanup(cls.lab.close)

    def test_node_ports_work_but_for_loopback_and_bind_is_left_alone(self):
        for address in NODE4 + NODE6:
            self.lab.node_address(address)
        self.lab.frontend("0.0.0.0", 30000, TCP, self.lab.service(PODS4))
        self.assertIn(self.lab.run(lambda: tcp(OWN4, 30000)[0]), PODS4)
        for name in ("127.0.0.1", "0.0.0.0"):
            self.assertEqual(self.lab.run(lambda name=name: errno_of(lambda: tcp(name, 30000))), errno.ECONNREFUSED)
        self.assertEqual(self.lab.run(lambda: answer_at("127.0.0.1", 30000)), ("127.0.0.1", 30000))
        self.assertEqual(self.lab.run(lambda: answer_at("127.0.0.2", 30000)), ("127.0.0.2", 30000))


if __name__ == "__main__":
    # A test run that is asked to stop still removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
