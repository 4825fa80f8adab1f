#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A few bpf(2) calls for tests, independent of libbpf and of the code under test.

  query CGROUP       JSON object: attach type -> number of programs attached to CGROUP itself
  pin-map PATH       create a small array map and pin it
  attach CGROUP PIN  attach a connect4 program that allows everything, through a pinned link
"""

import ctypes
import json
import os
import platform
import struct
import sys

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_CREATE, PROG_LOAD, OBJ_PIN, PROG_QUERY, LINK_CREATE = 0, 5, 6, 16, 28
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


def query(cgroup):
    descriptor = os.open(cgroup, os.O_RDONLY)
    counts = {}
    for name, number in ATTACH_TYPES.items():
        ids = ctypes.create_string_buffer(4 * 64)
        _, answer = bpf(PROG_QUERY, struct.pack("=IIIIQI", descriptor, number, 0, 0,
                                                ctypes.addressof(ids), 64))
        counts[name] = struct.unpack_from("=I", answer, 24)[0]
    print(json.dumps(counts))


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


if __name__ == "__main__":
    {"query": query, "pin-map": pin_map, "attach": attach}[sys.argv[1]](*sys.argv[2:])
