// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which Service has which cluster IP. A pure function of the Services and of earlier
 * decisions; the order in which Services come does not matter.
 *
 * <p>Who gets an address: the Service that had it before, if it still wants it; then those that
 * demand it in their manifest, the oldest first, then by key; then those that left the choice open,
 * by key, each at the place that its key hashes to or the next free one.
 */
final class ClusterIpAllocator {
  /** How many addresses of Services that are gone are remembered, in case they come back. */
  static final int MAX_REMEMBERED = 10_000;

  private static final Comparator<ServiceObject> OLDEST_FIRST =
      Comparator.<ServiceObject>comparingLong(s -> s.written().createdMillis())
          .thenComparing(ServiceObject::key);

  /**
   * A demand that cannot be met.
   *
   * @param address the address demanded; null if none was, and the range is used up
   * @param owner who has it; null if the range is used up
   * @param kept the address the Service has instead; null if none
   */
  record Refusal(
      IpFamily family,
      @Nullable IpAddress address,
      @Nullable ObjectKey owner,
      @Nullable IpAddress kept) {}

  /**
   * The decisions.
   *
   * @param addresses by Service, in the order of its families; Services without any are missing
   * @param remembered {@code addresses}, and those of Services that are gone where still free
   * @param refusals by Service
   */
  record Result(
      Map<ObjectKey, List<IpAddress>> addresses,
      Map<ObjectKey, List<IpAddress>> remembered,
      Map<ObjectKey, List<Refusal>> refusals) {}

  private final Map<ObjectKey, List<IpAddress>> earlier;
  private final Map<IpAddress, ObjectKey> owners = new HashMap<>();
  private final Map<ObjectKey, EnumMap<IpFamily, IpAddress>> owned = new HashMap<>();
  private final Map<ObjectKey, List<Refusal>> refusals = new HashMap<>();

  private ClusterIpAllocator(Map<ObjectKey, List<IpAddress>> earlier) {
    this.earlier = earlier;
  }

  /**
   * Decides.
   *
   * @param services those that want addresses, in any order
   * @param earlier what was remembered after the decision before
   * @param ranges the service ranges, one per family
   */
  static Result allocate(
      Collection<ServiceObject> services,
      Map<ObjectKey, List<IpAddress>> earlier,
      List<Cidr> ranges) {
    ClusterIpAllocator allocator = new ClusterIpAllocator(earlier);
    List<ServiceObject> oldestFirst = new ArrayList<>();
    for (ServiceObject service : services) {
      if (!service.addresses().isEmpty()) {
        oldestFirst.add(service);
      }
    }
    oldestFirst.sort(OLDEST_FIRST);
    List<ServiceObject> byKey = new ArrayList<>(services);
    byKey.sort(Comparator.comparing(ServiceObject::key));
    for (Cidr range : ranges) {
      allocator.allocate(range, oldestFirst, byKey);
    }
    return allocator.result(byKey);
  }

  /**
   * Decides about one family.
   *
   * @param oldestFirst the Services that demand addresses
   * @param byKey all Services
   */
  private void allocate(Cidr range, List<ServiceObject> oldestFirst, List<ServiceObject> byKey) {
    IpFamily family = range.family();
    for (ServiceObject service : byKey) {
      IpAddress before = before(service, range);
      IpAddress demanded = find(service.addresses(), family);
      if (before != null && (demanded == null || demanded.equals(before))) {
        give(service, before);
      }
    }
    List<ServiceObject> refused = new ArrayList<>();
    for (ServiceObject service : oldestFirst) {
      IpAddress demanded = find(service.addresses(), family);
      if (demanded != null && !give(service, demanded)) {
        refused.add(service);
      }
    }
    for (ServiceObject service : refused) {
      IpAddress demanded = find(service.addresses(), family);
      IpAddress before = before(service, range);
      boolean kept = before != null && give(service, before);
      refuse(service, new Refusal(family, demanded, owners.get(demanded), kept ? before : null));
    }
    ServiceRange places = new ServiceRange(range);
    for (ServiceObject service : byKey) {
      boolean open = find(service.addresses(), family) == null && !has(service.key(), family);
      if (open && service.families().contains(family)) {
        IpAddress chosen = places.choose(service.key(), a -> !owners.containsKey(a));
        if (chosen == null || !give(service, chosen)) {
          refuse(service, new Refusal(family, null, null, null));
        }
      }
    }
  }

  /** The address it had; null if it had none of the family, or wants none now. */
  private @Nullable IpAddress before(ServiceObject service, Cidr range) {
    if (!service.families().contains(range.family())) {
      return null;
    }
    IpAddress before = find(earlier.getOrDefault(service.key(), List.of()), range.family());
    boolean usable =
        before != null
            && range.contains(before)
            && new ServiceRange(range).reservation(before).isEmpty();
    return usable ? before : null;
  }

  private boolean give(ServiceObject service, IpAddress address) {
    ObjectKey owner = owners.putIfAbsent(address, service.key());
    if (owner != null) {
      return owner.equals(service.key());
    }
    owned
        .computeIfAbsent(service.key(), _ -> new EnumMap<>(IpFamily.class))
        .put(address.family(), address);
    return true;
  }

  private boolean has(ObjectKey key, IpFamily family) {
    EnumMap<IpFamily, IpAddress> addresses = owned.get(key);
    return addresses != null && addresses.containsKey(family);
  }

  private void refuse(ServiceObject service, Refusal refusal) {
    refusals.computeIfAbsent(service.key(), _ -> new ArrayList<>()).add(refusal);
  }

  private Result result(List<ServiceObject> services) {
    Map<ObjectKey, List<IpAddress>> addresses = new HashMap<>();
    Set<ObjectKey> present = new HashSet<>();
    for (ServiceObject service : services) {
      present.add(service.key());
      EnumMap<IpFamily, IpAddress> mine = owned.get(service.key());
      if (mine != null) {
        List<IpAddress> list = new ArrayList<>(2);
        for (IpFamily family : service.families()) {
          IpAddress address = mine.get(family);
          if (address != null) {
            list.add(address);
          }
        }
        addresses.put(service.key(), List.copyOf(list));
      }
    }
    Map<ObjectKey, List<IpAddress>> remembered = new HashMap<>(addresses);
    List<ObjectKey> gone =
        earlier.keySet().stream().filter(key -> !present.contains(key)).sorted().toList();
    for (ObjectKey key : gone.subList(0, Math.min(gone.size(), MAX_REMEMBERED))) {
      List<IpAddress> free =
          earlier.getOrDefault(key, List.of()).stream()
              .filter(a -> !owners.containsKey(a))
              .toList();
      if (!free.isEmpty()) {
        remembered.put(key, free);
      }
    }
    return new Result(addresses, remembered, refusals);
  }

  private static @Nullable IpAddress find(List<IpAddress> addresses, IpFamily family) {
    for (IpAddress address : addresses) {
      if (address.family() == family) {
        return address;
      }
    }
    return null;
  }
}
