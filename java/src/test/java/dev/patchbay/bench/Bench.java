// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.time.Duration;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * What a measurement works with.
 *
 * @param quick whether a rough answer soon is wanted
 * @param seed of all random choices
 * @param results where it puts what it finds
 * @param end when it has to be done, on the clock of {@link System#nanoTime}
 */
public record Bench(boolean quick, long seed, Results results, long end) {
  /** What is left of its time; negative if it should have ended. */
  public Duration left() {
    return Duration.ofNanos(end - System.nanoTime());
  }

  /** A generator that gives the same numbers in each run with the same seed. */
  public RandomGenerator random(String purpose) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed ^ purpose.hashCode());
  }

  /** Tells whoever waits what goes on. */
  public void say(String text) {
    System.out.printf("  %-8s %s%n", "BENCH", text);
  }
}
