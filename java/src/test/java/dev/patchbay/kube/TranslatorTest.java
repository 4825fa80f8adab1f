// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import dev.patchbay.kube.KubeObject.NodeObject;
import dev.patchbay.kube.KubeObject.ServiceObject;
import dev.patchbay.kube.KubeObject.SliceObject;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.Hints;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * From JSON as the API server sends it to what is kept. What is odd is used as kube-proxy uses it,
 * or left out alone.
 */
class TranslatorTest {
  private static final String META =
      "\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u-1\",\"resourceVersion\":\"7\",\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"managedFields\":[{\"fieldsV1\":{\"f:a\":{\".\":{}}}}]";
  private static final String PORTS =
      "\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":\"web\",\"nodePort\":30080},{\"name\":\"dns\",\"protocol\":\"UDP\",\"port\":53,\"targetPort\":5353}]";

  private static <T> T read(ObjectReader<T> reader, String json) {
    try (JsonParser parser = ApiClient.JSON.createParser(json)) {
      parser.nextToken();
      T object = reader.read(parser);
      assertThat(parser.nextToken()).as("all of it is read").isNull();
      return object;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A Service with these members of its spec. */
  private static ServiceObject service(String spec) {
    return service(spec, "");
  }

  private static ServiceObject service(String spec, String status) {
    return ServiceTranslator.translate(
        read(
            new ServiceReader(),
            "{\"kind\":\"Service\","
                + META
                + "},\"spec\":{"
                + spec
                + "},\"status\":{"
                + status
                + "}}"));
  }

  private static final String NO_PORTS = " ";

  private static SliceObject slice(String type, String endpoints, String ports) {
    return new SliceTranslator()
        .translate(
            read(
                new SliceReader(),
                "{"
                    + META
                    + ",\"labels\":{\"kubernetes.io/service-name\":\"web\",\"other\":\"x\"}},\"addressType\":\""
                    + type
                    + "\",\"endpoints\":["
                    + endpoints
                    + "],\"ports\":["
                    + (ports.isEmpty() ? "{\"name\":\"web\",\"port\":80}" : ports)
                    + "]}"));
  }

  private static List<Endpoint> endpoints(SliceObject slice) {
    return requireNonNull(slice.slice()).endpoints();
  }

  private static String ipv4(String address) {
    return "{\"addresses\":[\"" + address + "\"]}";
  }

  private static List<String> texts(List<Finding> findings) {
    return findings.stream().map(f -> f.severity() + " " + f.field() + " " + f.reason()).toList();
  }

  @Test
  void serviceWithEverything() {
    ServiceObject object =
        service(
            """
            "type":"LoadBalancer","clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","fd00::1"],
            "ipFamilies":["IPv4","IPv6"],"sessionAffinity":"ClientIP",
            "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":30}},
            "externalIPs":["192.0.2.1"],"loadBalancerSourceRanges":[" 192.0.2.0/24 "],
            "externalTrafficPolicy":"Local","internalTrafficPolicy":"Local",
            "healthCheckNodePort":32000,"trafficDistribution":"PreferSameZone",
            "publishNotReadyAddresses":true,"selector":{"app":"web"},
            """
                + PORTS,
            "\"loadBalancer\":{\"ingress\":[{\"ip\":\"198.51.100.1\",\"ipMode\":\"VIP\",\"ports\":[]},{\"ip\":\"198.51.100.2\",\"ipMode\":\"Proxy\"},{\"ip\":\"198.51.100.3\"},{\"hostname\":\"lb.example\"}]}");
    assertThat(object.findings()).isEmpty();
    assertThat(object.key()).isEqualTo(new ObjectKey("shop", "web"));
    assertThat(object.uid()).isEqualTo("u-1");
    Service service = object.service();
    assertThat(service.type()).isEqualTo(ServiceType.LOAD_BALANCER);
    assertThat(service.headless()).isFalse();
    assertThat(service.clusterIps()).hasToString("[10.0.0.1, fd00::1]");
    assertThat(service.ports())
        .hasToString(
            "[ServicePort[name=http, protocol=TCP, port=80, targetPort=web, nodePort=30080],"
                + " ServicePort[name=dns, protocol=UDP, port=53, targetPort=5353, nodePort=0]]");
    assertThat(service.affinitySeconds()).isEqualTo(30);
    assertThat(service.externalIps()).hasToString("[192.0.2.1]");
    assertThat(service.loadBalancerIps()).hasToString("[198.51.100.1, 198.51.100.3]");
    assertThat(service.proxiedLoadBalancerIps()).hasToString("[198.51.100.2]");
    assertThat(service.sourceRanges()).hasToString("[192.0.2.0/24]");
    assertThat(service.externalPolicy()).isEqualTo(TrafficPolicy.LOCAL);
    assertThat(service.internalPolicy()).isEqualTo(TrafficPolicy.LOCAL);
    assertThat(service.healthCheckNodePort()).isEqualTo(32000);
    assertThat(service.trafficDistribution()).isEqualTo("PreferSameZone");
    assertThat(service.publishNotReadyAddresses())
        .as("the ready condition has it already")
        .isFalse();
    assertThat(service.createdMillis())
        .isEqualTo(Instant.parse("2026-01-02T03:04:05Z").toEpochMilli());
  }

  @Test
  void serviceWithAlmostNothing() {
    Service service = service("").service();
    assertThat(service.type()).isEqualTo(ServiceType.CLUSTER_IP);
    assertThat(service.clusterIps()).isEmpty();
    assertThat(service.ports()).isEmpty();
    assertThat(service.affinitySeconds()).isZero();
    assertThat(service.internalPolicy()).isEqualTo(TrafficPolicy.CLUSTER);
    assertThat(service("").findings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"] | true | []",
        "\"clusterIP\":\"\" | false | []",
        "\"clusterIP\":\"10.0.0.1\" | false | [10.0.0.1]",
        "\"type\":\"ExternalName\",\"externalName\":\"a.b\" | false | []",
        "\"type\":\"ExternalName\",\"clusterIP\":\"10.0.0.1\" | false | []",
        "\"clusterIP\":\"fd00::1\",\"clusterIPs\":[\"fd00::1\",\"10.0.0.1\"],\"ipFamilies\":[\"IPv6\",\"IPv4\"]"
            + " | false | [fd00::1, 10.0.0.1]",
      })
  void clusterIps(String spec, boolean headless, String wanted) {
    ServiceObject object = service(spec);
    assertThat(object.service().headless()).isEqualTo(headless);
    assertThat(object.service().clusterIps()).hasToString(wanted);
    assertThat(object.findings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"type\":\"ClusterIP\" | CLUSTER | 0",
        "\"type\":\"ClusterIP\",\"externalIPs\":[\"192.0.2.1\"] | LOCAL | 0",
        "\"type\":\"NodePort\" | LOCAL | 0",
        "\"type\":\"LoadBalancer\" | LOCAL | 32000",
      })
  void externalPolicyCountsOnlyWhereSomethingIsExternal(
      String spec, TrafficPolicy wanted, int healthCheck) {
    ServiceObject object =
        service(spec + ",\"externalTrafficPolicy\":\"Local\",\"healthCheckNodePort\":32000");
    assertThat(object.service().externalPolicy()).isEqualTo(wanted);
    assertThat(object.service().healthCheckNodePort()).isEqualTo(healthCheck);
  }

  @Test
  void healthCheckNodePortOfPolicyClusterIsIgnored() {
    assertThat(
            service("\"type\":\"LoadBalancer\",\"healthCheckNodePort\":32000")
                .service()
                .healthCheckNodePort())
        .isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"sessionAffinity\":\"None\" | 0",
        "\"sessionAffinity\":\"ClientIP\" | 10800",
        "\"sessionAffinity\":\"ClientIP\",\"sessionAffinityConfig\":{} | 10800",
        "\"sessionAffinity\":\"ClientIP\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":86400}} | 86400",
        "\"sessionAffinity\":\"None\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":5}} | 0",
      })
  void affinity(String spec, int wanted) {
    assertThat(service(spec).service().affinitySeconds()).isEqualTo(wanted);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"192.0.2.0/24\" | [192.0.2.0/24]",
        "\"\\t192.0.2.0/24\\n\",\" fd00::/64\" | [192.0.2.0/24, fd00::/64]",
        "\"192.0.2.77/24\" | [192.0.2.0/24]",
        "\"192.000.002.0/24\" | [192.0.2.0/24]",
        "\"\" | []",
        "\"0.0.0.0/0\",\"192.0.2.0/24\",\"fd00::/64\" | [fd00::/64]",
        "\"::/0\",\"fd00::/64\" | []",
      })
  void sourceRanges(String ranges, String wanted) {
    ServiceObject object = service("\"loadBalancerSourceRanges\":[" + ranges + "]");
    assertThat(object.service().sourceRanges()).hasToString(wanted);
    assertThat(object.findings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"externalIPs\":[\"1.2.3\",\"192.0.2.1\",\"\",\"192.0.2.1\"]"
            + " | ERROR spec.externalIPs[0] \"1.2.3\" is no IP address; ignored",
        "\"externalIPs\":[\"192.000.002.001\"]"
            + " | WARNING spec.externalIPs[0] \"192.000.002.001\" is taken for 192.0.2.1",
        "\"externalIPs\":[\"::ffff:192.0.2.1\"]"
            + " | WARNING spec.externalIPs[0] \"::ffff:192.0.2.1\" is taken for 192.0.2.1",
      })
  void oddExternalIps(String spec, String finding) {
    ServiceObject object = service(spec);
    assertThat(object.service().externalIps()).hasToString("[192.0.2.1]");
    assertThat(texts(object.findings())).containsExactly(finding);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"type\":\"Unheard\" | WARNING spec.type \"Unheard\" is unknown; taken for ClusterIP",
        "\"type\":7 | ERROR spec.type is not a string; ignored",
        "\"clusterIPs\":[\"10.0.0.1\",\"10.0.0.2\"]"
            + " | ERROR spec.clusterIPs[1] 10.0.0.2 is a second IPv4 address; ignored",
        "\"clusterIPs\":[\"10.0.0.1\"],\"ipFamilies\":[\"IPv6\"]"
            + " | ERROR spec.clusterIPs[0] 10.0.0.1 is no IPv6 address, as spec.ipFamilies says; ignored",
        "\"ports\":[{\"port\":0}] | ERROR spec.ports[0].port 0 is no port number; port ignored",
        "\"ports\":[{\"port\":70000}] | ERROR spec.ports[0].port 70000 is no port number; port ignored",
        "\"ports\":[{\"port\":99999999999}] | ERROR spec.ports[0].port is not a number of 32 bits; ignored",
        "\"ports\":[{\"port\":80,\"protocol\":\"XTP\"}]"
            + " | ERROR spec.ports[0].protocol \"XTP\" is unknown; port ignored",
        "\"ports\":[{\"name\":\"a\",\"port\":80},{\"name\":\"b\",\"port\":80}]"
            + " | ERROR spec.ports[1].port 80/TCP is used twice; port ignored",
        "\"ports\":{\"port\":80} | ERROR spec.ports is not a list; ignored",
        "\"ports\":[80] | ERROR spec.ports[0] is not an object; ignored",
        "\"internalTrafficPolicy\":\"Here\""
            + " | WARNING spec.internalTrafficPolicy \"Here\" is unknown; taken for Cluster",
        "\"sessionAffinity\":\"Cookie\" | WARNING spec.sessionAffinity \"Cookie\" is unknown; ignored",
        "\"loadBalancerSourceRanges\":[\"10.0.0.0\"]"
            + " | ERROR spec.loadBalancerSourceRanges[0] \"10.0.0.0\" is no range of addresses; ignored",
        "\"type\":\"LoadBalancer\",\"externalTrafficPolicy\":\"Local\""
            + " | WARNING spec.healthCheckNodePort is missing, though externalTrafficPolicy is Local",
      })
  void oddServices(String spec, String finding) {
    assertThat(texts(service(spec).findings())).first().isEqualTo(finding);
  }

  @Test
  void sctpPassesThrough() {
    assertThat(service("\"ports\":[{\"port\":9,\"protocol\":\"SCTP\"}]").service().ports())
        .hasToString("[ServicePort[name=, protocol=SCTP, port=9, targetPort=, nodePort=0]]");
  }

  @Test
  void nullsCountAsAbsent() {
    ServiceObject object =
        service(
            "\"type\":null,\"clusterIPs\":null,\"ports\":null,\"externalIPs\":null,\"sessionAffinityConfig\":null",
            "\"loadBalancer\":null");
    assertThat(object.findings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-01-02T03:04:05Z",
        "1999-12-31T23:59:59Z",
        "2024-02-29T00:00:00Z",
        "2026-01-02T03:04:05.123Z"
      })
  void timestamps(String text) {
    assertThat(Timestamps.millis(text)).isEqualTo(Instant.parse(text).toEpochMilli());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "yesterday", "2026-13-02T03:04:05Z", "2026-01-02T03:04:0xZ"})
  void timestampsThatAreNone(String text) {
    assertThat(Timestamps.millis(text)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void sliceWithEverything() {
    SliceObject object =
        slice(
            "IPv6",
            """
            {"addresses":["fd00::5"],"conditions":{"ready":false,"serving":true,"terminating":true},
             "nodeName":"node7","zone":"a","hostname":"h","targetRef":{"kind":"Pod","name":"web-1","uid":"x"},
             "hints":{"forZones":[{"name":"a"},{"name":"b"}],"forNodes":[{"name":"node7"}]}}
            """,
            "{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080,\"appProtocol\":\"x\"}");
    assertThat(object.findings()).isEmpty();
    assertThat(object.service()).isEqualTo(new ObjectKey("shop", "web"));
    Endpoint endpoint = endpoints(object).getFirst();
    assertThat(endpoint.address()).hasToString("fd00::5");
    assertThat(endpoint.ready()).isFalse();
    assertThat(endpoint.serving()).isTrue();
    assertThat(endpoint.terminating()).isTrue();
    assertThat(endpoint.nodeName()).isEqualTo("node7");
    assertThat(endpoint.target()).isEqualTo("web-1");
    assertThat(endpoint.hints()).isEqualTo(new Hints(List.of("a", "b"), List.of("node7")));
    assertThat(requireNonNull(object.slice()).ports())
        .hasToString("[EndpointPort[name=http, protocol=TCP, port=8080]]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | true | true | false",
        "{\"ready\":null,\"serving\":null,\"terminating\":null} | true | true | false",
        "{\"ready\":false} | false | true | false",
        "{\"ready\":false,\"terminating\":true} | false | true | true",
        "{\"ready\":false,\"serving\":false,\"terminating\":true} | false | false | true",
        "{\"ready\":true,\"serving\":true,\"terminating\":false} | true | true | false",
      })
  void conditions(String conditions, boolean ready, boolean serving, boolean terminating) {
    Endpoint endpoint =
        endpoints(
                slice(
                    "IPv4", "{\"addresses\":[\"10.1.0.1\"],\"conditions\":" + conditions + "}", ""))
            .getFirst();
    assertThat(List.of(endpoint.ready(), endpoint.serving(), endpoint.terminating()))
        .containsExactly(ready, serving, terminating);
  }

  @Test
  void endpointsWithoutPortsAreToldUnlessThereAreNone() {
    assertThat(texts(slice("IPv4", ipv4("10.1.0.1"), NO_PORTS).findings()))
        .containsExactly("WARNING ports is empty, so nothing leads to its endpoints");
    assertThat(slice("IPv4", "", NO_PORTS).findings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        // what is given, what it becomes, and what is said about it
        "10.1.0.1 | 10.1.0.1 | -",
        "010.001.000.009 | 10.1.0.9 | is taken for 10.1.0.9",
        "::ffff:10.1.0.1 | 10.1.0.1 | is taken for 10.1.0.1",
        "::ffff:a01:1 | 10.1.0.1 | is taken for 10.1.0.1",
        "10.1.0 | - | is no IP address; endpoint ignored",
        "10.1.0.256 | - | is no IP address; endpoint ignored",
        "fd00::1 | - | is no IPv4 address, as addressType says; endpoint ignored",
        "127.0.0.1 | - | is a loopback address; endpoint ignored",
        "0.0.0.0 | - | is the unspecified address; endpoint ignored",
        "169.254.1.1 | - | is a link-local address; endpoint ignored",
        "224.0.0.1 | - | is a multicast address; endpoint ignored",
        "255.255.255.255 | - | is the broadcast address; endpoint ignored",
        "example.org | - | is no IP address; endpoint ignored",
      })
  void addressesInAnIpv4Slice(String text, String wanted, String reason) {
    SliceObject object = slice("IPv4", ipv4(text) + "," + ipv4("10.1.0.200"), "");
    List<String> addresses = endpoints(object).stream().map(e -> e.address().toString()).toList();
    if (wanted == null) {
      assertThat(addresses).as("the others stay").containsExactly("10.1.0.200");
    } else {
      assertThat(addresses).containsExactly(wanted, "10.1.0.200");
    }
    if (reason == null) {
      assertThat(object.findings()).isEmpty();
    } else {
      assertThat(object.findings())
          .singleElement()
          .satisfies(
              f -> {
                assertThat(f.field()).isEqualTo("endpoints[0].addresses[0]");
                assertThat(f.reason()).endsWith(reason);
              });
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"::", "::1", "fe80::1", "ff02::1", "10.1.0.1", "::ffff:10.1.0.1", "fe80::1%eth0"})
  void addressesThatDoNotBelongInAnIpv6Slice(String text) {
    SliceObject object = slice("IPv6", ipv4(text) + "," + ipv4("fd00::1"), "");
    assertThat(endpoints(object)).hasSize(1);
    assertThat(object.findings()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"port\":80,\"protocol\":\"TCP\"} | ERROR ports[0].name is null; port ignored",
        "{\"name\":null,\"port\":80} | ERROR ports[0].name is null; port ignored",
        "{\"name\":\"http\"} | ERROR ports[0].port is missing, and \"all ports\" cannot be served; port ignored",
        "{\"name\":\"http\",\"port\":null} | ERROR ports[0].port is missing, and \"all ports\" cannot be served; port ignored",
        "{\"name\":\"http\",\"port\":0} | ERROR ports[0].port 0 is no port number; port ignored",
        "{\"name\":\"http\",\"port\":-5} | ERROR ports[0].port -5 is no port number; port ignored",
        "{\"name\":\"http\",\"port\":70000} | ERROR ports[0].port 70000 is no port number; port ignored",
        "{\"name\":\"http\",\"port\":80,\"protocol\":\"ICMP\"} | ERROR ports[0].protocol \"ICMP\" is unknown; port ignored",
      })
  void portsOfNoUse(String port, String finding) {
    SliceObject object =
        slice("IPv4", ipv4("10.1.0.1"), port + ",{\"name\":\"\",\"port\":81,\"protocol\":null}");
    assertThat(texts(object.findings())).containsExactly(finding);
    assertThat(requireNonNull(object.slice()).ports())
        .hasToString("[EndpointPort[name=, protocol=TCP, port=81]]");
  }

  @Test
  void onlyTheFirstAddressCounts() {
    SliceObject object = slice("IPv4", "{\"addresses\":[\"10.1.0.1\",\"10.1.0.2\"]}", "");
    assertThat(endpoints(object)).hasSize(1);
    assertThat(texts(object.findings()))
        .containsExactly(
            "WARNING endpoints[0].addresses only the first of 2 is used, as by kube-proxy");
  }

  @Test
  void endpointWithoutAddresses() {
    assertThat(texts(slice("IPv4", "{\"addresses\":[]},{}", "").findings()))
        .containsExactly(
            "ERROR endpoints[0].addresses is empty; endpoint ignored",
            "ERROR endpoints[1].addresses is empty; endpoint ignored");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "FQDN | NOTE addressType FQDN is nothing to balance over; slice ignored",
        "Unheard | ERROR addressType \"Unheard\" is unknown; slice ignored",
      })
  void slicesOfNoUse(String type, String finding) {
    SliceObject object = slice(type, ipv4("example.org"), "");
    assertThat(object.slice()).isNull();
    assertThat(object.service()).isNotNull();
    assertThat(texts(object.findings())).containsExactly(finding);
  }

  @Test
  void sliceOfNoService() {
    SliceObject object =
        new SliceTranslator()
            .translate(read(new SliceReader(), "{" + META + "},\"addressType\":\"IPv4\"}"));
    assertThat(object.service()).isNull();
    assertThat(object.slice()).isNull();
  }

  @Test
  void manyFindingsAreCut() {
    String many = ("," + ipv4("127.0.0.1")).repeat(1000).substring(1);
    SliceObject object = slice("IPv4", many, "");
    assertThat(object.findings()).hasSize(Findings.MAX + 1);
    assertThat(object.findings().getLast().reason()).isEqualTo("and 990 more findings");
  }

  private static NodeObject node(String labels, String meta, String spec, String addresses) {
    return NodeTranslator.translate(
        read(
            new NodeReader(),
            "{\"metadata\":{\"name\":\"node1\",\"resourceVersion\":\"1\",\"labels\":{"
                + labels
                + "}"
                + meta
                + "},\"spec\":{"
                + spec
                + "},\"status\":{\"images\":[{\"names\":[\"x\"]}],\"addresses\":["
                + addresses
                + "]}}"));
  }

  @Test
  void node() {
    NodeObject object =
        node(
            "\"topology.kubernetes.io/zone\":\"zone-a\",\"kubernetes.io/hostname\":\"node1\"",
            "",
            "\"podCIDR\":\"10.1.0.0/24\",\"taints\":[{\"key\":\"other\",\"effect\":\"NoSchedule\"}]",
            """
            {"type":"Hostname","address":"node1"},{"type":"InternalIP","address":"192.168.0.1"},
            {"type":"ExternalIP","address":"203.0.113.1"},{"type":"InternalIP","address":"fd00::1"},
            {"type":"InternalDNS","address":"a.b"},{"type":"ExternalIP","address":"192.168.0.1"}
            """);
    assertThat(object.findings()).isEmpty();
    assertThat(object.key()).isEqualTo(new ObjectKey("", "node1"));
    assertThat(object.node().name()).isEqualTo("node1");
    assertThat(object.node().zone()).isEqualTo("zone-a");
    assertThat(object.node().addresses()).hasToString("[192.168.0.1, 203.0.113.1, fd00::1]");
    assertThat(object.node().eligible()).isTrue();
  }

  @Test
  void nodeThatGoes() {
    assertThat(
            node("", "", "\"taints\":[{\"key\":\"ToBeDeletedByClusterAutoscaler\"}]", "")
                .node()
                .eligible())
        .isFalse();
    assertThat(
            node("", ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\"", "", "").node().eligible())
        .isFalse();
  }

  @Test
  void nodeWithAnOddAddress() {
    NodeObject object =
        node(
            "",
            "",
            "",
            "{\"type\":\"InternalIP\",\"address\":\"x\"},{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}");
    assertThat(object.node().addresses()).hasToString("[10.0.0.1]");
    assertThat(texts(object.findings()))
        .containsExactly("WARNING status.addresses[0].address \"x\" is no IP address; ignored");
  }
}
