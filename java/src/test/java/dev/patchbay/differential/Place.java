// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

/** What kind of address a client connects to. */
enum Place {
  /** A cluster IP and a port of the Service. */
  CLUSTER_IP,
  /** A cluster IP and a port that the Service does not have. */
  OTHER_PORT,
  /** The node port at the node's primary address. */
  NODE_PORT,
  /** The node port at another address of the node. */
  NODE_PORT_SECOND,
  /** The node port at a loopback address. */
  NODE_PORT_LOOPBACK,
  /** An address of {@code externalIPs}. */
  EXTERNAL_IP,
  /** An address of the status of a load balancer. */
  LOAD_BALANCER
}
