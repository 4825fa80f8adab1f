// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;

/** {@code enum bpf_attach_type}: the hooks of a cgroup for what sockets do. */
public enum AttachType {
  INET4_CONNECT(LibBpf.BPF_CGROUP_INET4_CONNECT()),
  INET6_CONNECT(LibBpf.BPF_CGROUP_INET6_CONNECT()),
  UDP4_SENDMSG(LibBpf.BPF_CGROUP_UDP4_SENDMSG()),
  UDP6_SENDMSG(LibBpf.BPF_CGROUP_UDP6_SENDMSG()),
  UDP4_RECVMSG(LibBpf.BPF_CGROUP_UDP4_RECVMSG()),
  UDP6_RECVMSG(LibBpf.BPF_CGROUP_UDP6_RECVMSG()),
  INET4_GETPEERNAME(LibBpf.BPF_CGROUP_INET4_GETPEERNAME()),
  INET6_GETPEERNAME(LibBpf.BPF_CGROUP_INET6_GETPEERNAME()),
  INET4_POST_BIND(LibBpf.BPF_CGROUP_INET4_POST_BIND()),
  INET6_POST_BIND(LibBpf.BPF_CGROUP_INET6_POST_BIND()),
  INET_SOCK_RELEASE(LibBpf.BPF_CGROUP_INET_SOCK_RELEASE()),
  SOCK_OPS(LibBpf.BPF_CGROUP_SOCK_OPS());

  private final int number;

  AttachType(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }
}
