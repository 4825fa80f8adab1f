/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socket_state.h - what connect() did to a socket, for everything that asks later.
 *
 * The kernel holds the lock of the socket while a socket-address program runs, so the state has one
 * reader or writer at a time.
 */
#ifndef PATCHBAY_SOCKET_STATE_H
#define PATCHBAY_SOCKET_STATE_H

#include "counters.h"
#include "maps.h"

/* Remembers a translation. Without it the connection still works, but the backend shows. */
static __always_inline void pb_remember_connect(struct bpf_sock *sk, const struct pb_peer *service,
						const struct pb_peer *backend)
{
	struct pb_socket_state fresh = {.service = *service, .backend = *backend};
	struct pb_socket_state *state;

	state = bpf_sk_storage_get(&socket_state, sk, &fresh, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state) {
		pb_count(PB_COUNTER_STATE_FAILED);
		return;
	}
	*state = fresh; /* a socket that connects again has the old state still */
}

/*
 * Forgets the last connect, because the socket now connects to an address that is no Service. A
 * socket that goes straight to a pod must see the pod, also where it reached it through a Service
 * before.
 *
 * A refused connect() does not come here: a UDP socket whose connect() fails stays connected to what
 * it was connected to, and a TCP socket has no peer.
 */
static __always_inline void pb_forget_connect(struct bpf_sock *sk)
{
	bpf_sk_storage_delete(&socket_state, sk);
}

/* The Service behind which sk sees backend since its connect(), or NULL. */
static __always_inline const struct pb_peer *pb_connected_service(struct bpf_sock *sk,
								  const struct pb_peer *backend)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);

	return state && pb_same_peer(&state->backend, backend) ? &state->service : NULL;
}

/* The backend to which sk was connected when it asked for service, or NULL. */
static __always_inline const struct pb_peer *pb_connected_backend(struct bpf_sock *sk,
								  const struct pb_peer *service)
{
	const struct pb_socket_state *state = bpf_sk_storage_get(&socket_state, sk, NULL, 0);

	return state && pb_same_peer(&state->service, service) ? &state->backend : NULL;
}

/* For UDP: connect(AF_UNSPEC) dissolves the association without running a program. */
static __always_inline bool pb_is_connected(const struct bpf_sock *sk)
{
	return sk->state == BPF_TCP_ESTABLISHED;
}

#endif
