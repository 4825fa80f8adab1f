// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.Scope;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What somebody may have meant who asks about a destination that is no frontend. What is served
 * comes from the maps; whose it is, and everything else, from what is known of Services. Takes time
 * in proportion to both.
 */
public final class NearMisses {
  /** Of one kind; the rest is counted. */
  private static final int SHOWN = 3;

  /** Where all cluster IPs of a family are is told as a range of at least this many addresses. */
  private static final int HOST_BITS = 8;

  /** Cluster IPs that are further apart say nothing about what lies between them. */
  private static final int MOST_HOST_BITS = 24;

  private final ObservedState observed;
  private final Function<FrontendKey, @Nullable ObjectKey> owner;
  private final List<ServiceState> services;
  private final NodeFacts node;
  private final IpAddress address;
  private final int port;
  private final Protocol protocol;
  private final List<NearMiss> misses = new ArrayList<>();

  private NearMisses(
      ObservedState observed,
      Function<FrontendKey, @Nullable ObjectKey> owner,
      Collection<ServiceState> services,
      NodeFacts node,
      FrontendKey destination) {
    if (destination.protocol() == null) {
      throw new IllegalArgumentException("a wildcard is no destination: " + destination);
    }
    this.observed = observed;
    this.owner = owner;
    this.services = services.stream().sorted(Comparator.comparing(ServiceState::key)).toList();
    this.node = node;
    address = destination.address();
    port = destination.port();
    protocol = destination.protocol();
  }

  /**
   * The nearest misses, the closest first.
   *
   * @param observed the maps
   * @param owner who a frontend belongs to, as far as that is known
   * @param services what is known of Services; empty if nothing is
   * @param node what they are compiled for
   * @param destination an address with a port and a protocol
   */
  public static List<NearMiss> of(
      ObservedState observed,
      Function<FrontendKey, @Nullable ObjectKey> owner,
      Collection<ServiceState> services,
      NodeFacts node,
      FrontendKey destination) {
    NearMisses search = new NearMisses(observed, owner, services, node, destination);
    search.sameAddress();
    search.nodePorts();
    search.endpoints();
    search.proxiedLoadBalancers();
    search.similarAddresses();
    search.otherFamily();
    search.unassigned();
    search.misses.sort(Comparator.comparing(NearMiss::kind)); // stable
    return List.copyOf(search.misses);
  }

  private void add(NearMiss.Kind kind, @Nullable ObjectKey service, String sentence) {
    misses.add(new NearMiss(kind, service, sentence));
  }

  private String number() {
    return port(port, protocol);
  }

  private static String port(int port, @Nullable Protocol protocol) {
    return port + "/" + (protocol == null ? "*" : protocol.lowerCase());
  }

  private FrontendKey frontend(IpAddress at) {
    return new FrontendKey(at, port, protocol, Scope.INTERNAL);
  }

  /** Text of what a frontend belongs to. */
  private String whose(FrontendKey frontend) {
    ObjectKey key = owner.apply(frontend);
    return key == null ? "a Service without a name in the snapshot" : key.toString();
  }

  private boolean serves(FrontendKey frontend) {
    return observed.frontends().get(frontend) instanceof FrontendValue.ToService;
  }

  // --- The same address -------------------------------------------------------------------------

  private void sameAddress() {
    Map<String, TreeSet<FrontendKey>> ports = new TreeMap<>();
    for (FrontendKey frontend : observed.frontends().keySet()) {
      if (frontend.isWildcard() || !frontend.address().equals(address)) {
        continue;
      }
      if (frontend.port() == port && frontend.protocol() != protocol) {
        add(
            NearMiss.Kind.OTHER_PROTOCOL,
            owner.apply(frontend),
            frontend + ", the same port with another protocol, is served by " + whose(frontend));
      } else {
        ports.computeIfAbsent(whose(frontend), w -> new TreeSet<>()).add(frontend);
      }
    }
    ports.forEach(
        (whose, frontends) ->
            add(
                NearMiss.Kind.OTHER_PORT,
                owner.apply(frontends.first()),
                "the address serves "
                    + listed(
                        frontends.stream().map(f -> port(f.port(), f.protocol())).toList(),
                        2 * SHOWN)
                    + " of "
                    + whose));
    for (ServiceState state : services) {
      if (addresses(state.service()).contains(address)) {
        for (ServicePort each : state.service().ports()) {
          if (each.port() != port && each.protocol() == protocol && leadsTo(state, each, port)) {
            add(
                NearMiss.Kind.TARGET_PORT,
                state.key(),
                port
                    + " is a port of the endpoints of "
                    + state.key()
                    + "; its clients use "
                    + port(each.port(), protocol));
          }
        }
      }
    }
  }

  /** Every address at which it is served, node ports apart. */
  private static List<IpAddress> addresses(Service service) {
    List<IpAddress> addresses = new ArrayList<>(service.clusterIps());
    addresses.addAll(service.externalIps());
    addresses.addAll(service.loadBalancerIps());
    return addresses;
  }

  /** Whether endpoints behind a port of a Service listen on a number. */
  private static boolean leadsTo(ServiceState state, ServicePort servicePort, int number) {
    if (servicePort.targetPort().equals(Integer.toString(number))) {
      return true;
    }
    for (EndpointSlice slice : state.slices()) {
      for (EndpointPort each : slice.ports()) {
        if (each.port() == number
            && each.protocol() == servicePort.protocol()
            && each.name().equals(servicePort.name())) {
          return true;
        }
      }
    }
    return false;
  }

  // --- Node ports -------------------------------------------------------------------------------

  private boolean isNodeAddress() {
    return node.addresses().contains(address)
        || observed.frontends().get(FrontendKey.wildcard(address))
            instanceof FrontendValue.NodeAddress;
  }

  private void nodePorts() {
    if (!isNodeAddress()) {
      FrontendKey nodePort = FrontendKey.nodePort(address.family(), port, protocol);
      if (serves(nodePort) && !address.isUnspecified()) {
        add(
            NearMiss.Kind.NODE_PORT_ELSEWHERE,
            owner.apply(nodePort),
            number()
                + " is a node port of "
                + whose(nodePort)
                + "; node ports are served at "
                + places());
      }
      return;
    }
    String absent = "the address is a node's, and no Service has node port " + number();
    Protocol other = protocol == Protocol.TCP ? Protocol.UDP : Protocol.TCP;
    FrontendKey otherProtocol = FrontendKey.nodePort(address.family(), port, other);
    if (serves(otherProtocol)) {
      absent += "; node port " + port(port, other) + " is that of " + whose(otherProtocol);
    }
    add(NearMiss.Kind.NO_SUCH_NODE_PORT, owner.apply(otherProtocol), absent);
    List<NearMiss> found = new ArrayList<>();
    for (ServiceState state : services) {
      for (ServicePort each : state.service().ports()) {
        if (each.port() == port && each.protocol() == protocol && each.nodePort() != 0) {
          found.add(
              new NearMiss(
                  NearMiss.Kind.PORT_OF_SERVICE,
                  state.key(),
                  "the node port for "
                      + number()
                      + " of "
                      + state.key()
                      + " is "
                      + each.nodePort()));
        }
      }
    }
    addSome(found, "Services with that port have node ports");
  }

  /** At which addresses of the family node ports are served. */
  private String places() {
    List<String> places =
        node.addresses().stream()
            .filter(a -> a.family() == address.family())
            .map(IpAddress::toString)
            .toList();
    return places.isEmpty() ? "no " + address.family() + " address" : listed(places, SHOWN);
  }

  // --- Endpoints and load balancers -------------------------------------------------------------

  private void endpoints() {
    List<NearMiss> found = new ArrayList<>();
    for (ServiceState state : services) {
      state.slices().stream()
          .flatMap(slice -> slice.endpoints().stream())
          .filter(endpoint -> endpoint.address().equals(address))
          .findFirst()
          .ifPresent(endpoint -> found.add(endpoint(state, endpoint)));
    }
    addSome(found, "Services have it as an endpoint");
  }

  private NearMiss endpoint(ServiceState state, Endpoint endpoint) {
    Service service = state.service();
    String who =
        (endpoint.target().isEmpty() ? "" : ", Pod " + endpoint.target())
            + (endpoint.nodeName().isEmpty() ? "" : " on node " + endpoint.nodeName());
    String how;
    if (service.headless()) {
      how = ", which is headless: clients connect to its endpoints themselves";
    } else {
      how =
          service.clusterIps().stream()
              .filter(ip -> ip.family() == address.family())
              .findFirst()
              .map(
                  ip ->
                      "; its clients use "
                          + listed(
                              service.ports().stream()
                                  .filter(p -> p.protocol() == protocol && leadsTo(state, p, port))
                                  .map(p -> ip.withPort(p.port()) + "/" + protocol.lowerCase())
                                  .toList(),
                              SHOWN,
                              ip.toString()))
              .orElse("");
    }
    return new NearMiss(
        NearMiss.Kind.ENDPOINT,
        state.key(),
        "the address is an endpoint of " + state.key() + who + how);
  }

  private void proxiedLoadBalancers() {
    for (ServiceState state : services) {
      if (state.service().proxiedLoadBalancerIps().contains(address)) {
        add(
            NearMiss.Kind.PROXIED_LOAD_BALANCER,
            state.key(),
            "the address is the load balancer's of "
                + state.key()
                + ", whose ipMode is Proxy: connections are meant to go there");
      }
    }
  }

  // --- Other addresses --------------------------------------------------------------------------

  private void similarAddresses() {
    String text = address.toString();
    List<NearMiss> found = new ArrayList<>();
    observed.frontends().keySet().stream()
        .filter(f -> f.port() == port && f.protocol() == protocol && !f.isNodePort())
        .filter(f -> f.address().family() == address.family() && !f.address().equals(address))
        .filter(f -> differByOne(text, f.address().toString()))
        .sorted()
        .forEach(
            f ->
                found.add(
                    new NearMiss(
                        NearMiss.Kind.SIMILAR_ADDRESS,
                        owner.apply(f),
                        f + ", an address like it, is served by " + whose(f))));
    addSome(found, "addresses like it are served at that port");
  }

  /**
   * Whether one text becomes the other when one character is replaced, left out or put in, or two
   * neighbours change places.
   */
  static boolean differByOne(String a, String b) {
    if (a.length() > b.length()) {
      return differByOne(b, a);
    }
    if (b.length() - a.length() > 1 || a.equals(b)) {
      return false;
    }
    int at = 0;
    while (at < a.length() && a.charAt(at) == b.charAt(at)) {
      at++;
    }
    if (a.length() < b.length()) {
      return a.substring(at).equals(b.substring(at + 1));
    }
    String restA = a.substring(at + 1);
    String restB = b.substring(at + 1);
    boolean swapped =
        !restA.isEmpty()
            && a.charAt(at) == restB.charAt(0)
            && b.charAt(at) == restA.charAt(0)
            && restA.substring(1).equals(restB.substring(1));
    return restA.equals(restB) || swapped;
  }

  /** Services that are served in the other family, and in this one elsewhere or not at all. */
  private void otherFamily() {
    boolean amongClusterIps = clusterIpRange().filter(r -> r.contains(address)).isPresent();
    List<NearMiss> found = new ArrayList<>();
    for (ServiceState state : services) {
      for (IpAddress other : state.service().clusterIps()) {
        boolean embedded =
            address.family() == IpFamily.IPV6
                && other.family() == IpFamily.IPV4
                && (int) other.low() == (int) address.low();
        boolean sameNumber =
            amongClusterIps
                && other.family() != address.family()
                && (short) other.low() == (short) address.low();
        if ((embedded || sameNumber) && serves(frontend(other))) {
          found.add(
              new NearMiss(
                  NearMiss.Kind.OTHER_FAMILY,
                  state.key(),
                  state.key()
                      + " is served at "
                      + frontend(other)
                      + ", and has "
                      + state.service().clusterIps().stream()
                          .filter(ip -> ip.family() == address.family())
                          .findFirst()
                          .map(ip -> "the " + address.family() + " address " + ip)
                          .orElse("no " + address.family() + " address")));
        }
      }
    }
    addSome(found, "Services have such an address in the other family");
  }

  private void unassigned() {
    boolean known =
        services.stream()
            .anyMatch(
                state ->
                    addresses(state.service()).contains(address)
                        || state.service().proxiedLoadBalancerIps().contains(address));
    if (known || observed.frontends().containsKey(FrontendKey.wildcard(address))) {
      return;
    }
    clusterIpRange()
        .filter(range -> range.contains(address))
        .ifPresent(
            range ->
                add(
                    NearMiss.Kind.UNASSIGNED,
                    null,
                    "no Service has the address, though it is in "
                        + range
                        + ", where all "
                        + address.family()
                        + " cluster IPs are"));
  }

  /** The smallest range that holds all cluster IPs of the family, within bounds. */
  private Optional<Cidr> clusterIpRange() {
    List<IpAddress> clusterIps =
        services.stream()
            .flatMap(state -> state.service().clusterIps().stream())
            .filter(ip -> ip.family() == address.family())
            .sorted()
            .toList();
    if (clusterIps.isEmpty()) {
      return Optional.empty();
    }
    int bits = address.family() == IpFamily.IPV4 ? 32 : 128;
    for (int hostBits = HOST_BITS; hostBits <= MOST_HOST_BITS; hostBits++) {
      Cidr range = Cidr.parseMasked(clusterIps.getFirst() + "/" + (bits - hostBits)).orElseThrow();
      if (range.contains(clusterIps.getLast())) {
        return Optional.of(range);
      }
    }
    return Optional.empty();
  }

  // --- Words ------------------------------------------------------------------------------------

  /** Adds the first of some, and says how many there are besides. */
  private void addSome(List<NearMiss> found, String what) {
    misses.addAll(found.subList(0, Math.min(SHOWN, found.size())));
    if (found.size() > SHOWN) {
      add(found.getFirst().kind(), null, (found.size() - SHOWN) + " more " + what);
    }
  }

  private static String listed(List<String> all, int shown, String ifNone) {
    return all.isEmpty() ? ifNone : listed(all, shown);
  }

  private static String listed(List<String> all, int shown) {
    return all.stream().limit(shown).collect(Collectors.joining(", "))
        + (all.size() > shown ? " and " + (all.size() - shown) + " more" : "");
  }
}
