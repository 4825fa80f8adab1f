// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.config.KubeProxyConfiguration.Field;
import dev.patchbay.agent.config.KubeProxyConfiguration.Settings;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** Every field of kube-proxy's type, as {@code v1alpha1-fields.txt} lists them from its source. */
class KubeProxyConfigurationTest {
  private static final Path FILE = Path.of("config.conf");
  private static final String HEAD =
      "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

  /** By Go type: a value that is set, one that Go takes for nothing, one of a wrong type. */
  private record Sample(String set, String empty, String wrong) {}

  private static final Map<String, Sample> SAMPLES =
      Map.ofEntries(
          Map.entry("string", new Sample("x", "\"\"", "7")),
          Map.entry("bool", new Sample("true", "false", "\"true\"")),
          Map.entry("*bool", new Sample("false", "null", "0")),
          Map.entry("int32", new Sample("7", "0", "\"7\"")),
          Map.entry("*int32", new Sample("0", "null", "7.5")),
          Map.entry("float32", new Sample("2.5", "0", "fast")),
          Map.entry("metav1.Duration", new Sample("20s", "0s", "20")),
          Map.entry("*metav1.Duration", new Sample("0s", "null", "1d")),
          Map.entry("TimeOrMetaDuration", new Sample("5000000000", "0s", "soon")),
          Map.entry("[]string", new Sample("[10.0.0.0/8]", "[]", "10.0.0.0/8")),
          Map.entry("map[string]bool", new Sample("{A: false}", "{}", "{A: 1}")),
          Map.entry("VerbosityLevel", new Sample("4", "0", "-1")),
          Map.entry(
              "VModuleConfiguration",
              new Sample("[{filePattern: a, verbosity: 4}]", "[]", "[{filePattern: a}]")),
          Map.entry("resource.QuantityValue", new Sample("64Ki", "\"0\"", "64 KB")),
          Map.entry("ProxyMode", new Sample("iptables", "\"\"", "ebpf")),
          Map.entry("LocalMode", new Sample("NodeCIDR", "\"\"", "Pods")));

  /** Fields of which not every value of their Go type makes sense: a value that is set. */
  private static final Map<String, String> VALUES =
      Map.of(
          "bindAddress", "192.0.2.1",
          "clusterCIDR", "10.244.0.0/16",
          "healthzBindAddress", "0.0.0.0:1",
          "logging.format", "json",
          "metricsBindAddress", "127.0.0.1:2",
          "oomScoreAdj", "-999");

  /** What the honoured ones become. */
  private static final Map<String, Map<String, String>> HONOURED =
      Map.of(
          "bindAddress", Map.of(),
          "bindAddressHardFail", Map.of("--bind-address-hard-fail", "true"),
          "clientConnection.kubeconfig", Map.of("--kubeconfig", "x"),
          "healthzBindAddress", Map.of("--healthz-bind-address", "0.0.0.0:1"),
          "hostnameOverride", Map.of("--node-name", "x"),
          "iptables.localhostNodePorts", Map.of("--localhost-nodeports", "false"),
          "logging.format", Map.of("--log-format", "json"),
          "metricsBindAddress", Map.of("--metrics-bind-address", "127.0.0.1:2"),
          "nodePortAddresses", Map.of("--nodeport-addresses", "10.0.0.0/8"),
          "oomScoreAdj", Map.of("--oom-score-adj", "-999"));

  private static Settings read(String fields) throws UserError {
    Object root =
        new Load(LoadSettings.builder().setSchema(new CoreSchema()).build())
            .loadFromString(HEAD + fields);
    return KubeProxyConfiguration.read(FILE, (Map<?, ?>) root);
  }

  /** A file in which one field has a value. */
  private static String field(String path, String value) {
    String[] names = path.split("\\.", -1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < names.length; i++) {
      text.append("  ".repeat(i)).append(names[i]).append(i < names.length - 1 ? ":\n" : ": ");
    }
    return text.append(value).append('\n').toString();
  }

  /** Go types by path, from the list. */
  private static Map<String, String> upstream() {
    try (var in =
        KubeProxyConfigurationTest.class.getResourceAsStream("/kube-proxy/v1alpha1-fields.txt")) {
      if (in == null) {
        throw new AssertionError("the list of fields is missing");
      }
      Map<String, String> fields = new TreeMap<>();
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split(" ", -1))
          .forEach(words -> fields.put(words[0], words[1]));
      fields.remove("apiVersion");
      fields.remove("kind");
      return fields;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Sample sample(String goType) {
    Sample sample = SAMPLES.get(goType);
    if (sample == null) {
      throw new AssertionError("no sample of Go type " + goType);
    }
    return sample;
  }

  @Test
  void theFieldsAreThoseOfUpstream() {
    assertThat(KubeProxyConfiguration.fields().stream().map(Field::path))
        .containsExactlyElementsOf(upstream().keySet());
    assertThat(upstream()).hasSizeGreaterThan(50);
  }

  @TestFactory
  Stream<DynamicTest> aFieldIsHonouredOrWarnedOf() {
    List<DynamicTest> tests = new ArrayList<>();
    for (Map.Entry<String, String> field : upstream().entrySet()) {
      String path = field.getKey();
      Sample sample = sample(field.getValue());
      Map<String, String> honoured = HONOURED.get(path);
      tests.add(
          DynamicTest.dynamicTest(
              path + " set",
              () -> {
                Settings settings = read(field(path, VALUES.getOrDefault(path, sample.set())));
                if (honoured == null) {
                  assertThat(settings.options()).isEmpty();
                  assertThat(settings.warnings()).containsOnlyKeys(path);
                  assertThat(settings.warnings().get(path)).isNotBlank();
                } else {
                  assertThat(settings.options()).isEqualTo(honoured);
                  assertThat(settings.warnings().keySet())
                      .isEqualTo(path.equals("bindAddress") ? Set.of(path) : Set.of());
                }
              }));
      for (String nothing : List.of(sample.empty(), "null", "")) {
        tests.add(
            DynamicTest.dynamicTest(
                path + " is nothing: " + nothing,
                () ->
                    assertThat(read(field(path, nothing)))
                        .isEqualTo(new Settings(Map.of(), Map.of()))));
      }
      tests.add(
          DynamicTest.dynamicTest(
              path + " of a wrong type",
              () ->
                  assertThatThrownBy(() -> read(field(path, sample.wrong())))
                      .isInstanceOf(UserError.class)
                      .hasMessageContainingAll("config.conf", path + " is ", " and must be ")));
    }
    return tests.stream();
  }

  @Test
  void theCatalogueSaysWhichOptionEachHonouredFieldBecomes() {
    for (Field field : KubeProxyConfiguration.fields()) {
      assertThat(field.option().isPresent())
          .as(field.path())
          .isEqualTo(HONOURED.containsKey(field.path()));
      assertThat(field.option().isPresent() || !field.note().isEmpty()).as(field.path()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0.0.0.0:10256 | 0.0.0.0:10256",
        "192.0.2.1 | 192.0.2.1:10256",
        "'\"::1\"' | [::1]:10256",
        "'\"[::1]:7\"' | [::1]:7",
        "'\"[::]:7\"' | [::]:7",
      })
  void anAddressToListenOnMayLackThePort(String text, String address) throws UserError {
    assertThat(read("healthzBindAddress: " + text).options())
        .containsExactly(Map.entry("--healthz-bind-address", address));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:10256",
        "0.0.0.0:0",
        "0.0.0.0:65536",
        "0.0.0.0:",
        "::1:10256:x",
        "[::1]",
        "010.0.0.1:10256",
        "none"
      })
  void anAddressToListenOnThatIsNoneIsRefused(String text) {
    for (String name : List.of("healthzBindAddress", "metricsBindAddress")) {
      assertThatThrownBy(() -> read(name + ": '" + text + "'"))
          .hasMessageContainingAll(name, "and must be an IP address and a port of 1 to 65535");
    }
  }

  @Test
  void theFamilyOfBindAddressIsTheDefaultOfTheOthers() throws UserError {
    assertThat(read("bindAddress: '::'"))
        .isEqualTo(
            new Settings(
                Map.of(
                    "--healthz-bind-address", "[::]:10256",
                    "--metrics-bind-address", "[::1]:10249"),
                Map.of()));
    assertThat(read("bindAddress: '::'\nhealthzBindAddress: 127.0.0.1").options())
        .isEqualTo(
            Map.of(
                "--healthz-bind-address", "127.0.0.1:10256",
                "--metrics-bind-address", "[::1]:10249"));
    assertThat(read("bindAddress: 0.0.0.0")).isEqualTo(new Settings(Map.of(), Map.of()));
    assertThat(read("bindAddress: 2001:db8::1").warnings()).containsOnlyKeys("bindAddress");
    assertThatThrownBy(() -> read("bindAddress: eth0"))
        .hasMessageContaining("bindAddress is \"eth0\" and must be an IP address");
  }

  @Test
  void theNameOfTheNodeIsTrimmedAndInLowerCase() throws UserError {
    assertThat(read("hostnameOverride: ' Node-1 '").options())
        .containsExactly(Map.entry("--node-name", "node-1"));
    assertThatThrownBy(() -> read("hostnameOverride: ' '")).hasMessageContaining("is blank");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[primary] | primary",
        "[primary, localhost, 10.0.0.5/8, fd00::/8] | primary,localhost,10.0.0.5/8,fd00::/8",
        "[all] | all"
      })
  void addressesOfNodePorts(String list, String option) throws UserError {
    assertThat(read("nodePortAddresses: " + list).options())
        .containsExactly(Map.entry("--nodeport-addresses", option));
  }

  @Test
  void modeNftablesHasItsOwnDefaultOfNodePortAddresses() throws UserError {
    for (String empty : List.of("", "nodePortAddresses: null\n", "nodePortAddresses: []\n")) {
      assertThat(read(empty + "mode: nftables").options())
          .containsExactly(Map.entry("--nodeport-addresses", "primary"));
      assertThat(read(empty + "mode: iptables").options()).isEmpty();
    }
    assertThat(read("nodePortAddresses: [all]\nmode: nftables").options())
        .containsExactly(Map.entry("--nodeport-addresses", "all"));
  }

  @Test
  void aBadAddressOfNodePortsIsNamedWithItsPlace() {
    assertThatThrownBy(() -> read("nodePortAddresses: [10.0.0.0/8, eth0]"))
        .hasMessageContainingAll(
            "nodePortAddresses[1] is \"eth0\"", "keywords primary, localhost, all");
    assertThatThrownBy(() -> read("nodePortAddresses: [all, all]"))
        .hasMessageContaining("nodePortAddresses[1] is \"all\" and is there twice");
    assertThatThrownBy(() -> read("nodePortAddresses: [7]"))
        .hasMessageContaining("nodePortAddresses is [7] and must be a list of texts");
  }

  @ParameterizedTest
  @ValueSource(strings = {"iptables", "ipvs", "nftables"})
  void everyModeOfLinuxIsAcceptedWithAWarning(String mode) throws UserError {
    assertThat(read("mode: " + mode).warnings()).containsOnlyKeys("mode");
  }

  @ParameterizedTest
  @ValueSource(strings = {"kernelspace", "userspace", "ebpf", "IPTables"})
  void anotherModeIsRefused(String mode) {
    assertThatThrownBy(() -> read("mode: " + mode))
        .hasMessageContaining(
            "mode is \"" + mode + "\" and must be one of iptables, ipvs, nftables, or empty");
  }

  @Test
  void localhostNodePortsIsReadWhereKubeProxyReadsIt() throws UserError {
    String off = "iptables: {localhostNodePorts: false}\n";
    assertThat(read(off + "mode: iptables").options())
        .containsExactly(Map.entry("--localhost-nodeports", "false"));
    assertThat(read(off + "mode: ipvs"))
        .satisfies(
            settings -> {
              assertThat(settings.options()).isEmpty();
              assertThat(settings.warnings())
                  .containsOnlyKeys("iptables.localhostNodePorts", "mode");
            });
    assertThat(read("iptables: {localhostNodePorts: true}").options())
        .containsExactly(Map.entry("--localhost-nodeports", "true"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "oomScoreAdj: 1001 | oomScoreAdj is 1001 and must be an integer of -1000 to 1000",
        "iptables: {masqueradeBit: 32} | iptables.masqueradeBit is 32 and must be an integer of 0 to 31",
        "nftables: {masqueradeBit: -1} | nftables.masqueradeBit is -1 and must be an integer of 0 to 31",
        "conntrack: {min: -1} | conntrack.min is -1 and must be an integer of 0 or more",
        "conntrack: {udpTimeout: -1s} | conntrack.udpTimeout is \"-1s\" and must be a duration of 0 or more",
        "configSyncPeriod: -15m | configSyncPeriod is \"-15m\" and must be a duration of 0 or more",
        "clientConnection: {burst: -1} | clientConnection.burst is -1 and must be an integer of 0 or more",
        "ipvs: {excludeCIDRs: [10.0.0.1]} | ipvs.excludeCIDRs is [10.0.0.1] and must be a list of ranges",
        "clusterCIDR: 10.244.0.0 | clusterCIDR is \"10.244.0.0\" and must be a range",
        "clusterCIDR: 10.0.0.0/8,11.0.0.0/8 | clusterCIDR is \"10.0.0.0/8,11.0.0.0/8\" and must be a range",
        "detectLocalMode: BridgeInterface | detectLocal.bridgeInterface is empty and must be a text",
        "detectLocalMode: InterfaceNamePrefix | detectLocal.interfaceNamePrefix is empty",
        "detectLocalMode: Nodes | must be one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix, or empty",
        "logging: {format: xml} | logging.format is \"xml\" and must be one of text, json, or empty",
        "iptables: {minSyncPeriod: 31s} | iptables.minSyncPeriod is longer than iptables.syncPeriod",
        "iptables: {minSyncPeriod: 31s, syncPeriod: 30s} | iptables.minSyncPeriod is longer",
        "iptables: 7 | iptables is 7 and must be a mapping",
        "logging: {options: []} | logging.options is [] and must be a mapping",
      })
  void aValueThatMakesNoSenseIsRefusedAlsoWhereItHasNoEffect(String text, String problem) {
    assertThatThrownBy(() -> read(text)).hasMessageContainingAll("config.conf", problem);
  }

  @Test
  void aPairOfRangesOfBothFamiliesIsOne() throws UserError {
    assertThat(read("clusterCIDR: 10.244.0.0/16,fd00:10:244::/56").warnings())
        .containsOnlyKeys("clusterCIDR");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "frobnicate: 1 | unknown field frobnicate",
        "iptables: {frobnicate: 1} | unknown field iptables.frobnicate",
        "logging: {options: {xml: {}}} | unknown field logging.options.xml",
        "hostnameoverride: x | unknown field hostnameoverride, which is written hostnameOverride",
        "node-name: x | unknown field node-name",
        "metadata: {name: x} | unknown field metadata",
        "7: x | unknown field 7",
      })
  void anUnknownFieldIsRefusedByName(String text, String problem) {
    assertThatThrownBy(() -> read(text)).hasMessageContainingAll("config.conf", problem);
  }

  @Test
  void allProblemsAreToldAtOnceInOneLine() {
    assertThatThrownBy(() -> read("a: 1\nmode: b\noomScoreAdj: x\n"))
        .hasMessageContainingAll("unknown field a", "mode is", "oomScoreAdj is")
        .satisfies(e -> assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "kubeproxy.config.k8s.io/v1alpha2, KubeProxyConfiguration, write apiVersion",
        "kubeproxy.config.k8s.io/v1alpha1, KubeletConfiguration, write apiVersion",
        "-, KubeProxyConfiguration, write apiVersion",
        "kubeproxy.config.k8s.io/v1alpha1, -, write apiVersion",
        "v1, ConfigMap, 'the text below data, config.conf'"
      })
  void anotherTypeIsRefused(@Nullable String version, @Nullable String kind, String advice) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("apiVersion", version);
    root.put("kind", kind);
    assertThatThrownBy(() -> KubeProxyConfiguration.read(FILE, root))
        .isInstanceOf(UserError.class)
        .hasMessageContainingAll("config.conf", "apiVersion " + version, "kind " + kind, advice);
  }

  @Test
  void whatKubeadmWritesWorksAsItIs() throws UserError {
    Settings settings =
        read(
            """
            bindAddress: 0.0.0.0
            bindAddressHardFail: false
            clientConnection:
              acceptContentTypes: ""
              burst: 0
              contentType: ""
              kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
              qps: 0
            clusterCIDR: 10.244.0.0/16
            configSyncPeriod: 0s
            conntrack:
              maxPerCore: null
              min: null
              tcpBeLiberal: false
              tcpCloseWaitTimeout: null
              tcpEstablishedTimeout: null
              udpStreamTimeout: 0s
              udpTimeout: 0s
            detectLocal:
              bridgeInterface: ""
              interfaceNamePrefix: ""
            detectLocalMode: ""
            enableProfiling: false
            healthzBindAddress: ""
            hostnameOverride: ""
            iptables:
              localhostNodePorts: null
              masqueradeAll: false
              masqueradeBit: null
              minSyncPeriod: 0s
              syncPeriod: 0s
            ipvs:
              excludeCIDRs: null
              minSyncPeriod: 0s
              scheduler: ""
              strictARP: false
              syncPeriod: 0s
              tcpFinTimeout: 0s
              tcpTimeout: 0s
              udpTimeout: 0s
            logging:
              flushFrequency: 0
              options:
                json:
                  infoBufferSize: "0"
                text:
                  infoBufferSize: "0"
              verbosity: 0
            metricsBindAddress: ""
            mode: ""
            nftables:
              masqueradeAll: false
              masqueradeBit: null
              minSyncPeriod: 0s
              syncPeriod: 0s
            nodePortAddresses: null
            oomScoreAdj: null
            portRange: ""
            showHiddenMetricsForVersion: ""
            winkernel:
              enableDSR: false
              forwardHealthCheckVip: false
              networkName: ""
              rootHnsEndpointName: ""
              sourceVip: ""
            """);
    assertThat(settings.options())
        .containsExactly(Map.entry("--kubeconfig", "/var/lib/kube-proxy/kubeconfig.conf"));
    assertThat(settings.warnings()).containsOnlyKeys("clusterCIDR");
  }

  /** {@code make golden} writes the table. */
  @Test
  void theDocumentListsEveryField() throws IOException {
    Path document = Patchbay.root().resolve("java/docs/kube-proxy.md");
    String head = "| field | option | |\n|---|---|---|\n";
    String tail = "<!-- The end of what is made. -->";
    String text = Files.readString(document);
    assertThat(text).containsOnlyOnce(head).containsOnlyOnce(tail);
    StringBuilder table = new StringBuilder();
    for (Field field : KubeProxyConfiguration.fields()) {
      table.append(
          "| `%s` | %s | %s |%n"
              .formatted(
                  field.path(),
                  field.option().map(option -> "`" + option + "`").orElse("no effect"),
                  field.note()));
    }
    String expected =
        text.substring(0, text.indexOf(head) + head.length())
            + table
            + text.substring(text.indexOf(tail));
    if (Boolean.getBoolean("patchbay.golden.rewrite")) {
      Files.writeString(document, expected);
    }
    assertThat(Files.readString(document)).isEqualTo(expected);
  }
}
