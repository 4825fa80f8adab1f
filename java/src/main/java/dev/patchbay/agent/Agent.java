// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.agent.AgentConfig.SourceSettings;
import dev.patchbay.agent.health.Check;
import dev.patchbay.agent.health.HealthMonitor;
import dev.patchbay.agent.health.HealthState;
import dev.patchbay.agent.log.Log;
import dev.patchbay.agent.log.LogFormat;
import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.agent.metrics.Metrics;
import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.AttachReport;
import dev.patchbay.kernel.AttachResult;
import dev.patchbay.kernel.Cgroups;
import dev.patchbay.kernel.ConnectTimes;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.manifest.ManifestSettings;
import dev.patchbay.manifest.PortRange;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.SourceUpdate;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceRow;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The agent from start to end.
 *
 * <p>Start: ask the source and load the programs, both at once; read back what the maps hold;
 * compile; apply the difference; attach, or replace the programs behind links that are pinned
 * already; verify; ready. What is not wanted is removed only after the source has told everything.
 * End: the threads stop, and the dataplane stays.
 */
public final class Agent implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Agent.class);

  private final AgentConfig config;
  private final ConfigReload.@Nullable Source file;
  private final StateLock lock;
  private final SnapshotWriter snapshots;
  private final Inbox inbox = new Inbox();
  private final AgentStatistics statistics = new AgentStatistics();
  private final Stopper stopper = Stopper.install(this::stop);
  private final HealthState health = new HealthState(System::currentTimeMillis);

  /** Milliseconds since the epoch of the last good apply; negative while there was none. */
  private final AtomicLong lastApplied = new AtomicLong(-1);

  private volatile Runnable stopLoading = () -> {};
  private volatile Runnable drain = () -> {};
  private volatile Supplier<Map<String, Object>> settings;
  private volatile boolean eligible = true;

  private Agent(AgentConfig config, ConfigReload.@Nullable Source file) throws UserError {
    this.config = config;
    this.file = file;
    settings = config::settings;
    try {
      lock = StateLock.acquire(config.stateDir());
    } catch (UserError e) {
      stopper.close();
      throw e;
    }
    snapshots = new SnapshotWriter(config.stateDir());
  }

  /**
   * Runs until it is told to stop, or, with {@code --once}, until the dataplane is verified.
   *
   * @param file where settings come from that may change while it runs; null: from nowhere
   * @throws UserError if it cannot start; nothing is left half done
   */
  public static void run(AgentConfig config, ConfigReload.@Nullable Source file)
      throws UserError, InterruptedException {
    try (Agent agent = new Agent(config, file)) {
      agent.start();
    }
  }

  private void start() throws UserError, InterruptedException {
    Thread.currentThread().setName("patchbay-owner");
    try (Source source = source()) {
      requireCgroup();
      FutureTask<SourceUpdate> loading = new FutureTask<>(source::load);
      stopLoading = () -> loading.cancel(true);
      Thread.ofPlatform().name("patchbay-load").daemon().start(loading);
      HealthServer health = config.once() ? null : serveHealth(source);
      Metrics metrics = new Metrics(statistics, source::figures, config.series());
      MetricsServer scrapes = config.once() ? null : serveMetrics(metrics);
      drain = () -> drain(health, scrapes);
      try (Dataplane dataplane = open()) {
        serve(dataplane, source, metrics, loaded(loading));
      } catch (CancellationException _) {
        log.info("told to stop before the source had told everything; what was programmed stays");
      } finally {
        if (health != null) {
          health.close();
        }
        if (scrapes != null) {
          scrapes.close();
        }
      }
    } catch (KernelException e) {
      throw new UserError("cannot run", e.getMessage(), "");
    } catch (StoreException e) {
      throw new UserError("cannot read the maps", e.getMessage(), "run `patchbay check`");
    }
  }

  /** On the thread of the signal. */
  private void stop() {
    inbox.stop();
    stopLoading.run();
    drain.run();
  }

  /** Begins to; whoever closes them waits for the end. */
  private static void drain(@Nullable HealthServer health, @Nullable MetricsServer scrapes) {
    if (health != null) {
      Thread.ofVirtual().start(health::close);
    }
    if (scrapes != null) {
      Thread.ofVirtual().start(scrapes::close);
    }
  }

  private Source source() throws UserError {
    return switch (config.source()) {
      case SourceSettings.Manifests(Path directory, List<Cidr> cidrs, PortRange nodePorts) ->
          new ManifestFeed(new ManifestSettings(directory, config.stateDir(), cidrs, nodePorts));
      case SourceSettings.Cluster cluster -> ClusterFeed.open(cluster, config.nodeName());
    };
  }

  private void requireCgroup() throws UserError {
    try {
      Cgroups.id(config.cgroup());
    } catch (KernelException.NotFound e) {
      throw new UserError(
          "cannot attach", e.getMessage(), "give an existing cgroup v2 directory with --cgroup");
    } catch (KernelException e) {
      throw new UserError("cannot attach", e.getMessage(), "");
    }
  }

  private Dataplane open() throws KernelException {
    return Dataplane.open(
        new DataplaneOptions(
            config.bpfDir(),
            config.capacity(),
            AbiLimits.DEFAULT_AFFINITY,
            AbiLimits.DEFAULT_UDP_FLOWS,
            config.stateDir()));
  }

  private static SourceUpdate loaded(FutureTask<SourceUpdate> loading)
      throws UserError, InterruptedException {
    try {
      return loading.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UserError error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private void serve(Dataplane dataplane, Source source, Metrics metrics, SourceUpdate first)
      throws UserError, KernelException, StoreException, InterruptedException {
    List<IpAddress> local = LocalAddresses.now();
    NodeView nodes =
        new NodeView(config.nodeName(), config.nodePortAddresses(), config.externalRanges());
    nodes.local(local);
    try (HealthCheckNodePorts healthChecks =
            new HealthCheckNodePorts(() -> health(source).serving(), source.notices());
        HealthMonitor monitor =
            new HealthMonitor(
                dataplane,
                config.cgroup(),
                config.stateDir(),
                health,
                inbox::run,
                source::trouble);
        Metrics.Observed _ = metrics.observe(dataplane, monitor.stats())) {
      Owner owner =
          new Owner(
              dataplane.store(),
              dataplane.store().load(),
              nodes,
              healthChecks,
              source.notices(),
              outcome -> applied(source, monitor, outcome),
              statistics);
      statistics.told(first.changes());
      program(dataplane, owner, first);
      Map<String, Object> verified = verify(dataplane, owner);
      health.ok(Check.START, "");
      ready(source, first, verified);
      try (ConnectTimes _ = config.connectDurations() ? timeConnects(dataplane) : null;
          SocketCleaner sockets = SocketCleaner.open(dataplane)) {
        if (config.once()) {
          sockets.sweep();
        } else {
          metrics.staleSockets(sockets.counters());
          sockets.start();
          owner.onDeparture(sockets::request);
          try (ConfigReload _ = reload(nodes)) {
            follow(dataplane, source, owner, monitor, local);
          }
        }
      }
    }
  }

  /** Follows the file with settings, if there is one. */
  private @Nullable ConfigReload reload(NodeView nodes) {
    if (file == null) {
      return null;
    }
    ConfigReload reload =
        new ConfigReload(
            file,
            config,
            addresses ->
                inbox.run(
                    () -> {
                      nodes.serve(addresses);
                      inbox.local(LocalAddresses.now()); // which brings them into force
                    }));
    settings = reload::settings;
    return reload;
  }

  /** Times are worth less than Services: without them the agent goes on. */
  private @Nullable ConnectTimes timeConnects(Dataplane dataplane) {
    try {
      return dataplane.timeConnects(config.cgroup());
    } catch (KernelException e) {
      log.atWarn().addKeyValue("reason", e.getMessage()).log("connections are not timed");
      return null;
    }
  }

  /** Until it is told to stop. */
  private void follow(
      Dataplane dataplane, Source source, Owner owner, HealthMonitor monitor, List<IpAddress> local)
      throws KernelException, InterruptedException {
    try (Reclaimer reclaimer = new Reclaimer(dataplane.store(), inbox);
        LocalAddresses _ = new LocalAddresses(local, inbox::local);
        StatsSweeper _ = new StatsSweeper(dataplane, statistics::cluster)) {
      dataplane.listen(inbox::conflict);
      source.watch(
          update -> {
            statistics.told(update.changes());
            inbox.change(update);
          });
      owner.add(monitor.rows());
      monitor.start(owner::audit);
      owner.serve(inbox, reclaimer);
    }
  }

  private void program(Dataplane dataplane, Owner owner, SourceUpdate first)
      throws UserError, KernelException, StoreException {
    ApplyReport report = owner.start(first);
    if (!report.succeeded()) {
      throw new UserError(
          "cannot program the maps",
          report.failures().getFirst().toString(),
          "Services stay as they were; mend the cause and start again");
    }
    int foreign = dataplane.store().deleteForeignFrontends();
    if (foreign > 0) {
      log.atWarn()
          .addKeyValue("removed", foreign)
          .log("removed entries of the frontends map that nobody can read");
    }
    attach(dataplane);
  }

  private void attach(Dataplane dataplane) throws UserError, KernelException {
    switch (dataplane.attach(config.cgroup())) {
      case AttachResult.Attached _ -> {}
      case AttachResult.Elsewhere(List<AttachReport.ProgramLink> links) ->
          throw new UserError(
              "cannot attach to " + config.cgroup(),
              "the dataplane of "
                  + config.bpfDir()
                  + " is attached to "
                  + links.stream()
                      .map(link -> link.cgroup().map(Object::toString).orElse("a hidden cgroup"))
                      .distinct()
                      .collect(Collectors.joining(", ")),
              "give that --cgroup, or another --bpf-dir, or run `patchbay cleanup --bpf-dir "
                  + config.bpfDir()
                  + "` first");
    }
  }

  /** Reads everything back and compares it with what is wanted; says what was compared. */
  private Map<String, Object> verify(Dataplane dataplane, Owner owner)
      throws UserError, KernelException, StoreException {
    ObservedState observed = dataplane.store().load();
    List<String> wrong = new ArrayList<>();
    Invariants.check(observed).forEach(violation -> wrong.add(violation.toString()));
    DesiredState desired = owner.desired();
    if (owner.fits()) {
      wrong.addAll(Canonical.of(desired).difference(Canonical.of(observed)));
    }
    if (!dataplane.report().effective()) {
      wrong.add("the programs are attached but the kernel does not run them");
    }
    if (!wrong.isEmpty()) {
      throw new UserError(
          "the dataplane is not as it should be",
          wrong.getFirst() + (wrong.size() > 1 ? " and " + (wrong.size() - 1) + " more" : ""),
          "run `patchbay status` for all of it");
    }
    Set<ObjectKey> services = new HashSet<>();
    int frontends = 0;
    int backends = 0;
    for (ServiceRow row : desired.services().values()) {
      services.add(row.key().service());
      frontends += row.frontends().size();
      backends += row.backends().size();
    }
    Map<String, Object> verified = new LinkedHashMap<>();
    verified.put("services", services.size());
    verified.put("frontends", frontends);
    verified.put("backends", backends);
    return verified;
  }

  private void ready(Source source, SourceUpdate first, Map<String, Object> verified) {
    Map<String, Object> facts = new LinkedHashMap<>(verified);
    facts.put(source.extent().getKey(), source.extent().getValue());
    facts.put("problems", first.problems().size());
    facts.put("cgroup", config.cgroup());
    facts.put("ms", ProcessAge.millis());
    System.out.println(
        Log.format() == LogFormat.json
            ? Log.line(Level.INFO, Agent.class.getName(), "ready", facts)
            : "ready:"
                + facts.entrySet().stream()
                    .map(fact -> " " + fact.getKey() + "=" + fact.getValue())
                    .collect(Collectors.joining()));
    System.out.flush();
  }

  /** On the owner's thread. */
  private void applied(Source source, HealthMonitor monitor, Owner.Outcome outcome) {
    long now = System.currentTimeMillis();
    if (outcome.failure().isEmpty()) {
      lastApplied.set(now);
    }
    monitor.applied(
        outcome.failure(),
        outcome.refusals().entrySet().stream().map(e -> e.getKey() + ": " + e.getValue()).toList(),
        outcome.own());
    eligible = outcome.eligible();
    snapshots.offer(
        outcome.update(),
        outcome.cluster(),
        cluster ->
            new Snapshot(
                now,
                ProcessHandle.current().pid(),
                Version.current(),
                outcome.node(),
                config.cgroup().toString(),
                config.bpfDir().toString(),
                source.name(),
                cluster,
                outcome.refusals().entrySet().stream()
                    .map(e -> new Snapshot.Refusal(e.getKey().toString(), e.getValue().toString()))
                    .toList()));
  }

  private HealthServer.Health health(Source source) {
    return new HealthServer.Health(
        health.results(), health.stuck(), lastApplied.get(), eligible, source.trouble());
  }

  /**
   * Health checks and metrics that cannot be served do not keep Services from working, unless told
   * so.
   */
  private @Nullable HealthServer serveHealth(Source source) throws UserError {
    try {
      return new HealthServer(config.healthz(), () -> health(source), statistics);
    } catch (IOException e) {
      cannotServe("health checks", config.healthz(), "--healthz-bind-address", e);
      return null;
    }
  }

  private @Nullable MetricsServer serveMetrics(Metrics metrics) throws UserError {
    try {
      return new MetricsServer(config.metrics(), statistics, metrics, () -> settings.get());
    } catch (IOException e) {
      cannotServe("metrics", config.metrics(), "--metrics-bind-address", e);
      return null;
    }
  }

  private void cannotServe(String what, HostPort where, String option, IOException e)
      throws UserError {
    if (config.hardFail()) {
      throw new UserError(
          "cannot serve " + what + " on " + where,
          String.valueOf(e.getMessage()),
          "choose another " + option + ", or do without --bind-address-hard-fail");
    }
    log.atWarn()
        .addKeyValue("address", where)
        .addKeyValue("error", e.getMessage())
        .log("cannot serve {}; choose another {}", what, option);
  }

  /** Gives up what the agent holds; programs and maps stay. */
  @Override
  public void close() {
    snapshots.close();
    try {
      lock.close();
    } catch (IOException e) {
      log.atWarn().addKeyValue("error", e.getMessage()).log("cannot release the state directory");
    }
    stopper.close();
  }
}
