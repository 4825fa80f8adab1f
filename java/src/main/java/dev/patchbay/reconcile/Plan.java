// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Steps from what the maps hold towards what is wanted, in the order in which they are safe: after
 * each of them every reachable frontend leads to a whole set of backends, its old one or its new
 * one. Data, not action.
 *
 * @param operations in order of their phases
 */
public record Plan(List<Operation> operations) {
  public static final Plan EMPTY = new Plan(List.of());

  /** The phases, in order. */
  public enum Phase {
    /** Sets are written where no program can see them. */
    WRITE_RANGES,
    /** Words are published; all frontends of an index change over at once. */
    PUBLISH,
    /** Frontends are led to indexes that are ready. */
    UPSERT_FRONTENDS,
    /** Frontends that nobody wants are deleted: only now has all that is new taken over. */
    DELETE_FRONTENDS,
    /**
     * What nothing leads to any more waits in quarantine for the programs that may still read it.
     */
    RELEASE
  }

  /** A step. */
  public sealed interface Operation {
    Phase phase();
  }

  /**
   * Writes a set into rows that were free.
   *
   * @param index the index that will name them
   */
  public record WriteRange(int index, int base, List<Backend> backends) implements Operation {
    public WriteRange {
      backends = List.copyOf(backends);
    }

    @Override
    public Phase phase() {
      return Phase.WRITE_RANGES;
    }

    @Override
    public String toString() {
      return "write " + new BackendRange(base, backends.size()) + " for service " + index;
    }
  }

  /** Publishes a word and settings at an index. */
  public record Publish(int index, ServiceWord word, ServiceSettings settings)
      implements Operation {
    @Override
    public Phase phase() {
      return Phase.PUBLISH;
    }

    @Override
    public String toString() {
      return "publish service "
          + index
          + ": "
          + BackendRange.of(word)
          + " generation "
          + word.generation()
          + (settings.affinitySeconds() > 0 ? " affinity " + settings.affinitySeconds() + " s" : "")
          + (settings.policyLocal() ? " policy local" : "");
    }
  }

  /** Inserts or replaces frontends. */
  public record UpsertFrontends(Map<FrontendKey, FrontendValue> entries) implements Operation {
    public UpsertFrontends {
      entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    @Override
    public Phase phase() {
      return Phase.UPSERT_FRONTENDS;
    }

    @Override
    public String toString() {
      return entries.entrySet().stream()
          .map(entry -> entry.getKey() + " -> " + describe(entry.getValue()))
          .collect(Collectors.joining(", ", "upsert ", ""));
    }

    static String describe(FrontendValue value) {
      return switch (value) {
        case FrontendValue.ToService(int index) -> "service " + index;
        case FrontendValue.Refuse() -> "refuse";
        case FrontendValue.NodeAddress() -> "node address";
        case FrontendValue.Foreign(int service, int flags) -> "foreign " + service + "/" + flags;
      };
    }
  }

  /** Deletes frontends. */
  public record DeleteFrontends(List<FrontendKey> keys) implements Operation {
    public DeleteFrontends {
      keys = List.copyOf(keys);
    }

    @Override
    public Phase phase() {
      return Phase.DELETE_FRONTENDS;
    }

    @Override
    public String toString() {
      return keys.stream()
          .map(FrontendKey::toString)
          .collect(Collectors.joining(", ", "delete ", ""));
    }
  }

  /**
   * Puts into quarantine what an index named.
   *
   * @param range rows that no word names any more, possibly none
   * @param withIndex whether the index goes too, because no frontend names it any more
   */
  public record Release(int index, BackendRange range, boolean withIndex) implements Operation {
    @Override
    public Phase phase() {
      return Phase.RELEASE;
    }

    @Override
    public String toString() {
      return "release " + range + (withIndex ? " and service " : " of service ") + index;
    }
  }

  public Plan {
    operations = List.copyOf(operations);
    for (int i = 1; i < operations.size(); i++) {
      if (operations.get(i).phase().compareTo(operations.get(i - 1).phase()) < 0) {
        throw new IllegalArgumentException(
            operations.get(i) + " comes after " + operations.get(i - 1));
      }
    }
  }

  public boolean isEmpty() {
    return operations.isEmpty();
  }

  /** A line for each operation. */
  @Override
  public String toString() {
    return operations.stream().map(Operation::toString).collect(Collectors.joining("\n"));
  }
}
