// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.SocketAddress;
import dev.patchbay.kernel.sys.Sockets;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * A client's socket that cannot leave the machine: it is bound to the loopback device. A connect
 * that the programs translate to loopback succeeds; one that they do not translate fails, and what
 * it sends the kernel discards on that device.
 *
 * <p>One thread at a time. A call that takes longer than its limit fails with {@code ETIMEDOUT}.
 */
public final class LoopbackSocket implements AutoCloseable {
  private static final String DEVICE = "lo";
  private static final int ROOM = 512;

  private final Fd fd;
  private final String name;

  private LoopbackSocket(Fd fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * What arrived.
   *
   * @param bytes all of it
   * @param address who sent it, as the programs show him
   * @param port his port
   */
  public record Received(ByteBuffer bytes, IpAddress address, int port) {}

  /** A TCP socket. */
  public static LoopbackSocket tcp(IpFamily family) throws KernelException {
    return open(Sockets.tcp(family), "TCP socket of " + family);
  }

  /** A UDP socket that is not connected. */
  public static LoopbackSocket udp(IpFamily family) throws KernelException {
    return open(Sockets.udp(family), "UDP socket of " + family);
  }

  private static LoopbackSocket open(int result, String name) throws KernelException {
    Fd fd = Fd.of(result, new Operation("make", name));
    int bound = Sockets.bindToDevice(fd.number(), DEVICE);
    if (bound < 0) {
      fd.close();
      throw KernelException.of(bound, new Operation("bind to " + DEVICE, name));
    }
    return new LoopbackSocket(fd, name);
  }

  /**
   * Connects.
   *
   * @param millis how long it may take, in milliseconds
   */
  public void connect(IpAddress address, int port, long millis) throws KernelException {
    Operation operation = new Operation("connect to", address.withPort(port));
    int result = Sockets.connect(fd.number(), new SocketAddress(address, port));
    if (Errno.EINPROGRESS.is(result)) {
      await(true, millis, operation);
      result = Sockets.error(fd.number());
    }
    KernelException.check(result, operation);
  }

  /** Sends a datagram. */
  public void sendTo(IpAddress address, int port, byte[] bytes) throws KernelException {
    KernelException.check(
        Sockets.sendTo(fd.number(), bytes, new SocketAddress(address, port)),
        new Operation("send to", address.withPort(port)));
  }

  /**
   * Receives a datagram, or some of a stream; nothing if the stream has ended.
   *
   * @param millis how long it may take, in milliseconds
   */
  public Received receive(long millis) throws KernelException {
    Operation operation = new Operation("receive from", name);
    await(false, millis, operation);
    Answer<Sockets.Received> answer = Sockets.receive(fd.number(), ROOM);
    Sockets.Received received = answer.value();
    if (received == null) {
      throw KernelException.of(answer.result(), operation);
    }
    return new Received(received.bytes(), received.from().address(), received.from().port());
  }

  /** Its peer and the peer's port, as the programs show them: {@code 192.0.0.8:7}. */
  public String peer() throws KernelException {
    return address(Sockets.peer(fd.number()), "ask for the peer of").toString();
  }

  /** Its own port. */
  public int localPort() throws KernelException {
    return address(Sockets.local(fd.number()), "ask for the port of").port();
  }

  private SocketAddress address(Answer<SocketAddress> answer, String verb) throws KernelException {
    SocketAddress address = answer.value();
    if (address == null) {
      throw KernelException.of(answer.result(), new Operation(verb, name));
    }
    return address;
  }

  private void await(boolean forWriting, long millis, Operation operation) throws KernelException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      int ready = Sockets.poll(fd.number(), forWriting, (int) Math.max(0, left));
      if (ready > 0) {
        return;
      }
      if (ready < 0 && !Errno.EINTR.is(ready)) {
        throw KernelException.of(ready, operation);
      }
      if (left <= 0) {
        throw KernelException.of(Errno.ETIMEDOUT.number(), operation);
      }
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    fd.close();
  }
}
