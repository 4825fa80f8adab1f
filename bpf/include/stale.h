/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stale.h - whether a socket that was translated talks to a backend which its Service has no more.
 */
#ifndef PATCHBAY_STALE_H
#define PATCHBAY_STALE_H

#include <bpf/bpf_core_read.h>
#include "backend.h"
#include "core_maps.h"
#include "kernel.h"
#include "service.h"

/*
 * Reads a state as it was at one moment. False: connect() is writing it now, so it is not stale. Of two
 * connects one can be seen in parts only if both happen in between.
 */
static __always_inline bool pb_copy_state(const struct pb_socket_state *state,
					  struct pb_socket_state *copy)
{
	__u64 connected = *(const volatile __u64 *)&state->connected;

	barrier();
	*copy = *state;
	barrier();
	return connected && *(const volatile __u64 *)&state->connected == connected;
}

/* The own address and port of a socket, as they are now. */
static __always_inline void pb_read_source(const struct sock *sk, struct pb_peer *source)
{
	const struct sock_common *common = &sk->__sk_common;

	if (common->skc_family == PB_AF_INET6) {
		if (!bpf_core_field_exists(common->skc_v6_rcv_saddr))
			return;
		source->words[0] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[0];
		source->words[1] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[1];
		source->words[2] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[2];
		source->words[3] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[3];
	} else {
		pb_set_v4(source, common->skc_rcv_saddr, 0);
	}
	source->port = bpf_htons(common->skc_num);
}

/* The peer of a socket, as the kernel knows it now. */
static __always_inline void pb_read_peer(const struct sock *sk, struct pb_peer *peer)
{
	const struct sock_common *common = &sk->__sk_common;

	if (common->skc_family == PB_AF_INET6) {
		if (!bpf_core_field_exists(common->skc_v6_daddr))
			return;
		peer->words[0] = common->skc_v6_daddr.in6_u.u6_addr32[0];
		peer->words[1] = common->skc_v6_daddr.in6_u.u6_addr32[1];
		peer->words[2] = common->skc_v6_daddr.in6_u.u6_addr32[2];
		peer->words[3] = common->skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		pb_set_v4(peer, common->skc_daddr, 0);
	}
	peer->port = common->skc_dport;
}

/*
 * Whether a socket is one that ends when its backend leaves. One that is closed is on its way already, and
 * keeps its state until the kernel has freed it.
 */
static __always_inline bool pb_ends_with_backend(const struct sock *sk,
						 const struct pb_socket_state *state)
{
	__u8 now = sk->__sk_common.skc_state;

	if (sk->__sk_common.skc_flags & 1UL << SOCK_DEAD)
		return false;
	if (state->flags & PB_SOCKET_UDP)
		return now == BPF_TCP_ESTABLISHED;
	return state->flags & PB_SOCKET_TERMINATE && now != BPF_TCP_CLOSE;
}

/*
 * Whether the Service has the backend no more: the same question that connect() asks, at the address that
 * was asked for then. What points nowhere is no answer, and a reason to leave the socket alone; so is a
 * Service that does not ask any more for the end of its TCP connections.
 */
static __always_inline bool pb_is_gone(const struct pb_peer *service, __u8 protocol,
				       const struct pb_peer *backend)
{
	const struct pb_frontend *frontend = pb_find_frontend(NULL, service, protocol);
	struct pb_target target = {};

	if (!frontend || frontend->flags & PB_FRONTEND_REFUSE)
		return true;
	if (!pb_read_service(frontend->service, &target))
		return false;
	if (protocol == IPPROTO_TCP && !(target.flags & PB_SERVICE_TERMINATE))
		return false;
	return !target.count || !pb_range_contains(&target, backend);
}

static __always_inline bool pb_find_stale(struct sock *sk, const struct pb_socket_state *shared,
					  struct pb_stale_socket *stale)
{
	struct pb_peer service = {}, backend = {}, source = {}, peer = {};
	struct pb_socket_state state;
	const struct net *net;

	if (!pb_copy_state(shared, &state) || !pb_ends_with_backend(sk, &state))
		return false;
	service.halves[0] = state.service[0];
	service.halves[1] = state.service[1];
	service.port = state.service_port;
	backend.halves[0] = state.backend[0];
	backend.halves[1] = state.backend[1];
	backend.port = state.backend_port;
	/* connect() may have failed after it was translated, or have been undone. */
	pb_read_peer(sk, &peer);
	if (!pb_same_peer(&peer, &backend))
		return false;
	stale->protocol = state.flags & PB_SOCKET_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	if (!pb_is_gone(&service, stale->protocol, &backend))
		return false;

	pb_read_source(sk, &source);
	__builtin_memcpy(stale->source, source.halves, sizeof(stale->source));
	__builtin_memcpy(stale->backend, backend.halves, sizeof(stale->backend));
	__builtin_memcpy(stale->address, service.halves, sizeof(stale->address));
	stale->source_port = source.port;
	stale->backend_port = backend.port;
	stale->port = service.port;
	stale->family = sk->__sk_common.skc_family;
	stale->interface = sk->__sk_common.skc_bound_dev_if;
	net = sk->__sk_common.skc_net.net;
	stale->netns_inode = net->ns.inum;
	if (bpf_core_field_exists(net->net_cookie))
		stale->netns = net->net_cookie;
	/*
	 * From 5.12 an iterator may ask for the cookie, which gives one to a socket that has none yet.
	 * Nothing says so itself, so ask for a helper of the same kernel.
	 */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_check_mtu))
		stale->cookie = bpf_get_socket_cookie(sk);
	else
		stale->cookie = sk->__sk_common.skc_cookie.counter;
	return true;
}

#endif
