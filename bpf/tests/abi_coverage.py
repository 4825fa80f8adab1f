# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Checks that each struct and enum defined in abi.h is in the BTF of abi.bpf.o.

Usage: abi_coverage.py abi.h abi.bpf.o bpftool
"""

import json
import re
import subprocess
import sys


def main(header, obj, bpftool):
    with open(header, encoding="utf-8") as file:
        defined = set(re.findall(r"^(?:struct|enum) (pb_\w+) \{", file.read(), re.MULTILINE))
    # 19 when this was written. A pattern that stops matching must not pass for full coverage.
    if len(defined) < 19:
        sys.exit(f"abi_coverage: only {len(defined)} types found in {header}: look at the pattern")
    dump = subprocess.run([bpftool, "-j", "btf", "dump", "file", obj],
                          check=True, capture_output=True, text=True)
    present = {t["name"] for t in json.loads(dump.stdout)["types"] if t["kind"] in ("STRUCT", "ENUM")}
    if defined != present:
        sys.exit(f"abi_coverage: not in {obj}: {sorted(defined - present)}; "
                 f"not in {header}: {sorted(present - defined)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
