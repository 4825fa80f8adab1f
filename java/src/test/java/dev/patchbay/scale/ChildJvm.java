// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A JVM of its own for something that must not be disturbed by the tests around it. */
public final class ChildJvm {
  private ChildJvm() {}

  /** The command line for a class of the tests, with the options that the agent runs with. */
  public static List<String> command(Class<?> main, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(launcherOptions());
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return command;
  }

  /** What the launcher passes to the JVM: the lines of its last command that begin with a dash. */
  public static List<String> launcherOptions() {
    Path launcher = Patchbay.root().resolve("java/src/main/scripts/patchbay");
    try (Stream<String> lines = Files.lines(launcher)) {
      List<String> options =
          lines
              .filter(line -> line.startsWith("  -"))
              .flatMap(line -> Stream.of(line.strip().split(" +")))
              .filter(word -> !word.equals("\\"))
              .toList();
      if (!options.contains("-XX:+UseSerialGC")) {
        throw new AssertionError("no JVM options found in " + launcher);
      }
      return options;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
