// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.cluster.AgentAccess;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.KubeProxy;
import dev.patchbay.lab.cluster.ProxyMode;
import dev.patchbay.testkit.PrometheusText;
import dev.patchbay.testkit.PrometheusText.Family;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A scrape of the agent beside one of a real kube-proxy, in the same cluster. */
@EndToEnd
class MetricsClusterTest {
  /** What kube-proxy tells in one of its modes only. */
  private static final String OTHERS = ".*_(iptables|nftables)_.*";

  /** Of its client, which keeps more books than ours. */
  private static final Set<String> REST =
      Set.of("rest_client_requests_total", "rest_client_request_duration_seconds");

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.start(lab);
  private final Node ours = lab.addNode("ours");
  private final Node theirs = lab.addNode("theirs");

  @AfterEach
  void removeEverything() {
    ours.lastAgentIfAny().ifPresent(Daemon::kill);
    ours.cleanup().orFail();
  }

  private PrometheusText scrape() {
    return PrometheusText.parse(
        ours.host().curl("http://" + Node.METRICS + "/metrics").orFail().out());
  }

  @Test
  void namesTypesLabelsAndBucketsAreThoseOfKubeProxy() {
    theirs.routePods();
    cluster.join(ours, "");
    cluster.join(theirs, "");
    ours.useKubeconfig(AgentAccess.kubeconfig(cluster));
    ours.startAgent();
    KubeProxy proxy = KubeProxy.start(cluster, theirs, ProxyMode.NFTABLES);
    cluster.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: kubia}
        spec:
          selector: {app: kubia}
          ports:
          - {name: banner, port: 80, targetPort: banner}
        """);
    cluster.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: kubia, labels: {app: kubia}}
        spec:
          nodeName: ours
          terminationGracePeriodSeconds: 0
          containers:
          - name: web
            image: web
            ports:
            - {name: banner, containerPort: 9000}
        """);
    Eventually.within(
        Duration.ofSeconds(60),
        () ->
            assertThat(
                    scrape()
                        .sum(
                            "kubeproxy_network_programming_duration_seconds_count",
                            Map.of("ip_family", "IPv4")))
                .as("the Pod became ready while the agent was there")
                .isPositive());

    PrometheusText agent = scrape();
    PrometheusText real = PrometheusText.parse(proxy.metrics());
    Set<String> compared = new TreeSet<>();
    real.families()
        .forEach(
            (name, wanted) -> {
              if ((name.startsWith("kubeproxy_") && !name.matches(OTHERS)) || REST.contains(name)) {
                compared.add(name);
                Family found = agent.family(name);
                assertThat(found.type()).as(name).isEqualTo(wanted.type());
                assertThat(found.labels()).as(name).isEqualTo(wanted.labels());
                assertThat(found.bounds()).as(name).isEqualTo(wanted.bounds());
              }
            });
    assertThat(compared)
        .contains(
            "kubeproxy_sync_proxy_rules_duration_seconds",
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
            "rest_client_requests_total");
    for (String process :
        Set.of(
            "process_cpu_seconds_total",
            "process_open_fds",
            "process_max_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "kubernetes_build_info")) {
      assertThat(agent.family(process).type()).isEqualTo(real.family(process).type());
    }
    assertThat(agent.family("kubernetes_build_info").labels())
        .isSubsetOf(real.family("kubernetes_build_info").labels());
    assertThat(agent.sum("patchbay_source_connected")).isEqualTo(1);
    assertThat(agent.sum("patchbay_source_objects", Map.of("resource", "nodes"))).isEqualTo(2);
    System.out.println("compared with kube-proxy: " + compared);
  }
}
