// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The BPF programs in another version of the ABI: compiled from a copy of the sources in which the
 * version, and the structs that a test names, are changed.
 */
public final class AbiVariant {
  private static final String IN_JAR = "dev/patchbay/kernel/bpf/";

  /** A struct that differs from that of the sources: it is larger. */
  public enum Struct {
    /** What a connected socket remembers. */
    SOCKET_STATE("pb_socket_state"),
    /** A client's backend. */
    AFFINITY("pb_affinity");

    private final String name;

    Struct(String name) {
      this.name = name;
    }
  }

  private final int version;
  private final Path output;

  private AbiVariant(int version, Path output) {
    this.version = version;
    this.output = output;
  }

  /** Compiles a version in a new directory below {@code directory}. */
  public static AbiVariant build(Path directory, int version, Struct... larger) {
    Path copy = directory.resolve("bpf-v" + version);
    Path sources = Patchbay.root().resolve("bpf");
    try {
      copyTree(sources, copy, path -> !path.startsWith(".output") && !path.startsWith("tests"));
      edit(copy.resolve("include/abi.h"), "(PB_ABI_VERSION) = \\d+", "$1 = " + version);
      Set<Struct> structs = EnumSet.noneOf(Struct.class);
      structs.addAll(List.of(larger));
      for (Struct struct : structs) {
        enlarge(header(copy.resolve("include"), struct.name), struct.name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Commands.run("make", "--silent", "-C", copy.toString());
    return new AbiVariant(version, copy.resolve(".output"));
  }

  /** The header that describes a struct. */
  private static Path header(Path directory, String struct) throws IOException {
    try (DirectoryStream<Path> headers = Files.newDirectoryStream(directory, "*.h")) {
      for (Path header : headers) {
        if (Files.readString(header).contains("\nstruct " + struct + " {\n")) {
          return header;
        }
      }
    }
    throw new AssertionError("no struct " + struct + " in " + directory);
  }

  private static void enlarge(Path header, String struct) throws IOException {
    edit(header, "(\nstruct " + struct + " \\{\n.*?)\n\\};", "$1\n\t__u64 variant[2];\n};");
    // the sources assert the size
    String text = Files.readString(header);
    Matcher size = Pattern.compile("(sizeof\\(struct " + struct + "\\) == )(\\d+)").matcher(text);
    if (!size.find()) {
      throw new AssertionError("no assertion about the size of " + struct + " in " + header);
    }
    Files.writeString(header, size.replaceFirst("$1" + (Integer.parseInt(size.group(2)) + 16)));
  }

  private static void edit(Path file, String pattern, String replacement) throws IOException {
    Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(Files.readString(file));
    if (!matcher.find()) {
      throw new AssertionError("nothing like " + pattern + " in " + file);
    }
    Files.writeString(file, matcher.replaceFirst(replacement));
  }

  /** Its version of the ABI. */
  public int version() {
    return version;
  }

  /** The bytes of an object file, by its name. */
  public byte[] object(String name) {
    try {
      return Files.readAllBytes(output.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a distribution with these programs from the one under test. */
  public Path distribution(Path directory) {
    Path home = directory.resolve("patchbay-v" + version);
    try {
      // The cache of classes belongs to another jar.
      copyTree(Patchbay.home(), home, path -> !path.toString().endsWith(".aot"));
      URI jar = URI.create("jar:" + home.resolve("lib/patchbay.jar").toUri());
      try (FileSystem files = FileSystems.newFileSystem(jar, Map.of())) {
        try (DirectoryStream<Path> objects = Files.newDirectoryStream(output, "*.bpf.o")) {
          for (Path object : objects) {
            Files.copy(
                object,
                files.getPath(IN_JAR + object.getFileName()),
                StandardCopyOption.REPLACE_EXISTING);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return home;
  }

  /** Chooses what to copy. */
  private interface Choice {
    boolean wants(Path relative);
  }

  private static void copyTree(Path from, Path to, Choice choice) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(from)) {
      paths = walk.toList();
    }
    for (Path path : paths) {
      Path relative = from.relativize(path);
      if (choice.wants(relative)) {
        Files.copy(path, to.resolve(relative), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }
}
