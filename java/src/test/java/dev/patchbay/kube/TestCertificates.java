// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate authority of a test's own, made with the JDK's keytool. */
final class TestCertificates {
  private static final String PASSWORD = "changeit";

  private final Path directory;

  private TestCertificates(Path directory) {
    this.directory = directory;
  }

  static TestCertificates create(Path directory) throws IOException, InterruptedException {
    TestCertificates made = new TestCertificates(Files.createTempDirectory(directory, "pki"));
    made.keytool("-genkeypair", "-alias", "ca", "-dname", "CN=authority", "-ext", "bc:c");
    return made;
  }

  /** The authority's certificate, as PEM. */
  String authority() throws IOException, GeneralSecurityException {
    return pem("CERTIFICATE", store().getCertificate("ca").getEncoded());
  }

  /** For a server at 127.0.0.1 that accepts clients of the authority only. */
  SSLContext server() throws IOException, InterruptedException, GeneralSecurityException {
    issue("server", "-ext", "san=ip:127.0.0.1");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry(
        "server",
        store().getKey("server", PASSWORD.toCharArray()),
        PASSWORD.toCharArray(),
        new Certificate[] {store().getCertificate("server")});
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, PASSWORD.toCharArray());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", store().getCertificate("ca"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  /** Writes {@code client.key} and then {@code client.crt} of a new client. */
  void writeClient(String name, Path into)
      throws IOException, InterruptedException, GeneralSecurityException {
    issue(name);
    replace(
        into.resolve("client.key"),
        pem("PRIVATE KEY", store().getKey(name, PASSWORD.toCharArray()).getEncoded()));
    replace(
        into.resolve("client.crt"), pem("CERTIFICATE", store().getCertificate(name).getEncoded()));
  }

  private static void replace(Path file, String text) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(fresh, text);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private void issue(String name, String... extensions) throws IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of("-genkeypair", "-alias", name, "-dname", "CN=" + name, "-signer", "ca"));
    arguments.addAll(List.of(extensions));
    keytool(arguments.toArray(String[]::new));
  }

  private void keytool(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(
        List.of(
            "-keystore", directory.resolve("keys.p12").toString(),
            "-storetype", "PKCS12",
            "-storepass", PASSWORD,
            "-keyalg", "EC",
            "-groupname", "secp256r1",
            "-validity", "2"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("keytool: " + Files.readString(directory.resolve("log")));
    }
  }

  private KeyStore store() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(directory.resolve("keys.p12"))) {
      store.load(in, PASSWORD.toCharArray());
    }
    return store;
  }

  private static String pem(String label, byte[] der) {
    return "-----BEGIN "
        + label
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END "
        + label
        + "-----\n";
  }
}
