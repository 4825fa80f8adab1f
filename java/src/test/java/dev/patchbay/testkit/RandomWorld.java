// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.Backend;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A small universe in which Services come, change and go at random: few keys, frontends and
 * backends, so that they meet often. Every state it passes through is a valid {@link DesiredState}.
 */
public final class RandomWorld {
  private static final int KEYS = 12;
  private static final int FRONTENDS = 10;
  private static final int BACKENDS = 12;
  private static final List<ServiceSettings> SETTINGS =
      List.of(
          ServiceSettings.NONE,
          ServiceSettings.NONE,
          new ServiceSettings(10800, false),
          new ServiceSettings(0, true),
          new ServiceSettings(60, true, true, false, 77),
          new ServiceSettings(0, false, false, true, -1));

  private final Random random;
  private final Map<ServicePortKey, ServiceRow> rows = new TreeMap<>();
  private final Map<FrontendKey, FrontendValue> wildcards = new TreeMap<>();

  public RandomWorld(Random random) {
    this.random = random;
  }

  public DesiredState state() {
    return new DesiredState(rows, wildcards);
  }

  /** Some steps at once. */
  public DesiredState walk(int steps) {
    for (int i = 0; i < steps; i++) {
      step();
    }
    return state();
  }

  private void step() {
    ServicePortKey key = key(random.nextInt(KEYS));
    ServiceRow row = rows.get(key);
    if (row == null) {
      if (random.nextInt(3) > 0) {
        rows.put(key, new ServiceRow(key, List.of(), set(key), settings()));
        acquire(key, 1 + random.nextInt(3));
      }
      return;
    }
    switch (random.nextInt(10)) {
      case 0 -> rows.remove(key);
      case 1 -> rows.put(key, new ServiceRow(key, row.frontends(), row.backends(), settings()));
      case 2 -> acquire(key, 1 + random.nextInt(2));
      case 3 -> giveUp(key);
      case 4 -> rename(row);
      case 5 -> {
        acquire(key, 1);
        rows.computeIfPresent(
            key, (_, now) -> new ServiceRow(key, now.frontends(), set(key), settings()));
      }
      case 6 -> toggleWildcard();
      default -> rows.put(key, new ServiceRow(key, row.frontends(), set(key), row.settings()));
    }
  }

  /** Takes random frontends, from whoever has them. */
  private void acquire(ServicePortKey key, int count) {
    for (int i = 0; i < count; i++) {
      FrontendKey frontend = frontend(key.family(), random.nextInt(FRONTENDS));
      rows.replaceAll((_, row) -> without(row, frontend));
      rows.computeIfPresent(key, (_, row) -> with(row, frontend));
    }
  }

  private void giveUp(ServicePortKey key) {
    rows.computeIfPresent(
        key,
        (_, row) ->
            row.frontends().isEmpty()
                ? row
                : without(row, row.frontends().get(random.nextInt(row.frontends().size()))));
  }

  /** The same row under a key that is free. */
  private void rename(ServiceRow row) {
    ServicePortKey other = key(random.nextInt(KEYS));
    if (!rows.containsKey(other) && other.family() == row.key().family()) {
      rows.remove(row.key());
      rows.put(other, new ServiceRow(other, row.frontends(), row.backends(), row.settings()));
    }
  }

  private void toggleWildcard() {
    FrontendKey wildcard =
        FrontendKey.wildcard(frontend(IpFamily.IPV4, random.nextInt(FRONTENDS)).address());
    switch (random.nextInt(4)) {
      case 0 -> wildcards.put(wildcard, FrontendValue.NODE_ADDRESS);
      case 1 -> wildcards.put(wildcard, FrontendValue.REFUSE);
      default -> wildcards.remove(wildcard);
    }
  }

  private static ServiceRow with(ServiceRow row, FrontendKey frontend) {
    Set<FrontendKey> frontends = new TreeSet<>(row.frontends());
    frontends.add(frontend);
    return new ServiceRow(row.key(), List.copyOf(frontends), row.backends(), row.settings());
  }

  private static ServiceRow without(ServiceRow row, FrontendKey frontend) {
    List<FrontendKey> frontends = new ArrayList<>(row.frontends());
    return frontends.remove(frontend)
        ? new ServiceRow(row.key(), frontends, row.backends(), row.settings())
        : row;
  }

  private static ServicePortKey key(int number) {
    return new ServicePortKey(
        new ObjectKey("default", "s" + number / 2),
        "",
        Protocol.TCP,
        number % 2 == 0 ? IpFamily.IPV4 : IpFamily.IPV6);
  }

  private static FrontendKey frontend(IpFamily family, int number) {
    IpAddress address =
        IpAddress.of((family == IpFamily.IPV4 ? "10.96.0." : "fd00:10:96::") + (1 + number / 2));
    Protocol protocol = number % 2 == 0 ? Protocol.TCP : Protocol.UDP;
    return new FrontendKey(address, 80, protocol, Scope.INTERNAL);
  }

  private List<Backend> set(ServicePortKey key) {
    Set<Backend> set = new HashSet<>();
    for (int i = random.nextInt(7); i > 0; i--) {
      String prefix = key.family() == IpFamily.IPV4 ? "10.1.0." : "fd00::";
      set.add(new Backend(IpAddress.of(prefix + (1 + random.nextInt(BACKENDS))), 8080));
    }
    return set.stream().sorted().toList();
  }

  private ServiceSettings settings() {
    return SETTINGS.get(random.nextInt(SETTINGS.size()));
  }
}
