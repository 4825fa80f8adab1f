// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.agent.Agent;
import dev.patchbay.agent.AgentConfig;
import dev.patchbay.agent.AgentConfig.SourceSettings;
import dev.patchbay.agent.ConfigReload;
import dev.patchbay.agent.HostPort;
import dev.patchbay.agent.OomScore;
import dev.patchbay.agent.UserError;
import dev.patchbay.agent.log.Log;
import dev.patchbay.agent.log.LogFormat;
import dev.patchbay.agent.metrics.SeriesLimits;
import dev.patchbay.kernel.Cgroups;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.table.Capacity;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "run",
    description = "The agent: programs the dataplane and keeps it in step with the source.",
    sortOptions = false)
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--manifests",
      paramLabel = "DIR",
      description = "a directory of YAML and JSON manifests, watched")
  @Nullable Path manifests;

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "a cluster (default: that of the Pod this runs in)")
  @Nullable Path kubeconfig;

  @Mixin ClusterOptions cluster = new ClusterOptions();

  @Option(
      names = "--node-name",
      paramLabel = "NAME",
      description = "name of this node (default: the host name in lower case)")
  @Nullable String nodeName;

  @Option(
      names = "--cgroup",
      paramLabel = "PATH",
      description = "cgroup v2 directory to attach to (default: the root of the hierarchy)")
  @Nullable Path cgroup;

  @Mixin PathOptions paths = new PathOptions();
  @Mixin ManifestOptions control = new ManifestOptions();

  @Option(
      names = "--devices",
      paramLabel = "IF[,IF]",
      description =
          "devices for traffic from outside, or none; not in this version, which serves the node's"
              + " own clients")
  @Nullable String devices;

  @Option(
      names = "--metrics-bind-address",
      paramLabel = "ADDR:PORT",
      defaultValue = "127.0.0.1:10249",
      description = "where /metrics answers (default: ${DEFAULT-VALUE})")
  String metricsBindAddress = "";

  @Option(
      names = "--metrics-max-services",
      paramLabel = "N",
      description =
          "Service ports with metrics of their own; those beyond are summed up (default: 1000)")
  int metricsMaxServices = SeriesLimits.STANDARD.servicePorts();

  @Option(
      names = "--metrics-max-backends",
      paramLabel = "N",
      description =
          "the same for endpoints of Services that ask for metrics of each endpoint (default: 1000)")
  int metricsMaxBackends = SeriesLimits.STANDARD.backends();

  @Option(
      names = "--connect-duration-metrics",
      description =
          "time each connection of a Service until it is established; costs every TCP connection on"
              + " the node about 0.4 microseconds")
  boolean connectDurations;

  @Option(
      names = "--healthz-bind-address",
      paramLabel = "ADDR:PORT",
      defaultValue = "0.0.0.0:10256",
      description = "where /healthz and /livez answer (default: ${DEFAULT-VALUE})")
  String healthzBindAddress = "";

  @Option(
      names = "--bind-address-hard-fail",
      description = "end if health checks or metrics cannot be served; otherwise only warn")
  boolean bindAddressHardFail;

  @Option(
      names = "--log-format",
      paramLabel = "text|json",
      defaultValue = "text",
      description = "how lines of the log look (default: ${DEFAULT-VALUE})")
  LogFormat logFormat = LogFormat.text;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description = "the least level that is logged: ${COMPLETION-CANDIDATES} (default: info)")
  Level logLevel = Level.INFO;

  @Option(
      names = "--oom-score-adj",
      paramLabel = "N",
      description = "the agent's oom_score_adj, -1000 to 1000 (default: as it was started)")
  @Nullable Integer oomScoreAdj;

  @Option(
      names = "--max-frontends",
      paramLabel = "N",
      description = "entries of the frontends map (default: 131072)")
  int maxFrontends = AbiLimits.DEFAULT_CAPACITY.frontends();

  @Option(
      names = "--max-services",
      paramLabel = "N",
      description = "entries of the services map, one per Service port and family (default: 65536)")
  int maxServices = AbiLimits.DEFAULT_CAPACITY.services();

  @Option(
      names = "--max-backends",
      paramLabel = "N",
      description =
          "entries of the backends map; leave room for new sets beside old ones (default: 262144)")
  int maxBackends = AbiLimits.DEFAULT_CAPACITY.backends();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "the same settings in YAML, flags without their dashes as keys, or a"
              + " KubeProxyConfiguration of kube-proxy; flags win")
  @Nullable Path config;

  @Option(names = "--once", description = "program, verify, leave everything in place, exit")
  boolean once;

  @Spec CommandSpec spec = CommandSpec.create();

  /** What the file behind {@code --config} says and has no effect, a line each. */
  List<String> warnings = List.of();

  @Override
  public Integer call() throws UserError, InterruptedException {
    Log.configure(logFormat, logLevel);
    PrintWriter err = spec.commandLine().getErr();
    warnings.forEach(warning -> err.println(PatchbayCommand.said(Level.WARN, warning)));
    err.flush();
    AgentConfig settings = settings();
    if (oomScoreAdj != null) {
      OomScore.adjust(OomScore.OWN, oomScoreAdj);
    }
    Agent.run(settings, config == null ? null : again(config));
    return 0;
  }

  /** The same command line, read again with the file as it is then. */
  private ConfigReload.Source again(Path file) {
    String[] arguments =
        spec.root().commandLine().getParseResult().originalArgs().toArray(String[]::new);
    return new ConfigReload.Source() {
      @Override
      public Path file() {
        return file;
      }

      @Override
      public AgentConfig read() throws UserError {
        return PatchbayCommand.parseRun(arguments).settings();
      }
    };
  }

  private AgentConfig settings() throws UserError {
    if (devices != null && !devices.equals("none")) {
      throw new UserError(
          "cannot serve --devices " + devices,
          "this version serves the node's own clients only",
          "use --devices none");
    }
    String node = nodeName == null ? hostName() : nodeName.toLowerCase(Locale.ROOT);
    Path group = cgroup == null ? rootCgroup() : cgroup;
    return new AgentConfig(
        source(),
        node,
        group,
        paths.bpfDir,
        paths.stateDir,
        cluster.nodePortAddresses(),
        cluster.externalRanges(),
        address("--healthz-bind-address", healthzBindAddress),
        address("--metrics-bind-address", metricsBindAddress),
        limits(),
        bindAddressHardFail,
        capacity(),
        connectDurations,
        once,
        shown(node, group));
  }

  /** All options but those that are not set, in the order of the help. */
  private Map<String, Object> shown(String node, Path group) {
    Map<String, Object> shown = new LinkedHashMap<>();
    for (OptionSpec option : spec.options()) {
      Object value = option.getValue();
      if (option.longestName().equals("--node-name")) {
        value = node;
      } else if (option.longestName().equals("--cgroup")) {
        value = group;
      }
      if (value != null && !option.usageHelp()) {
        shown.put(option.longestName().substring(2), shown(value));
      }
    }
    return shown;
  }

  private static Object shown(Object value) {
    return switch (value) {
      case Boolean truth -> truth;
      case Integer number -> number;
      case Collection<?> many -> many.stream().map(RunCommand::withoutSecrets).toList();
      case Object[] many -> Arrays.stream(many).map(RunCommand::withoutSecrets).toList();
      default -> withoutSecrets(value);
    };
  }

  /** An address of an API server may hold a name and a password. */
  private static String withoutSecrets(Object value) {
    return value.toString().replaceAll("//[^/@]*@", "//");
  }

  private SourceSettings source() throws UserError {
    List<URI> apiServers = cluster.apiServers();
    if (manifests == null) {
      return new SourceSettings.Cluster(kubeconfig, apiServers);
    }
    if (kubeconfig != null || !apiServers.isEmpty()) {
      throw UserError.usage(
          "cannot run from two sources",
          "--manifests is given, and so is "
              + (kubeconfig != null ? "--kubeconfig" : "--api-servers"),
          "give one of them");
    }
    return new SourceSettings.Manifests(manifests, control.cidrs(), control.nodePorts());
  }

  private static Path rootCgroup() throws UserError {
    try {
      return Cgroups.root()
          .orElseThrow(
              () ->
                  new UserError(
                      "cannot attach",
                      "cgroup v2 is not mounted",
                      "mount -t cgroup2 none /sys/fs/cgroup/unified, or give --cgroup"));
    } catch (KernelException e) {
      throw new UserError("cannot find the cgroup v2 hierarchy", e.getMessage(), "");
    }
  }

  private SeriesLimits limits() throws UserError {
    if (metricsMaxServices < 0 || metricsMaxBackends < 0) {
      throw UserError.usage(
          "cannot limit metrics",
          "--metrics-max-services is %d and --metrics-max-backends is %d"
              .formatted(metricsMaxServices, metricsMaxBackends),
          "give 0 or more");
    }
    return new SeriesLimits(metricsMaxServices, metricsMaxBackends);
  }

  private Capacity capacity() throws UserError {
    try {
      return new Capacity(maxFrontends, maxServices, maxBackends);
    } catch (IllegalArgumentException e) {
      throw UserError.usage(
          "cannot size the maps",
          e.getMessage(),
          "give --max-frontends and --max-services of 1 or more, --max-backends of 1 to 16777216");
    }
  }

  private static HostPort address(String flag, String text) throws UserError {
    return HostPort.parse(text)
        .orElseThrow(
            () ->
                UserError.usage(
                    flag + " " + text,
                    "not an address and port",
                    "write it like 127.0.0.1:10256 or [::1]:10256"));
  }

  private static String hostName() throws UserError {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname"))
          .strip()
          .toLowerCase(Locale.ROOT);
    } catch (IOException e) {
      throw new UserError("cannot read the host name", e.getMessage(), "give --node-name");
    }
  }
}
