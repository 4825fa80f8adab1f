// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.time.Duration;
import java.util.List;

/**
 * A part of the benchmarks, which can be run alone. It makes and closes a lab of its own. An
 * exception ends this part only: rows that it has added stay, and the report says what happened.
 */
public interface Measurement {
  /** Its name on the command line. */
  String name();

  /** How long it may take; {@link Bench#left} counts from here. */
  Duration budget(boolean quick);

  /** The goals it has rows for. Those without a row appear in the report as not measured. */
  List<Goal> goals();

  /** Measures. */
  void run(Bench bench) throws Exception;
}
