// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * {@code struct bpf_prog_info}, as far as it is used here.
 *
 * @param id of the program
 * @param name at most 15 characters
 */
public record ProgramInfo(int id, String name) {}
