// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
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
import java.util.List;
import java.util.Locale;
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
  @Option(
      names = "--manifests",
      paramLabel = "DIR",
      required = true,
      description = "a directory of YAML and JSON manifests")
  Path manifests = Path.of(".");

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
    PrintWriter out = spec.commandLine().getOut();
    int bad = 0;
    for (Problem problem : problems) {
      out.println(problem.severity().name().toLowerCase(Locale.ROOT) + ": " + problem);
      bad += problem.severity() == Problem.Severity.NOTE ? 0 : 1;
    }
    out.println(
        (bad == 0 ? "no problems" : ServicesCommand.plural(bad, "problem"))
            + " in "
            + ServicesCommand.plural(loaded.files(), "file")
            + " with "
            + ServicesCommand.plural(loaded.objects(), "object")
            + " in force");
    out.flush();
    return bad == 0 ? 0 : 1;
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
