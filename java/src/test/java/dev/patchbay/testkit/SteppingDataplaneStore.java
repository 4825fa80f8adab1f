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
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * A store that does everything in the smallest steps that programs can see (a row, the settings, a
 * word, an entry) and lets a test look after each. It can crash after any step.
 */
public final class SteppingDataplaneStore implements DataplaneStore {
  /** The process ended here. */
  public static final class Crash extends Error {
    private static final long serialVersionUID = 1L;
  }

  private final DataplaneStore delegate;
  private Runnable afterStep = () -> {};
  private long stepsLeft = Long.MAX_VALUE;
  private long steps;

  public SteppingDataplaneStore(DataplaneStore delegate) {
    this.delegate = delegate;
  }

  /** Runs this after each step. */
  public void afterEachStep(Runnable action) {
    afterStep = action;
  }

  /** After this many more steps, {@link Crash} is thrown instead of the next one. */
  public void crashAfter(long count) {
    stepsLeft = count;
  }

  /** How many steps were made. */
  public long steps() {
    return steps;
  }

  private interface Step {
    void run() throws StoreException;
  }

  private void step(Step step) throws StoreException {
    if (stepsLeft-- <= 0) {
      throw new Crash();
    }
    step.run();
    steps++;
    afterStep.run();
  }

  @Override
  public Capacity capacity() {
    return delegate.capacity();
  }

  @Override
  public ObservedState load() throws StoreException {
    return delegate.load();
  }

  @Override
  public void writeRange(int base, List<Backend> backends) throws StoreException {
    for (int i = 0; i < backends.size(); i++) {
      int row = i;
      step(() -> delegate.writeRange(base + row, backends.subList(row, row + 1)));
    }
  }

  @Override
  public void publish(int index, ServiceWord word, ServiceSettings settings) throws StoreException {
    ObservedService old = delegate.load().services().get(index);
    ServiceWord oldWord = old == null ? ServiceWord.NONE : old.word();
    step(() -> delegate.publish(index, oldWord, settings));
    step(() -> delegate.publish(index, word, settings));
  }

  @Override
  public void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException {
    for (Map.Entry<FrontendKey, FrontendValue> entry : entries.entrySet()) {
      step(() -> delegate.upsertFrontends(Map.of(entry.getKey(), entry.getValue())));
    }
  }

  @Override
  public void deleteFrontends(Collection<FrontendKey> keys) throws StoreException {
    for (FrontendKey key : keys) {
      step(() -> delegate.deleteFrontends(List.of(key)));
    }
  }

  @Override
  public void awaitReaders() throws StoreException {
    delegate.awaitReaders();
  }
}
