#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An API server with nothing in it: each list is empty, each watch is silent.

  empty_api.py PORT      listens on 127.0.0.1, without TLS; prints "ready"
"""
import http.server
import json
import sys
import time


class Empty(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if "watch=" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            time.sleep(60)
            return
        body = {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
        text = json.dumps(body).encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Empty)
server.daemon_threads = True
print("ready", flush=True)
server.serve_forever()
