// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.BindConflictListener;
import dev.patchbay.observe.Counters;
import dev.patchbay.observe.ServiceStats;
import dev.patchbay.observe.StatsSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Programs and maps, loaded and pinned, with one process as their writer.
 *
 * <p>Opening adopts the maps that are pinned and leaves them as they are; where the programs of
 * another version of the ABI run, see {@link Succession}. Programs run only once they are attached.
 * Closing gives up this process's descriptors and the lock: programs stay attached, pins stay, and
 * Services go on working.
 *
 * <p>One thread opens, attaches, listens and closes; {@link #counters}, {@link #usage}, {@link
 * #inspect} and {@link #report} are for any.
 */
public final class Dataplane implements StatsSource, AutoCloseable {
  /** How long replies to sockets of another version's programs are translated by those. */
  public static final Duration GRACE = Duration.ofSeconds(30);

  private static final Logger log = LoggerFactory.getLogger(Dataplane.class);

  private final Pins pins;
  private final List<Fd> locks;
  private final BpfObject object;
  private final MapSet maps;
  private final KernelStore store;
  private final boolean firstStart;
  private final Takeover takeover;
  private final Undo pinned;
  private final Guard guard;
  private @Nullable EventReader events;

  private Dataplane(
      Pins pins,
      List<Fd> locks,
      BpfObject object,
      MapSet maps,
      KernelStore store,
      Guard guard,
      boolean firstStart,
      Takeover takeover,
      Undo pinned) {
    this.pins = pins;
    this.locks = List.copyOf(locks);
    this.object = object;
    this.maps = maps;
    this.store = store;
    this.guard = guard;
    this.firstStart = firstStart;
    this.takeover = takeover;
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
    Pins pins = new Pins(options.bpfDir(), recipe.btf().abiVersion());
    Undo undo = new Undo();
    try (Opened opened = new Opened();
        Opened borrowed = new Opened()) {
      PinDirectory.create(pins, undo);
      List<Fd> locks = new ArrayList<>();
      locks.add(opened.add(PinDirectory.lock(pins)));
      for (Pins other : pins.others()) {
        locks.add(opened.add(PinDirectory.lock(other)));
      }
      Map<PatchbayMap, MapShape> wanted = BpfObject.shapes(recipe);
      Optional<Succession> succession = Succession.find(pins, recipe.btf(), wanted);
      succession.ifPresent(borrowed::add);
      Map<PatchbayMap, BpfMap> own =
          succession.isPresent()
              ? adoptOwnSockets(pins, wanted, succession.get(), borrowed)
              : adopt(pins, recipe.btf(), wanted, borrowed);
      Map<PatchbayMap, BpfMap> reused = new EnumMap<>(PatchbayMap.class);
      succession.ifPresent(from -> reused.putAll(from.kept()));
      reused.putAll(own);
      BpfObject object = opened.add(BpfObject.load(recipe, reused, options.logDirectory()));
      for (PatchbayMap map : PatchbayMap.values()) {
        if (!own.containsKey(map)) {
          pin(object, map, pins, undo);
        }
        Path layout = pins.layout(map);
        if (LayoutRecord.write(layout, recipe.btf().layout(map))) {
          undo.deleting(layout);
        }
      }
      MapSet maps = opened.add(MapSet.open(pins));
      if (succession.isPresent()) {
        succession.get().fill(maps);
      }
      KernelStore store =
          opened.add(
              KernelStore.over(
                  maps.get(PatchbayMap.FRONTENDS),
                  maps.get(PatchbayMap.SERVICES),
                  maps.get(PatchbayMap.BACKENDS)));
      Guard guard = Guard.over(pins, maps, object);
      opened.keep();
      return new Dataplane(
          pins,
          locks,
          object,
          maps,
          store,
          guard,
          own.isEmpty(),
          new Takeover(pins, succession.isPresent(), sharing(pins, maps)),
          undo);
    } catch (KernelException refused) {
      undo.run(refused);
      throw refused;
    }
  }

  /** The version of the ABI of programs and maps; part of the path of every pin. */
  public static int abiVersion() {
    return ObjectFile.abiVersion();
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

  private static Map<PatchbayMap, Integer> sizes(DataplaneOptions options) throws KernelException {
    int cpus =
        KernelException.check(
            Bpf.libbpf_num_possible_cpus(), new Operation("count", "possible CPUs"));
    return Map.of(
        PatchbayMap.FRONTENDS, options.capacity().frontends(),
        PatchbayMap.SERVICES, options.capacity().services(),
        PatchbayMap.BACKENDS, options.capacity().backends(),
        PatchbayMap.AFFINITY, options.affinityEntries(cpus),
        PatchbayMap.UDP_FLOWS, options.udpFlowEntries(cpus));
  }

  private static Map<PatchbayMap, BpfMap> adopt(
      Pins pins, ObjectBtf btf, Map<PatchbayMap, MapShape> wanted, Opened borrowed)
      throws KernelException {
    Map<PatchbayMap, BpfMap> adopted = new EnumMap<>(PatchbayMap.class);
    for (Map.Entry<PatchbayMap, MapShape> entry : wanted.entrySet()) {
      PatchbayMap map = entry.getKey();
      if (Files.exists(pins.map(map))) {
        BpfMap found = borrowed.add(BpfMap.pinned(map, pins.map(map)));
        if (!map.fits(wanted, found.shape())) {
          throw MapSet.incompatible(map, found.shape(), entry.getValue(), pins);
        }
        Optional<String> layout = LayoutRecord.read(pins.layout(map));
        if (layout.isPresent() && !layout.get().equals(btf.layout(map))) {
          throw MapSet.incompatible(map, layout.get(), btf.layout(map), pins);
        }
        adopted.put(map, found);
      }
    }
    return adopted;
  }

  /**
   * What sockets remember from a time when this version's programs ran, which were replaced by
   * those of another version that does not know these maps.
   */
  private static Map<PatchbayMap, BpfMap> adoptOwnSockets(
      Pins pins, Map<PatchbayMap, MapShape> wanted, Succession succession, Opened borrowed)
      throws KernelException {
    Map<PatchbayMap, BpfMap> adopted = new EnumMap<>(PatchbayMap.class);
    for (PatchbayMap map : PatchbayMap.values()) {
      if (map.legacy() == PatchbayMap.Legacy.OF_SOCKETS
          && !succession.keepsSockets()
          && Files.exists(pins.map(map))) {
        BpfMap found = borrowed.add(BpfMap.pinned(map, pins.map(map)));
        if (map.fits(wanted, found.shape())) {
          adopted.put(map, found);
        }
      }
    }
    return adopted;
  }

  /** Other versions that work with the same map of what sockets remember. */
  private static List<Pins> sharing(Pins pins, MapSet maps) throws KernelException {
    List<Pins> sharing = new ArrayList<>();
    for (Pins other : pins.others()) {
      Path path = other.map(PatchbayMap.SOCKET_STATE);
      if (Files.exists(path)) {
        try (BpfMap theirs = BpfMap.pinned(PatchbayMap.SOCKET_STATE, path)) {
          if (theirs.id() == maps.get(PatchbayMap.SOCKET_STATE).id()) {
            sharing.add(other);
          }
        }
      }
    }
    return sharing;
  }

  private static void pin(BpfObject object, PatchbayMap map, Pins pins, Undo undo)
      throws KernelException {
    Path path = pins.map(map);
    Operation operation = new Operation("pin", "map " + map.mapName(), path.toString());
    try {
      boolean ignored = Files.deleteIfExists(path); // of an attempt that was broken off
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
    KernelException.check(Bpf.bpf_obj_pin(object.mapFd(map), path), operation);
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
   * were, and if this was the first start of this version of the ABI, the maps are unpinned too.
   *
   * <p>The place of another version of the ABI is taken link by link where both work with the same
   * maps of what sockets remember. Where they do not, both run for a moment; then the programs of
   * the other version go, but for those that translate replies: they stay for {@link #GRACE}, and
   * if this is closed before, for that time again after the next attach. In the end all that older
   * and newer versions have pinned is removed.
   */
  public AttachResult attach(Path cgroup) throws KernelException {
    return attach(cgroup, false, GRACE);
  }

  /** As {@link #attach}, and links to another cgroup are detached from it and replaced. */
  public AttachResult attachReplacing(Path cgroup) throws KernelException {
    return attach(cgroup, true, GRACE);
  }

  /** The same with another time for the last programs of another version. */
  AttachResult attach(Path cgroup, boolean replace, Duration grace) throws KernelException {
    try {
      AttachResult result = new Attacher(pins, object, takeover.sharing()).attach(cgroup, replace);
      if (result instanceof AttachResult.Attached) {
        pinned.forget();
        guard.attached();
        takeover.finish(grace);
      }
      return result;
    } catch (KernelException refused) {
      if (firstStart || takeover.underWay()) {
        pinned.run(refused);
      }
      throw refused;
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

  /** Tells what sockets did at each Service port, by its id; any thread. */
  public void serviceStats(BiConsumer<Long, ServiceStats> to) throws KernelException {
    StatsReader.services(maps.get(PatchbayMap.SERVICE_STATS), to);
  }

  /** Tells what sockets did at each backend of Services that ask for it; any thread. */
  public void backendStats(BiConsumer<BackendStatsKey, BackendStats> to) throws KernelException {
    StatsReader.backends(maps.get(PatchbayMap.BACKEND_STATS), to);
  }

  /** Forgets what was counted at Service ports, by their ids; any thread. */
  public void forgetServiceStats(Set<Long> ids) throws KernelException {
    StatsReader.forgetServices(maps.get(PatchbayMap.SERVICE_STATS), ids);
  }

  /** Forgets what was counted at backends; any thread. */
  public void forgetBackendStats(Set<BackendStatsKey> keys) throws KernelException {
    StatsReader.forgetBackends(maps.get(PatchbayMap.BACKEND_STATS), keys);
  }

  /** How full each map is now. */
  public List<MapUsage> usage() throws KernelException {
    return maps.usage(store.occupied());
  }

  /**
   * Begins to time connections until what is returned is closed; any thread.
   *
   * @param cgroup the one that was attached to
   */
  public ConnectTimes timeConnects(Path cgroup) throws KernelException {
    return ConnectTimes.open(maps, cgroup);
  }

  /**
   * What others did to links, programs and pins since {@link #attach}; any thread.
   *
   * @param cgroup the one that was attached to
   * @throws KernelException.NotFound if that cgroup is gone
   */
  public Inspection inspect(Path cgroup) throws KernelException {
    return guard.inspect(cgroup);
  }

  /**
   * Puts back what {@link #inspect} found amiss, as far as it can be: pins what is not pinned,
   * attaches what is not attached. On the thread that attaches. A link that still lives is only
   * pinned again; its program never ceases to run.
   */
  public AttachResult repair(Path cgroup) throws KernelException {
    guard.pinAgain(pins.bpfDir(), Cgroups.id(cgroup));
    return attach(cgroup);
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
    takeover.close();
    if (events != null) {
      events.close();
      events = null;
    }
    store.close();
    guard.close();
    maps.close();
    object.close();
    locks.forEach(Fd::close);
  }
}
