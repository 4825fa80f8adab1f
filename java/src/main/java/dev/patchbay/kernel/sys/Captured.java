// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Downcalls that save {@code errno} in the same call, before the JVM can change it. The handle
 * takes the segment for the state as its first argument; each call brings its own.
 */
final class Captured {
  private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));

  private Captured() {}

  static MethodHandle handle(
      MemorySegment address, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker.Option[] options = new Linker.Option[more.length + 1];
    options[0] = CAPTURE;
    System.arraycopy(more, 0, options, 1, more.length);
    return Linker.nativeLinker().downcallHandle(address, descriptor, options);
  }

  static MemorySegment state(Arena arena) {
    return arena.allocate(STATE);
  }

  /** The positive error number that the last call with {@code state} left. */
  static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** A downcall declares Throwable; native code throws nothing. */
  static AssertionError impossible(Throwable thrown) {
    return new AssertionError("a native call cannot throw", thrown);
  }
}
