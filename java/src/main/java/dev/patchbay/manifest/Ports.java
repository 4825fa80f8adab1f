// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Protocol;
import java.util.List;

/** What the ports of Services, Endpoints, slices and containers have in common. */
final class Ports {
  static final int MAX = 65535;

  /** More ports than anybody has; each is compared with each. */
  private static final int MAX_PORTS = 1000;

  private Ports() {}

  /** The items of the field {@code ports}; none, and a report, if there are far too many. */
  static List<Fields> items(Fields parent) {
    List<Fields> items = parent.mappings("ports");
    if (items.size() <= MAX_PORTS) {
      return items;
    }
    parent.error("ports", "has " + items.size() + " entries; at most " + MAX_PORTS + " are read");
    return List.of();
  }

  /** The field {@code protocol}: TCP if absent, and if it is reported as unknown. */
  static Protocol protocol(Fields port) {
    String text = port.text("protocol");
    return switch (text) {
      case "", "TCP" -> Protocol.TCP;
      case "UDP" -> Protocol.UDP;
      case "SCTP" -> Protocol.SCTP;
      default -> {
        port.error("protocol", "\"" + text + "\" is unknown; allowed are TCP, UDP and SCTP");
        yield Protocol.TCP;
      }
    };
  }

  /** The field {@code port}, which must be there; 0 if it is not, and reported. */
  static int requiredPort(Fields port, String field) {
    if (!port.has(field)) {
      port.error(field, "is missing; allowed are 1 to " + MAX);
    }
    return port.integer(field, 1, MAX, 0);
  }

  /** The field {@code name}, as Services and slices name ports; may be empty. */
  static String name(Fields port) {
    String name = port.text("name");
    if (!name.isEmpty() && !Names.isLabel(name)) {
      port.error(
          "name", "\"" + name + "\" is not a valid port name; allowed are " + Names.LABEL_RULE);
    }
    return name;
  }
}
