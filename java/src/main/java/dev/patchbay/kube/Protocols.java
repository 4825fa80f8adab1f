// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.Protocol;
import java.util.Optional;

/** Protocols as the API spells them. */
final class Protocols {
  private Protocols() {}

  static Optional<Protocol> parse(String text) {
    return switch (text) {
      case "TCP", "" -> Optional.of(Protocol.TCP);
      case "UDP" -> Optional.of(Protocol.UDP);
      case "SCTP" -> Optional.of(Protocol.SCTP);
      default -> Optional.empty();
    };
  }
}
