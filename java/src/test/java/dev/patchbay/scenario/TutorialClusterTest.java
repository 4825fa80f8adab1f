// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the tutorials do: unchanged manifests, kubectl, curl. */
@EndToEnd
class TutorialClusterTest {
  private static final String KUBIA =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: kubia}
      spec:
        replicas: 3
        selector: {matchLabels: {app: kubia}}
        template:
          metadata: {labels: {app: kubia}}
          spec:
            terminationGracePeriodSeconds: 1
            containers:
            - name: kubia
              image: luksa/kubia
              ports: [{containerPort: 8080}]
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: kubia}
      spec:
        selector: {app: kubia}
        ports: [{port: 80, targetPort: 8080}]
      """;

  @AutoClose private final TwoNodes two = new TwoNodes();

  @Test
  void kubiaAnswersFromEverywhere() {
    two.cluster.apply(KUBIA);
    two.cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=30s").orFail();
    String[] names = two.pods("app=kubia");
    assertThat(names).hasSize(3);
    String address = two.clusterIp("kubia");
    for (Client client : two.clients()) {
      Eventually.soon(
          () ->
              assertThat(client.pod().curl("http://" + address).orFail().out())
                  .startsWith("You've hit kubia-"));
      int[] times = new int[3];
      for (int i = 0; i < 150; i++) {
        times[List.of(names).indexOf(client.nameAt(address, 80))]++;
      }
      // 50 each; below 25 comes once in ten thousand times
      assertThat(times).as("from %s", client.pod()).satisfies(counts -> assertThat(Arrays.stream(counts).min()).hasValueGreaterThan(24));
    }
    assertThat(two.node1.services().backends(address, 80, "tcp"))
        .isEqualTo(two.node2.services().backends(address, 80, "tcp"))
        .hasSize(3)
        .contains(two.place(names[0]).ipv4() + ":8080");
  }
}
