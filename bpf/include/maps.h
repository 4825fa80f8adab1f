/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h - the maps of sock_lb.bpf.o, and the values that only its programs read and write.
 *
 * Keys and values shared with the control plane are in abi.h. The structs here are private, but
 * their maps are pinned too: a change of size or meaning increments PB_ABI_VERSION all the same.
 *
 * max_entries are defaults. The loader may change them, so no program relies on them: every lookup
 * is checked.
 */
#ifndef PATCHBAY_MAPS_H
#define PATCHBAY_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "abi.h"
#include "core_maps.h"
#include "peer.h"

/* One Service that an unconnected UDP socket talks to. */
struct pb_udp_flow {
	struct pb_peer service;
	struct pb_peer backend;
	__u32 index; /* into `services`, when the backend was last found valid */
	__u32 generation; /* of that service word */
	__u64 used; /* value of `clock` when it last carried a datagram; 0: free */
	__u32 direct; /* 1: since then the socket has sent to the backend's own address */
	__u32 pad;
};
_Static_assert(sizeof(struct pb_udp_flow) == 72, "pb_udp_flow");

/*
 * All that is remembered of an unconnected UDP socket.
 *
 * No lock: the kernel runs every socket-address program while it holds the lock of the socket
 * (BPF_CGROUP_RUN_SA_PROG_LOCK, since the hooks exist), so one socket is never in two programs.
 */
struct pb_udp_socket_flows {
	__u64 clock; /* counts translated datagrams; orders flows by last use */
	__u32 overflowed; /* 1: further flows of this socket are in `udp_flows` */
	__u32 pad;
	struct pb_udp_flow flows[PB_UDP_INLINE_FLOWS];
};
_Static_assert(sizeof(struct pb_udp_socket_flows) == 16 + 72 * PB_UDP_INLINE_FLOWS,
	       "pb_udp_socket_flows");

enum pb_udp_direction {
	PB_UDP_FORWARD = 0, /* from a Service to the backend that this socket uses for it */
	PB_UDP_REVERSE = 1, /* from a backend to the Service for which this socket last used it */
};

/* Key of `udp_flows`. */
struct pb_udp_flow_key {
	__u64 cookie; /* of the socket */
	struct pb_peer from; /* Service or backend, by direction */
	__u32 direction; /* enum pb_udp_direction */
	__u32 pad;
};
_Static_assert(sizeof(struct pb_udp_flow_key) == 40, "pb_udp_flow_key");

/* Value of `udp_flows`. */
struct pb_udp_flow_end {
	struct pb_peer to; /* backend or Service, by direction */
	__u64 used; /* as in struct pb_udp_flow */
	__u32 direct; /* as in struct pb_udp_flow; reverse entries only */
	__u32 pad;
};
_Static_assert(sizeof(struct pb_udp_flow_end) == 40, "pb_udp_flow_end");

/* A line of cookies. */
#define PB_SLOTS 8

/*
 * What TCP connections remember, in the slot that the cookie of its socket falls on, if that is free.
 *
 * Socket storage is two allocations and two frees after a grace period, which is most of what a connection
 * through a Service costs; a slot is one line of memory, and consecutive connections have consecutive ones.
 * Who finds its slot taken has socket storage. So has what pb_stale_sockets must find: UDP, and TCP that is
 * to end with its backend. A socket has its state in one place or in the other.
 */
struct pb_connections {
	/*
	 * Of the sockets that have the slots; 0: free. Together, because each TCP socket is looked for here when
	 * it ends, also those that connected to no Service: the next one's cookie is on the same line.
	 */
	__u64 cookies[PB_SLOTS];
	struct {
		struct pb_socket_state state;
		__u64 pad; /* to a line */
	} slots[PB_SLOTS];
};
_Static_assert(sizeof(struct pb_connections) == PB_SLOTS * (16 + sizeof(struct pb_socket_state)),
	       "pb_connections");

/* Mapped arrays begin on a page, so that a slot is one cache line. The control plane does not map it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PB_CONNECTIONS);
	__type(key, __u32);
	__type(value, struct pb_connections);
} connections SEC(".maps");

/* Apart from socket_state, so that a TCP connection does not pay for it. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pb_udp_socket_flows);
} udp_socket_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PB_DEFAULT_UDP_FLOWS);
	__type(key, struct pb_udp_flow_key);
	__type(value, struct pb_udp_flow_end);
} udp_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PB_DEFAULT_AFFINITY);
	__type(key, struct pb_affinity_key);
	__type(value, struct pb_affinity);
} affinity SEC(".maps");

/* Behind the counters, for programs alone: when a CPU may ask for memory again, in ns of CLOCK_MONOTONIC; 0: now. */
#define PB_COUNTER_PAUSE PB_COUNTERS

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PB_COUNTERS + 1);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* Not preallocated: an entry for each Service that was used, made by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PB_DEFAULT_SERVICE_STATS);
	__type(key, __u64);
	__type(value, struct pb_service_stats);
} service_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PB_DEFAULT_BACKEND_STATS);
	__type(key, struct pb_backend_stats_key);
	__type(value, struct pb_backend_stats);
} backend_stats SEC(".maps");

/* One entry, mapped by who watches. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pb_watchers);
} watchers SEC(".maps");

/* Ring buffers of those who watch, of any size: a place for each. */
struct pb_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_DEFAULT_EVENTS_BYTES);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PB_WATCHERS);
	__type(key, __u32);
	__array(values, struct pb_ring);
} watcher_rings SEC(".maps");

/* Records of struct pb_event for the agent (ring buffers: 5.8). Without a reader it fills up once. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PB_DEFAULT_EVENTS_BYTES);
} events SEC(".maps");

#endif
