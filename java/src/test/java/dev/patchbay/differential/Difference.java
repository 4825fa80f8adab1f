// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import dev.patchbay.lab.Json;
import java.util.Set;

/**
 * A destination at which the proxies differ for a client.
 *
 * @param service as the API server has it
 * @param kubeProxy what came of it behind kube-proxy, without {@code EPERM}
 * @param patchbay what came of it behind Patchbay
 * @param notPermitted whether behind kube-proxy sending a datagram failed with {@code EPERM}
 *     besides
 * @param alike whether that is all
 * @param likeNodePort whether Patchbay does here what kube-proxy does for the node port at the
 *     node's primary address
 */
record Difference(
    Json service,
    View view,
    Destination.Key at,
    Set<String> kubeProxy,
    Set<String> patchbay,
    boolean notPermitted,
    boolean alike,
    boolean likeNodePort) {
  Json spec() {
    return service.get("spec");
  }

  @Override
  public String toString() {
    return "%s %s %s %s port '%s' from %s: kube-proxy %s%s, Patchbay %s"
        .formatted(
            at.service(),
            at.place(),
            at.family(),
            at.kind(),
            at.portName(),
            view,
            kubeProxy,
            notPermitted ? " after EPERM" : "",
            patchbay);
  }
}
