// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.StaleSocketCodec;
import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.BpfObjects;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.observe.StaleSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Finds sockets that were translated to a backend which their Service does not have any more, in
 * all network namespaces.
 *
 * <p>The kernel's list of what {@code socket_state} holds is the index: the sockets that were
 * translated, and no others. A program looks at each of them and at the tables of now, so the
 * answer does not depend on what this process remembers.
 *
 * <p>Any thread may scan, one at a time; closing waits for a scan that is under way.
 */
public final class StaleSockets implements AutoCloseable {
  private static final String PROGRAM = "pb_stale_sockets";

  /** What one read() of an iterator gives at most. */
  private static final int BUFFER_BYTES = 32 * 1024;

  private static final int LOG_BYTES = 1 << 20;

  private final Fd link;
  private boolean closed;

  private StaleSockets(Fd link) {
    this.link = link;
  }

  /**
   * Loads the program over maps that stay the caller's.
   *
   * @throws KernelException if this kernel has no such iterators (before 5.9) or no BTF, refuses
   *     the program, or cannot destroy sockets
   */
  static StaleSockets open(MapSet maps) throws KernelException {
    if (Probes.socketDestruction() instanceof ProbeResult.Unsupported(String needs)) {
      throw new KernelException.Unsupported(new Operation("destroy", "sockets"), "needs " + needs);
    }
    String file = ObjectFile.STALE_SOCKETS.file();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment elf =
          arena.allocateFrom(ValueLayout.JAVA_BYTE, ObjectFile.STALE_SOCKETS.bytes());
      long object = BpfObjects.bpf_object__open_mem(elf, "patchbay");
      if (object < 0 && object >= -4095) {
        throw KernelException.of((int) object, new Operation("parse", file));
      }
      try {
        return new StaleSockets(link(object, maps, arena.allocate(LOG_BYTES)));
      } finally {
        BpfObjects.bpf_object__close(object); // the link holds the program, and that the maps
      }
    }
  }

  private static Fd link(long object, MapSet maps, MemorySegment log) throws KernelException {
    for (PatchbayMap map : PatchbayMap.values()) {
      long found = BpfObjects.bpf_object__find_map_by_name(object, map.mapName());
      if (found != 0) {
        KernelException.check(
            BpfObjects.bpf_map__reuse_fd(found, maps.get(map).fd()),
            new Operation("reuse", "map " + map.mapName()));
      }
    }
    long program = BpfObjects.bpf_object__find_program_by_name(object, PROGRAM);
    if (program == 0) {
      throw new IllegalStateException("the build left out " + PROGRAM);
    }
    KernelException.check(
        BpfObjects.bpf_program__set_log_buf(program, log),
        new Operation("keep the log of", "program " + PROGRAM));
    int result = BpfObjects.bpf_object__load(object);
    if (result < 0) {
      String said = log.getString(0);
      String reason = said.isBlank() ? "" : BpfObject.summary(said);
      throw KernelException.of(result, new Operation("load", "program " + PROGRAM, reason));
    }
    Operation operation = new Operation("make", "iterator over map socket_state");
    int fd = BpfObjects.bpf_program__fd(program);
    return Fd.of(Bpf.createMapIterator(fd, maps.get(PatchbayMap.SOCKET_STATE).fd()), operation);
  }

  /**
   * Looks at each socket once. One that is closed, or whose neighbour is, while this runs may be
   * missed; scan again until nothing is found.
   *
   * @param most how many to collect at a time, at least 1
   * @param sink gets those found, in lists of {@code most}, give or take what one read brings; they
   *     may be destroyed meanwhile
   * @throws IllegalStateException after {@link #close}
   */
  public synchronized void scan(int most, Consumer<List<StaleSocket>> sink) throws KernelException {
    if (closed) {
      throw new IllegalStateException("closed");
    }
    Operation operation = new Operation("read", "iterator over map socket_state");
    try (Fd iterator = Fd.of(Bpf.bpf_iter_create(link.number()), operation);
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER_BYTES, Long.BYTES);
      List<StaleSocket> found = new ArrayList<>();
      while (true) {
        long bytes = Libc.read(iterator.number(), buffer);
        if (bytes == 0) {
          break;
        }
        if (bytes > 0) {
          for (long at = 0; at + StaleSocketCodec.SIZE <= bytes; at += StaleSocketCodec.SIZE) {
            StaleSocketCodec.decode(buffer, at).ifPresent(found::add);
          }
        } else if (!Errno.EAGAIN.is(bytes) && !Errno.EINTR.is(bytes)) {
          // EAGAIN: a million sockets, and none of them was stale. It goes on where it was.
          throw KernelException.of((int) bytes, operation);
        }
        if (found.size() >= most) {
          sink.accept(List.copyOf(found));
          found.clear();
        }
      }
      if (!found.isEmpty()) {
        sink.accept(List.copyOf(found));
      }
    }
  }

  /** Idempotent. */
  @Override
  public synchronized void close() {
    closed = true;
    link.close();
  }
}
