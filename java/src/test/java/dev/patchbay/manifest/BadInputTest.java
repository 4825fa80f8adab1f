// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.KUBIA;
import static dev.patchbay.manifest.Manifests.pod;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.slice;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is wrong with one object is told with its place, and the others keep working. */
class BadInputTest {
  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void goodNeighbours() {
    manifests = new Manifests(root).write("good.yaml", service("good", "ports:", "- port: 80"));
  }

  /** Loads, and expects the good Service, and exactly one problem beside notes. */
  private Problem onlyProblem() {
    Told loaded = manifests.load();
    assertThat(loaded.snapshot().services()).containsKey(Manifests.key("good"));
    assertThat(loaded.snapshot().problems().stream().filter(p -> p.severity() != Severity.NOTE))
        .hasSize(1);
    return loaded.snapshot().problems().stream()
        .filter(p -> p.severity() != Severity.NOTE)
        .findFirst()
        .orElseThrow();
  }

  private static Problem error(int document, String object, String field, String reason) {
    return new Problem(Severity.ERROR, "bad.yaml", document, object, field, reason);
  }

  @Test
  void yamlThatDoesNotParseSpoilsItsOwnDocumentOnly() {
    manifests.write(
        "bad.yaml",
        service("before", "ports:", "- port: 80"),
        "apiVersion: v1\nkind: Service\n  metadata: {\n",
        service("behind", "ports:", "- port: 80"));
    Problem problem = onlyProblem();
    assertThat(problem)
        .isEqualTo(
            error(2, "", "", "is not valid YAML: mapping values are not allowed here (line 11)"));
    assertThat(manifests.load().snapshot().services())
        .containsOnlyKeys(Manifests.key("good"), Manifests.key("before"), Manifests.key("behind"));
  }

  @Test
  void jsonThatDoesNotParse() {
    manifests.write("bad.json", "{\"apiVersion\": \"v1\",\n \"kind\": }");
    Problem problem = onlyProblem();
    assertThat(problem.file()).isEqualTo("bad.json");
    assertThat(problem.document()).isEqualTo(1);
    assertThat(problem.reason()).startsWith("is not valid JSON: Unexpected character ('}'");
    assertThat(problem.reason()).endsWith("(line 2)");
  }

  @Test
  void aPortInQuotes() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: \"80\""));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.ports[0].port",
                "\"80\" is a string, not an integer from 1 to 65535; write it without quotes (line"
                    + " 7)"));
  }

  @Test
  void aNumberForAString() {
    manifests.write(
        "bad.yaml", service("bad", "ports:", "- port: 80", "selector:", "  version: 1.0"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.selector[version]",
                "\"1.0\" is a number with a fraction or an exponent, not a string; write it in"
                    + " quotes (line 9)"));
  }

  @Test
  void aMappingForAList() {
    manifests.write("bad.yaml", service("bad", "ports:", "  port: 80"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(1, "Service default/bad", "spec.ports", "is a mapping, not a list (line 7)"));
  }

  @Test
  void aScalarForADocument() {
    manifests.write("bad.yaml", "just some text\n");
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "",
                "",
                "is a string, not an object with apiVersion, kind and metadata (line 1)"));
  }

  @Test
  void anUnknownKindIsNotedAndIgnored() {
    manifests.write(
        "bad.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\n");
    Told loaded = manifests.load();
    assertThat(loaded.snapshot().problems())
        .containsExactly(
            new Problem(
                Severity.NOTE,
                "bad.yaml",
                1,
                "Deployment shop/web",
                "kind",
                "Deployment is skipped; used are Service, Endpoints, EndpointSlice, Pod and Node"));
  }

  @Test
  void aServiceOfAnotherApiGroupIsNotedAndIgnored() {
    manifests.write(
        "bad.yaml", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: fn\n");
    Told loaded = manifests.load();
    assertThat(problems(loaded))
        .containsExactly(
            "NOTE bad.yaml, document 1: Service of serving.knative.dev/v1 fn: kind: Service of"
                + " serving.knative.dev/v1 is skipped; used are Service, Endpoints, EndpointSlice,"
                + " Pod and Node");
  }

  @Test
  void anUnknownApiVersion() {
    manifests.write("bad.yaml", KUBIA.replace("apiVersion: v1", "apiVersion: v2"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(1, "", "apiVersion", "\"v2\" is not known for kind Service; \"v1\" is (line 1)"));
  }

  @Test
  void noKind() {
    manifests.write("bad.yaml", "apiVersion: v1\nmetadata:\n  name: x\n");
    assertThat(onlyProblem()).isEqualTo(error(1, "", "kind", "is missing (line 1)"));
  }

  @Test
  void noName() {
    manifests.write("bad.yaml", KUBIA.replace("name: kubia", "labels: {}"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(1, "Service in namespace default", "metadata.name", "is missing (line 4)"));
  }

  @Test
  void aNameThatIsNoDnsLabel() {
    manifests.write("bad.yaml", service("Bad_Name", "ports:", "- port: 80"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/Bad_Name",
                "metadata.name",
                "\"Bad_Name\" is not a valid name; allowed are lower case letters, digits and '-',"
                    + " at most 63, with a letter or digit at both ends (line 4)"));
  }

  @Test
  void portZero() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: 0"));
    assertThat(onlyProblem()).isEqualTo(portOutOfRange("0"));
  }

  @Test
  void portMinusOne() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: -1"));
    assertThat(onlyProblem()).isEqualTo(portOutOfRange("-1"));
  }

  @Test
  void portSeventyThousand() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: 70000"));
    assertThat(onlyProblem()).isEqualTo(portOutOfRange("70000"));
  }

  @Test
  void portBeyondAnyNumber() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: 99999999999999999999"));
    assertThat(onlyProblem()).isEqualTo(portOutOfRange("99999999999999999999"));
  }

  private static Problem portOutOfRange(String port) {
    return error(
        1,
        "Service default/bad",
        "spec.ports[0].port",
        port + " is out of range; allowed are 1 to 65535 (line 7)");
  }

  @Test
  void aPortWithLeadingZero() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: 080"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.ports[0].port",
                "080 begins with 0; write it as a decimal number without leading zeros (line 7)"));
  }

  @Test
  void anUnknownProtocol() {
    manifests.write("bad.yaml", service("bad", "ports:", "- port: 80", "  protocol: tcp"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.ports[0].protocol",
                "\"tcp\" is unknown; allowed are TCP, UDP and SCTP (line 8)"));
  }

  @Test
  void aBadAddress() {
    manifests.write("bad.yaml", slice("bad", "good", "IPv4", "10.0.0.256"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "EndpointSlice default/bad",
                "endpoints[0].addresses[0]",
                "\"10.0.0.256\" is not an IP address (line 11)"));
  }

  @Test
  void anAddressWithLeadingZeros() {
    manifests.write("bad.yaml", slice("bad", "good", "IPv4", "10.0.0.1", "10.010.0.2"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "EndpointSlice default/bad",
                "endpoints[1].addresses[0]",
                "\"10.010.0.2\" is not an IP address: an octet begins with 0; is 10.10.0.2 meant?"
                    + " (line 12)"));
  }

  @Test
  void anIpv4AddressInAnIpv6Slice() {
    manifests.write("bad.yaml", slice("bad", "good", "IPv6", "10.0.0.1"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "EndpointSlice default/bad",
                "endpoints[0].addresses[0]",
                "10.0.0.1 is an IPv4 address in a slice of addressType IPv6 (line 11)"));
  }

  @Test
  void twoServicesWithOneClusterIp() {
    manifests.write(
        "bad.yaml",
        service("first", "clusterIP: 10.96.0.10", "ports:", "- port: 80"),
        service("second", "clusterIP: 10.96.0.10", "ports:", "- port: 80"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                2,
                "Service default/second",
                "spec.clusterIP",
                "10.96.0.10 is taken by Service default/first"));
  }

  @Test
  void aClusterIpOutsideTheRange() {
    manifests.write("bad.yaml", service("bad", "clusterIP: 10.97.0.1", "ports:", "- port: 80"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.clusterIP",
                "10.97.0.1 is outside the service range 10.96.0.0/16, fd00:10:96::/112 (line 6)"));
  }

  @Test
  void theNetworkAddressAsClusterIp() {
    manifests.write("bad.yaml", service("bad", "clusterIP: 10.96.0.0", "ports:", "- port: 80"));
    assertThat(onlyProblem().reason())
        .isEqualTo("10.96.0.0 is the network address of the service range 10.96.0.0/16 (line 6)");
  }

  @Test
  void theBroadcastAddressAsClusterIp() {
    manifests.write("bad.yaml", service("bad", "clusterIP: 10.96.255.255", "ports:", "- port: 80"));
    assertThat(onlyProblem().reason())
        .isEqualTo(
            "10.96.255.255 is the broadcast address of the service range 10.96.0.0/16 (line 6)");
  }

  @Test
  void oneNameInTwoFiles() {
    manifests.write("bad.yaml", service("good", "ports:", "- port: 81"));
    assertThat(onlyProblem())
        .isEqualTo(
            new Problem(
                Severity.ERROR,
                "good.yaml",
                1,
                "Service default/good",
                "metadata.name",
                "is already defined in bad.yaml, document 1; that one is used"));
  }

  @Test
  void oneNameTwiceInAFile() {
    manifests.write(
        "bad.yaml",
        service("twin", "ports:", "- port: 80"),
        service("twin", "ports:", "- port: 81"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                2,
                "Service default/twin",
                "metadata.name",
                "is already defined in bad.yaml, document 1; that one is used"));
  }

  @Test
  void aKeyTwiceInAMapping() {
    manifests.write("bad.yaml", KUBIA + "  selector:\n    app: other\n");
    assertThat(onlyProblem())
        .isEqualTo(error(1, "", "", "has the key \"selector\" twice (line 11)"));
  }

  @Test
  void aSelectorThatMatchesNothing() {
    manifests.write("bad.yaml", KUBIA, pod("kubia-1", "kubai", "10.1.0.1"));
    assertThat(onlyProblem())
        .isEqualTo(
            new Problem(
                Severity.WARNING,
                "bad.yaml",
                1,
                "Service default/kubia",
                "spec.selector",
                "the selector app=kubia matches no Pod in namespace default; closest is Pod kubia-1"
                    + " with app=kubai"));
  }

  @Test
  void aNamedPortNobodyHas() {
    manifests.write(
        "bad.yaml",
        KUBIA.replace("targetPort: 8080", "targetPort: web"),
        pod("kubia-1", "kubia", "10.1.0.1"));
    assertThat(onlyProblem())
        .isEqualTo(
            new Problem(
                Severity.WARNING,
                "bad.yaml",
                1,
                "Service default/kubia",
                "spec.ports[0].targetPort",
                "Pod kubia-1 has no TCP port named \"web\"; its ports are named"
                    + " \"http\" (TCP)"));
  }

  @Test
  void aFileThatCannotBeRead() throws IOException {
    // Reading fails for everybody, also for root.
    Files.createSymbolicLink(manifests.directory().resolve("bad.yaml"), Path.of("/proc/self/mem"));
    assertThat(onlyProblem()).isEqualTo(error(0, "", "", "cannot be read: Input/output error"));
  }

  @Test
  void aSymbolicLinkToNothing() throws IOException {
    Files.createSymbolicLink(manifests.directory().resolve("bad.yaml"), Path.of("nothing"));
    assertThat(onlyProblem()).isEqualTo(error(0, "", "", "cannot be read: it does not exist"));
  }

  @Test
  void aDirectoryWithTheNameOfAFile() throws IOException {
    Files.createDirectory(manifests.directory().resolve("bad.yaml"));
    assertThat(onlyProblem()).isEqualTo(error(0, "", "", "is not a file but a directory"));
  }

  @Test
  void anEmptyDirectory() {
    manifests.delete("good.yaml");
    Told loaded = manifests.load();
    assertThat(loaded.snapshot().services()).isEmpty();
    assertThat(loaded.snapshot().problems())
        .containsExactly(
            new Problem(
                Severity.WARNING,
                "",
                0,
                "",
                "",
                "manifest directory "
                    + manifests.directory()
                    + " has no manifests: files whose names end in .yaml, .yml or .json"));
  }

  @Test
  void aMissingDirectory() {
    Path missing = root.resolve("missing");
    ManifestSource source =
        new ManifestSource(
            new ManifestSettings(
                missing,
                null,
                ManifestSettings.DEFAULT_SERVICE_CIDRS,
                PortRange.DEFAULT_NODE_PORTS));
    assertThatThrownBy(source::load)
        .isInstanceOf(ManifestDirectoryException.class)
        .hasMessage("manifest directory " + missing + " does not exist");
  }

  @Test
  void aFileInPlaceOfTheDirectory() {
    Path file = manifests.directory().resolve("good.yaml");
    ManifestSource source =
        new ManifestSource(
            new ManifestSettings(
                file, null, ManifestSettings.DEFAULT_SERVICE_CIDRS, PortRange.DEFAULT_NODE_PORTS));
    assertThatThrownBy(source::load)
        .isInstanceOf(ManifestDirectoryException.class)
        .hasMessage("manifest directory " + file + " is not a directory");
  }

  @Test
  @Timeout(20)
  void aHugeFileIsRefusedWithoutReadingIt() throws IOException {
    Path file = manifests.directory().resolve("bad.yaml");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(200L << 20);
    }
    Told loaded = manifests.load();
    assertThat(loaded.took()).isLessThan(Duration.ofSeconds(2));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                0,
                "",
                "",
                "is too large: 209715200 bytes; at most 67108864 bytes (64 MiB) are read"));
  }

  @Test
  void bytesThatAreNotUtf8() throws IOException {
    byte[] bytes = ("# " + "ä".repeat(40_000) + "\nx: ").getBytes(StandardCharsets.UTF_8);
    byte[] broken = Arrays.copyOf(bytes, bytes.length + 2);
    broken[bytes.length] = (byte) 0xc3;
    broken[bytes.length + 1] = '\n';
    Files.write(manifests.directory().resolve("bad.yaml"), broken);
    assertThat(onlyProblem())
        .isEqualTo(error(0, "", "", "is not UTF-8: byte 0xc3 at offset " + bytes.length));
  }

  @Test
  @Timeout(20)
  void aBombOfAliases() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
      String alias = "*a" + (i - 1);
      bomb.append("a" + i + ": &a" + i + " [" + (alias + ",").repeat(9) + alias + "]\n");
    }
    manifests.write("bad.yaml", bomb.toString());
    assertThat(onlyProblem())
        .isEqualTo(error(1, "", "", "reaches more than 1000000 nodes through aliases (line 6)"));
  }

  @Test
  void tooManyAliases() {
    manifests.write("bad.yaml", "a: &a x\nb: [" + "*a,".repeat(101) + "]\n");
    assertThat(onlyProblem()).isEqualTo(error(1, "", "", "uses more than 100 aliases (line 2)"));
  }

  @Test
  @Timeout(20)
  void nestingWithoutEnd() {
    manifests.write("bad.yaml", "[".repeat(1_000_000));
    assertThat(onlyProblem())
        .isEqualTo(error(1, "", "", "is nested deeper than 64 levels (line 1)"));
  }

  @Test
  @Timeout(20)
  void nestingWithoutEndInJson() {
    manifests.write("bad.json", "[".repeat(1_000_000));
    assertThat(onlyProblem().reason()).startsWith("is not valid JSON: Document nesting depth");
  }

  @Test
  void aListInsideAList() {
    manifests.write(
        "bad.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n");
    assertThat(onlyProblem())
        .isEqualTo(
            error(1, "", "items[0].kind", "is List: a list inside a list is not read (line 5)"));
  }

  @Test
  @Timeout(20)
  void portsWithoutEnd() {
    manifests.write(
        "bad.yaml", service("bad", "ports: [" + "{name: a, port: 1},".repeat(100_000) + "]"));
    assertThat(onlyProblem())
        .isEqualTo(
            error(
                1,
                "Service default/bad",
                "spec.ports",
                "has 100000 entries; at most 1000 are read (line 6)"));
  }

  @Test
  void problemsOfOneObjectDoNotFloodTheReport() {
    StringBuilder ports = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      ports.append("- port: ").append(70000 + i).append("\n  name: p").append(i).append("\n");
    }
    manifests.write("bad.yaml", service("bad", "ports:") + ports.toString().indent(2));
    Told loaded = manifests.load();
    assertThat(problems(loaded, Severity.ERROR)).hasSize(Reporter.MAX_PROBLEMS + 1);
  }
}
