// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.time.Duration;

/**
 * How long to wait for what.
 *
 * @param connect for a connection, TLS included
 * @param answer for the head of an answer that may be large
 * @param watchAnswer for the head of a watch, and of any other small answer
 * @param listIdle between two pieces of a list
 * @param watchIdle between two pieces of a watch. The API server sends a bookmark each minute, but
 *     none while the version has not moved since the watch began. So silence beyond that means that
 *     nothing happens, or that nobody is there: beginning the watch anew tells which
 * @param watch how long a watch is asked to last; at random up to twice of that
 * @param backoffFirst before the second attempt; the first one is made at once
 * @param backoffMost before any attempt after a failure of the connection or the server: changes
 *     made while it was away are to arrive within 2 s of its return
 * @param backoffRefused before any attempt after a refusal (401, 403, 404 and the like), which
 *     rarely passes by itself
 * @param credentials how often files with credentials are looked at
 */
record Timing(
    Duration connect,
    Duration answer,
    Duration watchAnswer,
    Duration listIdle,
    Duration watchIdle,
    Duration watch,
    Duration backoffFirst,
    Duration backoffMost,
    Duration backoffRefused,
    Duration credentials) {
  static final Timing STANDARD =
      new Timing(
          Duration.ofSeconds(4),
          Duration.ofSeconds(60),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(80),
          Duration.ofMinutes(5),
          Duration.ofMillis(50),
          Duration.ofSeconds(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(2));
}
