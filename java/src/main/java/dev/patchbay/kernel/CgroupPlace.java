// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a cgroup is: as this process's cgroup namespace names it. There, a directory above the
 * namespace's root is {@code /..}, {@code /../..} and so on.
 *
 * @param path of the cgroup, in the terms of {@code /proc/self/cgroup}
 * @param ofMount path of what is mounted there, in the same terms
 * @param atMount whether it is the topmost directory of that mount
 * @param id the kernel's number of it
 */
public record CgroupPlace(List<String> path, List<String> ofMount, boolean atMount, long id) {
  private static final Path OWN = Path.of("/proc/self/cgroup");
  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");
  private static final String TYPE = "cgroup2";
  private static final String UP = "..";

  public CgroupPlace {
    path = List.copyOf(path);
    ofMount = List.copyOf(ofMount);
  }

  /** Finds the place of a cgroup v2 directory. */
  public static CgroupPlace of(Path cgroup) throws KernelException {
    long id = Cgroups.id(cgroup);
    Operation operation = new Operation("find the place of", "cgroup " + cgroup);
    try {
      return parse(Files.readString(MOUNTS), cgroup.toRealPath(), id)
          .orElseThrow(
              () -> new KernelException.NotFound(operation, "it is in no mount of " + MOUNTS));
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
  }

  /** Finds it in a text in the format of {@code /proc/PID/mountinfo}, man 5 proc. */
  static Optional<CgroupPlace> parse(String mountinfo, Path cgroup, long id) {
    Path target = null;
    String root = "";
    for (String line : mountinfo.lines().toList()) {
      String[] fields = line.split(" ", -1);
      int type = List.of(fields).indexOf("-") + 1;
      if (type < 7 || type >= fields.length) {
        continue;
      }
      Path mounted = Path.of(Mounts.unescape(fields[4]));
      boolean deeper = target == null || mounted.getNameCount() >= target.getNameCount();
      if (cgroup.startsWith(mounted) && deeper) {
        target = mounted;
        root = fields[type].equals(TYPE) ? Mounts.unescape(fields[3]) : "";
      }
    }
    if (target == null || root.isEmpty()) {
      return Optional.empty();
    }
    List<String> ofMount = names(root);
    List<String> path = new ArrayList<>(ofMount);
    target.relativize(cgroup).forEach(name -> path.add(name.toString()));
    path.removeIf(String::isEmpty);
    return Optional.of(new CgroupPlace(path, ofMount, cgroup.equals(target), id));
  }

  private static List<String> names(String path) {
    List<String> names = new ArrayList<>(List.of(path.split("/", -1)));
    names.removeIf(String::isEmpty);
    return names;
  }

  /** Whether this process is in it or below it now, so that what is attached to it runs for us. */
  public boolean holdsThisProcess() throws KernelException {
    try {
      return holds(Files.readString(OWN));
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("read", OWN.toString()), failed);
    }
  }

  /** The same for a text in the format of {@code /proc/PID/cgroup}. */
  boolean holds(String own) {
    String line = own.lines().filter(l -> l.startsWith("0::")).findFirst().orElse("");
    if (line.isEmpty()) {
      return false; // no hierarchy of version 2
    }
    List<String> process = names(line.substring("0::".length()));
    if (path.stream().allMatch(UP::equals)) {
      return path.size() >= process.stream().takeWhile(UP::equals).count();
    }
    return process.size() >= path.size() && process.subList(0, path.size()).equals(path);
  }

  /**
   * Whether it passes for the root of the hierarchy and is not: what is mounted there is only a
   * part of it, such as a container's own. Programs attached there serve that part and no more.
   *
   * <p>A mount that reaches above this process's namespace was made by somebody outside and handed
   * in on purpose. That somebody may be a node which is itself a container, so it is believed.
   */
  public boolean partial() {
    boolean handedIn = !ofMount.isEmpty() && ofMount.getFirst().equals(UP);
    return atMount && id != Cgroups.ROOT_ID && !handedIn;
  }

  /** The path as {@code /proc/self/cgroup} has it. */
  @Override
  public String toString() {
    return "/" + String.join("/", path);
  }
}
