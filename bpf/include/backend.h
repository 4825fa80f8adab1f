/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * backend.h - choosing from the range of a Service port, and asking whether it holds a backend.
 */
#ifndef PATCHBAY_BACKEND_H
#define PATCHBAY_BACKEND_H

#include "core_maps.h"
#include "service.h"

/* Reads the n-th backend of target. False: the range leaves the map, or the entry was never set. */
static __always_inline bool pb_load_backend(const struct pb_target *target, __u32 n,
					    struct pb_peer *backend)
{
	__u32 index = target->base + n;
	const struct pb_backend *entry = bpf_map_lookup_elem(&backends, &index);

	if (!entry)
		return false;
	pb_set_address(backend, entry->address);
	backend->port = entry->port;
	return backend->port != 0;
}

/* Maps 32 random bits onto 0 .. count - 1. Multiply and shift: a remainder would favour the first. */
static __always_inline __u32 pb_scale(__u32 random, __u32 count)
{
	return ((__u64)random * count) >> 32;
}

static __always_inline bool pb_choose_random(const struct pb_target *target,
					     struct pb_peer *backend)
{
	return pb_load_backend(target, pb_scale(bpf_get_prandom_u32(), target->count), backend);
}

/*
 * Whether backend is in the range of target. Binary search over a sorted range: `n` is the last
 * position known not to be after it, and grows by halved steps.
 *
 * The loop is bounded by the width of the count (bounded loops: 5.3). `first` holds the absolute
 * index on purpose: it starts as a number that the verifier does not know. Were it a position from 0,
 * each iteration would split into two known positions, the comparisons with the count would be
 * predicted from them, and 5.10 would walk all 65,536 paths. Written like this the states of one
 * iteration are equal to it and it walks one.
 */
static __always_inline bool pb_range_contains(const struct pb_target *target,
					      const struct pb_peer *backend)
{
	__u32 first = target->base;
	__u32 end = first + target->count;
	const struct pb_backend *entry;
	struct pb_peer probe = {};
	__u32 index;
	__u32 step;

	for (step = 1U << (PB_WORD_COUNT_BITS - 1); step; step >>= 1) {
		index = first + step;
		if (index >= end)
			continue;
		entry = bpf_map_lookup_elem(&backends, &index);
		if (!entry)
			return false;
		pb_set_address(&probe, entry->address);
		probe.port = entry->port;
		if (!pb_peer_after(&probe, backend))
			first = index;
	}
	index = first;
	entry = bpf_map_lookup_elem(&backends, &index);
	if (!entry)
		return false;
	pb_set_address(&probe, entry->address);
	probe.port = entry->port;
	return pb_same_peer(&probe, backend);
}

#endif
