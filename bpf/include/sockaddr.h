/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sockaddr.h - the address in the context of a program, read and written. The only place where the two
 * families differ.
 */
#ifndef PATCHBAY_SOCKADDR_H
#define PATCHBAY_SOCKADDR_H

#include <linux/bpf.h>
#include "peer.h"

static __always_inline void pb_read4(const struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	pb_set_v4(peer, ctx->user_ip4, ctx->user_port);
}

static __always_inline void pb_write4(struct bpf_sock_addr *ctx, const struct pb_peer *peer)
{
	ctx->user_ip4 = peer->words[3];
	ctx->user_port = peer->port;
}

static __always_inline void pb_read6(const struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	peer->words[0] = ctx->user_ip6[0];
	peer->words[1] = ctx->user_ip6[1];
	peer->words[2] = ctx->user_ip6[2];
	peer->words[3] = ctx->user_ip6[3];
	peer->port = ctx->user_port;
}

static __always_inline void pb_write6(struct bpf_sock_addr *ctx, const struct pb_peer *peer)
{
	ctx->user_ip6[0] = peer->words[0];
	ctx->user_ip6[1] = peer->words[1];
	ctx->user_ip6[2] = peer->words[2];
	ctx->user_ip6[3] = peer->words[3];
	ctx->user_port = peer->port;
}

/* Where a socket was bound to. Unlike anywhere else the port comes in host byte order. */
static __always_inline void pb_read_bound4(const struct bpf_sock *sk, struct pb_peer *bound)
{
	pb_set_v4(bound, sk->src_ip4, bpf_htons(sk->src_port));
}

static __always_inline void pb_read_bound6(const struct bpf_sock *sk, struct pb_peer *bound)
{
	bound->words[0] = sk->src_ip6[0];
	bound->words[1] = sk->src_ip6[1];
	bound->words[2] = sk->src_ip6[2];
	bound->words[3] = sk->src_ip6[3];
	bound->port = bpf_htons(sk->src_port);
}

#endif
