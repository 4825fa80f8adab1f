// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Dns;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real DNS servers behind 53/UDP and 53/TCP of one cluster IP, with real resolvers as clients. */
@EndToEnd
class DnsServiceE2eTest {
  private static final String NAME = "kubia.example.test";
  private static final String IPV4 = "192.0.2.77";
  private static final String IPV6 = "2001:db8::77";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = List.of(node.addPod("dns-a"), node.addPod("dns-b"));
  private final Pod client = node.addPod("client");

  @BeforeAll
  void start() {
    servers.forEach(this::startDnsmasq);
    node.write("pods.yaml", Manifest.pods("k8s-app: kube-dns", servers));
    node.write(
        "kube-dns.yaml",
        Manifest.service(
            "kube-dns",
            10,
            "k8s-app: kube-dns",
            "{name: dns, port: 53, protocol: UDP}",
            "{name: dns-tcp, port: 53, protocol: TCP}"));
    node.startAgent();
  }

  private void startDnsmasq(Pod pod) {
    Dns.serve(
        pod,
        "--host-record=" + NAME + "," + IPV4 + "," + IPV6,
        "--txt-record=who." + NAME + "," + pod.name());
    Eventually.soon(
        () ->
            assertThat(dig(pod.ipv4(), "+tries=1", "+time=1", NAME, "A").out().trim())
                .isEqualTo(IPV4));
  }

  private Result dig(String server, String... more) {
    return Dns.dig(client, server, more);
  }

  @ParameterizedTest
  @EnumSource
  void digGetsAnswersByUdpAndTcp(Family family) {
    for (String transport : List.of("+notcp", "+tcp")) {
      for (int i = 0; i < 10; i++) {
        Result a = dig(family.service(10), transport, "+tries=1", "+time=15", NAME, "A").orFail();
        assertThat(a.out()).isEqualTo(IPV4 + "\n");
        assertThat(a.err()).isEmpty();
      }
      assertThat(dig(family.service(10), transport, NAME, "AAAA").orFail().out().trim())
          .isEqualTo(IPV6);
    }
  }

  @ParameterizedTest
  @EnumSource
  void bothServersAnswer(Family family) {
    Eventually.soon(
        () -> {
          StringBuilder met = new StringBuilder();
          for (int i = 0; i < 20; i++) {
            met.append(dig(family.service(10), "who." + NAME, "TXT").orFail().out());
          }
          assertThat(met).contains("\"dns-a\"", "\"dns-b\"");
        });
  }

  @ParameterizedTest
  @EnumSource
  void nslookupSeesTheServiceAsTheServer(Family family) {
    Result result = client.exec("nslookup", NAME, family.service(10)).orFail();
    assertThat(result.out()).contains(family.service(10) + "#53", IPV4, IPV6);
    assertThat(result.all()).doesNotContain("unexpected source");
  }

  @ParameterizedTest
  @EnumSource
  void theResolverOfTheCLibraryWorks(Family family) {
    for (String options : List.of("timeout:15 attempts:1", "use-vc timeout:15 attempts:1")) {
      for (int i = 0; i < 5; i++) {
        Result hosts =
            Dns.withResolver(client, family.service(10), options, "getent", "ahosts", NAME)
                .orFail();
        assertThat(hosts.out()).contains(IPV4, IPV6);
      }
      assertThat(
              Dns.withResolver(client, family.service(10), options, "getent", "hosts", NAME)
                  .orFail()
                  .out())
          .contains(IPV6);
    }
  }

  @Test
  void curlResolvesAndConnectsThroughServices() {
    Pod web = node.addServers("web").getFirst();
    node.write(
        "web.yaml",
        Manifest.of(
            Manifest.serverService("web", 77, "app: web"),
            Manifest.pods("app: web", List.of(web))));
    Pod dns = node.addPod("dns-web");
    Dns.serve(
        dns, "--host-record=web.test," + Family.IPV4.service(77) + "," + Family.IPV6.service(77));
    node.write(
        "web-dns.yaml",
        Manifest.of(
            Manifest.service("web-dns", 11, "app: web-dns", "{port: 53, protocol: UDP}"),
            Manifest.pods("app: web-dns", List.of(dns))));
    Eventually.soon(
        () -> {
          assertThat(
                  Dns.withResolver(
                          client,
                          Family.IPV4.service(11),
                          "timeout:5 attempts:1",
                          "curl",
                          "--silent",
                          "--noproxy",
                          "*",
                          "--max-time",
                          "10",
                          "http://web.test/")
                      .orFail()
                      .out())
              .isEqualTo("You've hit web\n");
        });
  }

  @Test
  void aResolverThatAsksAgainLeavesADeadServerAtOnce() {
    node.write("pods.yaml", Manifest.pods("k8s-app: kube-dns", servers.subList(0, 1)));
    servers.get(1).killProcesses();
    Eventually.within(
        Checks.EFFECT,
        () -> {
          for (int i = 0; i < 10; i++) {
            assertThat(
                    dig(Family.IPV4.service(10), "+tries=1", "+time=1", "who." + NAME, "TXT").out())
                .isEqualTo("\"dns-a\"\n");
          }
        });
    startDnsmasq(servers.get(1));
    node.write("pods.yaml", Manifest.pods("k8s-app: kube-dns", servers));
  }
}
