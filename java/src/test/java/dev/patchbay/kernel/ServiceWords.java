// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Looks at pinned maps from outside of the agent, through memory that is shared with the kernel: to
 * look costs a load, and nobody notices. Any thread.
 */
public final class ServiceWords implements AutoCloseable {
  private final MapSet maps;
  private final MappedArray services;
  private final Map<FrontendKey, Integer> indexes = new HashMap<>();

  /** Opens what is pinned; knows the frontends that are there now. */
  public ServiceWords(Path bpfDirectory) throws KernelException {
    try (PinnedDataplane dataplane = PinnedDataplane.open(bpfDirectory)) {
      dataplane
          .load()
          .frontends()
          .forEach(
              (key, value) -> {
                if (value instanceof FrontendValue.ToService(int index)) {
                  indexes.put(key, index);
                }
              });
    }
    maps = MapSet.open(new Pins(bpfDirectory));
    services = MappedArray.map(maps.get(PatchbayMap.SERVICES), false);
  }

  /** The index of the Service port behind a frontend. */
  public int index(FrontendKey frontend) {
    Integer index = indexes.get(frontend);
    if (index == null) {
      throw new AssertionError("no frontend " + frontend);
    }
    return index;
  }

  /** The word that publishes the backends of a Service port now; each publication has another. */
  public long word(int index) {
    return ServiceCodec.word(services.memory(), (long) index * ServiceCodec.SIZE).pack();
  }

  @Override
  public void close() {
    services.close();
    maps.close();
  }
}
