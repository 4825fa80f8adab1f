// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What mountinfo and /proc/self/cgroup say in the places where an agent may run. */
class CgroupPlaceTest {
  private static String mount(String root, String target) {
    return "30 23 0:26 "
        + root
        + " "
        + target
        + " rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
  }

  private static CgroupPlace place(String mounts, String cgroup, long id) {
    return CgroupPlace.parse(mounts, Path.of(cgroup), id).orElseThrow();
  }

  @Test
  void aServiceOfTheHostAttachedAtTheRoot() {
    CgroupPlace place = place(mount("/", "/sys/fs/cgroup"), "/sys/fs/cgroup", 1);
    assertThat(place.holds("0::/system.slice/patchbay.service\n")).isTrue();
    assertThat(place.partial()).isFalse();
    assertThat(place).hasToString("/");
  }

  @Test
  void aCgroupThatSomebodyChose() {
    CgroupPlace place = place(mount("/", "/sys/fs/cgroup"), "/sys/fs/cgroup/apps", 77);
    assertThat(place.holds("12:cpu:/x\n0::/apps/one\n")).isTrue();
    assertThat(place.holds("0::/apps\n")).isTrue();
    assertThat(place.holds("0::/application\n")).isFalse();
    assertThat(place.holds("0::/\n")).isFalse();
    assertThat(place.partial()).isFalse();
  }

  /** As the DaemonSet does it: the host's hierarchy in a container with a namespace of its own. */
  @Test
  void aContainerThatWasHandedTheHostsHierarchy() {
    CgroupPlace place =
        place(
            mount("/", "/sys/fs/cgroup") + mount("/../../..", "/run/patchbay/cgroup"),
            "/run/patchbay/cgroup",
            1);
    assertThat(place.holds("0::/\n")).isTrue();
    assertThat(place.partial()).isFalse();
  }

  @Test
  void aContainerThatTakesItsOwnPartForAllOfIt() {
    CgroupPlace place = place(mount("/", "/sys/fs/cgroup"), "/sys/fs/cgroup", 4711);
    assertThat(place.partial()).isTrue();
    assertThat(place.holds("0::/\n")).isTrue();
  }

  @Test
  void aPartThatIsMountedFromTheHostsNamespace() {
    CgroupPlace place = place(mount("/kubepods", "/mnt/cgroup"), "/mnt/cgroup", 4711);
    assertThat(place.partial()).isTrue();
    assertThat(place.holds("0::/kubepods/pod1\n")).isTrue();
    assertThat(place.holds("0::/system.slice\n")).isFalse();
  }

  /** The root of such a node is a part of the machine's hierarchy, and all there is to the node. */
  @Test
  void aContainerOfANodeThatIsItselfAContainer() {
    CgroupPlace place = place(mount("/../..", "/run/cgroup"), "/run/cgroup", 4711);
    assertThat(place.partial()).isFalse();
    assertThat(place.holds("0::/\n")).isTrue();
  }

  @Test
  void besideAnothersPart() {
    CgroupPlace place = place(mount("/../other", "/run/cgroup"), "/run/cgroup", 4711);
    assertThat(place.holds("0::/\n")).isFalse();
    assertThat(place.holds("0::/../other/x\n")).isTrue();
  }

  @Test
  void aProcessThatWasMovedOutOfItsNamespace() {
    CgroupPlace place = place(mount("/..", "/run/cgroup"), "/run/cgroup", 4711);
    assertThat(place.holds("0::/../sibling\n")).isTrue();
    assertThat(place.holds("0::/../../cousin\n")).isFalse();
  }

  @Test
  void theDeepestAndLastMountCounts() {
    String mounts =
        mount("/a", "/cg")
            + mount("/b", "/cg/sub\\040dir")
            + mount("/c", "/cg/sub\\040dir")
            + "31 23 0:5 / /cg2 rw - tmpfs tmpfs rw\n";
    assertThat(place(mounts, "/cg/sub dir/x", 9)).hasToString("/c/x");
    assertThat(place(mounts, "/cg/other", 9)).hasToString("/a/other");
    assertThat(CgroupPlace.parse(mounts, Path.of("/cg2"), 9)).isEmpty();
    assertThat(CgroupPlace.parse("nonsense\n", Path.of("/cg"), 9)).isEmpty();
  }

  @Test
  void whereThereIsNoHierarchyOfVersion2() {
    CgroupPlace place = place(mount("/", "/sys/fs/cgroup"), "/sys/fs/cgroup", 1);
    assertThat(place.holds("3:cpu:/\n")).isFalse();
  }
}
