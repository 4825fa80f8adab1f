// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.observe.Counters;
import dev.patchbay.observe.StatsSource;
import dev.patchbay.table.ObservedState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A dataplane that is pinned, for reading only, whether or not an agent runs. Closing gives up
 * descriptors. Any thread may call, except for {@link #close}.
 */
public final class PinnedDataplane implements StatsSource, AutoCloseable {
  private final Pins pins;
  private final MapSet maps;
  private final MappedArray services;
  private final MappedArray backends;
  private final MapReader reader;

  private PinnedDataplane(Pins pins, MapSet maps, MappedArray services, MappedArray backends) {
    this.pins = pins;
    this.maps = maps;
    this.services = services;
    this.backends = backends;
    this.reader =
        new MapReader(
            maps.get(PatchbayMap.FRONTENDS), services.memory(), backends.memory(), maps.capacity());
  }

  /**
   * Opens what is pinned under {@code bpfDir}.
   *
   * @throws KernelException.NotFound if nothing is
   */
  public static PinnedDataplane open(Path bpfDir) throws KernelException {
    if (Libbpf.problem().isPresent()) {
      throw new KernelException.Library(new Operation("load", "libbpf"), Libbpf.problem().get());
    }
    Pins pins = new Pins(bpfDir.toAbsolutePath().normalize());
    if (!Files.isDirectory(pins.maps())) {
      throw new KernelException.NotFound(
          new Operation("open", "dataplane", bpfDir.toString()),
          "nothing is pinned there; start the agent (patchbay run) or name its --bpf-dir");
    }
    try (Opened opened = new Opened()) {
      MapSet maps = opened.add(MapSet.open(pins));
      PinnedDataplane dataplane =
          new PinnedDataplane(
              pins,
              maps,
              opened.add(MappedArray.map(maps.get(PatchbayMap.SERVICES), false)),
              opened.add(MappedArray.map(maps.get(PatchbayMap.BACKENDS), false)));
      opened.keep();
      return dataplane;
    }
  }

  /**
   * Reads the maps. Its {@code backends} read the live map, until this is closed. An agent may be
   * writing at the same time; each Service port is read as it was at one moment.
   */
  public ObservedState load() throws KernelException {
    return reader.read().state();
  }

  /** How full each map is, of which {@code state} was read. */
  public List<MapUsage> usage(ObservedState state) throws KernelException {
    return maps.usage(state);
  }

  /**
   * Begins to watch connections; to be closed before this is.
   *
   * @param bytes of the buffer for what was not polled for yet, a power of two and a multiple of
   *     the page size
   * @throws KernelException.Busy if too many watch already
   */
  public Watcher watch(int bytes) throws KernelException {
    return Watcher.open(maps, bytes);
  }

  /**
   * Begins to time connections until what is returned is closed.
   *
   * @throws KernelException.NotFound if the programs are attached to no cgroup that can be seen
   *     here
   */
  public ConnectTimes timeConnects() throws KernelException {
    Path cgroup =
        report().programs().stream()
            .flatMap(link -> link.cgroup().stream())
            .findFirst()
            .orElseThrow(
                () ->
                    new KernelException.NotFound(
                        new Operation("time", "connections"),
                        "the programs are attached to no cgroup that can be seen here"));
    return ConnectTimes.open(maps, cgroup);
  }

  /** Whether the programs run where they should, asked of the kernel now. */
  public AttachReport report() throws KernelException {
    return PinnedLink.report(pins);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the kernel refuses to read them
   */
  @Override
  public Counters counters() {
    try {
      return MapReader.counters(maps.get(PatchbayMap.COUNTERS));
    } catch (KernelException refused) {
      throw new IllegalStateException(refused.getMessage(), refused);
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    services.close();
    backends.close();
    maps.close();
  }
}
