// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.observe.Counters;
import dev.patchbay.observe.StatsSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/**
 * Programs and maps, loaded and pinned, with one process as their writer.
 *
 * <p>Opening adopts the maps that are pinned and leaves them as they are. Programs run only once
 * they are attached. Closing gives up this process's descriptors and the lock: programs stay
 * attached, pins stay, and Services go on working.
 *
 * <p>One thread opens, attaches and closes; {@link #counters} and {@link #report} are for any.
 */
public final class Dataplane implements StatsSource, AutoCloseable {
  private final Pins pins;
  private final Fd lock;
  private final BpfObject object;
  private final MapSet maps;
  private final KernelStore store;
  private final boolean firstStart;
  private final Undo pinned;

  private Dataplane(
      Pins pins,
      Fd lock,
      BpfObject object,
      MapSet maps,
      KernelStore store,
      boolean firstStart,
      Undo pinned) {
    this.pins = pins;
    this.lock = lock;
    this.object = object;
    this.maps = maps;
    this.store = store;
    this.firstStart = firstStart;
    this.pinned = pinned;
  }

  /**
   * Loads the programs over the pinned maps, and pins those maps that are not. On failure all that
   * this call pinned is gone again, and what was there before is as it was.
   *
   * @throws KernelException.Library if libbpf cannot be used
   * @throws KernelException.Incompatible if a pinned map differs from what is wanted, or {@code
   *     bpfDir} is no place for pins
   * @throws KernelException.Busy if another process has this dataplane open
   * @throws KernelException.Verifier if the kernel refuses a program
   */
  public static Dataplane open(DataplaneOptions options) throws KernelException {
    requireLibrary();
    Capabilities.require();
    ObjectFile file = fitting();
    return open(options, new BpfObject.Recipe(file.file(), file.bytes(), sizes(options)));
  }

  static Dataplane open(DataplaneOptions options, BpfObject.Recipe recipe) throws KernelException {
    requireLibrary();
    BpfFs.ensure(options.bpfDir());
    Pins pins = new Pins(options.bpfDir());
    Undo undo = new Undo();
    try (Opened opened = new Opened()) {
      PinDirectory.create(pins, undo);
      Fd lock = opened.add(PinDirectory.lock(pins));
      Map<PatchbayMap, BpfMap> adopted = adopt(pins, recipe, opened);
      BpfObject object = opened.add(BpfObject.load(recipe, adopted, options.logDirectory()));
      for (PatchbayMap map : PatchbayMap.values()) {
        if (!adopted.containsKey(map)) {
          pin(object, map, pins, undo);
        }
      }
      MapSet maps = opened.add(MapSet.open(pins));
      KernelStore store =
          opened.add(
              KernelStore.over(
                  maps.get(PatchbayMap.FRONTENDS),
                  maps.get(PatchbayMap.SERVICES),
                  maps.get(PatchbayMap.BACKENDS)));
      opened.keep();
      adopted.values().forEach(BpfMap::close);
      return new Dataplane(pins, lock, object, maps, store, adopted.isEmpty(), undo);
    } catch (KernelException refused) {
      undo.run(refused);
      throw refused;
    }
  }

  private static void requireLibrary() throws KernelException {
    if (Libbpf.problem().isPresent()) {
      throw new KernelException.Library(new Operation("load", "libbpf"), Libbpf.problem().get());
    }
  }

  /** The object that this kernel can load, by asking it. */
  private static ObjectFile fitting() throws KernelException {
    return switch (Probes.setRetval()) {
      case ProbeResult.Supported _ -> ObjectFile.CURRENT;
      case ProbeResult.Unsupported _ -> ObjectFile.LEGACY;
      case ProbeResult.Inconclusive(int errno, String _) ->
          throw KernelException.of(errno, new Operation("load", "a trial program"));
    };
  }

  private static Map<PatchbayMap, Integer> sizes(DataplaneOptions options) {
    return Map.of(
        PatchbayMap.FRONTENDS, options.capacity().frontends(),
        PatchbayMap.SERVICES, options.capacity().services(),
        PatchbayMap.BACKENDS, options.capacity().backends(),
        PatchbayMap.AFFINITY, options.affinity(),
        PatchbayMap.UDP_FLOWS, options.udpFlows());
  }

  private static Map<PatchbayMap, BpfMap> adopt(Pins pins, BpfObject.Recipe recipe, Opened opened)
      throws KernelException {
    Map<PatchbayMap, MapShape> wanted = BpfObject.shapes(recipe);
    Map<PatchbayMap, BpfMap> adopted = new EnumMap<>(PatchbayMap.class);
    for (Map.Entry<PatchbayMap, MapShape> entry : wanted.entrySet()) {
      PatchbayMap map = entry.getKey();
      if (Files.exists(pins.map(map))) {
        BpfMap found = opened.add(BpfMap.pinned(map, pins.map(map)));
        if (!found.shape().equals(entry.getValue())) {
          throw MapSet.incompatible(map, found.shape(), entry.getValue(), pins);
        }
        adopted.put(map, found);
      }
    }
    return adopted;
  }

  private static void pin(BpfObject object, PatchbayMap map, Pins pins, Undo undo)
      throws KernelException {
    Path path = pins.map(map);
    KernelException.check(
        Bpf.bpf_obj_pin(object.mapFd(map), path),
        new Operation("pin", "map " + map.mapName(), path.toString()));
    undo.deleting(path);
  }

  /** The maps as a port for the reconciler; closed with the dataplane. */
  public KernelStore store() {
    return store;
  }

  /** Whether no map was pinned before. */
  public boolean firstStart() {
    return firstStart;
  }

  /**
   * Attaches all programs to a cgroup and pins their links. Pinned links of the same cgroup get the
   * new programs atomically; links whose cgroup is gone are replaced. Links to another cgroup that
   * lives are not touched, see {@link AttachResult.Elsewhere}. On failure the links are as they
   * were, and if this was the first start, the maps are unpinned too.
   */
  public AttachResult attach(Path cgroup) throws KernelException {
    return attach(cgroup, false);
  }

  /** As {@link #attach}, and links to another cgroup are detached from it and replaced. */
  public AttachResult attachReplacing(Path cgroup) throws KernelException {
    return attach(cgroup, true);
  }

  private AttachResult attach(Path cgroup, boolean replace) throws KernelException {
    try {
      AttachResult result = new Attacher(pins, object).attach(cgroup, replace);
      if (result instanceof AttachResult.Attached) {
        pinned.forget();
      }
      return result;
    } catch (KernelException refused) {
      if (firstStart) {
        pinned.run(refused);
      }
      throw refused;
    }
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
    store.close();
    maps.close();
    object.close();
    lock.close();
  }
}
