// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Service;
import java.util.List;

/**
 * Who may use the load balancer's addresses of a Service ({@code loadBalancerSourceRanges}).
 * Cluster IPs, external IPs and node ports are open to everybody.
 *
 * <p>As in kube-proxy, each family is judged by itself: where a Service has no range of a family,
 * or one that holds every address, all clients of that family are allowed. Only packets from
 * outside the node are judged: what connects on the node is translated before it has any.
 *
 * @param ranges of one family; empty if everybody is allowed
 */
public record SourceRanges(List<Cidr> ranges) {
  public SourceRanges {
    ranges = List.copyOf(ranges);
  }

  /** The ranges that guard the load balancer's addresses of one family. */
  public static SourceRanges of(Service service, IpFamily family) {
    List<Cidr> ranges =
        service.sourceRanges().stream().filter(range -> range.family() == family).toList();
    boolean open = ranges.stream().anyMatch(range -> range.prefixLength() == 0);
    return new SourceRanges(open ? List.of() : ranges);
  }

  /** Whether everybody is allowed. */
  public boolean isOpen() {
    return ranges.isEmpty();
  }

  /**
   * Whether a client may connect.
   *
   * @param client its address as the node sees it, of the family of the load balancer's address
   */
  public boolean allowed(IpAddress client) {
    return isOpen() || ranges.stream().anyMatch(range -> range.contains(client));
  }
}
