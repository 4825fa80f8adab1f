// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * What a connect() on a node has to come to, worked out for one destination at a time, by going
 * through all Services from the beginning. It is written from the rules alone (those of kube-proxy,
 * KEP-1669, KEP-2086, KEP-2433, KEP-3015, and decision record 0001 where we differ) and shares no
 * code with what it judges, so it may use the model and nothing else of ours.
 */
public final class NaiveProxy {
  /** What a connect() comes to. */
  public sealed interface Verdict {}

  /**
   * It reaches one of these.
   *
   * @param backends {@code address:port}; not empty
   * @param affinitySeconds 0 if each connect() may reach another
   */
  public record Reaches(Set<String> backends, int affinitySeconds) implements Verdict {}

  /** It fails with an error of this name. */
  public record Fails(String errno) implements Verdict {}

  /** It is none of our business. */
  public record Untouched() implements Verdict {}

  /** The only value of its kind. */
  public static final Verdict UNTOUCHED = new Untouched();

  private static final Verdict REFUSED = new Fails("ECONNREFUSED");
  private static final Verdict UNREACHABLE = new Fails("EHOSTUNREACH");

  private final List<ServiceState> byPrecedence;
  private final NodeFacts node;

  /** A proxy on a node. */
  public NaiveProxy(Collection<ServiceState> cluster, NodeFacts node) {
    this.node = node;
    byPrecedence =
        cluster.stream()
            .sorted(
                Comparator.comparingLong((ServiceState state) -> state.service().createdMillis())
                    .thenComparing(state -> state.key().namespace())
                    .thenComparing(state -> state.key().name()))
            .toList();
  }

  /**
   * The verdict on a connect() to {@code address} and {@code port}.
   *
   * @param onHostNetwork whether the client is in the node's own network namespace
   */
  public Verdict connect(IpAddress address, int port, Protocol protocol, boolean onHostNetwork) {
    if (address.isUnspecified()) { // as a destination it is this host
      String loopback = address.family() == IpFamily.IPV4 ? "127.0.0.1" : "::1";
      return connect(IpAddress.of(loopback), port, protocol, onHostNetwork);
    }
    // Who has the address and port? Among equals the older Service, then the name.
    for (ServiceState state : byPrecedence) {
      for (ServicePort servicePort : served(state.service(), address.family())) {
        if (servicePort.protocol() == protocol && servicePort.port() == port) {
          if (state.service().clusterIps().contains(address)) {
            return balance(state, servicePort, address, state.service().internalPolicy());
          }
          if (isExternalAddress(state, address)) {
            return balance(state, servicePort, address, TrafficPolicy.CLUSTER);
          }
        }
      }
    }
    boolean loopback = address.toString().startsWith("127.") || address.toString().equals("::1");
    if (node.addresses().contains(address)) {
      if (loopback && !onHostNetwork) {
        return UNTOUCHED;
      }
      for (ServiceState state : byPrecedence) {
        for (ServicePort servicePort : served(state.service(), address.family())) {
          if (servicePort.protocol() == protocol && servicePort.nodePort() == port) {
            return balance(state, servicePort, address, TrafficPolicy.CLUSTER);
          }
        }
      }
      return UNTOUCHED;
    }
    boolean isClusterIp =
        byPrecedence.stream().anyMatch(state -> clusterIps(state.service()).contains(address));
    return isClusterIp ? REFUSED : UNTOUCHED;
  }

  /** The ports that a Service has in a family; of two with one number, the first by name counts. */
  private static List<ServicePort> served(Service service, IpFamily family) {
    return clusterIps(service).stream().anyMatch(ip -> ip.family() == family)
        ? service.ports().stream().sorted(Comparator.comparing(ServicePort::name)).toList()
        : List.of();
  }

  private static List<IpAddress> clusterIps(Service service) {
    return service.headless() || service.type() == ServiceType.EXTERNAL_NAME
        ? List.of()
        : service.clusterIps();
  }

  /** An external address must not take over the cluster IP of somebody else. */
  private boolean isExternalAddress(ServiceState state, IpAddress address) {
    boolean wanted =
        state.service().externalIps().contains(address)
            || state.service().loadBalancerIps().contains(address);
    return wanted
        && byPrecedence.stream()
            .noneMatch(
                other ->
                    !other.key().equals(state.key())
                        && clusterIps(other.service()).contains(address));
  }

  private Verdict balance(
      ServiceState state, ServicePort port, IpAddress address, TrafficPolicy policy) {
    if (port.protocol() == Protocol.SCTP) {
      throw new IllegalArgumentException("SCTP is not connected to");
    }
    boolean anything = state.service().publishNotReadyAddresses();
    List<Entry> all = entries(state, port, address.family());
    Predicate<Entry> ready = e -> e.is().ready() || anything;
    Predicate<Entry> draining = e -> e.is().serving() && e.is().terminating();
    List<Entry> chosen;
    if (policy == TrafficPolicy.LOCAL) {
      List<Entry> local =
          all.stream().filter(e -> e.is().nodeName().equals(node.nodeName())).toList();
      chosen = firstNotEmpty(pick(local, ready), pick(local, draining));
    } else {
      chosen = firstNotEmpty(near(pick(all, ready)), pick(all, draining));
    }
    if (!chosen.isEmpty()) {
      Set<String> names = new TreeSet<>();
      chosen.forEach(e -> names.add(e.is().address().withPort(e.port())));
      return new Reaches(names, state.service().affinitySeconds());
    }
    boolean elsewhere = !pick(all, ready.or(draining)).isEmpty();
    return policy == TrafficPolicy.LOCAL && elsewhere ? UNREACHABLE : REFUSED;
  }

  /** Those that hints mean for this node, else for this zone; all if a single one lacks hints. */
  private List<Entry> near(List<Entry> ready) {
    if (ready.stream().noneMatch(e -> e.is().hints().nodes().isEmpty())) {
      List<Entry> here = pick(ready, e -> e.is().hints().nodes().contains(node.nodeName()));
      if (!here.isEmpty()) {
        return here;
      }
    }
    if (ready.stream().noneMatch(e -> e.is().hints().zones().isEmpty())) {
      List<Entry> here = pick(ready, e -> e.is().hints().zones().contains(node.zone()));
      if (!here.isEmpty()) {
        return here;
      }
    }
    return ready;
  }

  private record Entry(Endpoint is, int port) {}

  /** All endpoints of a port, each address and port once: the best of those that have them. */
  private List<Entry> entries(ServiceState state, ServicePort port, IpFamily family) {
    List<Entry> entries = new ArrayList<>();
    for (EndpointSlice slice : state.slices()) {
      for (EndpointPort served : slice.ports()) {
        if (slice.family() == family
            && served.name().equals(port.name())
            && served.protocol() == port.protocol()) {
          slice.endpoints().forEach(endpoint -> entries.add(new Entry(endpoint, served.port())));
        }
      }
    }
    boolean anything = state.service().publishNotReadyAddresses();
    List<Entry> best = new ArrayList<>();
    for (Entry entry : entries) {
      Optional<Entry> same =
          best.stream()
              .filter(e -> e.port == entry.port && e.is().address().equals(entry.is().address()))
              .findFirst();
      if (same.isEmpty()) {
        best.add(entry);
      } else if (rank(entry, anything) > rank(same.get(), anything)) {
        best.set(best.indexOf(same.get()), entry);
      }
    }
    return best;
  }

  /** Who stays beats who goes, then who is ready, then who still serves, then who is here. */
  private int rank(Entry entry, boolean anything) {
    int standing = entry.is().ready() || anything ? 4 : entry.is().serving() ? 2 : 0;
    return (entry.is().terminating() ? 0 : 8)
        + standing
        + (entry.is().nodeName().equals(node.nodeName()) ? 1 : 0);
  }

  private static List<Entry> pick(List<Entry> from, Predicate<Entry> which) {
    return from.stream().filter(which).toList();
  }

  private static List<Entry> firstNotEmpty(List<Entry> first, List<Entry> second) {
    return first.isEmpty() ? second : first;
  }
}
