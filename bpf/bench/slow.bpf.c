// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * slow.bpf.c - for the benchmarks: programs that waste time in connect(), to see whether that is noticed.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

/* About 5 us; a few percent of a short connection. */
#define PB_WASTE_NS 5000

static __always_inline int pb_waste(void)
{
	__u64 end = bpf_ktime_get_ns() + PB_WASTE_NS;
	int i;

	for (i = 0; i < 1000 && bpf_ktime_get_ns() < end; i++)
		;
	return 1;
}

SEC("cgroup/connect4")
int slow_connect4(struct bpf_sock_addr *ctx)
{
	(void)ctx;
	return pb_waste();
}

SEC("cgroup/connect6")
int slow_connect6(struct bpf_sock_addr *ctx)
{
	(void)ctx;
	return pb_waste();
}
