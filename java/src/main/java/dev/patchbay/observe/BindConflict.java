// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;

/**
 * A {@code bind()} in the node's own network namespace that was refused, because Services hold the
 * port as a node port: a listener there would never be reached through the node's addresses.
 *
 * @param nanos when, in nanoseconds of {@code CLOCK_MONOTONIC}, the clock of {@link
 *     System#nanoTime}
 * @param address what the socket was to be bound to; an unspecified address means all
 * @param port the port, host byte order, 1 to 65535
 * @param protocol TCP or UDP
 * @param service the index in {@code services} of the Service port that holds the node port
 * @param process the number of the calling process, in the initial PID namespace
 * @param thread the number of the calling thread, in the initial PID namespace
 * @param command the name of the calling thread, at most 15 bytes; what is no printable character
 *     is replaced by {@code ?}, because the thread chose it itself
 * @param cgroup the kernel's number of the caller's cgroup in the v2 hierarchy
 * @param namespace the cookie of the network namespace
 */
public record BindConflict(
    long nanos,
    IpAddress address,
    int port,
    Protocol protocol,
    int service,
    int process,
    int thread,
    String command,
    long cgroup,
    long namespace) {}
