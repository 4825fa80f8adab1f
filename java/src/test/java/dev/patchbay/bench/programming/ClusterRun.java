// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.Tools;
import dev.patchbay.bench.programming.Contestant.Start;
import dev.patchbay.bench.programming.Contestant.Syncs;
import dev.patchbay.bench.programming.ProcessGroup.Memory;
import dev.patchbay.bench.programming.Transitions.Change;
import dev.patchbay.bench.programming.Transitions.Total;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.ApiObjects;
import dev.patchbay.lab.cluster.ApiPath;
import dev.patchbay.lab.cluster.ApiResponse;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.Commits;
import dev.patchbay.lab.cluster.ManyServices;
import dev.patchbay.lab.cluster.ProxyMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** One size of the cluster: everything is started, changed, started again and ended. */
final class ClusterRun {
  static final String GROUP = "Programming: beside kube-proxy, from the API server";

  private static final int ENDPOINTS = 10;

  /** Of the servers, and of their Services; as {@link ApiObjects} has them. */
  private static final int SERVER_PORT = 9000;

  private static final int PORT = 80;
  private static final int ROLLING_SLICES = 10;
  private static final int ROLLING_ENDPOINTS = 100;
  private static final int ROLLING_STEPS = 100;
  private static final int MASS = 1_000;
  private static final int ROUNDS = 3;
  private static final int CHURN_SECONDS = 5;
  private static final int CHURN_RATE = 100;
  private static final double MEBI = 1 << 20;

  /** Without the counters that kube-proxy makes by other means: an empty namespace has none. */
  private static final String SAVE_IPTABLES =
      "iptables-save | sed 's/ -m nfacct --nfacct-name *[^ ]*//'";

  /** Of the client that tells when a change has arrived; its figures are as exact as this. */
  private static final Duration PACE = Duration.ofNanos(500_000);

  /** For a connection that ought to work, on a busy machine. */
  private static final Duration CONNECTED = Duration.ofMillis(250);

  /** For one that is not expected to: nobody says no where nothing is programmed. */
  private static final Duration NOT_CONNECTED = Duration.ofMillis(20);

  /** Of the cluster IPs that the API server gives to nobody who does not ask for them. */
  private static final int FIRST_STATIC = 100;

  /** kube-proxy does nothing for a second after it did something. */
  private static final Duration BEYOND_MIN_SYNC = Duration.ofMillis(1_200);

  /** For a change to arrive. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** For work that follows a change. */
  private static final Duration SETTLING = Duration.ofSeconds(15);

  private static final String JSON = "application/json";
  private static final String SLICES =
      ApiPath.of("discovery.k8s.io/v1", "endpointslices", "default");
  private static final String SERVICES = ApiPath.of("v1", "services", "default");

  private final Bench bench;
  private final Rows rows;
  private final Lab lab;
  private final int services;
  private final RandomGenerator random;
  private final Path program;
  private final Cluster cluster;
  private final List<Contestant> contestants;
  private final List<Pod> servers;
  private final String flips;
  private final ManyServices many;
  private final Commits commits;

  /** Those that could be started. */
  private final List<Contestant> measured = new ArrayList<>();

  private int flipped;
  private int others;
  private int rolled;
  private int extra;

  ClusterRun(Bench bench, Lab lab, int services) {
    this.bench = bench;
    this.lab = lab;
    this.services = services;
    rows = new Rows(bench, GROUP);
    random = bench.random("cluster-" + services);
    program = Tools.built("transitions");
    cluster = Cluster.startApiServer(lab);
    Node far = lab.addNode("servers");
    servers = List.of(far.addPod("server-a"), far.addPod("server-b"));
    for (int i = 0; i < servers.size(); i++) {
      Daemon ignored = Transitions.serve(program, servers.get(i), letter(i), SERVER_PORT);
    }
    many = ManyServices.store(cluster, services, ENDPOINTS);
    flips = cluster.api().create(ApiObjects.service("flips")).get("spec").get("clusterIP").text();
    var ignored = cluster.api().create(flipTo(0));
    commits = cluster.commitsOfSlice("flips-1");
    lab.onClose(commits::close);
    if (services > 0) {
      var _ = cluster.api().create(ApiObjects.service("rolling"));
      for (int i = 0; i < ROLLING_SLICES; i++) {
        var _ = cluster.api().create(rollingSlice(i, 0));
      }
    }
    contestants =
        List.of(
            Contestant.patchbay(cluster, lab),
            Contestant.kubeProxy(cluster, lab, ProxyMode.IPTABLES),
            Contestant.kubeProxy(cluster, lab, ProxyMode.NFTABLES));
  }

  private static char letter(int server) {
    return (char) ('a' + server);
  }

  private Map<String, ?> flipTo(int server) {
    return ApiObjects.slice("flips", List.of(servers.get(server).ipv4()));
  }

  /** One of the slices of the Service with 1,000 endpoints; ten of them differ in each version. */
  private static Map<String, ?> rollingSlice(int slice, int version) {
    List<String> addresses =
        IntStream.range(0, ROLLING_ENDPOINTS)
            .mapToObj(i -> i + ROLLING_ENDPOINTS / 10 * version)
            .map(i -> "10.251.%d.%d".formatted(slice, i % 250 + 1))
            .toList();
    Map<String, Object> object = new LinkedHashMap<>(ApiObjects.slice("rolling", addresses));
    object.put(
        "metadata",
        Map.of(
            "name",
            "rolling-" + (slice + 1),
            "labels",
            Map.of("kubernetes.io/service-name", "rolling")));
    return object;
  }

  void run() {
    try {
      bench.say("cluster of %d Services".formatted(services));
      starts();
      if (services > 0) {
        for (Contestant contestant : measured) {
          contestants.stream().filter(other -> other != contestant).forEach(Contestant::pause);
          contestant.resume();
          contestant.settle(SETTLING);
          change(contestant);
          contestant.resume();
        }
        contestants.forEach(Contestant::resume);
      }
      measured.forEach(this::end);
      if (services > 0) {
        restore();
      }
    } finally {
      contestants.forEach(Contestant::close);
    }
  }

  // --- Starts and memory ------------------------------------------------------------------------

  private boolean large() {
    return services >= ClusterMeasurement.LARGE;
  }

  /** How long one full load may take; nftables' grows with the square of the Services. */
  private Duration loadLimit() {
    return bench.quick() ? Duration.ofSeconds(30) : Duration.ofMinutes(5);
  }

  /** In turn, each with the machine for itself. */
  private void starts() {
    Map<Contestant, List<Start>> starts = new LinkedHashMap<>();
    for (int round = 0; round < ROUNDS; round++) {
      for (Contestant contestant : contestants) {
        boolean ours = contestant.peer() == Peer.PATCHBAY;
        if (round > 0 && (bench.quick() || (large() && !ours))) {
          continue;
        }
        contestants.stream().filter(other -> other != contestant).forEach(Contestant::pause);
        if (round > 0) {
          contestant.kill();
          contestant.cleanUp();
        }
        try {
          starts
              .computeIfAbsent(contestant, c -> new ArrayList<>())
              .add(contestant.start(loadLimit()));
        } catch (IllegalStateException e) {
          if (ours) {
            throw e;
          }
          contestant.kill();
          bench.results().remark(contestant.peer().title() + " is left out: " + e.getMessage());
        }
        contestants.forEach(Contestant::resume);
      }
    }
    for (Contestant contestant : contestants) {
      List<Start> of = starts.getOrDefault(contestant, List.of());
      if (!of.isEmpty() && runs(contestant)) {
        measured.add(contestant);
        started(contestant, of);
      }
    }
  }

  private static boolean runs(Contestant contestant) {
    return !contestant.group().processes().isEmpty();
  }

  private void started(Contestant contestant, List<Start> starts) {
    int rounds = starts.size();
    Peer peer = contestant.peer();
    Row cold =
        rows.row(
            "cold-start",
            "cold start, process start to all in the kernel",
            services,
            peer,
            "s",
            starts.stream().map(start -> seconds(start.took())).toList(),
            rounds);
    if (peer == Peer.PATCHBAY && large()) {
      cold = cold.goal(ProgrammingGoals.COLD_START);
    }
    if (peer == Peer.IPTABLES) {
      Daemon version = contestant.run("iptables --version").awaitOut("^iptables", loadLimit());
      cold = cold.note(version.out().strip());
    }
    rows.add(cold);
    rows.add(
        rows.row(
            "cold-start-cpu",
            "processor time of a cold start",
            services,
            peer,
            "s",
            starts.stream().map(start -> seconds(start.processor())).toList(),
            rounds));
    rows.add(
        rows.row(
            "peak",
            "resident memory with children at most, during a cold start",
            services,
            peer,
            "MiB",
            starts.stream().map(start -> start.peak() / MEBI).toList(),
            rounds));
    contestant.settle(Duration.ofSeconds(bench.quick() ? 2 : 20));
    Memory memory = contestant.group().memory();
    rows.add(
        rows.row(
            "resident",
            "resident memory, settled",
            services,
            peer,
            "MiB",
            List.of(memory.resident() / MEBI),
            1));
    rows.add(
        rows.row(
            "proportional",
            "proportional set size, settled",
            services,
            peer,
            "MiB",
            List.of(memory.proportional() / MEBI),
            1));
    Duration watched = Duration.ofSeconds(bench.quick() ? 1 : 10);
    rows.add(
        rows.row(
                "idle",
                "processor time when nothing happens",
                services,
                peer,
                "ms/s",
                List.of(1000 * idle(contestant, watched)),
                1)
            .note("over %d s".formatted(watched.toSeconds())));
  }

  /** Processors that it keeps busy. */
  private static double idle(Contestant contestant, Duration time) {
    Duration before = contestant.group().processorTime();
    Eventually.pause(time.toNanos());
    return seconds(contestant.group().processorTime().minus(before)) / seconds(time);
  }

  /** Ends it and looks at what stays. */
  private void end(Contestant contestant) {
    long resident = contestant.group().memory().resident();
    contestant.kill();
    Eventually.pause(Duration.ofMillis(500).toNanos());
    Peer peer = contestant.peer();
    String title = "kernel memory that stays when the process has ended";
    Optional<Long> bytes = contestant.kernelBytes();
    if (bytes.isEmpty()) {
      rows.add(
          rows.missing(
              "kernel",
              title,
              services,
              peer,
              "MiB",
              "no memory controller tells of the kernel's part"));
      return;
    }
    Row kernel = rows.row("kernel", title, services, peer, "MiB", List.of(bytes.get() / MEBI), 1);
    rows.add(
        peer == Peer.PATCHBAY
            ? kernel.note("maps have room for what the options allow, not for what there is")
            : kernel);
    rows.add(
        rows.row(
            "memory",
            "resident memory after all changes, and what stays in the kernel",
            services,
            peer,
            "MiB",
            List.of((resident + bytes.get()) / MEBI),
            1));
  }

  // --- Changes ----------------------------------------------------------------------------------

  private void change(Contestant contestant) {
    boolean ours = contestant.peer() == Peer.PATCHBAY;
    Transitions watch =
        Transitions.watch(program, contestant.client(), flips, PORT, PACE, CONNECTED);
    Change ignored = watch.awaitServed(loadLimit());
    flips(contestant, watch);
    if (!bench.quick()) {
      churn(contestant, watch);
      rolling(contestant, watch);
      mass(contestant, watch);
      comeAndGo(contestant);
    }
    if (ours || !(large() || bench.quick())) {
      restart(contestant, watch);
    }
    failures(contestant, watch.stop());
  }

  /** A change of the Service that the client connects to, and what became of it. */
  private record Flip(long sent, long committed, long answered, Optional<Change> obeyed) {
    /** Milliseconds from a moment until the first connection that obeyed was through. */
    double since(long moment) {
      return (obeyed.orElseThrow().end() - moment) / 1e6;
    }
  }

  private Flip flip(Transitions watch, Duration patience) {
    flipped++;
    int server = flipped % servers.size();
    String expected = String.valueOf(letter(server));
    long sent = System.nanoTime();
    put("flips-1", flipTo(server)).join().orFail();
    long answered = System.nanoTime();
    Optional<Change> obeyed =
        watch.await(change -> change.end() > sent && change.outcome().equals(expected), patience);
    return new Flip(sent, commits.after(sent).orElse(answered), answered, obeyed);
  }

  private CompletableFuture<ApiResponse> put(String slice, Map<String, ?> object) {
    return cluster.api().sendAsync("PUT", SLICES + "/" + slice, JSON, object);
  }

  private void flips(Contestant contestant, Transitions watch) {
    boolean ours = contestant.peer() == Peer.PATCHBAY;
    List<Flip> all = new ArrayList<>();
    if (ours) { // each is done with before the next
      int count = bench.quick() ? 30 : 200;
      for (int i = 0; i < 2 * count; i++) {
        Flip flip = flip(watch, PATIENCE);
        if (i >= count) { // the first half warms up
          all.add(flip);
        }
        Eventually.pause(random.nextLong(10_000_000, 30_000_000));
      }
    } else {
      Flip _ = flip(watch, PATIENCE);
    }
    List<Flip> alone = alone(contestant, watch, bench.quick() ? 2 : 12);
    if (!ours) {
      all.addAll(alone);
    }
    latencies(contestant.peer(), all);
  }

  /** Flips with nothing else for more than a second, and the processor time that they take. */
  private List<Flip> alone(Contestant contestant, Transitions watch, int count) {
    contestant.settle(SETTLING);
    double idle = idle(contestant, Duration.ofSeconds(bench.quick() ? 1 : 5));
    Optional<Syncs> syncs = contestant.syncs();
    Duration before = contestant.group().processorTime();
    long begin = System.nanoTime();
    List<Flip> flips = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      flips.add(flip(watch, PATIENCE));
      Eventually.pause(BEYOND_MIN_SYNC.toNanos());
    }
    double used = used(contestant, before, begin, idle);
    Peer peer = contestant.peer();
    rows.add(
        rows.row(
                "change-cpu",
                "processor time for one endpoint changed, alone",
                services,
                peer,
                "ms",
                List.of(1e3 * used / count),
                count)
            .note("children and what the kernel does for them included; idle time taken off"));
    syncs.ifPresent(was -> sync(peer, was, contestant.syncs().orElseThrow()));
    return flips;
  }

  /** Processor seconds that it has used for more than idling. */
  private static double used(Contestant contestant, Duration before, long begin, double idle) {
    double time = (System.nanoTime() - begin) / 1e9;
    return Math.max(0, seconds(contestant.group().processorTime().minus(before)) - idle * time);
  }

  private void sync(Peer peer, Syncs was, Syncs is) {
    double count = is.count() - was.count();
    if (count > 0) {
      rows.add(
          rows.row(
                  "sync",
                  "one endpoint changed, event to the kernel",
                  services,
                  peer,
                  "ms",
                  List.of(1e3 * (is.seconds() - was.seconds()) / count),
                  Math.round(count))
              .note("the mean, from its own metric"));
    }
  }

  private void latencies(Peer peer, List<Flip> flips) {
    List<Flip> arrived = flips.stream().filter(flip -> flip.obeyed.isPresent()).toList();
    String lost =
        arrived.size() == flips.size()
            ? ""
            : (flips.size() - arrived.size()) + " of " + flips.size() + " never arrived";
    if (arrived.isEmpty()) {
      rows.add(rows.missing("obeyed", "one endpoint changed", services, peer, "ms", lost));
      return;
    }
    addLatency(
        peer,
        "requested",
        "request to the first connection that obeys",
        arrived.stream().map(flip -> flip.since(flip.sent)).toList(),
        lost);
    addLatency(
        peer,
        "obeyed",
        "commit to the first connection that obeys",
        arrived.stream().map(flip -> flip.since(flip.committed)).toList(),
        lost);
    addLatency(
        peer,
        "answered",
        "the API server's answer to the first connection that obeys",
        arrived.stream().map(flip -> flip.since(flip.answered)).toList(),
        lost);
  }

  private void addLatency(Peer peer, String name, String title, List<Double> values, String note) {
    Row middle =
        rows.row(
            name,
            title + ", p50",
            services,
            peer,
            "ms",
            List.of(Statistics.percentile(values, 50)),
            values.size());
    Row last =
        rows.row(
            name + "-p99",
            title + ", p99",
            services,
            peer,
            "ms",
            List.of(Statistics.percentile(values, 99)),
            values.size());
    if (!note.isEmpty()) {
      middle = middle.note(note);
    }
    if (values.size() < 100) {
      last = last.note("the highest of %d".formatted(values.size()));
    }
    if (peer == Peer.PATCHBAY && large() && name.equals("obeyed")) {
      last = last.goal(ProgrammingGoals.OBEYED_P99);
    }
    rows.add(middle);
    rows.add(last);
  }

  /** Changes of other Services at an even pace; the time ends when one more has arrived. */
  private void churn(Contestant contestant, Transitions watch) {
    int count = CHURN_SECONDS * CHURN_RATE;
    long pace = Duration.ofSeconds(1).toNanos() / CHURN_RATE;
    burst(
        contestant,
        watch,
        "churn",
        "100 changes a second for 5 s",
        count,
        start -> {
          List<CompletableFuture<ApiResponse>> answers = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            Eventually.pause(start + i * pace - System.nanoTime());
            answers.add(changeOther());
          }
          return answers;
        });
  }

  /** Changes one endpoint of the next Service that nobody connects to. */
  private CompletableFuture<ApiResponse> changeOther() {
    int service = others % services;
    int version = 1 + others / services;
    others++;
    return put("many-" + service + "-x7k2p", many.slice(service, version % 200));
  }

  private void mass(Contestant contestant, Transitions watch) {
    int count = Math.min(MASS, services);
    burst(
        contestant,
        watch,
        "mass-change",
        "1,000 Services changed as fast as the API server takes it",
        count,
        start -> IntStream.range(0, count).mapToObj(i -> changeOther()).toList());
  }

  private void rolling(Contestant contestant, Transitions watch) {
    long pace = Duration.ofSeconds(CHURN_SECONDS).toNanos() / ROLLING_STEPS;
    int version = ++rolled;
    burst(
        contestant,
        watch,
        "rolling",
        "rolling update of 1,000 endpoints in 5 s",
        ROLLING_STEPS,
        start -> {
          List<CompletableFuture<ApiResponse>> answers = new ArrayList<>();
          for (int i = 0; i < ROLLING_STEPS; i++) {
            Eventually.pause(start + i * pace - System.nanoTime());
            int slice = i % ROLLING_SLICES;
            answers.add(
                put(
                    "rolling-" + (slice + 1),
                    rollingSlice(slice, version * 10 + i / ROLLING_SLICES)));
          }
          return answers;
        });
  }

  /** Sends changes from a moment on, and gives the answers to come. */
  @FunctionalInterface
  private interface Changes {
    List<CompletableFuture<ApiResponse>> send(long start);
  }

  private void burst(
      Contestant contestant,
      Transitions watch,
      String name,
      String title,
      int count,
      Changes changes) {
    if (late(name, title, contestant)) {
      return;
    }
    contestant.settle(SETTLING);
    double idle = idle(contestant, Duration.ofSeconds(2));
    Duration before = contestant.group().processorTime();
    long start = System.nanoTime();
    changes.send(start).forEach(answer -> answer.join().orFail());
    Flip last = flip(watch, PATIENCE);
    contestant.settle(SETTLING);
    double used = used(contestant, before, start, idle);
    Peer peer = contestant.peer();
    rows.add(
        rows.row(
            name + "-cpu", title + ", processor time", services, peer, "s", List.of(used), count));
    rows.add(
        last.obeyed
            .map(
                change ->
                    rows.row(
                        name,
                        title + ", the last request to its first connection that obeys",
                        services,
                        peer,
                        "ms",
                        List.of((change.end() - last.sent) / 1e6),
                        1))
            .orElseGet(
                () ->
                    rows.missing(
                        name, title, services, peer, "ms", "the last change never arrived")));
  }

  /** One Service added and removed, several times. */
  private void comeAndGo(Contestant contestant) {
    if (late("added", "one Service added", contestant)) {
      return;
    }
    boolean ours = contestant.peer() == Peer.PATCHBAY;
    List<Double> added = new ArrayList<>();
    List<Double> removed = new ArrayList<>();
    for (int i = 0; i < (ours ? 10 : 3); i++) {
      Eventually.pause(ours ? 0 : BEYOND_MIN_SYNC.toNanos());
      String name = "extra-" + ++extra;
      String address = "10.96.0." + (FIRST_STATIC + extra);
      Transitions watch =
          Transitions.watch(program, contestant.client(), address, PORT, PACE, NOT_CONNECTED);
      Optional<Change> nobody = watch.await(change -> !change.served(), PATIENCE);
      if (nobody.isEmpty()) {
        throw new IllegalStateException("somebody answers at " + address);
      }
      long sent = System.nanoTime();
      var _ = cluster.api().create(service(name, address));
      var _ = cluster.api().create(ApiObjects.slice(name, List.of(servers.getFirst().ipv4())));
      added.add((watch.awaitServed(PATIENCE).end() - sent) / 1e6);
      Eventually.pause(ours ? 0 : BEYOND_MIN_SYNC.toNanos());
      long deleted = System.nanoTime();
      cluster.api().delete(SLICES + "/" + name + "-1");
      cluster.api().delete(SERVICES + "/" + name);
      watch
          .await(change -> change.begin() > deleted && !change.served(), PATIENCE)
          .ifPresent(change -> removed.add((change.begin() - deleted) / 1e6));
      Total _ = watch.stop();
    }
    Peer peer = contestant.peer();
    rows.add(
        rows.row(
            "added",
            "one Service added, request to the first connection",
            services,
            peer,
            "ms",
            added,
            added.size()));
    rows.add(
        removed.isEmpty()
            ? rows.missing(
                "removed", "one Service removed", services, peer, "ms", "it was never gone")
            : rows.row(
                "removed",
                "one Service removed, request to the first connection that fails",
                services,
                peer,
                "ms",
                removed,
                removed.size()));
  }

  private static Map<String, ?> service(String name, String address) {
    return ApiObjects.service(
        name,
        Map.of(
            "clusterIP",
            address,
            "ports",
            List.of(Map.of("name", "tcp", "port", PORT, "protocol", "TCP"))));
  }

  // --- Restarts ---------------------------------------------------------------------------------

  private void restart(Contestant contestant, Transitions watch) {
    int rounds = contestant.peer() == Peer.PATCHBAY && !bench.quick() ? 3 : 1;
    List<Start> starts = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      contestant.kill();
      starts.add(contestant.start(loadLimit()));
    }
    rows.add(
        rows.row(
            "restart",
            "killed and started again, process start to reconciled",
            services,
            contestant.peer(),
            "ms",
            starts.stream().map(start -> 1e3 * seconds(start.took())).toList(),
            rounds));
    rows.add(
        rows.row(
            "restart-cpu",
            "processor time of a restart",
            services,
            contestant.peer(),
            "s",
            starts.stream().map(start -> seconds(start.processor())).toList(),
            rounds));
    Flip ignored = flip(watch, PATIENCE); // still follows
  }

  private void failures(Contestant contestant, Total total) {
    Row row =
        rows.row(
                "failures",
                "connections that failed during all this",
                services,
                contestant.peer(),
                "",
                List.of((double) total.failures()),
                total.attempts())
            .note("of %d".formatted(total.attempts()));
    rows.add(contestant.peer() == Peer.PATCHBAY ? row.goal(ProgrammingGoals.FAILURES) : row);
  }

  private boolean late(String name, String title, Contestant contestant) {
    boolean late = bench.left().compareTo(PATIENCE) < 0;
    if (late) {
      rows.add(
          rows.missing(name, title, services, contestant.peer(), "", "there was no time left"));
    }
    return late;
  }

  // --- The tools that kube-proxy uses, alone ----------------------------------------------------

  /** How one of these loads rules. */
  private record Tool(Peer peer, String name, String file) {}

  private void restore() {
    Set<Peer> rulesOf = EnumSet.noneOf(Peer.class);
    for (Contestant contestant : measured) {
      if (contestant.peer() == Peer.IPTABLES) {
        save(contestant, SAVE_IPTABLES, "rules.iptables");
        rulesOf.add(Peer.IPTABLES);
      } else if (contestant.peer() == Peer.NFTABLES) {
        save(contestant, "nft list table ip kube-proxy", "rules.nft");
        rulesOf.add(Peer.NFTABLES);
      }
    }
    Tool legacy = new Tool(Peer.IPTABLES, "iptables-legacy-restore -w", "rules.iptables");
    Tool nftVariant = new Tool(Peer.IPTABLES, "iptables-nft-restore -w", "rules.iptables");
    Tool nft = new Tool(Peer.NFTABLES, "nft -f -", "rules.nft");
    // Many minutes for 10,000 Services.
    List<Tool> tools = large() ? List.of(legacy, nft) : List.of(legacy, nftVariant, nft);
    Map<Tool, List<Double>> times = new LinkedHashMap<>();
    Map<Tool, List<Double>> peaks = new LinkedHashMap<>();
    int rounds = bench.quick() ? 1 : 3;
    for (int round = 0; round < rounds; round++) {
      for (Tool tool : tools) {
        boolean again = tool.equals(nft) && large() && round > 0;
        Duration enough = Duration.ofSeconds(!large() ? 5 : tool.equals(nft) ? 100 : 20);
        if (rulesOf.contains(tool.peer) && !again && bench.left().compareTo(enough) > 0) {
          load(tool, round, times, peaks);
        }
      }
    }
    for (Peer peer : List.of(Peer.IPTABLES, Peer.NFTABLES)) {
      Optional<Tool> best =
          times.keySet().stream()
              .filter(tool -> tool.peer == peer)
              .min(Comparator.comparingDouble(tool -> Statistics.median(get(times, tool))));
      if (best.isEmpty()) {
        rows.add(
            rows.missing(
                "restore", "its rules loaded", services, peer, "ms", "no rules, or no time left"));
        continue;
      }
      List<Double> runs = get(times, best.get());
      Row row =
          rows.row(
              "restore",
              "its rules as saved, loaded by " + best.get().name,
              services,
              peer,
              "ms",
              runs,
              runs.size());
      for (Tool other : times.keySet()) {
        if (other.peer == peer && !other.equals(best.get())) {
          row = row.note("%s: %.0f ms".formatted(other.name, Statistics.median(get(times, other))));
        }
      }
      rows.add(row);
      List<Double> peak = get(peaks, best.get());
      rows.add(
          rows.row(
              "restore-peak",
              "resident memory of " + best.get().name + " at most",
              services,
              peer,
              "MiB",
              peak,
              peak.size()));
    }
  }

  private static List<Double> get(Map<Tool, List<Double>> map, Tool tool) {
    return map.getOrDefault(tool, List.of());
  }

  /** Writes the rules that kube-proxy left to a file of the lab. */
  private void save(Contestant contestant, String command, String file) {
    Daemon saving = contestant.run(command + " > " + lab.directory().resolve(file));
    if (saving.awaitExit(loadLimit()) != 0) {
      throw new IllegalStateException(command + ": " + saving.err());
    }
  }

  private void load(
      Tool tool, int round, Map<Tool, List<Double>> times, Map<Tool, List<Double>> peaks) {
    String name = "load-" + tool.name.replaceAll("\\W+", "-") + round;
    Node node = lab.addNode(name);
    Pod place = node.addHostPod(name + "-tool");
    try (Peak peak = new Peak(new ProcessGroup(place.cgroup()))) {
      long start = System.nanoTime();
      Daemon loading =
          place.start("sh", "-c", "exec " + tool.name + " < " + lab.directory().resolve(tool.file));
      boolean ended = ended(loading, loadLimit());
      double millis = (System.nanoTime() - start) / 1e6;
      if (!ended || loading.awaitExit(Duration.ZERO) != 0) {
        place.killProcesses();
        bench
            .results()
            .remark(
                "%s does not load %d Services: %s"
                    .formatted(tool.name, services, firstLine(loading.err())));
        return;
      }
      times.computeIfAbsent(tool, t -> new ArrayList<>()).add(millis);
      peaks.computeIfAbsent(tool, t -> new ArrayList<>()).add(peak.bytes() / MEBI);
    }
  }

  private static boolean ended(Daemon process, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (process.isAlive() && System.nanoTime() < end) {
      Eventually.pause(Duration.ofMillis(1).toNanos());
    }
    return !process.isAlive();
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
