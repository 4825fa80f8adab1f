// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.config.KubeProxyConfiguration;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class CommandLineTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int patchbay(String... args) {
    return PatchbayCommand.execute(new PrintWriter(out), new PrintWriter(err), args);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "frobnicate", "services --frobnicate", "services -o xml", "env"})
  void wrongUsageIsTwoAndPointsToTheHelp(String line) {
    int code = patchbay(line.isEmpty() ? new String[0] : line.split(" ", -1));

    assertThat(code).isEqualTo(2);
    assertThat(err.toString()).startsWith("patchbay: ").contains("--help");
    assertThat(out.toString()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run",
        "check",
        "validate",
        "services",
        "explain",
        "status",
        "env",
        "schema",
        "cleanup",
        "version"
      })
  void everyCommandHasHelp(String command) {
    assertThat(patchbay(command, "--help")).isZero();
    assertThat(out.toString()).contains("patchbay " + command);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--service-cidr 10.96.0.1/16 | not a range of addresses | 2",
        "--service-cidr 10.96.0.0/31 | holds no more than two addresses | 2",
        "--service-cidr 10.96.0.0/16,10.97.0.0/16 | a second IPv4 range | 2",
        "--node-port-range 5-1 | not a range of ports | 2",
        "--node-port-range 0-70000 | not a range of ports | 2",
        "--healthz-bind-address localhost:1 | not an address and port | 2",
        "--metrics-bind-address 1.2.3.4 | not an address and port | 2",
        "--max-backends 0 | cannot size the maps | 2",
        "--devices eth0 | use --devices none | 1",
        "--api-servers 192.0.2.1:6443 | not the address of an API server | 2",
        "--api-servers https://a,,https://b | not the address of an API server | 2",
        "--api-servers https://u:p@a | not the address of an API server | 2",
        "--api-servers https://a/b | not the address of an API server | 2",
        "--api-servers https://a?b=c | not the address of an API server | 2",
        "--nodeport-addresses primary,eth0 | keywords primary, localhost, all | 2",
        "--nodeport-addresses all,all | is there twice | 2",
        "--localhost-nodeports maybe | is not a boolean | 2",
        "--oom-score-adj 1001 | give a number of -1000 to 1000 | 2",
        "--kubeconfig /etc/kubeconfig | give one of them | 2"
      })
  void badSettingsOfRunAreOneLine(String flags, String reason, int exitCode) {
    String[] flag = flags.strip().split(" ", -1);

    int code = patchbay("run", "--manifests", "/nowhere", "--cgroup", "/nowhere", flag[0], flag[1]);

    assertThat(code).isEqualTo(exitCode);
    assertThat(err.toString()).startsWith("patchbay: ").contains(reason.strip());
    assertThat(err.toString().lines().filter(line -> !line.startsWith("usage: "))).hasSize(1);
  }

  @Test
  void runNeedsASource() {
    assertThat(patchbay("run")).isEqualTo(2);
    assertThat(err.toString()).contains("use --manifests DIR");
  }

  @Test
  void aConfigurationFileSuppliesDefaultsAndFlagsWin(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("config.yaml"), "manifests: /m\nmax-services: 0\n");

    assertThat(patchbay("run", "--config", file.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("services=0");

    err.getBuffer().setLength(0);
    assertThat(
            patchbay("run", "--config", file.toString(), "--max-services", "1", "--cgroup", "/no"))
        .isEqualTo(1);
    assertThat(err.toString()).contains("/no").doesNotContain("services=0");
  }

  private static Path kubeProxyConfiguration(Path dir, String fields) throws IOException {
    return Files.writeString(
        dir.resolve("config.conf"),
        """
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        """
            + fields);
  }

  @Test
  void kubeProxysConfigurationSuppliesDefaultsAndWarningsAndFlagsWin(@TempDir Path dir)
      throws IOException {
    Path file =
        kubeProxyConfiguration(
            dir,
            """
            mode: nftables
            oomScoreAdj: 1000
            clientConnection: {kubeconfig: /etc/kubeconfig}
            conntrack: {maxPerCore: 32768}
            """);

    String[] run = {
      "run", "--cgroup", "/nowhere", "--state-dir", dir.toString(), "--config", file.toString()
    };
    assertThat(patchbay(run)).isEqualTo(1);
    assertThat(err.toString().lines())
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .startsWith("patchbay: " + file + ": conntrack.maxPerCore has no effect: "),
            line -> assertThat(line).startsWith("patchbay: " + file + ": mode has no effect: "),
            line -> assertThat(line).contains("/etc/kubeconfig"));

    err.getBuffer().setLength(0);
    String[] other = Arrays.copyOf(run, run.length + 2);
    other[run.length] = "--kubeconfig";
    other[run.length + 1] = "/other";
    assertThat(patchbay(other)).isEqualTo(1);
    assertThat(err.toString()).contains("/other").doesNotContain("/etc/kubeconfig");
  }

  @Test
  void kubeProxysConfigurationIsRefusedWithFileAndField(@TempDir Path dir) throws IOException {
    Path file = kubeProxyConfiguration(dir, "iptables: {masqueradeBits: 14}\nmode: ebpf\n");

    assertThat(patchbay("run", "--config", file.toString())).isEqualTo(1);
    assertThat(err.toString())
        .contains(file.toString(), "unknown field iptables.masqueradeBits", "mode is \"ebpf\"");
    assertThat(err.toString().lines()).hasSize(1);
  }

  /** Whoever adds an option that the file can set, and does not rename it alone, finds out here. */
  @Test
  void everyOptionThatKubeProxysConfigurationSetsExists() {
    CommandSpec run = new CommandLine(new RunCommand()).getCommandSpec();

    for (KubeProxyConfiguration.Field field : KubeProxyConfiguration.fields()) {
      field.option().ifPresent(option -> assertThat(run.findOption(option)).as(option).isNotNull());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "frobnicate: 1 | unknown key frobnicate",
        "config: x | unknown key config",
        "help: true | unknown key help",
        "- a | not a mapping",
        "'node-name: {a: b}' | node-name has no usable value",
        "'a: [' | cannot read --config"
      })
  void aBadConfigurationFileIsNamedWithItsKey(String text, String reason, @TempDir Path dir)
      throws IOException {
    Path file = Files.writeString(dir.resolve("config.yaml"), text.strip() + "\n");

    assertThat(patchbay("run", "--config", file.toString())).isEqualTo(1);
    assertThat(err.toString()).contains(file.toString(), reason.strip());
    assertThat(err.toString().lines()).hasSize(1);
  }
}
