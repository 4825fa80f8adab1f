#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server of a test Pod: many ports, TCP and UDP, IPv4 and IPv6, one thread.

usage: server.py NAME [--http P,..] [--banner P,..] [--echo P,..] [--udp P,..] [--fastopen] [--statuses DIR]

  http    answers one HTTP request: "/" with "You've hit NAME", "/who" with a JSON object
          {"name", "port", "client", "clientPort"}; the status is 200, or what a file in DIR says
          whose name is the path with "_" for "/"
  banner  says "NAME PORT CLIENT" as soon as a connection is accepted and closes it
  echo    sends back what it gets, each line with "NAME " before it, until the client leaves
  udp     answers each datagram with "NAME PORT CLIENT CLIENTPORT PAYLOAD"; the payload "via:P ..."
          makes it answer from port P, which also has to be a udp port; "silent" gets no answer

Prints "ready" on standard output when all ports are bound.
"""

import argparse
import json
import os
import selectors
import socket
import sys

TCP_FASTOPEN = 23


def ports(text):
    return [int(port) for port in text.split(",") if port]


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


class Server:
    def __init__(self, name, statuses):
        self.name = name
        self.statuses = statuses
        self.selector = selectors.EpollSelector()
        self.udp = {}

    def listen(self, port, handler, fastopen):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if fastopen:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 64)
        sock.bind(("::", port))
        sock.listen(1024)
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, lambda: self.accept(sock, port, handler))

    def accept(self, listener, port, handler):
        for _ in range(64):
            try:
                sock, peer = listener.accept()
            except BlockingIOError:
                return
            except OSError:
                continue
            try:
                handler(sock, port, plain(peer[0]), peer[1])
            except OSError:
                self.drop(sock)

    def drop(self, sock):
        try:
            self.selector.unregister(sock)
        except (KeyError, ValueError):
            pass
        sock.close()

    def banner(self, sock, port, client, _client_port):
        sock.sendall(f"{self.name} {port} {client}\n".encode())
        sock.close()

    def status(self, path):
        if self.statuses:
            try:
                with open(os.path.join(self.statuses, path.replace("/", "_")), encoding="ascii") as file:
                    return file.read().strip() + " told so"
            except FileNotFoundError:
                pass
        return "200 OK"

    def http(self, sock, port, client, client_port):
        request = bytearray()

        def readable():
            try:
                data = sock.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            request.extend(data)
            if b"\r\n\r\n" not in request:
                if not data:
                    self.drop(sock)
                return
            path = request.split(b" ", 2)[1].decode()
            if path == "/who":
                body = json.dumps({"name": self.name, "port": port, "client": client,
                                   "clientPort": client_port}) + "\n"
            else:
                body = f"You've hit {self.name}\n"
            head = (f"HTTP/1.1 {self.status(path)}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\n\r\n")
            try:
                sock.sendall((head + body).encode())
            except OSError:
                pass
            self.drop(sock)

        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, readable)
        readable()

    def echo(self, sock, _port, _client, _client_port):
        def readable():
            try:
                data = sock.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.drop(sock)
                return
            answer = b"".join(self.name.encode() + b" " + line for line in data.splitlines(True))
            try:
                sock.sendall(answer)
            except OSError:
                self.drop(sock)

        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, readable)

    def datagrams(self, port):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", port))
        sock.setblocking(False)
        self.udp[port] = sock

        def readable():
            for _ in range(64):
                try:
                    data, peer = sock.recvfrom(65536)
                except BlockingIOError:
                    return
                except OSError:
                    continue
                payload = data.decode(errors="replace")
                if payload.startswith("silent"):
                    continue
                source = sock
                if payload.startswith("via:"):
                    source = self.udp[int(payload[4:].split()[0])]
                answer = f"{self.name} {port} {plain(peer[0])} {peer[1]} {payload}"
                try:
                    source.sendto(answer.encode(), peer)
                except OSError:
                    pass

        self.selector.register(sock, selectors.EVENT_READ, readable)

    def run(self):
        while True:
            for key, _events in self.selector.select():
                key.data()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    for kind in ("http", "banner", "echo", "udp"):
        parser.add_argument("--" + kind, type=ports, default=[])
    parser.add_argument("--fastopen", action="store_true")
    parser.add_argument("--statuses")
    options = parser.parse_args()
    server = Server(options.name, options.statuses)
    for kind, handler in (("http", server.http), ("banner", server.banner), ("echo", server.echo)):
        for port in getattr(options, kind):
            server.listen(port, handler, options.fastopen)
    for port in options.udp:
        server.datagrams(port)
    print("ready", flush=True)
    server.run()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
