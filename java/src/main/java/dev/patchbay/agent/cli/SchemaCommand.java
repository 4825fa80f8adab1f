// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "schema",
    description = "The JSON Schema (draft 2020-12) of what a command prints with -o json.",
    sortOptions = false)
final class SchemaCommand implements Callable<Integer> {
  /** Commands whose output has a schema. */
  enum Of {
    services,
    explain,
    status,
    validate,
    version,
    watch
  }

  @Parameters(paramLabel = "COMMAND", description = "one of ${COMPLETION-CANDIDATES}")
  Of of = Of.services;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.print(text(of));
    out.flush();
    return 0;
  }

  /** The text of a schema. */
  static String text(Of of) throws IOException {
    String name = "/dev/patchbay/schema/" + of.name().toLowerCase(Locale.ROOT) + ".schema.json";
    try (InputStream in = SchemaCommand.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the schema " + name + " is missing");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
