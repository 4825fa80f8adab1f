// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import io.fabric8.kubernetes.api.model.NamedAuthInfo;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a connection is made with, as read from files at one moment.
 *
 * @param config for the client of fabric8
 * @param server where the files say that the API is; null if they do not
 * @param files all files that it was made from, tokens aside: those are read for each request
 * @param state what those files were
 */
record Credentials(Config config, @Nullable URI server, List<Path> files, List<FileState> state) {

  /** What a file was: another file, or one written again, differs. All zero if there is none. */
  record FileState(Object identity, long modifiedMillis, long size) {
    static FileState of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        Object identity = attributes.fileKey();
        return new FileState(
            identity == null ? "" : identity,
            attributes.lastModifiedTime().toMillis(),
            attributes.size());
      } catch (IOException _) {
        return new FileState("", 0, 0);
      }
    }
  }

  /**
   * Reads the files.
   *
   * @throws IOException if they cannot be used; the message names the file
   */
  static Credentials read(ClusterSettings.Access access) throws IOException {
    return switch (access) {
      case ClusterSettings.Kubeconfig kubeconfig -> kubeconfig(kubeconfig);
      case ClusterSettings.ServiceAccount account -> serviceAccount(account);
      case ClusterSettings.Anonymous _ -> of(Config.empty(), null, List.of());
    };
  }

  /** Whether a file differs from what was read. */
  boolean isStale() {
    return !state.equals(states(files));
  }

  private static List<FileState> states(List<Path> files) {
    return files.stream().map(FileState::of).toList();
  }

  private static Credentials of(Config config, @Nullable URI server, List<Path> files) {
    config.setHttp2Disable(true);
    config.setRequestRetryBackoffLimit(0);
    config.setUserAgent("patchbay");
    return new Credentials(config, server, files, states(files));
  }

  private static Credentials serviceAccount(ClusterSettings.ServiceAccount account)
      throws IOException {
    Path token = account.directory().resolve("token");
    Path authority = account.directory().resolve("ca.crt");
    readToken(token);
    requireReadable(authority);
    Config config = Config.empty();
    config.setMasterUrl(account.server().toString());
    config.setCaCertFile(authority.toString());
    config.setOauthTokenProvider(() -> tokenNow(token));
    return of(config, account.server(), List.of(authority));
  }

  private static Credentials kubeconfig(ClusterSettings.Kubeconfig kubeconfig) throws IOException {
    Path file = kubeconfig.file().toAbsolutePath();
    requireReadable(file);
    Config config;
    try {
      config = Config.fromKubeconfig(kubeconfig.context(), file.toFile());
    } catch (RuntimeException e) {
      throw new IOException("kubeconfig " + file + ": " + Failures.describe(e), e);
    }
    if (config.getCurrentContext() == null) {
      throw new IOException(
          "kubeconfig "
              + file
              + ": "
              + (kubeconfig.context() == null
                  ? "current-context names no context of it"
                  : "has no context \"" + kubeconfig.context() + "\""));
    }
    TreeSet<Path> files = new TreeSet<>();
    files.add(file);
    for (String named :
        new String[] {
          config.getCaCertFile(), config.getClientCertFile(), config.getClientKeyFile()
        }) {
      if (named != null && !named.isEmpty()) {
        requireReadable(Path.of(named));
        files.add(Path.of(named));
      }
    }
    Path token = tokenFile(file, config);
    if (token != null) {
      readToken(token);
      config.setOauthTokenProvider(() -> tokenNow(token));
    }
    if (config.getTlsServerName() != null) {
      throw new IOException(
          "kubeconfig "
              + file
              + ": tls-server-name is not supported; give a server name that is in the server's"
              + " certificate");
    }
    return of(config, URI.create(config.getMasterUrl()), new ArrayList<>(files));
  }

  /** {@code tokenFile} of the user, which fabric8 does not read; null if there is none. */
  private static @Nullable Path tokenFile(Path kubeconfig, Config config) throws IOException {
    String user = config.getCurrentContext().getContext().getUser();
    io.fabric8.kubernetes.api.model.Config parsed;
    try {
      parsed =
          Serialization.unmarshal(
              Files.readString(kubeconfig), io.fabric8.kubernetes.api.model.Config.class);
    } catch (KubernetesClientException e) {
      throw new IOException("kubeconfig " + kubeconfig + ": " + Failures.describe(e), e);
    }
    for (NamedAuthInfo named : parsed.getUsers()) {
      if (named.getName().equals(user) && named.getUser() != null) {
        String file = named.getUser().getTokenFile();
        return file == null || file.isEmpty() ? null : kubeconfig.resolveSibling(file);
      }
    }
    return null;
  }

  private static void requireReadable(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      throw new IOException("cannot read " + file);
    }
  }

  private static String readToken(Path file) throws IOException {
    requireReadable(file);
    String token = Files.readString(file).strip();
    if (token.isEmpty()) {
      throw new IOException("no token in " + file);
    }
    return token;
  }

  private static String tokenNow(Path file) {
    try {
      return readToken(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }
}
