// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The file behind {@code --config} changes while the agent runs. */
@EndToEnd
class ConfigReloadE2eTest {
  private static final int NODE_PORT = 30080;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = node.addServers("a", "b");
  private final Client client = node.host().client();
  private final Path file = lab.directory().resolve("config.yaml");

  ConfigReloadE2eTest() {
    node.write(
        "service.yaml",
        Manifest.service("kubia", 10, "app: kubia", "{port: 90, targetPort: 9000, nodePort: 30080}")
            + "  type: NodePort\n");
    node.write("pods.yaml", Manifest.pods("app: kubia", servers));
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  /** As a whole: half of a file says something else, and would be told of as well. */
  private void write(String text) throws IOException {
    Path temporary = file.resolveSibling(".config.new");
    Files.writeString(temporary, text);
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private Daemon start(String text) throws IOException {
    write(text);
    return node.startAgent("--config=" + file);
  }

  private String setting(String name) {
    return node.host()
        .exec("curl", "--silent", "--noproxy", "*", "http://" + Node.METRICS + "/configz")
        .orFail()
        .out()
        .replaceAll("(?s).*\"" + name + "\"\\s*:\\s*\"?([^\",}]*).*", "$1");
  }

  private String hit(String address) {
    return client.hit(Kind.TCP, address, NODE_PORT);
  }

  @Test
  void whatCanChangeChangesAndTheRestIsSaid() throws IOException {
    Daemon agent = start("log-level: info\nlocalhost-nodeports: true\nmax-services: 1000\n");
    assertThat(hit("127.0.0.1")).isIn("a", "b");

    write("log-level: debug\nlocalhost-nodeports: false\nmax-services: 2000\n");
    Eventually.soon(() -> assertThat(hit("127.0.0.1")).isEqualTo("ECONNREFUSED"));
    assertThat(hit(node.host().ipv4())).isIn("a", "b");
    Eventually.soon(() -> assertThat(setting("log-level")).isEqualToIgnoringCase("debug"));
    assertThat(setting("max-services")).isEqualTo("1000");
    Eventually.soon(
        () ->
            assertThat(agent.err())
                .containsOnlyOnce("max-services waits for the next start of the agent")
                .contains("changed: in force")
                .contains("localhost-nodeports=false"));

    write("log-level: warn\nlocalhost-nodeports: true\nmax-services: 1000\n");
    Eventually.soon(() -> assertThat(hit("127.0.0.1")).isIn("a", "b"));
    assertThat(agent.err()).containsOnlyOnce("max-services waits for the next start of the agent");
  }

  @Test
  void aFileThatCannotBeUsedChangesNothing() throws IOException {
    Daemon agent = start("localhost-nodeports: true\n");
    write("localhost-nodeports: false\nno-such-thing: 1\n");
    Eventually.soon(
        () ->
            assertThat(agent.err())
                .contains("unknown key no-such-thing")
                .contains("all settings stay as they are"));
    assertThat(hit("127.0.0.1")).isIn("a", "b");
    write("localhost-nodeports: [\n");
    Eventually.soon(
        () -> assertThat(agent.err().split("all settings stay as they are", -1)).hasSize(3));
    write("localhost-nodeports: sometimes\n");
    Eventually.soon(
        () -> assertThat(agent.err().split("all settings stay as they are", -1)).hasSize(4));
    Files.delete(file);
    Eventually.soon(
        () -> assertThat(agent.err().split("all settings stay as they are", -1)).hasSize(5));
    assertThat(hit("127.0.0.1")).isIn("a", "b");
    write("localhost-nodeports: false\n");
    Eventually.soon(() -> assertThat(hit("127.0.0.1")).isEqualTo("ECONNREFUSED"));
    assertThat(agent.isAlive()).isTrue();
  }
}
