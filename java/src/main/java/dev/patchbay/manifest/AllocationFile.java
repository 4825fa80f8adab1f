// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keeps the cluster IPs of Services over restarts, in {@code allocations.json} of the state
 * directory:
 *
 * <pre>{@code {"version": 1, "clusterIPs": {"default/kubia": ["10.96.44.7", "fd00:10:96::2c07"]}}}
 * </pre>
 *
 * <p>Written to a second file that then takes the place of the first, so that a crash leaves either
 * the old or the new one.
 */
final class AllocationFile {
  static final String NAME = "allocations.json";
  private static final int VERSION = 1;

  private final Path file;

  AllocationFile(Path stateDirectory) {
    this.file = stateDirectory.resolve(NAME);
  }

  /**
   * What was read.
   *
   * @param addresses by Service; empty if the file is missing or corrupt
   * @param problem why it could not be used, in one sentence; empty if it could
   */
  record Content(Map<ObjectKey, List<IpAddress>> addresses, String problem) {}

  /** Reads the file. A corrupt one is moved aside. */
  Content read() {
    if (!Files.exists(file)) {
      return new Content(Map.of(), "");
    }
    String reason;
    try {
      return new Content(parse(TextFile.read(file)), "");
    } catch (SyntaxException | IOException e) {
      reason = String.valueOf(e.getMessage());
    }
    Path aside = file.resolveSibling(NAME + ".corrupt");
    String fate = "moved to " + aside;
    try {
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      fate = "it could not be moved aside (" + reason(e) + ")";
    }
    return new Content(
        Map.of(), file + " " + reason + "; " + fate + ", and all cluster IPs are assigned anew");
  }

  /**
   * Writes the file, and returns when it is on the disk.
   *
   * @throws IOException whose message says what failed and why
   */
  void write(Map<ObjectKey, List<IpAddress>> addresses) throws IOException {
    Path temporary = file.resolveSibling(NAME + ".new");
    try {
      Path directory = Files.createDirectories(file.toAbsolutePath().getParent());
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(format(addresses));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true); // the new name is on the disk only when its directory is
      }
    } catch (IOException e) {
      throw new IOException(
          file + " cannot be written: " + reason(e) + "; cluster IPs may change at a restart", e);
    }
  }

  private static String reason(IOException e) {
    return e instanceof FileSystemException known
        ? TextFile.reason(known)
        : String.valueOf(e.getMessage());
  }

  private static Map<ObjectKey, List<IpAddress>> parse(String text) throws SyntaxException {
    try (JsonReader reader = new JsonReader(text, true)) {
      if (!(reader.next() instanceof Mapping root)
          || !(root.get("version") instanceof Scalar version)
          || !(root.get("clusterIPs") instanceof Mapping services)) {
        throw new SyntaxException("is no list of assignments");
      }
      if (!version.text().equals(Integer.toString(VERSION))) {
        throw new SyntaxException("has version " + version.text() + ", not " + VERSION);
      }
      Map<ObjectKey, List<IpAddress>> addresses = new HashMap<>();
      for (int i = 0; i < services.size(); i++) {
        String key = services.key(i);
        int slash = key.indexOf('/');
        if (slash <= 0 || slash == key.length() - 1) {
          throw new SyntaxException("has the key \"" + key + "\"", services.value(i).line());
        }
        addresses.put(
            new ObjectKey(key.substring(0, slash), key.substring(slash + 1)),
            addresses(services.value(i)));
      }
      return addresses;
    }
  }

  private static List<IpAddress> addresses(Node node) throws SyntaxException {
    if (!(node instanceof Sequence list)) {
      throw new SyntaxException("has " + node.what() + " in place of addresses", node.line());
    }
    List<IpAddress> addresses = new ArrayList<>(2);
    for (Node item : list.items()) {
      String text = item instanceof Scalar scalar ? scalar.text() : item.what();
      addresses.add(
          IpAddress.parse(text)
              .orElseThrow(
                  () -> new SyntaxException("has the address \"" + text + "\"", item.line())));
    }
    return List.copyOf(addresses);
  }

  private static byte[] format(Map<ObjectKey, List<IpAddress>> addresses) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out, JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeObjectFieldStart("clusterIPs");
      for (Map.Entry<ObjectKey, List<IpAddress>> entry : new TreeMap<>(addresses).entrySet()) {
        json.writeRaw("\n");
        json.writeArrayFieldStart(entry.getKey().toString());
        for (IpAddress address : entry.getValue()) {
          json.writeString(address.toString());
        }
        json.writeEndArray();
      }
      json.writeEndObject();
      json.writeEndObject();
      json.writeRaw("\n");
    }
    return out.toByteArray();
  }
}
