// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.kernel.PatchbayMap.Legacy;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one version of the ABI takes over from the version whose programs run, newer or older.
 *
 * <p>A map is taken over if keys and values have the same layout in both, which the {@link
 * LayoutRecord} beside its pin says, and if its size is the same. {@code frontends} comes first: it
 * gives every Service its index, and what other maps hold means nothing without. So either it is
 * copied, and every Service keeps its index, or everything starts anew. One thread.
 */
final class Succession implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Succession.class);
  private static final int GENERATIONS = 1 << 24;

  private final Pins from;
  private final Opened opened = new Opened();
  private final Map<PatchbayMap, BpfMap> theirs = new EnumMap<>(PatchbayMap.class);
  private final Set<PatchbayMap> different = EnumSet.noneOf(PatchbayMap.class);

  /** {@code services} of versions whose generations sockets may remember. */
  private final List<BpfMap> generations = new ArrayList<>();

  private boolean unknownGenerations;

  private Succession(Pins from) {
    this.from = from;
  }

  /**
   * Looks for a version whose programs decide where connections go. That is the one that holds the
   * link of {@link Hook#decisive}; links move one after the other, and that one last.
   *
   * @return empty if no other version does: then there is nothing to take over
   */
  static Optional<Succession> find(Pins pins, ObjectBtf btf, Map<PatchbayMap, MapShape> wanted)
      throws KernelException {
    if (Files.exists(pins.link(Hook.decisive()))) {
      return Optional.empty();
    }
    for (Pins other : pins.others()) {
      if (Files.exists(other.link(Hook.decisive()))) {
        Succession succession = new Succession(other);
        try {
          succession.compare(btf, wanted);
          succession.remember(pins, wanted);
          succession.tell();
          return Optional.of(succession);
        } catch (KernelException refused) {
          succession.close();
          throw refused;
        }
      }
    }
    return Optional.empty();
  }

  private void compare(ObjectBtf btf, Map<PatchbayMap, MapShape> wanted) throws KernelException {
    for (PatchbayMap map : PatchbayMap.values()) {
      if (map.legacy() != Legacy.NONE && Files.exists(from.map(map))) {
        BpfMap found = opened.add(BpfMap.pinned(map, from.map(map)));
        Optional<String> layout = LayoutRecord.read(from.layout(map));
        if (map.fits(wanted, found.shape()) && layout.equals(Optional.of(btf.layout(map)))) {
          theirs.put(map, found);
        } else {
          different.add(map);
        }
      }
    }
  }

  /** Finds the generations that must not come again. */
  private void remember(Pins pins, Map<PatchbayMap, MapShape> wanted) throws KernelException {
    BpfMap services = theirs.get(PatchbayMap.SERVICES);
    if (services != null) {
      generations.add(services);
    } else {
      unknownGenerations = true;
    }
    // of an attempt that was broken off, or of a time before the other version
    if (Files.exists(pins.map(PatchbayMap.SERVICES))) {
      BpfMap own = opened.add(BpfMap.pinned(PatchbayMap.SERVICES, pins.map(PatchbayMap.SERVICES)));
      if (own.shape().equals(wanted.get(PatchbayMap.SERVICES))) {
        generations.add(own);
      } else {
        unknownGenerations = true;
      }
    }
  }

  private void tell() {
    log.atInfo()
        .addKeyValue("version", from.version())
        .log(
            "taking the place of another version: session affinity {}, sockets {}",
            keeps(PatchbayMap.AFFINITY) ? "is kept" : "starts anew",
            keepsSockets() ? "keep what they remember" : "forget which Service they connected to");
    if (!different.isEmpty()) {
      log.atInfo()
          .addKeyValue("version", from.version())
          .addKeyValue("maps", different)
          .log("maps of another layout or size");
    }
  }

  private boolean keepsIndexes() {
    return theirs.containsKey(PatchbayMap.FRONTENDS);
  }

  private boolean keeps(PatchbayMap map) {
    return keepsIndexes() && theirs.containsKey(map);
  }

  /** Whether both versions work with the same maps for what sockets remember. */
  boolean keepsSockets() {
    return keeps(PatchbayMap.SOCKET_STATE)
        && different.stream().noneMatch(map -> map.legacy() == Legacy.OF_SOCKETS);
  }

  /** The maps of the other version that are to be those of this one; they stay this object's. */
  Map<PatchbayMap, BpfMap> kept() {
    Map<PatchbayMap, BpfMap> kept = new EnumMap<>(PatchbayMap.class);
    theirs.forEach(
        (map, found) -> {
          boolean keep =
              switch (map.legacy()) {
                case OF_SOCKETS -> keepsSockets();
                case KEPT -> keepsIndexes();
                case COPIED, NONE -> false;
              };
          if (keep) {
            kept.put(map, found);
          }
        });
    return kept;
  }

  /**
   * Fills the new, empty maps with what is to be copied. Services get a generation that no socket
   * can have met: one that remembers a Service and a generation takes them for proof.
   */
  void fill(MapSet maps) throws KernelException {
    if (!keepsIndexes()) {
      return;
    }
    copyFrontends(maps.get(PatchbayMap.FRONTENDS));
    boolean whole = keeps(PatchbayMap.SERVICES) && keeps(PatchbayMap.BACKENDS);
    if (whole) {
      copyArray(PatchbayMap.BACKENDS, maps);
      copyArray(PatchbayMap.SERVICES, maps);
    }
    raiseGenerations(maps.get(PatchbayMap.SERVICES));
  }

  private BpfMap their(PatchbayMap map) {
    BpfMap found = theirs.get(map);
    if (found == null) {
      throw new IllegalStateException(map + " is not kept");
    }
    return found;
  }

  private void copyFrontends(BpfMap to) throws KernelException {
    KernelException[] failed = new KernelException[1];
    their(PatchbayMap.FRONTENDS)
        .forEach(
            (keys, values, count) -> {
              MemorySegment someKeys = keys.asSlice(0, (long) count * FrontendKeyCodec.SIZE);
              MemorySegment someValues = values.asSlice(0, (long) count * FrontendValueCodec.SIZE);
              if (count > 0 && failed[0] == null) {
                Batch batch = to.update(someKeys, someValues, count);
                if (batch.result() < 0) {
                  failed[0] =
                      KernelException.ofElement(
                          batch.result(), new Operation("copy", "map " + to.name()));
                }
              }
            });
    if (failed[0] != null) {
      throw failed[0];
    }
  }

  private void copyArray(PatchbayMap map, MapSet maps) throws KernelException {
    try (MappedArray source = MappedArray.map(their(map), false);
        MappedArray target = MappedArray.map(maps.get(map), true)) {
      target.memory().copyFrom(source.memory());
    }
  }

  private void raiseGenerations(BpfMap services) throws KernelException {
    int count = services.shape().maxEntries();
    int[] highest = new int[count];
    for (BpfMap other : generations) {
      try (MappedArray array = MappedArray.map(other, false)) {
        for (int i = 0; i < count; i++) {
          ServiceWord word = ServiceCodec.word(array.memory(), (long) i * ServiceCodec.SIZE);
          highest[i] = Math.max(highest[i], word.generation());
        }
      }
    }
    try (MappedArray array = MappedArray.map(services, true)) {
      for (int i = 0; i < count; i++) {
        int generation =
            unknownGenerations
                ? ThreadLocalRandom.current().nextInt(GENERATIONS)
                : highest[i] == 0 ? 0 : (highest[i] + 1) % GENERATIONS;
        if (generation != 0) {
          long at = (long) i * ServiceCodec.SIZE;
          ServiceWord word = ServiceCodec.word(array.memory(), at);
          ServiceCodec.setWord(
              array.memory(), at, new ServiceWord(word.base(), word.count(), generation));
        }
      }
    }
  }

  /** Gives up descriptors. Idempotent. */
  @Override
  public void close() {
    opened.close();
  }
}
