// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.NodeObject;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeInfo;
import java.util.LinkedHashSet;
import java.util.Set;

/** Reads Nodes: their zones and addresses. */
final class NodeTranslator {
  private static final String ZONE = "topology.kubernetes.io/zone";
  private static final String GOING = "ToBeDeletedByClusterAutoscaler";

  private NodeTranslator() {}

  static NodeObject translate(Fields object, Metadata metadata) {
    String zone = metadata.labels().getOrDefault(ZONE, "");
    if (!Names.isLabelValue(zone)) {
      object.error(
          "metadata.labels[" + ZONE + "]",
          "\"" + zone + "\" is not a valid zone; allowed are " + Names.LABEL_VALUE_RULE);
    }
    boolean eligible = !metadata.deleted();
    Fields spec = object.mapping("spec");
    if (spec != null) {
      for (Fields taint : spec.mappings("taints")) {
        eligible &= !taint.text("key").equals(GOING);
      }
    }
    Set<IpAddress> addresses = new LinkedHashSet<>();
    Fields status = object.mapping("status");
    if (status != null) {
      for (Fields item : status.mappings("addresses")) {
        address(item, addresses);
      }
    }
    return new NodeObject(
        metadata.id(),
        object.reporter().origin(),
        new NodeInfo(metadata.id().key().name(), zone, addresses.stream().toList(), eligible));
  }

  private static void address(Fields item, Set<IpAddress> into) {
    String type = item.requiredText("type");
    if (!type.equals("InternalIP") && !type.equals("ExternalIP")) {
      return; // a name of the host
    }
    String text = item.requiredText("address");
    IpAddress address = text.isEmpty() ? null : Addresses.readServed(item, "address", text);
    if (address != null) {
      into.add(address);
    }
  }
}
