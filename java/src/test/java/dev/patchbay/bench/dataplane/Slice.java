// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import java.util.Arrays;
import java.util.List;

/**
 * What some operations in a row took.
 *
 * @param operations how many
 * @param errors how many of them failed
 * @param wall ns for all of them
 * @param clientCpu ns of processor time of the client for all of them, kernel included
 * @param serverCpu ns of processor time of the server
 * @param latencies ns of each, see {@link Kind#timed}
 */
record Slice(
    int operations, int errors, long wall, long clientCpu, long serverCpu, List<Long> latencies) {

  /** Reads an answer of the load generator. */
  static Slice parse(String line) {
    String[] words = line.split(" ", -1);
    if (words.length < 6 || !words[0].equals("done")) {
      throw new IllegalStateException("the load generator says: " + line);
    }
    List<Long> latencies = Arrays.stream(words).skip(6).map(Long::valueOf).toList();
    return new Slice(
        Integer.parseInt(words[1]),
        Integer.parseInt(words[2]),
        Long.parseLong(words[3]),
        Long.parseLong(words[4]),
        Long.parseLong(words[5]),
        latencies);
  }

  /** ns for each operation. */
  double cost() {
    return (double) wall / operations;
  }

  /** ns of processor time for each operation, both ends. */
  double cpu() {
    return (double) (clientCpu + serverCpu) / operations;
  }
}
