// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.List;
import java.util.Map;

/** A valid object of a kind that is read, before the control plane has seen it. Immutable. */
sealed interface ManifestObject {
  ObjectId id();

  Origin origin();

  default ObjectKey key() {
    return id().key();
  }

  /**
   * A Service.
   *
   * @param written as its manifest has it: without cluster IPs, and with the node ports it demands
   * @param families of the cluster IPs that it wants, the primary first; also for a headless one,
   *     whose endpoints they are; empty for an ExternalName
   * @param addresses the cluster IPs that it demands, one per family at most, in service ranges
   * @param opensNodePorts whether ports without a node port get one
   * @param automaticTopology whether the annotation {@code topology-mode: Auto} decides about
   *     hints, in place of {@code trafficDistribution}
   */
  record ServiceObject(
      ObjectId id,
      Origin origin,
      Service written,
      List<IpFamily> families,
      List<IpAddress> addresses,
      boolean opensNodePorts,
      boolean automaticTopology)
      implements ManifestObject {
    /** Whether it has an address of its own: neither headless nor an ExternalName. */
    boolean wantsAddresses() {
      return !written.headless() && written.type() != ServiceType.EXTERNAL_NAME;
    }

    /** Whether its type has node ports. */
    boolean wantsNodePorts() {
      return written.type() == ServiceType.NODE_PORT || written.type() == ServiceType.LOAD_BALANCER;
    }

    /** Whether a load balancer asks a node port for the number of local endpoints. */
    boolean wantsHealthCheck() {
      return written.type() == ServiceType.LOAD_BALANCER
          && written.externalPolicy() == TrafficPolicy.LOCAL;
    }

    /** What its endpoints' hints follow from; empty: they get none. */
    String distribution() {
      return automaticTopology ? "" : written.trafficDistribution();
    }
  }

  /**
   * An EndpointSlice.
   *
   * @param service the name of its Service; empty if it names none
   * @param generated whether a cluster's control plane made it from Pods or Endpoints
   */
  record SliceObject(
      ObjectId id, Origin origin, String service, boolean generated, EndpointSlice slice)
      implements ManifestObject {}

  /**
   * Endpoints, already in the form of slices.
   *
   * @param slices one per subset and family
   */
  record EndpointsObject(ObjectId id, Origin origin, List<EndpointSlice> slices)
      implements ManifestObject {}

  /**
   * A Pod.
   *
   * @param addresses at most one per family; empty if it has none yet
   * @param ready whether its {@code Ready} condition says so; a Pod that has an address and neither
   *     conditions nor a phase other than {@code Running} counts as ready, because a manifest
   *     written by hand seldom has them
   * @param terminating whether it has a {@code deletionTimestamp}
   * @param finished whether its phase is {@code Succeeded} or {@code Failed}
   * @param nodeName empty if unknown
   * @param ports of its containers and its sidecars
   */
  record PodObject(
      ObjectId id,
      Origin origin,
      Map<String, String> labels,
      List<IpAddress> addresses,
      boolean ready,
      boolean terminating,
      boolean finished,
      String nodeName,
      List<ContainerPort> ports)
      implements ManifestObject {}

  /** A port of a container; the name is empty if it has none. */
  record ContainerPort(String name, Protocol protocol, int port) {}

  /** A Node. */
  record NodeObject(ObjectId id, Origin origin, NodeInfo info) implements ManifestObject {}
}
