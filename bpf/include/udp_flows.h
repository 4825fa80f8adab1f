/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * udp_flows.h - unconnected UDP sockets: which backend carries which Service, and back.
 *
 * A socket keeps its first PB_UDP_INLINE_FLOWS Services in its own storage; further ones go to the
 * LRU map `udp_flows`, as two entries each, and may be evicted there.
 *
 * A reply names a backend only, so two Services that reach one backend through one socket cannot be
 * told apart. Choosing avoids that as far as there are other backends; where there are none, a reply
 * belongs to the flow that was used last, and a datagram sent to the backend's own address counts.
 */
#ifndef PATCHBAY_UDP_FLOWS_H
#define PATCHBAY_UDP_FLOWS_H

#include "affinity.h"
#include "backend.h"
#include "counters.h"
#include "maps.h"
#include "refuse.h"

/* Enough to pass the inline flows and as many again; the verifier pays for each try. */
#define PB_UDP_TRIES (2 * PB_UDP_INLINE_FLOWS)

static __always_inline struct pb_udp_flow_end *
pb_find_flow_end(__u64 cookie, const struct pb_peer *from, enum pb_udp_direction direction)
{
	struct pb_udp_flow_key key = {.cookie = cookie, .from = *from, .direction = direction};

	return bpf_map_lookup_elem(&udp_flows, &key);
}

/*
 * Writes one direction of a flow, and says whether it led elsewhere before. An entry that is right
 * already is only stamped, without the cost of an update. Should the LRU have given it away meanwhile,
 * the stamp lands on a stranger, where at worst it makes one ambiguous reply look recent.
 */
static __always_inline bool pb_set_flow_end(__u64 cookie, const struct pb_peer *from,
					    enum pb_udp_direction direction,
					    const struct pb_peer *to, __u64 used)
{
	struct pb_udp_flow_key key = {.cookie = cookie, .from = *from, .direction = direction};
	struct pb_udp_flow_end fresh = {.to = *to, .used = used};
	struct pb_udp_flow_end *end = bpf_map_lookup_elem(&udp_flows, &key);

	if (end && pb_same_peer(&end->to, to)) {
		end->used = used;
		end->direct = 0;
		return false;
	}
	if (bpf_map_update_elem(&udp_flows, &key, &fresh, BPF_ANY))
		pb_count(PB_COUNTER_STATE_FAILED);
	return true;
}

/* Whether the socket uses backend for another Service than this one. */
static __always_inline bool pb_backend_taken(const struct pb_udp_socket_flows *flows, __u64 cookie,
					     const struct pb_peer *service,
					     const struct pb_peer *backend)
{
	const struct pb_udp_flow_end *end;
	const struct pb_udp_flow *flow;
	int i;

	for (i = 0; i < PB_UDP_INLINE_FLOWS; i++) {
		flow = &flows->flows[i];
		if (flow->used && pb_same_peer(&flow->backend, backend) &&
		    !pb_same_peer(&flow->service, service))
			return true;
	}
	if (!flows->overflowed)
		return false;
	end = pb_find_flow_end(cookie, backend, PB_UDP_REVERSE);
	return end && !pb_same_peer(&end->to, service);
}

/*
 * Chooses at random, then walks on from there while the backend is taken: unlike drawing again, that
 * finds a free one whenever the inline flows leave one.
 */
static __always_inline bool pb_choose_apart(const struct pb_target *target,
					    const struct pb_udp_socket_flows *flows, __u64 cookie,
					    const struct pb_peer *service, struct pb_peer *backend)
{
	__u32 n = pb_scale(bpf_get_prandom_u32(), target->count);
	__u32 i;

	for (i = 0; i < PB_UDP_TRIES && i < target->count; i++) {
		if (!pb_load_backend(target, n, backend))
			return false;
		if (!pb_backend_taken(flows, cookie, service, backend))
			return true;
		n = n + 1 < target->count ? n + 1 : 0;
	}
	return true;
}

/* The inline flow of service, else a free one, else NULL. */
static __always_inline struct pb_udp_flow *pb_find_flow(struct pb_udp_socket_flows *flows,
							const struct pb_peer *service)
{
	struct pb_udp_flow *flow;
	int i;

	for (i = 0; i < PB_UDP_INLINE_FLOWS; i++) {
		flow = &flows->flows[i];
		if (!flow->used || pb_same_peer(&flow->service, service))
			return flow; /* flows are never freed, so behind a free one there is none */
	}
	return NULL;
}

/*
 * Reads the backend that the socket has for service. Whether it may keep it: nobody else writes an
 * inline flow, so there an equal generation is proof enough. An entry of the LRU map is shared
 * memory and believed only if the range confirms it.
 */
static __always_inline bool pb_may_keep_flow(const struct pb_target *target,
					     struct pb_udp_socket_flows *flows, __u64 cookie,
					     const struct pb_peer *service, struct pb_peer *backend)
{
	const struct pb_udp_flow *flow = pb_find_flow(flows, service);
	const struct pb_udp_flow_end *end;

	if (flow) {
		if (!flow->used)
			return false;
		*backend = flow->backend;
		if (flow->index == target->service && flow->generation == target->generation)
			return true;
	} else {
		end = pb_find_flow_end(cookie, service, PB_UDP_FORWARD);
		if (!end)
			return false;
		*backend = end->to;
	}
	return pb_range_contains(target, backend);
}

/* Records that a datagram to service goes to backend. True: the one before it did not. */
static __always_inline bool pb_remember_flow(const struct pb_target *target,
					     struct pb_udp_socket_flows *flows, __u64 cookie,
					     const struct pb_peer *service,
					     const struct pb_peer *backend)
{
	/*
	 * Looked for a second time: were the first result kept, the verifier would follow each of its
	 * values through the whole choice, at five times the instructions.
	 */
	struct pb_udp_flow *flow = pb_find_flow(flows, service);
	bool chosen;

	flows->clock++;
	if (flow) {
		chosen = !pb_same_peer(&flow->backend, backend); /* a free one has port 0 */
		flow->service = *service;
		flow->backend = *backend;
		flow->index = target->service;
		flow->generation = target->generation;
		flow->used = flows->clock;
		flow->direct = 0;
		return chosen;
	}
	flows->overflowed = 1;
	chosen = pb_set_flow_end(cookie, service, PB_UDP_FORWARD, backend, flows->clock);
	pb_set_flow_end(cookie, backend, PB_UDP_REVERSE, service, flows->clock);
	return chosen;
}

/*
 * Chooses the backend for a datagram to service and remembers it: that of the Service's affinity,
 * else the one that the socket has and may keep, else a new one. chosen: the datagram before it went
 * elsewhere. Answers with PB_TRANSLATED, or that the range points nowhere.
 */
static __always_inline int pb_send_flow(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					const struct pb_target *target,
					const struct pb_peer *service, struct pb_peer *backend,
					bool *chosen)
{
	struct pb_udp_socket_flows *flows;
	__u64 cookie = bpf_get_socket_cookie(ctx);
	bool found = true;

	flows = bpf_sk_storage_get(&udp_socket_flows, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (target->flags & PB_SERVICE_AFFINITY_CLIENT_IP)
		found = pb_choose_affine(ctx, target, backend);
	else if (!flows)
		found = pb_choose_random(target, backend);
	else if (!pb_may_keep_flow(target, flows, cookie, service, backend))
		found = pb_choose_apart(target, flows, cookie, service, backend);
	if (!found)
		return pb_refuse_for(PB_COUNTER_CORRUPT, -ECONNREFUSED);

	/* No memory: the datagram still goes out, and its reply will show the backend. */
	*chosen = true;
	if (flows)
		*chosen = pb_remember_flow(target, flows, cookie, service, backend);
	else
		pb_count(PB_COUNTER_STATE_FAILED);
	return PB_TRANSLATED;
}

/* Notes that the socket addressed peer itself: what peer answers now is meant for that. */
static __always_inline void pb_send_direct(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					   const struct pb_peer *peer)
{
	struct pb_udp_socket_flows *flows = bpf_sk_storage_get(&udp_socket_flows, sk, NULL, 0);
	struct pb_udp_flow_end *end;
	struct pb_udp_flow *flow;
	int i;

	if (!flows)
		return;
	for (i = 0; i < PB_UDP_INLINE_FLOWS; i++) {
		flow = &flows->flows[i];
		if (flow->used && pb_same_peer(&flow->backend, peer))
			flow->direct = 1;
	}
	if (!flows->overflowed)
		return;
	end = pb_find_flow_end(bpf_get_socket_cookie(ctx), peer, PB_UDP_REVERSE);
	if (end)
		end->direct = 1;
}

/* Replaces the backend that sent a datagram by the Service it answers for. False: by none. */
static __always_inline bool pb_receive_flow(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					    struct pb_peer *peer)
{
	const struct pb_udp_socket_flows *flows =
		bpf_sk_storage_get(&udp_socket_flows, sk, NULL, 0);
	const struct pb_udp_flow_end *end;
	const struct pb_udp_flow *flow;
	struct pb_peer service = {};
	bool direct = false;
	__u64 used = 0;
	int i;

	if (!flows)
		return false;
	for (i = 0; i < PB_UDP_INLINE_FLOWS; i++) {
		flow = &flows->flows[i];
		if (flow->used > used && pb_same_peer(&flow->backend, peer)) {
			used = flow->used;
			direct = flow->direct;
			service = flow->service;
		}
	}
	if (flows->overflowed) {
		end = pb_find_flow_end(bpf_get_socket_cookie(ctx), peer, PB_UDP_REVERSE);
		if (end && end->used > used) {
			used = end->used;
			direct = end->direct;
			service = end->to;
		}
	}
	if (!used || direct)
		return false;
	*peer = service;
	return true;
}

#endif
