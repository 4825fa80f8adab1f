// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Exchange;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.Scope;
import dev.patchbay.testkit.NaiveProxy;
import dev.patchbay.testkit.NaiveProxy.Fails;
import dev.patchbay.testkit.NaiveProxy.Reaches;
import dev.patchbay.testkit.NaiveProxy.Untouched;
import dev.patchbay.testkit.NaiveProxy.Verdict;
import dev.patchbay.testkit.RandomCluster;
import dev.patchbay.testkit.ServiceArbitraries;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;

/**
 * For random clusters, what the compiled maps mean, read back from the kernel, and what real
 * connects come to, is what {@link NaiveProxy} says.
 *
 * <p>Clients are in two namespaces, one of which the programs take for the node's own. In both,
 * every address that an endpoint may have is local, and a server there says at which of them it was
 * reached. Service addresses have no route: a connect that nobody translates fails with {@code
 * ENETUNREACH}, unless it is to loopback, where the same server hears it.
 */
class SelectionOracleKernelTest {
  private static final List<Integer> SERVICE_PORTS = List.of(53, 80, 81, 443);
  private static final List<Integer> NODE_PORTS = List.of(30053, 30054, 30055, 30056);
  private static final List<Integer> BACKEND_PORTS = List.of(8080, 8081);

  /** Nobody's, a Service's sometimes, a node's sometimes, an endpoint's, and this host. */
  private static final List<String> ALWAYS_ASKED =
      List.of(
          "10.96.0.99",
          "10.96.0.2",
          "fd01::2",
          "192.0.2.1",
          "192.0.2.2",
          "2001:db8::1",
          "10.0.0.3",
          "fd00::3",
          "127.0.0.1",
          "127.0.0.2",
          "::1",
          "0.0.0.0",
          "::");

  /** Exchanges with destinations that are taken to be somebody's, in each sample. */
  private static final int CONCERNED = 110;

  /** Exchanges with others. */
  private static final int OTHERS = 30;

  private static @Nullable World world;

  /** What all samples share: each replaces what the one before has left in the maps. */
  private record World(
      Lab lab,
      Scratch scratch,
      Client hostNetwork,
      Client pod,
      Dataplane dataplane,
      Reconciler reconciler,
      boolean namespaceKnown,
      boolean legacy) {

    static World create() throws Exception {
      Lab lab = Lab.create();
      try {
        Scratch scratch = new Scratch();
        lab.onClose(() -> close(scratch));
        Node node = lab.addNode("node");
        Client hostNetwork = client(node.host());
        Client pod = client(node.addPod("pod"));
        Dataplane dataplane =
            scratch.closing(
                Dataplane.open(
                    new DataplaneOptions(
                        scratch.bpfDir(), new Capacity(512, 128, 1024), 4096, 4096, scratch.logs()),
                    hostNetwork.namespaceCookie().orElse(0)));
        dataplane.attach(node.cgroup());
        return new World(
            lab,
            scratch,
            hostNetwork,
            pod,
            dataplane,
            Reconciler.adopt(dataplane.store(), dataplane.store().load()),
            hostNetwork.namespaceCookie().isPresent(),
            !(Probes.setRetval() instanceof ProbeResult.Supported));
      } catch (Exception | AssertionError failed) {
        lab.close();
        throw failed;
      }
    }

    private static void close(Scratch scratch) {
      try {
        scratch.close();
      } catch (Exception failed) {
        throw new AssertionError(failed);
      }
    }

    /** A client where all endpoints are; the server is bound before programs could object. */
    private static Client client(Pod place) {
      place.ip(
          """
          link set eth0 down
          route add local 10.0.0.0/24 dev lo
          route add local fd00::/64 dev lo
          """);
      place.mirror(
          IntStream.concat(
                  IntStream.concat(
                      SERVICE_PORTS.stream().mapToInt(i -> i),
                      NODE_PORTS.stream().mapToInt(i -> i)),
                  BACKEND_PORTS.stream().mapToInt(i -> i))
              .toArray());
      return place.client();
    }
  }

  @BeforeContainer
  static void create() throws Exception {
    world = World.create();
  }

  @AfterContainer
  static void close() {
    if (world != null) {
      world.lab.close();
      world = null;
    }
  }

  /** A destination, and whether it is asked for on the host network. */
  private record Question(IpAddress address, int port, Protocol protocol, boolean onHostNetwork) {
    @Override
    public String toString() {
      return address.withPort(port)
          + "/"
          + protocol.lowerCase()
          + (onHostNetwork ? " from the host network" : " from a Pod");
    }
  }

  @Provide
  Arbitrary<RandomCluster> clusters() {
    return Arbitraries.randomValue(RandomCluster::draw);
  }

  @Provide
  Arbitrary<RandomCluster> collisions() {
    return Combinators.combine(
            ServiceArbitraries.services().list().uniqueElements(ServiceState::key).ofMaxSize(6),
            ServiceArbitraries.nodes())
        .as(RandomCluster::new);
  }

  @Property(tries = 60, shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void ordinaryClusters(@ForAll("clusters") RandomCluster cluster, @ForAll Random random)
      throws Exception {
    check(cluster, random);
  }

  @Property(tries = 20, shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void clustersFullOfCollisions(@ForAll("collisions") RandomCluster cluster, @ForAll Random random)
      throws Exception {
    check(cluster, random);
  }

  private static void check(RandomCluster cluster, Random random) throws Exception {
    World here = here();
    Compiler compiler = new Compiler(cluster.node());
    compiler.update(cluster.services(), List.of());
    here.reconciler.replaceAll(compiler.desired());
    ApplyReport report = here.reconciler.apply();
    assertThat(report.failures()).isEmpty();
    assertThat(here.reconciler.refused()).isEmpty();

    NaiveProxy oracle = new NaiveProxy(cluster.services(), cluster.node());
    List<Question> questions = questions(cluster);
    ObservedState observed = here.dataplane.store().load();
    assertThat(Invariants.check(observed)).isEmpty();
    Canonical maps = Canonical.of(observed);
    List<String> wrong = new ArrayList<>();
    for (Question question : questions) {
      Verdict right = verdict(oracle, question);
      Verdict actual = meaning(maps, question);
      if (!actual.equals(right)) {
        wrong.add("maps: " + question + " should be " + right + ", is " + actual);
      }
    }
    connect(oracle, pick(oracle, questions, random), random, wrong);
    assertThat(wrong).as("%s", cluster).isEmpty();
  }

  private static Verdict verdict(NaiveProxy oracle, Question question) {
    return oracle.connect(
        question.address, question.port, question.protocol, question.onHostNetwork);
  }

  /** Every destination of the world, from both places. */
  private static List<Question> questions(RandomCluster cluster) {
    Set<IpAddress> addresses = new LinkedHashSet<>(cluster.node().addresses());
    for (ServiceState state : cluster.services()) {
      Service service = state.service();
      addresses.addAll(service.clusterIps());
      addresses.addAll(service.externalIps());
      addresses.addAll(service.loadBalancerIps());
    }
    ALWAYS_ASKED.forEach(address -> addresses.add(IpAddress.of(address)));
    List<Integer> ports = new ArrayList<>(SERVICE_PORTS);
    ports.addAll(NODE_PORTS);
    List<Question> questions = new ArrayList<>();
    for (IpAddress address : addresses) {
      for (int port : ports) {
        for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
          questions.add(new Question(address, port, protocol, true));
          questions.add(new Question(address, port, protocol, false));
        }
      }
    }
    return questions;
  }

  /** What rows make of a connect(), step by step as {@code bpf/DESIGN.md} has it. */
  private static Verdict meaning(Canonical maps, Question question) {
    boolean own = question.onHostNetwork && namespaceKnown();
    IpAddress address = question.address;
    if (address.isUnspecified()) {
      if (!own) {
        return NaiveProxy.UNTOUCHED;
      }
      address = IpAddress.of(address.family() == IpFamily.IPV4 ? "127.0.0.1" : "::1");
    }
    FrontendKey exact = new FrontendKey(address, question.port, question.protocol, Scope.INTERNAL);
    Canonical.@Nullable Target target = maps.frontends().get(exact);
    if (target == null) {
      target = maps.frontends().get(FrontendKey.wildcard(address));
    }
    if (target instanceof Canonical.NodeAddress) {
      target =
          isLoopback(address) && !own
              ? null
              : maps.frontends()
                  .get(FrontendKey.nodePort(address.family(), question.port, question.protocol));
    }
    return switch (target) {
      case null -> NaiveProxy.UNTOUCHED;
      case Canonical.Refused() -> new Fails("ECONNREFUSED");
      case Canonical.Balanced(var backends, var settings) when backends.isEmpty() ->
          new Fails(settings.policyLocal() ? "EHOSTUNREACH" : "ECONNREFUSED");
      case Canonical.Balanced(var backends, var settings) ->
          new Reaches(
              backends.stream().map(Backend::toString).collect(Collectors.toSet()),
              settings.affinitySeconds());
      case Canonical.NodeAddress(), Canonical.Broken(var _) ->
          throw new AssertionError(question + " leads to " + target);
    };
  }

  private static boolean namespaceKnown() {
    return world != null && world.namespaceKnown;
  }

  private static boolean isLoopback(IpAddress address) {
    return address.toString().startsWith("127.") || address.toString().equals("::1");
  }

  private static List<Question> pick(NaiveProxy oracle, List<Question> from, Random random) {
    List<Question> shuffled = new ArrayList<>(from);
    Collections.shuffle(shuffled, random);
    List<Question> picked = new ArrayList<>();
    int concerned = 0;
    int others = 0;
    for (Question question : shuffled) {
      boolean untouched = verdict(oracle, question) instanceof Untouched;
      if (untouched ? others++ < OTHERS : concerned++ < CONCERNED) {
        picked.add(question);
      }
    }
    return picked;
  }

  private static void connect(
      NaiveProxy oracle, List<Question> questions, Random random, List<String> wrong) {
    for (boolean onHostNetwork : List.of(true, false)) {
      List<Question> asked = new ArrayList<>();
      List<Exchange> exchanges = new ArrayList<>();
      for (Question question : questions) {
        if (question.onHostNetwork == onHostNetwork) {
          int times = verdict(oracle, question) instanceof Reaches ? 2 : 1;
          for (int i = 0; i < times; i++) {
            asked.add(question);
            exchanges.add(exchange(question, random));
          }
        }
      }
      Client client = onHostNetwork ? here().hostNetwork : here().pod;
      List<String> outcomes = client.outcomes(exchanges);
      for (int i = 0; i < asked.size(); i++) {
        Verdict right = verdict(oracle, asked.get(i));
        boolean stuck =
            !(right instanceof Reaches reaches && reaches.affinitySeconds() > 0)
                || i == 0
                || !asked.get(i).equals(asked.get(i - 1))
                || outcomes.get(i).equals(outcomes.get(i - 1));
        if (!stuck || !agrees(right, asked.get(i), outcomes.get(i))) {
          wrong.add(
              exchanges.get(i)
                  + " for "
                  + asked.get(i)
                  + " should be "
                  + right
                  + ", came to "
                  + outcomes.get(i)
                  + (stuck ? "" : " and before to " + outcomes.get(i - 1)));
        }
      }
    }
  }

  private static World here() {
    if (world == null) {
      throw new IllegalStateException("no lab");
    }
    return world;
  }

  private static Exchange exchange(Question question, Random random) {
    boolean mapped = question.address.family() == IpFamily.IPV4 && random.nextInt(5) == 0;
    Kind kind = Kind.TCP;
    if (question.protocol == Protocol.UDP) {
      // Who asks this host hears from loopback, and a refused datagram is not told by old kernels.
      boolean connected = question.address.isUnspecified() || here().legacy || random.nextBoolean();
      kind = connected ? Kind.UDP : Kind.UDP_UNCONNECTED;
    }
    return new Exchange(kind, (mapped ? "::ffff:" : "") + question.address, question.port);
  }

  private static boolean agrees(Verdict right, Question question, String outcome) {
    return switch (right) {
      case Reaches(var backends, int _) -> backends.contains(outcome);
      case Fails(String errno) -> outcome.equals(here().legacy ? "ECONNREFUSED" : errno);
      case Untouched() -> {
        String name = question.address.toString();
        if (question.address.isUnspecified()) {
          name = question.address.family() == IpFamily.IPV4 ? "127.0.0.1" : "::1";
        }
        boolean local =
            name.startsWith("127.")
                || name.startsWith("10.0.0.")
                || name.startsWith("fd00::")
                || name.equals("::1");
        yield outcome.equals(local ? IpAddress.of(name).withPort(question.port) : "ENETUNREACH");
      }
    };
  }
}
