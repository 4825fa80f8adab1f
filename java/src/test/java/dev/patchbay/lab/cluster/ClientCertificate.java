// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.nio.file.Path;

/**
 * A certificate and its key, in PEM files.
 *
 * @param certificate the file with the certificate
 * @param key the file with the private key, PKCS #8
 */
public record ClientCertificate(Path certificate, Path key) {}
