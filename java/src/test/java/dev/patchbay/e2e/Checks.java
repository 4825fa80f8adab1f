// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Eventually;
import java.time.Duration;

/** What most of these tests look at. Ports are those of {@code Manifest.serverService}. */
final class Checks {
  static final int HTTP = 80;
  static final int BANNER = 90;
  static final int ECHO = 70;
  static final int UDP = 50;

  /** How soon a change of a file is promised to be in effect. */
  static final Duration PROMISE = Duration.ofSeconds(1);

  /**
   * How soon it has to be, each time. A busy machine may stand still for longer than {@link
   * #PROMISE}, to which {@link FileWatchE2eTest} holds most of many changes; without an event the
   * agent notices a change after ten seconds.
   */
  static final Duration EFFECT = Duration.ofSeconds(5);

  /** Exchanges enough to meet each of up to five backends, but for one time in a billion. */
  private static final int ENOUGH = 100;

  private Checks() {}

  static int port(Kind kind) {
    return kind == Kind.TCP ? BANNER : UDP;
  }

  /** Exactly these servers, or this error, are met at a Service. */
  static void meets(Client client, Kind kind, String address, String... outcomes) {
    assertThat(client.hits(kind, address, port(kind), ENOUGH))
        .as("%s from %s to %s", kind, client.pod(), address)
        .containsOnlyKeys(outcomes);
  }

  /** The same by TCP, before long. */
  static void meetsSoon(Client client, String address, String... outcomes) {
    Eventually.soon(() -> meets(client, Kind.TCP, address, outcomes));
  }

  /** The same by TCP, within the time that a change of a file may take. */
  static void meetsInTime(Client client, String address, String... outcomes) {
    Eventually.within(EFFECT, () -> meets(client, Kind.TCP, address, outcomes));
  }
}
