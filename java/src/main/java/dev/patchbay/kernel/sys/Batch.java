// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * The result of a batched map call.
 *
 * @param result 0, or {@code -errno}
 * @param count how many entries were dealt with before that
 */
public record Batch(int result, int count) {}
