#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The client of a test Pod: does what it is told, one JSON object a line, until its input ends.

A request is {"do": VERB, ...arguments}; the answer is {"ok": VALUE} or {"errno": NAME}, where NAME
is the name of an error number, "TIMEOUT" or "EOF". An "error" is a fault of the request or of this
program, not of the network. The verbs are the functions whose names begin with do_.
"""

import collections
import ctypes
import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time

IPPROTO_MPTCP = 262
MSG_FASTOPEN = 0x20000000
SO_NETNS_COOKIE = 71
TCP_FASTOPEN_CONNECT = 30
BUCKET_NS = 10_000_000

libc = ctypes.CDLL(None, use_errno=True)
sockets = {}
loads = {}


class Failed(Exception):
    """An outcome of the network that has a name."""


def failure(error):
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, TimeoutError) and error.errno is None:
        return "TIMEOUT"
    if isinstance(error, BlockingIOError) and error.errno == errno.EAGAIN:
        return "TIMEOUT"
    return errno.errorcode.get(error.errno, str(error))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def raw_address(address, port):
    if family_of(address) == socket.AF_INET6:
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + socket.inet_pton(
            socket.AF_INET6, address) + struct.pack("=I", 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_pton(
        socket.AF_INET, address) + bytes(8)


def block(sock, timeout):
    """Blocking mode with the kernel's own timeouts; Python's would make the socket non-blocking."""
    sock.setblocking(True)
    limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


# Sockets by handle.

def do_socket(family=4, type="tcp", timeout=15.0):
    kind, protocol = {
        "tcp": (socket.SOCK_STREAM, 0),
        "mptcp": (socket.SOCK_STREAM, IPPROTO_MPTCP),
        "udp": (socket.SOCK_DGRAM, 0),
    }[type]
    sock = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind, protocol)
    block(sock, timeout)
    sockets[sock.fileno()] = sock
    return sock.fileno()


def do_close(handle):
    sockets.pop(handle).close()


def do_bind(handle, address, port):
    sockets[handle].bind((address, port))


def do_option(handle, name):
    sock = sockets[handle]
    if name == "fastopen-connect":
        sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    elif name == "nonblocking":
        sock.setblocking(False)
    elif name == "reset-on-close":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        raise ValueError(name)


def do_connect(handle, address, port):
    sockets[handle].connect((address, port))


def do_finish_connect(handle, timeout=15.0):
    """Wait for a non-blocking connect and fetch its outcome."""
    sock = sockets[handle]
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    if not poll.poll(timeout * 1000):
        raise Failed("TIMEOUT")
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))
    block(sock, timeout)


def do_disconnect(handle):
    """connect() to AF_UNSPEC: dissolves the association of a socket."""
    buffer = ctypes.create_string_buffer(struct.pack("=H", socket.AF_UNSPEC) + bytes(14), 16)
    check(libc.connect(handle, buffer, 16))


def do_peer(handle):
    return list(sockets[handle].getpeername()[:2])


def do_local(handle):
    return list(sockets[handle].getsockname()[:2])


def do_protocol(handle):
    return sockets[handle].getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)


def do_send(handle, text):
    return sockets[handle].send(text.encode())


def do_sendto(handle, text, address, port, fastopen=False):
    flags = MSG_FASTOPEN if fastopen else 0
    return sockets[handle].sendto(text.encode(), flags, (address, port))


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint32),
                ("iov", ctypes.POINTER(Iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint)]


def do_sendmmsg(handle, messages):
    """Send [address, port, text] messages with one system call; how many went out."""
    vector = (Mmsghdr * len(messages))()
    for slot, (address, port, text) in zip(vector, messages):
        name, data = raw_address(address, port), text.encode()
        slot.header.name, slot.header.namelen = name, len(name)
        slot.header.iov = ctypes.pointer(Iovec(data, len(data)))
        slot.header.iovlen = 1
    return check(libc.sendmmsg(handle, vector, len(messages), 0))


def do_recv(handle):
    data = sockets[handle].recv(65536)
    if not data and sockets[handle].type == socket.SOCK_STREAM:
        raise Failed("EOF")
    return data.decode()


def do_recvfrom(handle, timeout=None):
    sock = sockets[handle]
    if timeout is not None:
        block(sock, timeout)
    data, peer = sock.recvfrom(65536)
    return {"text": data.decode(), "address": peer[0], "port": peer[1]}


def ask_connected_dns(sock, name):
    """A TXT query on a connected socket: the text of the answer."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    sock.send(struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + question + struct.pack("!BHH", 0, 16, 1))
    answer = sock.recv(65536)
    if struct.unpack("!4H", answer[:8])[1:] != (0x8580, 1, 1):
        raise Failed("UNEXPECTED")
    text = answer.split(b"\xc0\x0c\x00\x10\x00\x01", 1)[1][6:]
    return text[1:1 + text[0]].decode()


def do_dns(handle, name):
    return ask_connected_dns(sockets[handle], name)


def do_recover(handle, name, timeout=30.0):
    """
    Wait until a connected UDP socket fails, then ask again on a new one, as a resolver does: the error, when it came,
    the text of the answer, and when that came, in ns of CLOCK_MONOTONIC.
    """
    with sockets.pop(handle) as old:
        family, peer = old.family, old.getpeername()
        block(old, timeout)
        try:
            old.recv(65536)
            raise Failed("ANSWER")
        except BlockingIOError:
            raise
        except OSError as error:
            lost = time.monotonic_ns()
            reason = failure(error)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        block(sock, timeout)
        sock.connect(peer)
        text = ask_connected_dns(sock, name)
        return {"error": reason, "lost": lost, "text": text, "answered": time.monotonic_ns()}


# Whole exchanges on a new socket.

def read_all(sock):
    data = bytearray()
    while True:
        part = sock.recv(65536)
        if not part:
            return bytes(data)
        data.extend(part)


def do_who(address, port, timeout=5.0):
    """One HTTP request for /who: the server's answer, and what getpeername said."""
    with socket.socket(family_of(address), socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect((address, port))
        peer = list(sock.getpeername()[:2])
        sock.sendall(b"GET /who HTTP/1.1\r\nHost: service\r\n\r\n")
        answer = read_all(sock)
        if not answer:
            raise Failed("EOF")
        body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
        body["peer"] = peer
        return body


def banner(address, port, timeout=5.0):
    with socket.socket(family_of(address), socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect((address, port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        answer = read_all(sock)
        if not answer:
            raise Failed("EOF")
        return answer.split(None, 1)[0].decode()


def ask_connected(address, port, timeout=5.0):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((address, port))
        sock.send(b"hello")
        return sock.recv(65536).split(None, 1)[0].decode()


def ask_unconnected(address, port, timeout=5.0):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(b"hello", (address, port))
        data, peer = sock.recvfrom(65536)
        if peer[:2] != (address, port):
            raise Failed(f"reply from {peer[0]} {peer[1]}")
        return data.split(None, 1)[0].decode()


def ask_txt(sock, name, address, port):
    """One DNS query for a TXT record; gives its text."""
    number = os.urandom(2)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    question = labels + struct.pack("!HH", 16, 1)
    sock.sendto(number + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + question, (address, port))
    data, peer = sock.recvfrom(4096)
    if peer[:2] != (address, port):
        raise Failed(f"reply from {peer[0]} {peer[1]}")
    if data[:2] != number:
        raise Failed("reply to another query")
    if data[3] & 15 or data[6:8] == b"\0\0":
        raise Failed(f"no answer, code {data[3] & 15}")
    # name (a pointer), type, class, time to live and length come before the text and its length
    record = 12 + len(question) + 12
    return data[record + 1:record + 1 + data[record]].decode()


def ask_dns(address, port, timeout=5.0):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        return ask_txt(sock, "who.test", address, port)


EXCHANGES = {"tcp": banner, "udp": ask_connected, "udp-unconnected": ask_unconnected, "dns": ask_dns}


def do_hits(kind, address, port, count, timeout=5.0):
    """COUNT exchanges, one after the other: outcomes by server name or error name."""
    exchange = EXCHANGES[kind]
    outcomes = {}
    for _ in range(count):
        try:
            outcome = exchange(address, port, timeout)
        except (OSError, Failed) as error:
            outcome = failure(error)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return outcomes


def do_outcomes(exchanges, timeout=10.0):
    """Of each of the exchanges, [kind, address, port], the server's name or the error's."""
    outcomes = []
    for kind, address, port in exchanges:
        try:
            outcomes.append(EXCHANGES[kind](address, port, timeout))
        except (OSError, Failed) as error:
            outcomes.append(failure(error))
    return outcomes


def steps(sock, kind, address, port):
    """
    One exchange on a socket that does not block; gives NAME:PORT. Yields what to wait for, and what to say before the
    outcome: that the node's own packet filter did not let a datagram out, which is not all that it does about it.
    """
    before = ""
    number = sock.connect_ex((address, port))
    if number == errno.EINPROGRESS:
        yield select.EPOLLOUT, before
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))
    if kind == "tcp":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        try:
            sock.send(b"hello")
        except PermissionError:
            before = "EPERM+"
    yield select.EPOLLIN, before
    words = sock.recv(65536).split()
    if not words:
        raise Failed("EOF")
    return words[0].decode() + ":" + words[1].decode()


class Survey:
    """Who answers at many addresses: exchanges with each in turn, with many of them at a time."""

    def __init__(self, targets, tries, timeout):
        self.targets = targets
        self.tries = tries
        self.timeout = timeout
        self.outcomes = [{} for _ in targets]
        self.waiting = collections.deque(range(len(targets)))
        self.poll = select.epoll()
        self.going = {}  # by file descriptor, oldest first: socket, exchange, target, start
        self.before = {}  # by file descriptor: what to say before the outcome

    def run(self, at_a_time):
        while self.waiting or self.going:
            while self.waiting and len(self.going) < at_a_time:
                self.begin(self.waiting.popleft())
            for fd, _events in self.poll.poll(0.05):
                if fd in self.going:
                    self.step(fd)
            limit = time.monotonic() - self.timeout
            for fd, (_sock, _exchange, _target, start) in list(self.going.items()):
                if start > limit:
                    break
                self.end(fd, "TIMEOUT")
        self.poll.close()
        return self.outcomes

    def begin(self, target):
        kind, address, port = self.targets[target]
        sock = socket.socket(family_of(address), {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[kind])
        sock.setblocking(False)
        self.going[sock.fileno()] = (sock, steps(sock, kind, address, port), target, time.monotonic())
        self.poll.register(sock, 0)
        self.step(sock.fileno())

    def step(self, fd):
        try:
            events, self.before[fd] = next(self.going[fd][1])
            self.poll.modify(fd, events)
        except StopIteration as done:
            self.end(fd, done.value)
        except (OSError, Failed) as error:
            self.end(fd, failure(error))

    def end(self, fd, outcome):
        sock, _exchange, target, _start = self.going.pop(fd)
        sock.close()
        outcome = self.before.pop(fd, "") + outcome
        outcomes = self.outcomes[target]
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if not self.is_known(outcomes):
            self.waiting.append(target)

    def is_known(self, outcomes):
        if outcomes.get("TIMEOUT", 0) + outcomes.get("EPERM+TIMEOUT", 0) >= self.tries["timeout"]:
            return True
        names = [name for name in outcomes if ":" in name]
        tries = self.tries["several" if len(outcomes) > 1 else "one" if names else "error"]
        return sum(outcomes.values()) >= tries


def do_survey(targets, tries, timeout=5.0, at_a_time=200):
    """
    Exchanges with each of the [kind, address, port] targets: outcomes by NAME:PORT or error name. How many depends
    on what comes: "several" outcomes, "one" server, only one "error", and that many times "timeout".
    """
    return Survey(targets, tries, timeout).run(at_a_time)


class Resolver:
    """Asks with one socket all the time."""

    def __init__(self):
        self.sock = None

    def __call__(self, address, port):
        if self.sock is None:
            self.sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
            self.sock.settimeout(5.0)
        return ask_txt(self.sock, "who.test", address, port)


class Load(threading.Thread):
    """Exchanges one after the other, until told to stop."""

    def __init__(self, kind, address, port, pause):
        super().__init__(daemon=True)
        self.exchange, self.address, self.port = Resolver() if kind == "resolver" else EXCHANGES[kind], address, port
        self.pause = pause
        self.going = True
        self.attempts = 0
        self.outcomes = {}
        self.counts = collections.Counter()

    def run(self):
        while self.going:
            start = time.monotonic_ns()
            try:
                outcome = self.exchange(self.address, self.port)
            except (OSError, Failed) as error:
                outcome = failure(error)
            end = time.monotonic_ns()
            self.attempts += 1
            self.counts[outcome] += 1
            buckets = self.outcomes.setdefault(outcome, {})
            bucket = start // BUCKET_NS
            seen = buckets.get(bucket)
            if seen is None:
                buckets[bucket] = [start, end]
            else:
                seen[1] = max(seen[1], end)
            if self.pause:
                time.sleep(self.pause)


def do_load_start(name, kind, address, port, pause=0.0):
    loads[name] = Load(kind, address, port, pause)
    loads[name].start()


def do_load_stop(name, least=100, patience=5.0):
    """
    Stop a load. Its outcomes are lists of [first start, last end], in ns of CLOCK_MONOTONIC; counts say how many.

    On a busy machine what happened meanwhile may have been quicker than the load: it goes on until there were as many
    as meet each of a few servers, unless that takes too long.
    """
    load = loads.pop(name)
    end = time.monotonic() + patience
    while load.attempts < least and time.monotonic() < end:
        time.sleep(0.005)
    load.going = False
    load.join(30)
    if load.is_alive():
        raise Failed("TIMEOUT")
    return {"attempts": load.attempts, "counts": load.counts,
            "outcomes": {name: list(buckets.values()) for name, buckets in load.outcomes.items()}}


class Held(threading.Thread):
    """Connections to an echo port, opened once and used in turn until told to stop."""

    def __init__(self, address, port, count, pause):
        super().__init__(daemon=True)
        self.service = (address, port)
        self.pause = pause
        self.going = True
        self.exchanges = 0
        self.failures = {}
        self.backends_shown = 0
        self.connections = []
        for _ in range(count):
            sock = socket.create_connection((address, port), timeout=5.0)
            self.connections.append((sock, self.exchange(sock)))

    @staticmethod
    def exchange(sock):
        sock.sendall(b"x\n")
        answer = sock.recv(4096)
        if not answer:
            raise Failed("EOF")
        return answer.split()[0].decode()

    def run(self):
        while self.going:
            for sock, name in self.connections:
                try:
                    answer = self.exchange(sock)
                    outcome = "" if answer == name else f"{name} became {answer}"
                    self.backends_shown += sock.getpeername()[:2] != self.service
                except (OSError, Failed) as error:
                    outcome = failure(error)
                self.exchanges += 1
                if outcome:
                    self.failures[outcome] = self.failures.get(outcome, 0) + 1
                if self.pause:
                    time.sleep(self.pause)
                if not self.going:
                    return


def do_hold_start(name, address, port, count, pause):
    loads[name] = Held(address, port, count, pause)
    loads[name].start()


def do_hold_stop(name):
    """Stop using held connections: exchanges, failures by name, how often getpeername() showed a backend."""
    held = loads.pop(name)
    held.going = False
    held.join(30)
    if held.is_alive():
        raise Failed("TIMEOUT")
    return {"exchanges": held.exchanges, "failures": held.failures, "backendsShown": held.backends_shown}


def do_namespace_cookie():
    """The cookie of the network namespace; fails where the kernel cannot say."""
    with socket.socket() as sock:
        cookie = sock.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
        return struct.unpack("=Q", cookie)[0]


def do_ping():
    return os.getpid()


def main():
    verbs = {name[3:]: verb for name, verb in globals().items() if name.startswith("do_")}
    for line in sys.stdin:
        request = json.loads(line)
        verb = verbs[request.pop("do")]
        try:
            answer = {"ok": verb(**request)}
        except (OSError, Failed) as error:
            answer = {"errno": failure(error)}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
