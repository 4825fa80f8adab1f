/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - from an address to the Service port behind it.
 */
#ifndef PATCHBAY_SERVICE_H
#define PATCHBAY_SERVICE_H

#include <linux/in.h>
#include "core_maps.h"
#include "node.h"
#include "peer.h"

/* Absent from the headers of 5.4 and older; an MPTCP socket is a TCP socket to its peer. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* A Service port as it was at one moment: everything below comes from one read of its word. */
struct pb_target {
	__u32 service; /* index into `services` */
	__u32 base; /* first entry in `backends` */
	__u32 count; /* of backends; where a call goes on at least 1 */
	__u32 generation;
	__u32 flags; /* enum pb_service_flag */
	__u32 affinity_seconds;
	__u64 stats; /* key of `service_stats`; 0: not counted */
};

/* In the place of an index into `services`. */
#define PB_NO_SERVICE 0xffffffff

/* The protocol under which frontends know a socket, or 0: no Service has such sockets. */
static __always_inline __u8 pb_service_protocol(__u32 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return IPPROTO_TCP;
	case IPPROTO_UDP:
		return IPPROTO_UDP;
	default:
		return 0;
	}
}

static __always_inline const struct pb_frontend *pb_look_up(const struct pb_peer *address,
							    __be16 port, __u8 protocol)
{
	/* Aligned, so that the address is two stores. All 20 bytes are named: no hole to hash. */
	struct pb_frontend_key key __attribute__((aligned(8))) = {
		.port = port,
		.protocol = protocol,
		.scope = PB_SCOPE_INTERNAL,
	};

	__builtin_memcpy(key.address, address->halves, sizeof(key.address));
	return bpf_map_lookup_elem(&frontends, &key);
}

/*
 * The frontend of peer, or NULL: it is none of our business. Two look-ups for that, a third only at
 * an address of a node.
 *
 * Loopback and unspecified destinations are the host of the caller, so they lead to a node port only
 * in the node's own namespace. In a pod they are the pod. The unspecified ones are named by the key
 * of a node port, but are reached by it only where loopback is an address of the node.
 *
 * ctx: the context of a cgroup program, or NULL, see pb_in_node_namespace().
 */
static __always_inline const struct pb_frontend *
pb_find_frontend(void *ctx, const struct pb_peer *peer, __u8 protocol)
{
	const struct pb_frontend *frontend;
	struct pb_peer node_port, loopback;

	if (pb_is_unspecified(peer)) {
		if (!pb_in_node_namespace(ctx))
			return NULL;
		loopback = *peer;
		pb_set_loopback(&loopback);
		frontend = pb_look_up(&loopback, 0, 0);
		if (!frontend || !(frontend->flags & PB_FRONTEND_NODE))
			return NULL;
		return pb_look_up(peer, peer->port, protocol);
	}
	frontend = pb_look_up(peer, peer->port, protocol);
	if (frontend)
		return frontend;
	frontend = pb_look_up(peer, 0, 0);
	if (!frontend || !(frontend->flags & PB_FRONTEND_NODE))
		return frontend;
	if (pb_is_loopback(peer) && !pb_in_node_namespace(ctx))
		return NULL;
	node_port = *peer;
	pb_set_unspecified(&node_port);
	return pb_look_up(&node_port, peer->port, protocol);
}

/* Reads the Service port behind a frontend. False: it points outside the map. */
static __always_inline bool pb_read_service(__u32 index, struct pb_target *target)
{
	const struct pb_service *service = bpf_map_lookup_elem(&services, &index);
	__u64 word;

	target->service = index;
	if (!service)
		return false;
	/*
	 * The only read of the word. A second one could see the next publication, and a count of one
	 * with the base of the other is a range that nobody wrote.
	 */
	word = *(const volatile __u64 *)&service->word;
	target->base = word & ((1U << PB_WORD_BASE_BITS) - 1);
	target->count = (word >> PB_WORD_BASE_BITS) & ((1U << PB_WORD_COUNT_BITS) - 1);
	target->generation = word >> (PB_WORD_BASE_BITS + PB_WORD_COUNT_BITS);
	target->flags = service->flags;
	target->affinity_seconds = service->affinity_seconds;
	target->stats = service->stats;
	return true;
}

#endif
