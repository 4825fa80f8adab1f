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
	PB_ABI_VERSION = 2,
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
	__u32 flags; /* enum pb_service_flag */
	__u32 affinity_seconds; /* 1 .. 86400 */
};
_Static_assert(sizeof(struct pb_service) == 16, "pb_service");

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

/* What happened, struct pb_event.kind. */
enum pb_event_kind {
	PB_EVENT_REFUSED_BIND = 1, /* bind() to a node port in the node's namespace */
};

/*
 * Record of `events`, a ring buffer. For now each one tells of a refused bind(); the fields that have
 * no meaning for a kind are 0.
 */
struct pb_event {
	__u64 time; /* nanoseconds of CLOCK_MONOTONIC */
	__u64 cgroup; /* number of the caller's cgroup in the v2 hierarchy */
	__u64 netns; /* cookie of the socket's network namespace */
	__u32 kind; /* enum pb_event_kind */
	__u32 service; /* index into `services` */
	__u32 process; /* in the initial PID namespace */
	__u32 thread; /* in the initial PID namespace */
	__u8 comm[16]; /* name of the thread, ends with a 0 byte */
	/* Refused bind: where the socket was to listen, its address as the caller gave it. */
	__u8 address[16]; /* network order, IPv4 v4-mapped */
	__u8 backend[16]; /* chosen backend; refused bind: 0 */
	__be16 port; /* belongs to address, network order */
	__be16 backend_port; /* belongs to backend, network order; refused bind: 0 */
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 family; /* AF_INET or AF_INET6, of the socket */
	__u16 error; /* errno that the caller sees; 0: none */
};
_Static_assert(sizeof(struct pb_event) == 96, "pb_event");

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
	PB_COUNTER_EVENTS_LOST = 11, /* events for which the ring buffer had no room */
	PB_COUNTERS = 12,
};

#endif
