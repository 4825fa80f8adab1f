// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import dev.patchbay.table.Backend;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a set of rows means to those who connect: where each frontend leads. It does not depend on
 * indexes, ranges or generations, so states of different histories can be compared.
 *
 * @param frontends by key
 */
public record Canonical(Map<FrontendKey, Target> frontends) {
  public Canonical {
    frontends = Collections.unmodifiableMap(new HashMap<>(frontends));
  }

  /** Where a frontend leads. */
  public sealed interface Target {}

  /**
   * To one of these backends.
   *
   * @param backends sorted; empty if connections fail because there is none
   * @param settings affinity and policy
   */
  public record Balanced(List<Backend> backends, ServiceSettings settings) implements Target {
    public Balanced {
      backends = isSorted(backends) ? List.copyOf(backends) : backends.stream().sorted().toList();
    }

    private static boolean isSorted(List<Backend> backends) {
      for (int i = 1; i < backends.size(); i++) {
        if (backends.get(i - 1).compareTo(backends.get(i)) > 0) {
          return false;
        }
      }
      return true;
    }

    @Override
    public String toString() {
      return backends
          + (settings.affinitySeconds() > 0 ? " affinity " + settings.affinitySeconds() + " s" : "")
          + (settings.policyLocal() ? " policy local" : "");
    }
  }

  /** Nowhere: the connection is refused because no Service has this port. */
  public record Refused() implements Target {
    @Override
    public String toString() {
      return "refused";
    }
  }

  /** Wherever the node port of the same number leads. */
  public record NodeAddress() implements Target {
    @Override
    public String toString() {
      return "node address";
    }
  }

  /**
   * Nowhere that makes sense.
   *
   * @param why what is wrong
   */
  public record Broken(String why) implements Target {
    @Override
    public String toString() {
      return "broken: " + why;
    }
  }

  /** What the maps mean. */
  public static Canonical of(ObservedState observed) {
    Map<FrontendKey, Target> frontends = HashMap.newHashMap(observed.frontends().size());
    observed.frontends().forEach((key, value) -> frontends.put(key, target(observed, value)));
    return new Canonical(frontends);
  }

  /** What the rows that are wanted mean. */
  public static Canonical of(DesiredState desired) {
    Map<FrontendKey, Target> frontends = HashMap.newHashMap(2 * desired.services().size());
    for (ServiceRow row : desired.services().values()) {
      Balanced target = new Balanced(row.backends(), row.settings());
      row.frontends().forEach(key -> frontends.put(key, target));
    }
    desired
        .wildcards()
        .forEach(
            (key, value) ->
                frontends.put(
                    key,
                    value instanceof FrontendValue.NodeAddress
                        ? new NodeAddress()
                        : new Refused()));
    return new Canonical(frontends);
  }

  private static Target target(ObservedState observed, FrontendValue value) {
    return switch (value) {
      case FrontendValue.Refuse() -> new Refused();
      case FrontendValue.NodeAddress() -> new NodeAddress();
      case FrontendValue.Foreign(int service, int flags) ->
          new Broken("foreign value, service " + service + " flags " + flags);
      case FrontendValue.ToService(int index) -> service(observed, index);
    };
  }

  private static Target service(ObservedState observed, int index) {
    if (index < 0 || index >= observed.capacity().services()) {
      return new Broken("service " + index + " leaves the map");
    }
    ObservedService service = observed.services().get(index);
    if (service == null) {
      return new Balanced(List.of(), ServiceSettings.NONE);
    }
    ServiceWord word = service.word();
    if (word.base() + word.count() > observed.capacity().backends()) {
      return new Broken("range of service " + index + " leaves the map");
    }
    List<Backend> set = observed.backends().read(word.base(), word.count());
    return new Balanced(set, service.settings());
  }

  /**
   * How another state differs, a line for each frontend, in order: what it lacks, what it has too
   * much, and where a frontend leads elsewhere. Empty if both mean the same.
   *
   * @param other the state that ought to equal this one
   */
  public List<String> difference(Canonical other) {
    if (equals(other)) {
      return List.of();
    }
    TreeSet<FrontendKey> keys = new TreeSet<>(frontends.keySet());
    keys.addAll(other.frontends.keySet());
    List<String> lines = new ArrayList<>();
    for (FrontendKey key : keys) {
      describe(key, frontends.get(key), other.frontends.get(key), lines);
    }
    return List.copyOf(lines);
  }

  private static void describe(
      FrontendKey key, @Nullable Target mine, @Nullable Target theirs, List<String> lines) {
    if (theirs == null) {
      lines.add(key + " is missing: " + mine);
    } else if (mine == null) {
      lines.add(key + " should not be there: " + theirs);
    } else if (!mine.equals(theirs)) {
      lines.add(key + " should be " + mine + ", is " + theirs);
    }
  }

  /** A line for each frontend, in order. */
  @Override
  public String toString() {
    return new TreeMap<>(frontends)
        .entrySet().stream()
            .map(entry -> entry.getKey() + " -> " + entry.getValue())
            .collect(Collectors.joining("\n"));
  }
}
