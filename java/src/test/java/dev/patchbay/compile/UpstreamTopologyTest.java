// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The cases of kube-proxy's {@code TestCategorizeEndpoints} (pkg/proxy/topology_test.go, Kubernetes
 * 1.37) with its names and expectations. "All" is what is reachable from this node, the union of
 * both sets; a set is absent if the Service never uses it.
 */
class UpstreamTopologyTest {
  private static final String REMOTE = "remote";

  static Stream<Case> categorizeEndpoints() {
    return Stream.of(
        test("should use topology since all endpoints have hints, node has a zone label and and"
                + " there are endpoints for the node's zone")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .ready("10.1.2.4", "zone-b")
            .ready("10.1.2.5", "zone-c")
            .ready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3 10.1.2.6"),
        test("externalTrafficPolicy: Local, topology ignored for Local endpoints")
            .zone("zone-a")
            .externalLocal()
            .nodePort()
            .ready("10.1.2.3", "zone-a")
            .local()
            .ready("10.1.2.4", "zone-b")
            .local()
            .ready("10.1.2.5", "zone-c")
            .ready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3 10.1.2.6")
            .local("10.1.2.3 10.1.2.4")
            .all("10.1.2.3 10.1.2.4 10.1.2.6"),
        test("internalTrafficPolicy: Local, topology ignored for Local endpoints")
            .zone("zone-a")
            .internalLocal()
            .nodePort()
            .ready("10.1.2.3", "zone-a")
            .local()
            .ready("10.1.2.4", "zone-b")
            .local()
            .ready("10.1.2.5", "zone-c")
            .ready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3 10.1.2.6")
            .local("10.1.2.3 10.1.2.4")
            .all("10.1.2.3 10.1.2.4 10.1.2.6"),
        test("empty node labels").ready("10.1.2.3", "zone-a").cluster("10.1.2.3"),
        test("empty zone label").zone("").ready("10.1.2.3", "zone-a").cluster("10.1.2.3"),
        test("node in different zone, no endpoint filtering")
            .zone("zone-b")
            .ready("10.1.2.3", "zone-a")
            .cluster("10.1.2.3"),
        test("unready endpoint")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .ready("10.1.2.4", "zone-b")
            .ready("10.1.2.5", "zone-c")
            .unready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3"),
        test("only unready endpoints in same zone (should not filter)")
            .zone("zone-a")
            .unready("10.1.2.3", "zone-a")
            .ready("10.1.2.4", "zone-b")
            .ready("10.1.2.5", "zone-c")
            .unready("10.1.2.6", "zone-a")
            .cluster("10.1.2.4 10.1.2.5"),
        test("missing hints, no filtering applied")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .ready("10.1.2.4", "zone-b")
            .ready("10.1.2.5")
            .ready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6"),
        test("multiple hints per endpoint, filtering includes any endpoint with zone included")
            .zone("zone-c")
            .ready("10.1.2.3", "zone-a", "zone-b", "zone-c")
            .ready("10.1.2.4", "zone-b", "zone-c")
            .ready("10.1.2.5", "zone-b", "zone-d")
            .ready("10.1.2.6", "zone-c")
            .cluster("10.1.2.3 10.1.2.4 10.1.2.6"),
        // Without the feature gate, which is locked by now, kube-proxy read no node hints.
        test("PreferSameNode falls back to same-zone when feature gate disabled")
            .node("node-1")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .ready("10.1.2.4", "zone-b")
            .ready("10.1.2.5", "zone-c")
            .ready("10.1.2.6", "zone-a")
            .cluster("10.1.2.3 10.1.2.6"),
        test("PreferSameNode available")
            .node("node-1")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .forNode("node-1")
            .ready("10.1.2.4", "zone-b")
            .forNode("node-2")
            .ready("10.1.2.5", "zone-c")
            .forNode("node-3")
            .ready("10.1.2.6", "zone-a")
            .forNode("node-4")
            .cluster("10.1.2.3"),
        test("PreferSameNode ignored if some endpoints unhinted")
            .node("node-1")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .forNode("node-1")
            .ready("10.1.2.4")
            .ready("10.1.2.5", "zone-c")
            .forNode("node-3")
            .ready("10.1.2.6", "zone-a")
            .forNode("node-4")
            .cluster("10.1.2.3 10.1.2.4 10.1.2.5 10.1.2.6"),
        test("PreferSameNode falls back to PreferSameZone if no endpoint for node")
            .node("node-0")
            .zone("zone-a")
            .ready("10.1.2.3", "zone-a")
            .forNode("node-1")
            .ready("10.1.2.4", "zone-b")
            .forNode("node-2")
            .ready("10.1.2.5", "zone-c")
            .forNode("node-3")
            .ready("10.1.2.6", "zone-a")
            .forNode("node-4")
            .cluster("10.1.2.3 10.1.2.6"),
        test("conflicting topology and localness require merging allEndpoints")
            .zone("zone-a")
            .externalLocal()
            .nodePort()
            .ready("10.0.0.0", "zone-a")
            .local()
            .ready("10.0.0.1", "zone-b")
            .local()
            .ready("10.0.0.2", "zone-a")
            .ready("10.0.0.3", "zone-b")
            .cluster("10.0.0.0 10.0.0.2")
            .local("10.0.0.0 10.0.0.1")
            .all("10.0.0.0 10.0.0.1 10.0.0.2"),
        test("internalTrafficPolicy: Local, with empty endpoints").internalLocal().local(""),
        test("internalTrafficPolicy: Local, but all endpoints are remote")
            .internalLocal()
            .ready("10.0.0.0")
            .ready("10.0.0.1")
            .local("")
            .onlyRemote(),
        test("internalTrafficPolicy: Local, all endpoints are local")
            .internalLocal()
            .ready("10.0.0.0")
            .local()
            .ready("10.0.0.1")
            .local()
            .local("10.0.0.0 10.0.0.1"),
        test("internalTrafficPolicy: Local, some endpoints are local")
            .internalLocal()
            .ready("10.0.0.0")
            .local()
            .ready("10.0.0.1")
            .local("10.0.0.0"),
        test("Cluster traffic policy, endpoints not Ready")
            .unready("10.0.0.0")
            .unready("10.0.0.1")
            .cluster(""),
        test("Cluster traffic policy, some endpoints are Ready")
            .unready("10.0.0.0")
            .ready("10.0.0.1")
            .cluster("10.0.0.1"),
        test("Cluster traffic policy, all endpoints are terminating")
            .servingTerminating("10.0.0.0")
            .local()
            .servingTerminating("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1"),
        test("iTP: Local, eTP: Cluster, some endpoints local")
            .internalLocal()
            .nodePort()
            .ready("10.0.0.0")
            .local()
            .ready("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1")
            .local("10.0.0.0")
            .all("10.0.0.0 10.0.0.1"),
        test("iTP: Cluster, eTP: Local, some endpoints local")
            .externalLocal()
            .nodePort()
            .ready("10.0.0.0")
            .local()
            .ready("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1")
            .local("10.0.0.0")
            .all("10.0.0.0 10.0.0.1"),
        test("iTP: Local, eTP: Local, some endpoints local")
            .internalLocal()
            .externalLocal()
            .nodePort()
            .ready("10.0.0.0")
            .local()
            .ready("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1")
            .local("10.0.0.0")
            .all("10.0.0.0 10.0.0.1"),
        test("iTP: Local, eTP: Local, all endpoints remote")
            .internalLocal()
            .externalLocal()
            .nodePort()
            .ready("10.0.0.0")
            .ready("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1")
            .local("")
            .all("10.0.0.0 10.0.0.1"),
        test("iTP: Local, eTP: Local, all endpoints remote and terminating")
            .internalLocal()
            .externalLocal()
            .nodePort()
            .servingTerminating("10.0.0.0")
            .servingTerminating("10.0.0.1")
            .cluster("10.0.0.0 10.0.0.1")
            .local("")
            .all("10.0.0.0 10.0.0.1")
            .onlyRemote(),
        test("iTP: Cluster, eTP: Local, with terminating endpoints")
            .externalLocal()
            .nodePort()
            .ready("10.0.0.0")
            .unready("10.0.0.1")
            .local()
            .servingTerminating("10.0.0.2")
            .local()
            .servingTerminating("10.0.0.3")
            .cluster("10.0.0.0")
            .local("10.0.0.2")
            .all("10.0.0.0 10.0.0.2"),
        test("externalTrafficPolicy ignored if not externally accessible")
            .externalLocal()
            .ready("10.0.0.0")
            .ready("10.0.0.1")
            .local()
            .cluster("10.0.0.0 10.0.0.1")
            .all("10.0.0.0 10.0.0.1"),
        test("no cluster endpoints for iTP:Local internal-only service")
            .internalLocal()
            .ready("10.0.0.0")
            .ready("10.0.0.1")
            .local()
            .local("10.0.0.1")
            .all("10.0.0.1"),
        // kube-proxy asks for no set where there is no endpoint; the Service uses the first one.
        test("empty endpoints when no service endpoints exist").cluster(""),
        test("single endpoint not ready, not serving, not terminating")
            .zone("zone-a")
            .unready("10.0.0.0")
            .cluster(""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void categorizeEndpoints(Case test) {
    ServiceState state = test.state();
    NodeFacts node = new NodeFacts(test.node, test.zone, List.of());
    Selection selection =
        EndpointSelection.select(state.service(), Case.PORT, IpFamily.IPV4, state.slices(), node);
    Set<TrafficPolicy> used = used(state, node);

    if (test.cluster == null) {
      assertThat(used).doesNotContain(TrafficPolicy.CLUSTER);
    } else {
      assertThat(used).contains(TrafficPolicy.CLUSTER);
      assertThat(addresses(selection.cluster())).isEqualTo(test.cluster);
    }
    if (test.local == null) {
      assertThat(used).doesNotContain(TrafficPolicy.LOCAL);
    } else {
      assertThat(used).contains(TrafficPolicy.LOCAL);
      assertThat(addresses(selection.local())).isEqualTo(test.local);
    }
    Set<String> all = new TreeSet<>();
    used.forEach(policy -> all.addAll(addresses(selection.chosen(policy))));
    assertThat(all).isEqualTo(test.expectedAll());
    assertThat(selection.anyUsable()).isEqualTo(!test.expectedAll().isEmpty() || test.onlyRemote);
  }

  /** The policies that connections to a Service are ever subject to, from inside or outside. */
  private static Set<TrafficPolicy> used(ServiceState state, NodeFacts node) {
    Set<TrafficPolicy> used =
        ServiceCompiler.compile(state, node).rows().stream()
            .map(ServiceRow::key)
            .map(key -> key.policy())
            .collect(Collectors.toSet());
    if (state.service().isExternallyReachable()) {
      used.add(state.service().externalPolicy());
    }
    return used;
  }

  private static Set<String> addresses(List<Backend> backends) {
    return backends.stream()
        .peek(backend -> assertThat(backend.port()).isEqualTo(80))
        .map(backend -> backend.address().toString())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Case test(String name) {
    return new Case(name);
  }

  /** A row of the table. A modifier without a name applies to the endpoint before it. */
  static final class Case {
    static final ServicePort PORT = new ServicePort("", Protocol.TCP, 80, "80", 0);

    private final String name;
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final Service.Builder service =
        Service.builder(new ObjectKey("ns", "svc")).clusterIps(List.of(IpAddress.of("10.96.0.1")));
    private String node = "here";
    private String zone = "";
    private int nodePort;
    private @Nullable Set<String> cluster;
    private @Nullable Set<String> local;
    private @Nullable Set<String> all;
    private boolean onlyRemote;

    Case(String name) {
      this.name = name;
    }

    Case node(String value) {
      node = value;
      return this;
    }

    Case zone(String value) {
      zone = value;
      return this;
    }

    Case internalLocal() {
      service.internalPolicy(TrafficPolicy.LOCAL);
      return this;
    }

    Case externalLocal() {
      service.externalPolicy(TrafficPolicy.LOCAL);
      return this;
    }

    Case nodePort() {
      service.type(ServiceType.NODE_PORT);
      nodePort = 8080;
      return this;
    }

    Case ready(String address, String... zones) {
      return endpoint(address, true, true, false, zones);
    }

    Case unready(String address, String... zones) {
      return endpoint(address, false, false, false, zones);
    }

    Case servingTerminating(String address) {
      return endpoint(address, false, true, true);
    }

    private Case endpoint(
        String address, boolean ready, boolean serving, boolean terminating, String... zones) {
      Hints hints = new Hints(List.of(zones), List.of());
      endpoints.add(
          new Endpoint(IpAddress.of(address), ready, serving, terminating, REMOTE, "", hints));
      return this;
    }

    Case local() {
      endpoints.add(ServiceBuilder.on(node, endpoints.removeLast()));
      return this;
    }

    Case forNode(String hint) {
      endpoints.add(ServiceBuilder.forNodes(endpoints.removeLast(), hint));
      return this;
    }

    Case cluster(String addresses) {
      cluster = set(addresses);
      return this;
    }

    Case local(String addresses) {
      local = set(addresses);
      return this;
    }

    Case all(String addresses) {
      all = set(addresses);
      return this;
    }

    Case onlyRemote() {
      onlyRemote = true;
      return this;
    }

    private static Set<String> set(String addresses) {
      return addresses.isEmpty() ? Set.of() : new TreeSet<>(List.of(addresses.split(" ")));
    }

    Set<String> expectedAll() {
      boolean hasCluster = cluster != null && !cluster.isEmpty();
      boolean hasLocal = local != null && !local.isEmpty();
      if (cluster != null && hasCluster && !hasLocal) {
        return cluster;
      }
      if (local != null && hasLocal && !hasCluster) {
        return local;
      }
      return all == null ? Set.of() : all;
    }

    ServiceState state() {
      ServicePort port = new ServicePort("", Protocol.TCP, 80, "80", nodePort);
      EndpointSlice slice =
          new EndpointSlice(
              new ObjectKey("ns", "svc-1"),
              IpFamily.IPV4,
              List.of(new EndpointPort("", Protocol.TCP, 80)),
              endpoints);
      return new ServiceState(service.ports(List.of(port)).build(), List.of(slice), List.of());
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
