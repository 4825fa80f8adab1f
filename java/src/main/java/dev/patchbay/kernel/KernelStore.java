// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.RowReader;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The maps of the kernel as a {@link DataplaneStore}. {@code services} and {@code backends} are
 * written in place, without a system call; {@code frontends} in batches.
 *
 * <p>Closing unmaps and gives up descriptors. Nothing is detached or unpinned, and nothing that
 * programs see changes. No other call may be under way.
 */
public final class KernelStore implements DataplaneStore, RowReader, AutoCloseable {
  private static final int BATCH = 4096;

  private final BpfMap frontends;
  private final MappedArray services;
  private final MappedArray backends;
  private final RcuBarrier barrier;
  private final Capacity capacity;
  private final MapReader reader;
  private final RowSums imprint;
  private List<byte[]> foreignKeys = List.of();

  private KernelStore(
      BpfMap frontends,
      MappedArray services,
      MappedArray backends,
      RcuBarrier barrier,
      Capacity capacity) {
    this.frontends = frontends;
    this.services = services;
    this.backends = backends;
    this.barrier = barrier;
    this.capacity = capacity;
    this.reader = new MapReader(frontends, services.memory(), backends.memory(), capacity);
    this.imprint = new RowSums(frontends, services.memory(), backends.memory());
  }

  /** Over three maps that stay the caller's, and must stay open as long as the store. */
  static KernelStore over(BpfMap frontends, BpfMap services, BpfMap backends)
      throws KernelException {
    Capacity capacity =
        new Capacity(
            frontends.shape().maxEntries(),
            services.shape().maxEntries(),
            backends.shape().maxEntries());
    try (Opened opened = new Opened()) {
      KernelStore store =
          new KernelStore(
              frontends,
              opened.add(MappedArray.map(services, true)),
              opened.add(MappedArray.map(backends, true)),
              opened.add(RcuBarrier.create()),
              capacity);
      opened.keep();
      return store;
    }
  }

  /** How many entries of its maps are in use. Any thread. */
  MapReader.Occupied occupied() throws KernelException {
    return reader.occupied();
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Foreign content: keys of {@code frontends} that this version never writes are left out of
   * the result; {@link #deleteForeignFrontends} removes them. A service with settings that make no
   * sense is given with a range that leaves the map.
   */
  @Override
  public ObservedState load() throws StoreException {
    try {
      MapReader.Contents contents = reader.read();
      foreignKeys = contents.foreignKeys();
      contents.state().services().forEach(this::use);
      return contents.state();
    } catch (KernelException refused) {
      throw translate(refused);
    }
  }

  /**
   * Deletes the keys of {@code frontends} that the last {@link #load} could not interpret. No
   * program looks such a key up, but each takes the room of one that counts.
   *
   * @return how many there were
   */
  public int deleteForeignFrontends() throws StoreException {
    int count = foreignKeys.size();
    if (count > 0) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment keys = arena.allocate((long) count * FrontendKeyCodec.SIZE);
        for (int i = 0; i < count; i++) {
          MemorySegment.copy(
              foreignKeys.get(i),
              0,
              keys,
              ValueLayout.JAVA_BYTE,
              (long) i * FrontendKeyCodec.SIZE,
              FrontendKeyCodec.SIZE);
        }
        imprint.before(keys, count);
        frontends.delete(keys, count);
        imprint.after(keys, count);
      } catch (KernelException refused) {
        imprint.forget();
        throw translate(refused);
      }
      foreignKeys = List.of();
    }
    return count;
  }

  private void use(int index, ObservedService service) {
    imprint.services().use(index + 1);
    ServiceWord word = service.word();
    if (word.base() + word.count() <= capacity.backends()) {
      imprint.backends().use(word.base() + word.count());
    }
  }

  @Override
  public void writeRange(int base, List<Backend> rows) {
    int count = rows.size();
    Objects.checkFromIndexSize(base, count, capacity.backends());
    MemorySegment memory = backends.memory();
    imprint.backends().before(base, count);
    for (int i = 0; i < count; i++) {
      BackendCodec.encode(rows.get(i), memory, (long) (base + i) * BackendCodec.SIZE);
    }
    imprint.backends().after(base, count);
  }

  @Override
  public void publish(int index, ServiceWord word, ServiceSettings settings) {
    Objects.checkIndex(index, capacity.services());
    Objects.checkFromIndexSize(word.base(), word.count(), capacity.backends());
    imprint.services().before(index, 1);
    ServiceCodec.publish(services.memory(), (long) index * ServiceCodec.SIZE, word, settings);
    imprint.services().after(index, 1);
  }

  @Override
  public void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException {
    List<FrontendKey> batch = new ArrayList<>(Math.min(BATCH, entries.size()));
    int room = Math.min(BATCH, entries.size());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys = arena.allocate((long) room * FrontendKeyCodec.SIZE);
      MemorySegment values = arena.allocate((long) room * FrontendValueCodec.SIZE);
      for (Map.Entry<FrontendKey, FrontendValue> entry : entries.entrySet()) {
        int at = batch.size();
        FrontendKeyCodec.encode(entry.getKey(), keys, (long) at * FrontendKeyCodec.SIZE);
        FrontendValueCodec.encode(entry.getValue(), values, (long) at * FrontendValueCodec.SIZE);
        batch.add(entry.getKey());
        if (batch.size() == room) {
          flush(keys, values, batch);
        }
      }
      flush(keys, values, batch);
    }
  }

  private void flush(MemorySegment keys, MemorySegment values, List<FrontendKey> batch)
      throws StoreException {
    if (batch.isEmpty()) {
      return;
    }
    imprint.before(keys, batch.size());
    Batch done = frontends.update(keys, values, batch.size());
    imprint.after(keys, batch.size());
    if (done.result() < 0) {
      Operation operation =
          new Operation(
              "write to",
              "map " + frontends.name(),
              "key " + batch.get(done.count()) + ", capacity " + capacity.frontends());
      throw translate(KernelException.ofElement(done.result(), operation));
    }
    batch.clear();
  }

  @Override
  public void deleteFrontends(Collection<FrontendKey> removed) throws StoreException {
    if (removed.isEmpty()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys = arena.allocate((long) removed.size() * FrontendKeyCodec.SIZE);
      long at = 0;
      for (FrontendKey key : removed) {
        FrontendKeyCodec.encode(key, keys, at);
        at += FrontendKeyCodec.SIZE;
      }
      imprint.before(keys, removed.size());
      frontends.delete(keys, removed.size());
      imprint.after(keys, removed.size());
    } catch (KernelException refused) {
      imprint.forget();
      throw translate(refused);
    }
  }

  @Override
  public void awaitReaders() throws StoreException {
    try {
      barrier.await();
    } catch (KernelException refused) {
      throw translate(refused);
    }
  }

  @Override
  public RowReader.Imprint imprint() {
    return imprint;
  }

  @Override
  public FrontendScan frontends() {
    return new Walk(frontends.scan());
  }

  private static final class Walk implements FrontendScan {
    private final BpfMap.Scan scan;
    private int foreign;

    Walk(BpfMap.Scan scan) {
      this.scan = scan;
    }

    @Override
    public boolean next(int atMost, Visitor visitor) throws StoreException {
      try {
        return scan.next(atMost, (keys, values, count) -> visit(keys, values, count, visitor));
      } catch (KernelException refused) {
        throw translate(refused);
      }
    }

    private void visit(MemorySegment keys, MemorySegment values, int count, Visitor visitor) {
      for (int i = 0; i < count; i++) {
        Optional<FrontendKey> key = FrontendKeyCodec.decode(keys, (long) i * FrontendKeyCodec.SIZE);
        if (key.isPresent()) {
          long at = (long) i * FrontendValueCodec.SIZE;
          visitor.visit(key.get(), FrontendValueCodec.decode(values, at));
        } else {
          foreign++;
        }
      }
    }

    @Override
    public int foreignKeys() {
      return foreign;
    }
  }

  @Override
  public boolean holds(int index, ServiceWord word, ServiceSettings settings) {
    Objects.checkIndex(index, capacity.services());
    return ServiceCodec.holds(services.memory(), (long) index * ServiceCodec.SIZE, word, settings);
  }

  @Override
  public boolean holds(int base, List<Backend> rows) {
    Objects.checkFromIndexSize(base, rows.size(), capacity.backends());
    MemorySegment memory = backends.memory();
    for (int i = 0; i < rows.size(); i++) {
      if (!BackendCodec.holds(rows.get(i), memory, (long) (base + i) * BackendCodec.SIZE)) {
        return false;
      }
    }
    return true;
  }

  /** Idempotent. */
  @Override
  public void close() {
    barrier.close();
    services.close();
    backends.close();
  }

  static StoreException translate(KernelException refused) {
    StoreException.Reason reason =
        switch (refused) {
          case KernelException.Full _ -> StoreException.Reason.FULL;
          case KernelException.Denied _ -> StoreException.Reason.DENIED;
          case KernelException.NotFound _,
              KernelException.Exists _,
              KernelException.Unsupported _,
              KernelException.Incompatible _,
              KernelException.Verifier _,
              KernelException.Busy _,
              KernelException.Library _,
              KernelException.Other _ ->
              StoreException.Reason.OTHER;
        };
    StoreException translated = new StoreException(reason, refused.getMessage());
    translated.initCause(refused);
    return translated;
  }
}
