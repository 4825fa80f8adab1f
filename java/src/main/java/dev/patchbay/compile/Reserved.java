// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Service addresses that Patchbay keeps for itself: the agent connects to them to see whether
 * connects are translated. No Service gets them.
 *
 * <p>IPv4: 192.0.0.8, the dummy address (RFC 7600), which never is a destination and never
 * forwarded. IPv6: 100::8 of the discard-only prefix (RFC 6666), which routers drop.
 */
public final class Reserved {
  /** The port of the canary at each address: that of echo. */
  public static final int PORT = 7;

  private static final IpAddress IPV4 = IpAddress.of("192.0.0.8");
  private static final IpAddress IPV6 = IpAddress.of("100::8");

  /** No namespace has such a name, and all sort before it. */
  private static final ObjectKey OWNER = new ObjectKey("~patchbay", "canary");

  private Reserved() {}

  /** The reserved address of a family. */
  public static IpAddress address(IpFamily family) {
    return family == IpFamily.IPV4 ? IPV4 : IPV6;
  }

  /** Whether an address is reserved. */
  public static boolean is(IpAddress address) {
    return address.equals(IPV4) || address.equals(IPV6);
  }

  /** Whether a row is the agent's own. */
  public static boolean is(ServicePortKey key) {
    return key.service().equals(OWNER);
  }

  /** The key of the canary's row. */
  public static ServicePortKey canary(IpFamily family, Protocol protocol) {
    return new ServicePortKey(OWNER, "", protocol, family);
  }

  /** The row that leads the canary to one backend. */
  public static ServiceRow canary(IpFamily family, Protocol protocol, Backend backend) {
    return new ServiceRow(
        canary(family, protocol),
        List.of(new FrontendKey(address(family), PORT, protocol, Scope.INTERNAL)),
        List.of(backend),
        ServiceSettings.NONE);
  }

  /** The same maps as if there were no reserved addresses. */
  public static ObservedState hidden(ObservedState observed) {
    Map<FrontendKey, FrontendValue> frontends = new HashMap<>(observed.frontends());
    frontends.keySet().removeIf(key -> is(key.address()));
    return new ObservedState(
        frontends, observed.services(), observed.capacity(), observed.backends());
  }
}
