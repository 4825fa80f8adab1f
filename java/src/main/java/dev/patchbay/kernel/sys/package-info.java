// SPDX-License-Identifier: Apache-2.0
/**
 * libbpf and libc, function by function, under their C names. Nothing here knows what Patchbay is.
 *
 * <p>Results follow the convention of system calls: zero or more is success, a negative number is
 * {@code -errno}, whether the C function returns it or leaves it in {@code errno}. Names from the
 * generated bindings stay inside this package.
 */
@NullMarked
package dev.patchbay.kernel.sys;

import org.jspecify.annotations.NullMarked;
