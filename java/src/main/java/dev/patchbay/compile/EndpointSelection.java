// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoints of a Service may be chosen, and for all others why not. The maps and {@code
 * explain} use this same function.
 *
 * <p>The rules are those of kube-proxy ({@code CategorizeEndpoints}; KEP-1669 for terminating
 * endpoints, KEP-2433 and KEP-3015 for hints):
 *
 * <ul>
 *   <li>A port of a slice belongs to the Service port if name and protocol are equal.
 *   <li>Usable is an endpoint that is ready; with {@code publishNotReadyAddresses}, any endpoint.
 *   <li>Policy {@code Cluster}: all that are usable, and of these only those hinted for this node
 *       or this zone, see {@link Topology}. If none is usable, those that terminate but still
 *       serve.
 *   <li>Policy {@code Local}: those on this node that are usable, whatever the hints; if there are
 *       none, those on this node that terminate but still serve.
 *   <li>Several entries with the same address and port count once, as the best of them: one that
 *       does not terminate before one that does, because the address of a Pod that goes may be
 *       another Pod's already; then one that is usable, then one that serves, then one on this
 *       node. While an endpoint moves from one slice to another it occurs in both, and must not be
 *       lost.
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
    return Candidates.of(service, port, family, slices, node).explained(ServiceWord.MAX_COUNT);
  }

  /**
   * The set of one policy.
   *
   * @param policy which
   * @param wanted the standing that is chosen
   * @param chosen sorted, without duplicates
   * @param overLimit how many more there would have been
   */
  record Choice(TrafficPolicy policy, Standing wanted, List<Backend> chosen, int overLimit) {}

  /** The endpoints of one Service port in one family, with all that the choice follows from. */
  static final class Candidates {
    private final NodeFacts node;
    private final List<Candidate> all;

    /** For each backend, which candidate speaks for it: the first of the best. */
    private final Map<Backend, Integer> speakers;

    private final Topology topology;

    private Candidates(NodeFacts node, List<Candidate> all) {
      this.node = node;
      this.all = all;
      speakers = speakers();
      topology = anyHints() ? Topology.of(usable(), node) : Topology.NONE;
    }

    static Candidates of(
        Service service,
        ServicePort port,
        IpFamily family,
        List<EndpointSlice> slices,
        NodeFacts node) {
      return of(service, port.name(), port.protocol(), family, slices, node);
    }

    static Candidates of(
        Service service,
        String portName,
        Protocol protocol,
        IpFamily family,
        List<EndpointSlice> slices,
        NodeFacts node) {
      return new Candidates(node, candidates(service, portName, protocol, family, slices));
    }

    private Map<Backend, Integer> speakers() {
      Map<Backend, Integer> found = HashMap.newHashMap(all.size());
      for (int i = 0; i < all.size(); i++) {
        Candidate candidate = all.get(i);
        if (candidate.backend == null) {
          continue;
        }
        Integer rival = found.putIfAbsent(candidate.backend, i);
        if (rival != null && candidate.isBetterThan(all.get(rival), node)) {
          found.put(candidate.backend, i);
        }
      }
      return found;
    }

    private boolean anyHints() {
      for (Candidate candidate : all) {
        if (!candidate.endpoint.hints().isNone()) {
          return true;
        }
      }
      return false;
    }

    private List<Endpoint> usable() {
      List<Endpoint> usable = new ArrayList<>(speakers.size());
      for (int speaker : speakers.values()) {
        Candidate candidate = all.get(speaker);
        if (candidate.standing == Standing.USABLE) {
          usable.add(candidate.endpoint);
        }
      }
      return usable;
    }

    /** Whether there is an endpoint that somebody in the cluster may use. */
    boolean anyUsableAnywhere() {
      for (int speaker : speakers.values()) {
        if (all.get(speaker).standing != Standing.UNUSABLE) {
          return true;
        }
      }
      return false;
    }

    /** Adds the addresses of the endpoints on this node that are usable. */
    void addUsableHere(Set<IpAddress> to) {
      for (Endpoint endpoint : usable()) {
        if (endpoint.isOn(node.nodeName())) {
          to.add(endpoint.address());
        }
      }
    }

    /**
     * The set of a policy.
     *
     * @param limit on the number chosen, 1 or more
     */
    Choice choose(TrafficPolicy policy, int limit) {
      Standing wanted = Standing.SERVING;
      for (int speaker : speakers.values()) {
        Candidate candidate = all.get(speaker);
        if (candidate.standing == Standing.USABLE && isInReach(candidate, policy)) {
          wanted = Standing.USABLE;
          break;
        }
      }
      List<Backend> chosen = new ArrayList<>(speakers.size());
      for (Map.Entry<Backend, Integer> speaker : speakers.entrySet()) {
        Candidate candidate = all.get(speaker.getValue());
        if (candidate.standing == wanted
            && isInReach(candidate, policy)
            && isHintedHere(candidate, policy, wanted)) {
          chosen.add(speaker.getKey());
        }
      }
      chosen.sort(null);
      int overLimit = Math.max(0, chosen.size() - limit);
      List<Backend> kept = overLimit == 0 ? chosen : chosen.subList(0, limit);
      return new Choice(policy, wanted, kept, overLimit);
    }

    /** Both sets, with the reasons, which compilation has no use for. */
    Selection explained(int limit) {
      Choice cluster = choose(TrafficPolicy.CLUSTER, limit);
      Choice local = choose(TrafficPolicy.LOCAL, limit);
      List<Decision> decisions = new ArrayList<>(all.size());
      for (int i = 0; i < all.size(); i++) {
        Candidate candidate = all.get(i);
        decisions.add(
            new Decision(
                candidate.slice,
                candidate.endpoint,
                candidate.backend,
                reason(i, cluster),
                reason(i, local)));
      }
      return new Selection(
          cluster.chosen(), local.chosen(), anyUsableAnywhere(), decisions, topology.remarks());
    }

    private boolean isInReach(Candidate candidate, TrafficPolicy policy) {
      return policy == TrafficPolicy.CLUSTER || candidate.endpoint.isOn(node.nodeName());
    }

    private boolean isHintedHere(Candidate candidate, TrafficPolicy policy, Standing wanted) {
      return policy == TrafficPolicy.LOCAL
          || wanted != Standing.USABLE
          || topology.allows(candidate.endpoint);
    }

    /** Why the candidate at an index was chosen or not. */
    private Reason reason(int index, Choice choice) {
      Candidate candidate = all.get(index);
      if (candidate.backend == null) {
        return Reason.NO_SUCH_PORT;
      }
      if (!Integer.valueOf(index).equals(speakers.get(candidate.backend))) {
        return Reason.DUPLICATE;
      }
      if (candidate.standing == Standing.UNUSABLE) {
        return candidate.endpoint.terminating() ? Reason.TERMINATED : Reason.NOT_READY;
      }
      if (!isInReach(candidate, choice.policy)) {
        return candidate.endpoint.nodeName().isEmpty() ? Reason.NODE_UNKNOWN : Reason.OTHER_NODE;
      }
      if (candidate.standing != choice.wanted) {
        return Reason.TERMINATING;
      }
      if (!isHintedHere(candidate, choice.policy, choice.wanted)) {
        return topology.refusal();
      }
      if (choice.overLimit > 0 && candidate.backend.compareTo(choice.chosen.getLast()) > 0) {
        return Reason.OVER_LIMIT;
      }
      return switch (candidate.standing) {
        case USABLE -> candidate.endpoint.ready() ? Reason.READY : Reason.NOT_READY_BUT_PUBLISHED;
        case SERVING, UNUSABLE ->
            choice.policy == TrafficPolicy.CLUSTER
                ? Reason.SERVING_WHILE_TERMINATING
                : Reason.SERVING_HERE_WHILE_TERMINATING;
      };
    }
  }

  private static List<Candidate> candidates(
      Service service,
      String portName,
      Protocol protocol,
      IpFamily family,
      List<EndpointSlice> slices) {
    List<Candidate> candidates = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (slice.family() != family) {
        continue;
      }
      for (Endpoint endpoint : slice.endpoints()) {
        Standing standing = Standing.of(service, endpoint);
        boolean served = false;
        for (EndpointPort target : slice.ports()) {
          if (target.protocol() == protocol && target.name().equals(portName)) {
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
  private record Candidate(
      ObjectKey slice, Endpoint endpoint, @Nullable Backend backend, Standing standing) {
    /** Whether it speaks for their common backend in place of another, which comes earlier. */
    boolean isBetterThan(Candidate rival, NodeFacts node) {
      if (endpoint.terminating() != rival.endpoint.terminating()) {
        return rival.endpoint.terminating();
      }
      int byStanding = standing.compareTo(rival.standing);
      return byStanding < 0
          || (byStanding == 0
              && endpoint.isOn(node.nodeName())
              && !rival.endpoint.isOn(node.nodeName()));
    }
  }
}
