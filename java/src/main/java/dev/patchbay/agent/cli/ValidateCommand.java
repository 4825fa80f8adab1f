// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.cli.Terminal.Style;
import dev.patchbay.compile.Compiler;
import dev.patchbay.compile.Rejection;
import dev.patchbay.manifest.Loaded;
import dev.patchbay.manifest.ManifestDirectoryException;
import dev.patchbay.manifest.ManifestSettings;
import dev.patchbay.manifest.ManifestSource;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "validate",
    description =
        "Problems of manifests, with file, document, field and reason; exit code 1 if there is any.",
    sortOptions = false)
final class ValidateCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    text,
    json
  }

  @Option(
      names = "--manifests",
      paramLabel = "DIR",
      required = true,
      description = "a directory of YAML and JSON manifests")
  Path manifests = Path.of(".");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Form form = Form.text;

  @Mixin ManifestOptions control = new ManifestOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws UserError {
    ManifestSettings settings =
        new ManifestSettings(manifests, null, control.cidrs(), control.nodePorts());
    Loaded loaded;
    try (ManifestSource source = new ManifestSource(settings)) {
      loaded = source.load();
    } catch (ManifestDirectoryException e) {
      throw new UserError(
          "cannot validate", e.getMessage(), "give a readable directory with --manifests");
    }
    List<Problem> problems = new ArrayList<>(loaded.update().problems());
    problems.addAll(rejections(ClusterSnapshot.EMPTY.with(loaded.update())));
    problems.sort(null);
    int bad = 0;
    for (Problem problem : problems) {
      bad += problem.severity() == Problem.Severity.NOTE ? 0 : 1;
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (form) {
      case text -> out.print(text(loaded, problems, bad, PatchbayCommand.terminal(spec)));
      case json -> out.print(Tree.json(tree(loaded, problems, bad)));
    }
    out.flush();
    return bad == 0 ? 0 : 1;
  }

  private static String text(Loaded loaded, List<Problem> problems, int bad, Terminal terminal) {
    StringBuilder text = new StringBuilder();
    for (Problem problem : problems) {
      String severity = problem.severity().name().toLowerCase(Locale.ROOT);
      String lines = terminal.paragraph("", "    ", severity + ": " + problem);
      text.append(terminal.paint(style(problem), severity));
      text.append(lines, severity.length(), lines.length());
    }
    return text.append(
            terminal.paragraph(
                (bad == 0 ? "no problems" : ServicesCommand.plural(bad, "problem"))
                    + " in "
                    + ServicesCommand.plural(loaded.files(), "file")
                    + " with "
                    + ServicesCommand.plural(loaded.objects(), "object")
                    + " in force"))
        .toString();
  }

  private static Map<String, Object> tree(Loaded loaded, List<Problem> problems, int bad) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("good", bad == 0);
    tree.put("files", loaded.files());
    tree.put("objects", loaded.objects());
    List<Object> list = new ArrayList<>();
    for (Problem problem : problems) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("severity", problem.severity().name());
      entry.put("file", problem.file());
      entry.put("document", problem.document());
      entry.put("object", problem.object());
      entry.put("field", problem.field());
      entry.put("reason", problem.reason());
      list.add(entry);
    }
    tree.put("problems", list);
    return tree;
  }

  private static Style style(Problem problem) {
    return switch (problem.severity()) {
      case ERROR -> Style.BAD;
      case WARNING -> Style.WARNING;
      case NOTE -> Style.FAINT;
    };
  }

  private static List<Problem> rejections(ClusterSnapshot cluster) {
    Compiler compiler = new Compiler(NodeFacts.named(""));
    compiler.update(cluster.services().values(), Set.of());
    List<Problem> problems = new ArrayList<>();
    for (Rejection rejection : compiler.rejections()) {
      ServiceState state = cluster.services().get(rejection.who().service());
      problems.add(
          new Problem(
              Problem.Severity.ERROR,
              state == null ? "" : state.service().origin(),
              0,
              "Service " + rejection.who().service(),
              "",
              rejection.sentence()));
    }
    return problems;
  }
}
