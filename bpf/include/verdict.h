/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * verdict.h - what is to become of a call.
 */
#ifndef PATCHBAY_VERDICT_H
#define PATCHBAY_VERDICT_H

/*
 * A step that decides about a call answers with one of these, or with a negative errno: the call
 * is to fail with it.
 */
enum pb_verdict {
	PB_UNTOUCHED = 0, /* not ours: leave the address as it is */
	PB_TRANSLATED = 1, /* the peer was replaced: write it back */
	PB_CONTINUE = 2, /* undecided: the next step follows */
	PB_REFUSED = 3, /* the call fails, and its errno is set */
};

#endif
