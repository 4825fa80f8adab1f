// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libc.LibC;
import dev.patchbay.bindings.libc.pollfd;
import dev.patchbay.model.IpFamily;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;

/**
 * Sockets, where those of Java do not do: Java can bind none to a device, and does not ask the
 * kernel for the peer. All calls may be made by any thread; none blocks but {@link #poll} and
 * {@link #pollEither}.
 */
public final class Sockets {
  private static final MethodHandle SOCKET =
      Captured.handle(LibC.socket$address(), LibC.socket$descriptor());
  private static final MethodHandle SETSOCKOPT =
      Captured.handle(LibC.setsockopt$address(), LibC.setsockopt$descriptor());
  private static final MethodHandle GETSOCKOPT =
      Captured.handle(LibC.getsockopt$address(), LibC.getsockopt$descriptor());
  private static final MethodHandle CONNECT =
      Captured.handle(LibC.connect$address(), LibC.connect$descriptor());
  private static final MethodHandle SENDTO =
      Captured.handle(LibC.sendto$address(), LibC.sendto$descriptor());
  private static final MethodHandle RECVFROM =
      Captured.handle(LibC.recvfrom$address(), LibC.recvfrom$descriptor());
  private static final MethodHandle GETPEERNAME =
      Captured.handle(LibC.getpeername$address(), LibC.getpeername$descriptor());
  private static final MethodHandle GETSOCKNAME =
      Captured.handle(LibC.getsockname$address(), LibC.getsockname$descriptor());
  private static final MethodHandle POLL =
      Captured.handle(LibC.poll$address(), LibC.poll$descriptor());

  /**
   * What a socket received.
   *
   * @param bytes all of it, as far as there was room; for whoever asked alone
   * @param from who sent it, as the kernel tells; of no meaning for TCP
   */
  public record Received(ByteBuffer bytes, SocketAddress from) {}

  private Sockets() {}

  /** {@code socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}; or {@code -errno}. */
  public static int tcp(IpFamily family) {
    return socket(family, LibC.SOCK_STREAM());
  }

  /** {@code socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}; or {@code -errno}. */
  public static int udp(IpFamily family) {
    return socket(family, LibC.SOCK_DGRAM());
  }

  private static int socket(IpFamily family, int type) {
    int flags = type | LibC.SOCK_NONBLOCK() | LibC.SOCK_CLOEXEC();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      int fd = (int) SOCKET.invokeExact(state, SocketAddress.family(family), flags, 0);
      return fd >= 0 ? fd : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device)}: the socket sends and receives
   * through this device only. Takes no privilege from 5.7 on.
   *
   * @return 0, or {@code -errno}
   */
  public static int bindToDevice(int fd, String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment name = arena.allocateFrom(device);
      int result =
          (int)
              SETSOCKOPT.invokeExact(
                  state,
                  fd,
                  LibC.SOL_SOCKET(),
                  LibC.SO_BINDTODEVICE(),
                  name,
                  (int) name.byteSize());
      return result == 0 ? 0 : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code connect}; 0, or {@code -errno}, {@code -EINPROGRESS} if it goes on. */
  public static int connect(int fd, SocketAddress to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment address = to.encode(arena);
      int result = (int) CONNECT.invokeExact(state, fd, address, (int) address.byteSize());
      return result == 0 ? 0 : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code getsockopt(fd, SOL_SOCKET, SO_ERROR)}: 0, or what became of a connect, negative. */
  public static int error(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment error = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
      int result =
          (int)
              GETSOCKOPT.invokeExact(state, fd, LibC.SOL_SOCKET(), LibC.SO_ERROR(), error, length);
      return result == 0 ? -error.get(ValueLayout.JAVA_INT, 0) : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code sendto} without a signal; how many bytes were sent, or {@code -errno}. */
  public static int sendTo(int fd, byte[] bytes, SocketAddress to) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      MemorySegment address = to.encode(arena);
      long result =
          (long)
              SENDTO.invokeExact(
                  state,
                  fd,
                  data,
                  data.byteSize(),
                  LibC.MSG_NOSIGNAL(),
                  address,
                  (int) address.byteSize());
      return result >= 0 ? (int) result : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code recvfrom}.
   *
   * @param room how many bytes at most, 1 or more
   * @return {@code -EAGAIN} if there is nothing
   */
  public static Answer<Received> receive(int fd, int room) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment data = arena.allocate(room);
      MemorySegment from = SocketAddress.room(arena);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) from.byteSize());
      long result = (long) RECVFROM.invokeExact(state, fd, data, (long) room, 0, from, length);
      if (result < 0) {
        return new Answer<>(-Captured.errno(state), null);
      }
      ByteBuffer bytes = ByteBuffer.wrap(data.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
      return new Answer<>((int) result, new Received(bytes, SocketAddress.decode(from)));
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /** {@code getpeername}: as programs of the kernel show it. */
  public static Answer<SocketAddress> peer(int fd) {
    return name(GETPEERNAME, fd);
  }

  /** {@code getsockname}. */
  public static Answer<SocketAddress> local(int fd) {
    return name(GETSOCKNAME, fd);
  }

  private static Answer<SocketAddress> name(MethodHandle function, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment address = SocketAddress.room(arena);
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) address.byteSize());
      int result = (int) function.invokeExact(state, fd, address, length);
      return result == 0
          ? new Answer<>(0, SocketAddress.decode(address))
          : new Answer<>(-Captured.errno(state), null);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code poll} of one descriptor.
   *
   * @param forWriting {@code POLLOUT} in place of {@code POLLIN}
   * @param timeoutMillis how long to wait at most, in milliseconds
   * @return 1 if it is ready or broken, 0 if the time is over, or {@code -errno}
   */
  public static int poll(int fd, boolean forWriting, int timeoutMillis) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment entry = arena.allocate(pollfd.layout());
      pollfd.fd(entry, fd);
      pollfd.events(entry, (short) (forWriting ? LibC.POLLOUT() : LibC.POLLIN()));
      int result = (int) POLL.invokeExact(state, entry, 1L, timeoutMillis);
      return result >= 0 ? result : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }

  /**
   * {@code poll} of two descriptors for {@code POLLIN}, without a limit of time.
   *
   * @return 1 or 2 if some are ready or broken, or {@code -errno}
   */
  public static int pollEither(int first, int second) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = Captured.state(arena);
      MemorySegment entries = arena.allocate(pollfd.layout(), 2);
      for (int i = 0; i < 2; i++) {
        MemorySegment entry = pollfd.asSlice(entries, i);
        pollfd.fd(entry, i == 0 ? first : second);
        pollfd.events(entry, (short) LibC.POLLIN());
      }
      int result = (int) POLL.invokeExact(state, entries, 2L, -1);
      return result >= 0 ? result : -Captured.errno(state);
    } catch (Throwable thrown) {
      throw Captured.impossible(thrown);
    }
  }
}
