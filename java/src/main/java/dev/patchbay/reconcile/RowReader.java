// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.List;

/**
 * Reads single rows back, to compare them with what is believed to be there. One thread at a time,
 * the one that writes: so nothing changes between a look and what is concluded from it, unless
 * somebody else writes to the maps.
 */
public interface RowReader {
  /** Begins to go through {@code frontends}. */
  FrontendScan frontends();

  /** Whether an entry of {@code services} holds exactly this. */
  boolean holds(int index, ServiceWord word, ServiceSettings settings);

  /**
   * Whether consecutive rows of {@code backends} are exactly these.
   *
   * @throws IndexOutOfBoundsException if the range leaves the map
   */
  boolean holds(int base, List<Backend> rows);

  /** What shows whether anybody else has changed rows; the same object each time. */
  Imprint imprint();

  /**
   * Shows whether anybody but the store has changed rows, at much less cost than to compare each of
   * them, but not which.
   */
  interface Imprint {
    /** What {@link #look} came to. */
    enum Look {
      /** There are rows left to look at. */
      MORE,
      /** All rows are what they were when they were confirmed, but for what the store wrote. */
      SAME,
      /**
       * They are not, or none were confirmed. They are kept in mind as they are now: if a
       * comparison that begins after this finds nothing amiss, they can be confirmed.
       */
      UNKNOWN
    }

    /** Looks at some hundred kilobytes of rows, beginning anew after each end. */
    Look look() throws StoreException;

    /** All rows were compared after the last look had ended, and are what they should be. */
    void confirm();

    /** What is kept in mind is not to be relied on. */
    void forget();
  }

  /** A walk through {@code frontends}, some entries at a time. */
  interface FrontendScan {
    /** Receives entries. */
    @FunctionalInterface
    interface Visitor {
      void visit(FrontendKey key, FrontendValue value);
    }

    /**
     * Gives some entries. What is there from the first call to the last is given once; what comes
     * or goes between two calls may be.
     *
     * @param atMost how many entries, 1 or more; more if the map cannot be read in such small parts
     * @return whether there may be more
     */
    boolean next(int atMost, Visitor visitor) throws StoreException;

    /** How many keys were met so far that are none this version writes. */
    int foreignKeys();
  }
}
