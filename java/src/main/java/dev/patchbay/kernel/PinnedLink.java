// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.LinkInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The pinned link of one program. Closing gives up the descriptor: it neither detaches nor unpins.
 */
final class PinnedLink implements AutoCloseable {
  private final Hook hook;
  private final Path path;
  private final Fd fd;
  private final LinkInfo info;

  private PinnedLink(Hook hook, Path path, Fd fd, LinkInfo info) {
    this.hook = hook;
    this.path = path;
    this.fd = fd;
    this.info = info;
  }

  /** Opens the pin of {@code hook}; empty if there is none. */
  static Optional<PinnedLink> open(Pins pins, Hook hook) throws KernelException {
    Path path = pins.link(hook);
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    Operation operation = new Operation("open", "link " + hook.program(), path.toString());
    Fd fd = Fd.of(Bpf.bpf_obj_get(path), operation);
    Answer<LinkInfo> answer =
        BpfKind.of(fd.number()) == BpfKind.LINK ? Bpf.linkInfo(fd.number()) : new Answer<>(0, null);
    LinkInfo info = answer.value();
    if (info == null || !info.cgroupLink() || info.attachType() != hook.type().number()) {
      fd.close();
      throw answer.result() < 0
          ? KernelException.of(answer.result(), operation)
          : new KernelException.Incompatible(
              operation, "something else", "a link to a cgroup", "remove " + path);
    }
    return Optional.of(new PinnedLink(hook, path, fd, info));
  }

  Hook hook() {
    return hook;
  }

  Path path() {
    return path;
  }

  int fd() {
    return fd.number();
  }

  LinkInfo info() {
    return info;
  }

  /** Whether the cgroup is gone, and with it all that the link is good for. */
  boolean severed() throws KernelException {
    return Cgroups.isGone(info.cgroupId());
  }

  /** What is to be said about it, by way of the directory of its cgroup. */
  AttachReport.ProgramLink describe() throws KernelException {
    if (severed()) {
      return link(AttachReport.State.CGROUP_GONE, Optional.empty());
    }
    Optional<Path> directory = Cgroups.find(info.cgroupId());
    if (directory.isEmpty()) {
      return link(AttachReport.State.HIDDEN, directory);
    }
    try (Fd cgroup = Cgroups.open(directory.get())) {
      Answer<List<Integer>> running = Bpf.effectivePrograms(cgroup.number(), hook.type());
      List<Integer> programs = running.value();
      if (programs == null) {
        throw KernelException.of(
            running.result(), new Operation("query", "cgroup " + directory.get()));
      }
      boolean effective = programs.contains(info.programId());
      return link(
          effective ? AttachReport.State.EFFECTIVE : AttachReport.State.NOT_EFFECTIVE, directory);
    }
  }

  private AttachReport.ProgramLink link(AttachReport.State state, Optional<Path> cgroup) {
    return new AttachReport.ProgramLink(
        hook.program(), state, info.cgroupId(), cgroup, info.programId());
  }

  /** All programs of a set of pins. */
  static AttachReport report(Pins pins) throws KernelException {
    List<AttachReport.ProgramLink> links = new ArrayList<>();
    for (Hook hook : Hook.values()) {
      Optional<PinnedLink> pinned = open(pins, hook);
      if (pinned.isPresent()) {
        try (PinnedLink link = pinned.get()) {
          links.add(link.describe());
        }
      } else {
        links.add(
            new AttachReport.ProgramLink(
                hook.program(), AttachReport.State.NOT_ATTACHED, 0, Optional.empty(), 0));
      }
    }
    return new AttachReport(links);
  }

  /** Idempotent. */
  @Override
  public void close() {
    fd.close();
  }
}
