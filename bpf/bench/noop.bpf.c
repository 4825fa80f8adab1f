// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * noop.bpf.c - for the benchmarks: a program on each hook that sock_lb.bpf.c has, and none does anything.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

#define PB_NOOP(hook, context)                                                                     \
	SEC("cgroup/" #hook)                                                                       \
	int noop_##hook(struct context *ctx)                                                       \
	{                                                                                          \
		(void)ctx;                                                                         \
		return 1;                                                                          \
	}

PB_NOOP(connect4, bpf_sock_addr)
PB_NOOP(connect6, bpf_sock_addr)
PB_NOOP(sendmsg4, bpf_sock_addr)
PB_NOOP(sendmsg6, bpf_sock_addr)
PB_NOOP(recvmsg4, bpf_sock_addr)
PB_NOOP(recvmsg6, bpf_sock_addr)
PB_NOOP(getpeername4, bpf_sock_addr)
PB_NOOP(getpeername6, bpf_sock_addr)
PB_NOOP(post_bind4, bpf_sock)
PB_NOOP(post_bind6, bpf_sock)
PB_NOOP(sock_release, bpf_sock)
