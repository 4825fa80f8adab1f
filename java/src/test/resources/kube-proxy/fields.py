#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lists the fields of kube-proxy's configuration type, one "path type" a line, from Go sources.

  fields.py KUBE_PROXY COMPONENT_BASE > v1alpha1-fields.txt

KUBE_PROXY and COMPONENT_BASE are checkouts of the modules k8s.io/kube-proxy and k8s.io/component-base of one version.
"""
import pathlib
import re
import sys

SOURCES = ("config/v1alpha1/types.go", "logs/api/v1/types.go")
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
FIELD = re.compile(r'^\t(?:(\w+) )?\s*([\w.*\[\]]+) `json:"([^",]*)', re.M)


def main(roots):
    structs = {}
    for root in roots:
        for source in SOURCES:
            path = pathlib.Path(root, source)
            if path.exists():
                structs.update(STRUCT.findall(path.read_text(encoding="utf-8")))

    def walk(name, prefix):
        for field, go_type, key in FIELD.findall(structs[name]):
            inner = go_type.split(".")[-1]
            if go_type == "metav1.TypeMeta":
                yield prefix + "apiVersion", "string"
                yield prefix + "kind", "string"
            elif not key and not field and inner in structs:  # embedded: fields of the outer one
                yield from walk(inner, prefix)
            elif inner in structs and go_type[0] not in "*[" and inner != "TimeOrMetaDuration":
                yield from walk(inner, prefix + key + ".")
            elif key and key != "-":
                yield prefix + key, go_type

    for path, go_type in sorted(walk("KubeProxyConfiguration", "")):
        print(path, go_type)


main(sys.argv[1:])
