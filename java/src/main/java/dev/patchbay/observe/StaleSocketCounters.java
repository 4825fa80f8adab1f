// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import dev.patchbay.model.Protocol;
import java.util.concurrent.atomic.LongAdder;

/**
 * What became of sockets whose backend is gone, since the agent started. Numbers only grow. Any
 * thread may count and read.
 */
public final class StaleSocketCounters {
  private final LongAdder scans = new LongAdder();
  private final LongAdder scanNanos = new LongAdder();
  private final LongAdder found = new LongAdder();
  private final LongAdder destroyedTcp = new LongAdder();
  private final LongAdder destroyedUdp = new LongAdder();
  private final LongAdder failed = new LongAdder();

  /**
   * A look at all translated sockets that took so many nanoseconds and found so many to destroy.
   */
  public void scanned(long nanos, long stale) {
    scans.increment();
    scanNanos.add(nanos);
    found.add(stale);
  }

  /** So many of a protocol were destroyed. */
  public void destroyed(Protocol protocol, long sockets) {
    adder(protocol).add(sockets);
  }

  /** So many had to be left. */
  public void failed(long sockets) {
    failed.add(sockets);
  }

  private LongAdder adder(Protocol protocol) {
    return protocol == Protocol.UDP ? destroyedUdp : destroyedTcp;
  }

  /** How often all translated sockets were looked at. */
  public long scans() {
    return scans.sum();
  }

  /** How long that took, in nanoseconds, without the time to destroy what was found. */
  public long scanNanos() {
    return scanNanos.sum();
  }

  /** How many had to be destroyed; one that was left counts again with each scan. */
  public long found() {
    return found.sum();
  }

  /** How many of a protocol were destroyed. */
  public long destroyed(Protocol protocol) {
    return adder(protocol).sum();
  }

  /** How many were left, because of missing rights or a failure; again with each time. */
  public long failed() {
    return failed.sum();
  }
}
