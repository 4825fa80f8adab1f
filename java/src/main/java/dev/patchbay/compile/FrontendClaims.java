// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.FrontendKey;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who claims which frontend, and who of several gets it: the first claim in the order of {@link
 * Claim}. Not thread-safe.
 */
final class FrontendClaims {
  /**
   * A wish for a frontend. Order is precedence: the older Service first, then the Service port.
   *
   * @param createdMillis age of the Service
   * @param who the Service port
   */
  record Claim(long createdMillis, ServicePortKey who) implements Comparable<Claim> {
    private static final Comparator<Claim> ORDER =
        Comparator.comparingLong(Claim::createdMillis).thenComparing(Claim::who);

    @Override
    public int compareTo(Claim other) {
      return ORDER.compare(this, other);
    }
  }

  private final Map<FrontendKey, Claim> owners = new HashMap<>();

  /** All claims, the owner's first, for frontends that have more than one. */
  private final Map<FrontendKey, NavigableSet<Claim>> contested = new HashMap<>();

  /** Adds a claim; tells {@code lost} who owned the frontend before, if that changes. */
  void add(FrontendKey frontend, Claim claim, Consumer<ServicePortKey> lost) {
    Claim owner = owners.putIfAbsent(frontend, claim);
    if (owner == null || owner.equals(claim)) {
      return;
    }
    NavigableSet<Claim> claims = contested.computeIfAbsent(frontend, f -> new TreeSet<>());
    claims.add(owner);
    claims.add(claim);
    if (claims.first().equals(claim)) {
      owners.put(frontend, claim);
      lost.accept(owner.who());
    }
  }

  /** Takes a claim back; tells {@code won} who owns the frontend now, if that changes. */
  void remove(FrontendKey frontend, Claim claim, Consumer<ServicePortKey> won) {
    NavigableSet<Claim> claims = contested.get(frontend);
    if (claims == null) {
      owners.remove(frontend, claim);
      return;
    }
    claims.remove(claim);
    Claim first = claims.first();
    if (claims.size() == 1) {
      contested.remove(frontend);
    }
    if (!first.equals(owners.put(frontend, first))) {
      won.accept(first.who());
    }
  }

  /** Who has a frontend; null if nobody claims it. */
  @Nullable ServicePortKey owner(FrontendKey frontend) {
    Claim owner = owners.get(frontend);
    return owner == null ? null : owner.who();
  }

  boolean owns(FrontendKey frontend, ServicePortKey who) {
    return who.equals(owner(frontend));
  }

  /** Tells {@code to} about every claim that came second. */
  void rejections(Consumer<Rejection> to) {
    contested.forEach(
        (frontend, claims) -> {
          ServicePortKey winner = claims.first().who();
          claims.stream()
              .skip(1)
              .forEach(c -> to.accept(new Rejection.FrontendTaken(c.who(), frontend, winner)));
        });
  }
}
