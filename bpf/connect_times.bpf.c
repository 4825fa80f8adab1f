// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * connect_times.bpf.c - how long connections take to be established.
 *
 * An object of its own, attached only while somebody wants to know: the kernel calls it nine times for
 * each connection, of Services or not, which costs more than all the rest.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "socket_state.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/*
 * The kernel asks several times in the life of a connection, at both of its ends. The reply is left as
 * it is: what the kernel takes for none, or what a program of somebody else has set.
 */
SEC("sockops")
int pb_sock_ops(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		pb_starts(ctx);
	else if (ctx->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		pb_established(ctx);
	return 1;
}
