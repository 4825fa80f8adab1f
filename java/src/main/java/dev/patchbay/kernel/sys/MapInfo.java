// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * {@code struct bpf_map_info}: what the kernel knows about a map.
 *
 * @param id of this map, unique while it lives
 * @param name at most 15 characters of the name it was created with
 * @param shape what makes two maps interchangeable
 */
public record MapInfo(int id, String name, MapShape shape) {}
