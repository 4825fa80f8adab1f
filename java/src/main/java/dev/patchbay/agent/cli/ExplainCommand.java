// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "explain",
    description =
        "Which Service a destination belongs to, which endpoints may be chosen from here, and for"
            + " each other endpoint why not.",
    sortOptions = false)
final class ExplainCommand implements Callable<Integer> {
  /** The forms of output. */
  enum Form {
    table,
    json
  }

  @Parameters(
      paramLabel = "ADDR:PORT[/udp]",
      description = "a destination, for example 10.96.0.10:53/udp or [fd00:10:96::a]:80")
  String destination = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "table",
      description = "one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Form form = Form.table;

  @Mixin PathOptions paths = new PathOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws UserError {
    Destination to = Destination.parse(destination);
    PrintWriter out = spec.commandLine().getOut();
    try (Reading reading = Reading.open(paths)) {
      Explanation explanation = Explanation.of(to, reading.view());
      switch (form) {
        case table -> {
          Terminal terminal = PatchbayCommand.terminal(spec);
          out.print(explanation.text(terminal) + "\n");
          out.print(terminal.paragraph(reading.snapshotAge() + "."));
        }
        case json -> {
          var tree = explanation.tree();
          reading.describeSnapshot(tree);
          out.print(Tree.json(tree));
        }
      }
    }
    out.flush();
    return 0;
  }
}
