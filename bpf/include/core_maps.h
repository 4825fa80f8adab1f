/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * core_maps.h - the maps that all objects have: what the control plane says, and what connect() did to
 * a socket. The others are in maps.h, and so are the rules for both.
 */
#ifndef PATCHBAY_CORE_MAPS_H
#define PATCHBAY_CORE_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "abi.h"

/*
 * What a socket was translated from and to by its last connect(). Written by connect programs;
 * means nothing for a UDP socket that is not connected any more (connect(AF_UNSPEC) runs no hook).
 */
struct pb_socket_state {
	__be64 service[2]; /* address that was asked for */
	__be64 backend[2]; /* address that it was translated to */
	__be16 service_port;
	__be16 backend_port;
	__u32 flags; /* enum pb_socket_flag */
	__u64 stats; /* as in struct pb_service, when it connected */
	__u64 connected; /* nanoseconds of CLOCK_MONOTONIC at connect(); 0: being written */
};
/* With the kernel's own 72 bytes this is the largest that fits its allocation of 128. */
_Static_assert(sizeof(struct pb_socket_state) == 56, "pb_socket_state");

enum pb_socket_flag {
	PB_SOCKET_UDP = 1, /* else TCP */
	PB_SOCKET_ESTABLISHED = 2, /* TCP */
	PB_SOCKET_TERMINATE = 4, /* PB_SERVICE_TERMINATE, when it connected */
	PB_SOCKET_BACKEND_STATS = 8, /* PB_SERVICE_BACKEND_STATS, when it connected */
	PB_SOCKET_TIMED = 16, /* TCP: pb_sock_ops saw its SYN, and will see the answer */
};

/* Not preallocated: sized for the largest cluster, paid for by the Services that exist. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PB_DEFAULT_FRONTENDS);
	__type(key, struct pb_frontend_key);
	__type(value, struct pb_frontend);
} frontends SEC(".maps");

/* Mapped into the control plane (BPF_F_MMAPABLE, 5.5): one store there moves a Service. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_DEFAULT_SERVICES);
	__type(key, __u32);
	__type(value, struct pb_service);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_DEFAULT_BACKENDS);
	__type(key, __u32);
	__type(value, struct pb_backend);
} backends SEC(".maps");

/* Socket storage (5.2) is freed by the kernel with its socket: nothing leaks, nothing is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pb_socket_state);
} socket_state SEC(".maps");

#endif
