// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.metrics.SourceFigures;
import dev.patchbay.kube.ClusterHealth;
import dev.patchbay.kube.ClusterSettings;
import dev.patchbay.kube.ClusterSource;
import dev.patchbay.kube.KubernetesEvent;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.function.Consumer;

/** A cluster as the agent's source. */
final class ClusterFeed implements Source {
  /** Where a Pod finds its token and the certificate authority. */
  private static final Path SERVICE_ACCOUNT =
      Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  private final ClusterSource cluster;

  private ClusterFeed(ClusterSource cluster) {
    this.cluster = cluster;
  }

  /**
   * Reads the credentials; connects to nothing yet.
   *
   * @throws UserError if there are none, or they cannot be used
   */
  static ClusterFeed open(AgentConfig.SourceSettings.Cluster settings, String nodeName)
      throws UserError {
    ClusterSettings.Access access =
        settings.kubeconfig() == null
            ? serviceAccount(System.getenv())
            : new ClusterSettings.Kubeconfig(settings.kubeconfig(), null);
    try {
      return new ClusterFeed(
          new ClusterSource(new ClusterSettings(nodeName, access, settings.apiServers())));
    } catch (IOException e) {
      throw new UserError(
          "cannot use the credentials for the cluster",
          e.getMessage(),
          "give a kubeconfig file with --kubeconfig");
    } catch (IllegalArgumentException e) {
      throw new UserError("cannot reach the cluster", e.getMessage(), "");
    }
  }

  private static ClusterSettings.Access serviceAccount(Map<String, String> environment)
      throws UserError {
    String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "");
    String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443");
    if (host.isEmpty() || !Files.isReadable(SERVICE_ACCOUNT.resolve("token"))) {
      throw UserError.usage(
          "cannot run",
          "no source of Services is given, and this is no Pod of a cluster: "
              + (host.isEmpty()
                  ? "KUBERNETES_SERVICE_HOST is not set"
                  : "there is no token in " + SERVICE_ACCOUNT),
          "use --manifests DIR or --kubeconfig FILE");
    }
    boolean bare = IpAddress.parse(host).filter(ip -> ip.family() == IpFamily.IPV6).isPresent();
    return new ClusterSettings.ServiceAccount(
        SERVICE_ACCOUNT, URI.create("https://" + (bare ? "[" + host + "]" : host) + ":" + port));
  }

  @Override
  public SourceUpdate load() throws InterruptedException {
    return cluster.load();
  }

  @Override
  public void watch(Consumer<SourceUpdate> to) {
    cluster.watch(to::accept);
  }

  @Override
  public String name() {
    return cluster.health().server();
  }

  @Override
  public Map.Entry<String, Object> extent() {
    return Map.entry("api", name());
  }

  @Override
  public String trouble() {
    ClusterHealth health = cluster.health();
    return health.connected()
        ? ""
        : "no connection to the API server "
            + health.server()
            + since(health.since())
            + ": "
            + health.reason();
  }

  @Override
  public SourceFigures figures() {
    ClusterHealth health = cluster.health();
    return new SourceFigures(health.connected(), health.resources(), cluster.requests());
  }

  private static String since(Instant when) {
    return when.equals(Instant.EPOCH) ? "" : " since " + when;
  }

  @Override
  public Notices notices() {
    return new Notices() {
      @Override
      public void warn(ObjectKey service, String reason, String message) {
        cluster.events().write(new KubernetesEvent(service, true, reason, message, false));
      }

      @Override
      public void warnOfNode(ObjectKey service, String reason, String message) {
        cluster.events().write(new KubernetesEvent(service, true, reason, message, true));
      }
    };
  }

  @Override
  public void close() {
    cluster.close();
  }
}
