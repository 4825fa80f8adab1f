// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import io.fabric8.kubernetes.api.model.AuthInfo;
import io.fabric8.kubernetes.api.model.Context;
import io.fabric8.kubernetes.api.model.NamedAuthInfo;
import io.fabric8.kubernetes.api.model.NamedContext;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
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
    AuthInfo user;
    try {
      user = user(file, kubeconfig.context());
      config = Config.fromKubeconfig(kubeconfig.context(), file.toFile());
    } catch (RuntimeException e) {
      throw new IOException("kubeconfig " + file + ": " + Failures.describe(e), e);
    }
    if (config.getTlsServerName() != null) {
      throw new IOException(
          "kubeconfig "
              + file
              + ": tls-server-name is not supported; give a server name that is in the server's"
              + " certificate");
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
    String algorithm = keyAlgorithm(config);
    if (algorithm != null) {
      config.setClientKeyAlgo(algorithm);
    }
    String tokenFile = user.getTokenFile(); // which fabric8 does not read
    if (tokenFile != null && !tokenFile.isEmpty()) {
      Path token = file.resolveSibling(tokenFile);
      readToken(token);
      config.setOauthTokenProvider(() -> tokenNow(token));
    }
    return of(config, URI.create(config.getMasterUrl()), new ArrayList<>(files));
  }

  /**
   * The kind of key that the client certificate is for; null without one. A key file in PKCS #8
   * does not say so in its first line, where fabric8 looks, and takes it for RSA.
   */
  private static @Nullable String keyAlgorithm(Config config) throws IOException {
    String file = config.getClientCertFile();
    String data = config.getClientCertData();
    boolean inFile = file != null && !file.isEmpty();
    if (!inFile && (data == null || data.isEmpty())) {
      return null;
    }
    String what = inFile ? "client certificate " + file : "client-certificate-data";
    try {
      byte[] pem = inFile ? Files.readAllBytes(Path.of(file)) : Base64.getDecoder().decode(data);
      return CertificateFactory.getInstance("X.509")
          .generateCertificate(new ByteArrayInputStream(pem))
          .getPublicKey()
          .getAlgorithm();
    } catch (CertificateException | IllegalArgumentException e) {
      throw new IOException(what + ": " + Failures.describe(e), e);
    }
  }

  /**
   * The user of a context. Where a name leads nowhere fabric8 takes something else, or nothing, so
   * that is looked for here.
   *
   * @param context null for the current one
   */
  private static AuthInfo user(Path file, @Nullable String context) throws IOException {
    io.fabric8.kubernetes.api.model.Config parsed =
        Serialization.unmarshal(
            Files.readString(file), io.fabric8.kubernetes.api.model.Config.class);
    String wanted = context == null ? parsed.getCurrentContext() : context;
    if (wanted == null || wanted.isEmpty()) {
      throw new IOException("kubeconfig " + file + ": current-context is missing");
    }
    Context found =
        parsed.getContexts().stream()
            .filter(c -> wanted.equals(c.getName()) && c.getContext() != null)
            .map(NamedContext::getContext)
            .findFirst()
            .orElseThrow(() -> missing(file, "context", wanted));
    boolean server =
        parsed.getClusters().stream()
            .anyMatch(
                c ->
                    c.getName().equals(found.getCluster())
                        && c.getCluster() != null
                        && c.getCluster().getServer() != null);
    if (!server) {
      throw missing(file, "cluster with a server", String.valueOf(found.getCluster()));
    }
    return parsed.getUsers().stream()
        .filter(u -> u.getName().equals(found.getUser()) && u.getUser() != null)
        .map(NamedAuthInfo::getUser)
        .findFirst()
        .orElseThrow(() -> missing(file, "user", String.valueOf(found.getUser())));
  }

  private static IOException missing(Path file, String what, String name) {
    return new IOException("kubeconfig " + file + " has no " + what + " \"" + name + "\"");
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
