// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.manifest.PortRange;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpFamily;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Settings of the embedded control plane: options of {@code run} and {@code validate}. */
final class ManifestOptions {
  @Option(
      names = "--service-cidr",
      paramLabel = "C[,C]",
      defaultValue = "10.96.0.0/16,fd00:10:96::/112",
      description =
          "with --manifests: ranges for cluster IPs, one per family (default: ${DEFAULT-VALUE})")
  String serviceCidrs = "";

  @Option(
      names = "--node-port-range",
      paramLabel = "A-B",
      defaultValue = "30000-32767",
      description = "with --manifests: range for node ports (default: ${DEFAULT-VALUE})")
  String nodePortRange = "";

  /** The ranges, at most one per family, in the order given. */
  List<Cidr> cidrs() throws UserError {
    List<Cidr> cidrs = new ArrayList<>();
    for (String text : serviceCidrs.split(",", -1)) {
      Cidr cidr =
          Cidr.parse(text)
              .orElseThrow(
                  () ->
                      UserError.usage(
                          "--service-cidr " + text,
                          "not a range of addresses",
                          "write it like 10.96.0.0/16, with no bits set behind the prefix"));
      int smallest = cidr.family() == IpFamily.IPV4 ? 30 : 126;
      if (cidr.prefixLength() > smallest) {
        throw UserError.usage(
            "--service-cidr " + text,
            "holds no more than two addresses",
            "give a range of /" + smallest + " or larger");
      }
      for (Cidr other : cidrs) {
        if (other.family() == cidr.family()) {
          throw UserError.usage(
              "--service-cidr " + text,
              "a second " + cidr.family() + " range beside " + other,
              "give at most one per family");
        }
      }
      cidrs.add(cidr);
    }
    return List.copyOf(cidrs);
  }

  PortRange nodePorts() throws UserError {
    return PortRange.parse(nodePortRange)
        .orElseThrow(
            () ->
                UserError.usage(
                    "--node-port-range " + nodePortRange,
                    "not a range of ports",
                    "write it like 30000-32767, within 1-65535"));
  }
}
