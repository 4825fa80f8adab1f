// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * One endpoint of an EndpointSlice.
 *
 * @param address its address
 * @param ready {@code conditions.ready}; true where unknown
 * @param serving {@code conditions.serving}; equals {@code ready} where unknown
 * @param terminating {@code conditions.terminating}
 * @param nodeName the node it runs on; empty where unknown
 * @param target the name of the Pod behind it, in the Service's namespace; empty where unknown
 */
public record Endpoint(
    IpAddress address,
    boolean ready,
    boolean serving,
    boolean terminating,
    String nodeName,
    String target) {}
