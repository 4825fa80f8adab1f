/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - the few fields of the kernel's own structs that an iterator reads.
 *
 * preserve_access_index: where a field is, is found out when the program is loaded, from the BTF of the
 * running kernel. So these need neither the order nor the size of the real ones, only the names.
 */
#ifndef PATCHBAY_KERNEL_H
#define PATCHBAY_KERNEL_H

#include <linux/bpf.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie; /* from 5.12; before it another type */
};

typedef struct {
	struct net *net;
} possible_net_t;

/* struct in6_addr, by a name that no header has. */
struct in6_addr___kernel {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	__s64 counter;
} atomic64_t;

enum sock_flags {
	SOCK_DEAD, /* nobody has a descriptor of it any more */
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host order, unlike the other port */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	unsigned long skc_flags; /* bits of enum sock_flags */
	possible_net_t skc_net;
	struct in6_addr___kernel skc_v6_daddr; /* if the kernel has IPv6 */
	struct in6_addr___kernel skc_v6_rcv_saddr; /* if the kernel has IPv6 */
	atomic64_t skc_cookie; /* 0: nobody asked for it yet */
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

/* Context of an iterator over the sockets that have an entry in a map of socket storage (5.9). */
struct bpf_iter__bpf_sk_storage_map {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct bpf_map *, map);
	__bpf_md_ptr(struct sock *, sk);
	__bpf_md_ptr(void *, value);
};

#endif
