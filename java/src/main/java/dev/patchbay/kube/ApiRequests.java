// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.observe.Distribution;
import dev.patchbay.observe.DurationHistogram;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts requests to API servers as client-go counts its own. There are few combinations: two
 * methods, the servers that were configured, the codes they answer with.
 *
 * <p>Thread-safe.
 */
public final class ApiRequests {
  /** What stands for a code if there was no answer. */
  static final String NO_ANSWER = "<error>";

  private static final double[] SECONDS = {
    0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60,
  };

  private record Answer(String method, String host, String code) {}

  private record Asked(String method, String host) {}

  private final Map<Answer, LongAdder> answers = new ConcurrentHashMap<>();
  private final Map<Asked, DurationHistogram> durations = new ConcurrentHashMap<>();

  ApiRequests() {}

  /**
   * How often a server answered so.
   *
   * @param method of HTTP, in upper case
   * @param host the server, with the port if its address has one
   * @param code of HTTP; {@code <error>} if there was no answer
   * @param count 1 or more
   */
  public record Count(String method, String host, String code, long count) {}

  /**
   * How long answers took, to their end; watches are not among them, which have none.
   *
   * @param method of HTTP, in upper case
   * @param host the server, with the port if its address has one
   * @param seconds how long
   */
  public record Latency(String method, String host, Distribution seconds) {}

  void answered(String method, URI server, String code) {
    answers
        .computeIfAbsent(new Answer(method, host(server), code), _ -> new LongAdder())
        .increment();
  }

  void took(String method, URI server, long nanos) {
    durations
        .computeIfAbsent(new Asked(method, host(server)), _ -> new DurationHistogram(SECONDS))
        .observeNanos(nanos);
  }

  /** Without the credentials that an address may hold. */
  private static String host(URI server) {
    return server.getPort() < 0 ? server.getHost() : server.getHost() + ":" + server.getPort();
  }

  /** What was answered so far, in no order. */
  public List<Count> counts() {
    return answers.entrySet().stream()
        .map(
            entry ->
                new Count(
                    entry.getKey().method(),
                    entry.getKey().host(),
                    entry.getKey().code(),
                    entry.getValue().sum()))
        .toList();
  }

  /** How long it took, in no order. */
  public List<Latency> latencies() {
    return durations.entrySet().stream()
        .map(
            entry ->
                new Latency(
                    entry.getKey().method(),
                    entry.getKey().host(),
                    entry.getValue().distribution()))
        .toList();
  }
}
