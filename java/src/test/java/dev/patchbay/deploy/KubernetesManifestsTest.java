// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.deploy;

import static dev.patchbay.deploy.KubernetesManifests.at;
import static dev.patchbay.deploy.KubernetesManifests.container;
import static dev.patchbay.deploy.KubernetesManifests.documents;
import static dev.patchbay.deploy.KubernetesManifests.object;
import static dev.patchbay.deploy.KubernetesManifests.text;
import static dev.patchbay.deploy.KubernetesManifests.texts;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.cli.PatchbayCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class KubernetesManifestsTest {
  private static final boolean REWRITE = Boolean.getBoolean("patchbay.golden.rewrite");
  private static final String POD = "spec/template/spec/";

  private static final CommandSpec RUN =
      Objects.requireNonNull(PatchbayCommand.commandLine().getSubcommands().get("run"))
          .getCommandSpec();

  /** The value behind an argument {@code --name=value}. */
  private static String argument(String name) {
    return texts(container(), "args").stream()
        .filter(argument -> argument.startsWith(name + "="))
        .map(argument -> argument.substring(name.length() + 1))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no argument " + name));
  }

  private static Map<?, ?> config() {
    return documents(String.valueOf(at(object("ConfigMap"), "data/config.yaml"))).getFirst();
  }

  private static Map<?, ?> named(Object root, String path, String name) {
    return ((List<?>) at(root, path))
        .stream()
            .map(element -> (Map<?, ?>) element)
            .filter(element -> name.equals(element.get("name")))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no " + name + " in " + path));
  }

  /** The base in one piece. */
  private static String onePiece() {
    return Stream.concat(
            Stream.of(
                """
                # SPDX-License-Identifier: Apache-2.0
                #
                # Patchbay as the Service proxy of a cluster. Set api-servers in the ConfigMap, then:
                #   kubectl apply -f java/src/main/kubernetes/patchbay.yaml
                # How to leave kube-proxy, and how to go back: java/docs/kube-proxy.md
                #
                # Made from the files in base/ by `make golden`; change those.
                """),
            texts(documents(text("base/kustomization.yaml")).getFirst(), "resources").stream()
                .map(file -> text("base/" + file).replaceFirst("# SPDX.*\n(#\n)?", "")))
        .collect(Collectors.joining("---\n"));
  }

  /** {@code make golden} has it written. */
  @BeforeAll
  static void writeTheOneFile() throws IOException {
    if (REWRITE) {
      Files.writeString(KubernetesManifests.DIRECTORY.resolve("patchbay.yaml"), onePiece());
    }
  }

  @Test
  void theOneFileIsTheBaseInOnePiece() {
    assertThat(text("patchbay.yaml")).isEqualTo(onePiece());
    assertThat(documents(onePiece()))
        .extracting(document -> String.valueOf(document.get("kind")))
        .containsExactly(
            "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet");
  }

  @Test
  void everythingIsInOneNamespaceAndRefersToWhatIsThere() {
    for (Map<?, ?> document : documents(text("patchbay.yaml"))) {
      assertThat(at(document, "metadata/name")).isEqualTo("patchbay");
      if (!String.valueOf(document.get("kind")).startsWith("Cluster")) {
        assertThat(at(document, "metadata/namespace")).isEqualTo("kube-system");
      }
    }
    assertThat(at(object("ClusterRoleBinding"), "roleRef/name")).isEqualTo("patchbay");
    assertThat(at(object("ClusterRoleBinding"), "subjects/0/kind")).isEqualTo("ServiceAccount");
    assertThat(at(object("ClusterRoleBinding"), "subjects/0/namespace")).isEqualTo("kube-system");
    Map<?, ?> set = object("DaemonSet");
    assertThat(at(set, POD + "serviceAccountName")).isEqualTo("patchbay");
    assertThat(at(set, "spec/selector/matchLabels"))
        .isEqualTo(at(set, "spec/template/metadata/labels"));
    assertThat(at(set, POD + "volumes/0/configMap/name")).isEqualTo("patchbay");
  }

  @Test
  void theAgentMayDoThisAndNothingElse() {
    assertThat(at(object("ClusterRole"), "rules"))
        .isEqualTo(
            List.of(
                rule("", "services", "list", "watch"),
                rule("discovery.k8s.io", "endpointslices", "list", "watch"),
                rule("", "nodes", "list", "watch"),
                rule("events.k8s.io", "events", "create")));
  }

  private static Map<String, List<String>> rule(String group, String resource, String... verbs) {
    return Map.of(
        "apiGroups", List.of(group), "resources", List.of(resource), "verbs", List.of(verbs));
  }

  @Test
  void everyArgumentIsAnOption() {
    List<String> arguments = texts(container(), "args");
    assertThat(arguments.getFirst()).isEqualTo("run");
    for (String argument : arguments.subList(1, arguments.size())) {
      String name = argument.replaceFirst("=.*", "");
      assertThat(RUN.findOption(name)).as(argument).isNotNull();
    }
    assertThat(argument("--node-name")).isEqualTo("$(NODE_NAME)");
    assertThat(at(named(container(), "env", "NODE_NAME"), "valueFrom/fieldRef/fieldPath"))
        .isEqualTo("spec.nodeName");
  }

  @Test
  void everyKeyOfTheConfigMapIsAnOption() {
    assertThat(config()).isNotEmpty();
    config().keySet().forEach(key -> assertThat(RUN.findOption("--" + key)).isNotNull());
    assertThat(config().get("api-servers")).asString().startsWith("https://");
  }

  @ParameterizedTest
  @ValueSource(strings = {"startupProbe", "livenessProbe", "readinessProbe"})
  void probesAskWhereTheAgentAnswers(String probe) {
    assertThat(at(container(), probe + "/httpGet/path"))
        .isEqualTo(probe.equals("readinessProbe") ? "/healthz" : "/livez");
    assertThat(at(container(), probe + "/httpGet/port")).isEqualTo("healthz");
    String port = String.valueOf(at(named(container(), "ports", "healthz"), "containerPort"));
    OptionSpec healthz = RUN.findOption("--healthz-bind-address");
    assertThat(Optional.ofNullable(healthz.defaultValue())).contains("0.0.0.0:" + port);
    assertThat(config().get("healthz-bind-address")).isEqualTo("0.0.0.0:" + port);
  }

  @Test
  void itIsLeastPrivileged() {
    assertThat(KubernetesManifests.capabilities())
        .containsExactlyInAnyOrder("BPF", "NET_ADMIN", "PERFMON", "SYS_ADMIN", "SYS_RESOURCE");
    Object context = at(container(), "securityContext");
    assertThat(at(context, "privileged")).isEqualTo(false);
    assertThat(at(context, "allowPrivilegeEscalation")).isEqualTo(false);
    assertThat(at(context, "readOnlyRootFilesystem")).isEqualTo(true);
    assertThat(at(context, "seccompProfile/type")).isEqualTo("RuntimeDefault");
    assertThat(object("DaemonSet").toString())
        .doesNotContain("hostPID", "hostIPC", "initContainers");
    assertThat(named(container(), "volumeMounts", "cgroup").get("readOnly")).isEqualTo(true);
  }

  @Test
  void itRunsOnEveryNodeOfLinuxBeforeAndAfterEverythingElse() {
    Map<?, ?> set = object("DaemonSet");
    assertThat(at(set, POD + "hostNetwork")).isEqualTo(true);
    assertThat(at(set, POD + "dnsPolicy")).isEqualTo("Default");
    assertThat(at(set, POD + "priorityClassName")).isEqualTo("system-node-critical");
    assertThat(at(set, POD + "tolerations")).isEqualTo(List.of(Map.of("operator", "Exists")));
    assertThat(at(set, POD + "nodeSelector")).isEqualTo(Map.of("kubernetes.io/os", "linux"));
    assertThat(at(set, "spec/updateStrategy/type")).isEqualTo("RollingUpdate");
    at(set, "spec/updateStrategy/rollingUpdate/maxUnavailable");
    at(container(), "resources/requests/cpu");
    at(container(), "resources/requests/memory");
  }

  @Test
  void directoriesOfTheHostAreWhereTheArgumentsSay() {
    assertThat(hostPath(argument("--cgroup"))).isEqualTo("/sys/fs/cgroup");
    assertThat(hostPath(argument("--bpf-dir").replaceFirst("/patchbay$", "")))
        .isEqualTo("/sys/fs/bpf");
    // What reading commands look at by themselves.
    assertThat(RUN.findOption("--bpf-dir").defaultValue()).isEqualTo("/sys/fs/bpf/patchbay");
    assertThat(hostPath("/sys/fs/bpf")).isEqualTo("/sys/fs/bpf");
    // Where the agent looks for network namespaces; those of new Pods have to appear.
    assertThat(hostPath("/run/netns")).isEqualTo("/run/netns");
    assertThat(named(container(), "volumeMounts", "netns").get("mountPropagation"))
        .isEqualTo("HostToContainer");
    assertThat(hostPath(RUN.findOption("--state-dir").defaultValue()))
        .isEqualTo("/var/lib/patchbay");
  }

  /** Where in the host that is which the container has at a path. */
  private static String hostPath(String mountPath) {
    for (Object mount : (List<?>) at(container(), "volumeMounts")) {
      if (mountPath.equals(at(mount, "mountPath"))) {
        String volume = String.valueOf(at(mount, "name"));
        return String.valueOf(
            at(named(object("DaemonSet"), POD + "volumes", volume), "hostPath/path"));
      }
    }
    throw new AssertionError("nothing is mounted at " + mountPath);
  }

  /** Steps of the patch of an overlay, after a look at what it applies to. */
  private static List<?> patch(String overlayFile) {
    Map<?, ?> overlay = documents(text(overlayFile)).getFirst();
    assertThat(texts(overlay, "resources")).containsExactly("../base");
    assertThat((List<?>) at(overlay, "patches")).hasSize(1);
    assertThat(at(overlay, "patches/0/target/kind")).isEqualTo("DaemonSet");
    assertThat(at(overlay, "patches/0/target/name")).isEqualTo("patchbay");
    String steps = String.valueOf(at(overlay, "patches/0/patch"));
    return (List<?>) at(documents("patch:\n" + steps.indent(2)).getFirst(), "patch");
  }

  /** Each {@code replace} comes behind a {@code test} of the same path that holds. */
  @ParameterizedTest
  @ValueSource(strings = {"kubeadm/kustomization.yaml", "beside-kube-proxy/kustomization.yaml"})
  void overlaysFitTheBase(String overlay) {
    String tested = "";
    int replaced = 0;
    for (Object step : patch(overlay)) {
      String path = String.valueOf(at(step, "path"));
      String parent = path.substring(1, path.lastIndexOf('/'));
      switch (String.valueOf(at(step, "op"))) {
        case "test" -> {
          assertThat(at(object("DaemonSet"), path.substring(1))).isEqualTo(at(step, "value"));
          tested = path;
        }
        case "replace" -> {
          assertThat(path).isEqualTo(tested);
          replaced++;
        }
        case "add" -> at(object("DaemonSet"), parent);
        default -> throw new AssertionError("unexpected step " + step);
      }
      String value = String.valueOf(at(step, "value"));
      if (value.startsWith("--")) {
        assertThat(RUN.findOption(value.replaceFirst("=.*", ""))).as(value).isNotNull();
      }
    }
    assertThat(replaced).isPositive();
  }

  @Test
  void besideKubeProxyTheProbesFollowTheAgent() {
    List<String> values =
        patch("beside-kube-proxy/kustomization.yaml").stream()
            .map(step -> String.valueOf(at(step, "value")))
            .toList();
    assertThat(values).contains("--healthz-bind-address=0.0.0.0:10266", "10266");
    assertThat(values.toString()).doesNotContain(":10256", ":10249");
  }
}
