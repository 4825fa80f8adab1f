// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.LinkInfo;
import dev.patchbay.kernel.sys.ProgramInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Watches over what is pinned and attached, and puts it back.
 *
 * <p>It holds a descriptor of each link: so a link whose pin somebody removes stays attached, and
 * gets a pin again without a moment in which no program runs.
 *
 * <p>{@link #inspect} is for any thread; everything else for the one that attaches.
 */
final class Guard implements AutoCloseable {
  /** So often in a row pins are only looked at by name. */
  private static final int GLANCES = 12;

  private final Pins pins;
  private final MapSet maps;
  private final ObjectBtf btf;

  /** The kernel's numbers of our programs; they do not change. */
  private final Map<Hook, Integer> programs;

  /** The links as they were last attached. */
  private final Map<Hook, PinnedLink> links = new EnumMap<>(Hook.class);

  /** Their numbers, for every thread. */
  private volatile Map<Hook, Integer> linkIds = Map.of();

  /** Names of programs, by number; a number is not used again soon. */
  private final Map<Integer, String> names = new ConcurrentHashMap<>();

  /** All that is pinned. */
  private final List<Path> pinned = new ArrayList<>();

  /**
   * What was found in good order.
   *
   * @param files which files the pins were
   * @param glances how often they were the same files since
   */
  private record GoodOrder(List<Object> files, int glances) {}

  /** How it was found last; null if not in good order. */
  private volatile @Nullable GoodOrder goodOrder;

  private Guard(Pins pins, MapSet maps, ObjectBtf btf, Map<Hook, Integer> programs) {
    this.pins = pins;
    this.maps = maps;
    this.btf = btf;
    this.programs = programs;
    for (PatchbayMap map : PatchbayMap.values()) {
      pinned.add(pins.map(map));
    }
    for (Hook hook : Hook.values()) {
      pinned.add(pins.link(hook));
    }
  }

  /** Over the programs of {@code object} and the maps that they use. */
  static Guard over(Pins pins, MapSet maps, BpfObject object) throws KernelException {
    Map<Hook, Integer> programs = new EnumMap<>(Hook.class);
    for (Hook hook : Hook.values()) {
      Operation operation = new Operation("look at", "program " + hook.program());
      Answer<ProgramInfo> answer = Bpf.programInfo(object.programFd(hook));
      ProgramInfo info = answer.value();
      if (info == null) {
        throw KernelException.of(answer.result(), operation);
      }
      programs.put(hook, info.id());
    }
    return new Guard(pins, maps, object.btf(), programs);
  }

  /** All programs have been attached and their links pinned: this is how it shall stay. */
  void attached() throws KernelException {
    Map<Hook, PinnedLink> now = new EnumMap<>(Hook.class);
    try (Opened opened = new Opened()) {
      for (Hook hook : Hook.values()) {
        Optional<PinnedLink> link = PinnedLink.open(pins, hook);
        if (link.isPresent()) {
          now.put(hook, opened.add(link.get()));
        }
      }
      opened.keep();
    }
    links.values().forEach(PinnedLink::close);
    links.clear();
    links.putAll(now);
    Map<Hook, Integer> ids = new EnumMap<>(Hook.class);
    links.forEach((hook, link) -> ids.put(hook, link.info().id()));
    linkIds = ids;
  }

  /**
   * Compares what is pinned, and what runs for {@code cgroup}, with how it shall be. Pins that are
   * the same files as when all was well are not opened, if our programs run: but for one time in
   * {@link #GLANCES}.
   */
  Inspection inspect(Path cgroup) throws KernelException {
    List<Object> files = pinnedFiles();
    GoodOrder before = goodOrder;
    boolean same = before != null && before.glances < GLANCES && before.files.equals(files);
    Inspection found = inspect(cgroup, same);
    goodOrder =
        found.damage().isEmpty()
            ? new GoodOrder(files, same && before != null ? before.glances + 1 : 0)
            : null;
    return found;
  }

  /** Which files the pins are; a path in place of one that is not there. */
  private List<Object> pinnedFiles() {
    List<Object> files = new ArrayList<>(pinned.size());
    for (Path path : pinned) {
      Object key = null;
      try {
        key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
      } catch (IOException goneOrSomethingElse) {
        // which is not the file that it was
      }
      files.add(key == null ? path : key);
    }
    return files;
  }

  private Inspection inspect(Path cgroup, boolean samePins) throws KernelException {
    List<Inspection.Damage> damage = new ArrayList<>();
    List<Inspection.Stranger> strangers = new ArrayList<>();
    long cgroupId = Cgroups.id(cgroup);
    try (Fd directory = Cgroups.open(cgroup)) {
      for (Hook hook : Hook.values()) {
        inspect(hook, directory, cgroupId, samePins, damage, strangers);
      }
    }
    for (PatchbayMap map : PatchbayMap.values()) {
      if (!samePins && !isPinned(map)) {
        damage.add(
            new Inspection.Damage(
                Inspection.Kind.UNPINNED,
                map.mapName(),
                "map " + map.mapName() + " is not what is pinned at " + pins.map(map)));
      }
    }
    return new Inspection(damage, strangers);
  }

  private void inspect(
      Hook hook,
      Fd cgroup,
      long cgroupId,
      boolean samePins,
      List<Inspection.Damage> damage,
      List<Inspection.Stranger> strangers)
      throws KernelException {
    int ours = programs.getOrDefault(hook, 0);
    String name = hook.program();
    List<Integer> running = running(hook, cgroup);
    int place = running.indexOf(ours);
    for (int i = 0; i < running.size(); i++) {
      if (running.get(i) != ours) {
        strangers.add(
            new Inspection.Stranger(name, running.get(i), nameOf(running.get(i)), i > place));
      }
    }
    if (samePins && place >= 0) {
      return;
    }
    Optional<LinkInfo> pinned = pinnedLink(hook);
    if (pinned.isEmpty()) {
      damage.add(
          damage(Inspection.Kind.UNPINNED, hook, "its link is not pinned at " + pins.link(hook)));
    } else if (pinned.get().cgroupId() != cgroupId) {
      damage.add(damage(Inspection.Kind.DETACHED, hook, "its link was detached"));
    } else if (pinned.get().programId() != ours) {
      damage.add(
          damage(
              Inspection.Kind.PROGRAM_REPLACED,
              hook,
              "program " + pinned.get().programId() + " is behind its link"));
    }
    if (place < 0 && damage.stream().noneMatch(d -> d.subject().equals(name))) {
      damage.add(damage(Inspection.Kind.NOT_EFFECTIVE, hook, "the kernel does not run it"));
    }
  }

  private static Inspection.Damage damage(Inspection.Kind kind, Hook hook, String what) {
    return new Inspection.Damage(kind, hook.program(), hook.program() + ": " + what);
  }

  private static List<Integer> running(Hook hook, Fd cgroup) throws KernelException {
    Answer<List<Integer>> answer = Bpf.effectivePrograms(cgroup.number(), hook.type());
    List<Integer> running = answer.value();
    if (running == null) {
      throw KernelException.of(
          answer.result(), new Operation("query", "programs for " + hook.program()));
    }
    return running;
  }

  /** What is pinned in the place of our link, if it is our link. */
  private Optional<LinkInfo> pinnedLink(Hook hook) {
    try {
      Optional<PinnedLink> pinned = PinnedLink.open(pins, hook);
      if (pinned.isEmpty()) {
        return Optional.empty();
      }
      try (PinnedLink link = pinned.get()) {
        @Nullable Integer expected = linkIds.get(hook);
        return expected != null && link.info().id() == expected
            ? Optional.of(link.info())
            : Optional.empty();
      }
    } catch (KernelException somethingElse) {
      return Optional.empty();
    }
  }

  private boolean isPinned(PatchbayMap map) {
    try (BpfMap pinned = BpfMap.pinned(map, pins.map(map))) {
      return pinned.id() == maps.get(map).id();
    } catch (KernelException goneOrSomethingElse) {
      return false;
    }
  }

  private String nameOf(int program) throws KernelException {
    String known = names.get(program);
    if (known != null) {
      return known;
    }
    Operation operation = new Operation("look at", "program " + program);
    String name = "";
    try (Fd fd = Fd.of(Bpf.bpf_prog_get_fd_by_id(program), operation)) {
      ProgramInfo info = Bpf.programInfo(fd.number()).value();
      name = info == null ? "" : info.name();
    } catch (KernelException.Denied withoutSysAdmin) {
      name = "";
    } catch (KernelException.NotFound gone) {
      return "";
    }
    names.put(program, name);
    return name;
  }

  /** Pins the maps and the links that still live again, over whatever is in their place. */
  void pinAgain(Path bpfDir, long cgroupId) throws KernelException {
    BpfFs.ensure(bpfDir);
    PinDirectory.create(pins, new Undo());
    for (PatchbayMap map : PatchbayMap.values()) {
      if (!isPinned(map)) {
        pin(maps.get(map).fd(), pins.map(map), "map " + map.mapName());
      }
      boolean ignored = LayoutRecord.write(pins.layout(map), btf.layout(map));
    }
    for (Map.Entry<Hook, PinnedLink> entry : links.entrySet()) {
      int fd = entry.getValue().fd();
      LinkInfo info = Bpf.linkInfo(fd).value();
      boolean lives = info != null && info.cgroupId() == cgroupId;
      if (pinnedLink(entry.getKey()).isEmpty()) {
        Path path = pins.link(entry.getKey());
        if (lives) {
          pin(fd, path, "link " + entry.getKey().program());
        } else {
          clear(path); // a new link is made in its place
        }
      }
    }
  }

  private static void pin(int fd, Path path, String what) throws KernelException {
    clear(path);
    KernelException.check(Bpf.bpf_obj_pin(fd, path), new Operation("pin", what, path.toString()));
  }

  /** The directory is ours: nobody else has business there. */
  private static void clear(Path path) throws KernelException {
    try {
      Files.deleteIfExists(path);
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("unpin", path.toString()), failed);
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    links.values().forEach(PinnedLink::close);
    links.clear();
  }
}
