// SPDX-License-Identifier: Apache-2.0
/*
 * load.c - load for benchmarks: a client that measures, and the server that it talks to.
 *
 *   load server PORT                 TCP and UDP, both families, all addresses; prints "ready"
 *   load client SERVER-PID           reads commands, a line each, and answers each with a line
 *
 * Commands of the client:
 *
 *   targets NAME COUNT               COUNT lines "ADDRESS PORT" follow; "ok"
 *   pin CLIENT-CPU SERVER-CPU        itself and the server; "ok"
 *   slice KIND NAME COUNT SEED       COUNT operations; each goes to a target drawn at random
 *   walk KIND NAME                   an operation to each target in turn; answered like a slice, without latencies
 *   hold NAME COUNT                  opens COUNT connections to targets in turn and keeps them; "ok"
 *   drop                             closes what hold opened; "ok"
 *
 * A slice is answered by
 *
 *   done OPERATIONS ERRORS WALL CLIENT-CPU SERVER-CPU LATENCY...
 *
 * or by "error WHY" after five errors; with nanoseconds of the whole slice, of the processor time of both processes, and of each operation
 * (of crr: of its connect() alone). What cannot be done is answered by "error WHY".
 *
 * Kinds, all with one byte each way unless said:
 *
 *   crr        connect, ask, answer, end of file, close: the server closes first
 *   rr         over one connection, which stays open between slices
 *   udp        over one connected socket, which stays open
 *   udpto      sendto() on one socket that is not connected; stays open
 *   dns        a connected socket for two exchanges of 40 bytes
 *   dnsto      a socket that is not connected for two exchanges of 40 bytes
 *   bulk       an operation is 1 MiB over one connection, which stays open; the server answers each with a byte
 *
 * The first byte on a TCP connection says which: 'c' close after the answer, 'r' keep, 'b' bulk.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (128 * 1024)
#define MEBIBYTE (1024 * 1024)
#define QUESTION 40
/* A slice with as many is none: each may take seconds. */
#define MOST_ERRORS 5
/* Of a process besides those of connections that it holds. */
#define SPARE_FILES 100

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		die("clock_gettime");
	return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

/* --- Server --------------------------------------------------------------------------------------------- */

enum state { FRESH, KEEP, BULK };

/* By descriptor. */
static struct {
	enum state state;
	uint32_t received; /* of the MiB that arrives */
} *connections;

static int poller;

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static int listener(int family, int type, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	int fd = socket(family, type | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)))
		die("SO_REUSEADDR");
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)))
		die("IPV6_V6ONLY");
	/* An answer comes from the address that was asked, of which there are many. */
	if (type == SOCK_DGRAM && setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
					     family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, &yes, sizeof(yes)))
		die("PKTINFO");
	/* None of them is an address of an interface, for which IPv6 asks before it answers from one. */
	if (type == SOCK_DGRAM && family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)))
		die("IPV6_FREEBIND");
	if (bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 4096))
		die("listen");
	watch(fd);
	return fd;
}

static void accept_all(int listening)
{
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);

		if (fd < 0 && errno == EMFILE)
			die("accept4"); /* it would be told of the same connection for ever */
		if (fd < 0)
			return;
		connections[fd].state = FRESH;
		connections[fd].received = 0;
		watch(fd);
	}
}

static void echo(int fd)
{
	char data[2048];
	char control[256];
	struct sockaddr_storage from;
	struct iovec part = {.iov_base = data};
	struct msghdr message = {.msg_name = &from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
	ssize_t size;

	for (;;) {
		message.msg_namelen = sizeof(from);
		message.msg_controllen = sizeof(control);
		part.iov_len = sizeof(data);
		size = recvmsg(fd, &message, 0);
		if (size < 0)
			return;
		part.iov_len = size;
		for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
			if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
				struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(item);

				info->ipi_spec_dst = info->ipi_addr;
				info->ipi_ifindex = 0;
			} else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
				((struct in6_pktinfo *)CMSG_DATA(item))->ipi6_ifindex = 0;
			}
		}
		if (sendmsg(fd, &message, 0) < 0)
			perror("load: answer to a datagram");
	}
}

static void answer(int fd)
{
	static char data[CHUNK];
	ssize_t size = read(fd, data, sizeof(data));

	if (size <= 0) {
		if (size < 0 && errno == EAGAIN)
			return;
		close(fd);
		return;
	}
	if (connections[fd].state == FRESH) {
		if (data[0] == 'b') {
			connections[fd].state = BULK;
			size--;
		} else if (data[0] == 'r') {
			connections[fd].state = KEEP;
		} else {
			if (write(fd, data, 1) != 1)
				perror("load: answer");
			close(fd);
			return;
		}
	}
	if (connections[fd].state == KEEP) {
		if (write(fd, data, size) != size)
			perror("load: answer");
		return;
	}
	connections[fd].received += size;
	while (connections[fd].received >= MEBIBYTE) {
		connections[fd].received -= MEBIBYTE;
		if (write(fd, data, 1) != 1)
			perror("load: answer");
	}
}

static void serve(uint16_t port)
{
	static const int families[] = {AF_INET, AF_INET6};
	int tcp[2], udp[2];
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		die("getrlimit");
	connections = calloc(limit.rlim_cur, sizeof(*connections));
	if (!connections)
		die("calloc");
	poller = epoll_create1(0);
	if (poller < 0)
		die("epoll_create1");
	for (int i = 0; i < 2; i++) {
		tcp[i] = listener(families[i], SOCK_STREAM, port);
		udp[i] = listener(families[i], SOCK_DGRAM, port);
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct epoll_event events[64];
		int count = epoll_wait(poller, events, 64, -1);

		if (count < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == tcp[0] || fd == tcp[1])
				accept_all(fd);
			else if (fd == udp[0] || fd == udp[1])
				echo(fd);
			else
				answer(fd);
		}
	}
}

/* --- Client --------------------------------------------------------------------------------------------- */

struct target {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t size;
};

enum kind { CRR, RR, UDP, UDPTO, DNS, DNSTO, BULK_TRANSFER, KINDS };

static const char *const kind_names[KINDS] = {"crr", "rr", "udp", "udpto", "dns", "dnsto", "bulk"};

#define SETS 64
static struct set {
	char name[64];
	struct target *targets;
	uint32_t count;
	int open[KINDS]; /* what stays open between slices; 0: nothing */
} sets[SETS];

static uint32_t *latencies;
static size_t room;
static pid_t server;
static int *held;
static uint32_t holding;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("error ", stdout);
	vprintf(format, arguments);
	fputc('\n', stdout);
	fflush(stdout);
	va_end(arguments);
}

static void ok(void)
{
	fputs("ok\n", stdout);
	fflush(stdout);
}

static struct set *find_set(const char *name, bool make)
{
	for (int i = 0; i < SETS; i++) {
		if (!strcmp(sets[i].name, name))
			return &sets[i];
		if (!sets[i].name[0]) {
			if (!make)
				return NULL;
			strcpy(sets[i].name, name);
			return &sets[i];
		}
	}
	return NULL;
}

static bool read_target(struct target *target)
{
	char line[128], address[64];
	unsigned port;

	memset(target, 0, sizeof(*target));
	if (!fgets(line, sizeof(line), stdin) || sscanf(line, "%63s %u", address, &port) != 2 || port > 65535)
		return false;
	if (inet_pton(AF_INET, address, &target->v4.sin_addr) == 1) {
		target->v4.sin_family = AF_INET;
		target->v4.sin_port = htons(port);
		target->size = sizeof(target->v4);
		return true;
	}
	target->v6.sin6_family = AF_INET6;
	target->v6.sin6_port = htons(port);
	target->size = sizeof(target->v6);
	return inet_pton(AF_INET6, address, &target->v6.sin6_addr) == 1;
}

static void read_targets(const char *name, uint32_t count)
{
	struct set *set = find_set(name, true);
	bool good = set && !set->targets;

	if (good) {
		set->targets = calloc(count, sizeof(*set->targets));
		if (!set->targets)
			die("calloc");
		set->count = count;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct target target;

		if (!read_target(&target)) {
			fail("target %u of %s is none", i, name);
			return;
		}
		if (good)
			set->targets[i] = target;
	}
	if (good)
		ok();
	else
		fail("%s: there already, or too many", name);
}

static uint64_t random_state;

/* xorshift64*: each slice repeats what its seed says. */
static uint32_t draw(uint32_t count)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((random_state * 0x2545f4914f6cdd1dULL >> 32) * count) >> 32;
}

static const struct target *draw_target(const struct set *set)
{
	return &set->targets[set->count == 1 ? 0 : draw(set->count)];
}

static int open_socket(const struct target *target, int type)
{
	int fd = socket(target->any.sa_family, type, 0);
	/* Long enough for anything that works; a benchmark must not hang. */
	struct timeval patience = {.tv_sec = 5};

	/* Where a packet may be lost only: options cost what a plain client does not pay. */
	if (fd >= 0 && type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Whether it was answered. */
static bool ask(int fd, char byte)
{
	return write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
}

static bool ask_dns(int fd, const struct target *to)
{
	char data[QUESTION] = {'d'};

	return sendto(fd, data, sizeof(data), 0, to ? &to->any : NULL, to ? to->size : 0) == sizeof(data) &&
	       read(fd, data, sizeof(data)) == sizeof(data);
}

/* One operation. latency: set for crr, to what connect() took. */
static bool operate(enum kind kind, const struct set *set, const struct target *target, uint32_t *latency)
{
	static char chunk[CHUNK];
	bool good = false;
	char byte = 'c';
	uint64_t start;
	size_t left;
	int fd;

	switch (kind) {
	case CRR:
		fd = open_socket(target, SOCK_STREAM);
		if (fd < 0)
			return false;
		start = now(CLOCK_MONOTONIC);
		good = !connect(fd, &target->any, target->size);
		*latency = now(CLOCK_MONOTONIC) - start;
		good = good && ask(fd, 'c') && read(fd, &byte, 1) == 0;
		close(fd);
		return good;
	case RR:
	case UDP:
		return ask(set->open[kind], 'r');
	case UDPTO:
		return sendto(set->open[kind], &byte, 1, 0, &target->any, target->size) == 1 &&
		       read(set->open[kind], &byte, 1) == 1;
	case DNS:
	case DNSTO:
		fd = open_socket(target, SOCK_DGRAM);
		if (fd < 0)
			return false;
		if (kind == DNSTO)
			good = ask_dns(fd, target) && ask_dns(fd, target);
		else
			good = !connect(fd, &target->any, target->size) && ask_dns(fd, NULL) && ask_dns(fd, NULL);
		close(fd);
		return good;
	case BULK_TRANSFER:
		for (left = MEBIBYTE; left;) {
			ssize_t size = write(set->open[kind], chunk, left < CHUNK ? left : CHUNK);

			if (size <= 0)
				return false;
			left -= size;
		}
		return read(set->open[kind], &byte, 1) == 1;
	default:
		return false;
	}
}

/* Opens what stays open between slices. */
static bool prepare(enum kind kind, struct set *set)
{
	int type = kind == RR || kind == BULK_TRANSFER ? SOCK_STREAM : SOCK_DGRAM;
	int yes = 1;
	int fd;

	if (kind == CRR || kind == DNS || kind == DNSTO || set->open[kind])
		return true;
	fd = open_socket(&set->targets[0], type);
	if (fd < 0)
		return false;
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if ((kind != UDPTO && connect(fd, &set->targets[0].any, set->targets[0].size)) ||
	    (kind == BULK_TRANSFER && write(fd, "b", 1) != 1)) {
		close(fd);
		return false;
	}
	set->open[kind] = fd;
	return true;
}

/* walk: each target in turn, without a list of latencies. */
static void run_slice(enum kind kind, struct set *set, uint32_t count, uint64_t seed, bool walk)
{
	uint64_t wall, own, theirs, last;
	uint32_t errors = 0;
	clockid_t server_clock;

	if (count > room) {
		free(latencies);
		latencies = calloc(count, sizeof(*latencies));
		if (!latencies)
			die("calloc");
		room = count;
	}
	random_state = seed * 2 + 1;
	if (clock_getcpuclockid(server, &server_clock)) {
		fail("the server is gone");
		return;
	}
	if (!prepare(kind, set)) {
		fail("%s to %s: %s", kind_names[kind], set->name, strerror(errno));
		return;
	}
	own = now(CLOCK_PROCESS_CPUTIME_ID);
	theirs = now(server_clock);
	wall = last = now(CLOCK_MONOTONIC);
	for (uint32_t i = 0; i < count; i++) {
		if (!operate(kind, set, walk ? &set->targets[i] : draw_target(set), &latencies[i]) &&
		    ++errors == MOST_ERRORS) {
			fail("%s to %s: %u of %u operations failed: %s", kind_names[kind], set->name, errors, i + 1,
			     strerror(errno));
			return;
		}
		if (kind != CRR) {
			uint64_t after = now(CLOCK_MONOTONIC);

			latencies[i] = after - last;
			last = after;
		}
	}
	wall = now(CLOCK_MONOTONIC) - wall;
	theirs = now(server_clock) - theirs;
	own = now(CLOCK_PROCESS_CPUTIME_ID) - own;
	printf("done %u %u %lu %lu %lu", count, errors, wall, own, theirs);
	for (uint32_t i = 0; i < count && !walk; i++)
		printf(" %u", latencies[i]);
	fputc('\n', stdout);
	fflush(stdout);
}

/* By resets: what waits for its time after a connection would be counted as memory of the next ones. */
static void drop(void)
{
	struct linger reset = {.l_onoff = 1};

	while (holding) {
		holding--;
		setsockopt(held[holding], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(held[holding]);
	}
	free(held);
	held = NULL;
}

static void hold(const struct set *set, uint32_t count)
{
	struct rlimit limit;

	drop();
	if (getrlimit(RLIMIT_NOFILE, &limit) || count + SPARE_FILES > limit.rlim_cur) {
		fail("%u connections need more than the %lu open files that are allowed", count,
		     (unsigned long)limit.rlim_cur);
		return;
	}
	held = calloc(count, sizeof(*held));
	if (!held)
		die("calloc");
	for (uint32_t i = 0; i < count; i++) {
		const struct target *target = &set->targets[i % set->count];
		int fd = open_socket(target, SOCK_STREAM);

		if (fd < 0 || connect(fd, &target->any, target->size) || !ask(fd, 'r')) {
			fail("connection %u to %s: %s", i, set->name, strerror(errno));
			if (fd >= 0)
				close(fd);
			return;
		}
		held[holding++] = fd;
	}
	ok();
}

static bool pin(pid_t process, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return !sched_setaffinity(process, sizeof(cpus), &cpus);
}

static void order_slice(const char *word, const char *name, uint32_t count, uint64_t seed, bool walk)
{
	struct set *set = find_set(name, false);

	for (enum kind kind = 0; set && kind < KINDS; kind++) {
		if (!strcmp(word, kind_names[kind])) {
			run_slice(kind, set, walk ? set->count : count, seed, walk);
			return;
		}
	}
	fail("no targets %s, or no kind %s", name, word);
}

static void command(const char *line)
{
	char word[64], name[64];
	unsigned long seed;
	unsigned count, other;
	struct set *set;

	if (sscanf(line, "targets %63s %u", name, &count) == 2) {
		read_targets(name, count);
	} else if (sscanf(line, "pin %u %u", &count, &other) == 2) {
		if (pin(0, count) && pin(server, other))
			ok();
		else
			fail("pin to %u and %u: %s", count, other, strerror(errno));
	} else if (sscanf(line, "hold %63s %u", name, &count) == 2) {
		set = find_set(name, false);
		if (set)
			hold(set, count);
		else
			fail("no targets %s", name);
	} else if (!strcmp(line, "drop\n")) {
		drop();
		ok();
	} else if (sscanf(line, "slice %63s %63s %u %lu", word, name, &count, &seed) == 4) {
		order_slice(word, name, count, seed, false);
	} else if (sscanf(line, "walk %63s %63s", word, name) == 2) {
		order_slice(word, name, 0, 0, true);
	} else {
		fail("not understood: %s", line);
	}
}

static void measure(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin))
		command(line);
}

int main(int count, char **words)
{
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	if (count == 3 && !strcmp(words[1], "server"))
		serve(atoi(words[2]));
	if (count == 3 && !strcmp(words[1], "client")) {
		server = atoi(words[2]);
		measure();
		return 0;
	}
	fprintf(stderr, "usage: load server PORT | load client SERVER-PID\n");
	return 2;
}
