// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import java.util.Collection;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The environment variables that tell a new Pod where the Services of its namespace are, in the
 * style of Docker links.
 *
 * <p>Imitates the kubelet ({@code pkg/kubelet/envvars}, {@code FromServices}; {@code
 * getServiceEnvVarMap} of {@code kubelet_pods.go}): the Services of the Pod's namespace that have a
 * cluster IP, and {@code kubernetes} of the namespace {@code default}, unless the Pod's namespace
 * has a Service of that name itself. The address is the primary one.
 */
public final class ServiceEnvironment {
  private static final ObjectKey API_SERVER = new ObjectKey("default", "kubernetes");

  private ServiceEnvironment() {}

  /**
   * The variables that a Pod of {@code namespace} gets, by name. If two Services want the same
   * variable ({@code A_SERVICE_PORT} comes from {@code a} and from {@code a-service}), the last by
   * name has it, where the kubelet leaves it to chance.
   *
   * @param services of all namespaces, with distinct keys, in any order
   */
  public static SortedMap<String, String> variables(
      String namespace, Collection<Service> services) {
    SortedMap<String, Service> visible = new TreeMap<>();
    for (Service service : services) {
      ObjectKey key = service.key();
      if (service.type() == ServiceType.EXTERNAL_NAME
          || service.clusterIps().isEmpty()
          || service.ports().isEmpty()) {
        continue;
      }
      if (key.namespace().equals(namespace)) {
        visible.put(key.name(), service);
      } else if (key.equals(API_SERVER)) {
        visible.putIfAbsent(key.name(), service);
      }
    }
    SortedMap<String, String> variables = new TreeMap<>();
    visible.values().forEach(service -> add(service, variables));
    return Collections.unmodifiableSortedMap(variables);
  }

  private static void add(Service service, Map<String, String> to) {
    String prefix = variableName(service.key().name());
    IpAddress address = service.clusterIps().getFirst();
    ServicePort first = service.ports().getFirst();
    to.put(prefix + "_SERVICE_HOST", address.toString());
    to.put(prefix + "_SERVICE_PORT", Integer.toString(first.port()));
    for (ServicePort port : service.ports()) {
      if (!port.name().isEmpty()) {
        to.put(
            prefix + "_SERVICE_PORT_" + variableName(port.name()), Integer.toString(port.port()));
      }
    }
    to.put(prefix + "_PORT", url(address, first));
    for (ServicePort port : service.ports()) {
      String link = prefix + "_PORT_" + port.port() + "_" + port.protocol();
      to.put(link, url(address, port));
      to.put(link + "_PROTO", port.protocol().lowerCase());
      to.put(link + "_PORT", Integer.toString(port.port()));
      to.put(link + "_ADDR", address.toString());
    }
  }

  private static String url(IpAddress address, ServicePort port) {
    return port.protocol().lowerCase() + "://" + address.withPort(port.port());
  }

  private static String variableName(String name) {
    return name.replace('-', '_').toUpperCase(Locale.ROOT);
  }
}
