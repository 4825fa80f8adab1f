// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import dev.patchbay.lab.Family;
import dev.patchbay.lab.Pod;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Random Services with hand-written EndpointSlices, so that nodes, conditions and hints can be what
 * no controller would make of them. The same seed gives the same Services.
 *
 * <p>A Service with session affinity comes with a twin, which differs in name and addresses and has
 * no affinity: who the one may stick to is whom the other reaches.
 */
final class Generator {
  static final String NODE = "node-x";
  static final String ZONE = "zone-a";
  static final String OTHER_NODE = "node-y";
  static final String OTHER_ZONE = "zone-b";

  /** Where external IPs are from. */
  static final List<String> EXTERNAL_RANGES = List.of("198.51.100.0/24", "fd00:198:51:100::/64");

  /** Where addresses of load balancers are from. */
  static final List<String> LOAD_BALANCER_RANGES = List.of("203.0.113.0/24", "fd00:203:0:113::/64");

  private static final List<Family> FAMILIES = List.of(Family.values());

  /** Ports that each backend listens at: which depends on the slice. */
  static final List<Integer> TCP_TARGETS = List.of(9000, 9001);

  static final List<Integer> UDP_TARGETS = List.of(5000, 5001);

  private static final String TERMINATING = "terminating=true";
  private static final String TWIN = "-twin";

  /** An external address that several Services share. */
  private static final int SHARED = 1;

  private final Random random;
  private final List<Pod> backends;
  private final List<Map<String, Object>> services = new ArrayList<>();
  private final List<Map<String, Object>> slices = new ArrayList<>();
  private final Map<String, List<Map<String, Object>>> ingress = new LinkedHashMap<>();
  private int externals = SHARED;
  private int loadBalancers;

  /** A Service that a proxy serves right only when it knows the node's zone. */
  static final String CANARY = "canary";

  static final int CANARY_PORT = 80;

  private record Port(String name, String protocol, int port) {}

  private record Shape(List<Family> families, List<Port> ports) {}

  Generator(long seed, List<Pod> backends) {
    this.random = new Random(seed);
    this.backends = backends;
  }

  /** Makes at least {@code count} Services. */
  Generator generate(int count) {
    for (int i = 0; services.size() < count; i++) {
      add("s%03d".formatted(i), i);
    }
    addCanary();
    return this;
  }

  /** The name of the only backend of {@link #CANARY} that this node is to use. */
  String nearOfCanary() {
    return backends.getFirst().name();
  }

  private void addCanary() {
    Port port = new Port("", "TCP", CANARY_PORT);
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("ipFamilies", FAMILIES.stream().map(Generator::name).toList());
    spec.put("ipFamilyPolicy", "RequireDualStack");
    spec.put("ports", servicePorts(List.of(port)));
    services.add(service(CANARY, spec, Map.of()));
    for (Family family : FAMILIES) {
      List<Map<String, Object>> endpoints = new ArrayList<>();
      for (String zone : List.of(ZONE, OTHER_ZONE)) {
        endpoints.add(
            Map.of(
                "addresses",
                List.of(backends.get(endpoints.size()).address(family)),
                "hints",
                Map.of("forZones", List.of(Map.of("name", zone)))));
      }
      slices.add(
          slice(
              CANARY + "-" + family.number(),
              CANARY,
              family,
              endpoints,
              slicePorts(List.of(port))));
    }
  }

  List<Map<String, Object>> services() {
    return services;
  }

  List<Map<String, Object>> slices() {
    return slices;
  }

  /** What the status of Services has to get, by name. */
  Map<String, List<Map<String, Object>>> ingress() {
    return ingress;
  }

  /** The name of the twin of a Service with session affinity. */
  static String twin(String service) {
    return service + TWIN;
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  @SafeVarargs
  private <T> T one(T... of) {
    return of[random.nextInt(of.length)];
  }

  // --- Services ---------------------------------------------------------------------------------

  private void add(String name, int number) {
    Shape shape = new Shape(families(), ports(number));
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("ipFamilies", shape.families.stream().map(Generator::name).toList());
    spec.put("ipFamilyPolicy", shape.families.size() == 2 ? "RequireDualStack" : "SingleStack");
    spec.put("ports", servicePorts(shape.ports));
    Map<String, String> labels = new LinkedHashMap<>();
    List<Map<String, Object>> addresses = new ArrayList<>();
    switch (random.nextInt(25)) {
      case 0 -> spec.put("clusterIP", "None");
      case 1 -> {
        spec.put("type", "ExternalName");
        spec.put("externalName", "example.com");
        spec.remove("ipFamilies");
        spec.remove("ipFamilyPolicy");
      }
      case 2 -> {
        labels.put("service.kubernetes.io/service-proxy-name", "somebody-else");
        reachable(spec, shape, addresses);
      }
      default -> reachable(spec, shape, addresses);
    }
    boolean external = chance(30);
    if (external) {
      spec.put("externalIPs", externalIps(shape, chance(20)));
    }
    boolean policed = external || spec.containsKey("type");
    if (policed && !"ExternalName".equals(spec.get("type"))) {
      spec.put("externalTrafficPolicy", chance(40) ? "Local" : "Cluster");
    }
    boolean sticky = chance(12) && !labels.containsKey("service.kubernetes.io/service-proxy-name");
    add(name, shape, spec, labels, addresses, sticky);
  }

  private void add(
      String name,
      Shape shape,
      Map<String, Object> spec,
      Map<String, String> labels,
      List<Map<String, Object>> addresses,
      boolean sticky) {
    List<Map<String, Object>> made = endpointSlices(name, shape);
    slices.addAll(made);
    if (sticky) {
      Map<String, Object> twin = new LinkedHashMap<>(spec);
      if (spec.containsKey("externalIPs")) {
        twin.put("externalIPs", externalIps(shape, false));
      }
      services.add(service(twin(name), twin, labels));
      for (int i = 0; i < made.size(); i++) {
        slices.add(copy(made.get(i), twin(name) + "-" + i, twin(name)));
      }
      if (!addresses.isEmpty()) {
        List<Map<String, Object>> others = new ArrayList<>();
        for (Map<String, Object> entry : addresses) {
          Map<String, Object> other = new LinkedHashMap<>(entry);
          boolean four = !String.valueOf(entry.get("ip")).contains(":");
          other.put("ip", loadBalancerIp(four ? Family.IPV4 : Family.IPV6));
          others.add(other);
        }
        ingress.put(twin(name), others);
      }
      spec.put("sessionAffinity", "ClientIP");
    }
    services.add(service(name, spec, labels));
    if (!addresses.isEmpty()) {
      ingress.put(name, addresses);
    }
  }

  private static Map<String, Object> service(
      String name, Map<String, Object> spec, Map<String, String> labels) {
    return Map.of(
        "apiVersion",
        "v1",
        "kind",
        "Service",
        "metadata",
        Map.of("name", name, "labels", labels),
        "spec",
        spec);
  }

  private static List<Map<String, Object>> servicePorts(List<Port> ports) {
    List<Map<String, Object>> made = new ArrayList<>();
    for (Port port : ports) {
      made.add(Map.of("name", port.name, "protocol", port.protocol, "port", port.port));
    }
    return made;
  }

  private List<Family> families() {
    return one(
        List.of(Family.IPV4),
        List.of(Family.IPV6),
        List.of(Family.IPV4, Family.IPV6),
        List.of(Family.IPV6, Family.IPV4));
  }

  static String name(Family family) {
    return family == Family.IPV4 ? "IPv4" : "IPv6";
  }

  private List<Port> ports(int number) {
    int base = 1000 + 10 * number; // so that several may share an external IP
    return switch (random.nextInt(6)) {
      case 0, 1 -> List.of(new Port("", one("TCP", "UDP"), base));
      case 2 -> List.of(new Port("named", one("TCP", "UDP"), base));
      case 3 -> List.of(new Port("tcp", "TCP", base), new Port("udp", "UDP", base));
      case 4 -> List.of(new Port("a", "TCP", base), new Port("b", one("TCP", "UDP"), base + 1));
      default ->
          List.of(
              new Port("a", "TCP", base),
              new Port("b", "UDP", base),
              new Port("c", "TCP", base + 1));
    };
  }

  private void reachable(
      Map<String, Object> spec, Shape shape, List<Map<String, Object>> addresses) {
    spec.put("internalTrafficPolicy", chance(30) ? "Local" : "Cluster");
    int type = random.nextInt(10);
    if (type < 4) {
      return; // ClusterIP
    }
    spec.put("type", type < 7 ? "NodePort" : "LoadBalancer");
    if (type < 7) {
      return;
    }
    if (chance(25)) {
      spec.put("allocateLoadBalancerNodePorts", false);
    }
    for (Family family : shape.families) {
      for (int i = random.nextInt(3); i > 0; i--) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("ip", loadBalancerIp(family));
        switch (random.nextInt(4)) {
          case 0 -> entry.put("ipMode", "Proxy");
          case 1 -> entry.put("ipMode", "VIP");
          default -> {} // the same as VIP
        }
        addresses.add(entry);
      }
    }
    List<String> pods = List.of(Family.IPV4.podRange(), Family.IPV6.podRange());
    List<String> strangers = List.of("198.18.0.0/15", "fd00:198:18::/64");
    switch (random.nextInt(8)) {
      case 0 -> spec.put("loadBalancerSourceRanges", pods);
      case 1, 2 -> spec.put("loadBalancerSourceRanges", strangers);
      case 3 -> spec.put("loadBalancerSourceRanges", List.of(strangers.getFirst()));
      case 4 -> spec.put("loadBalancerSourceRanges", List.of("0.0.0.0/0", strangers.getLast()));
      default -> {} // everybody
    }
  }

  private List<String> externalIps(Shape shape, boolean shared) {
    List<String> addresses = new ArrayList<>();
    for (Family family : shape.families) {
      int number = shared ? SHARED : ++externals;
      addresses.add((family == Family.IPV4 ? "198.51.100." : "fd00:198:51:100::") + number);
    }
    return addresses;
  }

  private String loadBalancerIp(Family family) {
    return (family == Family.IPV4 ? "203.0.113." : "fd00:203:0:113::") + ++loadBalancers;
  }

  // --- EndpointSlices ---------------------------------------------------------------------------

  private List<Map<String, Object>> endpointSlices(String service, Shape shape) {
    List<Map<String, Object>> made = new ArrayList<>();
    for (Family family : shape.families) {
      List<Map<String, Object>> endpoints = endpoints(family);
      int count = 1 + random.nextInt(3);
      List<List<Map<String, Object>>> parts = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        parts.add(new ArrayList<>());
      }
      for (Map<String, Object> endpoint : endpoints) {
        int home = random.nextInt(count);
        parts.get(home).add(endpoint);
        if (count > 1 && chance(25)) {
          // Seen in another slice too: as it is, or as what had its address before. Which of two
          // that are terminating counts is not defined, as long as they differ.
          Map<String, Object> again = new LinkedHashMap<>(endpoint);
          if (chance(50) && !String.valueOf(endpoint.get("conditions")).contains(TERMINATING)) {
            again.put("conditions", Map.of("ready", false, "serving", true, "terminating", true));
          }
          parts.get((home + 1) % count).add(again);
        }
      }
      boolean alike = chance(60);
      List<Map<String, Object>> ports = slicePorts(shape.ports);
      for (int i = 0; i < count; i++) {
        made.add(
            slice(
                service + "-" + family.number() + "-" + i,
                service,
                family,
                parts.get(i),
                alike ? ports : slicePorts(shape.ports)));
      }
    }
    if (chance(6)) {
      made.clear();
    }
    return made;
  }

  private static Map<String, Object> slice(
      String name,
      String service,
      Family family,
      List<Map<String, Object>> endpoints,
      List<Map<String, Object>> ports) {
    return Map.of(
        "apiVersion",
        "discovery.k8s.io/v1",
        "kind",
        "EndpointSlice",
        "metadata",
        metadata(name, service),
        "addressType",
        name(family),
        "endpoints",
        List.copyOf(endpoints),
        "ports",
        ports);
  }

  private List<Map<String, Object>> slicePorts(List<Port> ports) {
    List<Map<String, Object>> made = new ArrayList<>();
    for (Port port : ports) {
      if (ports.size() > 1 && chance(10)) {
        continue; // a Pod that has no port of that name
      }
      List<Integer> targets = port.protocol.equals("TCP") ? TCP_TARGETS : UDP_TARGETS;
      made.add(
          Map.of(
              "name",
              port.name,
              "protocol",
              port.protocol,
              "port",
              targets.get(random.nextInt(targets.size()))));
    }
    return made;
  }

  private List<Map<String, Object>> endpoints(Family family) {
    List<Pod> chosen = new ArrayList<>(backends);
    Collections.shuffle(chosen, random);
    int count = one(0, 1, 1, 2, 2, 3, 3, 4, 4);
    int unusable = one(10, 10, 30, 100);
    int here = one(0, 40, 40, 100);
    int hints = random.nextInt(8);
    List<Map<String, Object>> made = new ArrayList<>();
    for (Pod pod : chosen.subList(0, count)) {
      Map<String, Object> endpoint = new LinkedHashMap<>();
      endpoint.put("addresses", List.of(pod.address(family)));
      endpoint.put("conditions", conditions(chance(unusable)));
      if (!chance(12)) {
        endpoint.put("nodeName", chance(here) ? NODE : OTHER_NODE);
      }
      Map<String, Object> hint = hints(hints);
      if (!hint.isEmpty()) {
        endpoint.put("hints", hint);
      }
      made.add(endpoint);
    }
    return made;
  }

  private Map<String, Object> conditions(boolean unusable) {
    if (!unusable) {
      return chance(10)
          ? Map.of()
          : Map.of("ready", true, "serving", true, "terminating", chance(5));
    }
    return one(
        Map.of("ready", false),
        Map.of("ready", false, "serving", false, "terminating", false),
        Map.of("ready", false, "serving", true, "terminating", true),
        Map.of("ready", false, "serving", true, "terminating", true),
        Map.of("ready", false, "serving", false, "terminating", true));
  }

  /** One of the ways in which endpoints of a Service are hinted. */
  private Map<String, Object> hints(int way) {
    Map<String, Object> hint = new LinkedHashMap<>();
    List<Map<String, String>> zones = named(ZONE, OTHER_ZONE);
    List<Map<String, String>> nodes = named(NODE, OTHER_NODE);
    switch (way) {
      case 0 -> hint.put("forZones", zones);
      case 1 -> hint.put("forNodes", nodes);
      case 2 -> {
        hint.put("forZones", zones);
        hint.put("forNodes", nodes);
      }
      case 3 -> {
        if (chance(70)) {
          hint.put("forZones", zones);
        }
        if (chance(70)) {
          hint.put("forNodes", nodes);
        }
      }
      case 4 -> hint.put("forZones", List.of(Map.of("name", OTHER_ZONE)));
      default -> {} // none
    }
    return hint;
  }

  private List<Map<String, String>> named(String own, String other) {
    return switch (random.nextInt(5)) {
      case 0, 1 -> List.of(Map.of("name", own));
      case 2, 3 -> List.of(Map.of("name", other));
      default -> List.of(Map.of("name", own), Map.of("name", other));
    };
  }

  /** The same slice of another Service. */
  private static Map<String, Object> copy(Map<String, Object> slice, String name, String service) {
    Map<String, Object> copy = new LinkedHashMap<>(slice);
    copy.put("metadata", metadata(name, service));
    return copy;
  }

  private static Map<String, Object> metadata(String name, String service) {
    return Map.of("name", name, "labels", Map.of("kubernetes.io/service-name", service));
  }
}
