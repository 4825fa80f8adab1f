// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the figures come from.
 *
 * @param facts name to value, in the order in which they are to be read
 */
public record Machine(Map<String, String> facts) {
  /** Keeps the order. */
  public Machine {
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
  }

  /** Looks. */
  public static Machine describe() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    facts.put("processor", processor());
    facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("virtual", lines("/proc/cpuinfo", "flags").contains(" hypervisor") ? "yes" : "no");
    facts.put("memory", lines("/proc/meminfo", "MemTotal"));
    facts.put("load before", read("/proc/loadavg"));
    facts.put("kernel", System.getProperty("os.version"));
    facts.put("frequency", read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    facts.put("distribution", lines("/etc/os-release", "PRETTY_NAME").replace("\"", ""));
    facts.put("JVM of the harness", System.getProperty("java.vm.version"));
    facts.put("commit", version("git", "describe", "--always", "--dirty"));
    facts.put("kube-proxy and API server", kubernetes());
    facts.put("iptables", version("iptables", "--version"));
    facts.put("iptables of kube-proxy", Iptables.describe());
    facts.put("nft", version("nft", "--version"));
    facts.put("bpftool", version("bpftool", "version"));
    facts.put("clang", version("clang", "--version"));
    facts.put("mitigations", read("/sys/devices/system/cpu/vulnerabilities/spectre_v2"));
    return new Machine(facts);
  }

  private static String kubernetes() {
    Pattern version = Pattern.compile("(?m)^\\s*k8s\\.io/kubernetes (\\S+)");
    Matcher found =
        version.matcher(read(Patchbay.root().resolve("java/src/test/cluster/go.mod").toString()));
    return found.find() ? found.group(1) : "unknown";
  }

  private static String processor() {
    String name = lines("/proc/cpuinfo", "model name");
    return name.isEmpty() ? System.getProperty("os.arch") : name;
  }

  /** What stands behind the first line that begins with a word. */
  private static String lines(String file, String word) {
    return read(file)
        .lines()
        .filter(line -> line.startsWith(word))
        .map(line -> line.replaceFirst("^[^:=]*[:=]\\s*", ""))
        .findFirst()
        .orElse("");
  }

  private static String read(String file) {
    Path path = Path.of(file);
    if (!Files.isReadable(path)) {
      return "unknown";
    }
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String version(String... command) {
    try {
      return Commands.run(Commands.PATIENCE, List.of(command), "")
          .out()
          .lines()
          .findFirst()
          .orElse("unknown");
    } catch (UncheckedIOException e) {
      return "unknown"; // not here
    }
  }
}
