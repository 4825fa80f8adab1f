// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.jmh;

import dev.patchbay.model.ServiceState;
import dev.patchbay.scale.World;
import java.util.ArrayList;
import java.util.List;

/**
 * Services of {@link World} in two versions each, which differ in one endpoint, made before
 * anything is measured; and an endless series of changes between the two, in an order in which no
 * Service is near the one before it. Not thread-safe.
 */
public final class Cluster {
  /** A prime, so that a pass through all Services meets each of them once. */
  private static final int STRIDE = 7919;

  private final List<ServiceState> before = new ArrayList<>();
  private final List<ServiceState> after = new ArrayList<>();
  private long changes;

  /**
   * @param services how many, not a multiple of 7919
   */
  public Cluster(int services) {
    if (services % STRIDE == 0) {
      throw new IllegalArgumentException("services=" + services);
    }
    for (int i = 0; i < services; i++) {
      before.add(World.service(i, 0));
      after.add(World.service(i, 1));
    }
  }

  /** All Services as they are before the first change. */
  public List<ServiceState> all() {
    return before;
  }

  /** All Services with one endpoint changed. */
  public List<ServiceState> allChanged() {
    return after;
  }

  /** The Service that the next change is about, from 0. */
  public int next() {
    return (int) (changes++ * STRIDE % before.size());
  }

  /** Whether the change that {@link #next} last told is away from the first version, or back. */
  public boolean isAway() {
    return (changes - 1) / before.size() % 2 == 0;
  }

  /** The next Service with one endpoint other than before. */
  public ServiceState nextState() {
    int which = next();
    return (isAway() ? after : before).get(which);
  }
}
