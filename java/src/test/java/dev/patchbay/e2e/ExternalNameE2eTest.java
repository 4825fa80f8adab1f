// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A Service that is a name for a while. */
@EndToEnd
class ExternalNameE2eTest {
  private static final String NAME =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: changing
      spec:
        type: ExternalName
        externalName: kubia.example.test
        ports:
        - {port: 90}
      """;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Client client = node.addPod("client").client();

  @Test
  void itHasAFrontendOnlyWhileItIsNoName() {
    node.write("pods.yaml", Manifest.pods("app: server", node.addServers("server")));
    node.write("changing.yaml", NAME);
    node.startAgent();
    assertThat(node.services().of("default/changing")).isEmpty();
    for (int i = 0; i < 2; i++) {
      node.write("changing.yaml", Manifest.serverService("changing", 10, "app: server"));
      for (Family family : Family.values()) {
        Checks.meetsInTime(client, family.service(10), "server");
      }
      node.write("changing.yaml", NAME);
      for (Family family : List.of(Family.IPV4, Family.IPV6)) {
        Checks.meetsInTime(client, family.service(10), Outcome.NOT_TRANSLATED);
      }
      Eventually.soon(() -> assertThat(node.services().of("default/changing")).isEmpty());
    }
    assertThat(node.validate().exit()).isZero();
  }
}
