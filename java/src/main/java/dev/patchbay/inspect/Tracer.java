// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceWord;
import java.util.List;

/** Follows a connection through the maps as the programs at connect time do. */
public final class Tracer {
  /** {@code PB_FRONTEND_REFUSE}; programs look at no other flag. */
  private static final int REFUSE_FLAG = 1;

  private static final Verdict UNKNOWN_PORT =
      new Verdict.Refused("ECONNREFUSED", "no Service has this port of the Service address");

  private final ObservedState observed;

  public Tracer(ObservedState observed) {
    this.observed = observed;
  }

  /**
   * What happens to a socket on this node that connects, or sends a datagram, to this destination.
   * At loopback and unspecified addresses that is true of sockets in the node's own network
   * namespace alone: elsewhere they mean the namespace that they are used in.
   *
   * @param address the destination, IPv4 as such or v4-mapped, which is the same
   * @param port 1 to 65535; others are never a Service's
   * @param protocol the socket's protocol
   */
  public Verdict trace(IpAddress address, int port, Protocol protocol) {
    if (port < 1 || port > 65535 || protocol == Protocol.SCTP) {
      return new Verdict.NotAService();
    }
    return switch (observed.frontends().get(frontend(address, port, protocol))) {
      case null -> new Verdict.NotAService();
      case FrontendValue.Refuse() -> UNKNOWN_PORT;
      case FrontendValue.NodeAddress() -> new Verdict.NotAService();
      case FrontendValue.Foreign(int service, int flags) ->
          (flags & REFUSE_FLAG) != 0 ? UNKNOWN_PORT : follow(service);
      case FrontendValue.ToService(int index) -> follow(index);
    };
  }

  /**
   * The frontend that decides about a destination: the exact one, the wildcard of its address, or,
   * at a node's address, the node port. It need not exist.
   *
   * @param port 1 to 65535
   * @param protocol TCP or UDP
   */
  public FrontendKey frontend(IpAddress address, int port, Protocol protocol) {
    FrontendKey exact = new FrontendKey(address, port, protocol, Scope.INTERNAL);
    if (observed.frontends().containsKey(exact)) {
      return exact;
    }
    FrontendKey wildcard = FrontendKey.wildcard(address);
    return switch (observed.frontends().get(wildcard)) {
      case null -> exact;
      case FrontendValue.NodeAddress _ -> FrontendKey.nodePort(address.family(), port, protocol);
      case FrontendValue _ -> wildcard;
    };
  }

  private static Verdict damaged(String what) {
    return new Verdict.Refused("ECONNREFUSED", "the maps are damaged: " + what);
  }

  private Verdict follow(int index) {
    if (index < 0 || index >= observed.capacity().services()) {
      return damaged("service " + index + " leaves the map");
    }
    ObservedService service = observed.services().get(index);
    ServiceWord word = service == null ? ServiceWord.NONE : service.word();
    if (word.count() == 0) {
      return service != null && service.settings().policyLocal()
          ? new Verdict.Refused("EHOSTUNREACH", "endpoints exist, but policy forbids them all")
          : new Verdict.Refused("ECONNREFUSED", "the Service has no endpoint");
    }
    if (word.base() + word.count() > observed.capacity().backends()) {
      return damaged("range of service " + index + " leaves the map");
    }
    List<Backend> set = observed.backends().read(word.base(), word.count());
    int affinity = service == null ? 0 : service.settings().affinitySeconds();
    return new Verdict.Candidates(index, set, affinity);
  }
}
