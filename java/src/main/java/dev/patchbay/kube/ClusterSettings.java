// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which cluster, and how to reach it.
 *
 * @param nodeName the node that asks; told in Events
 * @param access where credentials and the certificate authority come from
 * @param apiServers where the API is served, {@code http} or {@code https}, without a path; tried
 *     in turn when one fails. Empty: the one address that {@code access} names
 */
public record ClusterSettings(String nodeName, Access access, List<URI> apiServers) {

  /** Where credentials come from. */
  public sealed interface Access {}

  /**
   * A kubeconfig file. Files that it names may be replaced at any time, and so may it.
   *
   * @param context the context to use; null: the current one
   */
  public record Kubeconfig(Path file, @Nullable String context) implements Access {}

  /**
   * A Pod's service account.
   *
   * @param directory with {@code token} and {@code ca.crt}; the token is read anew for each request
   * @param server the address given to Pods, which is normally the cluster IP of the Service {@code
   *     kubernetes}. The agent must not depend on that: it is what makes it work
   */
  public record ServiceAccount(Path directory, URI server) implements Access {}

  /** No credentials: an API server or a proxy that wants none. Needs {@code apiServers}. */
  public record Anonymous() implements Access {}

  public ClusterSettings {
    apiServers = List.copyOf(apiServers);
    for (URI server : apiServers) {
      requireServer(server);
    }
    if (access instanceof Anonymous && apiServers.isEmpty()) {
      throw new IllegalArgumentException("no API server is given");
    }
  }

  private static void requireServer(URI server) {
    String scheme = server.getScheme() == null ? "" : server.getScheme().toLowerCase(Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new IllegalArgumentException(
          "API server \"" + server + "\" is no URL; wanted is https://HOST:PORT");
    }
    if (server.getHost() == null) {
      throw new IllegalArgumentException("API server \"" + server + "\" names no host");
    }
    if (server.getRawQuery() != null || server.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "API server \"" + server + "\" has a query; wanted is https://HOST:PORT");
    }
  }
}
