// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.compile.Decision;
import dev.patchbay.compile.EndpointSelection;
import dev.patchbay.compile.Rejection;
import dev.patchbay.compile.Selection;
import dev.patchbay.compile.SourceRanges;
import dev.patchbay.inspect.Tracer;
import dev.patchbay.inspect.Verdict;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Why a connection to a destination ends where it does. The verdict comes from the maps; names and
 * reasons come from the function that filled them, applied again to the agent's snapshot.
 *
 * @param destination what was asked
 * @param verdict what the programs would do
 * @param key the Service port; null if there is none
 * @param state its Service; null if there is none
 * @param node what was compiled for
 * @param decisions about each endpoint, in the order of the slices
 * @param remarks further causes, each a sentence without a full stop
 */
record Explanation(
    Destination destination,
    Verdict verdict,
    @Nullable ServicePortKey key,
    @Nullable ServiceState state,
    NodeFacts node,
    List<Decision> decisions,
    List<String> remarks) {

  static Explanation of(Destination to, DataplaneView view) {
    Tracer tracer = new Tracer(view.observed());
    Verdict verdict = tracer.trace(to.address(), to.port(), to.protocol());
    FrontendKey frontend = tracer.frontend(to.address(), to.port(), to.protocol());
    ServicePortKey key = view.owner(frontend);
    ServiceState state = key == null ? null : view.state(key);
    List<Decision> decisions = List.of();
    List<String> remarks = new ArrayList<>();
    if (key != null && state != null) {
      ServicePort port = DataplaneView.port(state.service(), key);
      Snapshot snapshot = view.snapshot();
      if (port != null && snapshot != null) {
        Selection selection =
            EndpointSelection.select(
                state.service(), port, key.family(), state.slices(), snapshot.node());
        decisions = selection.decisions();
        remarkOnDifference(selection.chosen(key.policy()), verdict, remarks);
        remarks.addAll(selection.remarks());
        remarkOnPlace(to, frontend, state.service(), selection, remarks);
      }
      remarks.addAll(state.notes());
    } else {
      nearestMisses(to, view, remarks);
    }
    remarkOnProblems(to, state, view, remarks);
    Snapshot known = view.snapshot();
    NodeFacts node = known == null ? NodeFacts.named("") : known.node();
    return new Explanation(to, verdict, key, state, node, decisions, List.copyOf(remarks));
  }

  /** Where else the same destination means something else. */
  private static void remarkOnPlace(
      Destination to,
      FrontendKey frontend,
      Service service,
      Selection selection,
      List<String> remarks) {
    if (frontend.isNodePort() && (to.address().isLoopback() || to.address().isUnspecified())) {
      remarks.add("this holds for processes in the node's network namespace, not for Pods");
    }
    if (service.clusterIps().contains(to.address())) {
      return;
    }
    if (service.externalPolicy() == TrafficPolicy.LOCAL) {
      remarks.add(
          "this holds for clients on this node; externalTrafficPolicy Local gives those from outside "
              + (selection.local().isEmpty()
                  ? "none of the endpoints"
                  : ServicesCommand.plural(selection.local().size(), "endpoint")));
    }
    boolean guarded =
        service.loadBalancerIps().contains(to.address())
            && !SourceRanges.of(service, to.address().family()).isOpen();
    if (guarded) {
      remarks.add(
          "loadBalancerSourceRanges are for clients from outside; they do not bind those on this"
              + " node");
    }
  }

  private static void remarkOnDifference(
      List<Backend> chosen, Verdict verdict, List<String> remarks) {
    List<Backend> programmed =
        switch (verdict) {
          case Verdict.Candidates candidates -> candidates.backends();
          case Verdict.Refused _, Verdict.NotAService _ -> List.of();
        };
    if (!programmed.equals(chosen)) {
      remarks.add(
          "the kernel holds "
              + ServicesCommand.plural(programmed.size(), "endpoint")
              + " where the agent's snapshot wants "
              + chosen.size()
              + ": a change is on its way, or the agent does not run");
    }
  }

  /** What somebody who asks about an address that is no frontend may have meant. */
  private static void nearestMisses(Destination to, DataplaneView view, List<String> remarks) {
    TreeSet<String> sameAddress = new TreeSet<>();
    TreeSet<String> samePod = new TreeSet<>();
    view.observed()
        .frontends()
        .keySet()
        .forEach(
            frontend -> {
              if (frontend.address().equals(to.address()) && !frontend.isWildcard()) {
                ServicePortKey owner = view.owner(frontend);
                sameAddress.add(frontend + (owner == null ? "" : " of " + owner.service()));
              }
            });
    Snapshot snapshot = view.snapshot();
    if (snapshot != null) {
      for (ServiceState state : snapshot.cluster().services().values()) {
        if (hasEndpoint(state, to.address())) {
          samePod.add(state.key().toString());
        }
        if (state.service().proxiedLoadBalancerIps().contains(to.address())) {
          remarks.add(
              "the address is the load balancer's of "
                  + state.key()
                  + ", whose ipMode is Proxy: connections are meant to go there");
        }
      }
      if (snapshot.node().addresses().contains(to.address())) {
        remarks.add("the address is a node's, and no Service has node port " + to.port());
      }
    }
    if (!sameAddress.isEmpty()) {
      remarks.add("the address serves " + String.join(", ", sameAddress));
    }
    if (!samePod.isEmpty()) {
      remarks.add("the address is an endpoint of " + String.join(", ", samePod));
    }
  }

  private static boolean hasEndpoint(ServiceState state, IpAddress address) {
    return state.slices().stream()
        .flatMap(slice -> slice.endpoints().stream())
        .anyMatch(endpoint -> endpoint.address().equals(address));
  }

  private static void remarkOnProblems(
      Destination to, @Nullable ServiceState state, DataplaneView view, List<String> remarks) {
    FrontendKey frontend = new FrontendKey(to.address(), to.port(), to.protocol(), Scope.INTERNAL);
    for (Rejection rejection : view.rejections()) {
      boolean same =
          switch (rejection) {
            case Rejection.FrontendTaken taken -> taken.frontend().equals(frontend);
            case Rejection.ClusterIpTaken taken -> taken.frontend().equals(frontend);
            default -> false;
          };
      if (same || (state != null && rejection.who().service().equals(state.key()))) {
        remarks.add(rejection.who() + ": " + rejection.sentence());
      }
    }
    Snapshot snapshot = view.snapshot();
    if (snapshot == null) {
      return;
    }
    String address = to.address().toString();
    for (Problem problem : snapshot.cluster().problems()) {
      boolean mentions = mentions(problem.reason(), address);
      boolean concerns = state != null && problem.object().equals("Service " + state.key());
      boolean said = remarks.stream().anyMatch(remark -> remark.endsWith(problem.reason()));
      if ((mentions || concerns) && !said) {
        remarks.add(problem.toString());
      }
    }
    for (Snapshot.Refusal refusal : snapshot.refusals()) {
      if (state != null && refusal.servicePort().startsWith(state.key().toString())) {
        remarks.add(refusal.servicePort() + ": " + refusal.reason());
      }
    }
  }

  /** Whether a text contains the address as a word, not as a part of another address. */
  private static boolean mentions(String text, String address) {
    int at = text.indexOf(address);
    while (at >= 0) {
      int end = at + address.length();
      boolean startsHere = at == 0 || !isAddressPart(text.charAt(at - 1));
      boolean endsHere = end == text.length() || !isAddressPart(text.charAt(end));
      if (startsHere && endsHere) {
        return true;
      }
      at = text.indexOf(address, at + 1);
    }
    return false;
  }

  private static boolean isAddressPart(char c) {
    return Character.isLetterOrDigit(c) || c == '.' || c == ':';
  }

  /** One sentence: who owns the destination and what happens to a connection. */
  String headline() {
    String outcome =
        switch (verdict) {
          case Verdict.NotAService _ -> "is no Service address: connections go there untouched";
          case Verdict.Refused(String errno, String reason) ->
              "is refused with " + errno + ": " + reason;
          case Verdict.Candidates candidates ->
              "goes to one of "
                  + ServicesCommand.plural(candidates.backends().size(), "endpoint")
                  + (candidates.affinitySeconds() == 0
                      ? ", chosen at random"
                      : ", the same one per client for " + candidates.affinitySeconds() + " s");
        };
    return destination + " " + outcome;
  }

  String text() {
    StringBuilder text = new StringBuilder(headline()).append('\n');
    if (key != null && state != null) {
      Service service = state.service();
      text.append("  Service ").append(service.key()).append(" (").append(service.type());
      text.append(")");
      if (!key.port().isEmpty()) {
        text.append(", port \"").append(key.port()).append('"');
      }
      if (!service.origin().isEmpty()) {
        text.append(", from ").append(service.origin());
      }
      text.append('\n');
    }
    if (!decisions.isEmpty()) {
      TextTable table = new TextTable("ENDPOINT", "POD", "NODE", "CHOSEN", "WHY");
      for (Decision decision : decisions) {
        table.row(
            target(decision),
            orDash(decision.endpoint().target()),
            orDash(decision.endpoint().nodeName()),
            decision.reason(policy()).chosen() ? "yes" : "no",
            decision.sentence(policy(), node));
      }
      text.append('\n').append(table.render("  "));
    } else if (key != null) {
      text.append("  It has no endpoints.\n");
    }
    for (String remark : remarks) {
      text.append("  - ").append(remark).append('\n');
    }
    return text.toString();
  }

  private TrafficPolicy policy() {
    return key == null ? TrafficPolicy.CLUSTER : key.policy();
  }

  private static String target(Decision decision) {
    Backend backend = decision.backend();
    return backend == null ? decision.endpoint().address().toString() : backend.toString();
  }

  private static String orDash(String text) {
    return text.isEmpty() ? "-" : text;
  }

  Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("destination", destination.toString());
    switch (verdict) {
      case Verdict.NotAService _ -> tree.put("verdict", "NotAService");
      case Verdict.Refused(String errno, String reason) -> {
        tree.put("verdict", "Refused");
        tree.put("errno", errno);
        tree.put("reason", reason);
      }
      case Verdict.Candidates candidates -> {
        tree.put("verdict", "Balanced");
        tree.put("backends", ServicesCommand.backends(candidates.backends()));
      }
    }
    if (key != null) {
      tree.put("namespace", key.service().namespace());
      tree.put("name", key.service().name());
      tree.put("portName", key.port());
    }
    List<Object> endpoints = new ArrayList<>();
    for (Decision decision : decisions) {
      Map<String, Object> endpoint = new LinkedHashMap<>();
      Backend backend = decision.backend();
      endpoint.put("address", decision.endpoint().address().toString());
      endpoint.put("port", backend == null ? 0 : backend.port());
      endpoint.put("pod", decision.endpoint().target());
      endpoint.put("node", decision.endpoint().nodeName());
      Decision.Reason reason = decision.reason(policy());
      endpoint.put("chosen", reason.chosen());
      endpoint.put("reason", reason.name());
      endpoint.put("why", decision.sentence(policy(), node));
      endpoints.add(endpoint);
    }
    tree.put("endpoints", endpoints);
    tree.put("remarks", remarks);
    return tree;
  }
}
