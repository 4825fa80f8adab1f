// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds network namespaces by their inode: where container runtimes and {@code ip netns} keep files
 * of them, and by the processes in them. Remembers paths, never a descriptor: nothing here keeps a
 * namespace alive. One thread at a time.
 */
final class NetworkNamespaces {
  /** containerd, CRI-O and {@code ip netns}; then Docker. */
  static final List<Path> DIRECTORIES =
      List.of(Path.of("/run/netns"), Path.of("/run/docker/netns"));

  private static final Path PROC = Path.of("/proc");

  private final List<Path> directories;
  private final Map<Long, Path> paths = new HashMap<>();
  private final Set<Long> missing = new HashSet<>();
  private boolean denied;

  NetworkNamespaces() {
    this(DIRECTORIES);
  }

  /** With other directories in place of those of container runtimes. */
  NetworkNamespaces(List<Path> directories) {
    this.directories = List.copyOf(directories);
  }

  /** Inode of the namespace of this process, whatever thread asks. */
  static long own() throws KernelException {
    Path link = PROC.resolve("self/ns/net");
    try {
      return inode(Files.readSymbolicLink(link));
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("read", link.toString()), failed);
    }
  }

  /** The number in {@code net:[4026531840]}; -1 if it is none. */
  static long inode(Path link) {
    String text = link.toString();
    if (!text.startsWith("net:[") || !text.endsWith("]")) {
      return -1;
    }
    try {
      return Long.parseLong(text, 5, text.length() - 1, 10);
    } catch (NumberFormatException odd) {
      return -1;
    }
  }

  /** Whether it was not allowed to look at some process. */
  boolean denied() {
    return denied;
  }

  /** Looks for all of these that were not looked for before. */
  void find(Set<Long> inodes) {
    Set<Long> wanted = new HashSet<>(inodes);
    wanted.removeAll(paths.keySet());
    wanted.removeAll(missing);
    for (Path directory : directories) {
      if (!wanted.isEmpty()) {
        look(directory, wanted);
      }
    }
    if (!wanted.isEmpty()) {
      lookAtProcesses(wanted);
    }
    missing.addAll(wanted);
  }

  private void look(Path directory, Set<Long> wanted) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (Files.getAttribute(file, "unix:ino") instanceof Long inode && wanted.remove(inode)) {
          paths.put(inode, file);
        }
      }
    } catch (IOException | DirectoryIteratorException absent) {
      // There is no such runtime, or files come and go: others may know the namespace.
    }
  }

  private void lookAtProcesses(Set<Long> wanted) {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[1-9]*")) {
      for (Path process : processes) {
        Path link = process.resolve("ns/net");
        try {
          long inode = inode(Files.readSymbolicLink(link));
          if (wanted.remove(inode)) {
            paths.put(inode, link);
          }
        } catch (AccessDeniedException refused) {
          denied = true;
        } catch (IOException gone) {
          // It has ended.
        }
        if (wanted.isEmpty()) {
          return;
        }
      }
    } catch (IOException | DirectoryIteratorException hidden) {
      denied = true;
    }
  }

  /**
   * Puts the calling thread into a namespace that {@link #find} looked for.
   *
   * @throws KernelException.NotFound if no file of it was found, or it is another's by now
   * @throws KernelException.Denied without {@code CAP_SYS_ADMIN}
   */
  void enter(long inode) throws KernelException {
    Operation operation = new Operation("enter", "network namespace " + inode);
    Path path = paths.get(inode);
    if (path == null) {
      throw new KernelException.NotFound(operation, "no file of it was found");
    }
    try (Fd file = Fd.of(Libc.openFile(path), operation)) {
      Object opened = Files.getAttribute(PROC.resolve("self/fd/" + file.number()), "unix:ino");
      if (!opened.equals(inode)) {
        throw new KernelException.NotFound(operation, path + " is another by now");
      }
      int result = Libc.enterNetworkNamespace(file.number());
      if (Errno.EPERM.is(result)) {
        throw new KernelException.Denied(operation, result, "grant CAP_SYS_ADMIN");
      }
      KernelException.check(result, operation);
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
  }
}
