// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Waits until every program run that has started has ended.
 *
 * <p>Programs run inside an RCU read section. When an element of a map of maps changes, the kernel
 * waits for all such sections before it answers ({@code maybe_wait_bpf_programs} in {@code
 * kernel/bpf/syscall.c}, since 5.0), so changing an element of a private map of maps is the wait.
 *
 * <p>Any thread may call; calls wait for one another.
 */
final class RcuBarrier implements AutoCloseable {
  private final Fd inner;
  private final Fd outer;

  private RcuBarrier(Fd inner, Fd outer) {
    this.inner = inner;
    this.outer = outer;
  }

  static RcuBarrier create() throws KernelException {
    Operation operation = new Operation("create", "map pb_barrier");
    Fd inner = Fd.of(Bpf.bpf_map_create(MapType.ARRAY, "pb_barrier", 4, 4, 1, 0, 0), operation);
    try {
      int result =
          Bpf.bpf_map_create(MapType.ARRAY_OF_MAPS, "pb_barrier", 4, 4, 1, 0, inner.number());
      return new RcuBarrier(inner, Fd.of(result, operation));
    } catch (KernelException refused) {
      inner.close();
      throw refused;
    }
  }

  synchronized void await() throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_INT, inner.number());
      KernelException.check(
          Bpf.bpf_map_update_elem(outer.number(), key, value),
          new Operation("wait for", "running programs"));
    }
  }

  /** Idempotent. */
  @Override
  public synchronized void close() {
    outer.close();
    inner.close();
  }
}
