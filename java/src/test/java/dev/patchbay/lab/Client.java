// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * A process in a Pod that opens sockets as it is told ({@code client.py}). It lives until it is
 * closed, so it can be older than the agent. For one thread at a time.
 */
public final class Client implements AutoCloseable {
  /** How a client talks to a server. */
  public enum Kind {
    /** A TCP connection to a banner port. */
    TCP("tcp"),
    /** A datagram over a connected socket. */
    UDP("udp"),
    /** A datagram over an unconnected socket; the answer has to come from where it was sent to. */
    UDP_UNCONNECTED("udp-unconnected");

    private final String verb;

    Kind(String verb) {
      this.verb = verb;
    }
  }

  /**
   * What a load saw.
   *
   * @param attempts how many exchanges there were
   * @param counts how many of them had each outcome, by name of the server or of the error
   * @param outcomes when each outcome came, by the same names
   */
  public record LoadReport(
      long attempts, Map<String, Long> counts, Map<String, List<Interval>> outcomes) {}

  /**
   * A time in which at least one exchange began, until the last of those ended; on the clock of
   * {@link System#nanoTime()}.
   */
  public record Interval(long start, long end) {}

  private final Pod pod;
  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter requests;

  Client(List<String> command, Pod pod) {
    this.pod = pod;
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answers = process.inputReader(StandardCharsets.UTF_8);
    requests = process.outputWriter(StandardCharsets.UTF_8);
    call("ping", Map.of());
  }

  /** Where it runs. */
  public Pod pod() {
    return pod;
  }

  /** One verb of {@code client.py}: its value, or an {@link Outcome} with the error's name. */
  Outcome ask(String verb, Map<String, ?> arguments) {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("do", verb);
    request.putAll(arguments);
    try {
      requests.write(Json.write(request));
      requests.newLine();
      requests.flush();
      String line = answers.readLine();
      if (line == null) {
        throw new AssertionError("the client in " + pod + " has ended");
      }
      Json answer = Json.parse(line);
      answer
          .find("error")
          .ifPresent(
              error -> {
                throw new AssertionError(request + " in " + pod + ": " + error.text());
              });
      return answer.find("errno").isPresent()
          ? new Outcome(answer.get("errno").text(), Json.NULL)
          : new Outcome(Outcome.OK, answer.find("ok").orElse(Json.NULL));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One verb that has to succeed. */
  Json call(String verb, Map<String, ?> arguments) {
    Outcome outcome = ask(verb, arguments);
    if (!outcome.isOk()) {
      throw new AssertionError(verb + arguments + " in " + pod + ": " + outcome.name());
    }
    return outcome.value();
  }

  /** A new TCP socket. */
  public Sock tcp(Family family) {
    return socket(family, "tcp");
  }

  /** A new UDP socket. */
  public Sock udp(Family family) {
    return socket(family, "udp");
  }

  /** A new MPTCP socket. */
  public Sock mptcp(Family family) {
    return socket(family, "mptcp");
  }

  private Sock socket(Family family, String type) {
    return new Sock(this, call("socket", Map.of("family", family.number(), "type", type)).number());
  }

  /** One HTTP request on a new connection: which server, and what both sides saw. */
  public Outcome who(String address, int port) {
    return ask("who", Map.of("address", address, "port", port));
  }

  /** {@link #who}, for a connection that has to succeed: the name of the server. */
  public String nameAt(String address, int port) {
    Outcome outcome = who(address, port);
    if (!outcome.isOk()) {
      throw new AssertionError(
          pod + " to " + Family.hostPort(address, port) + ": " + outcome.name());
    }
    return outcome.value().get("name").text();
  }

  /** The outcome of one exchange: the name of the server or of the error. */
  public String hit(Kind kind, String address, int port) {
    return hits(kind, address, port, 1).keySet().iterator().next();
  }

  /** Exchanges, each on a new socket: how often which server answered or which error came. */
  public Map<String, Long> hits(Kind kind, String address, int port, int count) {
    Map<String, Long> hits = new TreeMap<>();
    call("hits", Map.of("kind", kind.verb, "address", address, "port", port, "count", count))
        .members()
        .forEach((outcome, times) -> hits.put(outcome, times.number()));
    return hits;
  }

  /** An exchange on a new socket. */
  public record Exchange(Kind kind, String address, int port) {}

  /** The outcome of each exchange: the name of the server or of the error. */
  public List<String> outcomes(List<Exchange> exchanges) {
    List<List<Object>> list = new ArrayList<>();
    exchanges.forEach(e -> list.add(List.of(e.kind.verb, e.address, e.port)));
    return call("outcomes", Map.of("exchanges", list)).elements().stream().map(Json::text).toList();
  }

  /** The cookie of its network namespace; empty where the kernel cannot say. */
  public OptionalLong namespaceCookie() {
    Outcome cookie = ask("namespace_cookie", Map.of());
    return cookie.isOk() ? OptionalLong.of(cookie.value().number()) : OptionalLong.empty();
  }

  /**
   * How often to try a target of a survey.
   *
   * @param several exchanges with one that has several outcomes
   * @param one exchanges with one at which always the same server answers
   * @param error exchanges with one at which always the same error comes
   * @param timeout after how many exchanges without an answer there is no further one
   */
  public record Tries(int several, int one, int error, int timeout) {}

  /**
   * Exchanges with many targets, many at a time.
   *
   * @return for each target how often which server answered, as {@code NAME:PORT}, or which error
   *     came
   */
  public List<Map<String, Long>> survey(List<Exchange> targets, Tries tries) {
    Json answer =
        call(
            "survey",
            Map.of(
                "targets",
                targets.stream().map(t -> List.of(t.kind.verb, t.address, t.port)).toList(),
                "tries",
                Map.of(
                    "several",
                    tries.several,
                    "one",
                    tries.one,
                    "error",
                    tries.error,
                    "timeout",
                    tries.timeout)));
    List<Map<String, Long>> outcomes = new ArrayList<>();
    for (Json target : answer.elements()) {
      Map<String, Long> hits = new TreeMap<>();
      target.members().forEach((outcome, times) -> hits.put(outcome, times.number()));
      outcomes.add(hits);
    }
    return outcomes;
  }

  /** Starts exchanges in the background, one after the other without pause. */
  public void startLoad(String name, Kind kind, String address, int port) {
    startLoad(name, kind, address, port, Duration.ZERO);
  }

  /** Starts exchanges in the background, with a pause after each. */
  public void startLoad(String name, Kind kind, String address, int port, Duration pause) {
    startLoad(name, kind.verb, address, port, pause);
  }

  /**
   * Starts DNS queries for the TXT record of {@code who.test} in the background, whose text is the
   * outcome.
   *
   * @param oneSocket whether all are sent by one socket, as some resolvers do, or each by its own
   */
  public void startQueries(
      String name, boolean oneSocket, String address, int port, Duration pause) {
    startLoad(name, oneSocket ? "resolver" : "dns", address, port, pause);
  }

  private void startLoad(String name, String kind, String address, int port, Duration pause) {
    call(
        "load_start",
        Map.of(
            "name",
            name,
            "kind",
            kind,
            "address",
            address,
            "port",
            port,
            "pause",
            pause.toNanos() / 1e9));
  }

  /** Stops a load and tells what it saw. */
  public LoadReport stopLoad(String name) {
    Json report = call("load_stop", Map.of("name", name));
    Map<String, List<Interval>> outcomes = new TreeMap<>();
    report
        .get("outcomes")
        .members()
        .forEach(
            (outcome, intervals) -> {
              List<Interval> list = new ArrayList<>();
              for (Json interval : intervals.elements()) {
                list.add(
                    new Interval(
                        interval.elements().get(0).number(), interval.elements().get(1).number()));
              }
              outcomes.put(outcome, list);
            });
    Map<String, Long> counts = new TreeMap<>();
    report.get("counts").members().forEach((outcome, times) -> counts.put(outcome, times.number()));
    return new LoadReport(report.get("attempts").number(), counts, outcomes);
  }

  /**
   * What connections that were held saw.
   *
   * @param exchanges how many there were
   * @param failures by error, or by what was wrong with an answer
   * @param backendsShown how often getpeername() told another address than that of the Service
   */
  public record HeldReport(long exchanges, Map<String, Long> failures, long backendsShown) {}

  /** Opens connections to an echo port and uses one after the other in the background. */
  public void hold(String name, String address, int port, int count, Duration pause) {
    call(
        "hold_start",
        Map.of(
            "name",
            name,
            "address",
            address,
            "port",
            port,
            "count",
            count,
            "pause",
            pause.toNanos() / 1e9));
  }

  /** Stops using held connections, which are closed with the client, and tells what they saw. */
  public HeldReport stopHolding(String name) {
    Json report = call("hold_stop", Map.of("name", name));
    Map<String, Long> failures = new TreeMap<>();
    report
        .get("failures")
        .members()
        .forEach((failure, times) -> failures.put(failure, times.number()));
    return new HeldReport(
        report.get("exchanges").number(), failures, report.get("backendsShown").number());
  }

  /** Ends the process; its sockets go with it. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
