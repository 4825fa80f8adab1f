// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import dev.patchbay.compile.SourceRanges;
import dev.patchbay.kube.KubeObject.ServiceObject;
import dev.patchbay.kube.KubeObject.SliceObject;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.testkit.CompiledNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The test of kube-proxy (pkg/proxy/nftables/proxier_test.go, Kubernetes 1.37) for addresses and
 * ranges with leading zeros, which old objects may have: with its name, its objects and its
 * expectations, from the API's JSON to what a socket meets. What it expects of an element of an
 * nftables map is asked of a connection; what it expects of the firewall chain, of {@link
 * SourceRanges}.
 */
class UpstreamBadIpsTest {
  private static final String NODE_IP = "192.168.0.2";
  private static final String ENDPOINT = "10.180.0.1:80";

  private static final String SERVICE =
      """
      {"metadata": {"namespace": "ns1", "name": "svc1", "uid": "u"},
       "spec": {
         "type": "LoadBalancer",
         "clusterIP": "172.30.0.041",
         "ports": [{"name": "p80", "port": 80, "protocol": "TCP", "nodePort": 3001}],
         "externalIPs": ["192.168.099.022"],
         "loadBalancerSourceRanges": ["203.0.113.000/025"]},
       "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.004"}]}}}
      """;

  private static final String SLICE =
      """
      {"metadata": {"namespace": "ns1", "name": "svc1-1", "uid": "v",
                    "labels": {"kubernetes.io/service-name": "svc1"}},
       "addressType": "IPv4",
       "endpoints": [{"addresses": ["10.180.00.001"], "nodeName": "test-node"}],
       "ports": [{"name": "p80", "port": 80, "protocol": "TCP"}]}
      """;

  private static <T> T read(ObjectReader<T> reader, String json) {
    try (JsonParser parser = ApiClient.JSON.createParser(json)) {
      parser.nextToken();
      return reader.read(parser);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @TestFactory
  @DisplayName("TestBadIPs")
  List<DynamicTest> badIps() {
    ServiceObject service = ServiceTranslator.translate(read(new ServiceReader(), SERVICE));
    SliceObject slice = new SliceTranslator().translate(read(new SliceReader(), SLICE));
    CompiledNode node =
        new CompiledNode(new NodeFacts("test-node", "", List.of(IpAddress.of(NODE_IP))));
    ServiceState state =
        new ServiceState(service.service(), List.of(requireNonNull(slice.slice())), List.of());
    node.update(List.of(state), List.of());
    return List.of(
        meets(node, "cluster IP 172.30.0.041", "172.30.0.41:80"),
        meets(node, "external IP 192.168.099.022", "192.168.99.22:80"),
        meets(node, "load balancer IP 1.2.3.004", "1.2.3.4:80"),
        meets(node, "node port", NODE_IP + ":3001"),
        DynamicTest.dynamicTest(
            "source range 203.0.113.000/025",
            () ->
                assertThat(SourceRanges.of(service.service(), IpFamily.IPV4).ranges())
                    .hasToString("[203.0.113.0/25]")),
        // Ours alone: whoever wrote them is told what they are taken for.
        DynamicTest.dynamicTest(
            "findings",
            () -> {
              assertThat(service.findings())
                  .extracting(Finding::field)
                  .contains("spec.externalIPs[0]");
              assertThat(slice.findings())
                  .extracting(Finding::field)
                  .containsExactly("endpoints[0].addresses[0]");
            }));
  }

  private static DynamicTest meets(CompiledNode node, String name, String destination) {
    return DynamicTest.dynamicTest(
        name, () -> assertThat(node.connect(destination)).isEqualTo(ENDPOINT));
  }
}
