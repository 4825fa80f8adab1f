// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sock_lb.bpf.c - Services at connect time: programs for the socket-address hooks of a cgroup, for
 * those after bind() and before the end of a socket, and for what happens to TCP connections.
 *
 * Hooks: sock_ops 4.13, connect and post_bind 4.17, sendmsg 4.18, recvmsg 5.2, getpeername 5.8,
 * sock_release 5.9.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "bind.h"
#include "lb.h"
#include "refuse.h"
#include "sockaddr.h"
#include "socket_state.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 pb_node_netns_cookie = 0;

/* The control plane reads it from the file: it names the directory of the pins. Programs do not. */
const __u32 pb_abi_version SEC("abi") = PB_ABI_VERSION;

/* What a program returns: 0 lets the call fail, with EPERM unless bpf_set_retval() was called. */
enum pb_return {
	PB_FAIL = 0,
	PB_PROCEED = 1, /* the only value that programs may return which have nothing to forbid */
};

SEC("cgroup/connect4")
int pb_connect4(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};
	int verdict;

	pb_read4(ctx, &peer);
	verdict = pb_refuse(pb_connect(ctx, &peer), &peer);
	if (verdict == PB_TRANSLATED)
		pb_write4(ctx, &peer);
	return verdict == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

SEC("cgroup/connect6")
int pb_connect6(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};
	int verdict;

	pb_read6(ctx, &peer);
	verdict = pb_refuse(pb_connect(ctx, &peer), &peer);
	if (verdict == PB_TRANSLATED)
		pb_write6(ctx, &peer);
	return verdict == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

SEC("cgroup/sendmsg4")
int pb_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};
	int verdict;

	pb_read4(ctx, &peer);
	verdict = pb_refuse(pb_sendmsg(ctx, &peer), &peer);
	if (verdict == PB_TRANSLATED)
		pb_write4(ctx, &peer);
	return verdict == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

/* Never sees a v4-mapped address: the kernel hands those to sendmsg4. */
SEC("cgroup/sendmsg6")
int pb_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};
	int verdict;

	pb_read6(ctx, &peer);
	verdict = pb_refuse(pb_sendmsg(ctx, &peer), &peer);
	if (verdict == PB_TRANSLATED)
		pb_write6(ctx, &peer);
	return verdict == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

SEC("cgroup/recvmsg4")
int pb_recvmsg4(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};

	pb_read4(ctx, &peer);
	if (pb_recvmsg(ctx, &peer) == PB_TRANSLATED)
		pb_write4(ctx, &peer);
	return PB_PROCEED;
}

/* Sees v4-mapped sources too, of flows that began in sendmsg4. */
SEC("cgroup/recvmsg6")
int pb_recvmsg6(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};

	pb_read6(ctx, &peer);
	if (pb_recvmsg(ctx, &peer) == PB_TRANSLATED)
		pb_write6(ctx, &peer);
	return PB_PROCEED;
}

SEC("cgroup/getpeername4")
int pb_getpeername4(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};

	pb_read4(ctx, &peer);
	if (pb_getpeername(ctx, &peer) == PB_TRANSLATED)
		pb_write4(ctx, &peer);
	return PB_PROCEED;
}

SEC("cgroup/getpeername6")
int pb_getpeername6(struct bpf_sock_addr *ctx)
{
	struct pb_peer peer = {};

	pb_read6(ctx, &peer);
	if (pb_getpeername(ctx, &peer) == PB_TRANSLATED)
		pb_write6(ctx, &peer);
	return PB_PROCEED;
}

SEC("cgroup/post_bind4")
int pb_post_bind4(struct bpf_sock *sk)
{
	struct pb_peer bound = {};

	pb_read_bound4(sk, &bound);
	return pb_refuse_bind(pb_bind(sk, &bound)) == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

/* Sees v4-mapped addresses too, of AF_INET6 sockets. */
SEC("cgroup/post_bind6")
int pb_post_bind6(struct bpf_sock *sk)
{
	struct pb_peer bound = {};

	pb_read_bound6(sk, &bound);
	return pb_refuse_bind(pb_bind(sk, &bound)) == PB_REFUSED ? PB_FAIL : PB_PROCEED;
}

/* Runs when the last descriptor is closed, before the protocol does anything about it. */
SEC("cgroup/sock_release")
int pb_sock_release(struct bpf_sock *sk)
{
	pb_release(sk);
	return PB_PROCEED;
}
