// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a snapshot, or a change of one, as a line of JSON. Fields with their usual value (an empty
 * text, a ready endpoint) are left out; {@link SnapshotReader} knows the same usual values. Equal
 * snapshots give equal files.
 */
final class SnapshotWriter {
  private final JsonGenerator json;

  SnapshotWriter(JsonGenerator json) {
    this.json = json;
  }

  void write(Snapshot snapshot) throws IOException {
    json.writeStartObject();
    json.writeNumberField("format", SnapshotFile.FORMAT);
    json.writeNumberField("writtenMillis", snapshot.writtenMillis());
    json.writeNumberField("pid", snapshot.pid());
    text("version", snapshot.version());
    text("node", snapshot.node().nodeName());
    text("zone", snapshot.node().zone());
    strings("nodeAddresses", snapshot.node().addresses());
    if (!snapshot.node().externalRanges().equals(NodeFacts.ANYWHERE)) {
      json.writeArrayFieldStart("externalRanges");
      for (Cidr range : snapshot.node().externalRanges()) {
        json.writeString(range.toString());
      }
      json.writeEndArray();
    }
    text("cgroup", snapshot.cgroup());
    text("bpfDir", snapshot.bpfDir());
    text("source", snapshot.source());
    refusals(snapshot.refusals());
    problems(snapshot.cluster().problems());
    services(new TreeMap<>(snapshot.cluster().services()).values());
    json.writeEndObject();
    json.writeRaw('\n');
  }

  void write(SnapshotChange change) throws IOException {
    json.writeStartObject();
    json.writeNumberField("writtenMillis", change.writtenMillis());
    if (change.refusals() != null) {
      refusals(change.refusals());
    }
    if (change.problems() != null) {
      problems(change.problems());
    }
    if (!change.removed().isEmpty()) {
      json.writeArrayFieldStart("removed");
      for (ObjectKey removed : change.removed()) {
        json.writeStartObject();
        key(removed);
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    if (!change.upserted().isEmpty()) {
      services(change.upserted());
    }
    json.writeEndObject();
    json.writeRaw('\n');
  }

  private void refusals(List<Snapshot.Refusal> refusals) throws IOException {
    json.writeArrayFieldStart("refusals");
    for (Snapshot.Refusal refusal : refusals) {
      json.writeStartObject();
      text("servicePort", refusal.servicePort());
      text("reason", refusal.reason());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void problems(List<Problem> problems) throws IOException {
    json.writeArrayFieldStart("problems");
    for (Problem problem : problems) {
      problem(problem);
    }
    json.writeEndArray();
  }

  private void services(Collection<ServiceState> services) throws IOException {
    json.writeArrayFieldStart("services");
    for (ServiceState state : services) {
      service(state);
    }
    json.writeEndArray();
  }

  private void problem(Problem problem) throws IOException {
    json.writeStartObject();
    json.writeStringField("severity", problem.severity().name());
    text("file", problem.file());
    number("document", problem.document());
    text("object", problem.object());
    text("field", problem.field());
    text("reason", problem.reason());
    json.writeEndObject();
  }

  private void service(ServiceState state) throws IOException {
    Service service = state.service();
    json.writeStartObject();
    key(service.key());
    json.writeStringField("type", service.type().toString());
    json.writeArrayFieldStart("clusterIps");
    for (IpAddress address : service.clusterIps()) {
      json.writeString(address.toString());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("ports");
    for (ServicePort port : service.ports()) {
      json.writeStartObject();
      text("name", port.name());
      json.writeStringField("protocol", port.protocol().name());
      json.writeNumberField("port", port.port());
      text("targetPort", port.targetPort());
      number("nodePort", port.nodePort());
      json.writeEndObject();
    }
    json.writeEndArray();
    if (!service.selector().isEmpty()) {
      json.writeObjectFieldStart("selector");
      for (Map.Entry<String, String> label : new TreeMap<>(service.selector()).entrySet()) {
        json.writeStringField(label.getKey(), label.getValue());
      }
      json.writeEndObject();
    }
    flag("headless", service.headless(), false);
    number("affinitySeconds", service.affinitySeconds());
    flag("publishNotReadyAddresses", service.publishNotReadyAddresses(), false);
    policy("internalTrafficPolicy", service.internalPolicy());
    policy("externalTrafficPolicy", service.externalPolicy());
    text("trafficDistribution", service.trafficDistribution());
    strings("externalIps", service.externalIps());
    strings("loadBalancerIps", service.loadBalancerIps());
    strings("proxiedLoadBalancerIps", service.proxiedLoadBalancerIps());
    strings("sourceRanges", service.sourceRanges());
    number("healthCheckNodePort", service.healthCheckNodePort());
    flag("terminateConnections", service.options().terminateConnections(), false);
    flag("backendMetrics", service.options().backendMetrics(), false);
    if (service.createdMillis() != Long.MAX_VALUE) {
      json.writeNumberField("createdMillis", service.createdMillis());
    }
    text("origin", service.origin());
    texts("notes", state.notes());
    json.writeArrayFieldStart("slices");
    for (EndpointSlice slice : state.slices()) {
      slice(slice);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void slice(EndpointSlice slice) throws IOException {
    json.writeStartObject();
    key(slice.key());
    json.writeStringField("family", slice.family().toString());
    json.writeArrayFieldStart("ports");
    for (EndpointPort port : slice.ports()) {
      json.writeStartObject();
      text("name", port.name());
      json.writeStringField("protocol", port.protocol().name());
      json.writeNumberField("port", port.port());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("endpoints");
    for (Endpoint endpoint : slice.endpoints()) {
      json.writeStartObject();
      json.writeStringField("address", endpoint.address().toString());
      flag("ready", endpoint.ready(), true);
      flag("serving", endpoint.serving(), true);
      flag("terminating", endpoint.terminating(), false);
      text("node", endpoint.nodeName());
      text("target", endpoint.target());
      texts("zoneHints", endpoint.hints().zones());
      texts("nodeHints", endpoint.hints().nodes());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void key(ObjectKey key) throws IOException {
    json.writeStringField("namespace", key.namespace());
    json.writeStringField("name", key.name());
  }

  private void text(String name, String value) throws IOException {
    if (!value.isEmpty()) {
      json.writeStringField(name, value);
    }
  }

  private void texts(String name, List<String> values) throws IOException {
    if (!values.isEmpty()) {
      json.writeArrayFieldStart(name);
      for (String value : values) {
        json.writeString(value);
      }
      json.writeEndArray();
    }
  }

  private void strings(String name, List<?> values) throws IOException {
    texts(name, values.stream().map(Object::toString).toList());
  }

  private void policy(String name, TrafficPolicy policy) throws IOException {
    if (policy != TrafficPolicy.CLUSTER) {
      json.writeStringField(name, policy.toString());
    }
  }

  private void number(String name, int value) throws IOException {
    if (value != 0) {
      json.writeNumberField(name, value);
    }
  }

  private void flag(String name, boolean value, boolean usual) throws IOException {
    if (value != usual) {
      json.writeBooleanField(name, value);
    }
  }
}
