// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * {@code struct bpf_link_info} of a link to a cgroup.
 *
 * @param id of the link
 * @param cgroupLink whether it is a link to a cgroup; if not, the last two parts are 0
 * @param programId of the program behind it
 * @param cgroupId of the cgroup, 0 once that is gone
 * @param attachType a number of {@code enum bpf_attach_type}
 */
public record LinkInfo(int id, boolean cgroupLink, int programId, long cgroupId, int attachType) {}
