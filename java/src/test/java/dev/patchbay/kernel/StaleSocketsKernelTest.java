// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.StaleSocket;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Sockets of processes in several network namespaces, which were translated to a backend that goes.
 * Backends are ports of loopback, so that each namespace has them, and nothing leaves the machine.
 */
final class StaleSocketsKernelTest {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private static final int OLD = 5301;
  private static final int NEW = 5302;
  private static final String SERVICE = "10.96.0.10";
  private static final String SERVICE6 = "fd00:10:96::10";
  private static final String OTHER = "10.96.0.11";
  private static final int ENDING = 53;
  private static final int ABORTED = 103; // ECONNABORTED

  private final Scratch scratch = new Scratch();
  private final Path cgroup = scratch.cgroup("");
  private final Dataplane dataplane = scratch.dataplane();
  private final StaleSockets stale = scratch.closing(dataplane.staleSockets());
  private final List<Client> clients = new ArrayList<>();
  private final List<String> namespaces = new ArrayList<>();
  private int generation;

  StaleSocketsKernelTest() throws Exception {}

  /** A process that opens sockets as it is told, and tells what became of them. */
  private final class Client {
    private static final String SCRIPT =
        """
        import os, socket, struct, sys
        with open(sys.argv[1] + '/cgroup.procs', 'w') as f: f.write(str(os.getpid()))
        opened, listeners = [], []
        def listen():
            for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
                for port in (5301, 5302):
                    s = socket.socket(family, socket.SOCK_STREAM)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind((host, port))
                    s.listen(64)
                    listeners.append(s)
        def open_one(family, kind, call, address, port):
            s = socket.socket(socket.AF_INET6 if family == '6' else socket.AF_INET,
                              socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
            if call == 'connect': s.connect((address, int(port)))
            elif call == 'reconnect':
                s.connect((address, int(port)))
                s.connect(('127.0.0.1', 9))
            else: s.sendto(b'x', (address, int(port)))
            opened.append(s)
            return struct.unpack('=Q', s.getsockopt(socket.SOL_SOCKET, 57, 8))[0]
        def state(s):
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            try: s.getpeername(); return str(error)
            except OSError: return str(-error)
        for line in sys.stdin:
            words = line.split()
            if words[0] == 'listen': print(listen())
            elif words[0] == 'state': print(*[state(s) for s in opened])
            elif words[0] == 'close': print(opened.pop().close())
            else: print(open_one(*words))
            sys.stdout.flush()
        """;

    private final Process process;
    private final BufferedReader answers;
    private final BufferedWriter requests;

    Client(String... place) throws Exception {
      List<String> command = new ArrayList<>(List.of(place));
      command.addAll(List.of("python3", "-c", SCRIPT, cgroup.toString()));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      answers = process.inputReader(StandardCharsets.UTF_8);
      requests = process.outputWriter(StandardCharsets.UTF_8);
      clients.add(this);
    }

    String ask(String request) throws Exception {
      requests.write(request + "\n");
      requests.flush();
      String answer = answers.readLine();
      assertThat(answer).as(request).isNotNull();
      return answer;
    }

    /** The cookie of a new socket. */
    long open(String family, String kind, String call, String address) throws Exception {
      return Long.parseLong(
          ask(String.join(" ", family, kind, call, address, String.valueOf(ENDING))));
    }

    /** Of each socket, the error that waits; negative if it is not connected. */
    List<Integer> states() throws Exception {
      return Arrays.stream(ask("state").split(" ", -1)).map(Integer::valueOf).toList();
    }
  }

  @BeforeEach
  void services() throws Exception {
    dataplane.attach(cgroup);
    publish(OLD);
    Map<FrontendKey, FrontendValue> frontends =
        Map.of(
            key(SERVICE, Protocol.UDP), new FrontendValue.ToService(1),
            key(SERVICE6, Protocol.UDP), new FrontendValue.ToService(2),
            key(SERVICE, Protocol.TCP), new FrontendValue.ToService(3),
            key(SERVICE6, Protocol.TCP), new FrontendValue.ToService(4),
            key(OTHER, Protocol.TCP), new FrontendValue.ToService(5),
            key(OTHER, Protocol.UDP), new FrontendValue.ToService(6));
    dataplane.store().upsertFrontends(frontends);
  }

  @AfterEach
  void remove() throws Exception {
    for (Client client : clients) {
      client.process.destroyForcibly().waitFor();
    }
    for (String namespace : namespaces) {
      run("ip", "netns", "del", namespace);
    }
    scratch.close();
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }

  private static FrontendKey key(String address, Protocol protocol) {
    return new FrontendKey(IpAddress.of(address), ENDING, protocol, Scope.INTERNAL);
  }

  /** Puts this port behind all Services but 6, which keeps the first. */
  private void publish(int port) throws Exception {
    generation++;
    ServiceSettings ends = new ServiceSettings(0, false, true, false, 0);
    ServiceSettings stays = ServiceSettings.NONE;
    publish(1, "127.0.0.1", port, stays);
    publish(2, "::1", port, stays);
    publish(3, "127.0.0.1", port, ends);
    publish(4, "::1", port, ends);
    publish(5, "127.0.0.1", port, stays);
    publish(6, "127.0.0.1", OLD, stays);
  }

  private void publish(int index, String address, int port, ServiceSettings settings) {
    int base = index + 16 * (generation % 8);
    dataplane.store().writeRange(base, List.of(new Backend(IpAddress.of(address), port)));
    dataplane.store().publish(index, new ServiceWord(base, 1, generation), settings);
  }

  private String namespace() throws Exception {
    String name = "pbktest-" + ProcessHandle.current().pid() + "-ns" + NUMBER.incrementAndGet();
    run("ip", "netns", "add", name);
    namespaces.add(name);
    run("ip", "-n", name, "link", "set", "lo", "up");
    return name;
  }

  private Client inNamespace(String namespace) throws Exception {
    return new Client("nsenter", "--net=/run/netns/" + namespace, "--");
  }

  /** In a namespace of its own that nothing but this process keeps. */
  private Client inUnnamedNamespace() throws Exception {
    return new Client("unshare", "--net", "--", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh");
  }

  private List<StaleSocket> scan() throws KernelException {
    List<StaleSocket> found = new ArrayList<>();
    stale.scan(found::addAll);
    return found;
  }

  private Set<Long> cookies() throws KernelException {
    return scan().stream().map(StaleSocket::cookie).collect(Collectors.toSet());
  }

  @Test
  void onlySocketsWhoseBackendIsGoneAreDestroyedWhereverTheyAre() throws Exception {
    Set<Long> expected = new HashSet<>();
    List<Client> all = List.of(new Client(), inNamespace(namespace()), inUnnamedNamespace());
    for (Client client : all) {
      client.ask("listen");
      expected.add(client.open("4", "udp", "connect", SERVICE));
      expected.add(client.open("6", "udp", "connect", SERVICE6));
      expected.add(client.open("6", "udp", "connect", "::ffff:" + SERVICE));
      expected.add(client.open("4", "tcp", "connect", SERVICE));
      expected.add(client.open("6", "tcp", "connect", SERVICE6));
      expected.add(client.open("6", "tcp", "connect", "::ffff:" + SERVICE));
      client.open("4", "tcp", "connect", OTHER);
      client.open("4", "udp", "connect", OTHER);
      client.open("4", "udp", "send", SERVICE);
      client.open("4", "udp", "reconnect", SERVICE);
      client.ask("4 udp connect 127.0.0.1 " + OLD);
      client.ask("4 tcp connect 127.0.0.1 " + OLD);
      client.ask("6 udp connect ::1 " + OLD);
    }
    assertThat(scan()).isEmpty();

    publish(NEW);
    assertThat(cookies()).isEqualTo(expected);
    assertThat(scan()).as("looking changes nothing").hasSize(expected.size());
    SocketDestroyer destroyer = new SocketDestroyer();
    destroyer.destroy(scan());
    assertThat(destroyer.unreachable()).isEmpty();
    assertThat(destroyer.failed()).isEmpty();
    assertThat(destroyer.gone()).isZero();
    assertThat(destroyer.destroyed(Protocol.UDP)).isEqualTo(9);
    assertThat(destroyer.destroyed(Protocol.TCP)).isEqualTo(9);
    for (Client client : all) {
      List<Integer> states = client.states();
      assertThat(states.subList(0, 6)).containsOnly(-ABORTED);
      assertThat(states.get(8)).as("an unconnected socket").isZero();
      assertThat(states.subList(6, 8)).as("sockets that go on").containsOnly(0);
      assertThat(states.subList(9, 13)).as("foreign sockets").containsOnly(0);
    }
    assertThat(scan()).isEmpty();
  }

  @Test
  void aSocketThatConnectsAgainIsJudgedAnew() throws Exception {
    Client client = new Client();
    publish(NEW);
    client.open("4", "udp", "connect", SERVICE);
    assertThat(scan()).isEmpty();
    publish(OLD);
    assertThat(scan()).hasSize(1);
    publish(NEW);
    assertThat(scan()).as("the backend is back").isEmpty();
  }

  @Test
  void whatIsFoundIsDescribed() throws Exception {
    Client client = inNamespace(namespace());
    long cookie = client.open("6", "udp", "connect", "::ffff:" + SERVICE);
    publish(NEW);
    StaleSocket found = scan().getFirst();
    assertThat(found.cookie()).isEqualTo(cookie);
    assertThat(found.inet6()).isTrue();
    assertThat(found.protocol()).isEqualTo(Protocol.UDP);
    assertThat(found.source()).isEqualTo(IpAddress.of("127.0.0.1"));
    assertThat(found.sourcePort()).isBetween(1024, 65535);
    assertThat(found.backend().withPort(found.backendPort())).isEqualTo("127.0.0.1:" + OLD);
    assertThat(found.service().withPort(found.servicePort())).isEqualTo(SERVICE + ":" + ENDING);
    assertThat(found.interfaceIndex()).isZero();
    assertThat(found.namespaceInode()).isNotEqualTo(NetworkNamespaces.own());
  }

  @Test
  void aServiceThatIsGoneLeavesNoSocketsBehind() throws Exception {
    Client client = new Client();
    client.ask("listen");
    client.open("4", "udp", "connect", SERVICE);
    client.open("4", "tcp", "connect", SERVICE);
    client.open("4", "tcp", "connect", OTHER);
    dataplane
        .store()
        .deleteFrontends(
            List.of(
                key(SERVICE, Protocol.UDP), key(SERVICE, Protocol.TCP), key(OTHER, Protocol.TCP)));
    assertThat(scan()).hasSize(2);
    new SocketDestroyer().destroy(scan());
    assertThat(client.states()).containsExactly(-ABORTED, -ABORTED, 0);
  }

  @Test
  void aServiceThatDoesNotAskForTheEndAnyMoreKeepsItsConnections() throws Exception {
    Client client = new Client();
    client.ask("listen");
    client.open("4", "tcp", "connect", SERVICE);
    publish(NEW);
    assertThat(scan()).hasSize(1);
    publish(3, "127.0.0.1", NEW, ServiceSettings.NONE);
    assertThat(scan()).isEmpty();
  }

  @Test
  void aCookieThatIsNotItsOwnSavesASocket() throws Exception {
    Client client = new Client();
    client.ask("listen");
    client.open("4", "udp", "connect", SERVICE);
    client.open("6", "tcp", "connect", SERVICE6);
    publish(NEW);
    List<StaleSocket> forged =
        scan().stream()
            .map(
                s ->
                    new StaleSocket(
                        s.cookie() + 1_000_000_000,
                        s.namespaceCookie(),
                        s.namespaceInode(),
                        s.interfaceIndex(),
                        s.source(),
                        s.sourcePort(),
                        s.backend(),
                        s.backendPort(),
                        s.service(),
                        s.servicePort(),
                        s.protocol(),
                        s.inet6()))
            .toList();
    SocketDestroyer destroyer = new SocketDestroyer();
    destroyer.destroy(forged);
    assertThat(destroyer.gone()).isEqualTo(2);
    assertThat(destroyer.destroyed(Protocol.UDP) + destroyer.destroyed(Protocol.TCP)).isZero();
    assertThat(client.states()).containsExactly(0, 0);
  }

  @Test
  void socketsThatWereClosedMeanwhileAreGone() throws Exception {
    Client client = new Client();
    client.open("4", "udp", "connect", SERVICE);
    publish(NEW);
    List<StaleSocket> found = scan();
    client.ask("close");
    SocketDestroyer destroyer = new SocketDestroyer();
    destroyer.destroy(found);
    assertThat(destroyer.gone()).isEqualTo(1);
    assertThat(destroyer.failed()).isEmpty();
    assertThat(scan()).isEmpty();
  }

  @Test
  void manyAreFoundOnceEachAndDestroyed() throws Exception {
    List<Client> all = List.of(new Client(), inNamespace(namespace()));
    int each = 1500;
    for (Client client : all) {
      for (int i = 0; i < each; i++) {
        client.open("4", "udp", "connect", SERVICE);
      }
    }
    publish(NEW);
    assertThat(scan()).hasSize(2 * each).doesNotHaveDuplicates();
    SocketDestroyer destroyer = new SocketDestroyer();
    List<Integer> sizes = new ArrayList<>();
    stale.scan(
        500,
        list -> {
          sizes.add(list.size());
          destroyer.destroy(list);
        });
    assertThat(destroyer.destroyed(Protocol.UDP)).isEqualTo(2L * each);
    assertThat(sizes).containsExactly(500, 500, 500, 500, 500, 500);
    assertThat(scan()).isEmpty();
    for (Client client : all) {
      assertThat(client.states()).containsOnly(-ABORTED);
    }
  }

  @Test
  void aNamespaceThatNobodyKnowsIsReportedAndLeft() throws Exception {
    Client hidden = inNamespace(namespace());
    hidden.open("4", "udp", "connect", SERVICE);
    publish(NEW);
    StaleSocket found = scan().getFirst();
    StaleSocket elsewhere =
        new StaleSocket(
            found.cookie(),
            0,
            1,
            0,
            found.source(),
            found.sourcePort(),
            found.backend(),
            found.backendPort(),
            found.service(),
            found.servicePort(),
            found.protocol(),
            found.inet6());
    SocketDestroyer destroyer = new SocketDestroyer();
    destroyer.destroy(List.of(elsewhere, found));
    assertThat(destroyer.unreachable().values()).containsExactly(1L);
    assertThat(destroyer.unreachable().keySet()).allMatch(reason -> reason.contains("/run/netns"));
    assertThat(destroyer.destroyed(Protocol.UDP)).isEqualTo(1);
  }

  @Test
  void namespacesAreFoundByFileAndByProcessAndVerified() throws Exception {
    Client named = inNamespace(namespace());
    named.ask("listen");
    long first = inode(named);
    Client unnamed = inUnnamedNamespace();
    unnamed.ask("listen");
    long second = inode(unnamed);
    NetworkNamespaces finder = new NetworkNamespaces();
    finder.find(Set.of(first, second, 1L));
    long own = NetworkNamespaces.own();
    for (long wanted : new long[] {first, second}) {
      long[] seen = {0};
      Thread visitor =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      finder.enter(wanted);
                      seen[0] =
                          NetworkNamespaces.inode(
                              Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net")));
                    } catch (Exception failed) {
                      throw new AssertionError(failed);
                    }
                  });
      visitor.join();
      assertThat(seen[0]).isEqualTo(wanted).isNotEqualTo(own);
    }
    assertThatExceptionOfType(KernelException.NotFound.class).isThrownBy(() -> finder.enter(1));
    unnamed.process.destroyForcibly().waitFor();
    assertThatExceptionOfType(KernelException.NotFound.class)
        .isThrownBy(() -> finder.enter(second));
    assertThat(NetworkNamespaces.own()).as("this process stayed where it was").isEqualTo(own);
  }

  private static long inode(Client client) throws Exception {
    Path link = Path.of("/proc/" + client.process.pid() + "/ns/net");
    return NetworkNamespaces.inode(Files.readSymbolicLink(link));
  }

  @Test
  void closingTwiceIsFineAndScanningAfterwardsIsNot() throws Exception {
    StaleSockets other = dataplane.staleSockets();
    other.close();
    other.close();
    assertThatIllegalStateException().isThrownBy(() -> other.scan(list -> {}));
  }

  @Test
  void linksAreTakenApart() {
    assertThat(
            Stream.of("net:[4026531840]", "net:[]", "mnt:[1]", "net:[x]", "net:[1").map(Path::of))
        .extracting(NetworkNamespaces::inode)
        .containsExactly(4026531840L, -1L, -1L, -1L, -1L);
  }
}
