// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link SnapshotWriter} writes. Fields that it does not know are passed over, so that a
 * later version may add some without a new format.
 */
final class SnapshotReader {
  /** The content is JSON, but no snapshot. */
  static final class FormatException extends IOException {
    private static final long serialVersionUID = 1L;

    FormatException(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The format is one that only later versions know. */
  static final class NewerFormatException extends IOException {
    private static final long serialVersionUID = 1L;
    private final long format;

    NewerFormatException(long format) {
      super("format " + format);
      this.format = format;
    }

    long format() {
      return format;
    }
  }

  /** Reads one element of an array, the parser being at its first token. */
  private interface Element<T> {
    T read() throws IOException;
  }

  private static final ObjectKey NAMELESS = new ObjectKey("-", "-");

  private final JsonParser json;

  SnapshotReader(JsonParser json) {
    this.json = json;
  }

  /**
   * Reads the snapshot, and what has changed since.
   *
   * @param whole how much of the input are whole lines, in bytes; of changes, nothing behind it is
   *     looked at
   */
  Snapshot read(long whole) throws IOException {
    json.nextToken();
    try {
      Snapshot first = snapshot();
      return newline() < whole ? changed(first, whole) : first;
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()), e);
    }
  }

  /** Where the line ends, the parser being at the end of the object on it. */
  private long newline() {
    return json.currentLocation().getByteOffset() + 1;
  }

  private Snapshot changed(Snapshot first, long whole) throws IOException {
    long writtenMillis = first.writtenMillis();
    List<Snapshot.Refusal> refusals = first.refusals();
    List<Problem> problems = first.cluster().problems();
    Map<ObjectKey, ServiceState> services = new HashMap<>(first.cluster().services());
    while (newline() < whole && json.nextToken() != null) {
      enterObject();
      for (String field = nextField(); field != null; field = nextField()) {
        switch (field) {
          case "writtenMillis" -> writtenMillis = json.getLongValue();
          case "refusals" -> refusals = list(this::refusal);
          case "problems" -> problems = list(this::problem);
          case "removed" -> list(this::removed).forEach(services::remove);
          case "services" -> list(this::service).forEach(state -> services.put(state.key(), state));
          default -> json.skipChildren();
        }
      }
    }
    return new Snapshot(
        writtenMillis,
        first.pid(),
        first.version(),
        first.node(),
        first.cgroup(),
        first.bpfDir(),
        first.source(),
        new ClusterSnapshot(services, problems),
        refusals);
  }

  private ObjectKey removed() throws IOException {
    String namespace = "";
    String name = "";
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "namespace" -> namespace = text();
        case "name" -> name = text();
        default -> json.skipChildren();
      }
    }
    return key(namespace, name);
  }

  private Snapshot snapshot() throws IOException {
    long format = 0;
    long writtenMillis = 0;
    long pid = 0;
    String version = "";
    String node = "";
    String zone = "";
    List<Cidr> externalRanges = NodeFacts.ANYWHERE;
    List<IpAddress> nodeAddresses = List.of();
    String cgroup = "";
    String bpfDir = "";
    String source = "";
    List<Snapshot.Refusal> refusals = List.of();
    List<Problem> problems = List.of();
    List<ServiceState> services = List.of();
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "format" -> {
          format = json.getLongValue();
          if (format > SnapshotFile.FORMAT) {
            throw new NewerFormatException(format);
          }
        }
        case "writtenMillis" -> writtenMillis = json.getLongValue();
        case "pid" -> pid = json.getLongValue();
        case "version" -> version = text();
        case "node" -> node = text();
        case "zone" -> zone = text();
        case "nodeAddresses" -> nodeAddresses = addresses();
        case "externalRanges" -> externalRanges = list(this::range);
        case "cgroup" -> cgroup = text();
        case "bpfDir" -> bpfDir = text();
        case "source" -> source = text();
        case "refusals" -> refusals = list(this::refusal);
        case "problems" -> problems = list(this::problem);
        case "services" -> services = list(this::service);
        default -> json.skipChildren();
      }
    }
    if (format < SnapshotFile.OLDEST_FORMAT) {
      throw wrong("no format number", null);
    }
    Map<ObjectKey, ServiceState> byKey = HashMap.newHashMap(services.size());
    services.forEach(state -> byKey.put(state.key(), state));
    return new Snapshot(
        writtenMillis,
        pid,
        version,
        new NodeFacts(node, zone, nodeAddresses, externalRanges),
        cgroup,
        bpfDir,
        source,
        new ClusterSnapshot(byKey, problems),
        refusals);
  }

  private Snapshot.Refusal refusal() throws IOException {
    String servicePort = "";
    String reason = "";
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "servicePort" -> servicePort = text();
        case "reason" -> reason = text();
        default -> json.skipChildren();
      }
    }
    return new Snapshot.Refusal(servicePort, reason);
  }

  private Problem problem() throws IOException {
    Problem.Severity severity = Problem.Severity.NOTE;
    String file = "";
    int document = 0;
    String object = "";
    String path = "";
    String reason = "";
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "severity" -> severity = Problem.Severity.valueOf(text());
        case "file" -> file = text();
        case "document" -> document = json.getIntValue();
        case "object" -> object = text();
        case "field" -> path = text();
        case "reason" -> reason = text();
        default -> json.skipChildren();
      }
    }
    return new Problem(severity, file, document, object, path, reason);
  }

  private ServiceState service() throws IOException {
    String namespace = "";
    String name = "";
    Service.Builder service = Service.builder(NAMELESS);
    boolean terminate = false;
    boolean backendMetrics = false;
    List<String> notes = List.of();
    List<EndpointSlice> slices = List.of();
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "namespace" -> namespace = text();
        case "name" -> name = text();
        case "type" -> service.type(byText(ServiceType.values()));
        case "headless" -> service.headless(json.getBooleanValue());
        case "clusterIps" -> service.clusterIps(addresses());
        case "ports" -> service.ports(list(this::servicePort));
        case "selector" -> service.selector(labels());
        case "affinitySeconds" -> service.affinitySeconds(json.getIntValue());
        case "publishNotReadyAddresses" -> service.publishNotReadyAddresses(json.getBooleanValue());
        case "internalTrafficPolicy" -> service.internalPolicy(byText(TrafficPolicy.values()));
        case "externalTrafficPolicy" -> service.externalPolicy(byText(TrafficPolicy.values()));
        case "trafficDistribution" -> service.trafficDistribution(text());
        case "externalIps" -> service.externalIps(addresses());
        case "loadBalancerIps" -> service.loadBalancerIps(addresses());
        case "proxiedLoadBalancerIps" -> service.proxiedLoadBalancerIps(addresses());
        case "sourceRanges" -> service.sourceRanges(list(this::range));
        case "healthCheckNodePort" -> service.healthCheckNodePort(json.getIntValue());
        case "terminateConnections" -> terminate = json.getBooleanValue();
        case "backendMetrics" -> backendMetrics = json.getBooleanValue();
        case "createdMillis" -> service.createdMillis(json.getLongValue());
        case "origin" -> service.origin(text());
        case "notes" -> notes = list(this::text);
        case "slices" -> slices = list(this::slice);
        default -> json.skipChildren();
      }
    }
    service.options(new ServiceOptions(terminate, backendMetrics));
    return new ServiceState(service.key(key(namespace, name)).build(), slices, notes);
  }

  private List<IpAddress> addresses() throws IOException {
    return list(() -> IpAddress.of(text()));
  }

  private Cidr range() throws IOException {
    String text = text();
    return Cidr.parse(text)
        .orElseThrow(() -> new IllegalArgumentException("not a range of addresses: " + text));
  }

  private ServicePort servicePort() throws IOException {
    String name = "";
    Protocol protocol = Protocol.TCP;
    int port = 0;
    String targetPort = "";
    int nodePort = 0;
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "name" -> name = text();
        case "protocol" -> protocol = Protocol.valueOf(text());
        case "port" -> port = json.getIntValue();
        case "targetPort" -> targetPort = text();
        case "nodePort" -> nodePort = json.getIntValue();
        default -> json.skipChildren();
      }
    }
    return new ServicePort(name, protocol, port, targetPort, nodePort);
  }

  private Map<String, String> labels() throws IOException {
    Map<String, String> labels = new HashMap<>();
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      labels.put(field, text());
    }
    return labels;
  }

  private EndpointSlice slice() throws IOException {
    String namespace = "";
    String name = "";
    IpFamily family = IpFamily.IPV4;
    List<EndpointPort> ports = List.of();
    List<Endpoint> endpoints = List.of();
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "namespace" -> namespace = text();
        case "name" -> name = text();
        case "family" -> family = byText(IpFamily.values());
        case "ports" -> ports = list(this::endpointPort);
        case "endpoints" -> endpoints = list(this::endpoint);
        default -> json.skipChildren();
      }
    }
    return new EndpointSlice(key(namespace, name), family, ports, endpoints);
  }

  private EndpointPort endpointPort() throws IOException {
    String name = "";
    Protocol protocol = Protocol.TCP;
    int port = 0;
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "name" -> name = text();
        case "protocol" -> protocol = Protocol.valueOf(text());
        case "port" -> port = json.getIntValue();
        default -> json.skipChildren();
      }
    }
    return new EndpointPort(name, protocol, port);
  }

  private Endpoint endpoint() throws IOException {
    IpAddress address = null;
    boolean ready = true;
    boolean serving = true;
    boolean terminating = false;
    String node = "";
    String target = "";
    List<String> zones = List.of();
    List<String> nodes = List.of();
    enterObject();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "address" -> address = IpAddress.of(text());
        case "ready" -> ready = json.getBooleanValue();
        case "serving" -> serving = json.getBooleanValue();
        case "terminating" -> terminating = json.getBooleanValue();
        case "node" -> node = text();
        case "target" -> target = text();
        case "zoneHints" -> zones = list(this::text);
        case "nodeHints" -> nodes = list(this::text);
        default -> json.skipChildren();
      }
    }
    if (address == null) {
      throw wrong("an endpoint without an address", null);
    }
    Hints hints = zones.isEmpty() && nodes.isEmpty() ? Hints.NONE : new Hints(zones, nodes);
    return new Endpoint(address, ready, serving, terminating, node, target, hints);
  }

  private ObjectKey key(String namespace, String name) throws FormatException {
    if (namespace.isEmpty() || name.isEmpty()) {
      throw wrong("an object without a name", null);
    }
    return new ObjectKey(namespace, name);
  }

  /** The constant whose text is the current value. */
  private <E extends Enum<E>> E byText(E[] constants) throws IOException {
    String text = text();
    for (E constant : constants) {
      if (constant.toString().equals(text)) {
        return constant;
      }
    }
    throw wrong("\"" + text + "\" is not known here", null);
  }

  private <T> List<T> list(Element<T> element) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw wrong("an array was expected", null);
    }
    List<T> list = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      list.add(element.read());
    }
    return list;
  }

  private String text() throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw wrong("a text was expected", null);
    }
    return json.getText();
  }

  private void enterObject() throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw wrong("an object was expected", null);
    }
  }

  /** Moves to the value of the next field; returns its name, or null at the end of the object. */
  private @Nullable String nextField() throws IOException {
    if (json.nextToken() == JsonToken.END_OBJECT) {
      return null;
    }
    String name = json.currentName();
    json.nextToken();
    return name;
  }

  private FormatException wrong(String what, @Nullable Throwable cause) {
    var at = json.currentLocation();
    return new FormatException(
        what + " at line " + at.getLineNr() + ", column " + at.getColumnNr(), cause);
  }
}
