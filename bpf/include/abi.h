/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h - the contract between the BPF programs and the control plane.
 *
 * This is the only description of the map keys and values that both sides use. C includes it,
 * jextract generates the Java layouts from it, and AbiBtfTest compares the two by BTF.
 *
 * Rules
 *  - Addresses and ports are in network byte order (__be16, bytes), everything else in host order.
 *  - An address is always 16 bytes; IPv4 is stored in its v4-mapped form, ::ffff:a.b.c.d.
 *  - Padding is explicit and zero. Keys are hashed as bytes.
 *  - Constants are enums, so that BTF carries them.
 *  - Any change of a size, an offset or a meaning increments PB_ABI_VERSION. Pins live in a
 *    directory named after it, so programs and control planes of two versions never share a map.
 */
#ifndef PATCHBAY_ABI_H
#define PATCHBAY_ABI_H

#include <linux/types.h>

/* Limits and version. Capacities are what a map is created with unless the agent is told otherwise. */
enum pb_limit {
	PB_ABI_VERSION = 4,
	/* Bits of the service word, see struct pb_service. */
	PB_WORD_BASE_BITS = 24,
	PB_WORD_COUNT_BITS = 16,
	PB_WORD_GENERATION_BITS = 24,
	/* Default capacities, in entries. */
	PB_DEFAULT_FRONTENDS = 131072,
	PB_DEFAULT_SERVICES = 65536,
	PB_DEFAULT_BACKENDS = 262144,
	PB_DEFAULT_AFFINITY = 65536,
	PB_DEFAULT_UDP_FLOWS = 65536,
	/* Size of `events` in bytes: a power of two and a multiple of every page size (64 KiB). */
	PB_DEFAULT_EVENTS_BYTES = 262144,
	/* Flows that one unconnected UDP socket keeps in its own storage. */
	PB_UDP_INLINE_FLOWS = 4,
	/* Entries of `service_stats` and `backend_stats`; memory is taken for those that exist. */
	PB_DEFAULT_SERVICE_STATS = 65536,
	PB_DEFAULT_BACKEND_STATS = 16384,
	/* How many may watch connections at one time. */
	PB_WATCHERS = 4,
	/* Entries of `connections`, eight slots each: a power of two. */
	PB_CONNECTIONS = 1024,
	/* Ranges of time to establish: 16 us times powers of 4, see struct pb_service_stats. */
	PB_LATENCY_RANGES = 10,
};

/* Where a frontend is reachable from. */
enum pb_scope {
	PB_SCOPE_INTERNAL = 0, /* sockets on this node, at connect time */
	PB_SCOPE_EXTERNAL = 1, /* packets that enter the node from outside */
};

/* Bits of struct pb_frontend.flags. */
enum pb_frontend_flag {
	/*
	 * The key's port and protocol are 0: it stands for every port of a Service address that no
	 * other frontend names. Sockets are refused; `service` has no meaning.
	 */
	PB_FRONTEND_REFUSE = 1,
	/*
	 * The key's port and protocol are 0: it is an address of a node. Each port of it that no other
	 * frontend names is looked up as a node port, see struct pb_frontend_key; where there is none,
	 * the address is none of our business. `service` has no meaning. A loopback address counts only
	 * for sockets in the node's own network namespace: in any other it is not the node's.
	 */
	PB_FRONTEND_NODE = 2,
};

/* Bits of struct pb_service.flags. */
enum pb_service_flag {
	PB_SERVICE_AFFINITY_CLIENT_IP = 1, /* affinity_seconds is valid */
	/* An empty range means "endpoints exist, but policy forbids them all": EHOSTUNREACH. */
	PB_SERVICE_POLICY_LOCAL = 2,
	/* TCP connections end when their backend leaves, as those of UDP sockets always do. */
	PB_SERVICE_TERMINATE = 4,
	/* Count for each backend too. */
	PB_SERVICE_BACKEND_STATS = 8,
};

/*
 * Key of `frontends`. An address is looked up as {address, port, protocol}, and if that is not there
 * as {address, 0, 0}, which is a PB_FRONTEND_REFUSE or a PB_FRONTEND_NODE entry.
 *
 * A node port is one entry per family, whatever the number of nodes: its address is the unspecified
 * one, ::ffff:0.0.0.0 for IPv4 and :: for IPv6. A PB_FRONTEND_NODE entry leads there.
 */
struct pb_frontend_key {
	__u8 address[16]; /* network order, IPv4 v4-mapped; unspecified for a node port */
	__be16 port; /* network order; 0 in a PB_FRONTEND_REFUSE or PB_FRONTEND_NODE entry */
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP; 0 where port is 0 */
	__u8 scope; /* enum pb_scope */
};
_Static_assert(sizeof(struct pb_frontend_key) == 20, "pb_frontend_key");

/* Value of `frontends`. */
struct pb_frontend {
	__u32 service; /* index into `services` */
	__u32 flags; /* enum pb_frontend_flag */
};
_Static_assert(sizeof(struct pb_frontend) == 8, "pb_frontend");

/*
 * Entry of `services`, one per Service port. Written by the control plane through mapped memory.
 *
 * `word` is published with one release store and read once per connection:
 *
 *   63            40 39          24 23             0
 *  +----------------+--------------+----------------+
 *  |   generation   |    count     |      base      |
 *  +----------------+--------------+----------------+
 *
 * The Service port owns backends[base .. base + count). count == 0 means no endpoint. generation
 * grows by one (modulo 2^24) with each publication and is never reset, also not when the index
 * passes to another Service: "equal generation" means "same range, same content".
 */
struct pb_service {
	__u64 word;
	/*
	 * Key of `service_stats`: a hash of the Service port's name, so that it is the same after a restart, an
	 * upgrade or a move to another index, and never that of another Service. 0: not counted.
	 */
	__u64 stats;
	__u32 flags; /* enum pb_service_flag */
	__u32 affinity_seconds; /* 1 .. 86400 */
	__u64 reserved; /* 0; keeps an entry within one cache line */
};
_Static_assert(sizeof(struct pb_service) == 32, "pb_service");

/*
 * Entry of `backends`. Within one range entries are distinct and sorted by address, then port, both
 * compared as unsigned big-endian numbers, so that "is it still valid?" is a binary search.
 */
struct pb_backend {
	__u8 address[16]; /* network order, IPv4 v4-mapped */
	__be16 port; /* network order */
	__u16 flags; /* reserved, 0 */
	__u32 pad; /* 0: mapped arrays round values up to 8 bytes */
};
_Static_assert(sizeof(struct pb_backend) == 24, "pb_backend");

/* Who is kept on one backend. */
enum pb_client_kind {
	PB_CLIENT_NETNS = 0, /* client holds a network namespace cookie in its first 8 bytes */
	PB_CLIENT_ADDRESS = 1, /* client holds an address */
};

/* Key of `affinity`. */
struct pb_affinity_key {
	__u8 client[16]; /* by kind: cookie in host order and 8 zero bytes, or an address */
	__u32 service; /* index into `services` */
	__u32 kind; /* enum pb_client_kind */
};
_Static_assert(sizeof(struct pb_affinity_key) == 24, "pb_affinity_key");

/* Value of `affinity`. */
struct pb_affinity {
	__u8 address[16]; /* of the backend, network order */
	__be16 port; /* of the backend, network order */
	__u16 pad; /* 0 */
	__u32 generation; /* of the service word against which the backend was last found valid */
	__u64 last_used; /* nanoseconds of CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct pb_affinity) == 32, "pb_affinity");

/*
 * Value of `service_stats`, one for each CPU: what sockets did at one Service port, from connect() to
 * close(). Made by the programs when the first of them comes. Numbers only grow.
 *
 * A socket counts as open from its connect() until it is closed or connected to something else, so
 * connects - closed is how many are open.
 */
struct pb_service_stats {
	__u64 connects_tcp; /* translated */
	__u64 connects_udp; /* translated */
	__u64 sends_udp; /* datagrams of unconnected sockets, translated */
	__u64 refused_no_endpoint;
	__u64 refused_policy;
	__u64 closed_tcp; /* of connects_tcp */
	__u64 closed_udp; /* of connects_udp */
	__u64 failed_tcp; /* of closed_tcp: never established; too few if pb_sock_ops is not attached */
	__u64 established_ns; /* sum of the times below, in nanoseconds */
	/*
	 * TCP connections established, by the time from connect() on, or with Fast Open from the SYN on.
	 * Range n holds times below 16 us << 2n that are in no range before it; the last one holds all
	 * others. Only if pb_sock_ops is attached.
	 */
	__u64 established[PB_LATENCY_RANGES];
};
_Static_assert(sizeof(struct pb_service_stats) == 72 + 8 * PB_LATENCY_RANGES, "pb_service_stats");

/* Key of `backend_stats`. */
struct pb_backend_stats_key {
	__u8 address[16]; /* of the backend, network order, IPv4 v4-mapped */
	__be16 port; /* of the backend, network order */
	__u16 pad[3]; /* 0 */
	__u64 stats; /* as in struct pb_service */
};
_Static_assert(sizeof(struct pb_backend_stats_key) == 32, "pb_backend_stats_key");

/* Value of `backend_stats`, one for each CPU; for Services with PB_SERVICE_BACKEND_STATS. */
struct pb_backend_stats {
	__u64 connects; /* translated, TCP and UDP */
	__u64 closed; /* of connects */
	__u64 failed; /* of closed: TCP, never established */
	__u64 sends; /* datagrams of unconnected sockets for which it was chosen anew */
};
_Static_assert(sizeof(struct pb_backend_stats) == 32, "pb_backend_stats");

/* What happened, struct pb_event.kind. */
enum pb_event_kind {
	PB_EVENT_REFUSED_BIND = 1, /* bind() to a node port in the node's namespace; in `events` */
	/* The others are in the ring buffers of `watcher_rings`. */
	PB_EVENT_CONNECT = 2, /* connect() translated */
	PB_EVENT_SEND = 3, /* a datagram for which a backend was chosen anew */
	PB_EVENT_REFUSED = 4, /* connect() or datagram refused, error says how */
	/* The TCP connection of a PB_EVENT_CONNECT; only if pb_sock_ops is attached. */
	PB_EVENT_ESTABLISHED = 5,
	/* It was closed, or the socket connected elsewhere, and it was never established. */
	PB_EVENT_FAILED = 6,
};

/* Record of `events` and of the ring buffers in `watcher_rings`. What has no meaning for a kind is 0. */
struct pb_event {
	__u64 time; /* nanoseconds of CLOCK_MONOTONIC */
	__u64 cgroup; /* number of the caller's cgroup in the v2 hierarchy; not if ESTABLISHED */
	__u64 netns; /* cookie of the socket's network namespace; not if ESTABLISHED */
	__u64 socket; /* cookie of the socket: which records tell of one connection */
	__u64 stats; /* as in struct pb_service; 0 if the port belongs to no Service */
	__u64 duration; /* nanoseconds since connect() or the SYN; ESTABLISHED and FAILED only */
	__u32 kind; /* enum pb_event_kind */
	__u32 service; /* index into `services`; CONNECT, SEND, REFUSED (0xffffffff: none), REFUSED_BIND */
	__u32 process; /* in the initial PID namespace; not if ESTABLISHED */
	__u32 thread; /* in the initial PID namespace; not if ESTABLISHED */
	__u8 comm[16]; /* name of the thread, ends with a 0 byte; not if ESTABLISHED */
	/* Where the caller wanted to go, or for a bind to listen, as it said it. */
	__u8 address[16]; /* network order, IPv4 v4-mapped */
	__u8 backend[16]; /* chosen backend */
	/* Own address of the socket; unspecified as long as the kernel has chosen none. Not if FAILED. */
	__u8 client[16];
	__be16 port; /* belongs to address, network order */
	__be16 backend_port; /* belongs to backend, network order */
	__be16 client_port; /* belongs to client, network order; 0 as long as there is none */
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 family; /* AF_INET or AF_INET6, of the socket */
	__u16 error; /* errno that the caller sees; 0: none */
	__u16 pad[3]; /* 0 */
};
_Static_assert(sizeof(struct pb_event) == 144, "pb_event");

/*
 * Value of `watchers`; the only entry has the index 0. Who watches takes a place n below PB_WATCHERS: it
 * puts a ring buffer into `watcher_rings` there, and then a time into deadline[n] and latest. Programs
 * write into that buffer what happens as long as the clock is before the time. A watcher that is gone
 * renews it no more, and its place is free again.
 *
 * Records do not wake the reader, who looks by the clock, ten times a second or so. Only when a quarter of
 * the buffer is full it is woken.
 */
struct pb_watchers {
	__u64 latest; /* of all deadlines; 0: nobody watches, and nothing else is read */
	__u64 deadline[PB_WATCHERS]; /* nanoseconds of CLOCK_MONOTONIC; 0: free */
	__u64 lost[PB_WATCHERS]; /* records for which there was no room, since the watcher began */
};
_Static_assert(sizeof(struct pb_watchers) == 8 + 16 * PB_WATCHERS, "pb_watchers");

/*
 * Entry of the list that the iterator over sockets makes, pb_stale_sockets: one that was translated to a
 * backend which its Service does not have any more. As sock_diag names it, to be destroyed there.
 *
 * Entry 0 is the head of the list: cookie says how many follow. Who reads sets it to 0 before each read(),
 * and netns to the most that it wants, 0: all for which there is room. read() fails with EAGAIN if there
 * are more.
 */
struct pb_stale_socket {
	__u64 cookie; /* of the socket; before 5.12 0 unless somebody asked for it */
	__u64 netns; /* cookie of its network namespace; before 5.12 0 */
	__u32 netns_inode; /* of its network namespace, as in /proc/PID/ns/net */
	__u32 interface; /* bound to; 0: none */
	__u8 source[16]; /* own address, network order, IPv4 v4-mapped */
	__u8 backend[16]; /* network order, IPv4 v4-mapped */
	__u8 address[16]; /* of the Service, network order, IPv4 v4-mapped */
	__be16 source_port; /* network order */
	__be16 backend_port; /* network order */
	__be16 port; /* of the Service, network order */
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 family; /* AF_INET or AF_INET6, of the socket */
};
_Static_assert(sizeof(struct pb_stale_socket) == 80, "pb_stale_socket");

/* Index into `counters`, a per-CPU array of __u64. */
enum pb_counter {
	PB_COUNTER_CONNECT_TCP = 0, /* TCP connects translated */
	PB_COUNTER_CONNECT_UDP = 1, /* UDP connects translated */
	PB_COUNTER_SEND_UDP = 2, /* datagrams of unconnected sockets translated */
	PB_COUNTER_REPLY_UDP = 3, /* datagrams whose source was translated back */
	PB_COUNTER_REFUSED_NO_ENDPOINT = 4, /* Service known, no endpoint at all */
	PB_COUNTER_REFUSED_POLICY = 5, /* endpoints exist, policy forbids them all */
	PB_COUNTER_REFUSED_UNKNOWN_PORT = 6, /* Service address, port of no Service */
	PB_COUNTER_AFFINITY_KEPT = 7, /* choices decided by session affinity */
	PB_COUNTER_STATE_FAILED = 8, /* socket storage could not be written */
	PB_COUNTER_CORRUPT = 9, /* a frontend, word or range that points nowhere */
	PB_COUNTER_REFUSED_BIND = 10, /* bind() to a node port in the node's namespace */
	PB_COUNTER_EVENTS_LOST = 11, /* records for which `events` had no room */
	PB_COUNTER_STATS_FAILED = 12, /* a statistics map had no room for a Service or a backend */
	PB_COUNTERS = 13,
};

#endif
