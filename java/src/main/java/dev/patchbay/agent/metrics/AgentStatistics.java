// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.observe.Distribution;
import dev.patchbay.observe.DurationHistogram;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts what the agent does. Thread-safe. Needs nothing of the metrics library, so that it costs a
 * start nothing.
 */
public final class AgentStatistics {
  /** Of kube-proxy's {@code sync_*_duration_seconds}: 1 ms, doubled 14 times. */
  private static final double[] SYNC_SECONDS = doubled(0.001, 15);

  /** A change takes microseconds here, and a start less than a second: 10 µs, doubled 20 times. */
  private static final double[] STEP_SECONDS = doubled(0.00001, 21);

  private static final double[] PROGRAMMING_SECONDS = programmingSeconds();

  private final DurationHistogram syncs = new DurationHistogram(SYNC_SECONDS);
  private final DurationHistogram fullSyncs = new DurationHistogram(SYNC_SECONDS);
  private final DurationHistogram partialSyncs = new DurationHistogram(SYNC_SECONDS);
  private final DurationHistogram compilations = new DurationHistogram(STEP_SECONDS);
  private final DurationHistogram applies = new DurationHistogram(STEP_SECONDS);
  private final DurationHistogram programming4 = new DurationHistogram(PROGRAMMING_SECONDS);
  private final DurationHistogram programming6 = new DurationHistogram(PROGRAMMING_SECONDS);
  private final Map<Integer, LongAdder> healthz = codes();
  private final Map<Integer, LongAdder> livez = codes();
  private final Map<Check, LongAdder> checks = new ConcurrentHashMap<>();
  private final Map<CheckName, Boolean> lastChecks = new ConcurrentHashMap<>();

  // All below: under the lock of this object.
  private long serviceChanges;
  private long endpointChanges;
  private long servicesSynced;
  private long endpointsSynced;
  private SourceChanges failed = SourceChanges.NONE;
  private long lastQueuedMillis;
  private long lastSyncedMillis;
  private long rounds;
  private long failures;
  private @Nullable Round last;

  /**
   * A check of health.
   *
   * @param name what was checked
   * @param type {@code healthz} or {@code livez}
   */
  record CheckName(String name, String type) {}

  /**
   * A result of a check of health.
   *
   * @param of the check
   * @param passed whether all was well
   */
  record Check(CheckName of, boolean passed) {}

  /**
   * What the owner's rounds and its sources amount to.
   *
   * @param serviceChanges changes of Services that the source told
   * @param endpointChanges changes of endpoints that the source told
   * @param servicesPending those of them that are not in the maps yet
   * @param endpointsPending likewise
   * @param lastQueuedMillis when the source told something last, in milliseconds since the epoch; 0
   *     if never
   * @param lastSyncedMillis when the maps last became what is wanted, in milliseconds since the
   *     epoch; 0 if never
   * @param rounds all rounds
   * @param failures those of them that failed
   * @param last the last round; null if there was none
   */
  record Totals(
      long serviceChanges,
      long endpointChanges,
      long servicesPending,
      long endpointsPending,
      long lastQueuedMillis,
      long lastSyncedMillis,
      long rounds,
      long failures,
      @Nullable Round last) {}

  private static double[] doubled(double first, int count) {
    double[] bounds = new double[count];
    for (int i = 0; i < count; i++) {
      bounds[i] = i == 0 ? first : 2 * bounds[i - 1];
    }
    return bounds;
  }

  /** As in kube-proxy: to a minute by seconds, to two by fives, to five by thirties. */
  private static double[] programmingSeconds() {
    List<Double> bounds = new ArrayList<>(List.of(0.25, 0.5));
    for (int second = 1; second < 60; second++) {
      bounds.add((double) second);
    }
    for (int second = 60; second < 120; second += 5) {
      bounds.add((double) second);
    }
    for (int second = 120; second <= 300; second += 30) {
      bounds.add((double) second);
    }
    return bounds.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The codes that health checks are answered with, so that both are there from the start. */
  private static Map<Integer, LongAdder> codes() {
    Map<Integer, LongAdder> codes = new TreeMap<>();
    codes.put(200, new LongAdder());
    codes.put(503, new LongAdder());
    return codes;
  }

  /** The source has told something. */
  public synchronized void told(SourceChanges changes) {
    serviceChanges += changes.services();
    endpointChanges += changes.endpoints();
    lastQueuedMillis = System.currentTimeMillis();
  }

  /** The owner has ended a round. Called by the owner. */
  public void ended(Round round) {
    syncs.observeNanos(round.nanos());
    (round.full() ? fullSyncs : partialSyncs).observeNanos(round.nanos());
    compilations.observeNanos(round.compileNanos());
    applies.observeNanos(round.report().nanos());
    long now = System.currentTimeMillis();
    boolean succeeded = round.report().succeeded();
    if (succeeded) {
      for (SourceChanges.Trigger trigger : round.changes().triggers()) {
        programmed(trigger.family()).observe((now - trigger.millis()) / 1e3);
      }
    }
    synchronized (this) {
      last = round;
      rounds++;
      if (succeeded) {
        SourceChanges synced = failed.plus(round.changes());
        failed = SourceChanges.NONE;
        servicesSynced += synced.services();
        endpointsSynced += synced.endpoints();
        lastSyncedMillis = now;
      } else {
        failures++;
        failed =
            new SourceChanges(
                failed.services() + round.changes().services(),
                failed.endpoints() + round.changes().endpoints(),
                List.of());
      }
    }
  }

  private DurationHistogram programmed(IpFamily family) {
    return family == IpFamily.IPV4 ? programming4 : programming6;
  }

  /** {@code /healthz} of the proxy was answered: 200 or 503. */
  public void healthz(int code) {
    count(healthz, code);
    checked("service-proxy", "healthz", code == 200);
  }

  /** {@code /livez} of the proxy was answered: 200 or 503. */
  public void livez(int code) {
    count(livez, code);
    checked("service-proxy", "livez", code == 200);
  }

  private static void count(Map<Integer, LongAdder> codes, int code) {
    LongAdder counter = codes.get(code);
    if (counter != null) {
      counter.increment();
    }
  }

  /**
   * A check of health was made.
   *
   * @param name what was checked
   * @param type {@code healthz} or {@code livez}
   * @param passed whether all was well
   */
  public void checked(String name, String type, boolean passed) {
    CheckName of = new CheckName(name, type);
    lastChecks.put(of, passed);
    checks.computeIfAbsent(new Check(of, passed), _ -> new LongAdder()).increment();
  }

  /** Forgets all checks of health. */
  public void forgetChecks() {
    checks.clear();
    lastChecks.clear();
  }

  /** A copy of what the source has told; empty before the first round. */
  public ClusterSnapshot cluster() {
    Round round = totals().last();
    return round == null ? ClusterSnapshot.EMPTY : round.cluster().get();
  }

  synchronized Totals totals() {
    return new Totals(
        serviceChanges,
        endpointChanges,
        serviceChanges - servicesSynced,
        endpointChanges - endpointsSynced,
        lastQueuedMillis,
        lastSyncedMillis,
        rounds,
        failures,
        last);
  }

  Distribution syncs() {
    return syncs.distribution();
  }

  Distribution fullSyncs() {
    return fullSyncs.distribution();
  }

  Distribution partialSyncs() {
    return partialSyncs.distribution();
  }

  Distribution compilations() {
    return compilations.distribution();
  }

  Distribution applies() {
    return applies.distribution();
  }

  Distribution programming(IpFamily family) {
    return programmed(family).distribution();
  }

  /** An empty one, with the bounds of kube-proxy's durations. */
  Distribution noSyncs() {
    return new DurationHistogram(SYNC_SECONDS).distribution();
  }

  /** How often {@code /healthz} was answered with each code. */
  Map<Integer, LongAdder> healthz() {
    return healthz;
  }

  /** How often {@code /livez} was answered with each code. */
  Map<Integer, LongAdder> livez() {
    return livez;
  }

  /** How often checks of health had which result. */
  Map<Check, LongAdder> checks() {
    return checks;
  }

  /** The last result of each check of health. */
  Map<CheckName, Boolean> lastChecks() {
    return lastChecks;
  }
}
