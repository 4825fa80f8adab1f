// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The functions of the C library that Java has no way to reach otherwise. */
public final class Libc {
  private static final MethodHandle OPEN =
      Captured.handle(
          LibC.open.address(),
          LibC.open.makeInvoker().descriptor(),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle MMAP =
      Captured.handle(LibC.mmap$address(), LibC.mmap$descriptor());
  private static final MethodHandle MOUNT =
      Captured.handle(LibC.mount$address(), LibC.mount$descriptor());
  private static final MethodHandle SOCKET =
      Captured.handle(LibC.socket$address(), LibC.socket$descriptor());
  private static final MethodHandle GETSOCKOPT =
      Captured.handle(LibC.getsockopt$address(), LibC.getsockopt$descriptor());
  private static final MethodHandle FLOCK =
      Captured.handle(LibC.flock$address(), LibC.flock$descriptor());
  private static final MethodHandle SETNS =
      Captured.handle(LibC.setns$address(), LibC.setns$descriptor());
  private static final MethodHandle READ =
      Captured.handle(LibC.read$address(), LibC.read$descriptor());
  private static final MethodHandle SEND =
      Captured.handle(LibC.send$address(), LibC.send$descriptor());
  private static final MethodHandle RECV =
      Captured.handle(LibC.recv$address(), LibC.recv$descriptor());

  private Libc() {}

  /**
   * {@code open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, man 2 open.
   *
   * @return a file descriptor, or {@code -errno}
   */
  public static int openDirectory(Path path) {
    return open(path, LibC.O_RDONLY() | LibC.O_DIRECTORY() | LibC.O_CLOEXEC());
  }

  /**
   * {@code open(path, O_RDONLY | O_CLOEXEC)}, man 2 open; for files that have no content, such as
   * those of namespaces.
   *
   * @return a file descriptor, or {@code -errno}
   */
  public static int openFile(Path path) {
    return open(path, LibC.O_RDONLY() | LibC.O_CLOEXEC());
  }

  private static int open(Path path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int fd = (int) OPEN.invokeExact(state, arena.allocateFrom(path.toString()), flags);
      return fd >= 0 ? fd : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code close(fd)}; what it answers is of no use to anybody. */
  public static void close(int fd) {
    int ignored = LibC.close(fd);
  }

  /**
   * {@code mmap(NULL, length, PROT_READ [| PROT_WRITE], MAP_SHARED, fd, offset)}, man 2 mmap.
   *
   * @param offset a multiple of {@link #pageSize}
   * @return an address, or {@code -errno}; no address lies in -4095 .. -1
   */
  public static long mmap(long length, boolean writable, int fd, long offset) {
    int protection = LibC.PROT_READ() | (writable ? LibC.PROT_WRITE() : 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment address =
          (MemorySegment)
              MMAP.invokeExact(
                  state, MemorySegment.NULL, length, protection, LibC.MAP_SHARED(), fd, offset);
      return address.address() != -1 ? address.address() : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code munmap(address, length)} of what {@link #mmap} gave; then it cannot fail. */
  public static void munmap(long address, long length) {
    int ignored = LibC.munmap(MemorySegment.ofAddress(address), length);
  }

  /**
   * {@code mount("bpf", target, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")}, man 2
   * mount; the flags are those of systemd.
   *
   * @return 0, or {@code -errno}
   */
  public static int mountBpf(Path target) {
    long flags = (long) LibC.MS_NOSUID() | LibC.MS_NODEV() | LibC.MS_NOEXEC();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment bpf = arena.allocateFrom("bpf");
      MemorySegment directory = arena.allocateFrom(target.toString());
      MemorySegment options = arena.allocateFrom("mode=0700");
      int result = (int) MOUNT.invokeExact(state, bpf, directory, bpf, flags, options);
      return result == 0 ? 0 : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code flock(fd, LOCK_EX | LOCK_NB)}, man 2 flock. Closing the descriptor, or the end of the
   * process, gives the lock back.
   *
   * @return 0, or {@code -errno}; {@code -EAGAIN} if somebody else holds it
   */
  public static int flock(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int result = (int) FLOCK.invokeExact(state, fd, LibC.LOCK_EX() | LibC.LOCK_NB());
      return result == 0 ? 0 : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code malloc_trim(0)}, man 3 malloc_trim: hands back to the system what the JVM and libbpf
   * have freed. It takes the locks of all arenas in turn, some milliseconds in all.
   *
   * @return whether there was anything
   */
  public static boolean trimHeap() {
    return LibC.malloc_trim(0) == 1;
  }

  /** {@code sysconf(_SC_PAGESIZE)}, in bytes; it cannot fail. */
  public static long pageSize() {
    return LibC.sysconf(LibC._SC_PAGESIZE());
  }

  /**
   * {@code poll} of one descriptor for {@code POLLIN}, man 2 poll.
   *
   * @param timeoutMillis how long to wait at most, in milliseconds
   * @return 1 if it can be read or is broken, 0 if the time is over, or {@code -errno}
   */
  public static int pollReadable(int fd, int timeoutMillis) {
    return Sockets.poll(fd, false, timeoutMillis);
  }

  /**
   * {@code socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)}, man 2 socket.
   *
   * @return a file descriptor, or {@code -errno}
   */
  public static int unixSocket() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int fd =
          (int)
              SOCKET.invokeExact(state, LibC.AF_UNIX(), LibC.SOCK_DGRAM() | LibC.SOCK_CLOEXEC(), 0);
      return fd >= 0 ? fd : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE)}: the cookie of the network namespace in
   * which a socket was made, never 0. Kernel 5.14.
   *
   * @return {@code -ENOPROTOOPT} from an older kernel
   */
  public static Answer<Long> netnsCookie(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment cookie = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Long.BYTES);
      int result =
          (int)
              GETSOCKOPT.invokeExact(
                  state, fd, LibC.SOL_SOCKET(), LibC.SO_NETNS_COOKIE(), cookie, length);
      return result == 0
          ? new Answer<>(0, cookie.get(ValueLayout.JAVA_LONG, 0))
          : new Answer<>(-Captured.errno(state), null);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)}: speaks of the sockets
   * of the network namespace in which the calling thread is, man 7 sock_diag.
   *
   * @return a file descriptor, or {@code -errno}
   */
  public static int sockDiagSocket() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int fd =
          (int)
              SOCKET.invokeExact(
                  state,
                  LibC.AF_NETLINK(),
                  LibC.SOCK_RAW() | LibC.SOCK_CLOEXEC(),
                  LibC.NETLINK_SOCK_DIAG());
      return fd >= 0 ? fd : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code setns(fd, CLONE_NEWNET)}: puts the calling thread, and no other, into a network
   * namespace, man 2 setns. Threads that it starts from then on are in there too.
   *
   * @return 0, or {@code -errno}
   */
  public static int enterNetworkNamespace(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int result = (int) SETNS.invokeExact(state, fd, LibC.CLONE_NEWNET());
      return result == 0 ? 0 : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code read(fd, buffer, size)}, man 2 read.
   *
   * @return bytes, 0 at the end, or {@code -errno}
   */
  public static long read(int fd, MemorySegment buffer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      long bytes = (long) READ.invokeExact(state, fd, buffer, buffer.byteSize());
      return bytes >= 0 ? bytes : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code send(fd, message, size, 0)}, man 2 send.
   *
   * @return bytes, or {@code -errno}
   */
  public static long send(int fd, MemorySegment message) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      long bytes = (long) SEND.invokeExact(state, fd, message, message.byteSize(), 0);
      return bytes >= 0 ? bytes : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code recv(fd, buffer, size, MSG_DONTWAIT)}, man 2 recv.
   *
   * @return bytes, or {@code -errno}; {@code -EAGAIN} if there is nothing
   */
  public static long receive(int fd, MemorySegment buffer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      long bytes =
          (long) RECV.invokeExact(state, fd, buffer, buffer.byteSize(), LibC.MSG_DONTWAIT());
      return bytes >= 0 ? bytes : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }
}
