// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a cluster can be made to suffer, and objects that reach it on the short way. */
@EndToEnd
class FaultsClusterTest {
  private static final String SERVICES = "/api/v1/namespaces/default/services";

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.startApiServer(lab);

  @Test
  void watchersFromBeforeTheLossOfThePastGetGone() throws Exception {
    String version = cluster.api().get(SERVICES).get("metadata").get("resourceVersion").text();
    cluster.api().create(service("later", "10.96.9.1"));
    cluster.forgetThePast();
    List<Json> events = new ArrayList<>();
    cluster.api().watch(SERVICES + "?resourceVersion=" + version, events::add);
    assertThat(events).hasSize(1);
    assertThat(events.getFirst().get("type").text()).isEqualTo("ERROR");
    assertThat(events.getFirst().get("object").get("code").number()).isEqualTo(410);
  }

  @Test
  void objectsSurviveAndWatchesEnd() throws IOException {
    cluster.api().create(service("survivor", "10.96.9.2"));
    Map<String, Json> seen = new ConcurrentHashMap<>();
    try (Reflector _ =
        new Reflector(
            cluster.api(),
            SERVICES,
            object -> seen.put(name(object), object),
            object -> seen.remove(name(object)))) {
      Eventually.soon(() -> assertThat(seen).containsKey("survivor"));
      cluster.killApiServer();
      cluster.killEtcd();
      cluster.startEtcd();
      cluster.startApiServer();
      assertThat(cluster.api().find(SERVICES + "/survivor")).isPresent();
      cluster.api().delete(SERVICES + "/survivor");
      Eventually.soon(() -> assertThat(seen).doesNotContainKey("survivor"));
      cluster.stopApiServer();
      cluster.startApiServer();
      cluster.api().create(service("survivor", "10.96.9.2"));
      Eventually.soon(() -> assertThat(seen).containsKey("survivor"));
    }
  }

  @Test
  void storedObjectsAreLikeCreatedOnes() {
    cluster.store(
        List.of(
            service("stored", "10.96.9.3"),
            Map.of(
                "apiVersion",
                "discovery.k8s.io/v1",
                "kind",
                "EndpointSlice",
                "addressType",
                "IPv4",
                "metadata",
                Map.of("name", "stored", "labels", Map.of("kubernetes.io/service-name", "stored")),
                "ports",
                List.of(Map.of("port", 8080)),
                "endpoints",
                List.of(Map.of("addresses", List.of("10.1.0.1"))))));
    Json spec = cluster.api().get(SERVICES + "/stored").get("spec");
    assertThat(spec.get("clusterIPs").elements()).hasSize(1);
    assertThat(spec.get("type").text()).isEqualTo("ClusterIP");
    assertThat(cluster.kubectl("get", "endpointslices").orFail().out())
        .containsPattern("stored +IPv4 +8080 +10.1.0.1");
    ApiResponse second =
        cluster.api().send("POST", SERVICES, "application/json", service("second", "10.96.9.3"));
    assertThat(second.status()).isEqualTo(422);
    assertThat(second.body()).contains("10.96.9.3", "already allocated");
  }

  @Test
  void certificatesExpire() {
    ClientCertificate good = cluster.issue("reader", Duration.ofHours(1), "readers");
    ClientCertificate old = cluster.issue("reader", Duration.ofSeconds(-5), "readers");
    assertThat(cluster.kubectl(cluster.kubeconfig(good), "get", "nodes").err())
        .contains("Forbidden", "User \"reader\"");
    assertThat(cluster.kubectl(cluster.kubeconfig(old), "get", "nodes").err())
        .contains("Unauthorized");
  }

  private static Map<String, ?> service(String name, String address) {
    return ApiObjects.service(
        name,
        Map.of("clusterIP", address, "ports", List.of(Map.of("port", 80, "targetPort", 8080))));
  }

  private static String name(Json object) {
    return object.get("metadata").get("name").text();
  }
}
