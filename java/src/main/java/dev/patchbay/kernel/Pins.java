// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where things are pinned:
 *
 * <pre>
 *   BPF_DIR/v2/maps/frontends     v2: version of the ABI
 *   BPF_DIR/v2/layouts/frontends  a symbolic link whose text is the layout of keys and values
 *   BPF_DIR/v2/links/pb_connect4
 * </pre>
 *
 * @param bpfDir a directory in a bpf file system
 * @param version the directory of one version in it
 */
record Pins(Path bpfDir, Path version) {
  /** Those of the version that the programs in the jar have. */
  Pins(Path bpfDir) {
    this(bpfDir, ObjectFile.abiVersion());
  }

  /** Those of a version of the ABI. */
  Pins(Path bpfDir, int version) {
    this(bpfDir, bpfDir.resolve("v" + version));
  }

  /** Those of all other versions that are there, newer ones too; sorted by path. */
  List<Pins> others() throws KernelException {
    List<Pins> others = new ArrayList<>();
    for (Path directory : list(bpfDir)) {
      if (isVersion(directory) && !directory.equals(version)) {
        others.add(new Pins(bpfDir, directory));
      }
    }
    return others;
  }

  /** Whether a directory has the name of one for pins. */
  static boolean isVersion(Path directory) {
    return String.valueOf(directory.getFileName()).matches("v[0-9]+")
        && Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS);
  }

  /** What is in a directory, sorted; nothing if there is none. */
  static List<Path> list(Path directory) throws KernelException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    Operation operation = new Operation("list", directory.toString());
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      List<Path> paths = new ArrayList<>();
      entries.forEach(paths::add);
      paths.sort(null);
      return paths;
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    } catch (DirectoryIteratorException failed) {
      throw KernelException.ofIo(operation, new IOException(failed));
    }
  }

  Path maps() {
    return version().resolve("maps");
  }

  Path links() {
    return version().resolve("links");
  }

  Path layouts() {
    return version().resolve("layouts");
  }

  Path map(PatchbayMap map) {
    return maps().resolve(map.mapName());
  }

  Path layout(PatchbayMap map) {
    return layouts().resolve(map.mapName());
  }

  Path link(Hook hook) {
    return links().resolve(hook.program());
  }
}
