# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A small network in namespaces, with the programs attached to a cgroup of its own.

    clients (in the cgroup)                            servers (outside it)
    namespace c0   10.200.0.1  fd00:200:0::1 --veth--+
                                                     +-- namespace s   10.201.0.1 ..  fd00:201::1 ..
    namespace c1   10.200.1.1  fd00:200:1::1 --veth--+

No namespace has a default route, so a Service address that is not translated goes nowhere. Each
server answers with its own address and port, so a reply tells which backend was reached.
"""

import contextlib
import ctypes
import errno
import ipaddress
import mmap
import os
import pickle
import selectors
import socket
import struct
import subprocess
import time
import traceback

OUTPUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".output")
BPFFS = "/sys/fs/bpf"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBBPF = ctypes.CDLL("libbpf.so.1", use_errno=True)
CLONE_NEWNET = 0x40000000

# bpf(2): the number of the call, and of its commands.
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, MAP_DELETE, MAP_NEXT_KEY, OBJ_GET, INFO_BY_FD = 0, 1, 2, 3, 4, 7, 15
LINK_CREATE, ITER_CREATE, STATS = 28, 33, 32
MAP_TYPE_RINGBUF, ATTACH_ITER = 27, 28

# Program -> enum bpf_attach_type.
PROGRAMS = {
    "pb_connect4": 10, "pb_connect6": 11, "pb_sendmsg4": 14, "pb_sendmsg6": 15,
    "pb_recvmsg4": 19, "pb_recvmsg6": 20, "pb_getpeername4": 29, "pb_getpeername6": 30,
    "pb_post_bind4": 12, "pb_post_bind6": 13, "pb_sock_release": 34, "pb_sock_ops": 3,
}

# From abi.h.
COUNTERS = (
    "connect_tcp", "connect_udp", "send_udp", "reply_udp", "refused_no_endpoint", "refused_policy",
    "refused_unknown_port", "affinity_kept", "state_failed", "corrupt",
    "refused_bind", "events_lost", "stats_failed",
)
FRONTEND_REFUSE = 1
FRONTEND_NODE = 2
EVENTS_BYTES = 262144
EVENT = struct.Struct("=QQQQQQIIII16s16s16s16s2s2s2sBBH6x")
EVENT_REFUSED_BIND, EVENT_CONNECT, EVENT_SEND, EVENT_REFUSED, EVENT_ESTABLISHED, EVENT_FAILED = range(1, 7)
SERVICE_AFFINITY = 1
SERVICE_POLICY_LOCAL = 2
SERVICE_TERMINATE = 4
SERVICE_BACKEND_STATS = 8
STALE_SOCKET = 80  # bytes of struct pb_stale_socket
LATENCY_RANGES = 10
CONNECTIONS = 8192
CONNECTION_SLOTS = struct.Struct("=8Q512x")
SERVICE_STATS = ("connects_tcp", "connects_udp", "sends_udp", "refused_no_endpoint", "refused_policy", "closed_tcp",
                 "closed_udp", "failed_tcp", "established_ns")
BACKEND_STATS = ("connects", "closed", "failed", "sends")
WATCHERS = 4
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result = LIBC.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return result


def obj_get(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(OBJ_GET, struct.pack("=QII", ctypes.addressof(name), 0, 0))


class Map:
    """A pinned map, by bytes."""

    def __init__(self, path, value_size):
        self.fd = obj_get(path)
        self.value_size = value_size

    def _run(self, command, key, value=None):
        key = ctypes.create_string_buffer(key, len(key))
        where = 0 if value is None else ctypes.addressof(value)
        attributes = struct.pack("=I4xQQQ", self.fd, ctypes.addressof(key), where, 0)
        bpf(command, attributes)

    def lookup(self, key):
        value = ctypes.create_string_buffer(self.value_size)
        self._run(MAP_LOOKUP, key, value)
        return value.raw

    def update(self, key, value):
        self._run(MAP_UPDATE, key, ctypes.create_string_buffer(value, len(value)))

    def delete(self, key):
        self._run(MAP_DELETE, key)

    def keys(self, key_size):
        """All keys, of a map that nobody changes meanwhile."""
        keys = []
        key = None
        while True:
            following = ctypes.create_string_buffer(key_size)
            current = None if key is None else ctypes.create_string_buffer(key, key_size)
            attributes = struct.pack("=I4xQQ", self.fd, 0 if key is None else ctypes.addressof(current),
                                     ctypes.addressof(following))
            try:
                bpf(MAP_NEXT_KEY, attributes)
            except FileNotFoundError:
                return keys
            key = following.raw
            keys.append(key)


class Ring:
    """A ring buffer, read through its mapping: one page of the reader's position, one of the writer's,
    then the data, which the kernel maps twice in a row."""

    def __init__(self, fd, size):
        self.size = size
        self.reader = mmap.mmap(fd, mmap.PAGESIZE, offset=0)
        self.writer = mmap.mmap(fd, mmap.PAGESIZE + 2 * size, prot=mmap.PROT_READ, offset=mmap.PAGESIZE)

    @classmethod
    def pinned(cls, path, size):
        fd = obj_get(path)
        try:
            return cls(fd, size)
        finally:
            os.close(fd)

    def read(self):
        """All records that are there, as bytes."""
        records = []
        at, = struct.unpack_from("=Q", self.reader)
        end, = struct.unpack_from("=Q", self.writer)
        while at < end:
            start = mmap.PAGESIZE + at % self.size
            length, = struct.unpack_from("=I", self.writer, start)
            assert not length >> 30, "a record that is not whole, or was thrown away"
            records.append(self.writer[start + 8:start + 8 + length])
            at += 8 + (length + 7) // 8 * 8
        struct.pack_into("=Q", self.reader, 0, at)
        return records


def packed(address):
    """The 16 bytes of an address: IPv4 v4-mapped."""
    ip = ipaddress.ip_address(address)
    return ip.packed if ip.version == 6 else b"\0" * 10 + b"\xff\xff" + ip.packed


def run(*command):
    subprocess.run(command, check=True)


def enter_namespace(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns {name}")
    os.close(fd)


def netns_cookie():
    with socket.socket() as sock:
        return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, 71, 8))[0]  # SO_NETNS_COOKIE, 5.14


def libbpf(name, *arguments, result=ctypes.c_int):
    """Calls a function of libbpf 1.x, which answers with a pointer and errno, or with -errno."""
    function = getattr(LIBBPF, name)
    function.restype = result
    answer = function(*arguments)
    if answer is None or (result is ctypes.c_int and answer < 0):
        number = ctypes.get_errno() if answer is None else -answer
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer


def load(path, pins, node, entries):
    """Loads an object file and pins its programs and maps; node: for pb_node_netns_cookie; entries: of maps
    that are to have another number of them."""
    obj = ctypes.c_void_p(libbpf("bpf_object__open_file", path.encode(), None, result=ctypes.c_void_p))
    try:
        rodata = libbpf("bpf_object__find_map_by_name", obj, b".rodata", result=ctypes.c_void_p)
        libbpf("bpf_map__set_initial_value", ctypes.c_void_p(rodata), struct.pack("=Q", node), ctypes.c_size_t(8))
        for name, count in entries.items():
            found = libbpf("bpf_object__find_map_by_name", obj, name.encode(), result=ctypes.c_void_p)
            libbpf("bpf_map__set_max_entries", ctypes.c_void_p(found), ctypes.c_uint32(count))
        libbpf("bpf_object__load", obj)
        libbpf("bpf_object__pin_programs", obj, f"{pins}/programs".encode())
        libbpf("bpf_object__pin_maps", obj, f"{pins}/maps".encode())
    finally:
        LIBBPF.bpf_object__close(obj)


def load_over(path, pins):
    """Loads an object file over maps that are pinned already, and pins what is new beside the others."""
    own = []
    obj = ctypes.c_void_p(libbpf("bpf_object__open_file", path.encode(), None, result=ctypes.c_void_p))
    try:
        known = None
        while True:
            LIBBPF.bpf_object__next_map.restype = ctypes.c_void_p
            known = LIBBPF.bpf_object__next_map(obj, ctypes.c_void_p(known))
            if not known:
                break
            name = libbpf("bpf_map__name", ctypes.c_void_p(known), result=ctypes.c_char_p).decode()
            path = f"{pins}/maps/{name}"
            if os.path.exists(path):
                fd = obj_get(path)
                libbpf("bpf_map__reuse_fd", ctypes.c_void_p(known), fd)
                os.close(fd)
            else:
                own.append((known, path))
        libbpf("bpf_object__load", obj)
        libbpf("bpf_object__pin_programs", obj, f"{pins}/programs".encode())
        for known, path in own:
            libbpf("bpf_map__pin", ctypes.c_void_p(known), path.encode())
    finally:
        LIBBPF.bpf_object__close(obj)


def cgroup_root():
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            _, where, kind, *_ = line.split()
            if kind == "cgroup2":
                return where
    raise RuntimeError("no cgroup2 file system is mounted")


def serve(endpoints, ready):
    """Answers on each (address, port), TCP and UDP, until killed."""
    poll = selectors.DefaultSelector()
    for address, port in endpoints:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        name = f"{address} {port}".encode()
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            sock = socket.socket(family, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(1024)
            poll.register(sock, selectors.EVENT_READ, (kind, name))
    os.write(ready, b"!")
    while True:
        for key, _ in poll.select():
            kind, name = key.data
            if kind == socket.SOCK_STREAM:
                with contextlib.suppress(OSError):
                    connection, _ = key.fileobj.accept()
                    with connection:
                        connection.sendall(name)
            else:
                _, client = key.fileobj.recvfrom(2048)
                key.fileobj.sendto(name, client)


class Lab:
    """Made by the constructor, removed by close(), which may be called at any time.

    node: the client whose namespace is the node's, or None: the programs are not told of any.
    programs: which ones are attached. entries: of maps that are to have another number of them.
    """

    def __init__(self, variant, endpoints, node=0, programs=tuple(PROGRAMS), entries=None):
        if os.geteuid():
            raise RuntimeError("these tests load BPF programs and make namespaces: run them as root")
        self.name = f"pbc{os.getpid()}"
        self.cleanup = contextlib.ExitStack()
        try:
            self._make_network(endpoints)
            self._load(variant, node, entries or {})
            self.attach(programs)
            self._serve(endpoints)
        except BaseException:
            self.close()
            raise
        self.next_base = 1
        self.next_service = 1
        self.generations = {}

    def close(self):
        self.cleanup.close()

    def client(self, number):
        return f"{self.name}-c{number}"

    def _make_network(self, endpoints):
        server = f"{self.name}-s"
        for space in (server, self.client(0), self.client(1)):
            run("ip", "netns", "add", space)
            self.cleanup.callback(run, "ip", "netns", "del", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        for number in (0, 1):
            client = self.client(number)
            run("ip", "-n", client, "link", "add", "v0", "type", "veth", "peer", "name", f"v{number}", "netns", server)
            for space, device, last in ((client, "v0", 1), (server, f"v{number}", 2)):
                run("ip", "-n", space, "addr", "add", f"10.200.{number}.{last}/24", "dev", device)
                run("ip", "-n", space, "addr", "add", f"fd00:200:{number}::{last}/64", "dev", device, "nodad")
                run("ip", "-n", space, "link", "set", device, "up")
            run("ip", "-n", client, "route", "add", "10.201.0.0/16", "via", f"10.200.{number}.2")
            run("ip", "-n", client, "route", "add", "fd00:201::/64", "via", f"fd00:200:{number}::2")
        for address in {address for address, _ in endpoints}:
            prefix = "128" if ":" in address else "32"
            run("ip", "-n", server, "addr", "add", f"{address}/{prefix}", "dev", "lo")

    def node_cookie(self, node):
        if node is None:
            return 0
        readable, writable = os.pipe()
        child = os.fork()
        if not child:
            enter_namespace(self.client(node))
            os.write(writable, struct.pack("=Q", netns_cookie()))
            os._exit(0)
        os.close(writable)
        os.waitpid(child, 0)
        with os.fdopen(readable, "rb") as pipe:
            return struct.unpack("=Q", pipe.read())[0]

    def _load(self, variant, node, entries):
        if not os.path.ismount(BPFFS):
            raise RuntimeError(f"{BPFFS} is not mounted: mount -t bpf bpf {BPFFS}")
        pins = os.path.join(BPFFS, self.name)
        os.mkdir(pins)
        self.cleanup.callback(run, "rm", "-r", pins)
        load(os.path.join(OUTPUT, f"{variant}.bpf.o"), pins, self.node_cookie(node), entries)
        for name in ("connect_times", "stale_sockets"):
            load_over(os.path.join(OUTPUT, f"{name}.bpf.o"), pins)
        self.pins = pins
        with open("/sys/devices/system/cpu/possible", encoding="utf-8") as file:
            cpus = int(file.read().strip().split("-")[-1]) + 1
        sizes = {"frontends": 8, "services": 32, "backends": 24, "affinity": 32, "counters": 8 * cpus,
                 "service_stats": 8 * (len(SERVICE_STATS) + LATENCY_RANGES) * cpus,
                 "backend_stats": 8 * len(BACKEND_STATS) * cpus, "connections": CONNECTION_SLOTS.size, "watchers": 8 * (1 + 2 * WATCHERS),
                 "watcher_rings": 4}
        self.maps = {name: Map(f"{pins}/maps/{name}", size) for name, size in sizes.items()}

        self.events = Ring.pinned(f"{pins}/maps/events", EVENTS_BYTES)

        self.cgroup = os.path.join(cgroup_root(), self.name)
        os.mkdir(self.cgroup)
        self.cleanup.callback(os.rmdir, self.cgroup)
        self.programs = {name: obj_get(f"{pins}/programs/{name}") for name in (*PROGRAMS, "pb_stale_sockets")}

    def attach(self, programs):
        cgroup = os.open(self.cgroup, os.O_RDONLY)
        for name in programs:
            link = bpf(LINK_CREATE, struct.pack("=IIII", self.programs[name], cgroup, PROGRAMS[name], 0))
            self.cleanup.callback(os.close, link)
        os.close(cgroup)

    def _serve(self, endpoints):
        readable, writable = os.pipe()
        child = os.fork()
        if not child:
            try:
                enter_namespace(f"{self.name}-s")
                serve(endpoints, writable)
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
            os._exit(1)
        self.cleanup.callback(os.waitpid, child, 0)
        self.cleanup.callback(os.kill, child, 9)
        os.close(writable)
        if os.read(readable, 1) != b"!":
            raise RuntimeError("the servers did not start")
        os.close(readable)

    def verified_instructions(self, program):
        """Instructions that the verifier walked; the field is there from 5.16."""
        info = ctypes.create_string_buffer(256)
        bpf(INFO_BY_FD, struct.pack("=IIQ", self.programs[program], len(info), ctypes.addressof(info)))
        return struct.unpack_from("=I", info, 216)[0]

    def start(self, function, client=0):
        """Starts function in a process of its own: in the cgroup, in the namespace of a client."""
        readable, writable = os.pipe()
        child = os.fork()
        if not child:
            os.close(readable)
            try:
                with open(f"{self.cgroup}/cgroup.procs", "w", encoding="utf-8") as file:
                    file.write(str(os.getpid()))
                enter_namespace(self.client(client))
                socket.setdefaulttimeout(20)
                result = (True, function())
            except BaseException:  # pylint: disable=broad-except
                result = (False, traceback.format_exc())
            with os.fdopen(writable, "wb") as pipe:
                pickle.dump(result, pipe)
            os._exit(0)
        os.close(writable)
        return child, readable

    @staticmethod
    def finish(started):
        """Waits for what start() began and returns its result."""
        child, readable = started
        with os.fdopen(readable, "rb") as pipe:
            content = pipe.read()
        os.waitpid(child, 0)
        good, result = pickle.loads(content)
        if not good:
            raise AssertionError(f"in the client:\n{result}")
        return result

    def run(self, function, client=0):
        return self.finish(self.start(function, client))

    # What the control plane would do.

    def write_range(self, backends):
        base = self.next_base
        self.next_base += max(len(backends), 1)
        backends = sorted((packed(address), port) for address, port in backends)
        for n, (address, port) in enumerate(backends):
            self.maps["backends"].update(struct.pack("=I", base + n), address + struct.pack("!H", port) + bytes(6))
        return base

    def publish_word(self, index, base, count, flags=0, seconds=0, stats=0):
        generation = self.generations.get(index, 0) + 1
        self.generations[index] = generation
        word = base | count << 24 | generation << 40
        self.maps["services"].update(struct.pack("=I", index), struct.pack("=QQIIQ", word, stats, flags, seconds, 0))

    def publish(self, index, backends, **settings):
        self.publish_word(index, self.write_range(backends), len(backends), **settings)

    def service(self, backends, **settings):
        """A new Service port, without a frontend yet. Returns its index."""
        index = self.next_service
        self.next_service += 1
        self.publish(index, backends, **settings)
        return index

    def frontend(self, address, port, protocol, index, flags=0):
        key = packed(address) + struct.pack("!H", port) + struct.pack("BB", protocol, 0)
        self.maps["frontends"].update(key, struct.pack("=II", index, flags))

    def node_address(self, address):
        self.frontend(address, 0, 0, 0, FRONTEND_NODE)

    def refuse(self, address):
        self.frontend(address, 0, 0, 0, FRONTEND_REFUSE)

    def delete_frontend(self, address, port, protocol):
        self.maps["frontends"].delete(packed(address) + struct.pack("!H", port) + struct.pack("BB", protocol, 0))

    def counter(self, name):
        values = self.maps["counters"].lookup(struct.pack("=I", COUNTERS.index(name)))
        return sum(struct.unpack(f"={len(values) // 8}Q", values))

    @staticmethod
    def _sum(values, fields):
        numbers = struct.unpack(f"={len(values) // 8}Q", values)
        return [sum(numbers[n::fields]) for n in range(fields)]

    def slots(self):
        """Cookies of the sockets that have a slot of `connections`."""
        return [cookie for n in range(CONNECTIONS // 8)
                for cookie in CONNECTION_SLOTS.unpack(self.maps["connections"].lookup(struct.pack("=I", n))) if cookie]

    def fill_slots(self, cookie):
        """Gives all slots to one socket, or to nobody: 0."""
        for n in range(CONNECTIONS // 8):
            self.maps["connections"].update(struct.pack("=I", n), CONNECTION_SLOTS.pack(*[cookie] * 8))

    def service_stats(self, key):
        """The statistics of a Service port by name, over all CPUs; None: there are none."""
        try:
            values = self.maps["service_stats"].lookup(struct.pack("=Q", key))
        except FileNotFoundError:
            return None
        numbers = self._sum(values, len(SERVICE_STATS) + LATENCY_RANGES)
        return dict(zip(SERVICE_STATS, numbers), established=numbers[len(SERVICE_STATS):])

    def backend_stats(self, key, backend):
        """The same of one of its backends."""
        key = packed(backend[0]) + struct.pack("!H6x", backend[1]) + struct.pack("=Q", key)
        try:
            values = self.maps["backend_stats"].lookup(key)
        except FileNotFoundError:
            return None
        return dict(zip(BACKEND_STATS, self._sum(values, len(BACKEND_STATS))))

    def make_stats(self, key, backends=()):
        """
        Makes entries for a Service port and for some of its backends. A program takes memory that the kernel has laid
        in and cannot wait for more, so on a busy machine it goes on without the entry now and then.
        """
        self._make("service_stats", struct.pack("=Q", key))
        for address, port in backends:
            self._make("backend_stats", packed(address) + struct.pack("!H6x", port) + struct.pack("=Q", key))

    def _make(self, name, key):
        end = time.monotonic() + 20
        while True:
            try:
                self.maps[name].update(key, bytes(self.maps[name].value_size))
                return
            except OSError as failure:
                if failure.errno != errno.ENOMEM or time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def stale_sockets(self, room=0):
        """What the iterator lists, as bytes of whole records; room: how many at a time, 0: as many as fit."""
        target = obj_get(f"{self.pins}/maps/socket_state")
        info = ctypes.create_string_buffer(struct.pack("=I12x", target), 16)
        link = bpf(LINK_CREATE, struct.pack("=IIIIQI", self.programs["pb_stale_sockets"], 0, ATTACH_ITER, 0,
                                            ctypes.addressof(info), len(info)))
        os.close(target)
        found = obj_get(f"{self.pins}/maps/stale_sockets")
        memory = mmap.mmap(found, STALE_SOCKET * 8193)
        os.close(found)
        fd = bpf(ITER_CREATE, struct.pack("=II", link, 0))
        records = bytearray()
        try:
            while True:
                struct.pack_into("=QQ", memory, 0, 0, room)
                try:
                    ended = os.read(fd, 4096) == b""
                except BlockingIOError:
                    ended = False
                count, = struct.unpack_from("=Q", memory)
                records += memory[STALE_SOCKET:STALE_SOCKET * (count + 1)]
                if ended:
                    return bytes(records)
        finally:
            memory.close()
            os.close(fd)
            os.close(link)
