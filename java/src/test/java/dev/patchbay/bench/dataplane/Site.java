// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Tools;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * A node that routes between a Pod with clients and one with a server, which has the addresses of
 * all endpoints. What it does about Services is not its business.
 */
final class Site implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(20);

  private final String key;
  private final Peer peer;
  private final int services;
  private final Node node;
  private final Pod server;
  private final Generator fromPod;
  private final Generator fromHost;

  /**
   * Makes one.
   *
   * @param services how many Services it will know; 0: none
   */
  Site(Lab lab, String key, Peer peer, int services) {
    this.key = key;
    this.peer = peer;
    this.services = services;
    node = lab.addNode(key);
    node.routePods();
    Pod client = node.addPod(key + "-c");
    server = node.addPod(key + "-s");
    for (Family family : Family.values()) {
      String range = Population.endpoints(family);
      String gateway = family == Family.IPV4 ? node.host().ipv4() : "fe80::1";
      client.ip("route add %s via %s dev eth0%n".formatted(range, gateway));
      node.host().ip("route add %s via %s%n".formatted(range, server.address(family)));
      server.ip("route add local %s dev lo%n".formatted(range));
    }
    for (Pod place : List.of(client, node.host())) {
      // What is not programmed is noticed within seconds.
      place.exec("sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_syn_retries").orFail();
    }
    Daemon process =
        server.start(
            Tools.built("load").toString(), "server", Integer.toString(Population.SERVER_PORT));
    process.awaitOut("^ready$", READY);
    fromPod = Generator.start(client, process.pid());
    fromHost = Generator.start(node.addHostPod(key + "-h"), process.pid());
  }

  /** Its name. */
  String key() {
    return key;
  }

  /** What it is an example of. */
  Peer peer() {
    return peer;
  }

  /** How many Services it knows. */
  int services() {
    return services;
  }

  /** The node. */
  Node node() {
    return node;
  }

  /** Its load. */
  Generator generator(boolean host) {
    return host ? fromHost : fromPod;
  }

  /** Tells both of its clients of destinations. */
  void targets(String name, Family family, List<InetSocketAddress> targets) {
    fromPod.targets(name + family.number(), targets);
    fromHost.targets(name + family.number(), targets);
  }

  /**
   * Uses each destination of a name once, in turn.
   *
   * @throws IllegalStateException if some failed
   */
  Slice walk(String name, Family family) {
    Slice slice = fromPod.walk(Kind.CRR, name + family.number());
    if (slice.errors() > 0) {
      throw new IllegalStateException(slice.errors() + " connections failed");
    }
    return slice;
  }

  @Override
  public void close() {
    fromPod.close();
    fromHost.close();
  }
}
