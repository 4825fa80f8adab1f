// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.cli.Terminal.Style;
import dev.patchbay.agent.cli.TextTable.Cell;
import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.compile.Decision;
import dev.patchbay.compile.EndpointSelection;
import dev.patchbay.compile.Rejection;
import dev.patchbay.compile.Reserved;
import dev.patchbay.compile.Selection;
import dev.patchbay.compile.SourceRanges;
import dev.patchbay.inspect.NearMiss;
import dev.patchbay.inspect.NearMisses;
import dev.patchbay.inspect.Tracer;
import dev.patchbay.inspect.Verdict;
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
 * @param nearMisses what may have been meant; empty if the destination is a Service's
 * @param remarks further causes, each a sentence without a full stop
 */
record Explanation(
    Destination destination,
    Verdict verdict,
    @Nullable ServicePortKey key,
    @Nullable ServiceState state,
    NodeFacts node,
    List<Decision> decisions,
    List<NearMiss> nearMisses,
    List<String> remarks) {

  static Explanation of(Destination to, DataplaneView view) {
    Tracer tracer = new Tracer(view.observed());
    Verdict verdict = tracer.trace(to.address(), to.port(), to.protocol());
    FrontendKey frontend = tracer.frontend(to.address(), to.port(), to.protocol());
    ServicePortKey key = view.owner(frontend);
    ServiceState state = key == null ? null : view.state(key);
    List<Decision> decisions = List.of();
    List<String> remarks = new ArrayList<>();
    List<NearMiss> misses = List.of();
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
      misses = nearMisses(to, view);
    }
    remarkOnProblems(to, state, view, remarks);
    Snapshot known = view.snapshot();
    NodeFacts node = known == null ? NodeFacts.named("") : known.node();
    return new Explanation(to, verdict, key, state, node, decisions, misses, List.copyOf(remarks));
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
  private static List<NearMiss> nearMisses(Destination to, DataplaneView view) {
    Snapshot snapshot = view.snapshot();
    return NearMisses.of(
        Reserved.hidden(view.observed()),
        frontend -> {
          ServicePortKey owner = view.owner(frontend);
          return owner == null ? null : owner.service();
        },
        snapshot == null ? List.of() : snapshot.cluster().services().values(),
        snapshot == null ? NodeFacts.named("") : snapshot.node(),
        new FrontendKey(to.address(), to.port(), to.protocol(), Scope.INTERNAL));
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

  /** What happens to a connection, as the rest of a sentence that begins with the destination. */
  private String outcome() {
    return switch (verdict) {
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
  }

  private Style style() {
    return switch (verdict) {
      case Verdict.NotAService _ -> Style.WARNING;
      case Verdict.Refused _ -> Style.BAD;
      case Verdict.Candidates _ -> Style.GOOD;
    };
  }

  /** For people. */
  String text(Terminal terminal) {
    Lines text = new Lines(terminal);
    text.paragraph(style(), destination.toString(), " " + outcome());
    if (key != null && state != null) {
      Service service = state.service();
      text.paragraph(
          "  ",
          "Service "
              + service.key()
              + " ("
              + service.type()
              + ")"
              + (key.port().isEmpty() ? "" : ", port \"" + key.port() + "\"")
              + (service.origin().isEmpty() ? "" : ", from " + service.origin()));
    }
    if (!decisions.isEmpty()) {
      TextTable table = new TextTable("ENDPOINT", "POD", "NODE", "CHOSEN", "WHY");
      for (Decision decision : decisions) {
        boolean chosen = decision.reason(policy()).chosen();
        table.row(
            Cell.of(target(decision)),
            Cell.of(orDash(decision.endpoint().target())),
            Cell.of(orDash(decision.endpoint().nodeName())),
            new Cell(chosen ? "yes" : "no", chosen ? Style.GOOD : Style.WARNING),
            Cell.of(decision.sentence(policy(), node)));
      }
      text.table("  ", table);
    } else if (key != null) {
      text.paragraph("  ", "It has no endpoints.");
    }
    if (!nearMisses.isEmpty()) {
      text.paragraph("  ", "Near to it:");
      nearMisses.forEach(miss -> text.item(miss.sentence()));
    }
    remarks.forEach(text::item);
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
    if (!nearMisses.isEmpty()) {
      tree.put("nearMisses", nearMisses.stream().map(Explanation::tree).toList());
    }
    tree.put("remarks", remarks);
    return tree;
  }

  private static Map<String, Object> tree(NearMiss miss) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("kind", miss.kind().name());
    if (miss.service() != null) {
      tree.put("namespace", miss.service().namespace());
      tree.put("name", miss.service().name());
    }
    tree.put("what", miss.sentence());
    return tree;
  }
}
