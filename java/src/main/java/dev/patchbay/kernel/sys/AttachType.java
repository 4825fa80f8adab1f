// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;

/** {@code enum bpf_attach_type}: the socket address hooks of a cgroup. */
public enum AttachType {
  INET4_CONNECT(LibBpf.BPF_CGROUP_INET4_CONNECT()),
  INET6_CONNECT(LibBpf.BPF_CGROUP_INET6_CONNECT()),
  UDP4_SENDMSG(LibBpf.BPF_CGROUP_UDP4_SENDMSG()),
  UDP6_SENDMSG(LibBpf.BPF_CGROUP_UDP6_SENDMSG()),
  UDP4_RECVMSG(LibBpf.BPF_CGROUP_UDP4_RECVMSG()),
  UDP6_RECVMSG(LibBpf.BPF_CGROUP_UDP6_RECVMSG()),
  INET4_GETPEERNAME(LibBpf.BPF_CGROUP_INET4_GETPEERNAME()),
  INET6_GETPEERNAME(LibBpf.BPF_CGROUP_INET6_GETPEERNAME());

  private final int number;

  AttachType(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }
}
