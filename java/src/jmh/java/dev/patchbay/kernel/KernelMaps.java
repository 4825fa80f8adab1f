// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.table.Capacity;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Maps of this kernel for one benchmark, with the programs loaded and attached to nothing, in a
 * directory of pins of their own. Goes with the JVM too, in case a benchmark fails.
 */
final class KernelMaps implements AutoCloseable {
  private final Scratch scratch;
  private final Thread hook;
  private final Dataplane dataplane;

  KernelMaps(Capacity capacity) throws Exception {
    scratch = new Scratch();
    hook = new Thread(this::remove, "remove-maps");
    Runtime.getRuntime().addShutdownHook(hook);
    dataplane = scratch.closing(Dataplane.open(scratch.options(capacity)));
  }

  KernelStore store() {
    return dataplane.store();
  }

  /** Opened once more; closed with this. */
  BpfMap map(PatchbayMap map) throws KernelException {
    return scratch.closing(BpfMap.pinned(map, scratch.pins().map(map)));
  }

  private void remove() {
    try {
      scratch.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(hook);
  }
}
