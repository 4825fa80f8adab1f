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
 * What was found, for the one who reads the iterator. Entry 0 counts the others, see pb_list(). Not through
 * the reader's buffer: the kernel makes it 32 KiB, and walks its list from the start after each of them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 + 8192);
	__type(key, __u32);
	__type(value, struct pb_stale_socket);
} stale_sockets SEC(".maps");

/* Appends to the list. False: it is full, or as long as the reader wants it (netns of entry 0, 0: any). */
static __always_inline bool pb_list(const struct pb_stale_socket *stale)
{
	struct pb_stale_socket *head, *entry;
	__u32 index = 0;

	head = bpf_map_lookup_elem(&stale_sockets, &index);
	if (!head)
		return false;
	index = head->cookie + 1;
	if (head->netns && index > head->netns)
		return false;
	entry = bpf_map_lookup_elem(&stale_sockets, &index);
	if (!entry)
		return false;
	*entry = *stale;
	head->cookie = index;
	return true;
}

/*
 * Lists each of them. If the list is full read() fails with EAGAIN; who has emptied it by setting the count
 * to 0 goes on at the same socket with the next read(). At the end read() gives 0.
 */
SEC("iter/bpf_sk_storage_map")
int pb_stale_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct pb_socket_state *state = ctx->value;
	struct pb_stale_socket stale = {};
	struct sock *sk = ctx->sk;

	if (!sk || !state || !pb_find_stale(sk, state, &stale))
		return 0;
	return pb_list(&stale) ? 0 : 1;
}
