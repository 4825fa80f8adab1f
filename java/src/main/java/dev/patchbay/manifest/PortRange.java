// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.Optional;

/**
 * A range of ports, both ends included.
 *
 * @param first 1 to 65535
 * @param last {@code first} to 65535
 */
public record PortRange(int first, int last) {
  /** The range from which Kubernetes takes node ports unless told otherwise. */
  public static final PortRange DEFAULT_NODE_PORTS = new PortRange(30000, 32767);

  public PortRange {
    if (first < 1 || last < first || last > 65535) {
      throw new IllegalArgumentException("port range " + first + "-" + last);
    }
  }

  /** Reads {@code FIRST-LAST}; empty if malformed, out of 1 to 65535, or upside down. */
  public static Optional<PortRange> parse(String text) {
    if (!text.matches("[0-9]{1,5}-[0-9]{1,5}")) {
      return Optional.empty();
    }
    int dash = text.indexOf('-');
    int first = Integer.parseInt(text.substring(0, dash));
    int last = Integer.parseInt(text.substring(dash + 1));
    return first < 1 || last < first || last > 65535
        ? Optional.empty()
        : Optional.of(new PortRange(first, last));
  }

  public boolean contains(int port) {
    return port >= first && port <= last;
  }

  /** What is wrong with a port that it does not contain. */
  String outside(int port) {
    return port + " is out of the range of node ports; allowed are " + first + " to " + last;
  }

  @Override
  public String toString() {
    return first + "-" + last;
  }
}
