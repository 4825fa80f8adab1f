// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.kube.KubeObject.NodeObject;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Turns Nodes of the API into ours. */
final class NodeTranslator {
  private static final String TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler";

  private NodeTranslator() {}

  static NodeObject translate(ApiNode from) {
    Findings findings = from.meta.findings;
    List<IpAddress> addresses = new ArrayList<>(from.addresses.size());
    for (int i = 0; i < from.addresses.size(); i++) {
      ApiNode.Address address = from.addresses.get(i);
      if (!address.type.equals("InternalIP") && !address.type.equals("ExternalIP")) {
        continue;
      }
      Optional<LenientAddress> parsed = LenientAddress.parse(address.address);
      if (parsed.isEmpty()) {
        findings.warning(
            "status.addresses[" + i + "].address",
            "\"" + address.address + "\" is no IP address; ignored");
      } else if (!addresses.contains(parsed.get().address())) {
        addresses.add(parsed.get().address());
      }
    }
    boolean eligible = !from.meta.deleting && !from.taints.contains(TO_BE_DELETED);
    return new NodeObject(
        new ObjectKey("", from.meta.name),
        new NodeInfo(from.meta.name, from.meta.label, addresses, eligible),
        findings.list());
  }
}
