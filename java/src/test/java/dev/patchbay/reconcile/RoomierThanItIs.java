// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** A store that claims a hundred frontends more than it takes. */
record RoomierThanItIs(DataplaneStore delegate) implements DataplaneStore {
  @Override
  public Capacity capacity() {
    Capacity real = delegate.capacity();
    return new Capacity(real.frontends() + 100, real.services(), real.backends());
  }

  @Override
  public ObservedState load() throws StoreException {
    ObservedState real = delegate.load();
    return new ObservedState(real.frontends(), real.services(), capacity(), real.backends());
  }

  @Override
  public void writeRange(int base, List<Backend> backends) throws StoreException {
    delegate.writeRange(base, backends);
  }

  @Override
  public void publish(int index, ServiceWord word, ServiceSettings settings) throws StoreException {
    delegate.publish(index, word, settings);
  }

  @Override
  public void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException {
    delegate.upsertFrontends(entries);
  }

  @Override
  public void deleteFrontends(Collection<FrontendKey> keys) throws StoreException {
    delegate.deleteFrontends(keys);
  }

  @Override
  public void awaitReaders() throws StoreException {
    delegate.awaitReaders();
  }
}
