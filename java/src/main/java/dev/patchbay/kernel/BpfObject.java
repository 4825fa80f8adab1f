// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.BpfObjects;
import dev.patchbay.kernel.sys.MapShape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/**
 * Programs and maps of an object file, loaded into the kernel. Closing gives up this process's
 * descriptors: what is pinned or attached stays. One thread at a time.
 */
final class BpfObject implements AutoCloseable {
  private static final int LOG_BYTES = 4 << 20;
  private static final String CONSTANTS = ".rodata";

  private final Arena arena;
  private final Recipe recipe;
  private long handle;

  private BpfObject(Arena arena, Recipe recipe, long handle) {
    this.arena = arena;
    this.recipe = recipe;
    this.handle = handle;
  }

  /** What to load. */
  static final class Recipe {
    private final String name;
    private final byte[] elf;
    private final Map<PatchbayMap, Integer> sizes;
    private final long node;
    private final ObjectBtf btf;

    /**
     * Of a file's name, for messages, its bytes, the entries of those maps that differ from it, and
     * the cookie of the node's network namespace, 0 if it is not known.
     */
    Recipe(String name, byte[] elf, Map<PatchbayMap, Integer> sizes, long node) {
      this.name = name;
      this.elf = elf;
      this.sizes = Map.copyOf(sizes);
      this.node = node;
      this.btf = new ObjectBtf(elf);
    }

    /** What the file says about itself. */
    ObjectBtf btf() {
      return btf;
    }
  }

  /** What its file says about itself. */
  ObjectBtf btf() {
    return recipe.btf();
  }

  /** The maps that the recipe describes. */
  static Map<PatchbayMap, MapShape> shapes(Recipe recipe) throws KernelException {
    try (BpfObject object = open(recipe)) {
      Map<PatchbayMap, MapShape> shapes = new EnumMap<>(PatchbayMap.class);
      for (PatchbayMap map : PatchbayMap.values()) {
        shapes.put(map, BpfObjects.shape(object.map(map)));
      }
      return shapes;
    }
  }

  /**
   * Loads, with existing maps in place of those of the file.
   *
   * @param reused the caller's; they stay open
   * @param logDirectory where the verifier's log is written if it refuses a program
   */
  static BpfObject load(Recipe recipe, Map<PatchbayMap, BpfMap> reused, Path logDirectory)
      throws KernelException {
    BpfObject object = open(recipe);
    try {
      object.reuse(reused);
      int result = BpfObjects.bpf_object__load(object.handle);
      if (result < 0) {
        throw explain(recipe, reused, logDirectory, result);
      }
      return object;
    } catch (KernelException refused) {
      object.close();
      throw refused;
    }
  }

  private static BpfObject open(Recipe recipe) throws KernelException {
    Arena arena = Arena.ofShared();
    MemorySegment elf = arena.allocateFrom(ValueLayout.JAVA_BYTE, recipe.elf);
    long handle = BpfObjects.bpf_object__open_mem(elf, "patchbay");
    if (handle < 0 && handle >= -4095) {
      arena.close();
      throw KernelException.of((int) handle, new Operation("parse", recipe.name));
    }
    BpfObject object = new BpfObject(arena, recipe, handle);
    try {
      for (Map.Entry<PatchbayMap, Integer> size : recipe.sizes.entrySet()) {
        KernelException.check(
            BpfObjects.bpf_map__set_max_entries(object.map(size.getKey()), size.getValue()),
            new Operation("size", "map " + size.getKey().mapName(), size.getValue() + " entries"));
      }
      object.setConstants(recipe.node);
      return object;
    } catch (KernelException refused) {
      object.close();
      throw refused;
    }
  }

  /** The only constant that programs have is {@code pb_node_netns_cookie}. */
  private void setConstants(long node) throws KernelException {
    long constants = found(BpfObjects.bpf_object__find_map_by_name(handle, CONSTANTS), CONSTANTS);
    try (Arena value = Arena.ofConfined()) {
      KernelException.check(
          BpfObjects.bpf_map__set_initial_value(
              constants, value.allocateFrom(ValueLayout.JAVA_LONG, node)),
          new Operation("set", "constants", recipe.name));
    }
  }

  private void reuse(Map<PatchbayMap, BpfMap> reused) throws KernelException {
    for (Map.Entry<PatchbayMap, BpfMap> entry : reused.entrySet()) {
      KernelException.check(
          BpfObjects.bpf_map__reuse_fd(map(entry.getKey()), entry.getValue().fd()),
          new Operation("reuse", "map " + entry.getKey().mapName()));
    }
  }

  /** Loads once more with a log for each program, and makes the error of what comes out. */
  private static KernelException explain(
      Recipe recipe, Map<PatchbayMap, BpfMap> reused, Path logDirectory, int errno)
      throws KernelException {
    try (Arena logs = Arena.ofConfined();
        BpfObject object = open(recipe)) {
      Map<Hook, MemorySegment> buffers = new EnumMap<>(Hook.class);
      for (Hook hook : Hook.values()) {
        MemorySegment buffer = logs.allocate(LOG_BYTES);
        buffers.put(hook, buffer);
        KernelException.check(
            BpfObjects.bpf_program__set_log_buf(object.program(hook), buffer),
            new Operation("keep the log of", "program " + hook.program()));
      }
      object.reuse(reused);
      int result = BpfObjects.bpf_object__load(object.handle);
      for (Map.Entry<Hook, MemorySegment> entry : buffers.entrySet()) {
        String log = entry.getValue().getString(0);
        if (result < 0 && !log.isBlank()) {
          return refused(entry.getKey().program(), result, log, logDirectory);
        }
      }
    }
    return KernelException.of(errno, new Operation("load", recipe.name));
  }

  private static KernelException refused(String program, int errno, String log, Path directory) {
    Operation operation = new Operation("load", "program " + program);
    Path file = directory.resolve("verifier-" + program + ".log");
    KernelException.Verifier refused =
        new KernelException.Verifier(operation, errno, summary(log), log, file);
    try {
      Files.createDirectories(directory);
      Files.writeString(file, log);
    } catch (IOException failed) {
      refused.addSuppressed(failed);
    }
    return refused;
  }

  /** The verifier gives its reason last, before the statistics. */
  static String summary(String log) {
    return log.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("processed "))
        .reduce((earlier, later) -> later)
        .orElse("no reason given");
  }

  int mapFd(PatchbayMap map) throws KernelException {
    return KernelException.check(
        BpfObjects.bpf_map__fd(map(map)), new Operation("load", "map " + map.mapName()));
  }

  int programFd(Hook hook) throws KernelException {
    return KernelException.check(
        BpfObjects.bpf_program__fd(program(hook)), new Operation("load", hook.program()));
  }

  private long map(PatchbayMap map) throws KernelException {
    return found(BpfObjects.bpf_object__find_map_by_name(handle, map.mapName()), map.mapName());
  }

  private long program(Hook hook) throws KernelException {
    return found(
        BpfObjects.bpf_object__find_program_by_name(handle, hook.program()), hook.program());
  }

  private long found(long part, String partName) throws KernelException {
    if (part == 0) {
      throw new KernelException.NotFound(
          new Operation("find", partName, recipe.name), "the object file has none of that name");
    }
    return part;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (handle != 0) {
      BpfObjects.bpf_object__close(handle);
      handle = 0;
      arena.close();
    }
  }
}
