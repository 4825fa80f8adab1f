#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A Service in front of three Pods, without a cluster, on this machine.
#
#   sudo make demo                or    sudo PATCHBAY=target/patchbay/bin/patchbay demo.sh
#   sudo DEMO_IPV6=1 make demo          the same over IPv6
#
# Needs root, bash, python3, curl, iproute2 and util-linux. Everything lives in network namespaces
# without a way out, in a cgroup and in directories of its own, and is removed at the end, also
# after Ctrl-C. Exit code 0 only if every step showed what it promises.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
patchbay=$(realpath -m "${PATCHBAY:-$here/../../../../target/patchbay/bin/patchbay}")
id=patchbay-demo-$$
namespaces=()
agent=
work=
cgroup=

if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
prompt() { printf '\n  %s$ %s%s\n' "$dim" "$*" "$plain"; }
indent() { sed 's/^/  /'; }
fail() {
  printf 'demo: %s\n' "$*" >&2
  if [[ -s ${work:-/nonexistent}/agent.log ]]; then
    printf 'demo: the agent said:\n' >&2
    tail -n 20 "$work/agent.log" >&2
  fi
  exit 1
}

# --- taking it all down again ---------------------------------------------------------------------

processes() { find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null || true; }

clean_up() {
  local status=$? pid name
  trap - EXIT INT TERM
  set +e
  if [[ -n $cgroup && -d $cgroup ]]; then
    for _ in {1..50}; do
      mapfile -t pids < <(processes)
      ((${#pids[@]})) || break
      for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
      sleep 0.1
    done
    [[ -d /sys/fs/bpf/$id ]] &&
      "$patchbay" cleanup --bpf-dir "/sys/fs/bpf/$id/node" --cgroup "$cgroup" >/dev/null
    find "$cgroup" -depth -type d -exec rmdir {} \;
  fi
  [[ -d /sys/fs/bpf/$id ]] && find "/sys/fs/bpf/$id" -depth -delete
  for name in "${namespaces[@]}"; do ip netns del "$name"; done
  [[ -n $work ]] && rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the laboratory -------------------------------------------------------------------------------

[[ $EUID -eq 0 ]] || fail "this makes network namespaces and loads BPF programs: run it as root (sudo make demo)"
[[ -x $patchbay ]] || fail "$patchbay is missing: run \"make build\" first, or set PATCHBAY"
for tool in python3 curl ip nsenter realpath; do
  command -v "$tool" >/dev/null || fail "$tool is missing: install python3, curl, iproute2 and util-linux"
done
python3=$(command -v /usr/bin/python3 || command -v python3)

hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $hierarchy ]] || fail "no cgroup v2 file system is mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup"

if [[ ${DEMO_IPV6:-} == 1 ]]; then
  manifests=$here/kubia-ipv6 range=fd00:10:244:: bits=64 service_range=fd00:10:96::/112
else
  manifests=$here/kubia range=10.244.0. bits=16 service_range=10.96.0.0/16
fi

work=$(mktemp -d "/tmp/$id.XXXXXX")
cgroup=$hierarchy/$id
mkdir "$cgroup"

add_namespace() { # NAME
  ip netns add "$id-$1"
  namespaces=("$id-$1" "${namespaces[@]}")
}

# A network namespace and a cgroup, plugged into the bridge: that is all a Pod is to the network.
add_pod() { # NAME LAST-PART-OF-ITS-ADDRESS
  add_namespace "$1"
  mkdir "$cgroup/$1"
  ip -n "$id-bridge" -batch - <<END
link add to-$2 type veth peer name eth0 netns $id-$1
link set to-$2 master br0 up
END
  ip -n "$id-$1" -batch - <<END
link set lo up
addr add $range$2/$bits dev eth0 $([[ $range == *:* ]] && echo nodad)
link set eth0 up
END
}

in_pod() { # NAME COMMAND...
  local name=$1
  shift
  (
    echo "$BASHPID" >"$cgroup/$name/cgroup.procs"
    exec nsenter --net="/run/netns/$id-$name" -- "$@"
  )
}

start_in_pod() { # NAME COMMAND...: the same in the background
  local name=$1
  shift
  (
    echo "$BASHPID" >"$cgroup/$name/cgroup.procs"
    exec nsenter --net="/run/netns/$id-$name" -- "$@"
  ) &
  disown
}

cat >"$work/server.py" <<'END'
import http.server, socket, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"You've hit {sys.argv[1]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 128

Server(("::", 8080), Handler).serve_forever()
END

step "1. Three Pods, a client, and a node, out of network namespaces"
add_namespace bridge
ip -n "$id-bridge" -batch - <<END
link add br0 type bridge mcast_snooping 0
link set br0 up
END
add_pod node 1
add_pod client 2
for i in 1 2 3; do
  add_pod "kubia-$i" "1$i"
  start_in_pod "kubia-$i" "$python3" "$work/server.py" "kubia-$i"
done
url_host() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }
for i in 1 2 3; do
  url="http://$(url_host "${range}1$i"):8080/"
  in_pod client curl -sS --noproxy '*' --retry 50 --retry-delay 0 --retry-max-time 10 --retry-connrefused \
    --max-time 5 "$url" >"$work/answer" 2>"$work/error" || fail "kubia-$i does not serve: $(cat "$work/error")"
  say "$url   $(cat "$work/answer")"
done
say "No interface of this machine is connected to them, and no route leads out."

# --- the agent ------------------------------------------------------------------------------------

step "2. The manifests and the agent"
mkdir "$work/manifests" "$work/state"
cp "$manifests/kubia.yaml" "$work/manifests/"
prompt "cat kubia.yaml"
"$python3" -c 'import sys; print(sys.stdin.read().split("---\n")[0].split("\n\n")[-1].rstrip())' \
  <"$manifests/kubia.yaml" | sed -n '/^apiVersion/,$p' | indent
say "... and three Pods labelled app: kubia."
readers=(--bpf-dir "/sys/fs/bpf/$id/node" --state-dir "$work/state")
prompt "patchbay run --manifests . --cgroup $cgroup &"
mkdir "$cgroup/agent"
(
  echo "$BASHPID" >"$cgroup/agent/cgroup.procs"
  exec nsenter --net="/run/netns/$id-node" -- "$patchbay" run --manifests "$work/manifests" \
    --node-name demo --cgroup "$cgroup" "${readers[@]}" --service-cidr "$service_range" --devices none \
    --metrics-bind-address 127.0.0.1:10249 --healthz-bind-address 127.0.0.1:10256
) >"$work/agent.out" 2>"$work/agent.log" &
agent=$!
for _ in {1..300}; do
  grep -qis '\bready\b' "$work/agent.out" && break
  kill -0 "$agent" 2>/dev/null || fail "the agent has ended"
  sleep 0.1
done
grep -i '\bready\b' "$work/agent.out" | indent || fail "the agent is not ready after 30 seconds"

on_node() { in_pod node "$patchbay" "$@"; }
address=$(on_node env --namespace default "${readers[@]}" | sed -n 's/^KUBIA_SERVICE_HOST=//p')
[[ -n $address ]] || fail "the Service kubia has no address"
url="http://$(url_host "$address")/"

# --- the show -------------------------------------------------------------------------------------

ask() { # COUNT FILE: that many curls from the client, one line of outcome each
  # shellcheck disable=SC2016 # the inner shell expands these
  in_pod client /bin/sh -c 'for _ in $(seq "$1"); do
    curl -sS --noproxy "*" --max-time 5 "$2" 2>&1 || :
  done' sh "$1" "$url" >"$2"
}
tally() { # FILE
  sort "$1" | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/  \1 x  \2/'
}
only() { # FILE NAME...: each of these Pods has answered, and nobody else
  local file=$1 name
  shift
  for name in "$@"; do grep -qxF "You've hit $name" "$file" || return 1; done
  ! grep -vxF "$(printf "You've hit %s\n" "$@")" "$file" >/dev/null
}

step "3. Thirty times curl from a fourth Pod"
say "The address $address exists nowhere: no interface has it, no rule mentions it."
prompt "for i in {1..30}; do curl $url; done"
ask 30 "$work/answers"
tally "$work/answers"
only "$work/answers" kubia-1 kubia-2 kubia-3 || fail "not all three Pods have answered, or somebody else has"

step "4. What is in the kernel, and why"
prompt "patchbay services -o wide"
on_node services -o wide "${readers[@]}" >"$work/services" || fail "patchbay services failed"
indent <"$work/services"
grep -q kubia "$work/services" || fail "patchbay services does not show kubia"
prompt "patchbay explain $(url_host "$address"):80"
on_node explain "$(url_host "$address"):80" "${readers[@]}" >"$work/explained" || fail "patchbay explain failed"
indent <"$work/explained"
grep -q kubia "$work/explained" || fail "patchbay explain does not name the Service"

publish() { # NAME...: the manifest with these Pods only, put in place as a whole
  "$python3" - "$manifests/kubia.yaml" "$@" >"$work/manifests/.kubia.new" <<'END'
import sys
documents = open(sys.argv[1]).read().split("---\n")
keep = [d for d in documents
        if "kind: Pod" not in d or any(f"name: {name}\n" in d for name in sys.argv[2:])]
sys.stdout.write("---\n".join(keep))
END
  mv "$work/manifests/.kubia.new" "$work/manifests/kubia.yaml"
}

step "5. One Pod is removed from the manifest, while the client goes on asking"
prompt "sed ... kubia.yaml      # without kubia-2"
ask 150 "$work/meanwhile" &
load=$!
sleep 0.3
publish kubia-1 kubia-3
wait "$load"
say "Meanwhile:"
tally "$work/meanwhile"
! grep -vxE "You've hit kubia-[123]" "$work/meanwhile" || fail "a request has failed"
for _ in {1..20}; do
  ask 30 "$work/answers"
  only "$work/answers" kubia-1 kubia-3 && break
done
say "Afterwards:"
tally "$work/answers"
only "$work/answers" kubia-1 kubia-3 || fail "kubia-2 is still being asked"
say "Nothing failed, and nobody asks kubia-2 any more."

step "6. All Pods are removed"
publish
for _ in {1..20}; do
  ask 3 "$work/answers"
  ! grep -q "You've hit" "$work/answers" && break
done
prompt "curl $url"
head -n 1 "$work/answers" | indent
grep -qi 'refused\|connect to' "$work/answers" || fail "the connection was not refused"
! grep -q "You've hit" "$work/answers" || fail "somebody has answered"
status=0
in_pod client "$python3" -c 'import errno, socket, sys
try:
    socket.create_connection((sys.argv[1], 80), timeout=5)
except OSError as error:
    print(f"  connect(): {error.strerror}")
    sys.exit(0 if error.errno == errno.ECONNREFUSED else 1)
sys.exit(1)' "$address" || status=$?
((status == 0)) || fail "the connection was not refused"

step "7. Back to three, and the agent stopped: the kernel goes on alone"
publish kubia-1 kubia-2 kubia-3
for _ in {1..20}; do
  ask 30 "$work/answers"
  only "$work/answers" kubia-1 kubia-2 kubia-3 && break
done
kill -TERM "$agent"
wait "$agent" || true
prompt "kill %patchbay; for i in {1..30}; do curl $url; done"
ask 30 "$work/answers"
tally "$work/answers"
only "$work/answers" kubia-1 kubia-2 kubia-3 || fail "the Service does not work without the agent"

step "8. patchbay cleanup removes what is left"
prompt "patchbay cleanup"
on_node cleanup --bpf-dir "/sys/fs/bpf/$id/node" --cgroup "$cgroup" | indent || fail "cleanup failed"
ask 1 "$work/answers"
! grep -q "You've hit" "$work/answers" || fail "the Service still works after cleanup"
say "The address leads nowhere again. That was the demo."
