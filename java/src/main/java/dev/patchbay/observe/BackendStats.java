// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/**
 * What sockets did at one backend of a Service port, summed over the CPUs; {@code struct
 * pb_backend_stats}.
 *
 * @param connects TCP and UDP connects translated to it
 * @param closed of {@code connects}, those no longer open
 * @param failed of {@code closed}, TCP connects never established
 * @param sends datagrams of unconnected sockets for which it was chosen anew
 */
public record BackendStats(long connects, long closed, long failed, long sends) {}
