// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A store in which a share of the calls fails at random: before the call takes effect, after it, or
 * half-way. The seed is part of every message. Not thread-safe.
 */
public final class FaultyDataplaneStore implements DataplaneStore {
  /** The share of calls that fail unless a test says otherwise. */
  public static final double DEFAULT_SHARE = 0.1;

  private final DataplaneStore delegate;
  private final long seed;
  private final Random random;
  private double share;
  private long faults;

  public FaultyDataplaneStore(DataplaneStore delegate, long seed) {
    this(delegate, seed, DEFAULT_SHARE);
  }

  public FaultyDataplaneStore(DataplaneStore delegate, long seed, double share) {
    this.delegate = delegate;
    this.seed = seed;
    this.random = new Random(seed);
    this.share = share;
  }

  /** From now on this share of calls fails; 0 heals the store. */
  public void setShare(double newShare) {
    share = newShare;
  }

  /** How many calls have failed. */
  public long faults() {
    return faults;
  }

  @Override
  public Capacity capacity() {
    return delegate.capacity();
  }

  @Override
  public ObservedState load() throws StoreException {
    if (random.nextDouble() < share) {
      throw fault("load");
    }
    return delegate.load();
  }

  @Override
  public void writeRange(int base, List<Backend> backends) throws StoreException {
    run(
        "writeRange",
        () -> delegate.writeRange(base, backends),
        () -> delegate.writeRange(base, backends.subList(0, backends.size() / 2)));
  }

  @Override
  public void publish(int index, ServiceWord word, ServiceSettings settings) throws StoreException {
    run(
        "publish",
        () -> delegate.publish(index, word, settings),
        () -> {
          ObservedService old = delegate.load().services().get(index);
          delegate.publish(index, old == null ? ServiceWord.NONE : old.word(), settings);
        });
  }

  @Override
  public void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException {
    run(
        "upsertFrontends",
        () -> delegate.upsertFrontends(entries),
        () -> {
          Map<FrontendKey, FrontendValue> half = new LinkedHashMap<>();
          for (Map.Entry<FrontendKey, FrontendValue> entry : entries.entrySet()) {
            if (half.size() < entries.size() / 2) {
              half.put(entry.getKey(), entry.getValue());
            }
          }
          delegate.upsertFrontends(half);
        });
  }

  @Override
  public void deleteFrontends(Collection<FrontendKey> keys) throws StoreException {
    run(
        "deleteFrontends",
        () -> delegate.deleteFrontends(keys),
        () -> delegate.deleteFrontends(new ArrayList<>(keys).subList(0, keys.size() / 2)));
  }

  @Override
  public void awaitReaders() throws StoreException {
    run("awaitReaders", delegate::awaitReaders, () -> {});
  }

  private interface Call {
    void run() throws StoreException;
  }

  private void run(String name, Call whole, Call half) throws StoreException {
    if (random.nextDouble() >= share) {
      whole.run();
      return;
    }
    switch (random.nextInt(3)) {
      case 0 -> {}
      case 1 -> half.run();
      default -> whole.run();
    }
    throw fault(name);
  }

  private StoreException fault(String name) {
    faults++;
    return new StoreException(
        StoreException.Reason.OTHER, name + ": fault " + faults + " of seed " + seed);
  }

  @Override
  public String toString() {
    return "faulty store, seed " + seed + ", share " + share + ", " + faults + " faults so far";
  }
}
