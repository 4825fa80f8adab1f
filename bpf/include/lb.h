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
#include "refuse.h"
#include "service.h"
#include "socket_state.h"
#include "stats.h"
#include "udp_flows.h"
#include "verdict.h"
#include "watch.h"

/*
 * Finds the Service port behind peer. PB_CONTINUE: target is filled and has backends. Anything that
 * points outside a map is refused, because the only alternatives are to misroute the connection or
 * to send it to an address that nobody owns.
 */
static __always_inline int pb_find_service(struct bpf_sock_addr *ctx, const struct pb_peer *peer,
					   __u8 protocol, struct pb_target *target)
{
	const struct pb_frontend *frontend = pb_find_frontend(ctx, peer, protocol);
	struct pb_service_stats *stats;

	if (!frontend)
		return PB_UNTOUCHED;
	if (frontend->flags & PB_FRONTEND_REFUSE) {
		target->service = PB_NO_SERVICE;
		return pb_refuse_for(PB_COUNTER_REFUSED_UNKNOWN_PORT, -ECONNREFUSED);
	}
	if (!pb_read_service(frontend->service, target))
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);
	if (target->count)
		return PB_CONTINUE;

	stats = pb_service_stats(target, pb_known_service_stats(target));
	if (target->flags & PB_SERVICE_POLICY_LOCAL) {
		if (stats)
			pb_add(&stats->refused_policy, 1);
		return pb_refuse_for(PB_COUNTER_REFUSED_POLICY, -EHOSTUNREACH);
	}
	if (stats)
		pb_add(&stats->refused_no_endpoint, 1);
	return pb_refuse_for(PB_COUNTER_REFUSED_NO_ENDPOINT, -ECONNREFUSED);
}

/*
 * Whether backend can take the place of the Service. One of the other family cannot be written into
 * this sockaddr: an IPv4 program would keep its last four bytes and connect to a stranger.
 */
static __always_inline int pb_check_family(const struct pb_peer *peer,
					   const struct pb_peer *backend)
{
	if (pb_is_v4(peer) != pb_is_v4(backend))
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);
	return PB_TRANSLATED;
}

/* Chooses the backend of a connect(). */
static __always_inline int pb_choose(struct bpf_sock_addr *ctx, const struct pb_target *target,
				     const struct pb_peer *peer, struct pb_peer *backend)
{
	bool found;

	if (target->flags & PB_SERVICE_AFFINITY_CLIENT_IP)
		found = pb_choose_affine(ctx, target, backend);
	else
		found = pb_choose_random(target, backend);
	if (!found)
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);
	return pb_check_family(peer, backend);
}

/* Whether a TCP socket remembers what it was translated from: not so for the benchmarks that show what it costs. */
#ifdef PB_ONE_WAY
#define PB_TCP_REMEMBERS false
#else
#define PB_TCP_REMEMBERS true
#endif

static __always_inline int pb_connect(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	__u8 protocol = pb_service_protocol(ctx->protocol);
	struct bpf_sock *sk = ctx->sk;
	struct pb_service_stats *stats = NULL;
	struct pb_target target = {};
	struct pb_peer backend = {};
	int verdict;

	if (!protocol || !sk)
		return PB_UNTOUCHED;

	verdict = pb_find_service(ctx, peer, protocol, &target);
	if (verdict == PB_UNTOUCHED) {
		pb_forget_connect(ctx, sk);
		return PB_UNTOUCHED;
	}
	/*
	 * The statistics are looked up before the backend is read, although only a translated connect() is
	 * counted: where neither is in the cache, the processor then fetches both at once. Whether there are
	 * any is asked later, or the verifier would follow all that is between for both answers.
	 */
	if (verdict == PB_CONTINUE) {
		if (PB_TCP_REMEMBERS)
			stats = pb_known_service_stats(&target);
		verdict = pb_choose(ctx, &target, peer, &backend);
	}
	if (verdict == PB_TRANSLATED) {
		if (PB_TCP_REMEMBERS || protocol != IPPROTO_TCP)
			pb_begin_connect(ctx, sk, protocol, &target, stats, peer, &backend);
		pb_count(protocol == IPPROTO_TCP ? PB_COUNTER_CONNECT_TCP : PB_COUNTER_CONNECT_UDP);
	}
	if (pb_is_watched())
		pb_watch_call(ctx, &target, peer, &backend,
			      verdict < 0 ? verdict : PB_EVENT_CONNECT);
	if (verdict == PB_TRANSLATED)
		*peer = backend;
	return verdict;
}

static __always_inline int pb_sendmsg(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	struct bpf_sock *sk = ctx->sk;
	struct pb_target target = {};
	struct pb_peer backend = {};
	bool chosen = false;
	int verdict;

	if (ctx->protocol != IPPROTO_UDP || !sk)
		return PB_UNTOUCHED;

	verdict = pb_find_service(ctx, peer, IPPROTO_UDP, &target);
	if (verdict == PB_UNTOUCHED) {
		if (!pb_is_connected(sk))
			pb_send_direct(ctx, sk, peer);
		return PB_UNTOUCHED;
	}

	/*
	 * A connected socket that names its own Service in sendto(): to the kernel it is connected to
	 * that backend, and it would drop what any other answers.
	 */
	if (verdict == PB_CONTINUE) {
		verdict = PB_TRANSLATED;
		if (!pb_is_connected(sk) || !pb_connected_backend(sk, peer, &backend))
			verdict = pb_send_flow(ctx, sk, &target, peer, &backend, &chosen);
		if (verdict == PB_TRANSLATED)
			verdict = pb_check_family(peer, &backend);
	}
	if (verdict == PB_TRANSLATED) {
		pb_count(PB_COUNTER_SEND_UDP);
		pb_count_send(&target, &backend, chosen);
	}
	if ((verdict != PB_TRANSLATED || chosen) && pb_is_watched())
		pb_watch_call(ctx, &target, peer, &backend, verdict < 0 ? verdict : PB_EVENT_SEND);
	if (verdict == PB_TRANSLATED)
		*peer = backend;
	return verdict;
}

static __always_inline int pb_recvmsg(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return PB_UNTOUCHED;
	if ((!pb_is_connected(sk) || !pb_connected_service(ctx, sk, peer)) &&
	    !pb_receive_flow(ctx, sk, peer))
		return PB_UNTOUCHED;
	pb_count(PB_COUNTER_REPLY_UDP);
	return PB_TRANSLATED;
}

static __always_inline int pb_getpeername(struct bpf_sock_addr *ctx, struct pb_peer *peer)
{
	struct bpf_sock *sk = ctx->sk;

	return sk && pb_connected_service(ctx, sk, peer) ? PB_TRANSLATED : PB_UNTOUCHED;
}

#endif
