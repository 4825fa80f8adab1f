// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What an agent may do in a cluster: exactly what the manifests that users apply allow, so that
 * each test of an agent is a test of them too.
 */
public final class AgentAccess {
  private static final String NAMESPACE = "kube-system";
  private static final String SERVICE_ACCOUNT = "patchbay";
  private static final Duration VALIDITY = Duration.ofHours(24);

  private AgentAccess() {}

  /** Applies the manifests, and gives a kubeconfig with a token of their ServiceAccount. */
  public static Path kubeconfig(Cluster cluster) {
    Path base =
        Path.of(System.getProperty("patchbay.root", ".."), "java/src/main/kubernetes/base")
            .toAbsolutePath()
            .normalize();
    try {
      // The API server makes the namespace, a moment after it is ready.
      Eventually.soon(
          () -> cluster.kubectl("get", "namespace", NAMESPACE, "--output=name").orFail());
      cluster.apply(Files.readString(base.resolve("service-account.yaml")));
      cluster.apply(Files.readString(base.resolve("rbac.yaml")));
      String token = cluster.token(NAMESPACE, SERVICE_ACCOUNT, VALIDITY);
      Path file = cluster.place().node().lab().newDirectory("agent-access").resolve("token");
      Files.writeString(file, token);
      return cluster.kubeconfig(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
