// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.IpAddress;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the addresses of the interfaces in this network namespace, on a thread of its own. They
 * change so rarely that asking now and then is enough.
 */
final class LocalAddresses implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LocalAddresses.class);
  private static final long PERIOD_MILLIS = 5000;

  private final Consumer<List<IpAddress>> to;
  private final Thread thread;
  private List<IpAddress> last;

  /**
   * Begins to follow.
   *
   * @param known what was told already
   * @param to hears of each change, on the thread of this object
   */
  LocalAddresses(List<IpAddress> known, Consumer<List<IpAddress>> to) {
    this.to = to;
    last = known;
    thread = Thread.ofPlatform().name("patchbay-addresses").daemon().start(this::loop);
  }

  /**
   * All addresses of interfaces that are up, without loopback, link-local and multicast ones;
   * sorted. Empty, with a line in the log, if they cannot be read.
   */
  static List<IpAddress> now() {
    try {
      return read();
    } catch (SocketException e) {
      unreadable(e);
      return List.of();
    }
  }

  private static List<IpAddress> read() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(LocalAddresses::counts)
        .map(LocalAddresses::address)
        .sorted()
        .toList();
  }

  private static void unreadable(SocketException e) {
    log.atWarn()
        .addKeyValue("error", e.getMessage())
        .log("cannot read the addresses of this node; those that are known stay");
  }

  private static boolean counts(InetAddress address) {
    return !address.isLoopbackAddress()
        && !address.isLinkLocalAddress()
        && !address.isMulticastAddress()
        && !address.isAnyLocalAddress();
  }

  private static IpAddress address(InetAddress address) {
    String text = address.getHostAddress();
    int zone = address instanceof Inet6Address ? text.indexOf('%') : -1;
    return IpAddress.of(zone < 0 ? text : text.substring(0, zone));
  }

  private void loop() {
    boolean failing = false;
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        try {
          List<IpAddress> now = read();
          failing = false;
          if (!now.equals(last)) {
            last = now;
            to.accept(now);
          }
        } catch (SocketException e) {
          if (!failing) {
            unreadable(e);
          }
          failing = true;
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
