// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.cluster.AgentAccess;
import dev.patchbay.lab.cluster.ApiObjects;
import dev.patchbay.lab.cluster.AuditEvent;
import dev.patchbay.lab.cluster.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The permissions that the manifests give are enough, and none of them can be missed.
 *
 * <p>One agent runs with exactly them. Beside it one runs for each verb of each rule, without that
 * verb. All see the same changes; what each of them fails to do is told by a table.
 */
@EndToEnd
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class RbacClusterTest {
  private static final String ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles/";
  private static final String NAMESPACE = "kube-system";
  private static final String EXTERNAL = "192.0.2.9";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** How much later than one with all permissions another agent has to show what it misses. */
  private static final Duration LATER = Duration.ofSeconds(3);

  /** What an agent does. */
  private enum Duty {
    BECOMES_READY,
    FOLLOWS_SERVICES,
    FOLLOWS_ENDPOINTS,
    FOLLOWS_NODES,
    WRITES_EVENTS
  }

  /** What an agent does not do any more without a permission. */
  private static final Map<Permission, Set<Duty>> MISSED =
      Map.of(
          new Permission("services", "list"), Set.of(Duty.values()),
          new Permission("services", "watch"),
              Set.of(Duty.FOLLOWS_SERVICES, Duty.FOLLOWS_ENDPOINTS, Duty.WRITES_EVENTS),
          new Permission("endpointslices", "list"), Set.of(Duty.values()),
          new Permission("endpointslices", "watch"), Set.of(Duty.FOLLOWS_ENDPOINTS),
          new Permission("nodes", "list"), Set.of(Duty.values()),
          new Permission("nodes", "watch"), Set.of(Duty.FOLLOWS_NODES),
          new Permission("events", "create"), Set.of(Duty.WRITES_EVENTS));

  private record Permission(String resource, String verb) implements Comparable<Permission> {
    @Override
    public int compareTo(Permission other) {
      return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
      return verb + "-" + resource;
    }
  }

  /** An agent as a ServiceAccount. */
  private record Agent(Node node, String account) {
    String user() {
      return "system:serviceaccount:" + NAMESPACE + ":" + account;
    }
  }

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.startApiServer(lab);

  @Test
  void eachPermissionIsNeededAndNoOther() {
    Path kubeconfig = AgentAccess.kubeconfig(cluster);
    Json role = cluster.api().get(ROLES + "patchbay");
    Set<Permission> permissions = new TreeSet<>();
    for (Json rule : role.get("rules").elements()) {
      for (Json resource : rule.get("resources").elements()) {
        for (Json verb : rule.get("verbs").elements()) {
          permissions.add(new Permission(resource.text(), verb.text()));
        }
      }
    }
    assertThat(permissions).as("what this test knows of").isEqualTo(MISSED.keySet());
    cluster.api().create(service("holds"));

    Agent fit = launch("patchbay", kubeconfig);
    Eventually.within(PATIENCE, () -> assertThat(misses(fit, "", Set.of())).isEmpty());
    Map<Permission, Agent> unfit = new TreeMap<>();
    for (Permission missing : permissions) {
      String account = "without-" + missing;
      Agent agent = launch(account, permit(account, without(role, missing)));
      unfit.put(missing, agent);
      if (!MISSED.getOrDefault(missing, Set.of()).contains(Duty.BECOMES_READY)) {
        Eventually.within(PATIENCE, () -> assertThat(misses(agent, "", Set.of())).isEmpty());
      }
      if (!missing.verb.equals("create")) { // which is asked for when there is something to tell
        // It has asked for what it may not, so it is not merely slow.
        Eventually.within(
            PATIENCE, () -> assertThat(forbidden(agent.user())).as(account).contains(missing));
      }
    }

    // It loses EXTERNAL to the older one, which is worth an Event.
    String address = cluster.api().create(service("new")).get("spec").get("clusterIP").text();
    cluster.api().create(ApiObjects.slice("new", List.of("192.0.2.1")));
    unfit.values().forEach(this::leave);
    leave(fit);
    Set<Duty> all = Set.of(Duty.values());
    Eventually.within(PATIENCE, () -> assertThat(misses(fit, address, all)).isEmpty());
    long end = System.nanoTime() + LATER.toNanos();
    Map<Permission, Set<Duty>> missed = new HashMap<>();
    do {
      unfit.forEach((missing, agent) -> missed.put(missing, misses(agent, address, all)));
    } while (System.nanoTime() < end
        || (!missed.equals(MISSED) && System.nanoTime() < end + PATIENCE.toNanos()));
    new TreeMap<>(missed)
        .forEach((missing, duties) -> System.out.printf("rbac: without %s: %s%n", missing, duties));
    assertThat(missed).isEqualTo(MISSED);

    unfit.forEach(
        (missing, agent) ->
            Eventually.within(
                PATIENCE, () -> assertThat(forbidden(agent.user())).contains(missing)));
    assertThat(forbidden(fit.user())).as("what the fit one asked for in vain").isEmpty();
    assertThat(used(fit.user())).as("what the fit one asked for").isEqualTo(permissions);
    unfit.forEach(
        (missing, agent) ->
            assertThat(forbidden(agent.user())).as("%s", agent).containsExactly(missing));
  }

  private static Map<String, ?> service(String name) {
    Map<String, Object> service = new HashMap<>(ApiObjects.service(name));
    Map<String, Object> spec = new HashMap<>();
    Json.parse(Json.write(service)).get("spec").members().forEach(spec::put);
    spec.put("externalIPs", List.of(EXTERNAL));
    service.put("spec", spec);
    return service;
  }

  // --- Permissions ------------------------------------------------------------------------------

  private static List<Map<String, ?>> without(Json role, Permission missing) {
    List<Map<String, ?>> rules = new ArrayList<>();
    for (Json rule : role.get("rules").elements()) {
      boolean concerned =
          rule.get("resources").elements().stream()
              .anyMatch(resource -> resource.text().equals(missing.resource));
      List<String> verbs =
          rule.get("verbs").elements().stream()
              .map(Json::text)
              .filter(verb -> !concerned || !verb.equals(missing.verb))
              .toList();
      if (!verbs.isEmpty()) {
        rules.add(
            Map.of(
                "apiGroups", rule.get("apiGroups"),
                "resources", rule.get("resources"),
                "verbs", verbs));
      }
    }
    return rules;
  }

  /** A kubeconfig of a new ServiceAccount that may do what the rules say. */
  private Path permit(String account, List<Map<String, ?>> rules) {
    String version = "rbac.authorization.k8s.io/v1";
    Map<String, String> name = Map.of("name", account);
    Map<String, String> place = Map.of("name", account, "namespace", NAMESPACE);
    cluster
        .api()
        .createAll(
            List.of(
                Map.of("apiVersion", "v1", "kind", "ServiceAccount", "metadata", place),
                Map.of(
                    "apiVersion", version, "kind", "ClusterRole", "metadata", name, "rules", rules),
                Map.of(
                    "apiVersion",
                    version,
                    "kind",
                    "ClusterRoleBinding",
                    "metadata",
                    name,
                    "roleRef",
                    Map.of(
                        "apiGroup",
                        "rbac.authorization.k8s.io",
                        "kind",
                        "ClusterRole",
                        "name",
                        account),
                    "subjects",
                    List.of(
                        Map.of(
                            "kind", "ServiceAccount", "name", account, "namespace", NAMESPACE)))));
    try {
      Path token = lab.newDirectory(account).resolve("token");
      Files.writeString(token, cluster.token(NAMESPACE, account, Duration.ofHours(1)));
      return cluster.kubeconfig(token);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Agent launch(String account, Path kubeconfig) {
    Node node = lab.addNode(account);
    cluster.join(node, "");
    node.useKubeconfig(kubeconfig);
    node.launchAgent();
    return new Agent(node, account);
  }

  // --- What agents do ---------------------------------------------------------------------------

  /** Marks a Node as one that is being taken away, which /healthz has to tell. */
  private void leave(Agent agent) {
    cluster
        .api()
        .merge(
            "/api/v1/nodes/" + agent.node.name(),
            Map.of(
                "spec",
                Map.of(
                    "taints",
                    List.of(
                        Map.of("key", "ToBeDeletedByClusterAutoscaler", "effect", "NoSchedule")))));
  }

  /**
   * What an agent has not done.
   *
   * @param address of the new Service
   * @param asked which duties are looked at; whether it is ready always is
   */
  private Set<Duty> misses(Agent agent, String address, Set<Duty> asked) {
    if (!agent.node.agent().out().contains("ready")) {
      Set<Duty> all = new TreeSet<>(asked);
      all.add(Duty.BECOMES_READY);
      return all;
    }
    Set<Duty> missed = new TreeSet<>();
    if (asked.isEmpty()) {
      return missed;
    }
    Set<String> backends = backends(agent, address);
    if (backends == null) {
      missed.add(Duty.FOLLOWS_SERVICES);
    }
    if (backends == null || !backends.equals(Set.of("192.0.2.1:9000"))) {
      missed.add(Duty.FOLLOWS_ENDPOINTS);
    }
    String health = agent.node.host().curl("http://" + Node.HEALTHZ + "/healthz").orFail().out();
    if (Json.parse(health).get("nodeEligible").text().equals("true")) {
      missed.add(Duty.FOLLOWS_NODES);
    }
    // Another agent may have been the first to write it.
    if (requests(agent.user()).stream()
        .noneMatch(
            request ->
                request.resource().equals("events")
                    && (request.code() == 201 || request.code() == 409))) {
      missed.add(Duty.WRITES_EVENTS);
    }
    return missed;
  }

  private static @Nullable Set<String> backends(Agent agent, String address) {
    return agent.node.services().rows().stream()
        .filter(row -> row.frontend().equals(address + ":80/tcp"))
        .findFirst()
        .map(row -> row.backends())
        .orElse(null);
  }

  // --- The audit log ----------------------------------------------------------------------------

  private List<AuditEvent> requests(String user) {
    return cluster.auditLog().stream().filter(event -> event.user().equals(user)).toList();
  }

  private Set<Permission> forbidden(String user) {
    return requests(user).stream()
        .filter(AuditEvent::isForbidden)
        .map(event -> new Permission(event.resource(), event.verb()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Set<Permission> used(String user) {
    return requests(user).stream()
        .map(event -> new Permission(event.resource(), event.verb()))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
