// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Libc;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The cgroup v2 hierarchy, wherever it is mounted; a hybrid one beside v1 will do. */
public final class Cgroups {
  private static final String TYPE = "cgroup2";

  /** Of the root of the whole hierarchy (kernfs_create_root in fs/kernfs/dir.c). */
  static final long ROOT_ID = 1;

  private Cgroups() {}

  /** Where the hierarchy is mounted; empty if it is not. */
  public static Optional<Path> root() throws KernelException {
    return roots().stream().findFirst();
  }

  private static List<Path> roots() throws KernelException {
    return Mounts.read().ofType(TYPE);
  }

  /**
   * The kernel's number of a cgroup, which is the inode of its directory.
   *
   * @throws KernelException.NotFound if there is no such directory
   * @throws KernelException.Incompatible if it is no cgroup v2 directory
   */
  public static long id(Path cgroup) throws KernelException {
    Operation operation = new Operation("use", "cgroup " + cgroup);
    try {
      Path real = cgroup.toRealPath();
      Mounts.Entry mount =
          Mounts.read().covering(real).orElse(new Mounts.Entry(Path.of("/"), "none"));
      if (!mount.type().equals(TYPE) || !Files.isDirectory(real)) {
        throw new KernelException.Incompatible(
            operation,
            "file system " + mount.type() + " at " + mount.target(),
            "a directory of the cgroup v2 hierarchy",
            root().map(at -> "choose --cgroup below " + at).orElse("mount -t cgroup2 none DIR"));
      }
      return inode(real);
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
  }

  /** All cgroups that are visible, by their numbers: paths below the root of the hierarchy. */
  public static Map<Long, Path> all() throws KernelException {
    Map<Long, Path> all = new HashMap<>();
    for (Path root : roots()) {
      Deque<Path> open = new ArrayDeque<>(List.of(root));
      while (!open.isEmpty()) {
        Path directory = open.poll();
        try {
          all.putIfAbsent(inode(directory), root.relativize(directory));
        } catch (IOException vanished) {
          continue; // cgroups come and go while one walks
        }
        open.addAll(below(directory));
      }
    }
    return all;
  }

  /** The directory of a cgroup; empty if it is gone or not visible from here. */
  public static Optional<Path> find(long id) throws KernelException {
    Deque<Path> open = new ArrayDeque<>(roots());
    while (!open.isEmpty()) {
      Path directory = open.poll();
      try {
        if (inode(directory) == id) {
          return Optional.of(directory);
        }
      } catch (IOException vanished) {
        continue; // cgroups come and go while one walks
      }
      open.addAll(below(directory));
    }
    return Optional.empty();
  }

  /**
   * Whether a cgroup is gone for good. One that was removed keeps its number, and what is attached
   * to it, for as long as a socket remembers it. In a cgroup namespace, where only a part of the
   * hierarchy is visible, the answer is no.
   */
  static boolean isGone(long id) throws KernelException {
    if (id == 0) {
      return true;
    }
    for (Path root : roots()) {
      try {
        if (inode(root) == ROOT_ID) {
          return find(id).isEmpty();
        }
      } catch (IOException failed) {
        throw KernelException.ofIo(new Operation("look at", "cgroup " + root), failed);
      }
    }
    return false;
  }

  private static List<Path> below(Path directory) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(
            directory, path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))) {
      entries.forEach(found::add);
    } catch (IOException | DirectoryIteratorException vanished) {
      return found;
    }
    return found;
  }

  static Fd open(Path cgroup) throws KernelException {
    return Fd.of(Libc.openDirectory(cgroup), new Operation("open", "cgroup " + cgroup));
  }

  private static long inode(Path directory) throws IOException {
    return (long) Files.getAttribute(directory, "unix:ino");
  }
}
