// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The variables that kubelet gives to a new container ({@code pkg/kubelet/envvars}). */
@EndToEnd
class EnvironmentE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");

  @BeforeAll
  void start() {
    node.write(
        "services.yaml",
        Manifest.of(
            service("kubia", "default", "10.96.0.10", "- {port: 80, targetPort: 8080}"),
            service(
                "my-data-base",
                "default",
                "10.96.0.11",
                "- {name: sql, port: 5432}\n  - {name: web-ui, port: 8080, protocol: UDP}"),
            service("six", "default", "fd00:10:96::10", "- {name: http, port: 80}"),
            service("headless", "default", "None", "- {port: 80}"),
            """
            apiVersion: v1
            kind: Service
            metadata: {name: elsewhere}
            spec: {type: ExternalName, externalName: example.test}
            """,
            service("other", "far-away", "10.96.0.12", "- {port: 80}"),
            service("kubernetes", "default", "10.96.0.1", "- {name: https, port: 443}")));
    node.startAgent();
  }

  private static String service(String name, String namespace, String address, String ports) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: %s, namespace: %s}
    spec:
      clusterIP: "%s"
      ports:
      %s
    """
        .formatted(name, namespace, address, ports);
  }

  @Test
  void theVariablesOfANamespaceAreKubelets() {
    assertThat(node.read("env", "--namespace", "default").orFail().out().lines())
        .containsExactlyInAnyOrder(
            "KUBIA_SERVICE_HOST=10.96.0.10",
            "KUBIA_SERVICE_PORT=80",
            "KUBIA_PORT=tcp://10.96.0.10:80",
            "KUBIA_PORT_80_TCP=tcp://10.96.0.10:80",
            "KUBIA_PORT_80_TCP_PROTO=tcp",
            "KUBIA_PORT_80_TCP_PORT=80",
            "KUBIA_PORT_80_TCP_ADDR=10.96.0.10",
            "MY_DATA_BASE_SERVICE_HOST=10.96.0.11",
            "MY_DATA_BASE_SERVICE_PORT=5432",
            "MY_DATA_BASE_SERVICE_PORT_SQL=5432",
            "MY_DATA_BASE_SERVICE_PORT_WEB_UI=8080",
            "MY_DATA_BASE_PORT=tcp://10.96.0.11:5432",
            "MY_DATA_BASE_PORT_5432_TCP=tcp://10.96.0.11:5432",
            "MY_DATA_BASE_PORT_5432_TCP_PROTO=tcp",
            "MY_DATA_BASE_PORT_5432_TCP_PORT=5432",
            "MY_DATA_BASE_PORT_5432_TCP_ADDR=10.96.0.11",
            "MY_DATA_BASE_PORT_8080_UDP=udp://10.96.0.11:8080",
            "MY_DATA_BASE_PORT_8080_UDP_PROTO=udp",
            "MY_DATA_BASE_PORT_8080_UDP_PORT=8080",
            "MY_DATA_BASE_PORT_8080_UDP_ADDR=10.96.0.11",
            "SIX_SERVICE_HOST=fd00:10:96::10",
            "SIX_SERVICE_PORT=80",
            "SIX_SERVICE_PORT_HTTP=80",
            "SIX_PORT=tcp://[fd00:10:96::10]:80",
            "SIX_PORT_80_TCP=tcp://[fd00:10:96::10]:80",
            "SIX_PORT_80_TCP_PROTO=tcp",
            "SIX_PORT_80_TCP_PORT=80",
            "SIX_PORT_80_TCP_ADDR=fd00:10:96::10",
            "KUBERNETES_SERVICE_HOST=10.96.0.1",
            "KUBERNETES_SERVICE_PORT=443",
            "KUBERNETES_SERVICE_PORT_HTTPS=443",
            "KUBERNETES_PORT=tcp://10.96.0.1:443",
            "KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443",
            "KUBERNETES_PORT_443_TCP_PROTO=tcp",
            "KUBERNETES_PORT_443_TCP_PORT=443",
            "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1");
  }

  @Test
  void anotherNamespaceSeesItsOwnServicesAndTheApiServer() {
    assertThat(node.read("env", "--namespace", "far-away").orFail().out().lines())
        .contains("OTHER_SERVICE_HOST=10.96.0.12", "KUBERNETES_SERVICE_HOST=10.96.0.1")
        .noneMatch(line -> line.startsWith("KUBIA_"));
  }
}
