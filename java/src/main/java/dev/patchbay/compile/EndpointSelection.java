// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.table.Backend;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoints of a Service may be chosen, and for all others why not. The maps and {@code
 * explain} use this same function.
 *
 * <p>The rules are those of kube-proxy ({@code CategorizeEndpoints}, and KEP-1669 for terminating
 * endpoints):
 *
 * <ul>
 *   <li>A port of a slice belongs to the Service port if name and protocol are equal.
 *   <li>Usable is an endpoint that is ready; with {@code publishNotReadyAddresses}, any endpoint.
 *   <li>If none is usable, endpoints that terminate but still serve are chosen instead.
 *   <li>Several entries with the same address and port count once, with the best of their states:
 *       usable, then serving while terminating, then the rest. While an endpoint moves from one
 *       slice to another it occurs in both, and must not be lost.
 *   <li>Of more than {@link ServiceWord#MAX_COUNT} endpoints, the lowest by address and port are
 *       chosen: each of them is good, and to refuse the Service would break it for everybody.
 * </ul>
 */
public final class EndpointSelection {
  private EndpointSelection() {}

  /**
   * Selects endpoints for {@code port} of {@code service} among those of {@code family}.
   *
   * @param slices of any family; those of others are passed over
   * @param node where the answer is meant for
   */
  public static Selection select(
      Service service,
      ServicePort port,
      IpFamily family,
      List<EndpointSlice> slices,
      NodeFacts node) {
    return choose(service, port, family, slices, node, ServiceWord.MAX_COUNT).explained();
  }

  /**
   * Selection without the reasons, which compilation has no use for; {@link Choice#explained} adds
   * them.
   *
   * @param limit on the number chosen, 1 or more
   */
  static Choice choose(
      Service service,
      ServicePort port,
      IpFamily family,
      List<EndpointSlice> slices,
      NodeFacts node,
      int limit) {
    List<Candidate> candidates = candidates(service, port, family, slices);
    Map<Backend, Integer> speakers = speakers(candidates);
    Standing wanted = Standing.SERVING;
    for (int speaker : speakers.values()) {
      if (candidates.get(speaker).standing == Standing.USABLE) {
        wanted = Standing.USABLE;
        break;
      }
    }
    List<Backend> chosen = new ArrayList<>(speakers.size());
    for (Map.Entry<Backend, Integer> speaker : speakers.entrySet()) {
      if (candidates.get(speaker.getValue()).standing == wanted) {
        chosen.add(speaker.getKey());
      }
    }
    chosen.sort(null);
    int overLimit = Math.max(0, chosen.size() - limit);
    List<Backend> kept = overLimit == 0 ? chosen : chosen.subList(0, limit);
    return new Choice(candidates, speakers, wanted, kept, overLimit);
  }

  /**
   * What was chosen, with all that the reasons follow from.
   *
   * @param candidates in the order of the slices
   * @param speakers for each backend the index of the candidate that speaks for it
   * @param wanted the standing that is chosen
   * @param chosen sorted, without duplicates
   * @param overLimit how many more there would have been
   */
  record Choice(
      List<Candidate> candidates,
      Map<Backend, Integer> speakers,
      Standing wanted,
      List<Backend> chosen,
      int overLimit) {
    Selection explained() {
      Backend last = overLimit == 0 ? null : chosen.getLast();
      List<Decision> decisions = new ArrayList<>(candidates.size());
      for (int i = 0; i < candidates.size(); i++) {
        Candidate candidate = candidates.get(i);
        Integer speaker = candidate.backend == null ? null : speakers.get(candidate.backend);
        Reason reason = reason(candidate, wanted, speaker != null && speaker == i, last);
        decisions.add(new Decision(candidate.slice, candidate.endpoint, candidate.backend, reason));
      }
      return new Selection(chosen, decisions);
    }
  }

  /** For each backend, which candidate speaks for it: the first of the best standing. */
  private static Map<Backend, Integer> speakers(List<Candidate> candidates) {
    Map<Backend, Integer> speakers = HashMap.newHashMap(candidates.size());
    for (int i = 0; i < candidates.size(); i++) {
      Candidate candidate = candidates.get(i);
      if (candidate.backend == null) {
        continue;
      }
      Integer rival = speakers.putIfAbsent(candidate.backend, i);
      if (rival != null && candidate.standing.compareTo(candidates.get(rival).standing) < 0) {
        speakers.put(candidate.backend, i);
      }
    }
    return speakers;
  }

  private static List<Candidate> candidates(
      Service service, ServicePort port, IpFamily family, List<EndpointSlice> slices) {
    List<Candidate> candidates = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (slice.family() != family) {
        continue;
      }
      for (Endpoint endpoint : slice.endpoints()) {
        Standing standing = Standing.of(service, endpoint);
        boolean served = false;
        for (EndpointPort target : slice.ports()) {
          if (target.protocol() == port.protocol() && target.name().equals(port.name())) {
            Backend backend = new Backend(endpoint.address(), target.port());
            candidates.add(new Candidate(slice.key(), endpoint, backend, standing));
            served = true;
          }
        }
        if (!served) {
          candidates.add(new Candidate(slice.key(), endpoint, null, standing));
        }
      }
    }
    return candidates;
  }

  /**
   * The reason for one candidate.
   *
   * @param wanted the standing that is chosen
   * @param first whether this candidate speaks for its backend
   * @param last the last backend chosen, or null if the limit cut nothing off
   */
  private static Reason reason(
      Candidate candidate, Standing wanted, boolean first, @Nullable Backend last) {
    if (candidate.backend == null) {
      return Reason.NO_SUCH_PORT;
    }
    if (!first) {
      return Reason.DUPLICATE;
    }
    if (candidate.standing == wanted && last != null && candidate.backend.compareTo(last) > 0) {
      return Reason.OVER_LIMIT;
    }
    return switch (candidate.standing) {
      case USABLE -> candidate.endpoint.ready() ? Reason.READY : Reason.NOT_READY_BUT_PUBLISHED;
      case SERVING ->
          wanted == Standing.SERVING ? Reason.SERVING_WHILE_TERMINATING : Reason.TERMINATING;
      case UNUSABLE -> candidate.endpoint.terminating() ? Reason.TERMINATED : Reason.NOT_READY;
    };
  }

  /** How good an endpoint is by itself, the best first. */
  enum Standing {
    USABLE,
    /** Terminating but serving: chosen only if nothing is usable. */
    SERVING,
    UNUSABLE;

    static Standing of(Service service, Endpoint endpoint) {
      if (endpoint.ready() || service.publishNotReadyAddresses()) {
        return USABLE;
      }
      return endpoint.serving() && endpoint.terminating() ? SERVING : UNUSABLE;
    }
  }

  /** An endpoint with one port that it might be reached at; null if it serves none. */
  record Candidate(
      ObjectKey slice, Endpoint endpoint, @Nullable Backend backend, Standing standing) {}
}
