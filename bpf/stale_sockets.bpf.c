// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * stale_sockets.bpf.c - which sockets outlived their backend: an iterator over `socket_state`, that is
 * over the sockets that were translated and no others, in all network namespaces (5.9).
 *
 * An object of its own: it needs the BTF of the kernel, and connects must work where there is none.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "stale.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/*
 * Writes a struct pb_stale_socket for each. A record for which the buffer has no room is left out whole,
 * and the kernel comes back to its socket with the next read().
 */
SEC("iter/bpf_sk_storage_map")
int pb_stale_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct pb_socket_state *state = ctx->value;
	struct pb_stale_socket stale = {};
	struct sock *sk = ctx->sk;

	if (sk && state && pb_find_stale(sk, state, &stale))
		bpf_seq_write(ctx->meta->seq, &stale, sizeof(stale));
	return 0;
}
