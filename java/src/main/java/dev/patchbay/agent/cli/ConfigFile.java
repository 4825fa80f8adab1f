// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The file behind {@code --config}: the flags of {@code run} without their dashes, as a YAML
 * mapping, for example {@code node-name: worker-1}. It supplies defaults, so flags win.
 */
final class ConfigFile implements CommandLine.IDefaultValueProvider {
  private final Map<String, String> values;

  private ConfigFile(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads the file and checks each key against the options of a command.
   *
   * @throws UserError naming the file and the key
   */
  static ConfigFile read(Path file, CommandSpec command) throws UserError {
    Object root;
    try (InputStream in = Files.newInputStream(file)) {
      root =
          new Load(LoadSettings.builder().setLabel(file.toString()).build())
              .loadFromInputStream(in);
    } catch (IOException e) {
      throw new UserError("cannot read --config " + file, reason(e), "give a readable YAML file");
    } catch (YamlEngineException e) {
      throw new UserError(
          "cannot read --config " + file, oneLine(e.getMessage()), "write it as a YAML mapping");
    }
    if (root == null) {
      return new ConfigFile(Map.of());
    }
    if (!(root instanceof Map<?, ?> map)) {
      throw new UserError(
          "cannot use --config " + file, "it is not a mapping", "write lines like node-name: NAME");
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String key = String.valueOf(entry.getKey());
      OptionSpec option = key.equals("config") ? null : command.findOption("--" + key);
      if (option == null || option.usageHelp() || option.versionHelp()) {
        throw new UserError(
            "cannot use --config " + file,
            "unknown key " + key,
            "keys are the flags of `patchbay run` without their dashes");
      }
      values.put("--" + key, text(file, key, entry.getValue()));
    }
    return new ConfigFile(values);
  }

  private static String text(Path file, String key, @Nullable Object value) throws UserError {
    return switch (value) {
      case String text -> text;
      case Boolean flag -> flag.toString();
      case Integer number -> number.toString();
      case List<?> list -> list.stream().map(String::valueOf).collect(Collectors.joining(","));
      case null, default ->
          throw new UserError(
              "cannot use --config " + file,
              key + " has no usable value",
              "give a text, a number, true, false or a list");
    };
  }

  @Override
  public @Nullable String defaultValue(ArgSpec arg) {
    return arg instanceof OptionSpec option ? values.get(option.longestName()) : null;
  }

  private static String reason(IOException e) {
    return e instanceof java.nio.file.NoSuchFileException
        ? "no such file"
        : e instanceof java.nio.file.AccessDeniedException
            ? "permission denied"
            : oneLine(e.getMessage());
  }

  private static String oneLine(@Nullable String message) {
    return message == null ? "unknown error" : message.strip().replaceAll("\\s*\\R\\s*", ", ");
  }
}
