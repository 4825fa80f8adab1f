// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.observe.BindConflictListener;
import dev.patchbay.observe.Counters;
import dev.patchbay.observe.StatsSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Programs and maps, loaded and pinned, with one process as their writer.
 *
 * <p>Opening adopts the maps that are pinned and leaves them as they are. Programs run only once
 * they are attached. Closing gives up this process's descriptors and the lock: programs stay
 * attached, pins stay, and Services go on working.
 *
 * <p>One thread opens, attaches, listens and closes; {@link #counters} and {@link #report} are for
 * any.
 */
public final class Dataplane implements StatsSource, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Dataplane.class);

  private final Pins pins;
  private final List<Fd> locks;
  private final BpfObject object;
  private final MapSet maps;
  private final KernelStore store;
  private final boolean firstStart;
  private final Undo pinned;
  private @Nullable EventReader events;

  private Dataplane(
      Pins pins,
      List<Fd> locks,
      BpfObject object,
      MapSet maps,
      KernelStore store,
      boolean firstStart,
      Undo pinned) {
    this.pins = pins;
    this.locks = List.copyOf(locks);
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
   * @throws KernelException.Busy if another process has this dataplane open, be it in another
   *     version of the ABI
   * @throws KernelException.Verifier if the kernel refuses a program
   */
  public static Dataplane open(DataplaneOptions options) throws KernelException {
    requireLibrary();
    OptionalLong node = NetworkNamespace.cookie();
    if (node.isEmpty()) {
      log.warn(
          "the kernel cannot name the node's network namespace (needs Linux 5.14):"
              + " node ports do not answer on loopback, and binding to one is not refused");
    }
    return open(options, node.orElse(0));
  }

  /** The same for a node whose network namespace has this cookie; 0: not known. */
  static Dataplane open(DataplaneOptions options, long node) throws KernelException {
    requireLibrary();
    Capabilities.require();
    ObjectFile file = fitting();
    return open(options, new BpfObject.Recipe(file.file(), file.bytes(), sizes(options), node));
  }

  static Dataplane open(DataplaneOptions options, BpfObject.Recipe recipe) throws KernelException {
    requireLibrary();
    BpfFs.ensure(options.bpfDir());
    Pins pins = new Pins(options.bpfDir());
    Undo undo = new Undo();
    try (Opened opened = new Opened()) {
      PinDirectory.create(pins, undo);
      Fd lock = opened.add(PinDirectory.lock(pins));
      List<Fd> otherLocks = new ArrayList<>();
      for (Pins other : pins.others()) {
        otherLocks.add(opened.add(PinDirectory.lock(other)));
      }
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
      List<Fd> locks = new ArrayList<>(otherLocks);
      locks.add(lock);
      return new Dataplane(pins, locks, object, maps, store, adopted.isEmpty(), undo);
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
   *
   * <p>Once the programs run, those of every other version of the ABI are detached and all that it
   * pinned is removed: in between both run, and a socket that the other translates first is left
   * alone by these.
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
        retireOthers();
      }
      return result;
    } catch (KernelException refused) {
      if (firstStart) {
        pinned.run(refused);
      }
      throw refused;
    }
  }

  private void retireOthers() throws KernelException {
    for (Pins other : pins.others()) {
      CleanupReport report = Cleanup.retire(other);
      log.info("replaced the programs of {}; pins removed: {}", other.version(), report.removed());
      report.left().forEach(left -> log.warn("left alone: {}", left));
    }
  }

  /**
   * Starts to hear of what the programs report, on a thread of its own, until this is closed. What
   * was reported since the last reader went is heard first, as far as it was not lost.
   *
   * @throws IllegalStateException if somebody listens already
   */
  public void listen(BindConflictListener listener) throws KernelException {
    if (events != null) {
      throw new IllegalStateException("one listener at a time");
    }
    events = EventReader.open(maps.get(PatchbayMap.EVENTS), listener);
    events.start();
  }

  /**
   * What finds sockets whose backend is gone. The caller closes it, before the dataplane.
   *
   * @throws KernelException if this kernel cannot (before 5.9, or without BTF)
   */
  public StaleSockets staleSockets() throws KernelException {
    return StaleSockets.open(maps);
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
    if (events != null) {
      events.close();
      events = null;
    }
    store.close();
    maps.close();
    object.close();
    locks.forEach(Fd::close);
  }
}
