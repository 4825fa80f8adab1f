// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.kernel.sys.LinkInfo;
import dev.patchbay.kernel.sys.MapInfo;
import dev.patchbay.kernel.sys.ProgramInfo;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Detaches and unpins what Patchbay left behind, of every version of the ABI. Repeating it is
 * harmless.
 *
 * <p>A pin is ours if it lies in {@code BPF_DIR/vN/links} and is a link to a cgroup whose program
 * has the name of the pin, beginning with {@code pb_}; or if it lies in {@code BPF_DIR/vN/maps} and
 * is a map of the name of the pin, and of a name that its version has where that is known; and so
 * is the {@link LayoutRecord} of a map in {@code BPF_DIR/vN/layouts}. Everything else is left alone
 * and reported. Without {@code CAP_SYS_ADMIN}, which it takes to learn the name of a program from
 * its number, the hook that the link is attached to has to do.
 */
public final class Cleanup {
  private static final Logger log = LoggerFactory.getLogger(Cleanup.class);

  private final Path bpfDir;
  private final List<String> removed = new ArrayList<>();
  private final List<String> left = new ArrayList<>();

  private Cleanup(Path bpfDir) {
    this.bpfDir = bpfDir;
  }

  /**
   * Cleans up.
   *
   * @param cgroup if given, links of Patchbay's programs to this cgroup are detached also where
   *     their pins are lost
   * @throws KernelException if something of ours could not be removed; what was removed before
   *     stays removed
   */
  public static CleanupReport run(Path bpfDir, Optional<Path> cgroup) throws KernelException {
    if (Libbpf.problem().isPresent()) {
      throw new KernelException.Library(new Operation("load", "libbpf"), Libbpf.problem().get());
    }
    Cleanup cleanup = new Cleanup(bpfDir.toAbsolutePath().normalize());
    Optional<String> agent = cleanup.agent();
    if (Files.isDirectory(cleanup.bpfDir)) {
      cleanup.versions();
    }
    if (cgroup.isPresent()) {
      cleanup.unpinnedLinks(cgroup.get());
    }
    return new CleanupReport(cleanup.removed, cleanup.left, agent);
  }

  /**
   * Detaches and unpins what one version left behind, because another one has taken its place. What
   * its programs remembered goes with them, unless the other one works with the same maps.
   */
  static CleanupReport retire(Pins pins) throws KernelException {
    Cleanup cleanup = new Cleanup(pins.bpfDir());
    cleanup.version(pins);
    return new CleanupReport(cleanup.removed, cleanup.left, Optional.empty());
  }

  /** The same for the links of those programs alone that do more than to translate replies. */
  static CleanupReport retireRequests(Pins pins) throws KernelException {
    Set<String> replies = new HashSet<>();
    for (Hook hook : Hook.values()) {
      if (hook.forReplies()) {
        replies.add(hook.program());
      }
    }
    Cleanup cleanup = new Cleanup(pins.bpfDir());
    for (Path pin : Pins.list(pins.links())) {
      if (!replies.contains(String.valueOf(pin.getFileName()))) {
        cleanup.link(pin);
      }
    }
    return new CleanupReport(cleanup.removed, cleanup.left, Optional.empty());
  }

  /** Who has one of the versions open. */
  private Optional<String> agent() throws KernelException {
    for (Path directory : Pins.list(bpfDir)) {
      if (Pins.isVersion(directory)) {
        try (Fd lock = PinDirectory.lock(new Pins(bpfDir, directory))) {
          log.debug("nobody has {}, descriptor {}", directory, lock.number());
        } catch (KernelException.Busy busy) {
          return Optional.of(
              LockHolder.of(directory)
                  .map(LockHolder::toString)
                  .orElse("a process that cannot be seen from here"));
        }
      }
    }
    return Optional.empty();
  }

  private void versions() throws KernelException {
    for (Path directory : Pins.list(bpfDir)) {
      if (Pins.isVersion(directory)) {
        version(new Pins(bpfDir, directory));
      } else {
        left.add(directory + ": not a directory of Patchbay's");
      }
    }
    removeIfEmpty(bpfDir);
  }

  private void version(Pins pins) throws KernelException {
    for (Path pin : Pins.list(pins.links())) {
      link(pin);
    }
    for (Path pin : Pins.list(pins.maps())) {
      map(pin);
    }
    for (Path record : Pins.list(pins.layouts())) {
      layout(record);
    }
    removeIfEmpty(pins.links());
    removeIfEmpty(pins.maps());
    removeIfEmpty(pins.layouts());
    removeIfEmpty(pins.version());
  }

  private void link(Path pin) throws KernelException {
    String name = String.valueOf(pin.getFileName());
    if (!Files.isRegularFile(pin, LinkOption.NOFOLLOW_LINKS)) {
      left.add(pin + ": not a link of Patchbay's");
      return;
    }
    try (Fd fd = open(pin)) {
      LinkInfo info =
          BpfKind.of(fd.number()) == BpfKind.LINK ? Bpf.linkInfo(fd.number()).value() : null;
      boolean ours =
          info != null && info.cgroupLink() && name.startsWith("pb_") && isProgram(info, name);
      if (!ours) {
        left.add(pin + ": not a link of Patchbay's");
        return;
      }
      detach(fd, name);
    }
    unpin(pin);
    removed.add("link " + pin);
  }

  private static void detach(Fd link, String name) throws KernelException {
    KernelException.check(
        Bpf.bpf_link_detach(link.number()), new Operation("detach", "link " + name));
  }

  private void map(Path pin) throws KernelException {
    String name = String.valueOf(pin.getFileName());
    boolean current = pin.getParent() != null && pin.getParent().equals(new Pins(bpfDir).maps());
    boolean known = Arrays.stream(PatchbayMap.values()).anyMatch(map -> map.mapName().equals(name));
    if ((current && !known) || !Files.isRegularFile(pin, LinkOption.NOFOLLOW_LINKS)) {
      left.add(pin + ": not a map of Patchbay's");
      return;
    }
    try (Fd fd = open(pin)) {
      MapInfo info =
          BpfKind.of(fd.number()) == BpfKind.MAP ? Bpf.mapInfo(fd.number()).value() : null;
      if (info == null || !info.name().equals(Bpf.kernelName(name))) {
        left.add(pin + ": not a map of Patchbay's");
        return;
      }
    }
    unpin(pin);
    removed.add("map " + pin);
  }

  private void layout(Path record) throws KernelException {
    if (!LayoutRecord.isOurs(record)) {
      left.add(record + ": not a layout of Patchbay's");
      return;
    }
    unpin(record);
    removed.add("layout " + record);
  }

  private void unpinnedLinks(Path cgroup) throws KernelException {
    if (!Files.exists(cgroup)) {
      return;
    }
    long cgroupId = Cgroups.id(cgroup);
    int id = Bpf.bpf_link_get_next_id(0);
    if (id < 0 && Errno.of(id) == Errno.EPERM) {
      left.add(
          "links to %s whose pins are lost, if there are any: finding them takes CAP_SYS_ADMIN"
              .formatted(cgroup));
    }
    while (id > 0) {
      int fd = Bpf.bpf_link_get_fd_by_id(id);
      if (fd >= 0) {
        try (Fd link = Fd.of(fd, new Operation("open", "link " + id))) {
          LinkInfo info = Bpf.linkInfo(link.number()).value();
          if (info != null && info.cgroupId() == cgroupId && isOurs(info)) {
            detach(link, String.valueOf(id));
            removed.add("link " + id + " on " + cgroup);
          }
        }
      }
      id = Bpf.bpf_link_get_next_id(id);
    }
  }

  private static boolean isProgram(LinkInfo info, String name) throws KernelException {
    try {
      return programName(info).equals(Optional.of(Bpf.kernelName(name)));
    } catch (KernelException.Denied withoutSysAdmin) {
      return Arrays.stream(Hook.values())
          .anyMatch(
              hook -> hook.program().equals(name) && hook.type().number() == info.attachType());
    }
  }

  private static boolean isOurs(LinkInfo info) throws KernelException {
    Optional<String> program = programName(info);
    return Arrays.stream(Hook.values())
        .filter(hook -> hook.type().number() == info.attachType())
        .map(Hook::program)
        .anyMatch(name -> program.equals(Optional.of(Bpf.kernelName(name))));
  }

  private static Optional<String> programName(LinkInfo info) throws KernelException {
    int id = info.programId();
    try (Fd fd = Fd.of(Bpf.bpf_prog_get_fd_by_id(id), new Operation("open", "program " + id))) {
      return Optional.ofNullable(Bpf.programInfo(fd.number()).value()).map(ProgramInfo::name);
    } catch (KernelException.NotFound gone) {
      return Optional.empty();
    }
  }

  private static Fd open(Path pin) throws KernelException {
    return Fd.of(Bpf.bpf_obj_get(pin), new Operation("open", "pin", pin.toString()));
  }

  private static void unpin(Path pin) throws KernelException {
    try {
      Files.delete(pin);
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("unpin", pin.toString()), failed);
    }
  }

  private void removeIfEmpty(Path directory) throws KernelException {
    boolean mountPoint =
        Mounts.read().covering(directory).map(Mounts.Entry::target).equals(Optional.of(directory));
    if (!Files.isDirectory(directory) || mountPoint) {
      return;
    }
    try {
      Files.delete(directory);
      removed.add("directory " + directory);
    } catch (DirectoryNotEmptyException inUse) {
      return; // what is in there is reported
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("remove", directory.toString()), failed);
    }
  }
}
