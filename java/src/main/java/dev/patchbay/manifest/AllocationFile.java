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
 * Keeps the cluster IPs and node ports of Services over restarts, in {@code allocations.json} of
 * the state directory:
 *
 * <pre>{@code
 * {"version": 1,
 *  "clusterIPs": {"default/kubia": ["10.96.44.7", "fd00:10:96::2c07"]},
 *  "nodePorts": {"default/kubia": {"http:80": 30080, "healthCheck": 31000}}}
 * }</pre>
 *
 * <p>Node ports are kept by name and number of the port. A file without them is whole: earlier
 * versions of Patchbay had none, and read past them, so the version is the same.
 *
 * <p>Written to a second file that then takes the place of the first, so that a crash leaves either
 * the old or the new one.
 */
final class AllocationFile {
  static final String NAME = "allocations.json";
  private static final int VERSION = 1;
  private static final String HEALTH_CHECK = "healthCheck";

  private final Path file;

  AllocationFile(Path stateDirectory) {
    this.file = stateDirectory.resolve(NAME);
  }

  /**
   * What was read.
   *
   * @param assignments none if the file is missing or corrupt
   * @param problem why it could not be used, in one sentence; empty if it could
   */
  record Content(Assignments assignments, String problem) {}

  /** Reads the file. A corrupt one is moved aside. */
  Content read() {
    if (!Files.exists(file)) {
      return new Content(Assignments.NONE, "");
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
        Assignments.NONE,
        file
            + " "
            + reason
            + "; "
            + fate
            + ", and all cluster IPs and node ports are assigned anew");
  }

  /**
   * Writes the file, and returns when it is on the disk.
   *
   * @throws IOException whose message says what failed and why
   */
  void write(Assignments assignments) throws IOException {
    Path temporary = file.resolveSibling(NAME + ".new");
    try {
      Path directory = Files.createDirectories(file.toAbsolutePath().getParent());
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(format(assignments));
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
          file
              + " cannot be written: "
              + reason(e)
              + "; cluster IPs and node ports may change at a restart",
          e);
    }
  }

  private static String reason(IOException e) {
    return e instanceof FileSystemException known
        ? TextFile.reason(known)
        : String.valueOf(e.getMessage());
  }

  private static Assignments parse(String text) throws SyntaxException {
    try (JsonReader reader = new JsonReader(text, true)) {
      if (!(reader.next() instanceof Mapping root)
          || !(root.get("version") instanceof Scalar version)
          || !(root.get("clusterIPs") instanceof Mapping clusterIps)) {
        throw new SyntaxException("is no list of assignments");
      }
      if (!version.text().equals(Integer.toString(VERSION))) {
        throw new SyntaxException("has version " + version.text() + ", not " + VERSION);
      }
      Map<ObjectKey, List<IpAddress>> addresses = new HashMap<>();
      for (int i = 0; i < clusterIps.size(); i++) {
        addresses.put(key(clusterIps, i), addresses(clusterIps.value(i)));
      }
      Map<ObjectKey, NodePorts> ports = new HashMap<>();
      Node nodePorts = root.get("nodePorts");
      if (nodePorts instanceof Mapping services) {
        for (int i = 0; i < services.size(); i++) {
          ports.put(key(services, i), nodePorts(services.value(i)));
        }
      } else if (nodePorts != null) {
        throw new SyntaxException(
            "has " + nodePorts.what() + " in place of node ports", nodePorts.line());
      }
      return new Assignments(addresses, ports);
    }
  }

  private static ObjectKey key(Mapping services, int index) throws SyntaxException {
    String key = services.key(index);
    int slash = key.indexOf('/');
    if (slash <= 0 || slash == key.length() - 1) {
      throw new SyntaxException("has the key \"" + key + "\"", services.value(index).line());
    }
    return new ObjectKey(key.substring(0, slash), key.substring(slash + 1));
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

  private static NodePorts nodePorts(Node node) throws SyntaxException {
    if (!(node instanceof Mapping ports)) {
      throw new SyntaxException("has " + node.what() + " in place of node ports", node.line());
    }
    List<NodePorts.Entry> entries = new ArrayList<>(ports.size());
    int healthCheck = 0;
    for (int i = 0; i < ports.size(); i++) {
      String port = ports.key(i);
      int nodePort = port(ports.value(i) instanceof Scalar scalar ? scalar.text() : "");
      int colon = port.indexOf(':');
      int number = colon < 0 ? 0 : port(port.substring(colon + 1));
      if (nodePort == 0 || (number == 0 && !port.equals(HEALTH_CHECK))) {
        throw new SyntaxException("has the node port \"" + port + "\"", ports.value(i).line());
      }
      if (number == 0) {
        healthCheck = nodePort;
      } else {
        entries.add(new NodePorts.Entry(port.substring(0, colon), number, nodePort));
      }
    }
    return new NodePorts(entries, healthCheck);
  }

  /** The number of a port; 0 if it is none. */
  private static int port(String text) {
    int number = text.matches("[1-9][0-9]{0,4}") ? Integer.parseInt(text) : 0;
    return number <= Ports.MAX ? number : 0;
  }

  private static byte[] format(Assignments assignments) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out, JsonEncoding.UTF8)) {
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeObjectFieldStart("clusterIPs");
      for (Map.Entry<ObjectKey, List<IpAddress>> entry :
          new TreeMap<>(assignments.clusterIps()).entrySet()) {
        json.writeRaw("\n");
        json.writeArrayFieldStart(entry.getKey().toString());
        for (IpAddress address : entry.getValue()) {
          json.writeString(address.toString());
        }
        json.writeEndArray();
      }
      json.writeEndObject();
      json.writeObjectFieldStart("nodePorts");
      for (Map.Entry<ObjectKey, NodePorts> entry :
          new TreeMap<>(assignments.nodePorts()).entrySet()) {
        json.writeRaw("\n");
        json.writeObjectFieldStart(entry.getKey().toString());
        for (NodePorts.Entry port : entry.getValue().ports()) {
          json.writeNumberField(port.name() + ":" + port.port(), port.nodePort());
        }
        if (entry.getValue().healthCheck() != 0) {
          json.writeNumberField(HEALTH_CHECK, entry.getValue().healthCheck());
        }
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeEndObject();
      json.writeRaw("\n");
    }
    return out.toByteArray();
  }
}
