// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;
import java.util.Locale;
import java.util.Set;

/** Paths of objects at the API server. */
public final class ApiPath {
  private static final Set<String> WITHOUT_NAMESPACE =
      Set.of("Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "ServiceCIDR", "IPAddress");

  private ApiPath() {}

  /** The path of a collection in a namespace: {@code of("apps/v1", "deployments", "default")}. */
  public static String of(String apiVersion, String plural, String namespace) {
    return root(apiVersion) + "/namespaces/" + namespace + "/" + plural;
  }

  /** The path of a collection of all namespaces, or of objects that are in none. */
  public static String of(String apiVersion, String plural) {
    return root(apiVersion) + "/" + plural;
  }

  /**
   * The collection that an object is created in; the namespace is {@code default} if it has none.
   */
  public static String collection(Json object) {
    String apiVersion = object.get("apiVersion").text();
    String kind = object.get("kind").text();
    return WITHOUT_NAMESPACE.contains(kind)
        ? of(apiVersion, plural(kind))
        : of(
            apiVersion,
            plural(kind),
            object.get("metadata").find("namespace").map(Json::text).orElse("default"));
  }

  /** The path of an object. */
  public static String object(Json object) {
    return collection(object) + "/" + object.get("metadata").get("name").text();
  }

  private static String root(String apiVersion) {
    return apiVersion.contains("/") ? "/apis/" + apiVersion : "/api/" + apiVersion;
  }

  private static String plural(String kind) {
    String lower = kind.toLowerCase(Locale.ROOT);
    if (kind.equals("Endpoints")) {
      return lower;
    }
    if (lower.endsWith("s")) {
      return lower + "es";
    }
    return lower.endsWith("y") ? lower.substring(0, lower.length() - 1) + "ies" : lower + "s";
  }
}
