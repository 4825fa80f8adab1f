// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A socket in a {@link Client}. What may fail for reasons of the network gives the name of its
 * outcome, {@link Outcome#OK} or an error's; everything else has to succeed.
 */
public final class Sock implements AutoCloseable {
  /** A datagram and where it says it comes from, as {@link Family#hostPort}. */
  public record Datagram(String text, String from) {}

  /** A datagram and where it goes. */
  public record Message(String address, int port, String text) {}

  private final Client client;
  private final long handle;
  private boolean open = true;

  Sock(Client client, long handle) {
    this.client = client;
    this.handle = handle;
  }

  private Outcome ask(String verb, Map<String, ?> arguments) {
    Map<String, Object> all = new HashMap<>(arguments);
    all.put("handle", handle);
    return client.ask(verb, all);
  }

  private Json call(String verb, Map<String, ?> arguments) {
    Map<String, Object> all = new HashMap<>(arguments);
    all.put("handle", handle);
    return client.call(verb, all);
  }

  /** {@code TCP_FASTOPEN_CONNECT}: connect() returns before anything is sent. */
  public Sock fastOpenConnect() {
    call("option", Map.of("name", "fastopen-connect"));
    return this;
  }

  /** {@code O_NONBLOCK}. */
  public Sock nonBlocking() {
    call("option", Map.of("name", "nonblocking"));
    return this;
  }

  /** bind(). */
  public Sock bind(String address, int port) {
    call("bind", Map.of("address", address, "port", port));
    return this;
  }

  /** connect(). */
  public String connect(String address, int port) {
    return ask("connect", Map.of("address", address, "port", port)).name();
  }

  /** Waits for a non-blocking connect to end: its outcome. The socket blocks again afterwards. */
  public String finishConnect() {
    return ask("finish_connect", Map.of()).name();
  }

  /** connect() to {@code AF_UNSPEC}. */
  public String disconnect() {
    return ask("disconnect", Map.of()).name();
  }

  /** getpeername(), as {@link Family#hostPort}, or the name of its error. */
  public String peer() {
    Outcome outcome = ask("peer", Map.of());
    return outcome.isOk() ? hostPort(outcome.value()) : outcome.name();
  }

  /** getsockname(), as {@link Family#hostPort}. */
  public String local() {
    return hostPort(call("local", Map.of()));
  }

  /** The port of getsockname(). */
  public int localPort() {
    return (int) call("local", Map.of()).elements().get(1).number();
  }

  private static String hostPort(Json pair) {
    return Family.hostPort(pair.elements().get(0).text(), (int) pair.elements().get(1).number());
  }

  /** {@code SO_PROTOCOL}: 6 TCP, 17 UDP, 262 MPTCP. */
  public long protocol() {
    return call("protocol", Map.of()).number();
  }

  /** send(). */
  public String send(String text) {
    return ask("send", Map.of("text", text)).name();
  }

  /** sendto(). */
  public String sendTo(String address, int port, String text) {
    return ask("sendto", Map.of("address", address, "port", port, "text", text)).name();
  }

  /** sendto() with {@code MSG_FASTOPEN}: connects and sends in one call. */
  public String sendFastOpen(String address, int port, String text) {
    return ask("sendto", Map.of("address", address, "port", port, "text", text, "fastopen", true))
        .name();
  }

  /** sendmmsg(): how many messages went out. */
  public long sendMany(List<Message> messages) {
    List<List<Object>> list = new ArrayList<>();
    messages.forEach(m -> list.add(List.of(m.address(), m.port(), m.text())));
    return call("sendmmsg", Map.of("messages", list)).number();
  }

  /** recv(): the text, or the name of the error. */
  public String receive() {
    Outcome outcome = ask("recv", Map.of());
    return outcome.isOk() ? outcome.value().text() : outcome.name();
  }

  /** recvfrom(), which has to bring something. */
  public Datagram receiveFrom() {
    Json datagram = call("recvfrom", Map.of());
    return new Datagram(
        datagram.get("text").text(),
        Family.hostPort(datagram.get("address").text(), (int) datagram.get("port").number()));
  }

  /** Sends a line and gives the first word of the answer: the name of the server. */
  public String exchange(String text) {
    String sent = send(text + "\n");
    return sent.equals(Outcome.OK) ? receive().split(" ", 2)[0] : sent;
  }

  /** A TXT query to the DNS server that it is connected to: the text, or the name of the error. */
  public String dns(String name) {
    Outcome outcome = ask("dns", Map.of("name", name));
    return outcome.isOk() ? outcome.value().text() : outcome.name();
  }

  /**
   * How a resolver got over the loss of its socket.
   *
   * @param error the name of the error that it got
   * @param lost when that came, on the clock of {@link System#nanoTime}
   * @param text the answer to a TXT query on a new socket
   * @param answered when that came
   */
  public record Recovery(String error, long lost, String text, long answered) {}

  /**
   * Waits until this socket, which is connected by UDP, fails, and asks the same DNS server on a
   * new one. This one is closed.
   */
  public Recovery recover(String name) {
    open = false;
    Json recovery = call("recover", Map.of("name", name));
    return new Recovery(
        recovery.get("error").text(),
        recovery.get("lost").number(),
        recovery.get("text").text(),
        recovery.get("answered").number());
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      call("close", Map.of());
    }
  }
}
