// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/**
 * Totals since the maps were created, summed over the CPUs; {@code enum pb_counter}.
 *
 * @param tcpConnects TCP connects translated
 * @param udpConnects UDP connects translated
 * @param udpSends datagrams of unconnected sockets translated
 * @param udpReplies datagrams whose source was translated back
 * @param refusedNoEndpoint refused: the Service has no endpoint
 * @param refusedPolicy refused: endpoints exist, policy forbids them all
 * @param refusedUnknownPort refused: no Service has this port
 * @param affinityKept choices decided by session affinity
 * @param stateFailed socket storage could not be written
 * @param corrupt a frontend, word or range pointed nowhere
 * @param refusedBind binds to a node port refused in the node's network namespace
 * @param eventsLost events for which the ring buffer had no room
 * @param statsFailed connections that could not be counted per Service or backend, because a map
 *     was full
 */
public record Counters(
    long tcpConnects,
    long udpConnects,
    long udpSends,
    long udpReplies,
    long refusedNoEndpoint,
    long refusedPolicy,
    long refusedUnknownPort,
    long affinityKept,
    long stateFailed,
    long corrupt,
    long refusedBind,
    long eventsLost,
    long statsFailed) {}
