// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.cli.PatchbayCommand;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.testkit.PromTool;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What lies in {@code kubernetes/monitoring} asks for what there is. */
class MonitoringTest {
  private static final Pattern NAME =
      Pattern.compile("\\b((?:patchbay|kubeproxy|kubernetes|process|rest_client)_[a-z0-9_]+)");

  /** A metric and the labels that it is selected or grouped by. */
  private static final Pattern SELECTOR = Pattern.compile("([a-z_]+)\\{([^}]*)}");

  private static final Pattern MATCHER = Pattern.compile("([a-z_]+)\\s*(?:=~|!=|!~|=)");
  private static final Pattern BY = Pattern.compile("\\bby\\s*\\(([^)]*)\\)");

  /** Labels that Prometheus adds to all of an agent's series. */
  private static final Set<String> TARGET = Set.of("job", "node", "instance");

  private static String text(String file) throws IOException {
    return Files.readString(
        Patchbay.root().resolve("java/src/main/kubernetes/monitoring").resolve(file));
  }

  private static List<Object> yaml(String text) {
    List<Object> documents = new ArrayList<>();
    new Load(LoadSettings.builder().build()).loadAllFromString(text).forEach(documents::add);
    return documents;
  }

  private static Object at(Object root, String path) {
    Object value = root;
    for (String step : path.split("/", -1)) {
      value =
          step.matches("[0-9]+")
              ? ((List<?>) value).get(Integer.parseInt(step))
              : Objects.requireNonNull(((Map<?, ?>) value).get(step), path);
    }
    return value;
  }

  /** All queries of a file. */
  private static List<String> expressions(String file) throws IOException {
    List<String> found = new ArrayList<>();
    if (file.endsWith(".json")) {
      collect(Json.parse(text(file)), found);
    } else {
      for (Object rule : (List<?>) at(yaml(text(file)).getFirst(), "spec/groups/0/rules")) {
        found.add(String.valueOf(at(rule, "expr")));
      }
    }
    assertThat(found).hasSizeGreaterThan(5);
    return found;
  }

  private static void collect(Json value, List<String> into) {
    if (value.isArray()) {
      value.elements().forEach(element -> collect(element, into));
    } else if (value.isObject()) {
      value
          .members()
          .forEach(
              (name, member) -> {
                if (name.equals("expr")) {
                  into.add(member.text());
                } else {
                  collect(member, into);
                }
              });
    }
  }

  /** The metrics that there are, by each name that their series have. */
  private static Map<String, Metric> series() {
    Map<String, Metric> all = new TreeMap<>();
    for (Metric metric : Metric.values()) {
      if (metric.type() == Metric.Type.HISTOGRAM) {
        for (String end : List.of("_bucket", "_count", "_sum")) {
          all.put(metric.text() + end, metric);
        }
      } else {
        all.put(metric.text(), metric);
      }
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"dashboard.json", "prometheus-rule.yaml"})
  void everyMetricAndLabelExists(String file) throws IOException {
    Map<String, Metric> series = series();
    for (String expression : expressions(file)) {
      Set<String> labels = new HashSet<>(TARGET);
      Matcher name = NAME.matcher(expression);
      while (name.find()) {
        Metric metric = series.get(name.group(1));
        if (metric == null) {
          throw new AssertionError("no metric " + name.group(1) + " for " + expression);
        }
        labels.addAll(metric.labels());
        if (metric.type() == Metric.Type.HISTOGRAM) {
          labels.add("le");
        }
      }
      Matcher selector = SELECTOR.matcher(expression);
      while (selector.find()) {
        Matcher matcher = MATCHER.matcher(selector.group(2).replaceAll("\"[^\"]*\"", ""));
        while (matcher.find()) {
          assertThat(labels).as(expression).contains(matcher.group(1));
        }
      }
      Matcher by = BY.matcher(expression);
      while (by.find()) {
        assertThat(labels).as(expression).containsAll(Arrays.asList(by.group(1).split(",\\s*")));
      }
    }
  }

  @Test
  void whatAnOperatorNeedsIsOnTheDashboard() throws IOException {
    Set<String> shown = new TreeSet<>();
    for (String expression : expressions("dashboard.json")) {
      Matcher name = NAME.matcher(expression);
      while (name.find()) {
        shown.add(name.group(1).replaceFirst("_bucket$", ""));
      }
    }
    assertThat(shown)
        .contains(
            Metric.CONNECTIONS.text(),
            Metric.REFUSALS.text(),
            Metric.SERVICE_CONNECTIONS.text(),
            Metric.SERVICE_CONNECT_DURATION.text(),
            Metric.MAP_ENTRIES.text(),
            Metric.APPLY_DURATION.text(),
            Metric.HEALTH_FAILING.text(),
            Metric.DRIFT_FOUND.text());
    Json dashboard = Json.parse(text("dashboard.json"));
    Set<Long> ids = new HashSet<>();
    dashboard
        .get("panels")
        .elements()
        .forEach(panel -> assertThat(ids.add(panel.get("id").number())).isTrue());
  }

  @Test
  void prometheusAcceptsTheRules() throws IOException {
    Object rule = yaml(text("prometheus-rule.yaml")).getFirst();

    assertThat(PromTool.checkRules(Json.write(at(rule, "spec")))).isEmpty();
  }

  @Test
  void theMonitorFindsTheServiceAndTheServiceTheAgents() throws IOException {
    List<Object> documents = yaml(text("service-monitor.yaml"));
    Object service = documents.get(0);
    Object monitor = documents.get(1);
    Object overlay = yaml(text("kustomization.yaml")).getFirst();
    Object set =
        yaml(Files.readString(
                Patchbay.root().resolve("java/src/main/kubernetes/base/daemon-set.yaml")))
            .getFirst();

    assertThat(at(monitor, "spec/selector/matchLabels")).isEqualTo(at(service, "metadata/labels"));
    assertThat(at(monitor, "spec/endpoints/0/port")).isEqualTo(at(service, "spec/ports/0/name"));
    assertThat(at(service, "spec/selector")).isEqualTo(at(set, "spec/template/metadata/labels"));
    assertThat(at(service, "spec/clusterIP")).isEqualTo("None");
    assertThat(at(monitor, "spec/endpoints/0/honorLabels"))
        .as("the label service is that of the Service that is told of")
        .isEqualTo(true);
    List<?> steps = (List<?>) yaml(String.valueOf(at(overlay, "patches/0/patch"))).getFirst();
    assertThat(at(steps.get(0), "path")).isEqualTo("/spec/template/spec/containers/0/args/-");
    String[] flag = String.valueOf(at(steps.get(0), "value")).split("=", 2);
    assertThat(
            Objects.requireNonNull(PatchbayCommand.commandLine().getSubcommands().get("run"))
                .getCommandSpec()
                .findOption(flag[0]))
        .isNotNull();
    assertThat(flag[1]).endsWith(":" + at(service, "spec/ports/0/port"));
    assertThat(at(steps.get(1), "path")).isEqualTo("/spec/template/spec/containers/0/ports/-");
    assertThat(at(steps.get(1), "value/name")).isEqualTo(at(service, "spec/ports/0/targetPort"));
    assertThat(at(steps.get(1), "value/containerPort")).isEqualTo(at(service, "spec/ports/0/port"));
    for (Object file : (List<?>) at(overlay, "resources")) {
      assertThat(
              Patchbay.root()
                  .resolve("java/src/main/kubernetes/monitoring")
                  .resolve(String.valueOf(file)))
          .exists();
    }
  }
}
