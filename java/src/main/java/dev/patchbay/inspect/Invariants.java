// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.model.IpFamily;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What must hold in the maps between any two writes: every frontend leads to a service whose whole
 * range holds valid backends, and no two services share rows. Words that no frontend leads to may
 * hold anything.
 */
public final class Invariants {
  private final ObservedState observed;
  private final List<Violation> violations = new ArrayList<>();

  private Invariants(ObservedState observed) {
    this.observed = observed;
  }

  /** Everything that is wrong, frontends first, in order; empty if all is well. */
  public static List<Violation> check(ObservedState observed) {
    Invariants invariants = new Invariants(observed);
    invariants.checkServices(invariants.checkFrontends());
    return List.copyOf(invariants.violations);
  }

  private void violation(Object where, String what) {
    violations.add(new Violation(where.toString(), what));
  }

  /** Returns the services that frontends lead to, and the families of those frontends. */
  private Map<Integer, Set<IpFamily>> checkFrontends() {
    Map<Integer, Set<IpFamily>> reachable = new TreeMap<>();
    for (Map.Entry<FrontendKey, FrontendValue> entry :
        new TreeMap<>(observed.frontends()).entrySet()) {
      FrontendKey key = entry.getKey();
      switch (entry.getValue()) {
        case FrontendValue.Foreign(int service, int flags) ->
            violation(key, "foreign value, service " + service + " flags " + flags);
        case FrontendValue.Refuse() -> {
          if (!key.isWildcard()) {
            violation(key, "refuses, but is no wildcard");
          }
        }
        case FrontendValue.ToService(int index) -> {
          if (key.isWildcard()) {
            violation(key, "is a wildcard, but leads to service " + index);
          } else if (index < 0 || index >= observed.capacity().services()) {
            violation(key, "leads to service " + index + ", which leaves the map");
          } else {
            reachable
                .computeIfAbsent(index, _ -> EnumSet.noneOf(IpFamily.class))
                .add(key.address().family());
          }
        }
      }
    }
    return reachable;
  }

  private record Range(int index, int base, int end) {}

  private void checkServices(Map<Integer, Set<IpFamily>> reachable) {
    List<Range> ranges = new ArrayList<>();
    reachable.forEach(
        (index, families) -> {
          ObservedService service = observed.services().get(index);
          if (service == null || service.word().count() == 0) {
            return; // no endpoint: a valid state
          }
          ServiceWord word = service.word();
          int end = word.base() + word.count();
          if (end > observed.capacity().backends()) {
            violation("service " + index, "range up to " + end + " leaves the map");
          } else {
            ranges.add(new Range(index, word.base(), end));
            checkSet(index, families, observed.backends().read(word.base(), word.count()));
          }
        });
    ranges.sort(Comparator.comparingInt(Range::base));
    int furthest = 0;
    for (int i = 1; i < ranges.size(); i++) {
      if (ranges.get(i - 1).end() > ranges.get(furthest).end()) {
        furthest = i - 1;
      }
      Range before = ranges.get(furthest);
      Range range = ranges.get(i);
      if (range.base() < before.end()) {
        violation(
            "service " + range.index(),
            "range at " + range.base() + " is shared with service " + before.index());
      }
    }
  }

  private void checkSet(int index, Set<IpFamily> families, List<Backend> set) {
    String where = "service " + index;
    for (int i = 0; i < set.size(); i++) {
      Backend backend = set.get(i);
      if (backend.port() < 1 || backend.port() > 65535) {
        violation(where, "backend " + i + " is not valid: " + backend);
      } else if (!families.equals(Set.of(backend.address().family()))) {
        violation(where, "backend " + backend + " for frontends of " + families);
      }
      if (i > 0 && set.get(i - 1).compareTo(backend) >= 0) {
        violation(where, "backend " + backend + " comes after " + set.get(i - 1));
      }
    }
  }
}
