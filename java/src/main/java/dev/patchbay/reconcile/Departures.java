// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.model.Protocol;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ServiceRow;
import java.util.HashSet;
import java.util.List;

/**
 * Whether a change of rows leaves sockets behind that have to be destroyed: those that talk to a
 * backend which their address does not lead to any more. That concerns UDP, and TCP where the
 * Service asks for it. Pure.
 */
final class Departures {
  private Departures() {}

  /** Whether {@code after}, in the place of {@code before}, takes something from open sockets. */
  static boolean between(ServiceRow before, ServiceRow after) {
    return concernsSockets(before)
        && (loses(before.backends(), after.backends())
            || loses(before.frontends(), after.frontends()));
  }

  /** Whether the end of a row does. */
  static boolean endOf(ServiceRow row) {
    return concernsSockets(row) && !row.backends().isEmpty() && !row.frontends().isEmpty();
  }

  private static boolean concernsSockets(ServiceRow row) {
    return row.settings().terminate()
        || (!row.frontends().isEmpty() && isUdp(row.frontends().getFirst()));
  }

  /** A Service port has one protocol, and so have its frontends. */
  private static boolean isUdp(FrontendKey frontend) {
    return frontend.protocol() == Protocol.UDP;
  }

  private static <T> boolean loses(List<T> before, List<T> after) {
    return !before.equals(after) && !new HashSet<>(after).containsAll(before);
  }
}
