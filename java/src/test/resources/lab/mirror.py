#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A server for many addresses: says at which of them it was reached.

usage: mirror.py PORT...

Each port is served over TCP and UDP, IPv4 and IPv6, at every address that is local here, be it by a
route only. Whoever connects gets "ADDRESS:PORT" ("[ADDRESS]:PORT" for IPv6) and is left; a datagram is
answered with the same, from that address. Prints "ready" when all ports are bound.
"""

import selectors
import socket
import struct
import sys

IPV6_FREEBIND = 78  # answers come from addresses that no interface has
PKTINFO = struct.Struct("=16sI")


def text(raw, port):
    if raw[:12] == bytes(10) + b"\xff\xff":
        return f"{socket.inet_ntop(socket.AF_INET, raw[12:])}:{port}".encode()
    return f"[{socket.inet_ntop(socket.AF_INET6, raw)}]:{port}".encode()


def accept(listener, port):
    while True:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            return
        except OSError:
            continue  # the client was quicker
        with sock:
            raw = socket.inet_pton(socket.AF_INET6, sock.getsockname()[0])
            try:
                sock.send(text(raw, port))
            except OSError:
                pass


def answer(sock, port):
    while True:
        try:
            _, ancillary, _, peer = sock.recvmsg(256, socket.CMSG_SPACE(PKTINFO.size))
        except BlockingIOError:
            return
        except OSError:
            continue  # an error of an earlier answer
        raw = PKTINFO.unpack(ancillary[0][2])[0]
        source = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, PKTINFO.pack(raw, 0))
        try:
            sock.sendmsg([text(raw, port)], [source], 0, peer)
        except OSError as error:
            print(f"no answer from {text(raw, port)}: {error}", file=sys.stderr, flush=True)


def bound(port, kind):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setblocking(False)
    sock.bind(("::", port))
    return sock


def main():
    selector = selectors.EpollSelector()
    for port in map(int, sys.argv[1:]):
        listener = bound(port, socket.SOCK_STREAM)
        listener.listen(1024)
        selector.register(listener, selectors.EVENT_READ, (accept, port))
        datagrams = bound(port, socket.SOCK_DGRAM)
        datagrams.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        selector.register(datagrams, selectors.EVENT_READ, (answer, port))
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            handler, port = key.data
            handler(key.fileobj, port)


if __name__ == "__main__":
    main()
