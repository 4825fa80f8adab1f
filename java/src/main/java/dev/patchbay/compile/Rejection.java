// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.FrontendKey;
import java.util.Comparator;

/**
 * Something wanted that compilation could not grant. All else of the same Service is in force.
 *
 * <p>Order: by Service port, then by sentence.
 */
public sealed interface Rejection extends Comparable<Rejection> {
  /** The kinds of rejections. */
  enum Kind {
    FRONTEND_TAKEN,
    CLUSTER_IP_TAKEN,
    ADDRESS_NAMES_NO_HOST,
    ADDRESS_RESERVED,
    ADDRESS_NOT_ALLOWED,
    PROTOCOL_UNSUPPORTED,
    FAMILY_NOT_SERVED,
    PORT_REPEATED,
    ENDPOINTS_OVER_LIMIT
  }

  /** The order of {@link #compareTo}. */
  Comparator<Rejection> ORDER =
      Comparator.comparing(Rejection::who).thenComparing(Rejection::sentence);

  /** Whose wish it was. */
  ServicePortKey who();

  /** What kind of rejection it is, for counting. */
  default Kind kind() {
    return switch (this) {
      case FrontendTaken _ -> Kind.FRONTEND_TAKEN;
      case ClusterIpTaken _ -> Kind.CLUSTER_IP_TAKEN;
      case AddressNamesNoHost _ -> Kind.ADDRESS_NAMES_NO_HOST;
      case AddressReserved _ -> Kind.ADDRESS_RESERVED;
      case AddressNotAllowed _ -> Kind.ADDRESS_NOT_ALLOWED;
      case ProtocolUnsupported _ -> Kind.PROTOCOL_UNSUPPORTED;
      case FamilyNotServed _ -> Kind.FAMILY_NOT_SERVED;
      case PortRepeated _ -> Kind.PORT_REPEATED;
      case EndpointsOverLimit _ -> Kind.ENDPOINTS_OVER_LIMIT;
    };
  }

  /** What was refused and why, in one sentence without a full stop, without {@link #who}. */
  String sentence();

  @Override
  default int compareTo(Rejection other) {
    return ORDER.compare(this, other);
  }

  /**
   * Another Service port has the frontend: its Service is older, or of the same age and first by
   * name. As soon as the winner gives the frontend up, the loser gets it.
   *
   * @param who the loser
   * @param frontend the contested frontend
   * @param winner who has it
   */
  record FrontendTaken(ServicePortKey who, FrontendKey frontend, ServicePortKey winner)
      implements Rejection {
    @Override
    public String sentence() {
      return "frontend " + frontend + " belongs to " + winner + ", which takes precedence";
    }
  }

  /**
   * An external address is the cluster IP of another Service, which nobody may take over, on
   * whatever port and however old he is: all clients of that Service would be his.
   *
   * @param who whose external address it is
   * @param frontend what is not granted
   * @param owner whose cluster IP it is; if several share it, the first of them
   */
  record ClusterIpTaken(ServicePortKey who, FrontendKey frontend, ObjectKey owner)
      implements Rejection {
    @Override
    public String sentence() {
      return "external address " + frontend + " is not served: it is the cluster IP of " + owner;
    }
  }

  /**
   * An external address that names no host of its own: to serve it would take the address away from
   * everybody who means himself by it.
   *
   * @param who the first port of the Service, in that family
   * @param address unspecified, of loopback, or of multicast
   */
  record AddressNamesNoHost(ServicePortKey who, IpAddress address) implements Rejection {
    @Override
    public String sentence() {
      return "external address " + address + " is not served: it names no host";
    }
  }

  /**
   * An address that Patchbay keeps for itself, see {@link Reserved}.
   *
   * @param who the first port of the Service, in that family
   * @param address the address that is not served
   */
  record AddressReserved(ServicePortKey who, IpAddress address) implements Rejection {
    @Override
    public String sentence() {
      return "address " + address + " is not served: Patchbay checks its own health with it";
    }
  }

  /**
   * An external address outside of the ranges in which this node serves them: whoever may write a
   * Service could otherwise draw to himself what is meant for any address.
   *
   * @param who the first port of the Service, in that family
   * @param address the address that is not served
   */
  record AddressNotAllowed(ServicePortKey who, IpAddress address) implements Rejection {
    @Override
    public String sentence() {
      return "external address "
          + address
          + " is not served: it lies outside of --external-address-cidrs";
    }
  }

  /**
   * The dataplane does not balance the protocol; the port has no frontend.
   *
   * @param who the port, of a protocol other than TCP and UDP
   */
  record ProtocolUnsupported(ServicePortKey who) implements Rejection {
    @Override
    public String sentence() {
      return "protocol " + who.protocol() + " is not supported; only TCP and UDP are";
    }
  }

  /**
   * An external address of a family in which the Service has no cluster IP, so no endpoints either.
   *
   * @param who the first port of the Service, in that family
   * @param address the address that is not served
   */
  record FamilyNotServed(ServicePortKey who, IpAddress address) implements Rejection {
    @Override
    public String sentence() {
      return "external address "
          + address
          + " is not served: the Service has no "
          + address.family()
          + " cluster IP";
    }
  }

  /**
   * Another port of the same Service has this name and protocol; only the first counts.
   *
   * @param who the name and protocol
   * @param port the number of the port that is not used
   */
  record PortRepeated(ServicePortKey who, int port) implements Rejection {
    @Override
    public String sentence() {
      return "port " + port + " has the name and protocol of an earlier port of the same Service";
    }
  }

  /**
   * More endpoints than a Service port can have. The port works, with the lowest {@code limit} of
   * them.
   *
   * @param who the port
   * @param endpoints how many could have been chosen
   * @param limit how many were
   */
  record EndpointsOverLimit(ServicePortKey who, int endpoints, int limit) implements Rejection {
    @Override
    public String sentence() {
      return "has " + endpoints + " endpoints; only the first " + limit + " are used";
    }
  }
}
