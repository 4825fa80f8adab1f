// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.cli.Terminal.Style;
import dev.patchbay.kernel.Check;
import dev.patchbay.kernel.Preflight;
import dev.patchbay.kernel.probe.ProbeResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "check",
    description =
        "Whether the agent could run here: a line for each requirement, with the fix; exit code 1 if"
            + " it could not.",
    sortOptions = false)
final class CheckCommand implements Callable<Integer> {
  @Mixin PathOptions paths = new PathOptions();

  @Option(
      names = "--cgroup",
      paramLabel = "PATH",
      description = "cgroup v2 directory to attach to (default: the root of the hierarchy)")
  @Nullable Path cgroup;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    TextTable table = new TextTable("RESULT", "REQUIREMENT", "FOUND");
    int blocking = 0;
    for (Check check : Preflight.run(paths.bpfDir, Optional.ofNullable(cgroup))) {
      table.row(result(check), TextTable.Cell.of(check.name()), TextTable.Cell.of(found(check)));
      blocking += check.blocks() ? 1 : 0;
    }
    out.print(table.render("", PatchbayCommand.terminal(spec)));
    out.println();
    out.println(
        blocking == 0
            ? "The agent can run here."
            : "The agent cannot run here: "
                + ServicesCommand.plural(blocking, "requirement")
                + " not met.");
    out.flush();
    return blocking == 0 ? 0 : 1;
  }

  private static TextTable.Cell result(Check check) {
    return switch (check.result()) {
      case ProbeResult.Supported _ -> new TextTable.Cell("ok", Style.GOOD);
      case ProbeResult.Unsupported _ ->
          check.required()
              ? new TextTable.Cell("FAIL", Style.BAD)
              : new TextTable.Cell("absent", Style.WARNING);
      case ProbeResult.Inconclusive _ -> new TextTable.Cell("unknown", Style.WARNING);
    };
  }

  private static String found(Check check) {
    return check.fix().isEmpty()
        ? check.detail()
        : check.detail() + (check.detail().isEmpty() ? "fix: " : "; fix: ") + check.fix();
  }
}
