// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.EndpointsObject;
import dev.patchbay.manifest.ManifestObject.SliceObject;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads Endpoints and EndpointSlices by the rules of the API server. */
final class EndpointsTranslator {
  private static final String SERVICE_NAME = "kubernetes.io/service-name";
  private static final String HEADLESS = "service.kubernetes.io/headless";
  private static final String PROXY_NAME = "service.kubernetes.io/service-proxy-name";
  private static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
  private static final String SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror";

  /** Of each kind, for one endpoint. */
  private static final int MAX_HINTS = 8;

  private EndpointsTranslator() {}

  /** Reads an EndpointSlice; null if it is of no use to the dataplane. */
  static @Nullable SliceObject slice(Fields object, Metadata metadata) {
    Map<String, String> labels = metadata.labels();
    if (labels.containsKey(HEADLESS) || labels.containsKey(PROXY_NAME)) {
      object.report(
          Severity.NOTE, "metadata.labels", "the slice is labelled as not for proxies; ignored");
      return null;
    }
    IpFamily family = addressType(object);
    if (family == null) {
      return null;
    }
    List<EndpointPort> ports = ports(object);
    List<Fields> items = object.mappings("endpoints");
    List<Endpoint> endpoints = new ArrayList<>(items.size());
    for (Fields item : items) {
      Endpoint endpoint = endpoint(item, family);
      if (endpoint != null) {
        endpoints.add(endpoint);
      }
    }
    String manager = labels.getOrDefault(MANAGED_BY, "");
    return new SliceObject(
        metadata.id(),
        object.reporter().origin(),
        labels.getOrDefault(SERVICE_NAME, ""),
        manager.equals("endpointslice-controller.k8s.io")
            || manager.equals("endpointslicemirroring-controller.k8s.io"),
        new EndpointSlice(metadata.id().key(), family, ports, endpoints));
  }

  private static @Nullable IpFamily addressType(Fields object) {
    String text = object.text("addressType");
    switch (text) {
      case "IPv4" -> {
        return IpFamily.IPV4;
      }
      case "IPv6" -> {
        return IpFamily.IPV6;
      }
      case "FQDN" ->
          object.report(
              Severity.NOTE, "addressType", "FQDN has no meaning for the dataplane; ignored");
      case "" -> {
        if (!object.has("addressType")) {
          object.error("addressType", "is missing; allowed are IPv4 and IPv6");
        }
      }
      default ->
          object.error(
              "addressType", "\"" + text + "\" is unknown; allowed are IPv4, IPv6 and FQDN");
    }
    return null;
  }

  private static @Nullable Endpoint endpoint(Fields item, IpFamily family) {
    List<String> addresses = item.texts("addresses");
    if (addresses.isEmpty()) {
      item.error("addresses", "is missing; one address is needed");
      return null;
    }
    IpAddress first = null;
    for (int i = 0; i < addresses.size(); i++) {
      String path = "addresses[" + i + "]";
      IpAddress address =
          addresses.get(i).isEmpty() ? null : Addresses.readEndpoint(item, path, addresses.get(i));
      if (address != null && address.family() != family) {
        item.error(
            path,
            address
                + " is an "
                + address.family()
                + " address in a slice of addressType "
                + family);
        address = null;
      }
      first = i == 0 ? address : first;
    }
    if (addresses.size() > 1) {
      item.report(
          Severity.WARNING,
          "addresses",
          "only the first of "
              + addresses.size()
              + " addresses is used; write one endpoint for"
              + " each");
    }
    boolean ready = true;
    boolean serving = true;
    boolean terminating = false;
    Fields conditions = item.mapping("conditions");
    if (conditions != null) {
      ready = conditions.bool("ready", true);
      serving = conditions.bool("serving", ready);
      terminating = conditions.bool("terminating", false);
    }
    String node = item.text("nodeName");
    String target = podName(item);
    item.text("zone"); // of no use without hints, but it must be a text
    Fields hints = item.mapping("hints");
    Hints read = hints == null ? Hints.NONE : hints(hints);
    return first == null
        ? null
        : new Endpoint(first, ready, serving, terminating, node, target, read);
  }

  private static Hints hints(Fields hints) {
    List<String> zones = new ArrayList<>(1);
    for (Fields item : hintItems(hints, "forZones")) {
      String name = hintName(item, zones);
      if (!Names.isLabelValue(name)) {
        item.error(
            "name", "\"" + name + "\" is not a valid zone; allowed are " + Names.LABEL_VALUE_RULE);
      }
    }
    List<String> nodes = new ArrayList<>(0);
    for (Fields item : hintItems(hints, "forNodes")) {
      String name = hintName(item, nodes);
      if (!name.isEmpty() && !Names.isSubdomain(name)) {
        item.error(
            "name",
            "\"" + name + "\" is not a valid Node name; allowed are " + Names.SUBDOMAIN_RULE);
      }
    }
    return new Hints(zones, nodes);
  }

  private static List<Fields> hintItems(Fields hints, String field) {
    List<Fields> items = hints.mappings(field);
    if (items.size() > MAX_HINTS) {
      hints.error(field, "has " + items.size() + " entries; at most " + MAX_HINTS + " are allowed");
      return List.of();
    }
    return items;
  }

  private static String hintName(Fields item, List<String> into) {
    String name = item.requiredText("name");
    if (into.contains(name)) {
      item.error("name", "\"" + name + "\" is there twice");
    } else if (!name.isEmpty()) {
      into.add(name);
    }
    return name;
  }

  /** Reads Endpoints; null if they are not to be mirrored. */
  static @Nullable EndpointsObject endpoints(Fields object, Metadata metadata) {
    if (metadata.labels().getOrDefault(SKIP_MIRROR, "").equals("true")) {
      object.report(
          Severity.NOTE,
          "metadata.labels[" + SKIP_MIRROR + "]",
          "asks not to be mirrored; ignored");
      return null;
    }
    List<EndpointSlice> slices = new ArrayList<>(1);
    List<Fields> subsets = object.mappings("subsets");
    for (int i = 0; i < subsets.size(); i++) {
      subset(subsets.get(i), metadata.id().key(), i, slices);
    }
    return new EndpointsObject(metadata.id(), object.reporter().origin(), slices);
  }

  private static void subset(Fields subset, ObjectKey key, int index, List<EndpointSlice> into) {
    List<Endpoint> all = new ArrayList<>();
    addresses(subset.mappings("addresses"), true, all);
    addresses(subset.mappings("notReadyAddresses"), false, all);
    List<EndpointPort> ports = ports(subset);
    for (IpFamily family : IpFamily.values()) {
      List<Endpoint> endpoints = new ArrayList<>(all.size());
      for (Endpoint endpoint : all) {
        if (endpoint.address().family() == family) {
          endpoints.add(endpoint);
        }
      }
      if (!endpoints.isEmpty()) {
        String name =
            key.name() + "-mirrored-" + index + "-" + family.toString().toLowerCase(Locale.ROOT);
        into.add(new EndpointSlice(new ObjectKey(key.namespace(), name), family, ports, endpoints));
      }
    }
  }

  private static void addresses(List<Fields> items, boolean ready, List<Endpoint> into) {
    for (Fields item : items) {
      String text = item.requiredText("ip");
      String node = item.text("nodeName");
      String target = podName(item);
      IpAddress address = text.isEmpty() ? null : Addresses.readEndpoint(item, "ip", text);
      if (address != null) {
        into.add(new Endpoint(address, ready, ready, false, node, target));
      }
    }
  }

  private static String podName(Fields item) {
    Fields target = item.mapping("targetRef");
    return target != null && target.text("kind").equals("Pod") ? target.text("name") : "";
  }

  private static List<EndpointPort> ports(Fields parent) {
    List<Fields> items = Ports.items(parent);
    List<EndpointPort> ports = new ArrayList<>(items.size());
    for (Fields item : items) {
      String name = Ports.name(item);
      for (EndpointPort other : ports) {
        if (other.name().equals(name)) {
          item.error(
              "name",
              name.isEmpty()
                  ? "is missing; only one port may be without"
                  : "\"" + name + "\" is used by another port");
        }
      }
      Protocol protocol = Ports.protocol(item);
      int port = Ports.requiredPort(item, "port");
      if (port != 0) {
        ports.add(new EndpointPort(name, protocol, port));
      }
    }
    return ports;
  }
}
