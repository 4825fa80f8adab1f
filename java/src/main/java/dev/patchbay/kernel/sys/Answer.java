// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import org.jspecify.annotations.Nullable;

/**
 * The result of a function that fills a structure.
 *
 * @param result 0 or more, or {@code -errno}
 * @param value null if and only if {@code result} is negative
 */
public record Answer<T>(int result, @Nullable T value) {}
