// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;

/**
 * A socket that was translated to a backend which its Service does not have any more; {@code struct
 * pb_stale_socket}.
 *
 * @param cookie the kernel's number of the socket, never used again; 0 if it has none (before 5.12)
 * @param namespaceCookie of its network namespace; 0 if the kernel cannot say
 * @param namespaceInode of its network namespace, as in {@code /proc/PID/ns/net}
 * @param interfaceIndex what it is bound to; 0: to none
 * @param source its own address
 * @param sourcePort its own port, host byte order
 * @param backend what it is connected to
 * @param backendPort the port of that, host byte order
 * @param service the address that it asked for
 * @param servicePort the port of that, host byte order
 * @param protocol TCP or UDP
 * @param inet6 whether it is of {@code AF_INET6}; it may have IPv4 addresses all the same
 */
public record StaleSocket(
    long cookie,
    long namespaceCookie,
    long namespaceInode,
    int interfaceIndex,
    IpAddress source,
    int sourcePort,
    IpAddress backend,
    int backendPort,
    IpAddress service,
    int servicePort,
    Protocol protocol,
    boolean inet6) {}
