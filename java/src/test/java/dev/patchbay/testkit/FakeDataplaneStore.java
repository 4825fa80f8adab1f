// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.IpAddress;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The maps in memory, with the semantics of the real ones, and a judge of what the port forbids.
 *
 * <p>The judge assumes the worst about programs: at every moment a reader has just started, it may
 * have looked up any frontend that existed since, and it runs until an {@link #awaitReaders} that
 * began later has ended. An {@link AssertionError} says which rule was broken:
 *
 * <ul>
 *   <li>a row is written that such a reader can reach;
 *   <li>an index that no frontend names any more is published again while such a reader may still
 *       hold it from the frontend it came by;
 *   <li>a generation is repeated or goes back at an index.
 * </ul>
 *
 * <p>Not thread-safe, except {@link #awaitReaders}.
 */
public final class FakeDataplaneStore implements DataplaneStore, RowReader {
  private static final Backend NOTHING = new Backend(new IpAddress(0, 0), 0);

  private final Capacity capacity;
  private final Map<FrontendKey, FrontendValue> frontends = new HashMap<>();
  private final ServiceWord[] words;
  private final ServiceSettings[] settings;
  private final Backend[] rows;

  /** How many frontends name each index. */
  private final int[] references;

  /** How many referenced words name each row. */
  private final int[] visible;

  /** When a row was last reachable before it ceased to be; 0 never. */
  private final long[] rowLastVisible;

  /** When an index was last named by a frontend before it ceased to be; 0 never. */
  private final long[] indexLastVisible;

  /** Grows with each change of what readers can reach. */
  private final AtomicLong epoch = new AtomicLong(1);

  /** No reader that started before this epoch still runs. */
  private volatile long graceUntil;

  private long calls;

  /** Whether {@link #imprint} ever says that nothing has changed. */
  private boolean imprinting;

  private boolean kept;
  private boolean confirmed;
  private boolean changedByOthers;

  public FakeDataplaneStore(Capacity capacity) {
    this.capacity = capacity;
    words = new ServiceWord[capacity.services()];
    Arrays.fill(words, ServiceWord.NONE);
    settings = new ServiceSettings[capacity.services()];
    Arrays.fill(settings, ServiceSettings.NONE);
    rows = new Backend[capacity.backends()];
    Arrays.fill(rows, NOTHING);
    references = new int[capacity.services()];
    visible = new int[capacity.backends()];
    rowLastVisible = new long[capacity.backends()];
    indexLastVisible = new long[capacity.services()];
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  /** How many calls have changed something or tried to. */
  public long calls() {
    return calls;
  }

  @Override
  public ObservedState load() {
    Map<Integer, ObservedService> services = new HashMap<>();
    for (int index = 0; index < words.length; index++) {
      if (!words[index].equals(ServiceWord.NONE) || !settings[index].equals(ServiceSettings.NONE)) {
        services.put(index, new ObservedService(words[index], settings[index]));
      }
    }
    return new ObservedState(frontends, services, capacity, this::read);
  }

  private List<Backend> read(int base, int count) {
    Objects.checkFromIndexSize(base, count, rows.length);
    return List.of(Arrays.copyOfRange(rows, base, base + count));
  }

  @Override
  public void writeRange(int base, List<Backend> backends) throws StoreException {
    Objects.checkFromIndexSize(base, backends.size(), rows.length);
    calls++;
    for (int row = base; row < base + backends.size(); row++) {
      if (visible[row] > 0) {
        throw new AssertionError("row " + row + " is rewritten while a word names it");
      }
      if (rowLastVisible[row] > graceUntil) {
        throw new AssertionError("row " + row + " is rewritten while a reader may still be in it");
      }
      rows[row] = backends.get(row - base);
    }
  }

  @Override
  public void publish(int index, ServiceWord word, ServiceSettings newSettings)
      throws StoreException {
    Objects.checkIndex(index, words.length);
    Objects.checkFromIndexSize(word.base(), word.count(), rows.length);
    calls++;
    if (references[index] == 0 && indexLastVisible[index] > graceUntil) {
      throw new AssertionError("index " + index + " passes on while a reader may still hold it");
    }
    judgeGeneration(index, word, newSettings);
    settings[index] = newSettings;
    if (references[index] > 0) {
      hide(words[index]);
      show(word);
    }
    words[index] = word;
  }

  private void judgeGeneration(int index, ServiceWord word, ServiceSettings newSettings) {
    ServiceWord old = words[index];
    int step = (word.generation() - old.generation()) & 0xff_ffff;
    boolean repeated = word.equals(old);
    boolean backwards = step > 1 << 23;
    boolean changedUnderOneGeneration = step == 0 && !repeated;
    if (backwards || changedUnderOneGeneration) {
      throw new AssertionError(
          "index " + index + ": " + word + " " + newSettings + " published after " + old);
    }
  }

  @Override
  public void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException {
    calls++;
    for (Map.Entry<FrontendKey, FrontendValue> entry : entries.entrySet()) {
      if (frontends.size() >= capacity.frontends() && !frontends.containsKey(entry.getKey())) {
        throw new StoreException(
            StoreException.Reason.FULL,
            "frontends is full (" + capacity.frontends() + " entries) at " + entry.getKey());
      }
      replace(frontends.put(entry.getKey(), entry.getValue()), entry.getValue());
    }
  }

  @Override
  public void deleteFrontends(Collection<FrontendKey> keys) throws StoreException {
    calls++;
    for (FrontendKey key : keys) {
      replace(frontends.remove(key), null);
    }
  }

  @Override
  public void awaitReaders() throws StoreException {
    finishGrace(beginGrace());
  }

  /** The first half of {@link #awaitReaders}: the moment at which waiting starts. */
  public long beginGrace() {
    return epoch.get();
  }

  /** The second half: all readers that had started before {@code begun} have ended. */
  public synchronized void finishGrace(long begun) {
    graceUntil = Math.max(graceUntil, begun);
  }

  /** From now on {@link #imprint} knows what somebody else changes; until then it knows nothing. */
  public FakeDataplaneStore withImprint() {
    imprinting = true;
    return this;
  }

  @Override
  public Imprint imprint() {
    return new Imprint() {
      @Override
      public Look look() {
        if (imprinting && confirmed && !changedByOthers) {
          return Look.SAME;
        }
        kept = true;
        confirmed = false;
        changedByOthers = false;
        return Look.UNKNOWN;
      }

      @Override
      public void confirm() {
        confirmed |= kept;
      }

      @Override
      public void forget() {
        kept = false;
        confirmed = false;
      }
    };
  }

  @Override
  public FrontendScan frontends() {
    return new FrontendScan() {
      private int from = Integer.MIN_VALUE;

      @Override
      public boolean next(int atMost, Visitor visitor) {
        // In the order of the hash codes, as a map of the kernel is walked bucket by bucket.
        TreeMap<Integer, List<FrontendKey>> buckets = new TreeMap<>();
        frontends
            .keySet()
            .forEach(
                key -> buckets.computeIfAbsent(key.hashCode(), _ -> new ArrayList<>()).add(key));
        int visited = 0;
        for (Map.Entry<Integer, List<FrontendKey>> bucket : buckets.tailMap(from).entrySet()) {
          if (visited > 0 && visited + bucket.getValue().size() > atMost) {
            from = bucket.getKey();
            return true;
          }
          for (FrontendKey key : bucket.getValue()) {
            FrontendValue value = frontends.get(key);
            if (value != null) {
              visitor.visit(key, value);
              visited++;
            }
          }
        }
        return false;
      }

      @Override
      public int foreignKeys() {
        return 0;
      }
    };
  }

  @Override
  public boolean holds(int index, ServiceWord word, ServiceSettings wanted) {
    return words[index].equals(word) && settings[index].equals(wanted);
  }

  @Override
  public boolean holds(int base, List<Backend> wanted) {
    return read(base, wanted.size()).equals(wanted);
  }

  /** Deletes an entry of {@code frontends} as somebody else might. */
  public void deleteForeign(FrontendKey key) {
    changedByOthers = true;
    replace(frontends.remove(key), null);
  }

  /** Puts an entry into {@code frontends} as somebody else might. */
  public void putForeign(FrontendKey key, FrontendValue value) {
    changedByOthers = true;
    replace(frontends.put(key, value), value);
  }

  /** Puts a word into {@code services} as somebody else might: nothing is judged. */
  public void putForeign(int index, ServiceWord word, ServiceSettings foreignSettings) {
    changedByOthers = true;
    if (references[index] > 0) {
      hide(words[index]);
      show(word);
    }
    words[index] = word;
    settings[index] = foreignSettings;
  }

  /** Puts rows into {@code backends} as somebody else might: nothing is judged. */
  public void putForeign(int base, List<Backend> backends) {
    changedByOthers = true;
    for (int i = 0; i < backends.size(); i++) {
      rows[base + i] = backends.get(i);
    }
  }

  /** A copy: the same content, the same readers. */
  public FakeDataplaneStore copy() {
    FakeDataplaneStore copy = new FakeDataplaneStore(capacity);
    System.arraycopy(words, 0, copy.words, 0, words.length);
    System.arraycopy(settings, 0, copy.settings, 0, settings.length);
    System.arraycopy(rows, 0, copy.rows, 0, rows.length);
    System.arraycopy(references, 0, copy.references, 0, references.length);
    System.arraycopy(visible, 0, copy.visible, 0, visible.length);
    System.arraycopy(rowLastVisible, 0, copy.rowLastVisible, 0, rowLastVisible.length);
    System.arraycopy(indexLastVisible, 0, copy.indexLastVisible, 0, indexLastVisible.length);
    copy.frontends.putAll(frontends);
    copy.epoch.set(epoch.get());
    copy.graceUntil = graceUntil;
    return copy;
  }

  private void replace(@Nullable FrontendValue old, @Nullable FrontendValue now) {
    if (now instanceof FrontendValue.ToService(int index)
        && index < references.length
        && references[index]++ == 0) {
      show(words[index]);
    }
    if (old instanceof FrontendValue.ToService(int index)
        && index < references.length
        && --references[index] == 0) {
      hide(words[index]);
      indexLastVisible[index] = epoch.get();
    }
  }

  private void show(ServiceWord word) {
    for (int row = word.base(); row < end(word); row++) {
      visible[row]++;
    }
  }

  private void hide(ServiceWord word) {
    long now = epoch.incrementAndGet();
    for (int row = word.base(); row < end(word); row++) {
      visible[row]--;
      rowLastVisible[row] = now;
    }
  }

  /** Foreign words may leave the map; programs check before they read. */
  private int end(ServiceWord word) {
    return Math.min(word.base() + word.count(), rows.length);
  }

  /** All frontends in order, for messages. */
  @Override
  public String toString() {
    List<String> lines = new ArrayList<>();
    frontends.forEach((key, value) -> lines.add(key + " -> " + value));
    lines.sort(null);
    return String.join("\n", lines);
  }
}
