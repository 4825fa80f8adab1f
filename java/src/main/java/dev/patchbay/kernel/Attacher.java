// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Bpf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts programs on a cgroup: by changing the program behind the pinned link where there is one, so
 * that no connection is ever between two programs; else by a new link. A link of another version of
 * the ABI whose place is taken changes its program, and then its pin moves: wherever that ends, the
 * next start of either version finds it. All or nothing, with an exception: without {@code
 * CAP_SYS_ADMIN} the kernel does not hand out a program by its number, and a program that was
 * replaced cannot be put back. What a failure leaves then are links with old and links with new
 * programs, all on the same maps; the next start replaces the rest.
 */
final class Attacher {
  private final Pins pins;
  private final BpfObject object;
  private final List<Pins> sharing;

  /**
   * Over the pins of one version.
   *
   * @param sharing other versions whose links are to be taken over: what sockets remember is in the
   *     same maps, so that of two programs at one hook the one would delete what the other stored
   */
  Attacher(Pins pins, BpfObject object, List<Pins> sharing) {
    this.pins = pins;
    this.object = object;
    this.sharing = List.copyOf(sharing);
  }

  /**
   * Attaches every program to {@code cgroup}.
   *
   * @param replace whether links to another cgroup that lives give way; links whose cgroup is gone
   *     always do
   */
  AttachResult attach(Path cgroup, boolean replace) throws KernelException {
    long cgroupId = Cgroups.id(cgroup);
    try (Opened opened = new Opened()) {
      Fd directory = opened.add(Cgroups.open(cgroup));
      Map<Hook, PinnedLink> existing = new EnumMap<>(Hook.class);
      for (Hook hook : Hook.values()) {
        PinnedLink.open(pins, hook).ifPresent(link -> existing.put(hook, opened.add(link)));
      }
      if (!replace) {
        List<PinnedLink> all = new ArrayList<>(existing.values());
        for (Pins other : pins.others()) {
          for (Hook hook : Hook.values()) {
            PinnedLink.open(other, hook).ifPresent(link -> all.add(opened.add(link)));
          }
        }
        List<AttachReport.ProgramLink> elsewhere = new ArrayList<>();
        for (PinnedLink link : all) {
          if (link.info().cgroupId() != cgroupId && !link.severed()) {
            elsewhere.add(link.describe());
          }
        }
        if (!elsewhere.isEmpty()) {
          return new AttachResult.Elsewhere(elsewhere);
        }
      }
      return attachAll(opened, directory, cgroupId, existing);
    }
  }

  private AttachResult attachAll(
      Opened opened, Fd directory, long cgroupId, Map<Hook, PinnedLink> existing)
      throws KernelException {
    List<String> created = new ArrayList<>();
    List<String> updated = new ArrayList<>();
    List<PinnedLink> replaced = new ArrayList<>();
    Undo undo = new Undo();
    try {
      for (Hook hook : Hook.values()) {
        Optional<PinnedLink> old = Optional.ofNullable(existing.get(hook));
        Optional<PinnedLink> theirs = old.isPresent() ? Optional.empty() : theirs(opened, hook);
        if (old.isPresent() && old.get().info().cgroupId() == cgroupId) {
          update(opened, undo, old.get());
          updated.add(hook.program());
        } else if (theirs.isPresent() && theirs.get().info().cgroupId() == cgroupId) {
          update(opened, undo, theirs.get());
          move(undo, theirs.get().path(), pins.link(hook));
          updated.add(hook.program());
        } else {
          old.ifPresent(replaced::add);
          create(opened, undo, directory, hook, old);
          created.add(hook.program());
        }
      }
    } catch (KernelException refused) {
      undo.run(refused);
      throw refused;
    }
    for (PinnedLink link : replaced) {
      KernelException.check(
          Bpf.bpf_link_detach(link.fd()), new Operation("detach", "link " + link.hook().program()));
    }
    return new AttachResult.Attached(created, updated);
  }

  private Optional<PinnedLink> theirs(Opened opened, Hook hook) throws KernelException {
    for (Pins other : sharing) {
      Optional<PinnedLink> link = PinnedLink.open(other, hook);
      if (link.isPresent()) {
        opened.add(link.get());
        return link;
      }
    }
    return Optional.empty();
  }

  private static void move(Undo undo, Path from, Path to) throws KernelException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("move", "pin " + from, to.toString()), failed);
    }
    undo.add(() -> Files.move(to, from, StandardCopyOption.ATOMIC_MOVE));
  }

  private void update(Opened opened, Undo undo, PinnedLink link) throws KernelException {
    Operation operation = new Operation("update", "link " + link.hook().program());
    Optional<Fd> before = programBehind(link, operation);
    before.ifPresent(opened::add);
    KernelException.check(Bpf.bpf_link_update(link.fd(), object.programFd(link.hook())), operation);
    before.ifPresent(
        program ->
            undo.add(
                () ->
                    KernelException.check(
                        Bpf.bpf_link_update(link.fd(), program.number()),
                        new Operation("restore", "link " + link.hook().program()))));
  }

  /** The program that is to be replaced; empty if it may not be opened. */
  private static Optional<Fd> programBehind(PinnedLink link, Operation operation)
      throws KernelException {
    try {
      return Optional.of(Fd.of(Bpf.bpf_prog_get_fd_by_id(link.info().programId()), operation));
    } catch (KernelException.Denied withoutSysAdmin) {
      return Optional.empty();
    }
  }

  private void create(Opened opened, Undo undo, Fd directory, Hook hook, Optional<PinnedLink> old)
      throws KernelException {
    // A link that is not pinned ends with its last descriptor, which is how a failure is undone.
    Fd link =
        opened.add(
            Fd.of(
                Bpf.bpf_link_create(object.programFd(hook), directory.number(), hook.type()),
                new Operation("attach", "program " + hook.program())));
    Path path = pins.link(hook);
    if (old.isPresent()) {
      unpin(path);
      undo.add(() -> pin(old.get().fd(), path));
    }
    pin(link.number(), path);
    undo.deleting(path);
  }

  private static void pin(int fd, Path path) throws KernelException {
    KernelException.check(Bpf.bpf_obj_pin(fd, path), new Operation("pin", "link", path.toString()));
  }

  private static void unpin(Path path) throws KernelException {
    try {
      Files.delete(path);
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("unpin", "link", path.toString()), failed);
    }
  }
}
