// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The manifest directory as the file system shows it at one moment. Stateless. */
final class Directory {
  /** A file changed so short before it was read may change again with the same time stamp. */
  private static final long RACY_MILLIS = 100;

  /**
   * By what a file's content is recognised as unchanged without reading it.
   *
   * @param key identity of the file behind all symbolic links; null if it cannot be examined
   * @param link whether the name itself is a symbolic link
   */
  record Signature(@Nullable Object key, long size, long modifiedMillis, boolean link) {
    /**
     * What to remember of a file that is read now: equals nothing if it may still change unseen.
     */
    Signature readAt(long nowMillis) {
      return nowMillis - modifiedMillis > RACY_MILLIS ? this : new Signature(null, size, -1, link);
    }

    boolean isEmptyFile() {
      return key != null && size == 0;
    }
  }

  private final Path path;

  Directory(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  static boolean isManifest(String name) {
    return !name.startsWith(".")
        && (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"));
  }

  /**
   * What the directory is, behind all symbolic links, so that a replaced one differs.
   *
   * @throws ManifestDirectoryException if it is missing, cannot be examined, or is none
   */
  Object identity() throws ManifestDirectoryException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      if (!attributes.isDirectory()) {
        throw new ManifestDirectoryException("manifest directory " + path + " is not a directory");
      }
      Object key = attributes.fileKey();
      return key == null ? path.toRealPath() : key;
    } catch (ManifestDirectoryException e) {
      throw e;
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  /**
   * The names of all manifests, in order.
   *
   * @throws ManifestDirectoryException if the directory cannot be listed
   */
  NavigableSet<String> list() throws ManifestDirectoryException {
    NavigableSet<String> names = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (isManifest(name)) {
          names.add(name);
        }
      }
      return names;
    } catch (DirectoryIteratorException e) {
      IOException cause = e.getCause();
      throw unusable(cause == null ? new IOException(e) : cause);
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  /** The signature of an entry; null if there is no entry of this name. */
  @Nullable Signature signature(String name) {
    Path file = path.resolve(name);
    boolean link = false;
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      link = attributes.isSymbolicLink();
      if (link) {
        attributes = Files.readAttributes(file, BasicFileAttributes.class);
      }
      return new Signature(
          attributes.fileKey(), attributes.size(), attributes.lastModifiedTime().toMillis(), link);
    } catch (NoSuchFileException _) {
      return link ? new Signature(null, 0, 0, true) : null;
    } catch (IOException _) {
      return new Signature(null, 0, 0, link);
    }
  }

  private ManifestDirectoryException unusable(IOException e) {
    String reason =
        switch (e) {
          case NoSuchFileException _ -> "does not exist";
          case NotDirectoryException _ -> "is not a directory";
          case FileSystemException known -> "cannot be read: " + TextFile.reason(known);
          default -> "cannot be read: " + e.getMessage();
        };
    return new ManifestDirectoryException("manifest directory " + path + " " + reason);
  }
}
