// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Things acquired one after another, which are closed in reverse unless all went well: add each as
 * it is acquired, say {@link #keep} at the end, and leave the rest to try-with-resources.
 */
final class Opened implements AutoCloseable {
  /** What closes without a checked exception. */
  private final Deque<AutoCloseable> things = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T thing) {
    things.push(thing);
    return thing;
  }

  /** Leaves all that was added to others. */
  void keep() {
    things.clear();
  }

  @Override
  public void close() {
    while (!things.isEmpty()) {
      try {
        things.pop().close();
      } catch (Exception impossible) {
        throw new AssertionError("handles close without an exception", impossible);
      }
    }
  }
}
