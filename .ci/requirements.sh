# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Answers questions about .ci/requirements. Sourced, from the root of the repository, by .ci/deps and .ci/doctor.

# Prints use, kind, name, package and reason of each requirement, separated by tabs.
requirements() {
  awk '!/^#/ && NF { reason = $5; for (i = 6; i <= NF; i++) reason = reason " " $i
    printf "%s\t%s\t%s\t%s\t%s\n", $1, $2, $3, $4, reason }' .ci/requirements
}

# Finds a bpftool that works. Ubuntu's is a wrapper that refuses any kernel it has no package for; the programs of
# other kernels lie beside it and work as well.
find_bpftool() {
  local candidate
  for candidate in bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
    if "$candidate" version >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

present() { # KIND NAME
  case $1:$2 in
    command:bpftool) find_bpftool >/dev/null ;;
    command:go) command -v go >/dev/null || [ -x /usr/local/go/bin/go ] ;;
    command:*) command -v "$2" >/dev/null ;;
    header:*) compgen -G "/usr/include/$2" >/dev/null || compgen -G "/usr/include/*-linux-gnu*/$2" >/dev/null ;;
    library:*) ldconfig -p | grep -F "$2 " >/dev/null ;;
    *)
      echo "patchbay: .ci/requirements: unknown kind $1" >&2
      exit 2
      ;;
  esac
}
