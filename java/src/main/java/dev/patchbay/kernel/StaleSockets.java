// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.StaleSocketCodec;
import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.observe.StaleSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
    Operation operation = new Operation("make", "iterator over map socket_state");
    return new StaleSockets(
        SideObject.use(
            ObjectFile.STALE_SOCKETS,
            PROGRAM,
            maps,
            program ->
                Fd.of(
                    Bpf.createMapIterator(program, maps.get(PatchbayMap.SOCKET_STATE).fd()),
                    operation)));
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
