// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.config;

import static dev.patchbay.agent.config.FieldType.optionalInteger;

import dev.patchbay.agent.HostPort;
import dev.patchbay.agent.UserError;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodePortAddresses;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads kube-proxy's own configuration, {@code KubeProxyConfiguration} of {@code
 * kubeproxy.config.k8s.io/v1alpha1} as in Kubernetes 1.37, and says it again as settings of {@code
 * patchbay run}.
 *
 * <p>Every field is known. What means something here is honoured; what does not is accepted, and
 * one warning names the field and says why, if it is set. Whether a field is set is judged as Go
 * judges it: an empty text, false, 0s and null are nothing. An unknown field, a wrong type and a
 * value out of range are refused, also in fields that mean nothing here.
 */
public final class KubeProxyConfiguration {
  public static final String API_VERSION = "kubeproxy.config.k8s.io/v1alpha1";
  public static final String KIND = "KubeProxyConfiguration";

  private static final List<IpAddress> UNSPECIFIED =
      List.of(IpAddress.of("0.0.0.0"), IpAddress.of("::"));
  private static final int HEALTHZ_PORT = 10256;
  private static final int METRICS_PORT = 10249;

  private static final String NO_RULES = "no rules are written and no packet is marked";
  private static final String AT_ONCE =
      "each change is applied at once and nothing is written anew periodically";
  private static final String NO_IPVS = "IPVS is not used";
  private static final String NO_TRACKING =
      "connections from this node to Services are not tracked, and no sysctl is changed";
  private static final String NO_MASQUERADE =
      "connections from this node to Services keep their source address wherever they come from";
  private static final String NO_WINDOWS = "this is Linux";
  private static final String OWN_LOG = "--log-level says how much is logged";
  private static final String OWN_CLIENT = "the client speaks JSON and holds a few watches";

  /**
   * A field.
   *
   * @param path its name, behind those of the objects that it lies in, with dots
   * @param option the option of {@code patchbay run} that it becomes; empty if it means nothing
   * @param note why it means nothing; or what is to know about how it is honoured, which may be
   *     nothing
   */
  public record Field(String path, Optional<String> option, String note) {}

  /**
   * What the file says.
   *
   * @param options options of {@code patchbay run}, with their dashes, and their values
   * @param warnings fields that are set and mean nothing here, in the order of their names, and why
   */
  public record Settings(Map<String, String> options, Map<String, String> warnings) {
    public Settings {
      options = Map.copyOf(options);
    }
  }

  private record Known(Field field, FieldType type) {}

  private static final Map<String, Known> FIELDS = new TreeMap<>();

  static {
    honoured(
        "bindAddress",
        FieldType.ADDRESS,
        "--healthz-bind-address",
        "only its family counts, as the default of healthzBindAddress and metricsBindAddress; addresses of nodes come from Node objects");
    honoured("bindAddressHardFail", FieldType.FLAG, "--bind-address-hard-fail", "");
    honoured("clientConnection.kubeconfig", FieldType.TEXT, "--kubeconfig", "");
    honoured("healthzBindAddress", FieldType.ADDRESS_AND_PORT, "--healthz-bind-address", "");
    honoured("hostnameOverride", FieldType.TEXT, "--node-name", "");
    honoured(
        "iptables.localhostNodePorts",
        FieldType.OPTIONAL_FLAG,
        "--localhost-nodeports",
        "unless mode is nftables or ipvs, where kube-proxy does not read it; for IPv6 too");
    honoured("logging.format", FieldType.oneOf("text", "json"), "--log-format", "");
    honoured("metricsBindAddress", FieldType.ADDRESS_AND_PORT, "--metrics-bind-address", "");
    honoured(
        "nodePortAddresses",
        FieldType.TEXTS,
        "--nodeport-addresses",
        "where it is empty and mode is nftables: primary, as there");
    honoured("oomScoreAdj", optionalInteger(-1000, 1000), "--oom-score-adj", "");

    ignored("clientConnection.acceptContentTypes", FieldType.TEXT, OWN_CLIENT);
    ignored("clientConnection.burst", FieldType.integer(0, Integer.MAX_VALUE), OWN_CLIENT);
    ignored("clientConnection.contentType", FieldType.TEXT, OWN_CLIENT);
    ignored("clientConnection.qps", FieldType.RATE, OWN_CLIENT);
    ignored("clusterCIDR", FieldType.RANGE_OR_PAIR, NO_MASQUERADE);
    ignored(
        "configSyncPeriod",
        FieldType.DURATION,
        "objects are watched, and listed again only when a watch cannot go on");
    ignored("conntrack.maxPerCore", optionalInteger(0, Integer.MAX_VALUE), NO_TRACKING);
    ignored("conntrack.min", optionalInteger(0, Integer.MAX_VALUE), NO_TRACKING);
    ignored("conntrack.tcpBeLiberal", FieldType.FLAG, NO_TRACKING);
    ignored("conntrack.tcpCloseWaitTimeout", FieldType.OPTIONAL_DURATION, NO_TRACKING);
    ignored("conntrack.tcpEstablishedTimeout", FieldType.OPTIONAL_DURATION, NO_TRACKING);
    ignored("conntrack.udpStreamTimeout", FieldType.DURATION, NO_TRACKING);
    ignored("conntrack.udpTimeout", FieldType.DURATION, NO_TRACKING);
    ignored("detectLocal.bridgeInterface", FieldType.TEXT, NO_MASQUERADE);
    ignored("detectLocal.interfaceNamePrefix", FieldType.TEXT, NO_MASQUERADE);
    ignored(
        "detectLocalMode",
        FieldType.oneOf("ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"),
        NO_MASQUERADE);
    ignored(
        "enableProfiling",
        FieldType.FLAG,
        "there are no pprof handlers; jcmd and JFR profile a JVM");
    ignored("featureGates", FieldType.GATES, "the gates are kube-proxy's");
    ignored("iptables.masqueradeAll", FieldType.FLAG, NO_MASQUERADE);
    ignored("iptables.masqueradeBit", optionalInteger(0, 31), NO_RULES);
    ignored("iptables.minSyncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("iptables.syncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("ipvs.excludeCIDRs", FieldType.RANGES, NO_IPVS);
    ignored("ipvs.minSyncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("ipvs.scheduler", FieldType.TEXT, NO_IPVS + "; endpoints are chosen at random");
    ignored("ipvs.strictARP", FieldType.FLAG, NO_IPVS);
    ignored("ipvs.syncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("ipvs.tcpFinTimeout", FieldType.DURATION, NO_IPVS);
    ignored("ipvs.tcpTimeout", FieldType.DURATION, NO_IPVS);
    ignored("ipvs.udpTimeout", FieldType.DURATION, NO_IPVS);
    ignored("logging.flushFrequency", FieldType.FLUSH_FREQUENCY, "each line is written at once");
    ignored("logging.options.json.infoBufferSize", FieldType.QUANTITY, OWN_LOG);
    ignored("logging.options.json.splitStream", FieldType.FLAG, OWN_LOG);
    ignored("logging.options.text.infoBufferSize", FieldType.QUANTITY, OWN_LOG);
    ignored("logging.options.text.splitStream", FieldType.FLAG, OWN_LOG);
    ignored("logging.verbosity", FieldType.integer(0, Integer.MAX_VALUE), OWN_LOG);
    ignored("logging.vmodule", FieldType.VERBOSITIES, OWN_LOG);
    ignored(
        "mode",
        FieldType.oneOf("iptables", "ipvs", "nftables"),
        "sockets are connected to endpoints by eBPF programs, whatever the mode");
    ignored("nftables.masqueradeAll", FieldType.FLAG, NO_MASQUERADE);
    ignored("nftables.masqueradeBit", optionalInteger(0, 31), NO_RULES);
    ignored("nftables.minSyncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("nftables.syncPeriod", FieldType.DURATION, AT_ONCE);
    ignored("portRange", FieldType.TEXT, "kube-proxy does not use it either");
    ignored("showHiddenMetricsForVersion", FieldType.TEXT, "there are no hidden metrics");
    ignored("windowsRunAsService", FieldType.FLAG, NO_WINDOWS);
    ignored("winkernel.enableDSR", FieldType.FLAG, NO_WINDOWS);
    ignored("winkernel.forwardHealthCheckVip", FieldType.FLAG, NO_WINDOWS);
    ignored("winkernel.networkName", FieldType.TEXT, NO_WINDOWS);
    ignored("winkernel.rootHnsEndpointName", FieldType.TEXT, NO_WINDOWS);
    ignored("winkernel.sourceVip", FieldType.TEXT, NO_WINDOWS);
  }

  private static void honoured(String path, FieldType type, String option, String note) {
    FIELDS.put(path, new Known(new Field(path, Optional.of(option), note), type));
  }

  private static void ignored(String path, FieldType type, String note) {
    FIELDS.put(path, new Known(new Field(path, Optional.empty(), note), type));
  }

  private final Path file;

  /** Fields that are set, by path. */
  private final Map<String, Object> values = new TreeMap<>();

  private final List<String> problems = new ArrayList<>();
  private final Map<String, String> options = new LinkedHashMap<>();
  private final Map<String, String> warnings = new TreeMap<>();

  private KubeProxyConfiguration(Path file) {
    this.file = file;
  }

  /** All fields, by name; those that tell the type of the object are not among them. */
  public static List<Field> fields() {
    return FIELDS.values().stream().map(Known::field).toList();
  }

  /** Whether a YAML mapping says of itself that it is an object, this one or another. */
  public static boolean isObject(Map<?, ?> root) {
    return root.containsKey("apiVersion") || root.containsKey("kind");
  }

  /**
   * Reads an object.
   *
   * @param file where it comes from
   * @param root what YAML makes of it: mappings, lists, texts, numbers, booleans and nulls
   * @throws UserError naming the file and every field that is wrong, with what is allowed
   */
  public static Settings read(Path file, Map<?, ?> root) throws UserError {
    KubeProxyConfiguration reader = new KubeProxyConfiguration(file);
    reader.checkType(root);
    reader.collect("", root);
    reader.translate();
    if (!reader.problems.isEmpty()) {
      throw new UserError(
          "cannot use --config " + file,
          String.join("; ", reader.problems),
          "the fields are those of KubeProxyConfiguration in Kubernetes 1.37");
    }
    return new Settings(reader.options, reader.warnings);
  }

  private void checkType(Map<?, ?> root) throws UserError {
    Object version = root.get("apiVersion");
    Object kind = root.get("kind");
    if (API_VERSION.equals(version) && KIND.equals(kind)) {
      return;
    }
    throw new UserError(
        "cannot use --config " + file,
        "it holds apiVersion " + version + ", kind " + kind,
        "ConfigMap".equals(kind)
            ? "write the text below data, config.conf to a file of its own"
            : "write apiVersion "
                + API_VERSION
                + " and kind "
                + KIND
                + ", or, without both, the flags of `patchbay run` without their dashes as keys");
  }

  private void collect(String prefix, Map<?, ?> map) {
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String path = prefix + entry.getKey();
      Object value = entry.getValue();
      Known known = FIELDS.get(path);
      if (known != null) {
        set(known, value);
      } else if (isSection(path)) {
        if (value instanceof Map<?, ?> inner) {
          collect(path + ".", inner);
        } else if (value != null) {
          problems.add(path + " is " + show(value) + " and must be a mapping");
        }
      } else if (!path.equals("apiVersion") && !path.equals("kind")) {
        problems.add("unknown field " + path + suggestion(path));
      }
    }
  }

  private static boolean isSection(String path) {
    return FIELDS.keySet().stream().anyMatch(name -> name.startsWith(path + "."));
  }

  /** Names are told apart by case as well, which is where most unknown ones come from. */
  private static String suggestion(String path) {
    return FIELDS.keySet().stream()
        .filter(path::equalsIgnoreCase)
        .findFirst()
        .map(name -> ", which is written " + name)
        .orElse("");
  }

  private void set(Known known, @Nullable Object value) {
    if (value == null) {
      return;
    }
    String path = known.field().path();
    if (!known.type().valid().test(value)) {
      problems.add(path + " is " + show(value) + " and must be " + known.type().allowed());
    } else if (!known.type().empty().test(value)) {
      values.put(path, value);
      if (known.field().option().isEmpty()) {
        warnings.put(path, known.field().note());
      }
    }
  }

  private static String show(Object value) {
    return value instanceof String text ? '"' + text + '"' : value.toString();
  }

  private String text(String path) {
    return values.get(path) instanceof String text ? text : "";
  }

  private void translate() {
    String mode = text("mode");
    boolean iptables = mode.isEmpty() || mode.equals("iptables");
    checkPeriods(mode.isEmpty() ? "iptables" : mode);
    checkInterfaces();
    addresses();
    nodePorts(mode);
    if (!text("clientConnection.kubeconfig").isEmpty()) {
      options.put("--kubeconfig", text("clientConnection.kubeconfig"));
    }
    if (values.containsKey("hostnameOverride")) {
      String name = text("hostnameOverride").strip().toLowerCase(Locale.ROOT);
      if (name.isEmpty()) {
        problems.add("hostnameOverride is blank and must be a name, or empty");
      }
      options.put("--node-name", name);
    }
    if (!text("logging.format").isEmpty()) {
      options.put("--log-format", text("logging.format"));
    }
    if (values.containsKey("bindAddressHardFail")) {
      options.put("--bind-address-hard-fail", "true");
    }
    if (values.get("oomScoreAdj") instanceof Integer score) {
      options.put("--oom-score-adj", score.toString());
    }
    if (values.get("iptables.localhostNodePorts") instanceof Boolean localhost) {
      if (iptables) {
        options.put("--localhost-nodeports", localhost.toString());
      } else {
        warnings.put("iptables.localhostNodePorts", "kube-proxy does not read it in mode " + mode);
      }
    }
  }

  private void checkPeriods(String mode) {
    Duration least = mode.equals("ipvs") ? Duration.ZERO : Duration.ofSeconds(1);
    Duration sync = duration(mode + ".syncPeriod").orElse(Duration.ofSeconds(30));
    Duration minSync = duration(mode + ".minSyncPeriod").orElse(least);
    if (minSync.compareTo(sync) > 0) {
      problems.add(
          "%s.minSyncPeriod is longer than %s.syncPeriod, which is 30s by default"
              .formatted(mode, mode));
    }
  }

  private Optional<Duration> duration(String path) {
    return Optional.ofNullable(values.get(path)).flatMap(FieldType::duration);
  }

  private void checkInterfaces() {
    String needed =
        switch (text("detectLocalMode")) {
          case "BridgeInterface" -> "detectLocal.bridgeInterface";
          case "InterfaceNamePrefix" -> "detectLocal.interfaceNamePrefix";
          default -> "";
        };
    if (!needed.isEmpty() && !values.containsKey(needed)) {
      problems.add(needed + " is empty and must be a text: detectLocalMode needs it");
    }
  }

  private void addresses() {
    Optional<IpAddress> bind = IpAddress.parse(text("bindAddress"));
    bind.filter(address -> !UNSPECIFIED.contains(address))
        .ifPresent(
            address ->
                warnings.put(
                    "bindAddress", "addresses of nodes come from Node objects; its family counts"));
    boolean ipv6 = bind.filter(address -> address.family() == IpFamily.IPV6).isPresent();
    bindAddress("healthzBindAddress", "--healthz-bind-address", HEALTHZ_PORT, ipv6 ? "[::]" : "");
    bindAddress("metricsBindAddress", "--metrics-bind-address", METRICS_PORT, ipv6 ? "[::1]" : "");
  }

  /** Sets an option to a field, which may lack the port, or else to an address, if there is one. */
  private void bindAddress(String path, String option, int port, String otherwise) {
    String text = text(path);
    if (!text.isEmpty()) {
      options.put(
          option,
          HostPort.parse(text)
              .map(HostPort::toString)
              .or(() -> IpAddress.parse(text).map(address -> address.withPort(port)))
              .orElse(text));
    } else if (!otherwise.isEmpty()) {
      options.put(option, otherwise + ":" + port);
    }
  }

  private void nodePorts(String mode) {
    if (values.get("nodePortAddresses") instanceof List<?> list) {
      List<String> elements = list.stream().map(String::valueOf).toList();
      switch (NodePortAddresses.parse(elements)) {
        case NodePortAddresses.Parsed.Good _ ->
            options.put("--nodeport-addresses", String.join(",", elements));
        case NodePortAddresses.Parsed.Bad bad ->
            problems.add(
                "nodePortAddresses[%d] is \"%s\" and %s"
                    .formatted(bad.index(), bad.text(), bad.reason()));
      }
    } else if (mode.equals("nftables")) {
      options.put("--nodeport-addresses", "primary");
    }
  }
}
