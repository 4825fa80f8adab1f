/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * peer.h - an address and a port, in the one form that all programs and maps use.
 */
#ifndef PATCHBAY_PEER_H
#define PATCHBAY_PEER_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Of sys/socket.h, which is none of the kernel's headers. */
#define PB_AF_INET6 10

/*
 * One end of a connection. IPv4 is held v4-mapped, so an AF_INET6 socket that talks to
 * ::ffff:a.b.c.d and an AF_INET socket that talks to a.b.c.d mean the same peer. The padding is
 * zero, because peers are part of hash keys.
 */
struct pb_peer {
	union {
		__be32 words[4];
		__be64 halves[2];
	};
	__be16 port;
	__u16 pad[3];
};
_Static_assert(sizeof(struct pb_peer) == 24, "pb_peer");

static __always_inline bool pb_same_address(const struct pb_peer *a, const struct pb_peer *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

static __always_inline bool pb_same_peer(const struct pb_peer *a, const struct pb_peer *b)
{
	return pb_same_address(a, b) && a->port == b->port;
}

/* Whether a sorts after b: by address, then port, as unsigned big-endian numbers. */
static __always_inline bool pb_peer_after(const struct pb_peer *a, const struct pb_peer *b)
{
	if (a->halves[0] != b->halves[0])
		return bpf_be64_to_cpu(a->halves[0]) > bpf_be64_to_cpu(b->halves[0]);
	if (a->halves[1] != b->halves[1])
		return bpf_be64_to_cpu(a->halves[1]) > bpf_be64_to_cpu(b->halves[1]);
	return bpf_ntohs(a->port) > bpf_ntohs(b->port);
}

/*
 * Questions about a whole address are one comparison of words that were combined before. Were the
 * words compared one by one, the verifier would learn each of them, and follow everything that comes
 * after once for every combination: eight times the instructions.
 */
static __always_inline bool pb_is_v4(const struct pb_peer *peer)
{
	return (peer->halves[0] | (peer->words[2] ^ bpf_htonl(0xffff))) == 0;
}

static __always_inline void pb_set_v4(struct pb_peer *peer, __be32 address, __be16 port)
{
	peer->halves[0] = 0;
	peer->words[2] = bpf_htonl(0xffff);
	peer->words[3] = address;
	peer->port = port;
}

/*
 * Copies an abi.h address, which is a plain byte array. Each one is the first member of a map value
 * and therefore 8-byte aligned; saying so makes it two loads instead of sixteen.
 */
static __always_inline void pb_set_address(struct pb_peer *peer, const __u8 *address)
{
	const __be64 *halves = (const __be64 *)address;

	peer->halves[0] = halves[0];
	peer->halves[1] = halves[1];
}

#endif
