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
import java.util.BitSet;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
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

  private void violation(String where, String what) {
    violations.add(new Violation(where, what));
  }

  /** Services that frontends of each family lead to. */
  private record Reachable(BitSet ipv4, BitSet ipv6) {
    void add(int index, IpFamily family) {
      (family == IpFamily.IPV4 ? ipv4 : ipv6).set(index);
    }

    BitSet any() {
      BitSet any = (BitSet) ipv4.clone();
      any.or(ipv6);
      return any;
    }

    Set<IpFamily> families(int index) {
      if (ipv4.get(index)) {
        return ipv6.get(index) ? EnumSet.allOf(IpFamily.class) : Set.of(IpFamily.IPV4);
      }
      return Set.of(IpFamily.IPV6);
    }
  }

  private Reachable checkFrontends() {
    Reachable reachable = new Reachable(new BitSet(), new BitSet());
    SortedMap<FrontendKey, String> wrong = new TreeMap<>();
    observed
        .frontends()
        .forEach(
            (key, value) -> {
              switch (value) {
                case FrontendValue.Foreign(int service, int flags) ->
                    wrong.put(key, "foreign value, service " + service + " flags " + flags);
                case FrontendValue.Refuse() -> {
                  if (!key.isWildcard()) {
                    wrong.put(key, "refuses, but is no wildcard");
                  }
                }
                case FrontendValue.NodeAddress() -> {
                  if (!key.isWildcard()) {
                    wrong.put(key, "is marked as a node address, but is no wildcard");
                  }
                }
                case FrontendValue.ToService(int index) -> {
                  if (key.isWildcard()) {
                    wrong.put(key, "is a wildcard, but leads to service " + index);
                  } else if (index < 0 || index >= observed.capacity().services()) {
                    wrong.put(key, "leads to service " + index + ", which leaves the map");
                  } else {
                    reachable.add(index, key.address().family());
                  }
                }
              }
            });
    wrong.forEach((key, what) -> violation(key.toString(), what));
    return reachable;
  }

  private record Range(int index, int base, int end) {}

  private void checkServices(Reachable reachable) {
    List<Range> ranges = new ArrayList<>();
    reachable.any().stream()
        .forEach(
            index -> {
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
                List<Backend> set = observed.backends().read(word.base(), word.count());
                checkSet(index, reachable.families(index), set);
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
    IpFamily only = families.size() == 1 ? families.iterator().next() : null;
    for (int i = 0; i < set.size(); i++) {
      Backend backend = set.get(i);
      if (backend.port() < 1 || backend.port() > 65535) {
        violation(where, "backend " + i + " is not valid: " + backend);
      } else if (backend.address().family() != only) {
        violation(where, "backend " + backend + " for frontends of " + families);
      }
      if (i > 0 && set.get(i - 1).compareTo(backend) >= 0) {
        violation(where, "backend " + backend + " comes after " + set.get(i - 1));
      }
    }
  }
}
