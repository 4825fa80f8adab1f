// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the API server is there, over all kinds of objects; one line in the log when it goes and
 * one when it is back. Thread-safe.
 */
final class Connectivity {
  private static final Logger log = LoggerFactory.getLogger(Connectivity.class);

  /** Why each kind is not read now. */
  private final Map<String, String> failing = new LinkedHashMap<>();

  private final Set<String> seen = new HashSet<>();
  private final int kinds;
  private Instant since = Instant.now();
  private boolean connectedOnce;

  /**
   * @param kinds how many kinds there are
   */
  Connectivity(int kinds) {
    this.kinds = kinds;
  }

  /**
   * @param since when {@code connected} became what it is
   * @param reason why not; empty if connected
   */
  record State(boolean connected, Instant since, String reason) {}

  /** An attempt to read objects of a kind failed. */
  synchronized void failed(String kind, URI server, String reason) {
    boolean first = failing.isEmpty();
    failing.put(kind, reason);
    if (first) {
      since = Instant.now();
      log.atWarn()
          .addKeyValue("kind", kind)
          .addKeyValue("server", server)
          .addKeyValue("reason", reason)
          .log(
              connectedOnce
                  ? "cannot read from the API server; the last state stays in force, and the"
                      + " attempt is repeated"
                  : "cannot read from the API server; the attempt is repeated");
    }
  }

  /** Objects of a kind are read. */
  synchronized void succeeded(String kind, URI server) {
    seen.add(kind);
    boolean failed = failing.remove(kind) != null;
    if (!failing.isEmpty() || (!failed && connectedOnce) || seen.size() < kinds) {
      return;
    }
    Instant now = Instant.now();
    if (failed) {
      log.atInfo()
          .addKeyValue("server", server)
          .addKeyValue("awaySeconds", Duration.between(since, now).toMillis() / 1000.0)
          .log(connectedOnce ? "the API server is back" : "the API server is there");
    }
    since = now;
    connectedOnce = true;
  }

  synchronized State state() {
    String reason =
        failing.isEmpty()
            ? ""
            : failing.entrySet().iterator().next().getKey()
                + ": "
                + failing.entrySet().iterator().next().getValue();
    return new State(connectedOnce && failing.isEmpty(), since, reason);
  }
}
