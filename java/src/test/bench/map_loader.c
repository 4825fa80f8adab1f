/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_loader.c - what the maps of Patchbay cost when nothing but the kernel is in the way.
 *
 *   map_loader load SERVICES ENDPOINTS ROUNDS     fills new maps, by batches and through mapped memory
 *   map_loader change SERVICES ENDPOINTS CHANGES  replaces the endpoints of one Service after the other
 *   map_loader batch ENTRIES COUNT CALLS          one call of bpf_map_update_batch() for COUNT entries
 *
 * The maps have the types, flags, keys and values of bpf/include/core_maps.h. Each line of output has
 * the name of what was measured and then NAME=VALUE.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

enum { BATCH = 4096, TCP = 6 };

static void die(const char *what)
{
	fprintf(stderr, "map_loader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("memory");
	return memory;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct world {
	int count, per_service;
	struct pb_frontend_key *keys;
	struct pb_frontend *values;
	struct pb_service *services;
	struct pb_backend *backends;
	__u32 *indexes; /* 0, 1, and so on: what batches of arrays want as keys */
};

static void put_address(__u8 address[16], __u32 ipv4)
{
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	for (int i = 0; i < 4; i++)
		address[12 + i] = ipv4 >> (24 - 8 * i);
}

static __u64 word(__u64 generation, __u64 count, __u64 base)
{
	return generation << (PB_WORD_BASE_BITS + PB_WORD_COUNT_BITS) | count << PB_WORD_BASE_BITS |
	       base;
}

static struct world make_world(int count, int per_service)
{
	struct world w = {.count = count, .per_service = per_service};
	size_t all = (size_t)count * per_service;

	w.keys = zeroed(count, sizeof(*w.keys));
	w.values = zeroed(count, sizeof(*w.values));
	w.services = zeroed(count, sizeof(*w.services));
	w.backends = zeroed(all, sizeof(*w.backends));
	w.indexes = zeroed(all, sizeof(*w.indexes));
	for (int i = 0; i < count; i++) {
		put_address(w.keys[i].address, 0x0a600000 + i);
		w.keys[i].port = __builtin_bswap16(80);
		w.keys[i].protocol = TCP;
		w.values[i].service = i;
		w.services[i].word = word(1, per_service, (__u64)i * per_service);
		w.services[i].stats = i + 1;
	}
	for (size_t i = 0; i < all; i++) {
		put_address(w.backends[i].address, 0x0a800000 + i);
		w.backends[i].port = __builtin_bswap16(8080);
		w.indexes[i] = i;
	}
	return w;
}

struct maps {
	int frontends, services, backends;
};

static int create(enum bpf_map_type type, const char *name, size_t key, size_t value,
		  size_t entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, name, key, value, entries, &opts);

	if (fd < 0)
		die("cannot create a map");
	return fd;
}

static int create_frontends(size_t entries)
{
	return create(BPF_MAP_TYPE_HASH, "frontends", sizeof(struct pb_frontend_key),
		      sizeof(struct pb_frontend), entries, BPF_F_NO_PREALLOC);
}

static struct maps create_maps(const struct world *w)
{
	size_t all = (size_t)w->count * w->per_service;
	struct maps maps = {
		.frontends = create_frontends(w->count),
		.services = create(BPF_MAP_TYPE_ARRAY, "services", sizeof(__u32),
				   sizeof(struct pb_service), w->count, BPF_F_MMAPABLE),
		.backends = create(BPF_MAP_TYPE_ARRAY, "backends", sizeof(__u32),
				   sizeof(struct pb_backend), all, BPF_F_MMAPABLE),
	};

	return maps;
}

static void close_maps(struct maps maps)
{
	close(maps.frontends);
	close(maps.services);
	close(maps.backends);
}

static void update(int fd, const void *keys, size_t key, const void *values, size_t value,
		   size_t count)
{
	for (size_t from = 0; from < count; from += BATCH) {
		__u32 some = count - from < BATCH ? count - from : BATCH;

		if (bpf_map_update_batch(fd, (const char *)keys + from * key,
					 (const char *)values + from * value, &some, NULL))
			die("bpf_map_update_batch");
	}
}

static void update_frontends(const struct world *w, struct maps maps)
{
	update(maps.frontends, w->keys, sizeof(*w->keys), w->values, sizeof(*w->values), w->count);
}

static size_t page_up(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static void *map_array(int fd, size_t size)
{
	void *memory = mmap(NULL, page_up(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void load_batches(const struct world *w, struct maps maps)
{
	size_t all = (size_t)w->count * w->per_service;

	update(maps.backends, w->indexes, sizeof(__u32), w->backends, sizeof(*w->backends), all);
	update(maps.services, w->indexes, sizeof(__u32), w->services, sizeof(*w->services),
	       w->count);
	update_frontends(w, maps);
}

static void load_mapped(const struct world *w, struct maps maps)
{
	size_t backends = (size_t)w->count * w->per_service * sizeof(*w->backends);
	size_t services = w->count * sizeof(*w->services);
	void *at = map_array(maps.backends, backends);

	memcpy(at, w->backends, backends);
	munmap(at, page_up(backends));
	at = map_array(maps.services, services);
	memcpy(at, w->services, services);
	munmap(at, page_up(services));
	update_frontends(w, maps);
}

static int load(int services, int endpoints, int rounds)
{
	struct world w = make_world(services, endpoints);

	for (int round = 0; round < rounds; round++) {
		struct maps maps = create_maps(&w);
		double begin = now_us(), end;

		load_batches(&w, maps);
		end = now_us();
		printf("load services=%d endpoints=%d batch_us=%.1f", services, endpoints,
		       end - begin);
		close_maps(maps);
		maps = create_maps(&w);
		begin = now_us();
		load_mapped(&w, maps);
		end = now_us();
		printf(" mapped_us=%.1f\n", end - begin);
		close_maps(maps);
	}
	return 0;
}

/* As the prototype's "one Service": a new range of backends, and then the word that leads to it. */
static int change(int services, int endpoints, int changes)
{
	struct world w = make_world(services, endpoints);
	struct maps maps = create_maps(&w);
	double *times = zeroed(changes, sizeof(*times));
	unsigned int seed = 1;
	double begin = 0, total;

	load_batches(&w, maps);
	total = now_us();
	for (int i = 0; i < changes; i++) {
		__u32 which = rand_r(&seed) % services, count = endpoints;
		size_t base = (size_t)which * endpoints;

		put_address(w.backends[base].address, 0x0a000000 + i);
		w.services[which].word = word(i & 0xffffff, endpoints, base);
		begin = now_us();
		if (bpf_map_update_batch(maps.backends, w.indexes + base, w.backends + base, &count,
					 NULL) ||
		    bpf_map_update_elem(maps.services, &which, w.services + which, BPF_ANY))
			die("update");
		times[i] = now_us() - begin;
	}
	total = now_us() - total;
	qsort(times, changes, sizeof(*times), by_size);
	printf("change services=%d endpoints=%d count=%d p50_us=%.2f p99_us=%.2f per_second=%.0f\n",
	       services, endpoints, changes, times[changes / 2], times[(long)changes * 99 / 100],
	       changes / total * 1e6);
	return 0;
}

static int batch(int entries, int count, int calls)
{
	struct world w = make_world(entries, 1);
	int fd = create_frontends(entries);
	double *times = zeroed(calls, sizeof(*times));

	if (count > entries)
		return 2;
	for (int i = 0; i < calls; i++) {
		int from = (long)i * count % (entries - count + 1);
		__u32 some = count;
		double begin = now_us();

		if (bpf_map_update_batch(fd, w.keys + from, w.values + from, &some, NULL))
			die("bpf_map_update_batch");
		times[i] = now_us() - begin;
	}
	qsort(times, calls, sizeof(*times), by_size);
	printf("batch count=%d calls=%d p50_us=%.3f p99_us=%.3f\n", count, calls, times[calls / 2],
	       times[(long)calls * 99 / 100]);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &all); /* before Linux 5.11 maps count as locked memory */
	if (argc == 5) {
		int a = atoi(argv[2]), b = atoi(argv[3]), c = atoi(argv[4]);

		if (a < 1 || b < 1 || c < 1)
			argc = 0;
		else if (!strcmp(argv[1], "load"))
			return load(a, b, c);
		else if (!strcmp(argv[1], "change"))
			return change(a, b, c);
		else if (!strcmp(argv[1], "batch"))
			return batch(a, b, c);
	}
	fprintf(stderr, "usage: map_loader load SERVICES ENDPOINTS ROUNDS\n"
			"       map_loader change SERVICES ENDPOINTS CHANGES\n"
			"       map_loader batch ENTRIES COUNT CALLS\n");
	return 2;
}
