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

/**
 * The port to the maps that the programs read. Every call takes effect before it returns, or throws
 * {@link StoreException}; a call that throws may have taken effect in part, and repeating it is
 * always allowed.
 *
 * <p>One thread, the owner, calls everything but {@link #awaitReaders}, which any thread may call.
 */
public interface DataplaneStore {
  Capacity capacity();

  /** Reads back all that the maps hold. The result's {@code backends} reads the live map. */
  ObservedState load() throws StoreException;

  /**
   * Writes {@code backends} to consecutive rows from {@code base}. Programs must not be able to see
   * the range: no word names it, and no program that read such a word still runs.
   *
   * @throws IndexOutOfBoundsException if the range leaves the map
   */
  void writeRange(int base, List<Backend> backends) throws StoreException;

  /**
   * Publishes a set of backends: settings first, then the word in one store with release semantics,
   * so that a program which sees the word sees the range it names.
   *
   * @throws IndexOutOfBoundsException if {@code index} or the range leaves its map
   */
  void publish(int index, ServiceWord word, ServiceSettings settings) throws StoreException;

  /**
   * Inserts or replaces entries of {@code frontends}; each entry is replaced atomically.
   *
   * @throws StoreException with {@link StoreException.Reason#FULL} if the map is full; the entries
   *     that precede the offending one, in the map's iteration order, are written
   */
  void upsertFrontends(Map<FrontendKey, FrontendValue> entries) throws StoreException;

  /** Deletes entries of {@code frontends}. A key that is not there is not an error. */
  void deleteFrontends(Collection<FrontendKey> keys) throws StoreException;

  /**
   * Returns when every program run that had started before the call has ended; blocks for
   * milliseconds. Ranges that were unpublished before the call may be written again afterwards.
   */
  void awaitReaders() throws StoreException;
}
