// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sockets of this process in a network namespace: a socket stays in the namespace of the thread
 * that opened it, and one thread here has entered the namespace. Thread-safe.
 */
final class NamespaceSockets implements AutoCloseable {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle OPEN =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("open"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle SETNS =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("setns"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle CLOSE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("close"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final int CLONE_NEWNET = 0x40000000;

  private final ExecutorService inside;

  /** Enters a namespace, given the file that stands for it. */
  NamespaceSockets(Path namespace) {
    inside =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("lab-in-" + namespace.getFileName()).factory());
    inside(
        () -> {
          enter(namespace);
          return true;
        });
  }

  /** A new TCP socket, not connected; any thread may use it. */
  SocketChannel open() {
    return inside(SocketChannel::open);
  }

  private <T> T inside(Callable<T> action) {
    try {
      return inside.submit(action).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw new UncheckedIOException(cause);
      }
      throw new AssertionError(e.getCause());
    }
  }

  private static void enter(Path namespace) {
    try (Arena arena = Arena.ofConfined()) {
      int fd = (int) OPEN.invokeExact(arena.allocateFrom(namespace.toString()), 0);
      if (fd < 0) {
        throw new AssertionError("cannot open " + namespace);
      }
      int entered = (int) SETNS.invokeExact(fd, CLONE_NEWNET);
      int ignored = (int) CLOSE.invokeExact(fd);
      if (entered != 0) {
        throw new AssertionError("cannot enter " + namespace);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    inside.shutdownNow();
  }
}
