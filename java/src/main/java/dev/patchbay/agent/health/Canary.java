// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import dev.patchbay.compile.Reserved;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.LoopbackSocket;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.ServiceRow;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The canary of one family: a client that connects to a reserved address through the same hooks as
 * everybody else, and the server behind it, both here. It passes if the one meets the other, which
 * a number that is drawn each time proves, and if the client sees the Service where it should see
 * it: TCP goes through connect and getpeername, UDP through sendmsg and recvmsg.
 *
 * <p>The client's socket is bound to the loopback device. So a connect that is not translated goes
 * nowhere. One thread at a time.
 */
final class Canary implements AutoCloseable {
  /** For one connect and answer; on loopback they take less than a millisecond. */
  private static final long PATIENCE_MILLIS = 1000;

  private static final int NONCE_BYTES = 16;

  private final IpFamily family;
  private final ServerSocketChannel tcp;
  private final DatagramChannel udp;
  private final Selector tcpReady;
  private final Selector udpReady;

  private Canary(
      IpFamily family,
      ServerSocketChannel tcp,
      DatagramChannel udp,
      Selector tcpReady,
      Selector udpReady) {
    this.family = family;
    this.tcp = tcp;
    this.udp = udp;
    this.tcpReady = tcpReady;
    this.udpReady = udpReady;
  }

  /** What it ran into: the dataplane does not do what it should. */
  static final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    LostException(String message) {
      super(message);
    }
  }

  /**
   * Begins to listen on loopback, at ports that the kernel chooses.
   *
   * @throws IOException if that is not possible, for example because the node has no such family
   */
  static Canary open(IpFamily family) throws IOException {
    StandardProtocolFamily protocols =
        family == IpFamily.IPV4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    InetAddress loopback = InetAddress.getByName(family == IpFamily.IPV4 ? "127.0.0.1" : "::1");
    ServerSocketChannel tcp = null;
    DatagramChannel udp = null;
    Selector tcpReady = null;
    try {
      tcp = ServerSocketChannel.open(protocols);
      tcp.bind(new InetSocketAddress(loopback, 0), 16);
      udp = DatagramChannel.open(protocols);
      udp.bind(new InetSocketAddress(loopback, 0));
      tcpReady = selector(tcp, SelectionKey.OP_ACCEPT);
      return new Canary(family, tcp, udp, tcpReady, selector(udp, SelectionKey.OP_READ));
    } catch (IOException | UnsupportedOperationException e) {
      closeAll(tcpReady, udp, tcp);
      throw e instanceof IOException io ? io : new IOException(e.getMessage(), e);
    }
  }

  private static Selector selector(SelectableChannel channel, int operation) throws IOException {
    channel.configureBlocking(false);
    Selector selector = Selector.open();
    try {
      channel.register(selector, operation);
      return selector;
    } catch (IOException e) {
      selector.close();
      throw e;
    }
  }

  /** The rows that lead to it. */
  List<ServiceRow> rows() throws IOException {
    return List.of(
        Reserved.canary(family, Protocol.TCP, backend(tcp.getLocalAddress())),
        Reserved.canary(family, Protocol.UDP, backend(udp.getLocalAddress())));
  }

  private Backend backend(SocketAddress local) {
    IpAddress loopback = IpAddress.of(family == IpFamily.IPV4 ? "127.0.0.1" : "::1");
    return new Backend(loopback, ((InetSocketAddress) local).getPort());
  }

  /**
   * Connects to the server, and gets its answer.
   *
   * @throws LostException if it does not meet it, or does not see the Service
   */
  void overTcp() throws LostException {
    byte[] nonce = nonce();
    String name = name(Protocol.TCP);
    try (LoopbackSocket client = LoopbackSocket.tcp(family)) {
      client.connect(Reserved.address(family), Reserved.PORT, PATIENCE_MILLIS);
      requireService(client.peer(), "the peer", name);
      answer(client.localPort(), nonce, name);
      if (!client.receive(PATIENCE_MILLIS).bytes().equals(ByteBuffer.wrap(nonce))) {
        throw new LostException(name + ": somebody else answered");
      }
    } catch (KernelException | IOException e) {
      throw lost(name, e);
    }
  }

  /** Accepts what came from this port, and sends the number. */
  private void answer(int clientPort, byte[] nonce, String name) throws IOException, LostException {
    long end = end();
    while (true) {
      try (SocketChannel peer = tcp.accept()) {
        if (peer == null) {
          await(tcpReady, end, name + ": connected, but not to the agent");
        } else if (((InetSocketAddress) peer.getRemoteAddress()).getPort() == clientPort) {
          peer.write(ByteBuffer.wrap(nonce));
          return;
        }
      }
    }
  }

  /**
   * Sends the server a datagram, and gets its answer.
   *
   * @throws LostException if it does not get there and back, or not from the Service
   */
  void overUdp() throws LostException {
    byte[] nonce = nonce();
    String name = name(Protocol.UDP);
    try (LoopbackSocket client = LoopbackSocket.udp(family)) {
      client.sendTo(Reserved.address(family), Reserved.PORT, nonce);
      echo(nonce, name);
      LoopbackSocket.Received reply = client.receive(PATIENCE_MILLIS);
      if (!reply.bytes().equals(ByteBuffer.wrap(nonce))) {
        throw new LostException(name + ": somebody else answered");
      }
      requireService(reply.address().withPort(reply.port()), "the reply's sender", name);
    } catch (KernelException | IOException e) {
      throw lost(name, e);
    }
  }

  private void echo(byte[] nonce, String name) throws IOException, LostException {
    long end = end();
    ByteBuffer buffer = ByteBuffer.allocate(NONCE_BYTES + 1);
    while (true) {
      buffer.clear();
      SocketAddress sender = udp.receive(buffer);
      buffer.flip();
      if (sender == null) {
        await(udpReady, end, name + ": sent, but not to the agent");
      } else if (buffer.equals(ByteBuffer.wrap(nonce))) {
        udp.send(ByteBuffer.wrap(nonce), sender);
        return;
      }
    }
  }

  private static void await(Selector selector, long end, String otherwise)
      throws IOException, LostException {
    long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
    if (left <= 0) {
      throw new LostException(otherwise);
    }
    selector.select(left);
    selector.selectedKeys().clear();
  }

  private static long end() {
    return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
  }

  private void requireService(String seen, String what, String name) throws LostException {
    if (!seen.equals(Reserved.address(family).withPort(Reserved.PORT))) {
      throw new LostException(name + ": " + what + " shows as " + seen);
    }
  }

  private static LostException lost(String name, Exception cause) {
    LostException lost = new LostException(name + " is not translated: " + cause.getMessage());
    lost.initCause(cause);
    return lost;
  }

  private String name(Protocol protocol) {
    return Reserved.address(family).withPort(Reserved.PORT) + "/" + protocol.lowerCase();
  }

  private static byte[] nonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    ThreadLocalRandom.current().nextBytes(nonce);
    return nonce;
  }

  private static void closeAll(@Nullable AutoCloseable... things) {
    for (AutoCloseable thing : things) {
      try {
        if (thing != null) {
          thing.close();
        }
      } catch (Exception e) {
        throw new IllegalStateException("a channel does not close", e);
      }
    }
  }

  @Override
  public void close() {
    closeAll(tcpReady, udpReady, tcp, udp);
  }
}
