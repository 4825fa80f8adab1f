// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.kernel.Cleanup;
import dev.patchbay.kernel.CleanupReport;
import dev.patchbay.kernel.KernelException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "cleanup",
    description =
        "Detaches and unpins everything of Patchbay's, and touches nothing else. Safe to repeat.",
    sortOptions = false)
final class CleanupCommand implements Callable<Integer> {
  @Option(
      names = "--bpf-dir",
      paramLabel = "PATH",
      defaultValue = "/sys/fs/bpf/patchbay",
      description = "bpffs directory for pins (default: ${DEFAULT-VALUE})")
  Path bpfDir = Path.of("/sys/fs/bpf/patchbay");

  @Option(
      names = "--cgroup",
      paramLabel = "PATH",
      description = "also detach Patchbay's programs from this cgroup if their pins are lost")
  @Nullable Path cgroup;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws UserError {
    CleanupReport report;
    try {
      report = Cleanup.run(bpfDir, Optional.ofNullable(cgroup));
    } catch (KernelException e) {
      throw new UserError("cannot clean up", e.getMessage(), "");
    }
    PrintWriter out = spec.commandLine().getOut();
    report.removed().forEach(what -> out.println("removed " + what));
    report.left().forEach(what -> out.println("left alone " + what));
    report
        .agent()
        .ifPresent(
            agent ->
                out.println(
                    "an agent still runs on "
                        + bpfDir
                        + ", "
                        + agent
                        + "; stop it first, or it puts back what was removed"));
    if (report.removed().isEmpty()) {
      out.println("nothing of Patchbay's below " + bpfDir);
    }
    out.flush();
    return 0;
  }
}
