// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.model.ServiceState;
import dev.patchbay.scale.Programmer;
import dev.patchbay.scale.World;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that changes Services of {@link World} in the maps of the kernel, as the agent does, at
 * a rate that it is told.
 *
 * <p>Arguments: directory of pins, cgroup, services. Prints {@code ready}; then reads rates,
 * changes per second and a line each, and answers each with the number of changes so far. Ends with
 * its input.
 */
final class Updates {
  private final Programmer programmer;
  private final int services;
  private final int[] versions;
  private final Random random = new Random(1);
  private volatile int rate;
  private volatile boolean over;
  private volatile long changes;

  private Updates(Programmer programmer, int services) {
    this.programmer = programmer;
    this.services = services;
    versions = new int[services];
  }

  /** Runs it. */
  public static void main(String[] args) throws Exception {
    int services = Integer.parseInt(args[2]);
    Path pins = Path.of(args[0]);
    try (Programmer programmer =
        Programmer.open(DataplaneOptions.defaults(pins, pins), Path.of(args[1]))) {
      List<ServiceState> all = new ArrayList<>();
      for (int i = 0; i < services; i++) {
        all.add(World.service(i, 0));
      }
      long ignored = programmer.load(all);
      Updates updates = new Updates(programmer, services);
      Thread thread = Thread.ofPlatform().name("updates").start(updates::change);
      System.out.println("ready");
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        updates.rate = Integer.parseInt(line);
        System.out.println(updates.changes);
      }
      updates.over = true;
      thread.join();
    }
  }

  /** One change at a time, each at its moment; those that it is late for follow at once. */
  private void change() {
    long next = System.nanoTime();
    long done = 0;
    while (!over) {
      int now = rate;
      if (now == 0) {
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
        next = System.nanoTime();
        continue;
      }
      int number = random.nextInt(services);
      long ignored = programmer.change(World.service(number, ++versions[number]));
      changes = ++done;
      next += TimeUnit.SECONDS.toNanos(1) / now;
      long wait = next - System.nanoTime();
      if (wait > 0) {
        LockSupport.parkNanos(wait);
      }
    }
  }
}
