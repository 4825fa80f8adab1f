// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A readiness probe of a container: HTTP, TCP or a command, as the kubelet does it. */
final class Probe {
  private static final Json NOTHING = Json.parse("{}");

  private final Json probe;
  private final Json container;
  private final NamespaceSockets node;
  private final PodSandbox sandbox;

  private Probe(Json probe, Json container, NamespaceSockets node, PodSandbox sandbox) {
    this.probe = probe;
    this.container = container;
    this.node = node;
    this.sandbox = sandbox;
    if (probe
            .find("httpGet")
            .or(() -> probe.find("tcpSocket"))
            .or(() -> probe.find("exec"))
            .isEmpty()
        || probe
            .find("httpGet")
            .flatMap(get -> get.find("scheme"))
            .filter(s -> s.text().equals("HTTPS"))
            .isPresent()) {
      throw new AssertionError("the kubelet of the lab cannot do this probe: " + probe);
    }
  }

  /** The readiness probe of a container, if it has one. */
  static Optional<Probe> readiness(Json container, NamespaceSockets node, PodSandbox sandbox) {
    return container
        .find("readinessProbe")
        .map(probe -> new Probe(probe, container, node, sandbox));
  }

  Duration initialDelay() {
    return Duration.ofSeconds(number("initialDelaySeconds", 0));
  }

  Duration period() {
    return Duration.ofSeconds(number("periodSeconds", 10));
  }

  int successThreshold() {
    return (int) number("successThreshold", 1);
  }

  int failureThreshold() {
    return (int) number("failureThreshold", 3);
  }

  private long number(String field, long otherwise) {
    return probe.find(field).map(Json::number).orElse(otherwise);
  }

  /** Probes once. */
  boolean succeeds() {
    int timeout = Math.toIntExact(Duration.ofSeconds(number("timeoutSeconds", 1)).toMillis());
    if (probe.find("exec").isPresent()) {
      List<String> command =
          probe.get("exec").get("command").elements().stream().map(Json::text).toList();
      return sandbox.exec(Duration.ofMillis(timeout), command).exit() == 0;
    }
    Optional<Json> get = probe.find("httpGet");
    Json target = get.orElseGet(() -> probe.get("tcpSocket"));
    String host = target.find("host").map(Json::text).orElse(sandbox.pod().ipv4());
    try (SocketChannel channel = node.open()) {
      channel.socket().setSoTimeout(timeout);
      channel.socket().connect(new InetSocketAddress(host, port(target.get("port"))), timeout);
      return get.isEmpty() || answersWell(channel, get.get(), host);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean answersWell(SocketChannel channel, Json get, String host)
      throws IOException {
    String path = get.find("path").map(Json::text).orElse("/");
    channel
        .socket()
        .getOutputStream()
        .write(
            ("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    String answer =
        new String(channel.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String[] words = answer.split(" ", 3);
    return words.length == 3 && words[1].matches("[23]\\d\\d");
  }

  private int port(Json port) {
    return port.text().matches("\\d+")
        ? Integer.parseInt(port.text())
        : container.find("ports").orElse(NOTHING).elements().stream()
            .filter(p -> p.find("name").map(Json::text).orElse("").equals(port.text()))
            .map(p -> Math.toIntExact(p.get("containerPort").number()))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no port " + port + " in " + container));
  }
}
