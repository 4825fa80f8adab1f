// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.model.ServiceState;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A program that changes one endpoint after the other in the maps of the kernel, as the agent does:
 * one thread compiles, reconciles and stores, another waits for readers so that what is no longer
 * used can be used again.
 *
 * <p>Arguments: directory of pins, cgroup, services, changes to warm up with, rounds, changes in a
 * round, directory of the markers. Before and after each round it looks for the file {@code begin}
 * and {@code end} in that directory, so that a trace of its system calls shows where a round is.
 * Prints one line for each round.
 */
final class EndpointChanges implements AutoCloseable {
  private final int services;
  private final Programmer programmer;
  private final int[] versions;
  private final Random random = new Random(1);

  private EndpointChanges(Path bpfDir, Path cgroup, int services) throws Exception {
    this.services = services;
    versions = new int[services];
    programmer = Programmer.open(DataplaneOptions.defaults(bpfDir, bpfDir), cgroup);
    List<ServiceState> all = new ArrayList<>();
    for (int i = 0; i < services; i++) {
      all.add(World.service(i, 0));
    }
    long ignored = programmer.load(all);
  }

  public static void main(String[] args) throws Exception {
    Path markers = Path.of(args[6]);
    try (EndpointChanges changes =
        new EndpointChanges(Path.of(args[0]), Path.of(args[1]), Integer.parseInt(args[2]))) {
      changes.round(Integer.parseInt(args[3]));
      for (int round = 1; round <= Integer.parseInt(args[4]); round++) {
        long collections = collections();
        Files.exists(markers.resolve("begin"));
        long[] nanos = changes.round(Integer.parseInt(args[5]));
        Files.exists(markers.resolve("end"));
        changes.print(round, nanos, collections() - collections);
      }
      changes.verify();
    }
  }

  private long[] round(int count) {
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      int number = random.nextInt(services);
      nanos[i] = programmer.change(World.service(number, ++versions[number]));
    }
    return nanos;
  }

  private static long collections() {
    long sum = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      sum += collector.getCollectionCount();
    }
    return sum;
  }

  private void print(int round, long[] nanos, long collections) {
    Arrays.sort(nanos);
    System.out.printf(
        "changes services=%d round=%d count=%d p50us=%.1f p99us=%.1f maxus=%.1f collections=%d"
            + " reclaims=%d awaited=%d%n",
        services,
        round,
        nanos.length,
        nanos[nanos.length / 2] / 1e3,
        nanos[nanos.length * 99 / 100] / 1e3,
        nanos[nanos.length - 1] / 1e3,
        collections,
        programmer.reclaims(),
        programmer.awaited());
  }

  private void verify() throws Exception {
    System.out.println("verified services=" + services + " wrong=" + programmer.wrong());
  }

  @Override
  public void close() {
    programmer.close();
  }
}
