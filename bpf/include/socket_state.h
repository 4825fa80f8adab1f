/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socket_state.h - what connect() did to a socket, for everything that asks later, and its end.
 *
 * The kernel holds the lock of the socket while a socket-address program or a sock_ops program runs, and
 * nobody else has the socket any more when it is released, so the state has one reader or writer at a
 * time. The iterator of stale_sockets.bpf.c holds no lock: see `connected`.
 */
#ifndef PATCHBAY_SOCKET_STATE_H
#define PATCHBAY_SOCKET_STATE_H

#include "counters.h"
#include "maps.h"
#include "stats.h"
#include "watch.h"

/*
 * Ends what state tells of: its socket is closed, or connects to something else.
 *
 * established: it was, even if no sock_ops program noticed.
 */
static __always_inline void pb_end_connect(void *ctx, __u32 family,
					   const struct pb_socket_state *state, bool established)
{
	bool failed = !established && !(state->flags & (PB_SOCKET_UDP | PB_SOCKET_ESTABLISHED));

	pb_count_close(state, failed);
	if (failed && pb_is_watched())
		pb_watch_failed(ctx, state, family);
}

/*
 * Counts and remembers a translation. Without memory for it the connection still works, but the backend
 * shows, and it is not counted for its Service, because nobody could say when it ends.
 */
static __always_inline void pb_begin_connect(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					     __u8 protocol, const struct pb_target *target,
					     const struct pb_peer *service,
					     const struct pb_peer *backend)
{
	struct pb_service_stats *service_stats;
	struct pb_backend_stats *backend_stats;
	struct pb_socket_state *state;
	__u32 flags = 0;
	__u64 stats = 0;

	state = bpf_sk_storage_get(&socket_state, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state) {
		pb_count(PB_COUNTER_STATE_FAILED);
		return;
	}
	/* A socket that connects again. For TCP the former connection is over, or never was. */
	if (state->connected)
		pb_end_connect(ctx, ctx->family, state, false);

	if (protocol == IPPROTO_UDP)
		flags |= PB_SOCKET_UDP;
	if (target->flags & PB_SERVICE_TERMINATE)
		flags |= PB_SOCKET_TERMINATE;
	service_stats = pb_service_stats(target);
	if (service_stats) {
		stats = target->stats;
		pb_add(protocol == IPPROTO_UDP ? &service_stats->connects_udp
					       : &service_stats->connects_tcp,
		       1);
		backend_stats = pb_backend_stats(target, backend);
		if (backend_stats) {
			flags |= PB_SOCKET_BACKEND_STATS;
			pb_add(&backend_stats->connects, 1);
		}
	}

	/* 0 while the rest is being written, for the iterator. */
	*(volatile __u64 *)&state->connected = 0;
	__builtin_memcpy(state->service, service->halves, sizeof(state->service));
	__builtin_memcpy(state->backend, backend->halves, sizeof(state->backend));
	state->service_port = service->port;
	state->backend_port = backend->port;
	state->flags = flags;
	state->stats = stats;
	*(volatile __u64 *)&state->connected = bpf_ktime_get_ns();
}

/*
 * Forgets the last connect, because the socket now connects to an address that is no Service. A
 * socket that goes straight to a pod must see the pod, also where it reached it through a Service
 * before.
 *
 * A refused connect() does not come here: a UDP socket whose connect() fails stays connected to what
 * it was connected to, and a TCP socket has no peer.
 */
static __always_inline void pb_forget_connect(struct bpf_sock_addr *ctx, struct bpf_sock *sk)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);

	if (!state)
		return;
	pb_end_connect(ctx, ctx->family, state, false);
	bpf_sk_storage_delete(&socket_state, sk);
}

/* The last descriptor of a socket is closed. */
static __always_inline void pb_release(struct bpf_sock *sk)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);
	bool established;

	if (!state)
		return;
	established = sk->state != BPF_TCP_SYN_SENT && sk->state != BPF_TCP_CLOSE;
	pb_end_connect(sk, sk->family, state, established);
}

/* The peer of a TCP socket has answered its connect(). */
static __always_inline void pb_established(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct pb_socket_state *state;

	if (!sk)
		return;
	state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);
	if (!state)
		return;
	state->flags |= PB_SOCKET_ESTABLISHED;
	pb_count_established(state, bpf_ktime_get_ns() - state->connected);
	if (pb_is_watched())
		pb_watch_established(ctx, state);
}

/* Puts the Service in the place of the backend to which sk is connected. False: it is another's. */
static __always_inline bool pb_connected_service(struct bpf_sock *sk, struct pb_peer *peer)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);

	if (!state || state->backend[0] != peer->halves[0] ||
	    state->backend[1] != peer->halves[1] || state->backend_port != peer->port)
		return false;
	peer->halves[0] = state->service[0];
	peer->halves[1] = state->service[1];
	peer->port = state->service_port;
	return true;
}

/* Reads the backend to which sk was connected when it asked for service. False: for another. */
static __always_inline bool pb_connected_backend(struct bpf_sock *sk, const struct pb_peer *service,
						 struct pb_peer *backend)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);

	if (!state || state->service[0] != service->halves[0] ||
	    state->service[1] != service->halves[1] || state->service_port != service->port)
		return false;
	backend->halves[0] = state->backend[0];
	backend->halves[1] = state->backend[1];
	backend->port = state->backend_port;
	return true;
}

/* For UDP: connect(AF_UNSPEC) dissolves the association without running a program. */
static __always_inline bool pb_is_connected(const struct bpf_sock *sk)
{
	return sk->state == BPF_TCP_ESTABLISHED;
}

#endif
