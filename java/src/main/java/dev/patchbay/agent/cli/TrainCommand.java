// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/**
 * Several command lines in one process, so that one AOT cache holds what all of them need. For the
 * build.
 */
@Command(
    name = "train",
    hidden = true,
    description = "Runs command lines that are separated by --then, until one fails.")
final class TrainCommand implements Callable<Integer> {
  private static final String SEPARATOR = "--then";

  @Unmatched List<String> words = new ArrayList<>();
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    List<String> rest = words;
    while (true) {
      int end = rest.indexOf(SEPARATOR);
      List<String> line = end < 0 ? rest : rest.subList(0, end);
      int code =
          PatchbayCommand.execute(
              spec.commandLine().getOut(),
              spec.commandLine().getErr(),
              line.toArray(String[]::new));
      if (code != 0 || end < 0) {
        return code;
      }
      rest = rest.subList(end + 1, rest.size());
    }
  }
}
