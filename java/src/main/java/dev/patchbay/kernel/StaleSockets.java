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

  private static final String LIST = "stale_sockets";

  private final Fd link;
  private final MappedArray list;
  private boolean closed;

  private StaleSockets(Fd link, MappedArray list) {
    this.link = link;
    this.list = list;
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
    return SideObject.use(
        ObjectFile.STALE_SOCKETS,
        PROGRAM,
        maps,
        (object, program) -> {
          int sockets = maps.get(PatchbayMap.SOCKET_STATE).fd();
          Fd link = Fd.of(Bpf.createMapIterator(program, sockets), operation);
          try {
            return new StaleSockets(link, list(object));
          } catch (KernelException refused) {
            link.close();
            throw refused;
          }
        });
  }

  private static MappedArray list(long object) throws KernelException {
    long map = BpfObjects.bpf_object__find_map_by_name(object, LIST);
    if (map == 0) {
      throw new IllegalStateException("the build left out " + LIST);
    }
    return MappedArray.map(LIST, BpfObjects.bpf_map__fd(map), BpfObjects.shape(map), true);
  }

  /**
   * Looks at each socket once. One that is closed, or whose neighbour is, while this runs may be
   * missed; scan again until nothing is found.
   *
   * @param sink gets those found, some thousands at a time; they may be destroyed meanwhile
   * @throws IllegalStateException after {@link #close}
   */
  public void scan(Consumer<List<StaleSocket>> sink) throws KernelException {
    scan(0, sink);
  }

  /**
   * The same.
   *
   * @param most how many sockets the sink gets at a time; 0: as many as the list has room for
   */
  synchronized void scan(int most, Consumer<List<StaleSocket>> sink) throws KernelException {
    if (closed) {
      throw new IllegalStateException("closed");
    }
    Operation operation = new Operation("read", "iterator over map socket_state");
    try (Fd iterator = Fd.of(Bpf.bpf_iter_create(link.number()), operation);
        Arena arena = Arena.ofConfined()) {
      MemorySegment nothing = arena.allocate(Long.BYTES);
      long result;
      do {
        StaleSocketCodec.clearList(list.memory(), most);
        result = Libc.read(iterator.number(), nothing);
        // EAGAIN: the list is full, or the kernel has looked at a million; it goes on where it was.
        if (result < 0 && !Errno.EAGAIN.is(result) && !Errno.EINTR.is(result)) {
          throw KernelException.of((int) result, operation);
        }
        List<StaleSocket> found = StaleSocketCodec.list(list.memory());
        if (!found.isEmpty()) {
          sink.accept(found);
        }
      } while (result != 0);
    }
  }

  /** Idempotent. */
  @Override
  public synchronized void close() {
    closed = true;
    link.close();
    list.close();
  }
}
