// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.compile.Compiler;
import dev.patchbay.compile.HealthCheck;
import dev.patchbay.compile.Rejection;
import dev.patchbay.compile.Reserved;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceUpdate;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.Refusal;
import dev.patchbay.reconcile.RowReader;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceRow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * The one that decides what the maps hold: takes changes, compiles them, applies the difference.
 *
 * <pre>
 *   plan = plan( compile(snapshot, node), observed, allocation )
 * </pre>
 *
 * <p>Confined to one thread, the owner; others read {@link Outcome}s, which are immutable.
 */
final class Owner {
  private static final Logger log = LoggerFactory.getLogger(Owner.class);

  /** Of a kind, so that a broken directory does not flood the log. */
  private static final int LINES_AT_ONCE = 20;

  private static final String WILDCARDS_REFUSED =
      "frontends is full: connections to ports that a Service does not have are not refused for all"
          + " Services; raise --max-frontends";

  private static final long FIRST_RETRY_MILLIS = 100;
  private static final long LAST_RETRY_MILLIS = 5000;

  /**
   * What is true after an apply.
   *
   * @param update what the source told and was taken in; null if it told nothing
   * @param cluster what the source has told
   * @param node what was compiled for
   * @param eligible whether load balancers may choose this node
   * @param refusals what of Services does not fit the maps
   * @param own rows of the agent's own that are in place
   * @param failure why not all that fits is in place; empty if it is
   */
  record Outcome(
      @Nullable SourceUpdate update,
      KnownCluster cluster,
      NodeFacts node,
      boolean eligible,
      Map<ServicePortKey, Refusal> refusals,
      Set<ServicePortKey> own,
      String failure) {}

  /** Hears of each outcome, on the owner's thread. */
  @FunctionalInterface
  interface Listener {
    void applied(Outcome outcome);
  }

  private final Compiler compiler;
  private final Reconciler reconciler;
  private final NodeView nodes;
  private final HealthCheckNodePorts healthChecks;
  private final Notices notices;
  private final Listener listener;
  private final RoundMeter meter;

  private final KnownCluster cluster = new KnownCluster();

  /** Whom the log has told lately that a port is a node port; his process may be another one. */
  private record Binder(String command, FrontendKey nodePort) {}

  private final Repeats<Binder> binders = new Repeats<>(Duration.ofMinutes(1));

  private Set<String> complaints = Set.of();
  private long retryMillis = FIRST_RETRY_MILLIS;
  private boolean failing;
  private Runnable departureListener = () -> {};
  private boolean departures;

  /** Rows that are not of Services; they take the room that those leave. */
  private List<ServiceRow> own = List.of();

  private boolean ownWanted;

  /**
   * Adopts what the maps hold.
   *
   * @param nodes what is known of nodes before the source speaks
   * @param statistics where what this does is counted
   */
  Owner(
      DataplaneStore store,
      ObservedState observed,
      NodeView nodes,
      HealthCheckNodePorts healthChecks,
      Notices notices,
      Listener listener,
      AgentStatistics statistics) {
    this.nodes = nodes;
    this.healthChecks = healthChecks;
    this.notices = notices;
    this.listener = listener;
    meter = new RoundMeter(statistics, cluster::snapshot);
    compiler = new Compiler(nodes.facts());
    reconciler = Reconciler.adopt(store, observed);
    for (String problem : reconciler.adoptionProblems()) {
      log.atWarn().addKeyValue("found", problem).log("the pinned maps need repair");
    }
  }

  /** Applies all that the source knows, and removes from the maps what it does not know. */
  ApplyReport start(SourceUpdate first) {
    meter.begin(first.changes());
    nodes.nodes(first.nodes());
    cluster.keep(first);
    DesiredState desired =
        meter.compile(
            true,
            first.upserted().size(),
            () -> {
              compiler.updateNode(nodes.facts());
              compiler.update(first.upserted(), Set.of());
              return compiler.desired();
            },
            all -> all.services().size());
    reconciler.replaceAll(desired);
    ApplyReport report = meter.apply(reconciler::apply);
    look(first.upserted());
    conclude(report, first);
    return report;
  }

  /** All rows that are wanted now. */
  DesiredState desired() {
    return compiler.desired();
  }

  /** Whether all of it fits the maps. */
  boolean fits() {
    return reconciler.refused().isEmpty() && reconciler.refusedWildcards().isEmpty();
  }

  /** Adds rows that are not of Services, once {@link #serve} begins. */
  void add(List<ServiceRow> rows) {
    own = List.copyOf(rows);
  }

  /** Compares some rows in the maps with what they shall hold; what differs is put right next. */
  Reconciler.AuditStep audit(RowReader reader) throws StoreException {
    return reconciler.audit(reader);
  }

  /**
   * Has somebody told, on the owner's thread, after the maps lost what sockets may be connected to,
   * see {@link Reconciler#takeDepartures}.
   */
  void onDeparture(Runnable told) {
    departureListener = told;
  }

  /** Serves the inbox until it says stop. */
  void serve(Inbox inbox, Reclaimer reclaimer) throws InterruptedException {
    settleOwn();
    requestReclaim(reclaimer);
    while (true) {
      Inbox.Work work = inbox.take(failing ? retryMillis : -1);
      if (work.stop()) {
        return;
      }
      if (work.reclaimed() >= 0) {
        reconciler.reclaimed(work.reclaimed());
      }
      SourceUpdate update = work.update();
      meter.begin(update == null ? SourceChanges.NONE : update.changes());
      boolean elsewhere = work.local() != null && nodes.local(work.local());
      if (update != null) {
        elsewhere |= nodes.nodes(update.nodes());
        cluster.keep(update);
        reconciler.change(
            meter.compile(
                false,
                changes(update),
                () -> compiler.update(update.upserted(), update.removed()),
                Owner::rows));
      }
      if (elsewhere) {
        reconciler.change(
            meter.compile(true, 0, () -> compiler.updateNode(nodes.facts()), Owner::rows));
      }
      work.tasks().forEach(Runnable::run);
      if (update != null || elsewhere || reconciler.hasWork()) {
        ApplyReport report = meter.apply(reconciler::apply);
        if (update != null) {
          update.removed().forEach(this::forget);
        }
        if (elsewhere) {
          look(cluster.services());
        } else if (update != null) {
          look(update.upserted());
        }
        conclude(report, update);
        settleOwn();
      }
      work.conflicts().forEach(this::report);
      requestReclaim(reclaimer);
    }
  }

  private static int rows(DesiredChange change) {
    return change.upserted().size() + change.removed().size();
  }

  /** The agent's own rows go as soon as one of a Service has no room, and come back after that. */
  private void settleOwn() {
    boolean room =
        reconciler.refusedWildcards().isEmpty()
            && reconciler.refused().keySet().stream().allMatch(Reserved::is);
    if (own.isEmpty() || room == ownWanted) {
      return;
    }
    ownWanted = room;
    Set<ServicePortKey> keys = own.stream().map(ServiceRow::key).collect(Collectors.toSet());
    meter.begin(SourceChanges.NONE);
    reconciler.change(
        new DesiredChange(room ? own : List.of(), room ? Set.of() : keys, Map.of(), Set.of()));
    conclude(meter.apply(reconciler::apply), null);
  }

  private Set<ServicePortKey> ownInPlace(Set<ServicePortKey> refused) {
    return own.stream()
        .map(ServiceRow::key)
        .filter(key -> ownWanted && !refused.contains(key))
        .collect(Collectors.toSet());
  }

  private static int changes(SourceUpdate update) {
    return update.upserted().size() + update.removed().size();
  }

  /** Looks at Services for what of them is not in the maps. */
  private void look(Collection<ServiceState> changed) {
    for (ServiceState state : changed) {
      meter.service(state.key(), state, nodes.facts());
      int port = HealthCheck.port(state.service());
      healthChecks.set(
          state.key(), port, port == 0 ? 0 : HealthCheck.localEndpoints(state, nodes.facts()));
    }
  }

  private void forget(ObjectKey service) {
    meter.service(service, null, nodes.facts());
    healthChecks.set(service, 0, 0);
  }

  /**
   * Names the Service whose node port somebody wanted to listen on; not each time, if he goes on
   * trying.
   */
  private void report(BindConflict conflict) {
    FrontendKey frontend =
        FrontendKey.nodePort(conflict.address().family(), conflict.port(), conflict.protocol());
    OptionalInt unsaid = binders.say(new Binder(conflict.command(), frontend), System.nanoTime());
    if (unsaid.isEmpty()) {
      return;
    }
    Optional<ServicePortKey> owner = compiler.owner(frontend);
    String port = conflict.port() + "/" + conflict.protocol();
    String who = conflict.command() + " (process " + conflict.process() + ")";
    log.atWarn()
        .addKeyValue("address", conflict.address().withPort(conflict.port()))
        .addKeyValue("service", owner.map(ServicePortKey::toString).orElse("unknown"))
        .addKeyValue("unsaid", unsaid.getAsInt())
        .log("{} may not listen on {}: it is a node port", who, port);
    owner.ifPresent(
        key ->
            notices.warnOfNode(
                key.service(),
                "NodePortBindRefused",
                "node "
                    + nodes.facts().nodeName()
                    + ": "
                    + who
                    + " wanted to listen on node port "
                    + port
                    + " and got EADDRINUSE"));
  }

  private void requestReclaim(Reclaimer reclaimer) {
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isPresent()) {
      reclaimer.request(mark.getAsLong());
    }
  }

  private void conclude(ApplyReport report, @Nullable SourceUpdate update) {
    int services = update == null ? 0 : changes(update);
    if (report.succeeded()) {
      if (report.changedAnything() || failing) {
        told(log.atInfo(), services, report).log("applied");
      }
      failing = false;
      retryMillis = FIRST_RETRY_MILLIS;
    } else {
      if (!failing) {
        told(log.atError(), services, report)
            .addKeyValue("causes", report.failures().stream().map(Object::toString).toList())
            .log("apply failed, trying again until it works");
      }
      retryMillis = failing ? Math.min(2 * retryMillis, LAST_RETRY_MILLIS) : FIRST_RETRY_MILLIS;
      failing = true;
    }
    departures |= reconciler.takeDepartures();
    if (departures) {
      departures = failing; // what failed has left nothing yet
      departureListener.run();
    }
    Map<ServicePortKey, Refusal> refused = new TreeMap<>(reconciler.refused());
    Set<ServicePortKey> ownInPlace = ownInPlace(refused.keySet());
    refused.keySet().removeIf(Reserved::is);
    List<Rejection> rejections = compiler.rejections();
    meter.end(report, cluster.problems(), rejections, refused.values());
    complain(rejections, refused);
    listener.applied(
        new Outcome(
            update,
            cluster,
            nodes.facts(),
            nodes.eligible(),
            refused,
            ownInPlace,
            failing ? report.failures().getFirst().toString() : ""));
  }

  private static LoggingEventBuilder told(
      LoggingEventBuilder line, int services, ApplyReport report) {
    LoggingEventBuilder told = line.addKeyValue("services", services);
    for (Map.Entry<String, Object> count : report.counts().entrySet()) {
      told = told.addKeyValue(count.getKey(), count.getValue());
    }
    return told;
  }

  /**
   * A line about what is wrong.
   *
   * @param about the object that it concerns; empty if it concerns none
   */
  private record Complaint(String about, String sentence) {}

  /** Logs what is wrong with the input and was not a moment ago. */
  private void complain(List<Rejection> rejections, Map<ServicePortKey, Refusal> refused) {
    Set<String> now = new HashSet<>();
    List<Complaint> fresh = new ArrayList<>();
    for (Problem problem : cluster.problems()) {
      if (problem.severity() != Problem.Severity.NOTE) {
        note(problem.object(), problem.toString(), now, fresh);
      }
    }
    for (Rejection rejection : rejections) {
      String sentence = rejection.sentence();
      if (note(object(rejection.who()), rejection.who() + ": " + sentence, now, fresh)) {
        notices.warn(rejection.who().service(), "NotServed", rejection.who() + ": " + sentence);
      }
    }
    new TreeMap<>(refused)
        .forEach(
            (key, refusal) -> {
              if (note(object(key), key + ": " + refusal, now, fresh)) {
                notices.warnOfNode(key.service(), "DoesNotFit", key + ": " + refusal);
              }
            });
    if (!reconciler.refusedWildcards().isEmpty()) {
      note("", WILDCARDS_REFUSED, now, fresh);
    }
    for (Complaint complaint : fresh.subList(0, Math.min(fresh.size(), LINES_AT_ONCE))) {
      LoggingEventBuilder line = log.atWarn();
      if (!complaint.about.isEmpty()) {
        line = line.addKeyValue("object", complaint.about);
      }
      line.log("{}", complaint.sentence);
    }
    if (fresh.size() > LINES_AT_ONCE) {
      log.warn(
          "and {} more; see `patchbay validate` for the manifests, `patchbay status` for the maps",
          fresh.size() - LINES_AT_ONCE);
    }
    complaints = now;
  }

  private static String object(ServicePortKey key) {
    return "Service " + key.service();
  }

  /** Whether the complaint is new. */
  private boolean note(String about, String sentence, Set<String> now, List<Complaint> fresh) {
    boolean isNew = now.add(sentence) && !complaints.contains(sentence);
    if (isNew) {
      fresh.add(new Complaint(about, sentence));
    }
    return isNew;
  }
}
