// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A cluster: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, in a namespace of
 * their own on the bridge of a lab. Nodes of the lab reach the API server at {@link #server()};
 * tests, which are outside, through {@link #api()}.
 *
 * <p>Nodes exist when a {@link Kubelet} plays them. The API server authorizes by RBAC and writes an
 * audit log. It is closed with its lab. Methods that start and stop processes are for one thread,
 * the others for any.
 */
public final class Cluster implements AutoCloseable {
  /** Address of the Service {@code kubernetes}. */
  public static final String KUBERNETES = Family.IPV4.service(1);

  private static final int PORT = 6443;
  private static final int OTHER_PORT = 6444;
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(30);
  private static final Duration LONG = Duration.ofHours(24);
  private static final String ISSUER = "https://kubernetes.default.svc";

  /** Memory is cheaper here than time. */
  static final String LESS_COLLECTION = "GOGC=400";

  /** What tests need; the others would cost time, or want a cloud or a kubelet. */
  private static final String CONTROLLERS =
      String.join(
          ",",
          "endpoints-controller",
          "endpointslice-controller",
          "endpointslice-mirroring-controller",
          "deployment-controller",
          "replicaset-controller",
          "replicationcontroller-controller",
          "statefulset-controller",
          "daemonset-controller",
          "namespace-controller",
          "serviceaccount-controller",
          "root-ca-certificate-publisher-controller",
          "garbage-collector-controller");

  private final Path programs;
  private final Path directory;
  private final Pod place;
  private final CertificateAuthority authority;
  private final KeyPair tokenKeys;
  private final Tunnel apiTunnel;
  private final Tunnel otherTunnel;
  private final Etcd etcd;
  private final ApiClient admin;
  private final ApiClient otherAdmin;
  private final Path adminConfig;
  private final AtomicInteger files = new AtomicInteger();
  private final List<ApiClient> clients = new ArrayList<>();
  private Optional<Daemon> apiServer = Optional.empty();
  private Optional<Daemon> otherApiServer = Optional.empty();
  private Optional<Daemon> controllers = Optional.empty();
  private Optional<Daemon> scheduler = Optional.empty();

  private Cluster(Lab lab) {
    programs = programs();
    directory = lab.newDirectory("cluster");
    place = lab.addNode("control-plane").host();
    authority = CertificateAuthority.create(directory);
    tokenKeys = keyPair();
    write("tokens.pub", pem("PUBLIC KEY", tokenKeys.getPublic().getEncoded()));
    write("tokens.key", pem("PRIVATE KEY", tokenKeys.getPrivate().getEncoded()));
    write(
        "audit.yaml",
        """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        omitStages: [RequestReceived]
        rules: [{level: Metadata}]
        """);
    apiTunnel = new Tunnel(place.namespace(), PORT);
    otherTunnel = new Tunnel(place.namespace(), OTHER_PORT);
    etcd = new Etcd(place, directory.resolve("etcd"));
    ClientCertificate certificate = issue("admin", LONG, "system:masters");
    admin = ApiClient.withCertificate(tunnelled(), authority.certificate(), certificate);
    otherAdmin =
        ApiClient.withCertificate(loopback(otherTunnel), authority.certificate(), certificate);
    adminConfig = kubeconfig(certificate);
    lab.onClose(this::close);
    lab.onFailure(this::logs);
  }

  /**
   * Starts everything, and waits until the API server is ready; the controllers may take longer.
   */
  public static Cluster start(Lab lab) {
    Cluster cluster = startApiServer(lab);
    cluster.startControllers();
    cluster.startScheduler();
    return cluster;
  }

  /** Starts the API server and its store only: what a test writes stays as it is. */
  public static Cluster startApiServer(Lab lab) {
    Cluster cluster = new Cluster(lab);
    cluster.startEtcd();
    cluster.startApiServer();
    return cluster;
  }

  /** The directory with the programs. */
  static Path programs() {
    Path root = Path.of(System.getProperty("patchbay.root", "..")).toAbsolutePath().normalize();
    return Path.of(Commands.run(root.resolve(".ci/cluster").toString(), "--find").out().strip());
  }

  // --- Clients ----------------------------------------------------------------------------------

  /** Where the API server is, for processes in the lab. */
  public URI server() {
    return URI.create("https://" + Family.hostPort(place.ipv4(), PORT));
  }

  /** Where the API server is, for this process. */
  public URI tunnelled() {
    return loopback(apiTunnel);
  }

  private static URI loopback(Tunnel tunnel) {
    return URI.create("https://127.0.0.1:" + tunnel.port());
  }

  /** The file with the certificate of the authority that signs everything. */
  public Path authority() {
    return authority.certificate();
  }

  /** A client that may do everything. */
  public ApiClient api() {
    return admin;
  }

  /** A client with a certificate. */
  public ApiClient api(ClientCertificate certificate) {
    return remember(ApiClient.withCertificate(tunnelled(), authority.certificate(), certificate));
  }

  /** A client with a token. */
  public ApiClient api(String token) {
    return remember(ApiClient.withToken(tunnelled(), authority.certificate(), token));
  }

  private synchronized ApiClient remember(ApiClient client) {
    clients.add(client);
    return client;
  }

  /** Runs kubectl as a user who may do everything. */
  public Result kubectl(String... arguments) {
    return place.exec(kubectlCommand(adminConfig, arguments));
  }

  /** Runs kubectl with a kubeconfig. */
  public Result kubectl(Path kubeconfig, String... arguments) {
    return place.exec(kubectlCommand(kubeconfig, arguments));
  }

  /** {@code kubectl apply}; has to succeed. */
  public void apply(String yaml) {
    place.feed(yaml, kubectlCommand(adminConfig, "apply", "-f", "-")).orFail();
  }

  /** {@code kubectl delete}, and waits until it is gone; has to succeed. */
  public void delete(String yaml) {
    place.feed(yaml, kubectlCommand(adminConfig, "delete", "-f", "-")).orFail();
  }

  private String[] kubectlCommand(Path kubeconfig, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "kubectl",
                "--kubeconfig=" + kubeconfig,
                "--cache-dir=" + directory.resolve("kubectl")));
    command.addAll(List.of(arguments));
    return command.toArray(String[]::new);
  }

  // --- Credentials ------------------------------------------------------------------------------

  /** Issues a client certificate; validity to the second. */
  public ClientCertificate issue(String user, Duration validity, String... groups) {
    StringBuilder subject = new StringBuilder();
    Stream.of(groups).forEach(group -> subject.append("/O=").append(group));
    return authority.issue(subject + "/CN=" + user, List.of(), validity);
  }

  /** A new kubeconfig file with a new certificate of a user. */
  public Path kubeconfig(String user, String... groups) {
    return kubeconfig(issue(user, LONG, groups));
  }

  /** A new kubeconfig file that names the files of a certificate. */
  public Path kubeconfig(ClientCertificate certificate) {
    return kubeconfig(
        Map.of(
            "client-certificate", certificate.certificate().toString(),
            "client-key", certificate.key().toString()));
  }

  /** A new kubeconfig file that names a file with a token. */
  public Path kubeconfig(Path tokenFile) {
    return kubeconfig(Map.of("tokenFile", tokenFile.toString()));
  }

  private Path kubeconfig(Map<String, String> user) {
    return write(
        "kubeconfig-" + files.incrementAndGet(),
        Json.write(
            Map.of(
                "apiVersion",
                "v1",
                "kind",
                "Config",
                "clusters",
                List.of(
                    Map.of(
                        "name",
                        "lab",
                        "cluster",
                        Map.of(
                            "server",
                            server().toString(),
                            "certificate-authority",
                            authority.certificate().toString()))),
                "users",
                List.of(Map.of("name", "user", "user", user)),
                "contexts",
                List.of(Map.of("name", "lab", "context", Map.of("cluster", "lab", "user", "user"))),
                "current-context",
                "lab")));
  }

  /**
   * A token of a ServiceAccount from the TokenRequest API.
   *
   * @param validity at least ten minutes
   */
  public String token(String namespace, String serviceAccount, Duration validity) {
    return admin
        .post(
            ApiPath.of("v1", "serviceaccounts", namespace) + "/" + serviceAccount + "/token",
            Map.of(
                "apiVersion",
                "authentication.k8s.io/v1",
                "kind",
                "TokenRequest",
                "spec",
                Map.of("expirationSeconds", validity.toSeconds())))
        .get("status")
        .get("token")
        .text();
  }

  /**
   * A token of a ServiceAccount like those of {@link #token}, but signed here, so that it may
   * expire sooner than the API server would let it. The API server remembers for ten seconds that
   * it has accepted a token.
   */
  public String shortToken(String namespace, String serviceAccount, Duration validity) {
    String uid =
        admin
            .get(ApiPath.of("v1", "serviceaccounts", namespace) + "/" + serviceAccount)
            .get("metadata")
            .get("uid")
            .text();
    long now = Instant.now().getEpochSecond();
    long leeway = 60; // for which the API server takes a token longer than that says
    String claims =
        Json.write(
            Map.of(
                "iss",
                ISSUER,
                "aud",
                List.of(ISSUER),
                "sub",
                "system:serviceaccount:" + namespace + ":" + serviceAccount,
                "iat",
                now - 2 * leeway,
                "nbf",
                now - 2 * leeway,
                "exp",
                now - leeway + validity.toSeconds(),
                "kubernetes.io",
                Map.of(
                    "namespace",
                    namespace,
                    "serviceaccount",
                    Map.of("name", serviceAccount, "uid", uid))));
    Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
    String signed =
        encoder.encodeToString("{\"alg\":\"RS256\"}".getBytes(StandardCharsets.UTF_8))
            + "."
            + encoder.encodeToString(claims.getBytes(StandardCharsets.UTF_8));
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(tokenKeys.getPrivate());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + encoder.encodeToString(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Writes many Services and EndpointSlices past the API server, which sees them as if they had
   * been created; in a small part of the time. Each Service has to have its {@code clusterIP}, and
   * nobody checks anything: what the API server would refuse must not be written.
   */
  public void store(Collection<?> objects) {
    etcd.put(objects);
  }

  /** Notes from now on when the store commits changes of an EndpointSlice in {@code default}. */
  public Commits commitsOfSlice(String name) {
    return new Commits(etcd.watch("/registry/endpointslices/default/" + name));
  }

  // --- Faults -----------------------------------------------------------------------------------

  /** Starts etcd and waits until it answers; what it had stored is there again. */
  public void startEtcd() {
    etcd.start();
  }

  /** Kills etcd; with {@code SIGKILL}. */
  public void killEtcd() {
    etcd.process().orElseThrow().kill();
  }

  /** Starts the API server and waits until it is ready. */
  public void startApiServer() {
    apiServer = Optional.of(startApiServer(PORT, auditFile(), admin));
  }

  /**
   * Starts one more API server on the same store, which no kubeconfig names, and waits until it is
   * ready: through it a test changes what the others do not see because their server is away.
   *
   * @return a client of it that may do everything
   */
  public ApiClient startOtherApiServer() {
    Path audit = directory.resolve("audit-other.log");
    otherApiServer = Optional.of(startApiServer(OTHER_PORT, audit, otherAdmin));
    return otherAdmin;
  }

  /** Kills the API server that {@link #startOtherApiServer} started; with {@code SIGKILL}. */
  public void killOtherApiServer() {
    otherApiServer.orElseThrow().kill();
  }

  private Daemon startApiServer(int port, Path audit, ApiClient client) {
    ClientCertificate serving =
        authority.issue(
            "/CN=kube-apiserver",
            List.of(
                "IP:127.0.0.1",
                "IP:" + place.ipv4(),
                "IP:" + place.ipv6(),
                "IP:" + KUBERNETES,
                "DNS:localhost",
                "DNS:kubernetes.default.svc"),
            LONG);
    Daemon started =
        place.start(
            "env",
            LESS_COLLECTION,
            program("kube-apiserver"),
            "--etcd-servers=" + Etcd.url(),
            // Tests say when the past is forgotten.
            "--etcd-compaction-interval=0",
            "--bind-address=::",
            "--secure-port=" + port,
            "--advertise-address=" + place.ipv4(),
            "--cert-dir=" + directory,
            "--tls-cert-file=" + serving.certificate(),
            "--tls-private-key-file=" + serving.key(),
            "--client-ca-file=" + authority.certificate(),
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",
            "--service-account-issuer=" + ISSUER,
            "--service-account-key-file=" + directory.resolve("tokens.pub"),
            "--service-account-signing-key-file=" + directory.resolve("tokens.key"),
            "--service-cluster-ip-range="
                + Family.IPV4.serviceRange()
                + ","
                + Family.IPV6.serviceRange(),
            // No kubelet gives Pods tokens here, and no controller takes Nodes' taints away.
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
            "--enable-priority-and-fairness=false",
            "--max-requests-inflight=1000",
            "--max-mutating-requests-inflight=1000",
            "--shutdown-delay-duration=0s",
            // Does not wait a minute for those who watch.
            "--shutdown-send-retry-after=true",
            "--audit-policy-file=" + directory.resolve("audit.yaml"),
            "--audit-log-path=" + audit,
            "--audit-log-mode=blocking",
            "--audit-log-maxsize=4096",
            "--v=1");
    Eventually.within(
        START,
        () -> {
          if (!started.isAlive()) {
            throw new IllegalStateException("kube-apiserver has ended:\n" + tail(started.err()));
          }
          try {
            client.send("GET", "/readyz", "", null).orFail();
          } catch (UncheckedIOException e) {
            throw new AssertionError("kube-apiserver does not answer:\n" + tail(started.err()), e);
          }
        });
    return started;
  }

  /** Stops the API server, as for a restart. */
  public void stopApiServer() {
    apiServer.orElseThrow().terminate();
    apiServer.orElseThrow().awaitExit(STOP);
  }

  /** Kills the API server; with {@code SIGKILL}. */
  public void killApiServer() {
    apiServer.orElseThrow().kill();
  }

  /** Starts the controllers and does not wait. */
  public void startControllers() {
    controllers =
        Optional.of(
            place.start(
                program("kube-controller-manager"),
                "--kubeconfig=" + adminConfig,
                "--leader-elect=false",
                "--secure-port=0",
                "--controllers=" + CONTROLLERS,
                "--root-ca-file=" + authority.certificate(),
                "--endpointslice-updates-batch-period=0s",
                "--endpoint-updates-batch-period=0s",
                "--concurrent-service-endpoint-syncs=10",
                "--kube-api-qps=2000",
                "--kube-api-burst=4000"));
  }

  /** Kills the controllers; with {@code SIGKILL}. */
  public void killControllers() {
    controllers.orElseThrow().kill();
  }

  /** Starts the scheduler and does not wait. */
  public void startScheduler() {
    scheduler =
        Optional.of(
            place.start(
                program("kube-scheduler"),
                "--kubeconfig=" + adminConfig,
                "--authentication-kubeconfig=" + adminConfig,
                "--authorization-kubeconfig=" + adminConfig,
                "--leader-elect=false",
                "--secure-port=0",
                "--kube-api-qps=1000",
                "--kube-api-burst=2000"));
  }

  /**
   * Makes the store forget all versions but the present one. The API server still serves what its
   * own cache holds; {@link #forgetThePast} empties that too.
   *
   * @return the present revision of the store
   */
  public long compact() {
    return etcd.compact();
  }

  /**
   * Kills the API server, compacts the store, and starts the API server again: whoever watches from
   * before gets {@code 410 Gone}.
   */
  public void forgetThePast() {
    killApiServer();
    compact();
    startApiServer();
  }

  // --- Observation ------------------------------------------------------------------------------

  /** All requests so far, in the order of their answers. */
  public List<AuditEvent> auditLog() {
    try {
      String log = Files.readString(auditFile());
      // The last line may be written right now.
      String whole = log.substring(0, log.lastIndexOf('\n') + 1);
      return whole.lines().map(AuditEvent::parse).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the programs have written last, for people. */
  public String logs() {
    StringBuilder text = new StringBuilder();
    log(text, "etcd", etcd.process());
    log(text, "kube-apiserver", apiServer);
    log(text, "other kube-apiserver", otherApiServer);
    log(text, "kube-controller-manager", controllers);
    log(text, "kube-scheduler", scheduler);
    return text.toString();
  }

  private static void log(StringBuilder text, String name, Optional<Daemon> daemon) {
    daemon.ifPresent(d -> text.append("--- ").append(name).append('\n').append(tail(d.err())));
  }

  // --- The rest ---------------------------------------------------------------------------------

  /** A program of the cluster. */
  String program(String name) {
    return programs.resolve(name).toString();
  }

  /** The namespace of the control plane; kubectl runs there. */
  public Pod place() {
    return place;
  }

  /** Starts to play a Node; see {@link Kubelet}. */
  public Kubelet join(Node node, String zone) {
    return new Kubelet(this, node, zone);
  }

  private Path auditFile() {
    return directory.resolve("audit.log");
  }

  private Path write(String file, String text) {
    try {
      return Files.writeString(directory.resolve(file), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - 4000));
  }

  private static String pem(String what, byte[] der) {
    return "-----BEGIN %1$s-----%n%2$s%n-----END %1$s-----%n"
        .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der));
  }

  private static KeyPair keyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** Kills all of it. Nothing is stopped gently: nothing is kept. */
  @Override
  public synchronized void close() {
    Stream.of(scheduler, controllers, otherApiServer, apiServer)
        .flatMap(Optional::stream)
        .filter(Daemon::isAlive)
        .forEach(Daemon::kill);
    etcd.close();
    clients.forEach(ApiClient::close);
    admin.close();
    otherAdmin.close();
    apiTunnel.close();
    otherTunnel.close();
  }
}
