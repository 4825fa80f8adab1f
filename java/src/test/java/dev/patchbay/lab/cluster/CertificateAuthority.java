// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** The certificate authority of a cluster, in a directory of the lab. Thread-safe. */
final class CertificateAuthority {
  private static final DateTimeFormatter ASN1_TIME =
      DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final Path directory;
  private final AtomicInteger serial = new AtomicInteger();

  private CertificateAuthority(Path directory) {
    this.directory = directory;
  }

  static CertificateAuthority create(Path directory) {
    CertificateAuthority authority = new CertificateAuthority(directory);
    Commands.run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        authority.key().toString(),
        "-out",
        authority.certificate().toString(),
        "-subj",
        "/CN=lab",
        "-days",
        "2");
    return authority;
  }

  /** The file with its certificate. */
  Path certificate() {
    return directory.resolve("ca.crt");
  }

  private Path key() {
    return directory.resolve("ca.key");
  }

  /**
   * Issues a certificate that is valid for the names, as a client, and, if there are names, as a
   * server.
   *
   * @param subject such as {@code /O=group/CN=user}
   * @param names such as {@code DNS:localhost} and {@code IP:127.0.0.1}
   * @param validity to the second; from a minute ago, so that clocks do not matter
   */
  ClientCertificate issue(String subject, List<String> names, Duration validity) {
    int number = serial.incrementAndGet();
    Path request = directory.resolve(number + ".csr");
    Path certificate = directory.resolve(number + ".crt");
    Path key = directory.resolve(number + ".key");
    Path settings = directory.resolve(number + ".cnf");
    Instant now = Instant.now();
    try {
      Files.writeString(directory.resolve(number + ".txt"), "");
      Files.writeString(
          settings,
          """
          [ca]
          default_ca = lab
          [lab]
          database = %1$s/%2$d.txt
          new_certs_dir = %1$s
          rand_serial = yes
          default_md = sha256
          policy = anything
          x509_extensions = usage
          unique_subject = no
          [anything]
          organizationName = optional
          commonName = supplied
          [usage]
          extendedKeyUsage = clientAuth, serverAuth
          %3$s
          """
              .formatted(
                  directory,
                  number,
                  names.isEmpty() ? "" : "subjectAltName = " + String.join(",", names)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Commands.run(
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        key.toString(),
        "-out",
        request.toString(),
        "-subj",
        subject);
    Commands.run(
        "openssl",
        "ca",
        "-batch",
        "-notext",
        "-config",
        settings.toString(),
        "-cert",
        certificate().toString(),
        "-keyfile",
        key().toString(),
        "-in",
        request.toString(),
        "-out",
        certificate.toString(),
        "-startdate",
        ASN1_TIME.format(now.minusSeconds(60)),
        "-enddate",
        ASN1_TIME.format(now.plus(validity)));
    return new ClientCertificate(certificate, key);
  }
}
