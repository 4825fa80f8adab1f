// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.util.ArrayList;
import java.util.List;

/** Texts of manifests for what runs in a lab. */
public final class Manifest {
  private Manifest() {}

  /** Several documents in one. */
  public static String of(Object... documents) {
    StringBuilder text = new StringBuilder();
    for (Object document : documents) {
      text.append("---\n").append(document);
    }
    return text.toString();
  }

  /** A Pod of the lab, ready. */
  public static PodManifest pod(Pod pod) {
    return new PodManifest(pod.name(), pod.node().name(), List.of(pod.ipv4(), pod.ipv6()));
  }

  /** Pods of the lab with one label, all of them ready. */
  public static String pods(String label, List<Pod> pods) {
    return of(pods.stream().map(pod -> pod(pod).label(label)).toArray());
  }

  /**
   * A dual-stack Service with the cluster IPs {@link Family#service} of a number.
   *
   * @param label its selector, {@code key: value}
   * @param ports as YAML flow mappings, for example {@code {port: 80, targetPort: 8080}}
   */
  public static String service(String name, int number, String label, String... ports) {
    StringBuilder text =
        new StringBuilder(
            """
            apiVersion: v1
            kind: Service
            metadata:
              name: %s
            spec:
              clusterIP: %s
              clusterIPs: ["%s", "%s"]
              ipFamilyPolicy: RequireDualStack
              selector: {%s}
              ports:
            """
                .formatted(
                    name,
                    Family.IPV4.service(number),
                    Family.IPV4.service(number),
                    Family.IPV6.service(number),
                    label));
    for (String port : ports) {
      text.append("  - ").append(port).append('\n');
    }
    return text.toString();
  }

  /** A Service of the lab's usual servers: 80 HTTP, 90 banner, 70 echo, 50 UDP. */
  public static String serverService(String name, int number, String label) {
    return service(
        name,
        number,
        label,
        "{name: http, port: 80, targetPort: 8080}",
        "{name: banner, port: 90, targetPort: 9000}",
        "{name: echo, port: 70, targetPort: 7000}",
        "{name: udp, port: 50, targetPort: 5000, protocol: UDP}");
  }

  /** A Pod that is put together step by step; its text is {@link #toString()}. */
  public static final class PodManifest {
    private final String name;
    private final String node;
    private final List<String> addresses;
    private final List<String> labels = new ArrayList<>();
    private final List<String> ports = new ArrayList<>();
    private boolean ready = true;
    private boolean terminating;
    private boolean hostNetwork;

    private PodManifest(String name, String node, List<String> addresses) {
      this.name = name;
      this.node = node;
      this.addresses = addresses;
    }

    /** Adds a label, {@code key: value}. */
    public PodManifest label(String label) {
      labels.add(label);
      return this;
    }

    /** Adds a named container port. */
    public PodManifest port(String portName, int port) {
      ports.add("{name: %s, containerPort: %d}".formatted(portName, port));
      return this;
    }

    /** Makes it fail its readiness probe. */
    public PodManifest notReady() {
      ready = false;
      return this;
    }

    /** Makes it terminate. */
    public PodManifest terminating() {
      terminating = true;
      return this;
    }

    /** Puts it into its node's network. */
    public PodManifest hostNetwork() {
      hostNetwork = true;
      return this;
    }

    @Override
    public String toString() {
      return """
      apiVersion: v1
      kind: Pod
      metadata:
        name: %s
        labels: {%s}%s
      spec:
        nodeName: %s%s
        containers:
        - name: main
          image: server
          ports: [%s]
      status:
        phase: Running
        podIP: "%s"
        podIPs: [%s]
        conditions:
        - {type: Ready, status: "%s"}
      """
          .formatted(
              name,
              String.join(", ", labels),
              terminating ? "\n  deletionTimestamp: \"2026-01-01T00:00:00Z\"" : "",
              node,
              hostNetwork ? "\n  hostNetwork: true" : "",
              String.join(", ", ports),
              addresses.getFirst(),
              String.join(", ", addresses.stream().map("{ip: \"%s\"}"::formatted).toList()),
              ready ? "True" : "False");
    }
  }
}
