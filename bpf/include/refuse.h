/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * refuse.h - how a call is made to fail.
 */
#ifndef PATCHBAY_REFUSE_H
#define PATCHBAY_REFUSE_H

#include <linux/errno.h>
#include "counters.h"
#include "peer.h"
#include "verdict.h"

/* The errno of a refused bind(): what a program that can only say "no" makes the kernel answer. */
#ifndef PB_NO_SET_RETVAL
#define PB_BIND_ERROR EADDRINUSE
#else
#define PB_BIND_ERROR EPERM
#endif

/* The errno of a call that is refused with verdict, as the caller sees it. */
static __always_inline __u16 pb_refusal_error(int verdict)
{
#ifndef PB_NO_SET_RETVAL
	return -verdict;
#else
	(void)verdict;
	return ECONNREFUSED;
#endif
}

static __always_inline int pb_refuse_for(enum pb_counter reason, int error)
{
	pb_count(reason);
	return error;
}

/* Carries out a verdict about a bind() that is a negative errno. There is no address to put elsewhere. */
static __always_inline int pb_refuse_bind(int verdict)
{
	if (verdict >= 0)
		return verdict;
#ifndef PB_NO_SET_RETVAL
	bpf_set_retval(verdict);
#endif
	return PB_REFUSED;
}

/*
 * Carries out a verdict that is a negative errno; any other passes through.
 *
 * The helper that sets the errno is newer than these hooks, and a program that merely contains a
 * call to a helper which the kernel does not know is rejected at load, reachable or not. That is why
 * there are two objects, and this file is the only place where their sources differ.
 */
static __always_inline int pb_refuse(int verdict, struct pb_peer *peer)
{
	if (verdict >= 0)
		return verdict;
#ifndef PB_NO_SET_RETVAL
	(void)peer; /* stays what the caller asked for */
	bpf_set_retval(verdict);
	return PB_REFUSED;
#else
	/*
	 * Without it a program can only make a call fail with EPERM, which clients take for a policy
	 * and not for "try the next address". So send it to tcpmux on loopback, where nobody listens,
	 * and let the kernel refuse. The errno is ECONNREFUSED whatever the reason.
	 */
	if (pb_is_v4(peer)) {
		pb_set_v4(peer, bpf_htonl(0x7f000001), bpf_htons(1));
	} else {
		peer->halves[0] = 0;
		peer->halves[1] = bpf_cpu_to_be64(1);
		peer->port = bpf_htons(1);
	}
	return PB_TRANSLATED;
#endif
}

#endif
