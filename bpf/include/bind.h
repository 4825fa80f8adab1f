/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bind.h - whether a socket of the node may listen where it wants to.
 *
 * A listener on a node port would never be reached through an address of the node from here, because
 * the connect is translated before it gets there. Better that it fails to start.
 */
#ifndef PATCHBAY_BIND_H
#define PATCHBAY_BIND_H

#include <linux/errno.h>
#include "counters.h"
#include "maps.h"
#include "node.h"
#include "refuse.h"
#include "service.h"

/*
 * The node port that hides a listener at this place, or NULL. That is the rule of connect: a socket
 * at an address that leads to no node port is reached as ever.
 */
static __always_inline const struct pb_frontend *pb_find_conflict(const struct pb_peer *bound,
								  __u8 protocol)
{
	const struct pb_frontend *node_port;
	const struct pb_frontend *entry;
	struct pb_peer any = *bound;

	pb_set_unspecified(&any);
	node_port = pb_look_up(&any, any.port, protocol);
	if (!pb_is_unspecified(bound)) {
		entry = node_port ? pb_look_up(bound, 0, 0) : NULL;
		return entry && entry->flags & PB_FRONTEND_NODE ? node_port : NULL;
	}
	if (node_port || pb_is_v4(bound))
		return node_port;
	/*
	 * A socket at :: hears IPv4 too, unless it is IPV6_V6ONLY, which a program cannot see: such a
	 * one is refused for a node port that only IPv4 has.
	 */
	pb_set_v4(&any, 0, any.port);
	return pb_look_up(&any, any.port, protocol);
}

static __always_inline void pb_report_bind(struct bpf_sock *sk, const struct pb_peer *bound,
					   __u8 protocol, __u32 service)
{
	struct pb_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0); /* 5.8 */
	struct pb_target target = {};
	__u64 caller;

	if (!event) {
		pb_count(PB_COUNTER_EVENTS_LOST);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	caller = bpf_get_current_pid_tgid();
	event->time = bpf_ktime_get_ns();
	event->cgroup = bpf_get_current_cgroup_id();
	event->netns = pb_node_netns_cookie;
	event->socket = bpf_get_socket_cookie(sk); /* 5.7 */
	if (pb_read_service(service, &target))
		event->stats = target.stats;
	event->kind = PB_EVENT_REFUSED_BIND;
	event->service = service;
	event->process = caller >> 32;
	event->thread = caller;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	__builtin_memcpy(event->address, bound->halves, sizeof(event->address));
	event->port = bound->port;
	event->protocol = protocol;
	event->family = sk->family;
	event->error = PB_BIND_ERROR;
	bpf_ringbuf_submit(event, 0);
}

/* The kernel has the socket bound already; a refusal makes it give the port back. */
static __always_inline int pb_bind(struct bpf_sock *sk, const struct pb_peer *bound)
{
	__u8 protocol = pb_service_protocol(sk->protocol);
	const struct pb_frontend *node_port;

	if (!protocol || !pb_in_node_namespace(sk))
		return PB_UNTOUCHED;
	node_port = pb_find_conflict(bound, protocol);
	if (!node_port)
		return PB_UNTOUCHED;
	pb_report_bind(sk, bound, protocol, node_port->service);
	return pb_refuse_for(PB_COUNTER_REFUSED_BIND, -EADDRINUSE);
}

#endif
