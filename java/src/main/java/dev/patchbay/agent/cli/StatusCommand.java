// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.StateLock;
import dev.patchbay.agent.UserError;
import dev.patchbay.agent.cli.Terminal.Style;
import dev.patchbay.agent.health.HealthFile;
import dev.patchbay.agent.health.Result;
import dev.patchbay.agent.health.Status;
import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.compile.Reserved;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.inspect.Violation;
import dev.patchbay.kernel.AttachReport;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.MapUsage;
import dev.patchbay.observe.Counters;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "status",
    description =
        "Whether the dataplane is attached, effective and in step; map usage; counters. Exit code 1"
            + " if it is not attached, not effective, damaged, out of step with a running agent, or if a"
            + " health check of that agent fails.",
    sortOptions = false)
final class StatusCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    table,
    json
  }

  /** A change on its way needs less than this to reach the snapshot. */
  private static final int ATTEMPTS = 5;

  private static final long BETWEEN_MILLIS = 300;
  private static final int SHOWN = 10;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "table",
      description = "one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Form form = Form.table;

  @Mixin PathOptions paths = new PathOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  /**
   * What was found.
   *
   * @param attach where the programs are
   * @param agent the process id of the running agent; empty if none runs
   * @param violations what is wrong in the maps by themselves
   * @param differences how the maps differ from the snapshot, a line each
   * @param usage of each map
   * @param counters totals
   * @param health what the agent last found about itself; empty if it left nothing
   */
  private record Findings(
      AttachReport attach,
      OptionalLong agent,
      List<Violation> violations,
      List<String> differences,
      List<MapUsage> usage,
      Counters counters,
      Optional<HealthFile> health) {
    /** Whether the maps and the running agent agree; true if no agent runs. */
    boolean inStep() {
      return differences.isEmpty() || agent.isEmpty();
    }

    /** What the running agent says fails; what is only still shown does not count. */
    List<Result> failing() {
      if (health.isEmpty() || agent.isEmpty() || agent.getAsLong() != health.get().pid()) {
        return List.of();
      }
      return health.get().results().stream()
          .filter(result -> result.gates() && result.status() == Status.FAILING)
          .toList();
    }

    boolean good() {
      return attach.effective() && violations.isEmpty() && inStep() && failing().isEmpty();
    }
  }

  @Override
  public Integer call() throws UserError, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try (Reading reading = Reading.open(paths)) {
        Findings findings = look(reading);
        if (findings.inStep() || attempt == ATTEMPTS) {
          print(findings, reading);
          return findings.good() ? 0 : 1;
        }
      }
      Thread.sleep(BETWEEN_MILLIS); // a change may be on its way
    }
  }

  private Findings look(Reading reading) throws UserError {
    try {
      DataplaneView view = reading.view();
      List<String> differences = List.of();
      if (view.snapshot() != null && view.snapshot().refusals().isEmpty()) {
        differences =
            Canonical.of(view.desired()).difference(Canonical.of(Reserved.hidden(view.observed())));
      }
      return new Findings(
          reading.dataplane().report(),
          StateLock.holder(paths.stateDir),
          Invariants.check(view.observed()),
          differences,
          reading.dataplane().usage(view.observed()),
          reading.dataplane().counters(),
          HealthFile.read(paths.stateDir));
    } catch (KernelException e) {
      throw new UserError("cannot read the dataplane", e.getMessage(), "");
    }
  }

  private void print(Findings findings, Reading reading) {
    PrintWriter out = spec.commandLine().getOut();
    switch (form) {
      case table -> out.print(text(findings, reading, PatchbayCommand.terminal(spec)));
      case json -> out.print(Tree.json(tree(findings, reading)));
    }
    out.flush();
  }

  private String text(Findings findings, Reading reading, Terminal terminal) {
    Lines text = new Lines(terminal);
    text.line("dataplane", good(findings.attach().effective()), attachment(findings.attach()));
    text.line(
        "agent",
        findings.agent().isPresent() ? Style.GOOD : Style.WARNING,
        agent(findings.agent()));
    text.line("maps", good(findings.violations().isEmpty()), wholeness(findings));
    text.line("in step", good(findings.inStep()), step(findings, reading.view().snapshot()));
    text.line("snapshot", Style.PLAIN, reading.snapshotAge());
    text.line("health", good(findings.failing().isEmpty()), health(findings));
    findings.health().ifPresent(health -> checks(health, text));
    Snapshot snapshot = reading.view().snapshot();
    if (snapshot != null) {
      text.line("problems", Style.PLAIN, problems(snapshot, reading.view()));
    }
    for (Violation violation : shown(findings.violations())) {
      text.item(violation.toString());
    }
    for (String difference : shown(findings.differences())) {
      text.item(difference);
    }
    if (snapshot != null) {
      for (Snapshot.Refusal refusal : shown(snapshot.refusals())) {
        text.item(refusal.servicePort() + ": " + refusal.reason());
      }
    }
    TextTable usage = new TextTable("MAP", "USED", "OF");
    for (MapUsage map : findings.usage()) {
      usage.row(
          map.map(),
          map.used().isPresent() ? Long.toString(map.used().getAsLong()) : "-",
          map.capacity() == 0 ? "-" : Integer.toString(map.capacity()));
    }
    text.table(usage);
    TextTable counters = new TextTable("COUNTER", "TOTAL");
    counters(findings.counters()).forEach((name, value) -> counters.row(name, value.toString()));
    text.table(counters);
    return text.toString();
  }

  private static <T> List<T> shown(List<T> all) {
    return all.subList(0, Math.min(all.size(), SHOWN));
  }

  private static Style good(boolean good) {
    return good ? Style.GOOD : Style.BAD;
  }

  private static String attachment(AttachReport report) {
    String where =
        report.programs().stream()
            .flatMap(link -> link.cgroup().stream())
            .map(Object::toString)
            .distinct()
            .collect(Collectors.joining(", "));
    if (report.effective()) {
      return "attached to " + where + ", " + report.programs().size() + " programs, all effective";
    }
    Map<AttachReport.State, Long> states =
        report.programs().stream()
            .collect(
                Collectors.groupingBy(
                    AttachReport.ProgramLink::state, TreeMap::new, Collectors.counting()));
    return "NOT in effect"
        + (where.isEmpty() ? "" : " at " + where)
        + ": "
        + states.entrySet().stream()
            .map(
                e ->
                    e.getValue()
                        + " "
                        + e.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '))
            .collect(Collectors.joining(", "))
        + "; start the agent (patchbay run) to repair it";
  }

  private static String agent(OptionalLong pid) {
    return pid.isPresent()
        ? "running, process " + pid.getAsLong()
        : "not running; Services go on as they were programmed";
  }

  private static String wholeness(Findings findings) {
    return findings.violations().isEmpty()
        ? "whole: every frontend leads to a complete set of endpoints"
        : "DAMAGED: " + ServicesCommand.plural(findings.violations().size(), "violation");
  }

  private static String health(Findings findings) {
    if (findings.health().isEmpty()) {
      return "unknown, no agent has left word of it";
    }
    HealthFile health = findings.health().get();
    String age = ", " + seconds(health) + " s ago";
    List<String> red = health.results().stream().filter(Result::red).map(Result::name).toList();
    return red.isEmpty() ? "every check passes" + age : "NOT: " + String.join(", ", red) + age;
  }

  private static long seconds(HealthFile health) {
    return Math.max(0, (System.currentTimeMillis() - health.writtenMillis()) / 1000);
  }

  /** What is worth a line: all that does not pass, and what those that do have to say. */
  private static void checks(HealthFile health, Lines text) {
    for (Result result : health.results()) {
      if (result.status() != Status.OK || !result.detail().isEmpty()) {
        text.item(result.name() + " " + result.status().label() + ": " + result.detail());
      }
    }
  }

  private static Map<String, Object> tree(HealthFile health) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("ageSeconds", seconds(health));
    List<Object> checks = new ArrayList<>();
    for (Result result : health.results()) {
      Map<String, Object> check = new LinkedHashMap<>();
      check.put("name", result.name());
      check.put("status", result.status().label());
      check.put("since", Instant.ofEpochMilli(result.sinceMillis()).toString());
      check.put("detail", result.detail());
      checks.add(check);
    }
    tree.put("checks", checks);
    return tree;
  }

  private static String step(Findings findings, @Nullable Snapshot snapshot) {
    if (snapshot == null) {
      return "unknown, there is no snapshot to compare with";
    }
    if (!snapshot.refusals().isEmpty()) {
      return "as far as it fits: "
          + ServicesCommand.plural(snapshot.refusals().size(), "Service port")
          + " refused";
    }
    if (findings.differences().isEmpty()) {
      return "yes, maps and snapshot agree";
    }
    return "NO: "
        + ServicesCommand.plural(findings.differences().size(), "difference")
        + (findings.agent().isEmpty() ? "; the agent went before it wrote a newer snapshot" : "");
  }

  private static String problems(Snapshot snapshot, DataplaneView view) {
    int count = snapshot.cluster().problems().size() + view.rejections().size();
    return count == 0 ? "none" : count + " in the input; `patchbay validate` lists them";
  }

  private static Map<String, Long> counters(Counters counters) {
    Map<String, Long> values = new LinkedHashMap<>();
    values.put("tcpConnects", counters.tcpConnects());
    values.put("udpConnects", counters.udpConnects());
    values.put("udpSends", counters.udpSends());
    values.put("udpReplies", counters.udpReplies());
    values.put("refusedNoEndpoint", counters.refusedNoEndpoint());
    values.put("refusedPolicy", counters.refusedPolicy());
    values.put("refusedUnknownPort", counters.refusedUnknownPort());
    values.put("affinityKept", counters.affinityKept());
    values.put("stateFailed", counters.stateFailed());
    values.put("corrupt", counters.corrupt());
    values.put("refusedBind", counters.refusedBind());
    values.put("eventsLost", counters.eventsLost());
    values.put("statsFailed", counters.statsFailed());
    return values;
  }

  private static List<Object> refusals(@Nullable Snapshot snapshot) {
    List<Object> refusals = new ArrayList<>();
    if (snapshot != null) {
      for (Snapshot.Refusal refusal : snapshot.refusals()) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("servicePort", refusal.servicePort());
        entry.put("reason", refusal.reason());
        refusals.add(entry);
      }
    }
    return refusals;
  }

  private Map<String, Object> tree(Findings findings, Reading reading) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("good", findings.good());
    tree.put("effective", findings.attach().effective());
    List<Object> programs = new ArrayList<>();
    for (AttachReport.ProgramLink link : findings.attach().programs()) {
      Map<String, Object> program = new LinkedHashMap<>();
      program.put("program", link.program());
      program.put("state", link.state().name());
      link.cgroup().ifPresent(path -> program.put("cgroup", path.toString()));
      programs.add(program);
    }
    tree.put("programs", programs);
    tree.put("agentRunning", findings.agent().isPresent());
    findings.agent().ifPresent(pid -> tree.put("agentPid", pid));
    tree.put("whole", findings.violations().isEmpty());
    tree.put("violations", findings.violations().stream().map(Violation::toString).toList());
    tree.put("inStep", findings.differences().isEmpty());
    tree.put("differences", findings.differences());
    findings.health().ifPresent(health -> tree.put("health", tree(health)));
    tree.put("refusals", refusals(reading.view().snapshot()));
    Map<String, Object> maps = new LinkedHashMap<>();
    for (MapUsage map : findings.usage()) {
      Map<String, Object> usage = new LinkedHashMap<>();
      map.used().ifPresent(used -> usage.put("used", used));
      usage.put("capacity", map.capacity());
      maps.put(map.map(), usage);
    }
    tree.put("maps", maps);
    tree.put("counters", counters(findings.counters()));
    reading.describeSnapshot(tree);
    return tree;
  }
}
