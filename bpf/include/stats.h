/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stats.h - what happened at each Service port, and at each backend of those that want to know.
 *
 * An entry is made by the first program that has something to count in it, and never by one that
 * counts an end: had the entry gone meanwhile, the end would be there without its beginning.
 */
#ifndef PATCHBAY_STATS_H
#define PATCHBAY_STATS_H

#include <linux/errno.h>
#include "counters.h"
#include "maps.h"
#include "peer.h"
#include "service.h"

/*
 * Adds to a statistic of this CPU. Atomic, unlike pb_count(): where programs are preempted, now and then
 * an addition would get lost, and what began and what ended would drift apart for good.
 */
static __always_inline void pb_add(__u64 *statistic, __u64 amount)
{
	__sync_fetch_and_add(statistic, amount);
}

/*
 * Makes an entry of a map of statistics, if nobody has made it yet. The update sets the value of this CPU; those
 * of the others begin with zeros.
 *
 * Programs cannot wait for memory, of which the kernel keeps little ready for values of each CPU. That there is
 * none it says after tens of microseconds. So who was told so asks no more for a while, on this CPU, and
 * nobody is counted meanwhile who has no entry.
 */
#define PB_PAUSE_NS 10000000

static __always_inline long pb_make_stats(void *map, const void *key, const void *zero)
{
	__u32 index = PB_COUNTER_PAUSE;
	__u64 *pause = bpf_map_lookup_elem(&counters, &index);
	long result;

	if (!pause || *pause > bpf_ktime_get_ns())
		return -ENOMEM;
	result = bpf_map_update_elem(map, key, zero, BPF_NOEXIST);
	if (result == -ENOMEM)
		*pause = bpf_ktime_get_ns() + PB_PAUSE_NS;
	return result;
}

/* A function of its own for its large value on the stack. */
static __noinline int pb_make_service_stats(__u64 key)
{
	struct pb_service_stats zero = {};

	return pb_make_stats(&service_stats, &key, &zero);
}

/* The statistics of target, if there are any yet. What has no key has none: nobody makes them for it. */
static __always_inline struct pb_service_stats *
pb_known_service_stats(const struct pb_target *target)
{
	__u64 key = target->stats;

	return bpf_map_lookup_elem(&service_stats, &key);
}

/*
 * The statistics of target, made if need be. NULL: it is not counted, or there is no room. known: what
 * pb_known_service_stats() found.
 */
static __always_inline struct pb_service_stats *pb_service_stats(const struct pb_target *target,
								 struct pb_service_stats *known)
{
	if (known || !target->stats)
		return known;
	pb_make_service_stats(target->stats); /* or another CPU was quicker */
	known = pb_known_service_stats(target);
	if (!known)
		pb_count(PB_COUNTER_STATS_FAILED);
	return known;
}

/* The statistics of a backend of target, likewise. */
static __always_inline struct pb_backend_stats *pb_backend_stats(const struct pb_target *target,
								 const struct pb_peer *backend)
{
	struct pb_backend_stats_key key __attribute__((aligned(8))) = {
		.port = backend->port,
		.stats = target->stats,
	};
	struct pb_backend_stats zero = {};
	struct pb_backend_stats *stats;

	if (!target->stats || !(target->flags & PB_SERVICE_BACKEND_STATS))
		return NULL;
	__builtin_memcpy(key.address, backend->halves, sizeof(key.address));
	stats = bpf_map_lookup_elem(&backend_stats, &key);
	if (stats)
		return stats;
	pb_make_stats(&backend_stats, &key, &zero);
	stats = bpf_map_lookup_elem(&backend_stats, &key);
	if (!stats)
		pb_count(PB_COUNTER_STATS_FAILED);
	return stats;
}

/* Counts a datagram of an unconnected socket; chosen: backend was chosen for it. */
static __always_inline void pb_count_send(const struct pb_target *target,
					  const struct pb_peer *backend, bool chosen)
{
	struct pb_service_stats *service = pb_service_stats(target, pb_known_service_stats(target));
	struct pb_backend_stats *stats;

	if (service)
		pb_add(&service->sends_udp, 1);
	if (!chosen)
		return;
	stats = pb_backend_stats(target, backend);
	if (stats)
		pb_add(&stats->sends, 1);
}

/*
 * Counts a translated connect() in the statistics of its Service, and notes in its state where. What is
 * written there at once need not be followed by the verifier. known: see pb_service_stats().
 */
static __always_inline void pb_count_connect(struct pb_socket_state *state,
					     const struct pb_target *target,
					     struct pb_service_stats *known,
					     const struct pb_peer *backend)
{
	struct pb_service_stats *service = pb_service_stats(target, known);
	struct pb_backend_stats *stats;

	state->stats = 0;
	if (!service)
		return;
	state->stats = target->stats;
	pb_add(state->flags & PB_SOCKET_UDP ? &service->connects_udp : &service->connects_tcp, 1);
	stats = pb_backend_stats(target, backend);
	if (!stats)
		return;
	state->flags |= PB_SOCKET_BACKEND_STATS;
	pb_add(&stats->connects, 1);
}

/*
 * Counts the end of what state tells of, in the entries that counted its beginning. failed: a TCP
 * connection that was never established.
 */
static __always_inline void pb_count_close(const struct pb_socket_state *state, bool failed)
{
	struct pb_backend_stats_key key __attribute__((aligned(8))) = {
		.port = state->backend_port,
		.stats = state->stats,
	};
	struct pb_service_stats *service;
	struct pb_backend_stats *backend;

	if (!key.stats)
		return;
	service = bpf_map_lookup_elem(&service_stats, &key.stats);
	if (service) {
		pb_add(state->flags & PB_SOCKET_UDP ? &service->closed_udp : &service->closed_tcp,
		       1);
		if (failed)
			pb_add(&service->failed_tcp, 1);
	}
	if (!(state->flags & PB_SOCKET_BACKEND_STATS))
		return;
	__builtin_memcpy(key.address, state->backend, sizeof(key.address));
	backend = bpf_map_lookup_elem(&backend_stats, &key);
	if (backend) {
		pb_add(&backend->closed, 1);
		if (failed)
			pb_add(&backend->failed, 1);
	}
}

/*
 * The range of a time to establish: 0 below 16 us, and one more with each factor of 4. Half of the
 * binary logarithm, by bisection: no loop.
 */
static __always_inline __u32 pb_latency_range(__u64 nanoseconds)
{
	__u64 units = nanoseconds / 16000;
	__u32 range = 1;

	if (!units)
		return 0;
	if (units >> 16)
		return PB_LATENCY_RANGES - 1;
	if (units >> 8) {
		units >>= 8;
		range += 4;
	}
	if (units >> 4) {
		units >>= 4;
		range += 2;
	}
	if (units >> 2)
		range += 1;
	return range;
}

/* Counts that a connection was established, that long after its connect(). */
static __always_inline void pb_count_established(const struct pb_socket_state *state,
						 __u64 nanoseconds)
{
	struct pb_service_stats *service;
	__u64 key = state->stats;

	if (!key)
		return;
	service = bpf_map_lookup_elem(&service_stats, &key);
	if (!service)
		return;
	pb_add(&service->established_ns, nanoseconds);
	pb_add(&service->established[pb_latency_range(nanoseconds)], 1);
}

#endif
