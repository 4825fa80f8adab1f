// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Looks at the kernel past the code under test, through {@code bpf_tool.py}. */
public final class BpfTool {
  private BpfTool() {}

  /** How many programs are attached to a cgroup itself, by type ({@code connect4}, ...). */
  public static Map<String, Integer> attached(Path cgroup) {
    Map<String, Integer> counts = new TreeMap<>();
    Json.parse(run("query", cgroup.toString()).out())
        .members()
        .forEach((type, count) -> counts.put(type, (int) count.number()));
    return counts;
  }

  /**
   * The programs that are attached to a cgroup itself: objects with {@code hook}, {@code id},
   * {@code translated} and {@code jited} bytes, {@code verified_insns}, and, while the kernel
   * counts, {@code run_time_ns} and {@code run_cnt}.
   */
  public static List<Json> programs(Path cgroup) {
    return Json.parse(run("programs", cgroup.toString()).out()).elements();
  }

  /** Pins a map that belongs to somebody else. */
  public static void pinMap(Path pin) {
    run("pin-map", pin.toString());
  }

  /** Attaches a connect4 program of somebody else's, through a pinned link. */
  public static void attach(Path cgroup, Path pin) {
    run("attach", cgroup.toString(), pin.toString());
  }

  /** Detaches every link of this cgroup, by the kernel's numbers of them. */
  public static void detachAll(Path cgroup) {
    run("detach", cgroup.toString());
  }

  /** Deletes an entry of {@code frontends}. */
  public static void deleteFrontend(Path map, String address, int port, String protocol) {
    run("frontend-delete", map.toString(), address, Integer.toString(port), protocol);
  }

  /** Makes an entry of {@code frontends} lead to an index. */
  public static void putFrontend(Path map, String address, int port, String protocol, int service) {
    run(
        "frontend-put",
        map.toString(),
        address,
        Integer.toString(port),
        protocol,
        Integer.toString(service));
  }

  /** Overwrites the first entries of an array with zeros. */
  public static void zero(Path map, int entries) {
    run("zero", map.toString(), Integer.toString(entries));
  }

  private static Result run(String... arguments) {
    String[] command = new String[arguments.length + 2];
    command[0] = "/usr/bin/python3";
    command[1] = Pod.script("bpf_tool.py");
    System.arraycopy(arguments, 0, command, 2, arguments.length);
    return Commands.run(command);
  }
}
