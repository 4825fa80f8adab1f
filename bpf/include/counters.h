/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counters.h - what happened, counted per CPU.
 */
#ifndef PATCHBAY_COUNTERS_H
#define PATCHBAY_COUNTERS_H

#include "maps.h"

/*
 * Adds one. Not atomic: programs stay on their CPU, so a count is lost only when one program is
 * preempted by another between the load and the store. A locked add on every connect costs more
 * than that is worth.
 */
static __always_inline void pb_count(enum pb_counter counter)
{
	__u32 index = counter;
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		*value += 1;
}

#endif
