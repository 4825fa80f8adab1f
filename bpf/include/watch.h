/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * watch.h - records for those who watch connections.
 *
 * While nobody does, each call costs one look at `watchers`, which the kernel turns into a load. All else
 * is in functions of their own, because the record is large for the stack and the work is rare.
 */
#ifndef PATCHBAY_WATCH_H
#define PATCHBAY_WATCH_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"
#include "peer.h"
#include "refuse.h"
#include "service.h"

/* A function of its own, which not every program that includes this needs. */
#define PB_RARE static __noinline __attribute__((unused))

/*
 * Reads a word of a context or of a socket. Else the compiler joins the reads of both families into one,
 * of an address that it computes, and the verifier wants those to be constant. It does not move assembly.
 */
static __always_inline __u32 pb_read_word(const __u32 *word)
{
	__u32 value = *(const volatile __u32 *)word;

	asm volatile("" : "+r"(value));
	return value;
}

static __always_inline struct pb_watchers *pb_all_watchers(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&watchers, &index);
}

/*
 * Whether somebody watches, or did so once and did not say that it ended. PB_WITHOUT_EVENTS: never; that is
 * built for the benchmarks alone, to see what being asked costs.
 */
static __always_inline bool pb_is_watched(void)
{
#ifdef PB_WITHOUT_EVENTS
	return false;
#else
	const struct pb_watchers *all = pb_all_watchers();

	return all && all->latest;
#endif
}

/*
 * How the reader of a ring buffer is to be woken. A wake-up costs more than the record, so it is not woken
 * for each: it looks by the clock. It is woken when a quarter is full, before anything is lost.
 */
static __always_inline __u64 pb_wake_up(void *ring)
{
	__u64 used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	__u64 size = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);

	return used < size / 4 ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP;
}

/* Gives the record to all who watch. */
PB_RARE int pb_deliver(struct pb_event *event)
{
	struct pb_watchers *all = pb_all_watchers();
	__u32 place;
	void *ring;

	if (!event || !all)
		return 0;
	event->time = bpf_ktime_get_ns();
	for (place = 0; place < PB_WATCHERS; place++) {
		__u32 index = place;

		if (event->time >= all->deadline[place])
			continue;
		ring = bpf_map_lookup_elem(&watcher_rings, &index);
		if (!ring)
			continue;
		if (bpf_ringbuf_output(ring, event, sizeof(*event), pb_wake_up(ring))) /* 5.8 */
			__sync_fetch_and_add(&all->lost[place], 1);
	}
	return 0;
}

static __always_inline void pb_set_caller(struct pb_event *event)
{
	__u64 caller = bpf_get_current_pid_tgid();

	event->cgroup = bpf_get_current_cgroup_id();
	event->process = caller >> 32;
	event->thread = caller;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

static __always_inline void pb_set_state(struct pb_event *event,
					 const struct pb_socket_state *state)
{
	event->stats = state->stats;
	event->duration = bpf_ktime_get_ns() - state->connected;
	__builtin_memcpy(event->address, state->service, sizeof(event->address));
	__builtin_memcpy(event->backend, state->backend, sizeof(event->backend));
	event->port = state->service_port;
	event->backend_port = state->backend_port;
	event->protocol = state->flags & PB_SOCKET_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

/*
 * Tells of a call. what: PB_EVENT_CONNECT, PB_EVENT_SEND, or the negative errno with which it is refused;
 * then backend means nothing.
 */
PB_RARE int pb_watch_call(struct bpf_sock_addr *ctx, const struct pb_target *target,
			  const struct pb_peer *service, const struct pb_peer *backend, int what)
{
	struct pb_event event = {};
	struct bpf_sock *sk = ctx->sk;
	__be32 *client = (__be32 *)event.client;

	if (!sk)
		return 0;
	if (what < 0) {
		event.kind = PB_EVENT_REFUSED;
		event.error = pb_refusal_error(what);
	} else {
		event.kind = what;
		__builtin_memcpy(event.backend, backend->halves, sizeof(event.backend));
		event.backend_port = backend->port;
	}
	event.netns = bpf_get_netns_cookie(ctx);
	event.socket = bpf_get_socket_cookie(ctx);
	event.stats = target->stats;
	event.service = target->service;
	pb_set_caller(&event);
	__builtin_memcpy(event.address, service->halves, sizeof(event.address));
	event.port = service->port;
	event.family = ctx->family;
	if (event.family == PB_AF_INET6) {
		client[0] = pb_read_word(&sk->src_ip6[0]);
		client[1] = pb_read_word(&sk->src_ip6[1]);
		client[2] = pb_read_word(&sk->src_ip6[2]);
		client[3] = pb_read_word(&sk->src_ip6[3]);
	} else {
		client[2] = bpf_htonl(0xffff);
		client[3] = pb_read_word(&sk->src_ip4);
	}
	event.client_port = bpf_htons(pb_read_word(&sk->src_port));
	event.protocol = pb_service_protocol(ctx->protocol);
	return pb_deliver(&event);
}

/* Tells that the TCP connection of state was established. Has no caller: it is the peer that answered. */
PB_RARE int pb_watch_established(struct bpf_sock_ops *ctx, const struct pb_socket_state *state)
{
	struct pb_event event = {.kind = PB_EVENT_ESTABLISHED};
	__be32 *client = (__be32 *)event.client;

	if (!state)
		return 0;
	pb_set_state(&event, state);
	event.socket = bpf_get_socket_cookie(ctx);
	event.family = ctx->family;
	if (event.family == PB_AF_INET6) {
		client[0] = pb_read_word(&ctx->local_ip6[0]);
		client[1] = pb_read_word(&ctx->local_ip6[1]);
		client[2] = pb_read_word(&ctx->local_ip6[2]);
		client[3] = pb_read_word(&ctx->local_ip6[3]);
	} else {
		client[2] = bpf_htonl(0xffff);
		client[3] = pb_read_word(&ctx->local_ip4);
	}
	event.client_port = bpf_htons(pb_read_word(&ctx->local_port));
	return pb_deliver(&event);
}

/*
 * Tells that the TCP connection of state ends and was never established. ctx is that of the program which
 * noticed: the address of the socket is not to be seen in each of them.
 */
PB_RARE int pb_watch_failed(void *ctx, const struct pb_socket_state *state, __u32 family)
{
	struct pb_event event = {.kind = PB_EVENT_FAILED};

	if (!state)
		return 0;
	pb_set_state(&event, state);
	event.netns = bpf_get_netns_cookie(ctx);
	event.socket = bpf_get_socket_cookie(ctx);
	pb_set_caller(&event);
	event.family = family;
	return pb_deliver(&event);
}

#endif
