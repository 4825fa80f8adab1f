// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Chart;
import dev.patchbay.bench.Chart.Line;
import dev.patchbay.bench.Chart.Point;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Goal;
import dev.patchbay.bench.Headline;
import dev.patchbay.bench.Interval;
import dev.patchbay.bench.Measurement;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.dataplane.Race.Laps;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** Connections, requests, datagrams and transfers, of all peers side by side. */
public final class DataPlane implements Measurement {
  private static final int LARGE = 100_000;

  /** How far direct connections may be from themselves, or nothing of the series is believed. */
  private static final double VOID = 0.01;

  private final int[] sizes;
  private final boolean quick;
  private final int rounds;
  private final int runs;

  /** How many races share the time that is left. */
  private int racesLeft;

  /** Costs beside direct ones, for the chart of requests. */
  private final Map<Kind, Map<Peer, Figure>> requests = new EnumMap<>(Kind.class);

  /**
   * Prepares it.
   *
   * @param quick whether a rough answer soon is wanted
   */
  public DataPlane(boolean quick) {
    this.quick = quick;
    sizes = quick ? new int[] {10, 1000} : new int[] {1, 10, 1000, 10_000};
    rounds = Patchbay.setting("patchbay.bench.rounds", quick ? 20 : 60);
    runs = Patchbay.setting("patchbay.bench.runs", quick ? 3 : 7);
    racesLeft = quick ? 8 : 15;
  }

  @Override
  public String name() {
    return "data-plane";
  }

  @Override
  public Duration budget(boolean rough) {
    return rough ? Duration.ofSeconds(95) : Duration.ofMinutes(19);
  }

  @Override
  public List<Goal> goals() {
    return DataGoals.ALL;
  }

  @Override
  public void run(Bench bench) throws Exception {
    List<Family> families = quick ? List.of(Family.IPV4) : List.of(Family.IPV4, Family.IPV6);
    try (Lab lab = Lab.create();
        Sites sites = new Sites(bench, lab, families, sizes)) {
      sites.join(true);
      if (!quick) {
        sites.large(LARGE);
      }
      for (Site site : sites.all()) {
        if (site.peer() == Peer.IPTABLES || site.peer() == Peer.NFTABLES) {
          bench.results().add(loaded(sites, site));
        }
      }
      Cores.keepOff();
      try {
        sites.verify();
        measure(bench, lab, sites);
      } finally {
        Cores.anywhere();
      }
    }
  }

  private static Row loaded(Sites sites, Site site) {
    Duration took = sites.loads().getOrDefault(site.key(), Duration.ZERO);
    return Row.of(
            "load/" + site.key(),
            "How long kube-proxy took to program the sites of the data plane",
            "start to programmed",
            site.peer(),
            "s",
            Figure.of(took.toMillis() / 1e3))
        .services(site.services());
  }

  private void measure(Bench bench, Lab lab, Sites sites) throws IOException {
    Setting usual = new Setting(Family.IPV4, false, Cores.SAME);
    Race first = connects(bench, sites, usual, true);
    new ProgramCosts(bench, sites)
        .run(
            Statistics.median(
                first.runs("direct/fixed").stream()
                    .map(laps -> (double) laps.latency.getValueAtPercentile(50))
                    .toList()));
    events(bench, sites);
    for (Kind kind : List.of(Kind.RR, Kind.UDP, Kind.UDP_TO, Kind.DNS, Kind.DNS_TO, Kind.BULK)) {
      requests(bench, sites, usual, kind);
    }
    requestChart(bench);
    new ConnectionMemory(bench, sites).run();
    new UnderUpdates(bench, lab, sites.most()).run();
    if (!quick) {
      connects(bench, sites, new Setting(Family.IPV6, false, Cores.SAME), true);
      connects(bench, sites, new Setting(Family.IPV4, false, Cores.SPLIT), false);
      connects(bench, sites, new Setting(Family.IPV4, true, Cores.SAME), false);
      requests(bench, sites, new Setting(Family.IPV4, true, Cores.SAME), Kind.RR);
      for (Kind kind : List.of(Kind.RR, Kind.UDP_TO, Kind.DNS)) {
        requests(bench, sites, new Setting(Family.IPV6, false, Cores.SAME), kind);
      }
    }
  }

  /**
   * Where and how.
   *
   * @param family of all addresses
   * @param host whether the client is a host-network Pod; else it is a Pod
   * @param cores which processors
   */
  record Setting(Family family, boolean host, Cores cores) {
    String key() {
      return (host ? "host" : "pod")
          + "/"
          + cores.name().toLowerCase(Locale.ROOT)
          + "/ipv"
          + family.number();
    }

    String title() {
      return (host ? "host-network client" : "Pod")
          + ", IPv"
          + family.number()
          + ", "
          + cores.title();
    }

    Contestant contestant(Site site, String targets) {
      return new Contestant(
          site.key() + "/" + targets,
          site.peer(),
          site.services(),
          site.generator(host),
          targets + family.number());
    }
  }

  private Race race(
      Bench bench,
      Kind kind,
      Setting setting,
      List<Contestant> contestants,
      int howManyRounds,
      int howManyRuns) {
    String name = kind.option() + "/" + setting.key();
    for (Contestant contestant : contestants) {
      setting.cores().pin(contestant.generator());
    }
    long start = System.nanoTime();
    Race race =
        Race.hold(
            bench,
            name,
            kind,
            contestants,
            howManyRounds,
            howManyRuns,
            bench.left().dividedBy(Math.max(1, racesLeft)));
    racesLeft--;
    bench.say(
        "%s: %d contestants in %.1f s"
            .formatted(name, contestants.size(), (System.nanoTime() - start) / 1e9));
    return race;
  }

  // --- Connections ------------------------------------------------------------------------------

  private Race connects(Bench bench, Sites sites, Setting setting, boolean goals) {
    List<Contestant> contestants = new ArrayList<>();
    for (String key : List.of("direct", "direct2", "conntrack", "noop")) {
      contestants.add(setting.contestant(sites.site(key), Sites.FIXED));
    }
    contestants.add(setting.contestant(sites.site("direct"), Sites.RANDOM));
    for (String peer : List.of("patchbay-", "nftables-", "iptables-")) {
      for (int size : sizes) {
        if (!sites.has(peer + size)) {
          continue;
        }
        Site site = sites.site(peer + size);
        contestants.add(setting.contestant(site, Sites.FIXED));
        if (size >= 1000) {
          contestants.add(setting.contestant(site, Sites.RANDOM));
        }
      }
      if (sites.has(peer + sites.most())) {
        contestants.add(setting.contestant(sites.site(peer + sites.most()), Sites.FOREIGN));
      }
    }
    contestants.add(setting.contestant(sites.site("patchbay-" + sites.most()), Sites.STICKY));
    contestants.add(setting.contestant(sites.site("patchbay-conntrack"), Sites.FIXED));
    contestants.add(setting.contestant(sites.site("patchbay-slowed"), Sites.FIXED));
    contestants.add(setting.contestant(sites.site("one-way"), Sites.FIXED));
    if (sites.has("patchbay-" + LARGE) && setting.family() == Family.IPV4) {
      Site large = sites.site("patchbay-" + LARGE);
      contestants.add(setting.contestant(large, Sites.FIXED));
      contestants.add(setting.contestant(large, Sites.RANDOM));
    }
    Race race = race(bench, Kind.CRR, setting, contestants, rounds, runs);
    Report report = new Report(bench, race, Kind.CRR, setting, goals);
    report.noise("direct2/fixed", "direct/fixed");
    report.absolute("direct/fixed");
    for (Contestant contestant : race.contestants()) {
      if (!contestant.key().equals("direct/fixed")) {
        report.beside("direct/fixed", contestant);
      }
    }
    connectGoals(report, sites.most());
    report.slowed("patchbay-slowed/fixed", "patchbay-" + sites.most() + "/fixed");
    if (goals) {
      chart(bench, report, race, setting);
    }
    if (setting.family() == Family.IPV4 && !setting.host() && setting.cores() == Cores.SAME) {
      int most = sites.most();
      String size = "%,d Services".formatted(most);
      report.headline("TCP connect, request, close; one of " + size, "fixed", "direct/fixed", most);
      report.headline(
          "TCP connect, request, close; a random one of " + size, "random", "direct/random", most);
      report.headline(
          "TCP connect, request, close; no Service, " + size + " loaded",
          "foreign",
          "direct/fixed",
          most);
    }
    return race;
  }

  private void connectGoals(Report report, int most) {
    String ours = "patchbay-" + most;
    report.cost("D1", ours + "/fixed", "direct/fixed", DataGoals.D1);
    report.cost("D1-one-way", "one-way/fixed", "direct/fixed", DataGoals.D1_ONE_WAY);
    report.cost("D1-large", "patchbay-" + LARGE + "/fixed", "direct/fixed", DataGoals.D1_LARGE);
    report.cost("D2", ours + "/random", "direct/random", DataGoals.D2);
    report.cost("D3", ours + "/fixed", "patchbay-10/fixed", DataGoals.D3);
    report.rate("D4", ours + "/fixed", "nftables-" + most + "/fixed", DataGoals.D4_FIXED);
    report.rate("D4-random", ours + "/random", "nftables-" + most + "/random", DataGoals.D4_RANDOM);
    report.rate("D5", ours + "/fixed", "iptables-" + most + "/fixed", DataGoals.D5_WORST);
    report.rate("D5-random", ours + "/random", "iptables-" + most + "/random", DataGoals.D5_RANDOM);
    report.latency("D6-p50", ours + "/fixed", "direct/fixed", 50, DataGoals.D6_MEDIAN);
    report.latency("D6-p99", ours + "/fixed", "direct/fixed", 99, DataGoals.D6_TAIL);
    report.cost("D9", ours + "/foreign", "direct/fixed", DataGoals.D9);
    report.cost("D9-peer", ours + "/foreign", "iptables-" + most + "/foreign", DataGoals.D9_PEER);
    report.cost("D11", ours + "/sticky", "direct/fixed", DataGoals.D11);
    for (int size : sizes) {
      for (String peer : List.of("nftables-", "iptables-")) {
        report.cost(
            "peers-" + peer + size,
            peer + size + "/fixed",
            "patchbay-" + size + "/fixed",
            DataGoals.SLOWER);
        if (size >= 1000) {
          report.cost(
              "peers-random-" + peer + size,
              peer + size + "/random",
              "patchbay-" + size + "/random",
              DataGoals.SLOWER);
        }
      }
    }
    for (String peer : List.of("nftables-", "iptables-")) {
      report.cost(
          "peers-conntrack-" + peer + most,
          peer + most + "/fixed",
          "patchbay-conntrack/fixed",
          DataGoals.SLOWER);
    }
  }

  private void chart(Bench bench, Report report, Race race, Setting setting) {
    List<Line> fixed = new ArrayList<>();
    for (String peer : List.of("patchbay-", "nftables-", "iptables-")) {
      List<Point> points = new ArrayList<>();
      for (int size : new int[] {1, 10, 1000, 10_000, LARGE}) {
        String key = peer + size + "/fixed";
        if (race.has(key)) {
          points.add(Point.of(size, report.comparison(key, "direct/fixed").cost()));
        }
      }
      if (!points.isEmpty()) {
        Peer which = race.contestant(peer + sizes[0] + "/fixed").peer();
        fixed.add(new Line(which, which.title(), points));
      }
    }
    bench
        .results()
        .add(
            new Chart.Lines(
                "connect-ipv" + setting.family().number(),
                "TCP connect, request, close, beside a direct connection (IPv%d)"
                    .formatted(setting.family().number()),
                "Services",
                "time per connection, direct = 1",
                true,
                false,
                fixed));
  }

  // --- Events -----------------------------------------------------------------------------------

  /** The effect is below a percent, so these are few contestants and many rounds. */
  private void events(Bench bench, Sites sites) {
    Setting setting = new Setting(Family.IPV4, false, Cores.SAME);
    List<Contestant> contestants = new ArrayList<>();
    for (String key :
        List.of("patchbay-" + sites.most(), "patchbay-again", "no-events", "no-events-again")) {
      contestants.add(setting.contestant(sites.site(key), Sites.FIXED));
    }
    Race race = race(bench, Kind.CRR, setting, contestants, (quick ? 2 : 5) * rounds, runs);
    Report report = new Report(bench, race, Kind.CRR, setting, true, "events/");
    report.noise("no-events-again/fixed", "no-events/fixed");
    report.cost("EV", "patchbay-" + sites.most() + "/fixed", "no-events/fixed", DataGoals.EVENTS);
    report.cost("EV-again", "patchbay-again/fixed", "no-events-again/fixed", DataGoals.EVENTS);
  }

  // --- Requests ---------------------------------------------------------------------------------

  private void requests(Bench bench, Sites sites, Setting setting, Kind kind) {
    boolean tcp = kind == Kind.RR || kind == Kind.BULK;
    String targets = tcp ? Sites.FIXED : Sites.UDP;
    int most = sites.most();
    List<Contestant> contestants = new ArrayList<>();
    for (String key :
        List.of(
            "direct",
            "direct2",
            "conntrack",
            "noop",
            "patchbay-" + most,
            "patchbay-conntrack",
            "nftables-" + most,
            "iptables-" + most)) {
      if (sites.has(key)) {
        contestants.add(setting.contestant(sites.site(key), targets));
      }
    }
    Race race = race(bench, kind, setting, contestants, rounds, runs);
    Report report = new Report(bench, race, kind, setting, true);
    String direct = "direct/" + targets;
    report.noise("direct2/" + targets, direct);
    report.absolute(direct);
    for (Contestant contestant : race.contestants()) {
      if (!contestant.key().equals(direct)) {
        report.beside(direct, contestant);
      }
    }
    if (setting.family() == Family.IPV4 && !setting.host() && kind != Kind.BULK) {
      report.headline(kind.title(), targets, direct, most);
    }
    String ours = "patchbay-" + most + "/" + targets;
    if (setting.family() == Family.IPV4 && !setting.host()) {
      Map<Peer, Figure> costs = new EnumMap<>(Peer.class);
      for (Contestant contestant : race.contestants()) {
        if (contestant.peer() != Peer.PATCHBAY_VARIANT && !contestant.key().equals(direct)) {
          costs.put(contestant.peer(), report.comparison(contestant.key(), direct).cost());
        }
      }
      requests.put(kind, costs);
    }
    if (kind == Kind.RR) {
      report.cost("D7", ours, direct, DataGoals.D7);
      report.cost("D7-peer", ours, "nftables-" + most + "/" + targets, DataGoals.D7_PEER);
    } else if (kind == Kind.BULK) {
      report.cpu("D8", ours, direct, DataGoals.D8);
      report.cpu("D8-peer", ours, "iptables-" + most + "/" + targets, DataGoals.D8_PEER);
    }
  }

  private void requestChart(Bench bench) {
    List<Kind> kinds = List.copyOf(requests.keySet());
    List<Line> bars = new ArrayList<>();
    for (Peer peer : List.of(Peer.CONNTRACK, Peer.PATCHBAY, Peer.NFTABLES, Peer.IPTABLES)) {
      List<Point> points = new ArrayList<>();
      for (int i = 0; i < kinds.size(); i++) {
        Figure figure = requests.getOrDefault(kinds.get(i), Map.of()).get(peer);
        if (figure != null) {
          points.add(Point.of(i, figure));
        }
      }
      bars.add(new Line(peer, peer.title(), points));
    }
    bench
        .results()
        .add(
            new Chart.Bars(
                "requests",
                "Requests and transfers beside a direct connection (IPv4)",
                "time per operation, direct = 1",
                1,
                kinds.stream().map(Kind::label).toList(),
                bars));
  }

  // --- Rows -------------------------------------------------------------------------------------

  /** Makes rows of a race. */
  private static final class Report {
    private final Bench bench;
    private final Race race;
    private final Kind kind;
    private final Setting setting;
    private final boolean goals;
    private final String prefix;
    private Optional<String> invalid = Optional.empty();

    Report(Bench bench, Race race, Kind kind, Setting setting, boolean goals) {
      this(bench, race, kind, setting, goals, "");
    }

    Report(Bench bench, Race race, Kind kind, Setting setting, boolean goals, String prefix) {
      this.bench = bench;
      this.race = race;
      this.kind = kind;
      this.setting = setting;
      this.goals = goals;
      this.prefix = prefix + kind.option() + "/" + setting.key() + "/";
    }

    Comparison comparison(String contestant, String reference) {
      return new Comparison(
          race.runs(contestant),
          race.runs(reference),
          bench.random(prefix + contestant + reference));
    }

    private String group() {
      return kind.title() + ": " + setting.title();
    }

    /** Compares two that are the same; if they differ, nothing of this race is believed. */
    void noise(String one, String other) {
      Figure ratio = comparison(one, other).cost();
      double off = Math.abs(ratio.value() - 1);
      if (off > VOID) {
        invalid =
            Optional.of(
                "void: two identical configurations differ by %.1f %%".formatted(100 * off));
      }
      Figure figure =
          Figure.of(
              ratio.runs().stream().map(run -> 100 * Math.abs(run - 1)).toList(), ratio.samples());
      Row row =
          Row.of(
                  prefix + "noise",
                  group(),
                  "identical configurations: difference",
                  Peer.DIRECT_AGAIN,
                  "%",
                  new Figure(100 * off, figure.runs(), figure.samples(), Optional.empty()))
              .goal(DataGoals.NOISE);
      bench.results().add(row);
    }

    /** What one costs by itself. */
    void absolute(String key) {
      Contestant contestant = race.contestant(key);
      add(of(contestant, "cost", "time", "us", absolute(key, laps -> us(laps.cost))));
      add(of(contestant, "rate", "rate", "1/s", absolute(key, laps -> 1e6 / us(laps.cost))));
      add(of(contestant, "cpu", "processor time", "us", absolute(key, laps -> us(laps.cpu))));
      for (int percentile : new int[] {50, 99}) {
        add(
            of(
                contestant,
                "p" + percentile,
                kind.timed() + " p" + percentile,
                "us",
                absolute(key, laps -> laps.latency.getValueAtPercentile(percentile) / 1e3)));
      }
    }

    private static double us(List<Double> nanos) {
      return Statistics.median(nanos) / 1e3;
    }

    private Figure absolute(String key, ToDoubleFunction<Laps> value) {
      List<Laps> laps = race.runs(key);
      return Figure.of(
          laps.stream().map(value::applyAsDouble).toList(),
          laps.stream().mapToLong(run -> run.operations).sum());
    }

    /** What one costs beside another. */
    void beside(String reference, Contestant contestant) {
      Comparison comparison = comparison(contestant.key(), reference);
      add(ratio(contestant, "cost", "time", reference, comparison.cost()));
      add(
          of(
              contestant,
              "rate",
              "rate",
              "1/s",
              absolute(contestant.key(), laps -> 1e6 / us(laps.cost))));
      add(ratio(contestant, "cpu", "processor time", reference, comparison.cpu()));
      for (int percentile : new int[] {50, 99}) {
        add(
            ratio(
                contestant,
                "p" + percentile,
                kind.timed() + " p" + percentile,
                reference,
                comparison.latency(percentile)));
      }
    }

    private Row ratio(
        Contestant contestant, String key, String measure, String reference, Figure figure) {
      return of(contestant, key + "-ratio", measure, Row.RATIO, figure)
          .against(race.contestant(reference).peer().title());
    }

    private Row of(Contestant contestant, String key, String measure, String unit, Figure figure) {
      Row row =
          Row.of(
                  prefix + contestant.key() + "/" + key,
                  group(),
                  measure,
                  contestant.peer(),
                  unit,
                  figure)
              .subject(subject(contestant));
      return contestant.services() == 0 ? row : row.services(contestant.services());
    }

    private static String subject(Contestant contestant) {
      String target = contestant.key().substring(contestant.key().indexOf('/') + 1);
      String site = contestant.key().substring(0, contestant.key().indexOf('/'));
      String text =
          switch (target) {
            case Sites.RANDOM -> contestant.services() == 0 ? "random endpoint" : "random Service";
            case Sites.FOREIGN -> "address of no Service";
            case Sites.STICKY -> "Service with session affinity";
            case Sites.UDP ->
                contestant.services() == 0 ? "one Service's endpoints" : "one Service";
            default ->
                contestant.services() == 0
                    ? "one Service's endpoints"
                    : contestant.peer() == Peer.IPTABLES ? "last rule" : "one Service";
          };
      return switch (site) {
        case "patchbay-conntrack" -> text + ", with connection tracking";
        case "patchbay-slowed" -> text + ", slowed by 5 us";
        case "patchbay-again" -> text + ", again";
        case "one-way" -> text + ", without reverse translation";
        default -> text;
      };
    }

    // Rows with goals.

    void cost(String key, String ours, String theirs, Goal goal) {
      if (has(ours, theirs)) {
        add(goal(key, ours, theirs, goal, comparison(ours, theirs).cost()));
      }
    }

    void rate(String key, String ours, String theirs, Goal goal) {
      if (has(ours, theirs)) {
        add(goal(key, ours, theirs, goal, comparison(ours, theirs).rate()));
      }
    }

    void cpu(String key, String ours, String theirs, Goal goal) {
      if (has(ours, theirs)) {
        add(goal(key, ours, theirs, goal, comparison(ours, theirs).cpu()));
      }
    }

    void latency(String key, String ours, String theirs, double percentile, Goal goal) {
      if (has(ours, theirs)) {
        add(goal(key, ours, theirs, goal, comparison(ours, theirs).latency(percentile)));
      }
    }

    private boolean has(String ours, String theirs) {
      return goals && race.has(ours) && race.has(theirs);
    }

    private Row goal(String key, String ours, String theirs, Goal goal, Figure figure) {
      Contestant contestant = race.contestant(ours);
      Row row =
          Row.of(
                  prefix + "goal/" + key,
                  "Goals: " + group(),
                  goal.measure(),
                  contestant.peer(),
                  Row.RATIO,
                  figure)
              .subject(subject(contestant))
              .services(contestant.services())
              .against(described(race.contestant(theirs)))
              .goal(goal);
      return withErrors(withErrors(row, ours), theirs);
    }

    private Row withErrors(Row row, String contestant) {
      List<Laps> laps = race.runs(contestant);
      long errors = laps.stream().mapToLong(run -> run.errors).sum();
      return errors == 0
          ? row
          : row.note(
              "%s: %d of %d operations failed"
                  .formatted(
                      contestant, errors, laps.stream().mapToLong(run -> run.operations).sum()));
    }

    private static String described(Contestant contestant) {
      return contestant.services() == 0
          ? contestant.peer().title() + ", " + subject(contestant)
          : "%s, %,d Services, %s"
              .formatted(contestant.peer().title(), contestant.services(), subject(contestant));
    }

    /** Whether the harness sees what was made slower; the figure is the least it may be slower. */
    void slowed(String slow, String normal) {
      Figure ratio = comparison(slow, normal).cost();
      Interval where = ratio.confidence().orElseThrow();
      add(
          Row.of(
                  prefix + "goal/slowed",
                  "Goals: " + group(),
                  DataGoals.SLOWED.measure(),
                  Peer.PATCHBAY_VARIANT,
                  Row.RATIO,
                  Figure.of(where.low()))
              .against("Patchbay")
              .goal(DataGoals.SLOWED)
              .note("its median is %.3f".formatted(ratio.value())));
    }

    /** A line of the README's table: cost beside a direct connection; nothing if it is void. */
    void headline(String measure, String targets, String reference, int most) {
      if (invalid.isPresent()) {
        return;
      }
      Map<Peer, Figure> figures = new EnumMap<>(Peer.class);
      figures.put(Peer.DIRECT, Figure.of(1));
      for (String site : List.of("patchbay-" + most, "nftables-" + most, "iptables-" + most)) {
        String key = site + "/" + targets;
        if (race.has(key)) {
          figures.put(race.contestant(key).peer(), comparison(key, reference).cost());
        }
      }
      bench.results().add(new Headline(measure + ": time beside a direct one", Row.RATIO, figures));
    }

    private void add(Row row) {
      Row whole = row;
      if (invalid.isPresent()) {
        whole = whole.invalid(invalid.get());
      }
      for (Contestant contestant : race.contestants()) {
        if (row.key().startsWith(prefix + contestant.key() + "/")) {
          whole = withErrors(whole, contestant.key());
        }
      }
      bench.results().add(whole);
    }
  }
}
