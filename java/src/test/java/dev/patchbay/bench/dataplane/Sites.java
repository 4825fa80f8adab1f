// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Iptables;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Tools;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.KubeProxy;
import dev.patchbay.lab.cluster.Kubelet;
import dev.patchbay.lab.cluster.ProxyMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All sites of the data plane's benchmarks. All get the same Services from one API server, size by
 * size; what programmed a site has ended before anything is measured, so that its own processor
 * time is in no figure, and what it programmed is all that is left.
 */
final class Sites implements AutoCloseable {
  /** Destinations: one Service, always the same; where order matters, the last. */
  static final String FIXED = "fixed";

  /** Destinations: all Services. */
  static final String RANDOM = "random";

  /** Destinations: the endpoints of one Service, without it. */
  static final String FOREIGN = "foreign";

  /** Destinations: the Service with session affinity. */
  static final String STICKY = "sticky";

  /** Destinations: the Service with a UDP port. */
  static final String UDP = "udp";

  private static final Duration ONE_LOAD = Duration.ofMinutes(5);

  private final Bench bench;
  private final Lab lab;
  private final List<Family> families;
  private final int[] sizes;
  private final String tools;
  private final Map<String, Site> sites = new LinkedHashMap<>();
  private final Map<String, Duration> loads = new LinkedHashMap<>();

  /**
   * Makes the sites that need no cluster.
   *
   * @param sizes numbers of Services, ascending
   */
  Sites(Bench bench, Lab lab, List<Family> families, int... sizes) {
    this.bench = bench;
    this.lab = lab;
    this.families = List.copyOf(families);
    this.sizes = sizes.clone();
    tools = Iptables.path(lab.newDirectory("tools"));
    int most = most();
    for (Site site :
        List.of(
            add("direct", Peer.DIRECT, 0),
            add("direct2", Peer.DIRECT_AGAIN, 0),
            trackConnections(add("conntrack", Peer.CONNTRACK, 0)))) {
      direct(site, most);
    }
    Site noop = add("noop", Peer.NO_OP, 0);
    direct(noop, most);
    attach(noop.node(), "noop");
  }

  /** The largest number of Services that all have. */
  int most() {
    return sizes[sizes.length - 1];
  }

  private Site add(String key, Peer peer, int services) {
    Site site = new Site(lab, key, peer, services);
    sites.put(key, site);
    return site;
  }

  /** One of them. */
  Site site(String key) {
    Site site = sites.get(key);
    if (site == null) {
      throw new IllegalArgumentException("no site " + key);
    }
    return site;
  }

  /** Whether there is one. */
  boolean has(String key) {
    return sites.containsKey(key);
  }

  /** All of them. */
  List<Site> all() {
    return List.copyOf(sites.values());
  }

  /** How long it took until kube-proxy had programmed a site. */
  Map<String, Duration> loads() {
    return Map.copyOf(loads);
  }

  // --- Sites without Services -------------------------------------------------------------------

  private void direct(Site site, int services) {
    for (Family family : families) {
      List<InetSocketAddress> fixed = Population.servers(family, services - 1);
      site.targets(FIXED, family, fixed);
      site.targets(FOREIGN, family, fixed);
      site.targets(STICKY, family, Population.servers(family, Population.STICKY));
      site.targets(UDP, family, Population.servers(family, Population.UDP));
      site.targets(RANDOM, family, Population.allServers(family, services));
    }
  }

  /** Turns connection tracking on for all that is forwarded. */
  private static Site trackConnections(Site site) {
    site.node()
        .host()
        .feed(
            """
            table inet tracking {
              chain forward {
                type filter hook forward priority 0
                ct state new,established accept
              }
            }
            """,
            "nft",
            "-f",
            "-")
        .orFail();
    return site;
  }

  /** Attaches programs of the benchmarks to all hooks they have, besides those that are there. */
  private void attach(Node node, String object) {
    Path pins = lab.bpfDirectory().resolve(node.name() + "-" + object);
    Commands.run("mkdir", "-p", lab.bpfDirectory().toString());
    Commands.run(
        "bpftool", "prog", "loadall", Tools.built(object + ".bpf.o").toString(), pins.toString());
    try (var programs = Files.list(pins)) {
      for (Path program : programs.toList()) {
        Commands.run(
            "bpftool",
            "cgroup",
            "attach",
            node.cgroup().toString(),
            hook(program.getFileName().toString()),
            "pinned",
            program.toString(),
            "multi");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The hook for a program, as bpftool calls it. */
  private static String hook(String program) {
    String hook = program.substring(program.indexOf('_') + 1);
    if (hook.equals("sock_release")) {
      return "cgroup_inet_sock_release";
    }
    String family = hook.substring(hook.length() - 1);
    String call = hook.substring(0, hook.length() - 1);
    return call.endsWith("msg")
        ? "cgroup_udp" + family + "_" + call
        : "cgroup_inet" + family + "_" + call;
  }

  // --- Sites with Services ----------------------------------------------------------------------

  /** Makes the sites that a cluster tells of its Services; the cluster ends with it. */
  void join(boolean variants) {
    try (Cluster cluster = Cluster.startApiServer(lab)) {
      cluster.store(Population.special(families));
      Path kubeconfig = cluster.kubeconfig("bench", "system:masters");
      int stored = 0;
      for (int size : sizes) {
        for (; stored < size; stored = Math.min(size, stored + 1000)) {
          cluster.store(Population.objects(stored, Math.min(size, stored + 1000), families));
        }
        patchbay("patchbay-" + size, Peer.PATCHBAY, size, kubeconfig);
        kubeProxy(cluster, ProxyMode.IPTABLES, size);
        kubeProxy(cluster, ProxyMode.NFTABLES, size);
      }
      if (variants) {
        int most = most();
        patchbay("patchbay-again", Peer.PATCHBAY, most, kubeconfig);
        trackConnections(patchbay("patchbay-conntrack", Peer.PATCHBAY_VARIANT, most, kubeconfig));
        attach(patchbay("patchbay-slowed", Peer.PATCHBAY_VARIANT, most, kubeconfig).node(), "slow");
        Path withoutEvents = distribution("without-events");
        variant("no-events", withoutEvents, kubeconfig);
        variant("no-events-again", withoutEvents, kubeconfig);
        variant("one-way", distribution("one-way"), kubeconfig);
      }
    }
  }

  private void variant(String key, Path home, Path kubeconfig) {
    Site site = add(key, Peer.PATCHBAY_VARIANT, most());
    site.node().useDistribution(home);
    program(site, kubeconfig);
  }

  private Site patchbay(String key, Peer peer, int services, Path kubeconfig) {
    Site site = add(key, peer, services);
    program(site, kubeconfig);
    return site;
  }

  private void program(Site site, Path kubeconfig) {
    site.node().useKubeconfig(kubeconfig);
    site.node().runOnce().orFail();
    services(site, site.services(), site.services() - 1);
    bench.say(site.key() + ": programmed");
  }

  private void services(Site site, int services, int fixed) {
    for (Family family : families) {
      site.targets(FIXED, family, List.of(Population.address(family, fixed)));
      site.targets(FOREIGN, family, Population.servers(family, services - 1));
      site.targets(STICKY, family, List.of(Population.address(family, Population.STICKY)));
      site.targets(UDP, family, List.of(Population.address(family, Population.UDP)));
      site.targets(RANDOM, family, Population.addresses(family, services));
    }
  }

  private void kubeProxy(Cluster cluster, ProxyMode mode, int services) {
    boolean iptables = mode == ProxyMode.IPTABLES;
    Site site =
        add(
            (iptables ? "iptables-" : "nftables-") + services,
            iptables ? Peer.IPTABLES : Peer.NFTABLES,
            services);
    long start = System.nanoTime();
    try (Kubelet kubelet = cluster.join(site.node(), "")) {
      KubeProxy proxy =
          KubeProxy.launch(cluster, site.node().host(), kubelet.node().name(), mode, tools);
      Eventually.within(
          ONE_LOAD,
          () -> {
            if (proxy.lastSync().isEmpty()) {
              throw new AssertionError("kube-proxy has not programmed both families");
            }
          });
    } catch (AssertionError e) {
      // It is a fact about this peer, and no reason to measure nothing.
      sites.remove(site.key());
      site.close();
      bench
          .results()
          .remark(
              "%s had not programmed %,d Services after %d s, and is missing from the data plane."
                  .formatted(site.peer().title(), services, ONE_LOAD.toSeconds()));
      return;
    } finally {
      site.node().host().killProcesses();
    }
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    loads.put(site.key(), took);
    services(site, services, iptables ? lastRule(site, services) : services - 1);
    bench.say("%s: programmed after %.1f s".formatted(site.key(), took.toMillis() / 1e3));
  }

  /** The Service whose rule is the last that iptables looks at; of IPv4. */
  private int lastRule(Site site, int services) {
    Map<String, Integer> numbers = new LinkedHashMap<>();
    for (int i = 0; i < services; i++) {
      numbers.put(Population.address(Family.IPV4, i).getAddress().getHostAddress() + "/32", i);
    }
    return site.node()
        .host()
        .exec("env", "PATH=" + tools, "iptables", "-t", "nat", "-S", "KUBE-SERVICES")
        .orFail()
        .out()
        .lines()
        .map(line -> line.split(" "))
        .filter(words -> words.length > 3 && words[2].equals("-d"))
        .map(words -> numbers.getOrDefault(words[3], -1))
        .filter(number -> number >= 0)
        .reduce((first, second) -> second)
        .orElseThrow(() -> new IllegalStateException("no rule of a Service in " + site.key()));
  }

  /** A distribution with programs that were compiled without something. */
  private Path distribution(String variant) {
    Path home = lab.newDirectory(variant).resolve("patchbay");
    Commands.run("cp", "-r", Patchbay.home().toString(), home.toString());
    try {
      // The cache of classes belongs to the other jar.
      Files.deleteIfExists(home.resolve("lib/patchbay.aot"));
      URI jar = URI.create("jar:" + home.resolve("lib/patchbay.jar").toUri());
      try (FileSystem files = FileSystems.newFileSystem(jar, Map.of())) {
        for (String object : List.of("sock_lb.bpf.o", "sock_lb_legacy.bpf.o")) {
          Files.copy(
              Tools.built(variant + "/" + object),
              files.getPath("dev/patchbay/kernel/bpf/" + object),
              StandardCopyOption.REPLACE_EXISTING);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return home;
  }

  /** Makes a site of Patchbay that reads manifests, with more Services than an API server has. */
  void large(int services) {
    Site site = add("patchbay-" + services, Peer.PATCHBAY, services);
    Population.write(site.node().manifests(), services, List.of(Family.IPV4));
    long start = System.nanoTime();
    Result result =
        site.node()
            .runOnce(
                "--service-cidr=" + Population.WIDE_RANGE,
                // A Service has a frontend for its port, and one for all the others.
                "--max-frontends=" + 3 * services,
                "--max-services=" + 2 * services,
                "--max-backends=" + 2 * Population.ENDPOINTS * services);
    if (result.exit() != 0) {
      sites.remove(site.key());
      site.close();
      bench.results().remark("%s is missing: %s".formatted(site.key(), result.err().strip()));
      return;
    }
    Family family = Family.IPV4;
    site.targets(FIXED, family, List.of(Population.address(family, services - 1)));
    site.targets(RANDOM, family, Population.addresses(family, services));
    bench.say(
        "%s: programmed after %.1f s".formatted(site.key(), (System.nanoTime() - start) / 1e9));
  }

  /**
   * Uses each Service of each site once: to see that all are programmed, and because things are
   * made for a Service, or an endpoint, when it is used for the first time. A site that fails is
   * taken out.
   */
  void verify() {
    for (Site site : List.copyOf(sites.values())) {
      for (Family family : families) {
        boolean large = site.services() > most() && family == Family.IPV6;
        boolean unused = site.services() == 0 && site.peer() != Peer.DIRECT;
        if (!has(site.key()) || large || unused) {
          continue;
        }
        try {
          Cores.SAME.pin(site.generator(false));
          first(site, family, site.walk(RANDOM, family));
        } catch (IllegalStateException e) {
          sites.remove(site.key());
          site.close();
          bench.results().remark("%s is missing: %s".formatted(site.key(), e.getMessage()));
        }
      }
    }
  }

  private void first(Site site, Family family, Slice slice) {
    Row row =
        Row.of(
                "first/ipv%d/%s".formatted(family.number(), site.key()),
                "The first connection to each Service, or endpoint, one after the other; measured once",
                "time, IPv%d".formatted(family.number()),
                site.peer(),
                "us",
                Figure.of(slice.cost() / 1e3))
            .subject(site.services() == 0 ? site.key() : "");
    bench.results().add(site.services() == 0 ? row : row.services(site.services()));
  }

  @Override
  public void close() {
    sites.values().forEach(Site::close);
  }
}
