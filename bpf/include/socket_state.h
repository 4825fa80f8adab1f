/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socket_state.h - what connect() did to a socket, for everything that asks later, and its end.
 *
 * It is in `connections` or in `socket_state`, see struct pb_connections. The kernel holds the lock of the socket while a socket-address program or a sock_ops program runs, and
 * nobody else has the socket any more when it is released, so the state has one reader or writer at a
 * time. The iterator of stale_sockets.bpf.c holds no lock: see `connected`.
 */
#ifndef PATCHBAY_SOCKET_STATE_H
#define PATCHBAY_SOCKET_STATE_H

#include "counters.h"
#include "maps.h"
#include "stats.h"
#include "watch.h"

/* The slot on which a cookie falls. */
struct pb_slot {
	__u64 *owner; /* cookie of the socket that has it, whoever that is; 0: free. NULL: there is no slot */
	struct pb_socket_state *state;
};

static __always_inline struct pb_slot pb_slot(__u64 cookie)
{
	__u32 group = cookie / PB_SLOTS & (PB_CONNECTIONS - 1);
	__u32 n = cookie & (PB_SLOTS - 1);
	struct pb_connections *slots = bpf_map_lookup_elem(&connections, &group);

	if (!slots)
		return (struct pb_slot){};
	/* Else the compiler adds n before it asks for NULL, which the verifier does not allow. */
	asm volatile("" : "+r"(slots));
	return (struct pb_slot){.owner = &slots->cookies[n], .state = &slots->slots[n].state};
}

/*
 * Takes a slot if it is free. Compare and swap is there from 5.12, so programs for older kernels take none;
 * who looks for one then finds nothing.
 */
static __always_inline bool pb_take(struct pb_slot slot, __u64 cookie)
{
#ifdef PB_NO_SET_RETVAL
	(void)slot;
	(void)cookie;
	return false;
#else
	return !*slot.owner && !__sync_val_compare_and_swap(slot.owner, 0, cookie);
#endif
}

/* Gives a slot back. Ordered: what was read of it was read before another socket writes there. */
static __always_inline void pb_give_back(struct pb_slot slot)
{
#ifdef PB_NO_SET_RETVAL
	(void)slot;
#else
	__sync_lock_test_and_set(slot.owner, 0);
#endif
}

/* The slot that a socket has taken; owner is NULL: none. ctx: of a program, for the cookie of its socket. */
static __always_inline struct pb_slot pb_own_slot(void *ctx, __u32 protocol)
{
	struct pb_slot slot;
	__u64 cookie;

	if (pb_service_protocol(protocol) != IPPROTO_TCP)
		return (struct pb_slot){};
	cookie = bpf_get_socket_cookie(ctx);
	slot = pb_slot(cookie);
	return slot.owner && *slot.owner == cookie ? slot : (struct pb_slot){};
}

/* What a socket remembers, or NULL. */
static __always_inline struct pb_socket_state *pb_state(void *ctx, struct bpf_sock *sk,
							__u32 protocol)
{
	struct pb_slot slot = pb_own_slot(ctx, protocol);

	return slot.owner ? slot.state : bpf_sk_storage_get(&socket_state, sk, NULL, 0);
}

/*
 * Whether a TCP connection ends that was never established.
 *
 * Only pb_sock_ops knows for sure, and it need not be attached. Without it, a socket that still waits for
 * an answer has none, nor has one whose connect() the kernel took back, with its peer. One that is closed
 * and still has a peer was most likely reset later.
 */
static __always_inline bool pb_has_failed(const struct bpf_sock *sk, __u32 flags)
{
	if (flags & PB_SOCKET_UDP)
		return false;
	if (flags & PB_SOCKET_TIMED)
		return !(flags & PB_SOCKET_ESTABLISHED);
	return sk->state == BPF_TCP_SYN_SENT || (sk->state == BPF_TCP_CLOSE && !sk->dst_port);
}

/* Ends what state tells of: its socket is closed, or connects to something else. */
static __always_inline void pb_end_connect(void *ctx, const struct bpf_sock *sk, __u32 family,
					   const struct pb_socket_state *state)
{
	bool failed = pb_has_failed(sk, state->flags);

	pb_count_close(state, failed);
	if (failed && pb_is_watched())
		pb_watch_failed(ctx, state, family);
}

/* Ends what the slot of a socket tells of, and gives it back. False: it has none. */
static __always_inline bool pb_end_slot(void *ctx, const struct bpf_sock *sk, __u32 family,
					__u32 protocol)
{
	struct pb_slot slot = pb_own_slot(ctx, protocol);

	if (!slot.owner)
		return false;
	pb_end_connect(ctx, sk, family, slot.state);
	pb_give_back(slot);
	return true;
}

/*
 * Where a socket is to remember a translation, or NULL: there is no memory. What it was connected to before
 * has ended.
 */
static __always_inline struct pb_socket_state *
pb_new_state(struct bpf_sock_addr *ctx, struct bpf_sock *sk, __u8 protocol, __u32 service_flags)
{
	struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);
	struct pb_slot slot;
	__u64 cookie;

	if (protocol == IPPROTO_TCP && !state) {
		cookie = bpf_get_socket_cookie(ctx);
		slot = pb_slot(cookie);
		if (slot.owner && *slot.owner == cookie) {
			pb_end_connect(ctx, sk, ctx->family, slot.state);
			pb_give_back(slot);
		}
		if (slot.owner && !(service_flags & PB_SERVICE_TERMINATE) && pb_take(slot, cookie))
			return slot.state;
	}
	if (state)
		pb_end_connect(ctx, sk, ctx->family, state);
	else
		state = bpf_sk_storage_get(&socket_state, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	return state;
}

/*
 * Counts and remembers a translation. Without memory for it the connection still works, but the backend
 * shows, and it is not counted for its Service, because nobody could say when it ends.
 *
 * stats: of target, those that were known before, see pb_service_stats().
 */
static __always_inline void pb_begin_connect(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					     __u8 protocol, const struct pb_target *target,
					     struct pb_service_stats *stats,
					     const struct pb_peer *service,
					     const struct pb_peer *backend)
{
	struct pb_socket_state *state = pb_new_state(ctx, sk, protocol, target->flags);
	__u32 flags;

	if (!state) {
		pb_count(PB_COUNTER_STATE_FAILED);
		return;
	}
	flags = protocol == IPPROTO_UDP ? PB_SOCKET_UDP : 0;
	if (target->flags & PB_SERVICE_TERMINATE)
		flags |= PB_SOCKET_TERMINATE;
	/* 0 while the rest is being written, for the iterator. */
	*(volatile __u64 *)&state->connected = 0;
	__builtin_memcpy(state->service, service->halves, sizeof(state->service));
	__builtin_memcpy(state->backend, backend->halves, sizeof(state->backend));
	state->service_port = service->port;
	state->backend_port = backend->port;
	state->flags = flags;
	pb_count_connect(state, target, stats, backend);
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
	const struct pb_socket_state *state;

	if (pb_end_slot(ctx, sk, ctx->family, ctx->protocol))
		return;
	state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);
	if (!state)
		return;
	pb_end_connect(ctx, sk, ctx->family, state);
	bpf_sk_storage_delete(&socket_state, sk);
}

/* The last descriptor of a socket is closed. */
static __always_inline void pb_release(struct bpf_sock *sk)
{
	const struct pb_socket_state *state;

	if (pb_end_slot(sk, sk, sk->family, sk->protocol))
		return;
	state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);
	if (state)
		pb_end_connect(sk, sk, sk->family, state);
}

static __always_inline struct pb_socket_state *pb_timed_state(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	return sk ? pb_state(ctx, sk, IPPROTO_TCP) : NULL;
}

/*
 * A TCP socket is about to send its SYN. That is at once, except with Fast Open: a connect() that is put
 * off until there is something to send takes no time.
 */
static __always_inline void pb_starts(struct bpf_sock_ops *ctx)
{
	struct pb_socket_state *state = pb_timed_state(ctx);

	if (!state)
		return;
	state->flags |= PB_SOCKET_TIMED;
	state->connected = bpf_ktime_get_ns();
}

/* The peer of a TCP socket has answered. */
static __always_inline void pb_established(struct bpf_sock_ops *ctx)
{
	struct pb_socket_state *state = pb_timed_state(ctx);

	if (!state || !(state->flags & PB_SOCKET_TIMED))
		return;
	state->flags |= PB_SOCKET_ESTABLISHED;
	pb_count_established(state, bpf_ktime_get_ns() - state->connected);
	if (pb_is_watched())
		pb_watch_established(ctx, state);
}

/* Puts the Service in the place of the backend to which sk is connected. False: it is another's. */
static __always_inline bool pb_connected_service(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
						 struct pb_peer *peer)
{
	const struct pb_socket_state *state = pb_state(ctx, sk, ctx->protocol);

	if (!state || state->backend[0] != peer->halves[0] ||
	    state->backend[1] != peer->halves[1] || state->backend_port != peer->port)
		return false;
	peer->halves[0] = state->service[0];
	peer->halves[1] = state->service[1];
	peer->port = state->service_port;
	return true;
}

/* Reads the backend to which sk, of UDP, was connected when it asked for service. False: for another. */
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
