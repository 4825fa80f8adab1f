/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lb.h - what happens to a connect(), a datagram and a question for the peer, for both families.
 *
 * Each function takes the peer of the call, and answers with a verdict; where that is PB_TRANSLATED
 * it has replaced the peer.
 */
#ifndef PATCHBAY_LB_H
#define PATCHBAY_LB_H

#include <linux/errno.h>
#include <linux/in.h>
#include "affinity.h"
#include "backend.h"
#include "counters.h"
#include "maps.h"
#include "service.h"
#include "socket_state.h"
#include "udp_flows.h"
#include "verdict.h"

/*
 * Puts the backend in the place of the Service. A backend of the other family cannot be written into
 * this sockaddr: an IPv4 program would keep its last four bytes and connect to a stranger.
 */
static __always_inline int pb_translate(struct pb_peer *peer, const struct pb_peer *backend)
{
	if (pb_is_v4(peer) != pb_is_v4(backend))
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);
	*peer = *backend;
	return PB_TRANSLATED;
}

static __always_inline int pb_connect(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	__u8 protocol = pb_service_protocol(ctx->protocol);
	struct bpf_sock *sk = ctx->sk;
	struct pb_target target = {};
	struct pb_peer service = *peer;
	struct pb_peer backend = {};
	int verdict;
	bool found;

	if (!protocol || !sk)
		return PB_UNTOUCHED;

	verdict = pb_find_service(ctx, peer, protocol, &target);
	if (verdict == PB_UNTOUCHED)
		pb_forget_connect(sk);
	if (verdict != PB_CONTINUE)
		return verdict;

	if (target.flags & PB_SERVICE_AFFINITY_CLIENT_IP)
		found = pb_choose_affine(ctx, &target, &backend);
	else
		found = pb_choose_random(&target, &backend);
	if (!found)
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);

	verdict = pb_translate(peer, &backend);
	if (verdict != PB_TRANSLATED)
		return verdict;
	pb_remember_connect(sk, &service, &backend);
	pb_count(protocol == IPPROTO_TCP ? PB_COUNTER_CONNECT_TCP : PB_COUNTER_CONNECT_UDP);
	return PB_TRANSLATED;
}

static __always_inline int pb_sendmsg(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	const struct pb_peer *connected = NULL;
	struct bpf_sock *sk = ctx->sk;
	struct pb_target target = {};
	struct pb_peer backend = {};
	int verdict;

	if (ctx->protocol != IPPROTO_UDP || !sk)
		return PB_UNTOUCHED;

	verdict = pb_find_service(ctx, peer, IPPROTO_UDP, &target);
	if (verdict == PB_UNTOUCHED && !pb_is_connected(sk))
		pb_send_direct(ctx, sk, peer);
	if (verdict != PB_CONTINUE)
		return verdict;

	/*
	 * A connected socket that names its own Service in sendto(): to the kernel it is connected to
	 * that backend, and it would drop what any other answers.
	 */
	if (pb_is_connected(sk))
		connected = pb_connected_backend(sk, peer);
	if (connected)
		backend = *connected;
	else if (!pb_send_flow(ctx, sk, &target, peer, &backend))
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);

	verdict = pb_translate(peer, &backend);
	if (verdict == PB_TRANSLATED)
		pb_count(PB_COUNTER_SEND_UDP);
	return verdict;
}

static __always_inline int pb_recvmsg(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	const struct pb_peer *service = NULL;
	struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return PB_UNTOUCHED;
	if (pb_is_connected(sk))
		service = pb_connected_service(sk, peer);
	if (service)
		*peer = *service;
	else if (!pb_receive_flow(ctx, sk, peer))
		return PB_UNTOUCHED;
	pb_count(PB_COUNTER_REPLY_UDP);
	return PB_TRANSLATED;
}

static __always_inline int pb_getpeername(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	const struct pb_peer *service;
	struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return PB_UNTOUCHED;
	service = pb_connected_service(sk, peer);
	if (!service)
		return PB_UNTOUCHED;
	*peer = *service;
	return PB_TRANSLATED;
}

#endif
