// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.BpfObjects;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Loads a program of an object file of its own over the maps of the dataplane. */
final class SideObject {
  private static final int LOG_BYTES = 1 << 20;

  private SideObject() {}

  /**
   * What is to be done with the program.
   *
   * @param <T> what is made of it
   */
  @FunctionalInterface
  interface Use<T> {
    /**
     * Makes a link of it, which holds the program, and that the maps.
     *
     * @param object libbpf's handle of what was loaded; valid during the call
     * @param program descriptor of the program; valid during the call
     */
    T link(long object, int program) throws KernelException;
  }

  /**
   * Loads a program and hands it to somebody who makes a link of it.
   *
   * @param maps stay the caller's
   * @throws KernelException if the kernel refuses the program or the link
   */
  static <T> T use(ObjectFile file, String name, MapSet maps, Use<T> use) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment elf = arena.allocateFrom(ValueLayout.JAVA_BYTE, file.bytes());
      long object = BpfObjects.bpf_object__open_mem(elf, "patchbay");
      if (object < 0 && object >= -4095) {
        throw KernelException.of((int) object, new Operation("parse", file.file()));
      }
      try {
        return use.link(object, load(object, name, maps, arena.allocate(LOG_BYTES)));
      } finally {
        BpfObjects.bpf_object__close(object);
      }
    }
  }

  private static int load(long object, String name, MapSet maps, MemorySegment log)
      throws KernelException {
    for (PatchbayMap map : PatchbayMap.values()) {
      long found = BpfObjects.bpf_object__find_map_by_name(object, map.mapName());
      if (found != 0) {
        KernelException.check(
            BpfObjects.bpf_map__reuse_fd(found, maps.get(map).fd()),
            new Operation("reuse", "map " + map.mapName()));
      }
    }
    long program = BpfObjects.bpf_object__find_program_by_name(object, name);
    if (program == 0) {
      throw new IllegalStateException("the build left out " + name);
    }
    KernelException.check(
        BpfObjects.bpf_program__set_log_buf(program, log),
        new Operation("keep the log of", "program " + name));
    int result = BpfObjects.bpf_object__load(object);
    if (result < 0) {
      String said = log.getString(0);
      String reason = said.isBlank() ? "" : BpfObject.summary(said);
      throw KernelException.of(result, new Operation("load", "program " + name, reason));
    }
    return BpfObjects.bpf_program__fd(program);
  }
}
