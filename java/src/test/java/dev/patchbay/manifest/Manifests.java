// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.ServiceState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Manifests in a directory, and shorthands for what comes out of them. */
final class Manifests {
  static final String KUBIA =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: kubia
      spec:
        ports:
        - port: 80
          targetPort: 8080
        selector:
          app: kubia
      """;

  private final Path directory;
  private final Path state;

  Manifests(Path root) {
    this.directory = root.resolve("manifests");
    this.state = root.resolve("state");
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  Path directory() {
    return directory;
  }

  Path state() {
    return state;
  }

  Manifests write(String file, String... documents) {
    try {
      Files.writeString(directory.resolve(file), String.join("---\n", documents));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return this;
  }

  Manifests delete(String file) {
    try {
      Files.delete(directory.resolve(file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return this;
  }

  ManifestSettings settings(String... ranges) {
    List<Cidr> cidrs = new ArrayList<>();
    for (String range : ranges) {
      cidrs.add(Cidr.parse(range).orElseThrow());
    }
    return new ManifestSettings(
        directory,
        state,
        cidrs.isEmpty() ? ManifestSettings.DEFAULT_SERVICE_CIDRS : cidrs,
        PortRange.DEFAULT_NODE_PORTS);
  }

  ManifestSource source() {
    return new ManifestSource(settings());
  }

  /** Loads once, with the default ranges or with others. */
  Told load(String... ranges) {
    try (ManifestSource source = new ManifestSource(settings(ranges))) {
      return Told.NOTHING.then(source.load());
    } catch (ManifestDirectoryException e) {
      throw new AssertionError(e);
    }
  }

  static ServiceState state(Told loaded, String name) {
    ServiceState state = loaded.snapshot().services().get(key(name));
    if (state == null) {
      throw new AssertionError(
          "no Service " + name + " but " + loaded.snapshot() + "\n" + problems(loaded));
    }
    return state;
  }

  static List<String> clusterIps(Told loaded, String name) {
    return state(loaded, name).service().clusterIps().stream().map(IpAddress::toString).toList();
  }

  /**
   * Each endpoint as {@code address name=port,...}, with its conditions if it is not just ready.
   */
  static List<String> endpoints(Told loaded, String name) {
    List<String> all = new ArrayList<>();
    for (EndpointSlice slice : state(loaded, name).slices()) {
      String ports =
          String.join(
              ",",
              slice.ports().stream()
                  .map(p -> p.name() + "=" + p.port() + "/" + p.protocol())
                  .toList());
      slice
          .endpoints()
          .forEach(
              e ->
                  all.add(
                      e.address()
                          + " "
                          + ports
                          + (e.ready() ? "" : " unready")
                          + (e.serving() == e.ready() ? "" : e.serving() ? " serving" : " mute")
                          + (e.terminating() ? " terminating" : "")));
    }
    return all;
  }

  static ObjectKey key(String name) {
    int slash = name.indexOf('/');
    return slash < 0
        ? new ObjectKey("default", name)
        : new ObjectKey(name.substring(0, slash), name.substring(slash + 1));
  }

  static List<String> problems(Told loaded) {
    return loaded.snapshot().problems().stream().map(p -> p.severity() + " " + p).toList();
  }

  static List<Problem> problems(Told loaded, Severity severity) {
    return loaded.snapshot().problems().stream().filter(p -> p.severity() == severity).toList();
  }

  /** A Service with a port and a selector. */
  static String service(String name, String... specLines) {
    StringBuilder text =
        new StringBuilder(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: " + name + "\nspec:\n");
    for (String line : specLines) {
      text.append("  ").append(line).append('\n');
    }
    return text.toString();
  }

  /** A Pod with label {@code app}, an address and a container port 8080 that is called http. */
  static String pod(String name, String app, String ip) {
    return """
        apiVersion: v1
        kind: Pod
        metadata:
          name: %s
          labels:
            app: %s
        spec:
          nodeName: node-1
          containers:
          - name: main
            ports:
            - name: http
              containerPort: 8080
        status:
          podIP: %s
        """
        .formatted(name, app, ip);
  }

  /** A slice of a Service with one unnamed TCP port. */
  static String slice(String name, String service, String family, String... addresses) {
    StringBuilder text =
        new StringBuilder(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: %s
              labels:
                kubernetes.io/service-name: %s
            addressType: %s
            ports:
            - port: 8080
            endpoints:
            """
                .formatted(name, service, family));
    for (String address : addresses) {
      text.append("- addresses: [\"").append(address).append("\"]\n");
    }
    return text.toString();
  }
}
