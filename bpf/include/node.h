/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * node.h - what is the node's own: its network namespace, and the addresses that mean different
 * hosts in different namespaces.
 */
#ifndef PATCHBAY_NODE_H
#define PATCHBAY_NODE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "peer.h"

/*
 * Cookie of the node's network namespace, that of the agent, in sock_lb.bpf.c. Set by the loader before
 * the programs are verified, and constant from then on. 0: not known (the agent can ask for it from
 * 5.14); then no socket counts as the node's own, and the verifier removes what depends on it.
 */
extern const volatile __u64 pb_node_netns_cookie;

/*
 * Whether the socket behind ctx, a context of a cgroup program, is in the node's namespace. Without a
 * ctx it is about a socket that was translated, and where that matters it was there then.
 */
static __always_inline bool pb_in_node_namespace(void *ctx)
{
	if (!ctx)
		return true;
	return pb_node_netns_cookie && bpf_get_netns_cookie(ctx) == pb_node_netns_cookie; /* 5.7 */
}

/* 127.0.0.0/8 or ::1. */
static __always_inline bool pb_is_loopback(const struct pb_peer *peer)
{
	__be32 network = peer->words[3] & bpf_htonl(0xff000000);

	return (peer->halves[0] | (peer->words[2] ^ bpf_htonl(0xffff)) |
		(network ^ bpf_htonl(0x7f000000))) == 0 ||
	       (peer->halves[0] | (peer->halves[1] ^ bpf_cpu_to_be64(1))) == 0;
}

/*
 * 0.0.0.0 or ::. As a destination it means this host, as a place to listen all addresses of its
 * family. The product is 0 where the third word is that of either form.
 */
static __always_inline bool pb_is_unspecified(const struct pb_peer *peer)
{
	__u64 third = peer->words[2];

	return (peer->halves[0] | third * (third ^ bpf_htonl(0xffff)) | peer->words[3]) == 0;
}

/* Replaces the address by the unspecified one of its family, under which node ports are known. */
static __always_inline void pb_set_unspecified(struct pb_peer *peer)
{
	__be32 third = pb_is_v4(peer) ? bpf_htonl(0xffff) : 0;

	peer->halves[0] = 0;
	peer->words[2] = third;
	peer->words[3] = 0;
}

/* Replaces an unspecified address by what it means as a destination: 127.0.0.1 or ::1. */
static __always_inline void pb_set_loopback(struct pb_peer *peer)
{
	peer->words[3] = pb_is_v4(peer) ? bpf_htonl(0x7f000001) : bpf_htonl(1);
}

#endif
