// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ServiceType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code clusterIP}, {@code clusterIPs}, {@code ipFamilies} and {@code ipFamilyPolicy}, which
 * must agree with each other and with the service ranges.
 */
final class ClusterIpFields {
  private static final String NONE = "None";

  /**
   * What a Service wants.
   *
   * @param families of its addresses, the primary first
   * @param addresses demanded, one per family at most
   */
  record Wanted(List<IpFamily> families, List<IpAddress> addresses) {
    static final Wanted NOTHING = new Wanted(List.of(), List.of());
  }

  private final List<Cidr> ranges;

  ClusterIpFields(List<Cidr> ranges) {
    this.ranges = ranges;
  }

  static boolean isHeadless(Fields spec) {
    List<String> list = spec.texts("clusterIPs");
    return spec.text("clusterIP").equals(NONE) || (!list.isEmpty() && list.getFirst().equals(NONE));
  }

  Wanted read(Fields spec, ServiceType type, boolean headless) {
    if (type == ServiceType.EXTERNAL_NAME) {
      if (!spec.text("clusterIP").isEmpty() || !spec.texts("clusterIPs").isEmpty()) {
        spec.error("clusterIP", "must be absent in a Service of type ExternalName");
      }
      return Wanted.NOTHING;
    }
    if (headless && type != ServiceType.CLUSTER_IP) {
      spec.error("clusterIP", "None is allowed for type ClusterIP only, not for " + type);
      return Wanted.NOTHING;
    }
    List<IpAddress> addresses = headless ? List.of() : addresses(spec);
    checkNone(spec, headless);
    List<IpFamily> families = families(spec, addresses);
    String policy = policy(spec, Math.max(addresses.size(), families.size()));
    if (spec.reporter().failed()) {
      return Wanted.NOTHING;
    }
    return new Wanted(complete(families, policy), addresses);
  }

  private static void checkNone(Fields spec, boolean headless) {
    List<String> list = spec.texts("clusterIPs");
    String single = spec.text("clusterIP");
    boolean agree = list.isEmpty() || single.isEmpty() || single.equals(list.getFirst());
    if (!agree) {
      spec.error(
          "clusterIPs[0]", "\"" + list.getFirst() + "\" differs from clusterIP \"" + single + "\"");
    } else if (headless && list.size() > 1) {
      spec.error("clusterIPs", "None must be the only entry");
    }
  }

  private List<IpAddress> addresses(Fields spec) {
    List<String> list = spec.texts("clusterIPs");
    List<IpAddress> addresses = new ArrayList<>(2);
    if (list.isEmpty()) {
      String text = spec.text("clusterIP");
      add(addresses, text.isEmpty() ? null : address(spec, "clusterIP", text));
      return addresses;
    }
    if (list.size() > 2) {
      spec.error(
          "clusterIPs", "has " + list.size() + " entries; one per address family is allowed");
    }
    for (int i = 0; i < Math.min(list.size(), 2); i++) {
      String path = "clusterIPs[" + i + "]";
      IpAddress address = address(spec, path, list.get(i));
      if (address != null
          && !addresses.isEmpty()
          && addresses.getFirst().family() == address.family()) {
        spec.error(
            path,
            address
                + " is a second "
                + address.family()
                + " address; one per family"
                + " is allowed");
        address = null;
      }
      add(addresses, address);
    }
    return addresses;
  }

  private static void add(List<IpAddress> addresses, @Nullable IpAddress address) {
    if (address != null) {
      addresses.add(address);
    }
  }

  private @Nullable IpAddress address(Fields spec, String path, String text) {
    IpAddress address = Addresses.read(spec, path, text);
    if (address == null) {
      return null;
    }
    Cidr range = range(address.family());
    if (range == null || !range.contains(address)) {
      spec.error(path, address + " is outside the service range " + text(ranges));
      return null;
    }
    String reserved = new ServiceRange(range).reservation(address);
    if (!reserved.isEmpty()) {
      spec.error(path, address + " is the " + reserved + " address of the service range " + range);
      return null;
    }
    return address;
  }

  private List<IpFamily> families(Fields spec, List<IpAddress> addresses) {
    List<String> texts = spec.texts("ipFamilies");
    List<IpFamily> families = new ArrayList<>(2);
    if (texts.size() > 2) {
      spec.error(
          "ipFamilies", "has " + texts.size() + " entries; at most IPv4 and IPv6 are allowed");
      return families;
    }
    for (int i = 0; i < texts.size(); i++) {
      String path = "ipFamilies[" + i + "]";
      IpFamily family =
          switch (texts.get(i)) {
            case "IPv4" -> IpFamily.IPV4;
            case "IPv6" -> IpFamily.IPV6;
            default -> null;
          };
      if (family == null) {
        spec.error(path, "\"" + texts.get(i) + "\" is unknown; allowed are IPv4 and IPv6");
      } else if (families.contains(family)) {
        spec.error(path, family + " is there twice");
      } else if (range(family) == null) {
        spec.error(path, "there is no " + family + " service range, only " + text(ranges));
      } else if (i < addresses.size() && addresses.get(i).family() != family) {
        spec.error(path, family + " does not fit cluster IP " + addresses.get(i));
      } else {
        families.add(family);
      }
    }
    for (int i = families.size(); i < addresses.size(); i++) {
      families.add(addresses.get(i).family());
    }
    return families;
  }

  private String policy(Fields spec, int wanted) {
    String policy = spec.text("ipFamilyPolicy");
    switch (policy) {
      case "" -> {
        return wanted > 1 ? "RequireDualStack" : "SingleStack";
      }
      case "SingleStack" -> {
        if (wanted > 1) {
          spec.error("ipFamilyPolicy", "SingleStack contradicts two address families");
        }
      }
      case "PreferDualStack" -> {}
      case "RequireDualStack" -> {
        if (ranges.size() < 2) {
          spec.error(
              "ipFamilyPolicy",
              "RequireDualStack needs service ranges of both families; there is only "
                  + text(ranges));
        }
      }
      default ->
          spec.error(
              "ipFamilyPolicy",
              "\""
                  + policy
                  + "\" is unknown; allowed are SingleStack, PreferDualStack and"
                  + " RequireDualStack");
    }
    return policy;
  }

  private List<IpFamily> complete(List<IpFamily> families, String policy) {
    List<IpFamily> all = new ArrayList<>(families);
    if (all.isEmpty()) {
      all.add(ranges.getFirst().family());
    }
    if (!policy.equals("SingleStack") && all.size() == 1) {
      IpFamily other = all.getFirst() == IpFamily.IPV4 ? IpFamily.IPV6 : IpFamily.IPV4;
      if (range(other) != null) {
        all.add(other);
      }
    }
    return all;
  }

  private @Nullable Cidr range(IpFamily family) {
    for (Cidr range : ranges) {
      if (range.family() == family) {
        return range;
      }
    }
    return null;
  }

  private static String text(List<Cidr> ranges) {
    StringBuilder text = new StringBuilder();
    for (Cidr range : ranges) {
      text.append(text.isEmpty() ? "" : ", ").append(range);
    }
    return text.toString();
  }
}
