// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Pod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * A client that connects again and again and says when it got elsewhere; {@code transitions.c}. For
 * one thread.
 */
final class Transitions {
  private static final Duration SHORT = Duration.ofSeconds(5);

  /**
   * A connection with another outcome than the one before it.
   *
   * @param begin when it began, on the clock of {@link System#nanoTime}
   * @param end when its outcome was known
   * @param outcome a server's letter, or the name of an error
   * @param attempt its number, from 1
   */
  record Change(long begin, long end, String outcome, long attempt) {
    /** Whether a server answered. */
    boolean served() {
      return outcome.length() == 1;
    }
  }

  /** All connections, and those that failed. */
  record Total(long attempts, long failures) {}

  private final Daemon process;

  private Transitions(Daemon process) {
    this.process = process;
  }

  /** Answers connections with a letter. */
  static Daemon serve(Path program, Pod pod, char letter, int port) {
    return pod.start(program.toString(), "serve", String.valueOf(letter), Integer.toString(port))
        .awaitOut("^ready$", SHORT);
  }

  /**
   * Starts to connect.
   *
   * @param pace between the beginnings of two connections
   * @param patience for each
   */
  static Transitions watch(
      Path program, Pod pod, String address, int port, Duration pace, Duration patience) {
    return new Transitions(
        pod.start(
            program.toString(),
            "watch",
            address,
            Integer.toString(port),
            Long.toString(TimeUnit.NANOSECONDS.toMicros(pace.toNanos())),
            Long.toString(patience.toMillis())));
  }

  /** What there was so far. */
  List<Change> changes() {
    return parse(process.out());
  }

  static List<Change> parse(String out) {
    List<Change> changes = new ArrayList<>();
    int end = out.lastIndexOf('\n'); // the last line may be half written
    for (String line : out.substring(0, end + 1).lines().toList()) {
      String[] fields = line.split(" ", 4);
      if (fields.length == 4) {
        changes.add(
            new Change(
                Long.parseLong(fields[0]),
                Long.parseLong(fields[1]),
                fields[2],
                Long.parseLong(fields[3])));
      }
    }
    return changes;
  }

  /** Waits for a change to an outcome whose connection ended after a moment. */
  Optional<Change> await(Predicate<Change> wanted, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      boolean late = System.nanoTime() > end;
      Optional<Change> found = changes().stream().filter(wanted).findFirst();
      if (found.isPresent() || late) {
        return found;
      }
      if (!process.isAlive()) {
        throw new IllegalStateException("transitions has ended: " + process.err());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /** Waits until a server answers. */
  Change awaitServed(Duration limit) {
    return await(Change::served, limit)
        .orElseThrow(() -> new IllegalStateException("nobody answers: " + changes()));
  }

  /** Ends it. */
  Total stop() {
    process.terminate();
    process.awaitOut("^total ", SHORT);
    String[] fields = process.out().strip().lines().toList().getLast().split(" ", 3);
    return new Total(Long.parseLong(fields[1]), Long.parseLong(fields[2]));
  }
}
