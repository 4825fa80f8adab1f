// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.Version;
import dev.patchbay.kernel.Dataplane;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "version", description = "Versions of Patchbay, of its maps and of the JDK.")
final class VersionCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    text,
    json
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Form form = Form.text;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    switch (form) {
      case text ->
          out.println(
              "patchbay "
                  + Version.current()
                  + " (map ABI "
                  + Dataplane.abiVersion()
                  + ", JDK "
                  + Runtime.version()
                  + ")");
      case json -> {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("version", Version.current());
        tree.put("mapAbi", Dataplane.abiVersion());
        tree.put("jdk", Runtime.version().toString());
        out.print(Tree.json(tree));
      }
    }
    out.flush();
    return 0;
  }
}
