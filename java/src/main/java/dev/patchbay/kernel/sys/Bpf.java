// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;
import dev.patchbay.bindings.libbpf.bpf_link_create_opts;
import dev.patchbay.bindings.libbpf.bpf_link_info;
import dev.patchbay.bindings.libbpf.bpf_map_batch_opts;
import dev.patchbay.bindings.libbpf.bpf_map_create_opts;
import dev.patchbay.bindings.libbpf.bpf_map_info;
import dev.patchbay.bindings.libbpf.bpf_prog_info;
import dev.patchbay.bindings.libbpf.bpf_prog_load_opts;
import dev.patchbay.bindings.libbpf.bpf_prog_query_opts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The functions of {@code bpf/bpf.h}, each one system call. All may be called by any thread. Names
 * and results are those of C, see the package.
 */
@SuppressWarnings("MemberName") // named as in C, so that a search finds both sides
public final class Bpf {
  /** Kernel names have 15 characters and a zero. */
  private static final int MAX_NAME = 15;

  private static final int MAX_PROGRAMS = 64; // a cgroup hook runs at most 64, BPF_CGROUP_MAX_PROGS

  private Bpf() {}

  /**
   * Creates a map.
   *
   * @param flags {@code BPF_F_*}
   * @param innerMapFd the pattern of the maps that a map of maps holds; else 0
   * @return a file descriptor, or {@code -errno}
   */
  public static int bpf_map_create(
      MapType type,
      String name,
      int keySize,
      int valueSize,
      int maxEntries,
      int flags,
      int innerMapFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment opts = arena.allocate(bpf_map_create_opts.layout());
      bpf_map_create_opts.sz(opts, opts.byteSize());
      bpf_map_create_opts.map_flags(opts, flags);
      bpf_map_create_opts.inner_map_fd(opts, innerMapFd);
      return LibBpf.bpf_map_create(
          type.number(), arena.allocateFrom(name), keySize, valueSize, maxEntries, opts);
    }
  }

  /** {@code BPF_RINGBUF_BUSY_BIT}: the record is being written. */
  public static int ringbufBusyBit() {
    return LibBpf.BPF_RINGBUF_BUSY_BIT();
  }

  /** {@code BPF_RINGBUF_DISCARD_BIT}: the record is to be passed over. */
  public static int ringbufDiscardBit() {
    return LibBpf.BPF_RINGBUF_DISCARD_BIT();
  }

  /** {@code BPF_RINGBUF_HDR_SZ}: bytes before each record. */
  public static int ringbufHeaderSize() {
    return LibBpf.BPF_RINGBUF_HDR_SZ();
  }

  /** {@code BPF_F_MMAPABLE}. */
  public static int mmapable() {
    return LibBpf.BPF_F_MMAPABLE();
  }

  /** Inserts or replaces one element ({@code BPF_ANY}); 0, or {@code -errno}. */
  public static int bpf_map_update_elem(int fd, MemorySegment key, MemorySegment value) {
    return LibBpf.bpf_map_update_elem(fd, key, value, LibBpf.BPF_ANY());
  }

  /** Deletes one element; 0, or {@code -errno}. */
  public static int bpf_map_delete_elem(int fd, MemorySegment key) {
    return LibBpf.bpf_map_delete_elem(fd, key);
  }

  /** Reads one element; for a per-CPU map, the values of all possible CPUs. */
  public static int bpf_map_lookup_elem(int fd, MemorySegment key, MemorySegment value) {
    return LibBpf.bpf_map_lookup_elem(fd, key, value);
  }

  /**
   * Inserts or replaces {@code count} elements in order and stops at the first that fails. Kernel
   * 5.6.
   */
  public static Batch bpf_map_update_batch(
      int fd, MemorySegment keys, MemorySegment values, int count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, count);
      int result = LibBpf.bpf_map_update_batch(fd, keys, values, number, batchOpts(arena));
      return written(result, number, count);
    }
  }

  /** Deletes {@code count} elements in order and stops at the first that fails. Kernel 5.6. */
  public static Batch bpf_map_delete_batch(int fd, MemorySegment keys, int count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, count);
      int result = LibBpf.bpf_map_delete_batch(fd, keys, number, batchOpts(arena));
      return written(result, number, count);
    }
  }

  /** A call that is refused before it begins leaves the number as it was; none were dealt with. */
  private static Batch written(int result, MemorySegment number, int asked) {
    int count = number.get(ValueLayout.JAVA_INT, 0);
    return new Batch(result, result < 0 && count == asked ? 0 : count);
  }

  /**
   * Reads some elements. Kernel 5.6.
   *
   * @param position where to begin, {@code NULL} for the start
   * @param next receives where to go on: as long as a key, at least 4 bytes
   * @param count room in {@code keys} and {@code values}, in elements
   * @return {@code -ENOENT} with the last elements; {@code -ENOSPC} if there is not enough room for
   *     one hash bucket
   */
  public static Batch bpf_map_lookup_batch(
      int fd,
      MemorySegment position,
      MemorySegment next,
      MemorySegment keys,
      MemorySegment values,
      int count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, count);
      int result =
          LibBpf.bpf_map_lookup_batch(fd, position, next, keys, values, number, batchOpts(arena));
      return new Batch(result, number.get(ValueLayout.JAVA_INT, 0));
    }
  }

  private static MemorySegment batchOpts(Arena arena) {
    MemorySegment opts = arena.allocate(bpf_map_batch_opts.layout());
    bpf_map_batch_opts.sz(opts, opts.byteSize());
    return opts;
  }

  /** Pins an object; 0, or {@code -errno}. */
  public static int bpf_obj_pin(int fd, Path path) {
    try (Arena arena = Arena.ofConfined()) {
      return LibBpf.bpf_obj_pin(fd, arena.allocateFrom(path.toString()));
    }
  }

  /** Opens what is pinned; a file descriptor, or {@code -errno}. */
  public static int bpf_obj_get(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      return LibBpf.bpf_obj_get(arena.allocateFrom(path.toString()));
    }
  }

  /** {@code bpf_obj_get_info_by_fd} of a map. */
  public static Answer<MapInfo> mapInfo(int fd) {
    return info(
        fd,
        bpf_map_info.layout().byteSize(),
        info ->
            new MapInfo(
                bpf_map_info.id(info),
                bpf_map_info.name(info).getString(0),
                new MapShape(
                    bpf_map_info.type(info),
                    bpf_map_info.key_size(info),
                    bpf_map_info.value_size(info),
                    bpf_map_info.max_entries(info),
                    bpf_map_info.map_flags(info))));
  }

  /** {@code bpf_obj_get_info_by_fd} of a program. */
  public static Answer<ProgramInfo> programInfo(int fd) {
    return info(
        fd,
        bpf_prog_info.layout().byteSize(),
        info -> new ProgramInfo(bpf_prog_info.id(info), bpf_prog_info.name(info).getString(0)));
  }

  /** {@code bpf_obj_get_info_by_fd} of a link. */
  public static Answer<LinkInfo> linkInfo(int fd) {
    return info(
        fd,
        bpf_link_info.layout().byteSize(),
        info -> {
          boolean cgroup = bpf_link_info.type(info) == LibBpf.BPF_LINK_TYPE_CGROUP();
          MemorySegment part = bpf_link_info.cgroup(info);
          return new LinkInfo(
              bpf_link_info.id(info),
              cgroup,
              bpf_link_info.prog_id(info),
              cgroup ? bpf_link_info.cgroup.cgroup_id(part) : 0,
              cgroup ? bpf_link_info.cgroup.attach_type(part) : 0);
        });
  }

  private static <T> Answer<T> info(int fd, long size, Function<MemorySegment, T> reader) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(size, Long.BYTES);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) size);
      int result = LibBpf.bpf_obj_get_info_by_fd(fd, info, length);
      return result < 0 ? new Answer<>(result, null) : new Answer<>(result, reader.apply(info));
    }
  }

  /** Attaches a program to a cgroup; the link's file descriptor, or {@code -errno}. */
  public static int bpf_link_create(int programFd, int cgroupFd, AttachType type) {
    return LibBpf.bpf_link_create(programFd, cgroupFd, type.number(), MemorySegment.NULL);
  }

  /**
   * {@code bpf_link_create} of an iterator over what a map holds. Kernel 5.9.
   *
   * @return the link's file descriptor, or {@code -errno}
   */
  public static int createMapIterator(int programFd, int mapFd) {
    try (Arena arena = Arena.ofConfined()) {
      // union bpf_iter_link_info, as far as it concerns maps: a descriptor. The kernel takes a
      // shorter union than its own, and a longer one only if the rest is zero.
      MemorySegment info = arena.allocateFrom(ValueLayout.JAVA_INT, mapFd);
      MemorySegment opts = arena.allocate(bpf_link_create_opts.layout());
      bpf_link_create_opts.sz(opts, opts.byteSize());
      bpf_link_create_opts.iter_info(opts, info);
      bpf_link_create_opts.iter_info_len(opts, (int) info.byteSize());
      return LibBpf.bpf_link_create(programFd, 0, LibBpf.BPF_TRACE_ITER(), opts);
    }
  }

  /** Begins to iterate; a file descriptor to read what the program writes, or {@code -errno}. */
  public static int bpf_iter_create(int linkFd) {
    return LibBpf.bpf_iter_create(linkFd);
  }

  /** Puts another program behind a link, atomically; 0, or {@code -errno}. */
  public static int bpf_link_update(int linkFd, int programFd) {
    return LibBpf.bpf_link_update(linkFd, programFd, MemorySegment.NULL);
  }

  /** Takes a link off its cgroup, whoever holds it; 0, or {@code -errno}. Kernel 5.9. */
  public static int bpf_link_detach(int linkFd) {
    return LibBpf.bpf_link_detach(linkFd);
  }

  /** The smallest link number above {@code id}; {@code -ENOENT} after the last. */
  public static int bpf_link_get_next_id(int id) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment next = arena.allocate(ValueLayout.JAVA_INT);
      int result = LibBpf.bpf_link_get_next_id(id, next);
      return result < 0 ? result : next.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** A file descriptor of a link, or {@code -errno}. */
  public static int bpf_link_get_fd_by_id(int id) {
    return LibBpf.bpf_link_get_fd_by_id(id);
  }

  /** A file descriptor of a program, or {@code -errno}. */
  public static int bpf_prog_get_fd_by_id(int id) {
    return LibBpf.bpf_prog_get_fd_by_id(id);
  }

  /** {@code bpf_prog_query_opts}: numbers of the programs that run at a hook of a cgroup. */
  public static Answer<List<Integer>> effectivePrograms(int cgroupFd, AttachType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ids = arena.allocate(ValueLayout.JAVA_INT, MAX_PROGRAMS);
      MemorySegment opts = arena.allocate(bpf_prog_query_opts.layout());
      bpf_prog_query_opts.sz(opts, opts.byteSize());
      bpf_prog_query_opts.query_flags(opts, LibBpf.BPF_F_QUERY_EFFECTIVE());
      bpf_prog_query_opts.prog_ids(opts, ids);
      bpf_prog_query_opts.prog_cnt(opts, MAX_PROGRAMS);
      int result = LibBpf.bpf_prog_query_opts(cgroupFd, type.number(), opts);
      if (result < 0) {
        return new Answer<>(result, null);
      }
      List<Integer> found = new ArrayList<>();
      for (int i = 0; i < bpf_prog_query_opts.prog_cnt(opts); i++) {
        found.add(ids.getAtIndex(ValueLayout.JAVA_INT, i));
      }
      return new Answer<>(result, found);
    }
  }

  /**
   * {@code bpf_prog_load} of a program for a socket address hook.
   *
   * @param instructions each as one number: opcode in the lowest byte, then registers, offset, and
   *     the immediate in the upper half
   * @return a file descriptor, or {@code -errno}
   */
  public static int loadSockAddr(AttachType type, long... instructions) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment opts = arena.allocate(bpf_prog_load_opts.layout());
      bpf_prog_load_opts.sz(opts, opts.byteSize());
      bpf_prog_load_opts.expected_attach_type(opts, type.number());
      return LibBpf.bpf_prog_load(
          LibBpf.BPF_PROG_TYPE_CGROUP_SOCK_ADDR(),
          arena.allocateFrom("pb_probe"),
          arena.allocateFrom("Dual BSD/GPL"),
          arena.allocateFrom(ValueLayout.JAVA_LONG, instructions),
          instructions.length,
          opts);
    }
  }

  /** The number of {@code bpf_set_retval}. */
  public static int setRetvalHelper() {
    return LibBpf.BPF_FUNC_set_retval();
  }

  /** 1 if the kernel knows socket address programs, 0 if not, or {@code -errno}. */
  public static int probeSockAddrPrograms() {
    return LibBpf.libbpf_probe_bpf_prog_type(
        LibBpf.BPF_PROG_TYPE_CGROUP_SOCK_ADDR(), MemorySegment.NULL);
  }

  /** 1 if the kernel knows a type of map, 0 if not, or {@code -errno}. */
  public static int libbpf_probe_bpf_map_type(MapType type) {
    return LibBpf.libbpf_probe_bpf_map_type(type.number(), MemorySegment.NULL);
  }

  /** How many CPUs a value in a per-CPU map has room for, or {@code -errno}. */
  public static int libbpf_num_possible_cpus() {
    return LibBpf.libbpf_num_possible_cpus();
  }

  /** The name as the kernel keeps it. */
  public static String kernelName(String name) {
    return name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME);
  }
}
