// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Where a Pod of the cluster runs: a Pod of the lab, and directories of its own. */
final class PodSandbox {
  private static final Json NOTHING = Json.parse("[]");

  private final Pod pod;
  private final String name;
  private final Path directory;
  private final List<String> ports;
  private Optional<Daemon> server = Optional.empty();

  PodSandbox(Node node, Json object) {
    Json metadata = object.get("metadata");
    Json spec = object.get("spec");
    name = metadata.get("name").text();
    String unique =
        metadata.get("namespace").text()
            + "-"
            + name
            + "-"
            + metadata.get("uid").text().substring(0, 5);
    boolean hostNetwork = spec.find("hostNetwork").map(Json::text).orElse("").equals("true");
    pod = hostNetwork ? node.addHostPod(unique) : node.addPod(unique);
    directory = node.lab().newDirectory(unique);
    for (String part : List.of("statuses", "tmp", "var")) {
      try {
        Files.createDirectory(directory.resolve(part));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    ports = options(spec);
  }

  /** The options of the test server that make it listen on all container ports. */
  private static List<String> options(Json spec) {
    Map<String, List<String>> byKind = new LinkedHashMap<>();
    for (Json container : spec.get("containers").elements()) {
      for (Json port : container.find("ports").orElse(NOTHING).elements()) {
        String portName = port.find("name").map(Json::text).orElse("");
        String protocol = port.find("protocol").map(Json::text).orElse("TCP");
        String kind =
            switch (protocol) {
              case "UDP" -> "--udp";
              case "TCP" ->
                  portName.startsWith("banner")
                      ? "--banner"
                      : portName.startsWith("echo") ? "--echo" : "--http";
              default -> "";
            };
        if (!kind.isEmpty()) {
          byKind
              .computeIfAbsent(kind, k -> new ArrayList<>())
              .add(port.get("containerPort").text());
        }
      }
    }
    List<String> options = new ArrayList<>();
    byKind.forEach((kind, numbers) -> options.addAll(List.of(kind, String.join(",", numbers))));
    return options;
  }

  Pod pod() {
    return pod;
  }

  /** Starts the server of its container ports, if it has any, and waits until it listens. */
  void start() {
    if (!ports.isEmpty()) {
      List<String> options = new ArrayList<>(ports);
      options.addAll(List.of("--statuses", directory.resolve("statuses").toString()));
      server = Optional.of(pod.serveAs(name, options.toArray(String[]::new)));
    }
  }

  /** Whether nothing that should run has ended. */
  boolean runs() {
    return server.map(Daemon::isAlive).orElse(true);
  }

  /** Runs a command that sees a {@code /tmp} and a {@code /var} that only this Pod has. */
  Result exec(Duration timeout, List<String> command) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "timeout",
                String.format(Locale.ROOT, "%.3f", timeout.toMillis() / 1000.0),
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$0/var\" /var && mount --bind \"$0/tmp\" /tmp && exec \"$@\"",
                directory.toString()));
    line.addAll(command);
    return pod.exec(line.toArray(String[]::new));
  }

  /** Has its server answer requests for a path with a status from now on. */
  void answer(String path, int status) {
    Path file = directory.resolve("statuses").resolve(path.replace('/', '_'));
    try {
      if (status == 200) {
        Files.deleteIfExists(file);
      } else {
        Path whole = directory.resolve("status");
        Files.writeString(whole, Integer.toString(status));
        Files.move(whole, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
