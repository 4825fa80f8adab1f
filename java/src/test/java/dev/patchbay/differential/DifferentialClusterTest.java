// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.AgentAccess;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.KubeProxy;
import dev.patchbay.lab.cluster.ProxyMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Patchbay beside a real kube-proxy in nftables mode. Two places take themselves for the same node
 * of one API server: one has kube-proxy, the other Patchbay. A Pod of each, and each itself,
 * connect to every address of every Service, often enough to meet all its endpoints, and have to
 * get the same answers and the same errors. Every difference has a {@link Rule}.
 */
@EndToEnd
class DifferentialClusterTest {
  /** Another seed makes other Services. */
  private static final long SEED = Patchbay.setting("patchbay.differential.seed", 20260917);

  private static final int SERVICES = Patchbay.setting("patchbay.differential.services", 230);

  /**
   * Four endpoints are met in 45 exchanges but for one time in 100,000; what differs is looked at
   * with {@link #MORE}.
   */
  private static final Client.Tries TRIES = new Client.Tries(45, 14, 3, 2);

  private static final Client.Tries MORE = new Client.Tries(150, 100, 10, 3);

  /** All that a proxy answers, and that the Services have to bring about. */
  private static final String[] ANSWERS = {
    "1 servers",
    "2 servers",
    "3 servers",
    "4 servers",
    Outcome.REFUSED,
    Outcome.NOT_TRANSLATED,
    Observations.TIMEOUT
  };

  private static final int BACKENDS = 6;
  private static final int SECOND_ADDRESS = 200;
  private static final Duration READY = Duration.ofSeconds(60);

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.startApiServer(lab);
  private final Node kubeProxyNode = lab.addNode("with-kube-proxy");
  private final Node patchbayNode = lab.addNode("with-patchbay");
  private final Node elsewhere = lab.addNode("elsewhere");

  /** By name; as the API server has them. */
  private final Map<String, Json> services = new TreeMap<>();

  /** What the same client sees behind each of the proxies. */
  private record Pair(View view, Observations kubeProxy, Observations patchbay) {}

  private final List<Pair> pairs = new ArrayList<>();

  // --- The cluster ------------------------------------------------------------------------------

  @BeforeAll
  @Timeout(value = 240, unit = TimeUnit.SECONDS)
  void start() {
    kubeProxyNode.routePods();
    doNotLimitErrors(kubeProxyNode);
    doNotLimitErrors(patchbayNode);
    // A second address of each, of which no Node object knows.
    kubeProxyNode.host().addOutsideAddress(SECOND_ADDRESS);
    patchbayNode.host().addOutsideAddress(SECOND_ADDRESS + 1);
    register(Generator.NODE, Generator.ZONE, kubeProxyNode.host());
    register(Generator.OTHER_NODE, Generator.OTHER_ZONE, elsewhere.host());
    Generator generator = new Generator(SEED, backends()).generate(SERVICES);
    cluster.api().createAll(generator.services());
    cluster.api().createAll(generator.slices());
    generator
        .ingress()
        .forEach(
            (name, ingress) ->
                cluster
                    .api()
                    .merge(
                        "/api/v1/namespaces/default/services/" + name + "/status",
                        Map.of("status", Map.of("loadBalancer", Map.of("ingress", ingress)))));
    cluster
        .api()
        .list("/api/v1/namespaces/default/services")
        .forEach(service -> services.put(service.get("metadata").get("name").text(), service));
    services.remove("kubernetes");
    refuseWhatIsNotTranslated();
    KubeProxy.start(cluster, kubeProxyNode, Generator.NODE, ProxyMode.NFTABLES);
    startPatchbay();
    Pod pod = kubeProxyNode.addPod("behind-kube-proxy");
    routeExternalAddresses(pod);
    Pod other = patchbayNode.addPod("behind-patchbay");
    for (Pod client : List.of(pod, other)) {
      awaitCanary(client.client(), generator.nearOfCanary());
    }
    pairs.add(new Pair(View.POD, observations(pod), observations(other)));
    pairs.add(
        new Pair(View.NODE, observations(kubeProxyNode.host()), observations(patchbayNode.host())));
  }

  private void register(String name, String zone, Pod host) {
    cluster
        .api()
        .create(
            Map.of(
                "apiVersion",
                "v1",
                "kind",
                "Node",
                "metadata",
                Map.of(
                    "name",
                    name,
                    "labels",
                    Map.of("kubernetes.io/hostname", name, "topology.kubernetes.io/zone", zone))));
    cluster
        .api()
        .merge(
            "/api/v1/nodes/" + name + "/status",
            Map.of(
                "status",
                Map.of(
                    "addresses",
                    List.of(
                        Map.of("type", "InternalIP", "address", host.ipv4()),
                        Map.of("type", "InternalIP", "address", host.ipv6())))));
  }

  private List<Pod> backends() {
    List<Pod> pods = new ArrayList<>();
    for (int i = 1; i <= BACKENDS; i++) {
      Pod pod = elsewhere.addPod("b" + i);
      pod.serve("--banner", join(Generator.TCP_TARGETS), "--udp", join(Generator.UDP_TARGETS));
      pods.add(pod);
    }
    return pods;
  }

  private static String join(List<Integer> ports) {
    return String.join(",", ports.stream().map(String::valueOf).toList());
  }

  /**
   * What kube-proxy leaves alone has no way to go, as behind Patchbay. Packets need a route to be
   * looked at, so it is a filter that says so, with codes that UDP sockets take seriously too.
   */
  private void refuseWhatIsNotTranslated() {
    List<String> ranges = new ArrayList<>(Generator.EXTERNAL_RANGES);
    ranges.addAll(Generator.LOAD_BALANCER_RANGES);
    Pod host = kubeProxyNode.host();
    ranges.forEach(range -> host.ip("route add %s dev eth0%n".formatted(range)));
    for (Family family : Family.values()) {
      ranges.add(family.serviceRange());
    }
    StringBuilder rules = new StringBuilder("table inet lab {\n");
    for (String hook : List.of("output", "forward")) {
      rules.append("chain %1$s {%n type filter hook %1$s priority 50;%n".formatted(hook));
      for (String range : ranges) {
        boolean six = range.contains(":");
        rules.append(
            " %s daddr %s reject with %s%n"
                .formatted(
                    six ? "ip6" : "ip",
                    range,
                    six ? "icmpv6 type admin-prohibited" : "icmp type net-prohibited"));
      }
      rules.append("}\n");
    }
    host.feed(rules.append("}\n").toString(), "nft", "-f", "-").orFail();
  }

  /** Errors are not to be held back for being many. */
  private static void doNotLimitErrors(Node node) {
    node.host()
        .exec(
            "sh",
            "-c",
            // Bits and types that are limited: only "time exceeded".
            "cd /proc/sys/net && echo 2048 > ipv4/icmp_ratemask && echo 3 > ipv6/icmp/ratemask")
        .orFail();
  }

  /** Has a Pod send to its node what goes to external addresses. */
  private void routeExternalAddresses(Pod pod) {
    List<String> ranges = new ArrayList<>(Generator.EXTERNAL_RANGES);
    ranges.addAll(Generator.LOAD_BALANCER_RANGES);
    for (String range : ranges) {
      String gateway = range.contains(":") ? "fe80::1" : kubeProxyNode.host().ipv4();
      pod.ip("route add %s via %s dev eth0%n".formatted(range, gateway));
    }
  }

  private void startPatchbay() {
    Daemon agent =
        patchbayNode
            .addHostPod("patchbay")
            .start(
                Patchbay.binary(),
                "run",
                "--kubeconfig=" + AgentAccess.kubeconfig(cluster),
                "--node-name=" + Generator.NODE,
                "--cgroup=" + patchbayNode.cgroup(),
                "--bpf-dir=" + patchbayNode.bpfDirectory(),
                "--state-dir=" + patchbayNode.stateDirectory(),
                "--devices=none",
                "--metrics-bind-address=" + Node.METRICS,
                "--healthz-bind-address=" + Node.HEALTHZ);
    agent.awaitOut("(?i)\\bready\\b", READY);
  }

  /** Waits until a proxy knows of the node's zone too, which it may hear last. */
  private void awaitCanary(Client client, String near) {
    Json canary = services.getOrDefault(Generator.CANARY, Json.NULL);
    for (String address : Destination.texts(canary.get("spec"), "clusterIPs")) {
      Eventually.within(
          READY,
          () ->
              assertThat(client.hits(Client.Kind.TCP, address, Generator.CANARY_PORT, 30))
                  .containsOnlyKeys(near));
    }
  }

  private Observations observations(Pod pod) {
    boolean first = pod.node() == kubeProxyNode;
    int second = first ? SECOND_ADDRESS : SECOND_ADDRESS + 1;
    List<Destination> destinations = new ArrayList<>();
    services
        .values()
        .forEach(s -> destinations.addAll(Destination.of(s, pod.node().host(), second)));
    return new Observations(pod.client(), destinations);
  }

  // --- The comparison ---------------------------------------------------------------------------

  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void theSameEndpointsAreReached() {
    everywhere(observations -> observations.take(TRIES));
    Set<Destination.Key> again = new HashSet<>();
    for (Difference difference : differences()) {
      if (difference.alike()) {
        continue;
      }
      again.add(difference.at());
      again.add(difference.at().at(Place.NODE_PORT));
    }
    everywhere(observations -> observations.takeAgain(again, MORE));
    Map<String, Integer> explained = new TreeMap<>();
    List<String> unexplained = new ArrayList<>();
    for (Difference difference : differences()) {
      List<Rule> rules = Rule.explaining(difference);
      rules.forEach(rule -> explained.merge(rule.id(), 1, Integer::sum));
      if (rules.isEmpty()) {
        unexplained.add(difference + "\n  " + difference.spec() + slicesOf(difference));
      }
    }
    Map<String, Integer> answers = answers();
    report(answers, explained, unexplained.size());
    assertThat(answers).as("what there is to compare").containsKeys(ANSWERS);
    assertThat(unexplained).as("differences without a rule, with seed %s", SEED).isEmpty();
    assertThat(explained.keySet())
        .as("rules that explain anything, with seed %s", SEED)
        .containsExactlyInAnyOrderElementsOf(Rule.ALL.stream().map(Rule::id).toList());
  }

  @Test
  void everyRuleHasItsReason() {
    assertThat(Rule.documented())
        .containsExactlyInAnyOrderElementsOf(Rule.ALL.stream().map(Rule::id).toList());
  }

  private void everywhere(Consumer<Observations> look) {
    List<CompletableFuture<Void>> lookers = new ArrayList<>();
    for (Pair pair : pairs) {
      for (Observations observations : List.of(pair.kubeProxy, pair.patchbay)) {
        lookers.add(
            CompletableFuture.runAsync(
                () -> look.accept(observations), Thread::startVirtualThread));
      }
    }
    lookers.forEach(CompletableFuture::join);
  }

  private List<Difference> differences() {
    List<Difference> differences = new ArrayList<>();
    for (Pair pair : pairs) {
      Observations theirs = pair.kubeProxy;
      Observations ours = pair.patchbay;
      for (Destination.Key at : theirs.keys()) {
        Json service = services.get(at.service());
        if (service == null) {
          continue;
        }
        boolean alike = agree(service, theirs, at, ours, at);
        if (!alike || theirs.isNotPermitted(at)) {
          differences.add(
              new Difference(
                  service,
                  pair.view,
                  at,
                  theirs.at(at),
                  ours.at(at),
                  theirs.isNotPermitted(at),
                  alike,
                  agree(service, theirs, at.at(Place.NODE_PORT), ours, at)));
        }
      }
    }
    return differences;
  }

  /** Whether kube-proxy does at one destination of a Service what Patchbay does at another. */
  private boolean agree(
      Json service,
      Observations theirs,
      Destination.Key their,
      Observations ours,
      Destination.Key our) {
    Set<String> first = theirs.at(their);
    Set<String> second = ours.at(our);
    boolean both = Observations.areServers(first) && Observations.areServers(second);
    if (!both || !Observations.isSticky(service)) {
      return first.equals(second);
    }
    Set<String> possible = theirs.at(their.of(Generator.twin(their.service())));
    // kube-proxy remembers endpoints, not choices: a client that went to one at another address of
    // the Service, under another policy, may be sent there from now on.
    return second.size() == 1 && possible.containsAll(first) && possible.containsAll(second);
  }

  /** Which answers kube-proxy gave how often. */
  private Map<String, Integer> answers() {
    Map<String, Integer> answers = new TreeMap<>();
    for (Pair pair : pairs) {
      for (Destination.Key at : pair.kubeProxy.keys()) {
        Set<String> outcomes = pair.kubeProxy.at(at);
        boolean servers = Observations.areServers(outcomes);
        String answer = servers ? outcomes.size() + " servers" : String.join(" ", outcomes);
        answers.merge(answer, 1, Integer::sum);
      }
    }
    return answers;
  }

  private String slicesOf(Difference difference) {
    StringBuilder text = new StringBuilder();
    for (Json slice :
        cluster
            .api()
            .list(
                "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector="
                    + "kubernetes.io/service-name="
                    + difference.at().service())) {
      text.append("\n  ").append(slice.get("metadata").get("name")).append(' ');
      text.append(slice.find("endpoints").orElse(Json.NULL));
      text.append(slice.find("ports").orElse(Json.NULL));
    }
    return text.toString();
  }

  private void report(
      Map<String, Integer> answers, Map<String, Integer> explained, int unexplained) {
    Map<String, Integer> types = new HashMap<>();
    services.values().forEach(s -> types.merge(s.get("spec").get("type").text(), 1, Integer::sum));
    long exchanges = 0;
    int destinations = 0;
    for (Pair pair : pairs) {
      exchanges += pair.kubeProxy.exchanges() + pair.patchbay.exchanges();
      destinations += pair.kubeProxy.keys().size();
    }
    System.out.printf(
        "compared seed=%d services=%d %s destinations=%d exchanges=%d%n  kube-proxy's answers: %s%n"
            + "  differences: explained %s, unexplained %d%n",
        SEED, services.size(), types, destinations, exchanges, answers, explained, unexplained);
  }
}
