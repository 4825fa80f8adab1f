// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.OptionalLong;

/**
 * How full a map is.
 *
 * @param map its name
 * @param used entries in use; empty where that has no meaning (storage that belongs to sockets)
 * @param capacity entries it can hold, bytes for a ring buffer; 0 where there is no limit
 */
public record MapUsage(String map, OptionalLong used, int capacity) {}
