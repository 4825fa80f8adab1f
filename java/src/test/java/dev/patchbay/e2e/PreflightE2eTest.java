// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Mounts;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Result;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What is missing is said in one line, with the way to get it. Nothing here may touch the root of
 * the cgroup hierarchy: {@code run} always gets the node's cgroup or none that exists.
 */
@EndToEnd
class PreflightE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");

  @BeforeAll
  void start() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
  }

  /** {@code patchbay check} with the node's directories. */
  private List<String> check() {
    return List.of(
        Patchbay.binary(),
        "check",
        "--cgroup=" + node.cgroup(),
        "--bpf-dir=" + node.bpfDirectory());
  }

  /** {@code patchbay run --once} with the node's directories. */
  private List<String> run() {
    List<String> command = new ArrayList<>(List.of(Patchbay.binary()));
    command.addAll(node.runArguments("--once"));
    return command;
  }

  /** The same command with another value for an option. */
  private static List<String> with(List<String> command, String option, Path value) {
    return command.stream()
        .map(word -> word.startsWith(option + "=") ? option + "=" + value : word)
        .toList();
  }

  private Result exec(List<String> command) {
    return node.host().exec(command.toArray(String[]::new));
  }

  /** Runs a command in a mount namespace of its own, after a shell command. */
  private Result execAfter(String preparation, List<String> command) {
    List<String> line =
        new ArrayList<>(
            List.of("unshare", "--mount", "/bin/sh", "-c", preparation + " && exec \"$@\"", "sh"));
    line.addAll(command);
    return exec(line);
  }

  private static void saysInOneLine(Result result, String... words) {
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    assertThat(result.err().lines().filter(line -> !line.isBlank()))
        .as(result.toString())
        .singleElement()
        .asString()
        .matches("patchbay: .+: .+; .+");
    for (String word : words) {
      assertThat(result.err()).containsIgnoringCase(word);
    }
  }

  private static void checkSays(Result result, String... words) {
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    assertThat(result.all()).doesNotContain("Exception", "\tat ");
    for (String word : words) {
      assertThat(result.all()).containsIgnoringCase(word);
    }
  }

  @Test
  void whereAllIsWellCheckSucceedsWithALineEach() {
    Result result = exec(check()).orFail();
    assertThat(result.out().lines().count()).isGreaterThanOrEqualTo(5);
    for (String word : List.of("cgroup", "bpf", "libbpf", "JDK", "capabilit")) {
      assertThat(result.out()).containsIgnoringCase(word);
    }
    assertThat(BpfTool.attached(node.cgroup()).values()).containsOnly(0);
  }

  @Test
  void withoutRoot() {
    // Nobody must be able to read the program; the tree it was built in may be private.
    Path copy = lab.newDirectory("patchbay");
    exec(List.of("cp", "-rL", Patchbay.home() + "/.", copy.toString())).orFail();
    exec(List.of("chmod", "-R", "a+rX", copy.toString(), lab.directory().toString())).orFail();
    List<String> nobody =
        List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs");
    List<String> check = new ArrayList<>(nobody);
    check.addAll(check());
    check.set(nobody.size(), copy + "/bin/patchbay");
    checkSays(exec(check), "root");
    List<String> run = new ArrayList<>(nobody);
    run.addAll(run());
    run.set(nobody.size(), copy + "/bin/patchbay");
    saysInOneLine(exec(run), "root");
  }

  @Test
  void aDirectoryThatIsNoCgroup() {
    Path directory = lab.newDirectory("no-cgroup");
    checkSays(exec(with(check(), "--cgroup", directory)), "cgroup", directory.toString());
    saysInOneLine(exec(with(run(), "--cgroup", directory)), "cgroup", directory.toString());
  }

  @Test
  void aCgroupThatDoesNotExist() {
    Path missing = node.cgroup().resolve("missing");
    saysInOneLine(exec(with(run(), "--cgroup", missing)), missing.toString());
  }

  @Test
  void withoutACgroupHierarchy() {
    Path mount = Mounts.first("cgroup2").orElseThrow();
    Result result =
        execAfter(
            "umount --lazy " + mount,
            List.of(Patchbay.binary(), "check", "--bpf-dir=" + node.bpfDirectory()));
    checkSays(result, "cgroup", "mount");
  }

  @Test
  void aPinDirectoryThatIsNotOnBpffs() {
    Path directory = lab.newDirectory("no-bpffs").resolve("patchbay");
    checkSays(exec(with(check(), "--bpf-dir", directory)), "bpf", "mount");
    saysInOneLine(exec(with(run(), "--bpf-dir", directory)), "bpf", "mount");
  }

  @Test
  void bpffsIsMountedWhereThatIsAllowed() {
    Path bpf = Mounts.first("bpf").orElseThrow();
    Result result = execAfter("umount --lazy " + bpf, run());
    assertThat(result.exit()).as(result.toString()).isZero();
    // The mount was in a namespace that is gone, and so is what was pinned there.
    assertThat(node.bpfDirectory()).doesNotExist();
  }

  @Test
  void withoutLibbpf() {
    Matcher library =
        Pattern.compile("libbpf\\.so\\.1 .* => (\\S+)")
            .matcher(exec(List.of("/sbin/ldconfig", "-p")).orFail().out());
    assertThat(library.find()).as("libbpf.so.1 is installed").isTrue();
    String hide = "mount --bind /dev/null " + library.group(1);
    checkSays(execAfter(hide, check()), "libbpf", "install");
    saysInOneLine(execAfter(hide, run()), "libbpf", "install");
  }
}
