// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Applies a function to many items, on short-lived threads beside the caller's own. */
final class Parallel {
  private static final int MAX_THREADS = 4;
  private static final int BATCH = 16;

  private Parallel() {}

  /**
   * Applies a function to each item.
   *
   * @param function called by several threads
   * @return the results, in the order of the items
   */
  static <T, R> List<R> map(List<T> items, Function<T, R> function) {
    List<List<R>> batches = new ArrayList<>();
    int count = (items.size() + BATCH - 1) / BATCH;
    for (int i = 0; i < count; i++) {
      batches.add(List.of());
    }
    AtomicInteger next = new AtomicInteger();
    AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    Runnable work =
        () -> {
          try {
            for (int batch = next.getAndIncrement();
                batch < count;
                batch = next.getAndIncrement()) {
              int end = Math.min(items.size(), (batch + 1) * BATCH);
              List<R> results = new ArrayList<>(BATCH);
              for (int i = batch * BATCH; i < end; i++) {
                results.add(function.apply(items.get(i)));
              }
              batches.set(batch, results); // each element is written by one thread only
            }
          } catch (RuntimeException e) {
            failure.compareAndSet(null, e);
          }
        };
    List<Thread> helpers = new ArrayList<>();
    int threads =
        Math.min(Math.min(MAX_THREADS, count), Runtime.getRuntime().availableProcessors());
    for (int i = 1; i < threads; i++) {
      helpers.add(Thread.ofPlatform().name("patchbay-manifests-" + i).daemon().start(work));
    }
    work.run();
    helpers.forEach(Parallel::join);
    RuntimeException thrown = failure.get();
    if (thrown != null) {
      throw thrown;
    }
    List<R> all = new ArrayList<>(items.size());
    batches.forEach(all::addAll);
    return all;
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
