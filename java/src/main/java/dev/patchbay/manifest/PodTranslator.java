// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ContainerPort;
import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import java.util.ArrayList;
import java.util.List;

/** Reads Pods, as far as they can be endpoints. */
final class PodTranslator {
  private PodTranslator() {}

  static PodObject translate(Fields object, Metadata metadata) {
    Fields spec = object.mapping("spec");
    Fields status = object.mapping("status");
    List<ContainerPort> ports = new ArrayList<>();
    String nodeName = "";
    boolean hostNetwork = false;
    if (spec != null) {
      nodeName = spec.text("nodeName");
      hostNetwork = spec.bool("hostNetwork", false);
      for (Fields container : spec.mappings("containers")) {
        ports(container, ports);
      }
      for (Fields container : spec.mappings("initContainers")) {
        if (container.text("restartPolicy").equals("Always")) {
          ports(container, ports); // a sidecar: it runs as long as the Pod does
        }
      }
    }
    List<IpAddress> addresses = new ArrayList<>(2);
    String phase = "";
    boolean ready = false;
    if (status != null) {
      addresses(status, "podIPs", "podIP", addresses);
      if (hostNetwork && addresses.isEmpty()) {
        addresses(status, "hostIPs", "hostIP", addresses);
      }
      phase = phase(status);
      ready = ready(status, phase);
    }
    return new PodObject(
        metadata.id(),
        object.reporter().origin(),
        metadata.labels(),
        addresses,
        ready,
        metadata.deleted(),
        phase.equals("Succeeded") || phase.equals("Failed"),
        nodeName,
        ports);
  }

  private static void ports(Fields container, List<ContainerPort> into) {
    for (Fields item : container.mappings("ports")) {
      String name = item.text("name");
      if (!name.isEmpty() && !Names.isPortName(name)) {
        item.error(
            "name",
            "\"" + name + "\" is not a valid port name; allowed are " + Names.PORT_NAME_RULE);
      }
      Protocol protocol = Ports.protocol(item);
      into.add(new ContainerPort(name, protocol, Ports.requiredPort(item, "containerPort")));
    }
  }

  /** Adds the addresses of the plural field, or of the singular one if there are none. */
  private static void addresses(
      Fields status, String plural, String singular, List<IpAddress> into) {
    for (Fields item : status.mappings(plural)) {
      address(item, "ip", into);
    }
    if (into.isEmpty() && !status.reporter().failed()) {
      address(status, singular, into);
    }
  }

  private static void address(Fields fields, String field, List<IpAddress> into) {
    String text = fields.text(field);
    IpAddress address = text.isEmpty() ? null : Addresses.readEndpoint(fields, field, text);
    if (address == null) {
      return;
    }
    for (IpAddress other : into) {
      if (other.family() == address.family()) {
        fields.error(
            field,
            address + " is a second " + address.family() + " address; one per family is allowed");
        return;
      }
    }
    into.add(address);
  }

  private static String phase(Fields status) {
    String phase = status.text("phase");
    return switch (phase) {
      case "", "Pending", "Running", "Succeeded", "Failed", "Unknown" -> phase;
      default -> {
        status.error(
            "phase",
            "\""
                + phase
                + "\" is unknown; allowed are Pending, Running, Succeeded, Failed and"
                + " Unknown");
        yield "";
      }
    };
  }

  private static boolean ready(Fields status, String phase) {
    for (Fields condition : status.mappings("conditions")) {
      if (condition.text("type").equals("Ready")) {
        String value = condition.text("status");
        switch (value) {
          case "True" -> {
            return true;
          }
          case "False", "Unknown" -> {
            return false;
          }
          default ->
              condition.error(
                  "status", "\"" + value + "\" is unknown; allowed are True, False and Unknown");
        }
      }
    }
    return phase.isEmpty() || phase.equals("Running");
  }
}
