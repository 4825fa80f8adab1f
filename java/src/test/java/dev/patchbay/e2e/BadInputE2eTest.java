// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bad manifests beside good ones: {@code validate} names file, document and field, and the running
 * agent goes on with everything else, also with changes that come later.
 */
@EndToEnd
class BadInputE2eTest {
  private static final String FILE = "bad.yaml";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();
  private int turn;
  private boolean healthy;

  /**
   * One bad file.
   *
   * @param name of the case
   * @param content of the file, one byte for each character
   * @param expected what the output of validate has to contain, as regular expressions
   */
  record Bad(String name, String content, List<String> expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Bad bad(String name, String content, String... expected) {
    return new Bad(name, content, List.of(expected));
  }

  /** A Service whose ports are given as a flow sequence. */
  private static String service(String ports) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: bad}
    spec:
      clusterIP: 10.96.0.66
      selector: {app: good}
      ports: %s
    """
        .formatted(ports);
  }

  private static String slice(String type, String address) {
    return """
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: bad-1, labels: {kubernetes.io/service-name: good}}
    addressType: %s
    ports: [{name: banner, port: 9000}]
    endpoints: [{addresses: ["%s"]}]
    """
        .formatted(type, address);
  }

  static Stream<Bad> badFiles() {
    return Stream.concat(badText(), badObjects());
  }

  private static Stream<Bad> badText() {
    String good = service("[{port: 90}]");
    return Stream.of(
        bad("YAML that does not parse", "kind: Service\n  metadata: {name\n", FILE),
        bad("the second document does not parse", good + "---\n]\n", FILE + ".*document 2"),
        bad("a scalar as document", "just words\n", FILE + ".*document 1"),
        bad("bytes that are not UTF-8", good.replace("bad", "b\u00ffd"), FILE, "UTF-8"),
        bad(
            "an alias bomb",
            """
            a: &a [x,x,x,x,x,x,x,x,x,x]
            b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
            c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
            d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
            e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
            f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
            g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]
            h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]
            i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h,*h]
            """,
            FILE,
            "(?i)alias"),
        bad("very deep nesting", "[".repeat(5000) + "]".repeat(5000), FILE, "(?i)nest|deep|depth"),
        bad("no kind", "apiVersion: v1\nmetadata: {name: x}\n", FILE + ".*document 1", "kind"),
        bad(
            "no name",
            "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 1}]}\n",
            FILE + ".*document 1",
            "metadata"));
  }

  private static Stream<Bad> badObjects() {
    String good = service("[{port: 90}]");
    return Stream.of(
        bad("ports is a word", service("many"), FILE, "spec\\.ports", "many"),
        bad("port is a word", service("[{port: http}]"), "spec\\.ports\\[0\\]\\.port", "http"),
        bad("port 0", service("[{port: 0}]"), "spec\\.ports\\[0\\]\\.port", "\\b0\\b"),
        bad("port -1", service("[{port: -1}]"), "spec\\.ports\\[0\\]\\.port", "-1"),
        bad("port 70000", service("[{port: 70000}]"), "spec\\.ports\\[0\\]\\.port", "70000"),
        bad(
            "target port 70000",
            service("[{name: a, port: 1}, {name: b, port: 2, targetPort: 70000}]"),
            "spec\\.ports\\[1\\]\\.targetPort",
            "70000"),
        bad(
            "an unknown protocol",
            service("[{port: 80, protocol: QUIC}]"),
            "spec\\.ports\\[0\\]\\.protocol",
            "QUIC"),
        bad(
            "an address that is none",
            good.replace("10.96.0.66", "10.96.0.666"),
            "spec\\.clusterIP",
            "10\\.96\\.0\\.666"),
        bad(
            "leading zeros in an address",
            good.replace("10.96.0.66", "10.96.0.066"),
            "spec\\.clusterIP",
            "10\\.96\\.0\\.066"),
        bad(
            "a cluster IP outside the range",
            good.replace("10.96.0.66", "10.97.0.66"),
            "spec\\.clusterIP",
            "10\\.97\\.0\\.66"),
        bad(
            "a cluster IP that another Service has",
            // Of two Services without an age, the first by name keeps the address.
            good.replace("10.96.0.66", Family.IPV4.service(10)).replace("name: bad", "name: zz"),
            "10\\.96\\.0\\.10",
            "default/good"),
        bad(
            "a duplicate name",
            good + "---\n" + good.replace("10.96.0.66", "10.96.0.67"),
            FILE + ".*document 2",
            "bad"),
        bad(
            "an IPv4 address in an IPv6 slice",
            slice("IPv6", "10.244.0.9"),
            FILE,
            "endpoints\\[0\\]\\.addresses\\[0\\]",
            "10\\.244\\.0\\.9"),
        bad(
            "leading zeros in a slice",
            slice("IPv4", "10.244.0.09"),
            "endpoints\\[0\\]\\.addresses\\[0\\]",
            "10\\.244\\.0\\.09"),
        bad(
            "a selector that matches nothing",
            good.replace("app: good", "app: nothing"),
            FILE,
            "spec\\.selector",
            "app=nothing"),
        bad(
            "a named port that nobody has",
            service("[{port: 80, targetPort: nobody}]"),
            "spec\\.ports\\[0\\]\\.targetPort",
            "nobody"),
        bad(
            "a wrong apiVersion",
            good.replace("apiVersion: v1", "apiVersion: v7"),
            FILE,
            "apiVersion",
            "v7"),
        bad(
            "a selector that is a list",
            good.replace("{app: good}", "[app, good]"),
            "spec\\.selector"));
  }

  @BeforeAll
  void start() {
    node.write("good.yaml", Manifest.serverService("good", 10, "app: good"));
    flip();
  }

  /** A case that went wrong shall not spoil those after it. */
  @BeforeEach
  void startAgent() {
    if (!healthy) {
      node.lastAgentIfAny().ifPresent(Daemon::kill);
      node.startAgent();
    }
    healthy = false;
  }

  /** Changes the good Service: one Pod instead of the other. Gives the name of the new one. */
  private String flip() {
    Pod pod = pods.get(turn++ % 2);
    node.write("pods.yaml", Manifest.pods("app: good", List.of(pod)));
    return pod.name();
  }

  @AfterEach
  void removeTheBadFile() throws IOException {
    Files.deleteIfExists(node.manifests().resolve(FILE));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void badInputIsNamedAndHarmsNothingElse(Bad input) throws IOException {
    Path temporary = node.manifests().resolve(".bad.new");
    Files.writeString(temporary, input.content(), StandardCharsets.ISO_8859_1);
    Files.move(temporary, node.manifests().resolve(FILE), StandardCopyOption.ATOMIC_MOVE);

    Result result = node.validate();
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    assertThat(result.all()).doesNotContain("Exception", "\tat ");
    String told =
        String.join("\n", result.all().lines().filter(line -> line.contains(FILE)).toList());
    assertThat(told).as(result.toString()).isNotEmpty();
    input.expected().forEach(regex -> assertThat(told).containsPattern(regex));

    Checks.meetsSoon(client, Family.IPV4.service(10), flip());
    Checks.meetsSoon(client, Family.IPV6.service(10), flip());
    assertThat(node.agent().isAlive()).isTrue();
    assertThat(node.agent().err()).doesNotContain("Exception", "\tat ");
    assertThat(client.hit(Kind.TCP, Family.IPV4.service(10), Checks.BANNER)).matches("[ab]");
    healthy = true;
  }
}
