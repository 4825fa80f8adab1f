// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.model.ObjectKey;
import org.jspecify.annotations.Nullable;

/**
 * Something that is served, or known, and close to a destination that is not served.
 *
 * @param kind how it is close
 * @param service whose it is; null if that is unknown or it is nobody's
 * @param sentence in words; lower case, without a full stop
 */
public record NearMiss(Kind kind, @Nullable ObjectKey service, String sentence) {
  /** How something is close to a destination; the closest first. */
  public enum Kind {
    /** The same address and port are served, with another protocol. */
    OTHER_PROTOCOL,
    /** The port is that of a Service's endpoints, in place of the Service's own. */
    TARGET_PORT,
    /** The same address is served, at other ports. */
    OTHER_PORT,
    /** The address is a node's, and no Service has that node port. */
    NO_SUCH_NODE_PORT,
    /** The address is a node's; the port is a Service's own, in place of its node port. */
    PORT_OF_SERVICE,
    /** The port is a node port, and the address is none at which node ports are served. */
    NODE_PORT_ELSEWHERE,
    /** The address is an endpoint's. */
    ENDPOINT,
    /** The address is that of a load balancer that takes connections itself. */
    PROXIED_LOAD_BALANCER,
    /** An address that differs by one character is served, at the same port. */
    SIMILAR_ADDRESS,
    /** The address in the other family that goes with this one is served, at the same port. */
    OTHER_FAMILY,
    /** The address is among cluster IPs, and no Service has it. */
    UNASSIGNED
  }
}
