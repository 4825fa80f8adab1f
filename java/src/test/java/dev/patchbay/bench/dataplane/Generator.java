// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Tools;
import dev.patchbay.lab.Pod;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A client that makes load and measures it; see {@code load.c}. For one thread at a time. */
final class Generator implements AutoCloseable {
  private final Process process;
  private final BufferedWriter to;
  private final BufferedReader from;

  private Generator(Process process) {
    this.process = process;
    to =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII));
    from =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII), 1 << 16);
  }

  /**
   * Starts a client.
   *
   * @param server the process id of the server, for its processor time
   */
  static Generator start(Pod place, long server) {
    return new Generator(
        place.open(Tools.built("load").toString(), "client", Long.toString(server)));
  }

  /** Names destinations; numeric addresses. */
  void targets(String name, List<InetSocketAddress> targets) {
    StringBuilder lines = new StringBuilder("targets " + name + " " + targets.size() + "\n");
    for (InetSocketAddress target : targets) {
      lines.append(target.getAddress().getHostAddress());
      lines.append(' ').append(target.getPort()).append('\n');
    }
    order(lines.toString());
  }

  /** Binds the client and its server to processors. */
  void pin(int client, int server) {
    order("pin " + client + " " + server + "\n");
  }

  /** Makes a slice of load. */
  Slice slice(Kind kind, String targets, int operations, long seed) {
    return Slice.parse(
        ask(
            "slice "
                + kind.option()
                + " "
                + targets
                + " "
                + operations
                + " "
                + (seed >>> 2)
                + "\n"));
  }

  /** Makes an operation with each target in turn; the slice has no latencies. */
  Slice walk(Kind kind, String targets) {
    return Slice.parse(ask("walk " + kind.option() + " " + targets + "\n"));
  }

  /** Opens connections and keeps them. */
  void hold(String targets, int connections) {
    order("hold " + targets + " " + connections + "\n");
  }

  /** Closes what {@link #hold} opened. */
  void drop() {
    order("drop\n");
  }

  private void order(String command) {
    String answer = ask(command);
    if (!answer.equals("ok")) {
      throw new IllegalStateException(
          "the load generator says: " + answer + ", to: " + command.lines().findFirst().orElse(""));
    }
  }

  private String ask(String command) {
    try {
      to.write(command);
      to.flush();
      String answer = from.readLine();
      if (answer == null) {
        throw new IOException("it has ended");
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException("load generator: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
