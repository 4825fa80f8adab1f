#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command whose standard output is a terminal, and copies what it writes there.

usage: terminal.py COLUMNS COMMAND [ARGUMENT..]
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def main():
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(sys.argv[1]), 0, 0))
    with subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=slave) as process:
        os.close(slave)
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:  # EIO: nobody has the other end open any more
                break
            if not data:
                break
            sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
        sys.stdout.flush()
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
