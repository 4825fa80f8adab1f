// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.Version;
import dev.patchbay.kernel.Dataplane;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(name = "version", description = "Versions of Patchbay, of its maps and of the JDK.")
final class VersionCommand implements Callable<Integer> {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        "patchbay "
            + Version.current()
            + " (map ABI "
            + Dataplane.abiVersion()
            + ", JDK "
            + Runtime.version()
            + ")");
    out.flush();
    return 0;
  }
}
