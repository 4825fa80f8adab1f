#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A few bpf(2) calls for tests, independent of libbpf and of the code under test.

  query CGROUP       JSON object: attach type -> number of programs attached to CGROUP itself
  programs CGROUP    JSON array: programs attached to CGROUP itself, with what the kernel counted of each
  pin-map PATH       create a small array map and pin it
  attach CGROUP PIN  attach a connect4 program that allows everything, through a pinned link
  detach CGROUP      detach every link of CGROUP, found by going through all links
  frontend-delete MAP ADDRESS PORT tcp|udp        delete an entry of the frontends map
  frontend-put MAP ADDRESS PORT tcp|udp SERVICE   lead it to an index
  zero MAP ENTRIES   overwrite the first entries of an array with zeros
"""

import ctypes
import ipaddress
import json
import os
import platform
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_CREATE, MAP_UPDATE, MAP_DELETE, PROG_LOAD, OBJ_PIN, OBJ_GET = 0, 2, 3, 5, 6, 7
PROG_BY_ID = 13
OBJ_INFO, PROG_QUERY, LINK_CREATE, LINK_BY_ID, LINK_NEXT, LINK_DETACH = 15, 16, 28, 30, 31, 34
LINK_TYPE_CGROUP = 3
CGROUP_SOCK_ADDR, MULTI = 18, 2
ATTACH_TYPES = {
    "connect4": 10, "connect6": 11, "post_bind4": 12, "post_bind6": 13, "sendmsg4": 14,
    "sendmsg6": 15, "recvmsg4": 19, "recvmsg6": 20, "getpeername4": 29, "getpeername6": 30,
    "sock_release": 34,
}

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(144, b"\0"), 144)
    result = libc.syscall(BPF, command, buffer, 144)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result, buffer.raw


def pin(path, descriptor):
    name = ctypes.create_string_buffer(path.encode())
    bpf(OBJ_PIN, struct.pack("=QI", ctypes.addressof(name), descriptor))


def attached(cgroup):
    """The ids of the programs at each hook."""
    descriptor = os.open(cgroup, os.O_RDONLY)
    found = {}
    for name, number in ATTACH_TYPES.items():
        ids = ctypes.create_string_buffer(4 * 64)
        _, answer = bpf(PROG_QUERY, struct.pack("=IIIIQI", descriptor, number, 0, 0,
                                                ctypes.addressof(ids), 64))
        count = struct.unpack_from("=I", answer, 24)[0]
        found[name] = struct.unpack_from(f"={count}I", ids)
    return found


def query(cgroup):
    print(json.dumps({name: len(ids) for name, ids in attached(cgroup).items()}))


def programs(cgroup):
    found = []
    for name, ids in attached(cgroup).items():
        for number in ids:
            program, _ = bpf(PROG_BY_ID, struct.pack("=I", number))
            _, _, _, jited, translated = struct.unpack_from("=II8sII", info(program, 232))
            with open(f"/proc/self/fdinfo/{program}", encoding="ascii") as file:
                lines = dict(line.split(":", 1) for line in file)
            os.close(program)
            found.append({"hook": name, "id": number, "translated": translated, "jited": jited, **{
                field: int(lines.get(field, -1)) for field in ("run_time_ns", "run_cnt", "verified_insns")}})
    print(json.dumps(found))


def pin_map(path):
    descriptor, _ = bpf(MAP_CREATE, struct.pack("=IIII", 2, 4, 8, 1))
    pin(path, descriptor)


def attach(cgroup, path):
    # r0 = 1; exit
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 1, 0x95, 0, 0, 0))
    license_name = ctypes.create_string_buffer(b"GPL")
    connect4 = ATTACH_TYPES["connect4"]
    program, _ = bpf(PROG_LOAD, struct.pack(
        "=IIQQIIQII16sII", CGROUP_SOCK_ADDR, 2, ctypes.addressof(code),
        ctypes.addressof(license_name), 0, 0, 0, 0, 0, b"somebody_else", 0, connect4))
    link, _ = bpf(LINK_CREATE, struct.pack("=IIII", program, os.open(cgroup, os.O_RDONLY),
                                           connect4, 0))
    pin(path, link)


def info(descriptor, size):
    buffer = ctypes.create_string_buffer(size)
    bpf(OBJ_INFO, struct.pack("=IIQ", descriptor, size, ctypes.addressof(buffer)))
    return buffer.raw


def detach(cgroup):
    number, wanted = 0, os.stat(cgroup).st_ino
    while True:
        try:
            _, answer = bpf(LINK_NEXT, struct.pack("=I", number))
        except FileNotFoundError:
            return
        number = struct.unpack_from("=I", answer, 4)[0]
        try:
            link, _ = bpf(LINK_BY_ID, struct.pack("=I", number))
        except FileNotFoundError:
            continue
        kind, _, _, _, where = struct.unpack_from("=IIIIQ", info(link, 64))
        if kind == LINK_TYPE_CGROUP and where == wanted:
            bpf(LINK_DETACH, struct.pack("=I", link))
        os.close(link)


def opened(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(OBJ_GET, struct.pack("=Q", ctypes.addressof(name)))[0]


def frontend_key(address, port, protocol):
    parsed = ipaddress.ip_address(address)
    mapped = b"\0" * 10 + b"\xff\xff" + parsed.packed if parsed.version == 4 else parsed.packed
    number = {"tcp": 6, "udp": 17}[protocol]
    return mapped + struct.pack(">HBB", int(port), number, 0)


def element(command, path, key, value=None):
    key = ctypes.create_string_buffer(key, len(key))
    value = ctypes.create_string_buffer(value, len(value)) if value else None
    bpf(command, struct.pack("=IIQQQ", opened(path), 0, ctypes.addressof(key),
                             ctypes.addressof(value) if value else 0, 0))


def frontend_delete(path, address, port, protocol):
    element(MAP_DELETE, path, frontend_key(address, port, protocol))


def frontend_put(path, address, port, protocol, service):
    element(MAP_UPDATE, path, frontend_key(address, port, protocol),
            struct.pack("=II", int(service), 0))


def zero(path, entries):
    size = struct.unpack_from("=IIII", info(opened(path), 80))[3]
    for index in range(int(entries)):
        element(MAP_UPDATE, path, struct.pack("=I", index), b"\0" * size)


if __name__ == "__main__":
    {"query": query, "programs": programs, "pin-map": pin_map, "attach": attach, "detach": detach,
     "frontend-delete": frontend_delete, "frontend-put": frontend_put,
     "zero": zero}[sys.argv[1]](*sys.argv[2:])
