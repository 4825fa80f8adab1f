// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.table.Backend;
import java.util.List;

/** What happens to a connection. */
public sealed interface Verdict {
  /** The destination is no Service address: the connection is left alone. */
  record NotAService() implements Verdict {}

  /**
   * The connection fails at once.
   *
   * @param errno the name of the error, {@code ECONNREFUSED} or {@code EHOSTUNREACH}
   * @param reason in words
   */
  record Refused(String errno, String reason) implements Verdict {}

  /**
   * The connection goes to one of these.
   *
   * @param index the service that balances it
   * @param backends in the order of the range, at least one
   * @param affinitySeconds how long a client stays with its backend; 0 without session affinity
   */
  record Candidates(int index, List<Backend> backends, int affinitySeconds) implements Verdict {
    public Candidates {
      backends = List.copyOf(backends);
    }
  }
}
