// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The paths of cgroups, by their numbers. The hierarchy is walked when a number is not known, at
 * most once a second, and what was found is kept: a cgroup may be gone when somebody asks. For one
 * thread.
 */
public final class CgroupNames {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Beyond this many, those that are gone are forgotten. */
  private static final int MOST = 100_000;

  /** As kubelet names them, with systemd (where - is _) and without; static Pods have no dashes. */
  private static final Pattern POD =
      Pattern.compile(
          "kubepods.*pod"
              + "([0-9a-f]{8}[-_]?[0-9a-f]{4}[-_]?[0-9a-f]{4}[-_]?[0-9a-f]{4}[-_]?[0-9a-f]{12})");

  private final Supplier<Map<Long, Path>> walk;
  private final LongSupplier clock;
  private final Map<Long, Path> known = new HashMap<>();
  private long walkedNanos;
  private boolean walked;

  /**
   * Nothing is known yet.
   *
   * @param walk finds all cgroups: paths below the root of the hierarchy
   * @param clock nanoseconds
   */
  public CgroupNames(Supplier<Map<Long, Path>> walk, LongSupplier clock) {
    this.walk = walk;
    this.clock = clock;
  }

  /** The path of a cgroup with a leading slash; empty if it is not known. */
  public Optional<String> path(long cgroup) {
    Path path = known.get(cgroup);
    long now = clock.getAsLong();
    if (path == null && (!walked || now - walkedNanos >= PAUSE_NANOS)) {
      walked = true;
      walkedNanos = now;
      if (known.size() > MOST) {
        known.clear();
      }
      known.putAll(walk.get());
      path = known.get(cgroup);
    }
    return Optional.ofNullable(path).map(found -> "/" + found);
  }

  /** The UID of the Pod that a cgroup belongs to, by its path; empty if it is no Pod's. */
  public static Optional<String> podUid(String path) {
    Matcher matcher = POD.matcher(path);
    return matcher.find() ? Optional.of(matcher.group(1).replace('_', '-')) : Optional.empty();
  }
}
