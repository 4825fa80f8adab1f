// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.config.KubeProxyConfiguration;
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
import org.snakeyaml.engine.v2.schema.CoreSchema;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The file behind {@code --config}: the flags of {@code run} without their dashes, as a YAML
 * mapping, for example {@code node-name: worker-1}; or kube-proxy's own configuration, which says
 * so in {@code apiVersion} and {@code kind}. It supplies defaults, so flags win.
 */
final class ConfigFile implements CommandLine.IDefaultValueProvider {
  private final Map<String, String> values;
  private final List<String> warnings;

  private ConfigFile(Map<String, String> values, List<String> warnings) {
    this.values = values;
    this.warnings = warnings;
  }

  /** What the file says and the agent does not do, a line each. */
  List<String> warnings() {
    return warnings;
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
          new Load(
                  LoadSettings.builder()
                      .setLabel(file.toString())
                      .setSchema(new CoreSchema())
                      .build())
              .loadFromInputStream(in);
    } catch (IOException e) {
      throw new UserError("cannot read --config " + file, reason(e), "give a readable YAML file");
    } catch (YamlEngineException e) {
      throw new UserError(
          "cannot read --config " + file, oneLine(e.getMessage()), "write it as a YAML mapping");
    }
    if (root == null) {
      return new ConfigFile(Map.of(), List.of());
    }
    if (!(root instanceof Map<?, ?> map)) {
      throw new UserError(
          "cannot use --config " + file, "it is not a mapping", "write lines like node-name: NAME");
    }
    if (KubeProxyConfiguration.isObject(map)) {
      KubeProxyConfiguration.Settings settings = KubeProxyConfiguration.read(file, map);
      return new ConfigFile(
          settings.options(),
          settings.warnings().entrySet().stream()
              .map(e -> "%s: %s has no effect: %s".formatted(file, e.getKey(), e.getValue()))
              .toList());
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
    return new ConfigFile(values, List.of());
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
