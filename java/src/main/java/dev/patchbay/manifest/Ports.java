// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Protocol;

/** What the ports of Services, Endpoints, slices and containers have in common. */
final class Ports {
  static final int MAX = 65535;

  private Ports() {}

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
