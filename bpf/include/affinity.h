/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * affinity.h - session affinity ClientIP at connect time. The client is the network namespace:
 * the source address is not chosen yet, and all that a pod may choose is in one namespace.
 */
#ifndef PATCHBAY_AFFINITY_H
#define PATCHBAY_AFFINITY_H

#include <linux/errno.h>
#include "backend.h"
#include "counters.h"
#include "maps.h"

#define PB_NANOSECONDS 1000000000ULL

/*
 * Reads the backend of an entry and says whether target still has it.
 *
 * An LRU entry can be given to another key while we look at it, so what was read is believed only
 * because the range holds it. "Same generation" would be quicker, but it would vouch for an address
 * that may have changed since: a connection to a pod of another Service.
 */
static __always_inline bool pb_affinity_backend(const struct pb_target *target,
						const struct pb_affinity *entry,
						struct pb_peer *backend)
{
	pb_set_address(backend, entry->address);
	backend->port = entry->port;
	return pb_range_contains(target, backend);
}

/*
 * Chooses the backend of this client. False: the range of target points nowhere.
 *
 * Parallel connects of one client must agree, also on a replacement. On the first connect the
 * insert decides: who comes second uses what the first one stored. Where an entry is out of date,
 * everybody who still sees it derives the same replacement from it.
 */
static __always_inline bool
pb_choose_affine(struct bpf_sock_addr *ctx, const struct pb_target *target, struct pb_peer *backend)
{
	__u64 lifetime = target->affinity_seconds * PB_NANOSECONDS;
	__u64 cookie = bpf_get_netns_cookie(ctx); /* 5.7 */
	__u64 now = bpf_ktime_get_ns();
	struct pb_affinity_key key __attribute__((aligned(8))) = {
		.service = target->service,
		.kind = PB_CLIENT_NETNS,
	};
	struct pb_affinity chosen __attribute__((aligned(8))) = {
		.generation = target->generation,
		.last_used = now,
	};
	struct pb_affinity *entry;
	struct pb_peer winner = {};
	__u64 seed;
	__u64 flags;

	__builtin_memcpy(key.client, &cookie, sizeof(cookie));
	entry = bpf_map_lookup_elem(&affinity, &key);
	if (entry) {
		seed = entry->last_used;
		/* A sum, not a difference: another CPU may have used the entry after our `now`. */
		if (now <= seed + lifetime && pb_affinity_backend(target, entry, backend)) {
			entry->generation = target->generation;
			entry->last_used = now;
			pb_count(PB_COUNTER_AFFINITY_KEPT);
			return true;
		}
		/* Multiplicative hashing: the upper half is as good as random. */
		seed = (seed ^ cookie) * 0x9e3779b97f4a7c15ULL >> 32;
		flags = BPF_ANY;
	} else {
		seed = bpf_get_prandom_u32();
		flags = BPF_NOEXIST;
	}

	if (!pb_load_backend(target, pb_scale(seed, target->count), backend))
		return false;
	__builtin_memcpy(chosen.address, backend->halves, sizeof(chosen.address));
	chosen.port = backend->port;
	if (bpf_map_update_elem(&affinity, &key, &chosen, flags) != -EEXIST)
		return true;

	entry = bpf_map_lookup_elem(&affinity, &key);
	if (entry && pb_affinity_backend(target, entry, &winner))
		*backend = winner;
	return true;
}

#endif
