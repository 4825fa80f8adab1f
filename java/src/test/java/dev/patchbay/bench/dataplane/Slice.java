// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

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
    int operations, int errors, long wall, long clientCpu, long serverCpu, long[] latencies) {

  /** Reads an answer of the load generator. */
  static Slice parse(String line) {
    String[] words = line.split(" ");
    if (words.length < 6 || !words[0].equals("done")) {
      throw new IllegalStateException("the load generator says: " + line);
    }
    long[] latencies = new long[words.length - 6];
    for (int i = 0; i < latencies.length; i++) {
      latencies[i] = Long.parseLong(words[6 + i]);
    }
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
