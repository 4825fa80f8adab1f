// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;
import dev.patchbay.bindings.libbpf.bpf_object_open_opts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code bpf/libbpf.h} over one {@code bpf_object}. Handles are addresses; 0 means
 * that there is no such map or program. One thread at a time.
 */
@SuppressWarnings("MemberName") // named as in C, so that a search finds both sides
public final class BpfObjects {
  private static final MethodHandle OPEN_MEM =
      Captured.handle(
          LibBpf.bpf_object__open_mem$address(), LibBpf.bpf_object__open_mem$descriptor());

  private BpfObjects() {}

  /**
   * Parses an object file.
   *
   * @param elf its bytes, which must stay until the object is closed
   * @return a handle, or {@code -errno}
   */
  public static long bpf_object__open_mem(MemorySegment elf, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment opts = arena.allocate(bpf_object_open_opts.layout());
      bpf_object_open_opts.sz(opts, opts.byteSize());
      bpf_object_open_opts.object_name(opts, arena.allocateFrom(name));
      MemorySegment state = Captured.state(arena);
      MemorySegment object = (MemorySegment) OPEN_MEM.invokeExact(state, elf, elf.byteSize(), opts);
      return object.address() != 0 ? object.address() : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** Creates the maps and loads the programs; 0, or {@code -errno}. */
  public static int bpf_object__load(long object) {
    return LibBpf.bpf_object__load(at(object));
  }

  /** Frees the object and closes its descriptors. */
  public static void bpf_object__close(long object) {
    LibBpf.bpf_object__close(at(object));
  }

  public static long bpf_object__find_map_by_name(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return LibBpf.bpf_object__find_map_by_name(at(object), arena.allocateFrom(name)).address();
    }
  }

  public static long bpf_object__find_program_by_name(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return LibBpf.bpf_object__find_program_by_name(at(object), arena.allocateFrom(name))
          .address();
    }
  }

  /** What the object file says about a map. */
  public static MapShape shape(long map) {
    return new MapShape(
        LibBpf.bpf_map__type(at(map)),
        LibBpf.bpf_map__key_size(at(map)),
        LibBpf.bpf_map__value_size(at(map)),
        LibBpf.bpf_map__max_entries(at(map)),
        LibBpf.bpf_map__map_flags(at(map)));
  }

  /** Sets the capacity before loading; 0, or {@code -errno}. */
  public static int bpf_map__set_max_entries(long map, int entries) {
    return LibBpf.bpf_map__set_max_entries(at(map), entries);
  }

  /**
   * Sets what a map begins with, before loading; 0, or {@code -errno}, {@code -EINVAL} if {@code
   * content} is not as long as the map's value.
   */
  public static int bpf_map__set_initial_value(long map, MemorySegment content) {
    return LibBpf.bpf_map__set_initial_value(at(map), content, content.byteSize());
  }

  /** Lets loading use an existing map, whose descriptor is duplicated; 0, or {@code -errno}. */
  public static int bpf_map__reuse_fd(long map, int fd) {
    return LibBpf.bpf_map__reuse_fd(at(map), fd);
  }

  /** The descriptor of a map after loading; it belongs to the object. */
  public static int bpf_map__fd(long map) {
    return LibBpf.bpf_map__fd(at(map));
  }

  /** The descriptor of a program after loading; it belongs to the object. */
  public static int bpf_program__fd(long program) {
    return LibBpf.bpf_program__fd(at(program));
  }

  /**
   * Where the verifier's log of this program goes if it is refused; 0, or {@code -errno}.
   *
   * @param log must stay until the program is loaded
   */
  public static int bpf_program__set_log_buf(long program, MemorySegment log) {
    return LibBpf.bpf_program__set_log_buf(at(program), log, log.byteSize());
  }

  private static MemorySegment at(long handle) {
    return MemorySegment.ofAddress(handle);
  }
}
