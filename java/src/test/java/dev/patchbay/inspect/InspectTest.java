// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import static dev.patchbay.testkit.Rows.backend;
import static dev.patchbay.testkit.Rows.backends;
import static dev.patchbay.testkit.Rows.desired;
import static dev.patchbay.testkit.Rows.frontend;
import static dev.patchbay.testkit.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.FakeDataplaneStore;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The readers over one set of maps: a Service with three backends, a wildcard, and what we add. */
class InspectTest {
  private static final FrontendKey FRONTEND = frontend("10.96.0.1:80");
  private static final IpAddress ADDRESS = FRONTEND.address();

  private final FakeDataplaneStore fake = new FakeDataplaneStore(new Capacity(16, 8, 32));

  @BeforeEach
  void program() {
    fake.putForeign(4, backends(0, 3));
    fake.putForeign(2, new ServiceWord(4, 3, 9), new ServiceSettings(60, false));
    fake.putForeign(FRONTEND, new FrontendValue.ToService(2));
    fake.putForeign(FrontendKey.wildcard(ADDRESS), FrontendValue.REFUSE);
  }

  private List<String> violations() {
    return Invariants.check(fake.load()).stream().map(Violation::toString).toList();
  }

  private void lead(String frontend, int index) {
    fake.putForeign(frontend(frontend), new FrontendValue.ToService(index));
  }

  private void publish(int index, int base, int count) {
    fake.putForeign(index, new ServiceWord(base, count, 1), ServiceSettings.NONE);
  }

  @Test
  void soundMapsHaveNoViolations() {
    lead("10.96.0.2:80", 5); // never published: no endpoint
    publish(7, 3, 20); // nothing leads there: garbage
    publish(6, 7, 0);
    lead("10.96.0.3:80", 6);
    assertThat(violations()).isEmpty();
  }

  @Test
  void foreignAndMisplacedFrontendsAreViolations() {
    fake.putForeign(frontend("10.96.0.1:81"), new FrontendValue.Foreign(1, 4));
    fake.putForeign(frontend("10.96.0.1:82"), FrontendValue.REFUSE);
    lead("10.96.0.1:83", 8);
    fake.putForeign(
        FrontendKey.wildcard(IpAddress.of("10.96.0.2")), new FrontendValue.ToService(2));
    assertThat(violations())
        .containsExactly(
            "10.96.0.1:81/tcp: foreign value, service 1 flags 4",
            "10.96.0.1:82/tcp: refuses, but is no wildcard",
            "10.96.0.1:83/tcp: leads to service 8, which leaves the map",
            "10.96.0.2:*: is a wildcard, but leads to service 2");
  }

  @Test
  void rangesOutsideTheMapAndSharedOnesAreViolations() {
    publish(1, 30, 3);
    lead("10.96.0.2:80", 1);
    publish(3, 6, 1);
    lead("10.96.0.3:80", 3);
    publish(5, 5, 1);
    lead("10.96.0.4:80", 5);
    assertThat(violations())
        .containsExactly(
            "service 1: range up to 33 leaves the map",
            "service 5: range at 5 is shared with service 2",
            "service 3: range at 6 is shared with service 2");
  }

  @Test
  void setsThatAreNotSortedDistinctValidAndOfTheFamilyAreViolations() {
    fake.putForeign(4, List.of(backend("10.1.0.2:80"), backend("10.1.0.1:80")));
    assertThat(violations())
        .containsExactly("service 2: backend 10.1.0.1:80 comes after 10.1.0.2:80");
    fake.putForeign(4, List.of(backend("10.1.0.1:80"), backend("10.1.0.1:80")));
    assertThat(violations())
        .containsExactly("service 2: backend 10.1.0.1:80 comes after 10.1.0.1:80");
    fake.putForeign(4, List.of(new Backend(new IpAddress(0, 0), 0), backend("10.1.0.0:80")));
    assertThat(violations()).containsExactly("service 2: backend 0 is not valid: [::]:0");
    fake.putForeign(
        4, List.of(backend("10.1.0.1:80"), backend("10.1.0.2:80"), backend("[fd00::1]:80")));
    assertThat(violations())
        .containsExactly("service 2: backend [fd00::1]:80 for frontends of [IPv4]");
  }

  @Test
  void theCanonicalFormDoesNotDependOnPlaces() {
    FakeDataplaneStore other = new FakeDataplaneStore(new Capacity(8, 4, 16));
    other.putForeign(0, backends(0, 3));
    other.putForeign(0, new ServiceWord(0, 3, 1), new ServiceSettings(60, false));
    other.putForeign(FRONTEND, new FrontendValue.ToService(0));
    other.putForeign(FrontendKey.wildcard(ADDRESS), FrontendValue.REFUSE);
    Canonical here = Canonical.of(fake.load());
    assertThat(here).isEqualTo(Canonical.of(other.load()));
    assertThat(here)
        .hasToString(
            """
            10.96.0.1:* -> refused
            10.96.0.1:80/tcp -> [10.1.0.0:8080, 10.1.0.1:8080, 10.1.0.2:8080] affinity 60 s""");
  }

  @Test
  void differencesAreToldInWords() {
    lead("10.96.0.9:80", 7);
    publish(7, 31, 2);
    Canonical wanted =
        Canonical.of(
            desired(
                row("a", "10.96.0.1:80", backends(0, 1)),
                row("b", "10.96.0.2:80", List.of()),
                row("c", "10.96.0.9:80", List.of())));
    assertThat(wanted.difference(Canonical.of(fake.load())))
        .containsExactly(
            "10.96.0.1:* should not be there: refused",
            "10.96.0.1:80/tcp should be [10.1.0.0:8080],"
                + " is [10.1.0.0:8080, 10.1.0.1:8080, 10.1.0.2:8080] affinity 60 s",
            "10.96.0.2:80/tcp is missing: []",
            "10.96.0.9:80/tcp should be [], is broken: range of service 7 leaves the map");
    assertThat(wanted.difference(wanted)).isEmpty();
  }

  private Verdict trace(String address, int port, Protocol protocol) {
    return new Tracer(fake.load()).trace(IpAddress.of(address), port, protocol);
  }

  @Test
  void connectionsAreTracedAsTheProgramsTreatThem() {
    publish(3, 0, 0);
    lead("10.96.0.2:80", 3);
    fake.putForeign(4, new ServiceWord(0, 0, 1), new ServiceSettings(0, true));
    lead("10.96.0.3:80", 4);
    lead("10.96.0.4:80", 5);
    assertThat(trace("10.96.0.1", 80, Protocol.TCP))
        .isEqualTo(new Verdict.Candidates(2, backends(0, 3), 60));
    assertRefused(trace("10.96.0.1", 81, Protocol.TCP), "ECONNREFUSED", "no Service has this port");
    assertRefused(trace("10.96.0.1", 80, Protocol.UDP), "ECONNREFUSED", "no Service has this port");
    assertRefused(trace("10.96.0.2", 80, Protocol.TCP), "ECONNREFUSED", "no endpoint");
    assertRefused(trace("10.96.0.3", 80, Protocol.TCP), "EHOSTUNREACH", "policy");
    assertRefused(trace("10.96.0.4", 80, Protocol.TCP), "ECONNREFUSED", "no endpoint");
    assertThat(trace("10.96.0.2", 81, Protocol.TCP)).isEqualTo(new Verdict.NotAService());
    assertThat(trace("192.0.2.1", 80, Protocol.TCP)).isEqualTo(new Verdict.NotAService());
    assertThat(trace("10.96.0.1", 80, Protocol.SCTP)).isEqualTo(new Verdict.NotAService());
    assertThat(trace("10.96.0.1", 0, Protocol.TCP)).isEqualTo(new Verdict.NotAService());
  }

  @Test
  void nodePortsAreTracedThroughNodeAddresses() {
    IpAddress node = IpAddress.of("192.0.2.1");
    IpAddress node6 = IpAddress.of("2001:db8::1");
    fake.putForeign(FrontendKey.wildcard(node), FrontendValue.NODE_ADDRESS);
    fake.putForeign(FrontendKey.wildcard(node6), FrontendValue.NODE_ADDRESS);
    fake.putForeign(
        FrontendKey.nodePort(IpFamily.IPV4, 30080, Protocol.TCP), new FrontendValue.ToService(2));
    publish(3, 0, 0);
    fake.putForeign(
        FrontendKey.nodePort(IpFamily.IPV4, 30081, Protocol.TCP), new FrontendValue.ToService(3));
    lead("192.0.2.1:80", 2);
    assertThat(violations()).isEmpty();
    Verdict.Candidates candidates = new Verdict.Candidates(2, backends(0, 3), 60);
    assertThat(trace("192.0.2.1", 30080, Protocol.TCP)).isEqualTo(candidates);
    assertRefused(trace("192.0.2.1", 30081, Protocol.TCP), "ECONNREFUSED", "no endpoint");
    assertThat(trace("192.0.2.1", 80, Protocol.TCP)).as("external address").isEqualTo(candidates);
    for (Verdict untouched :
        List.of(
            trace("192.0.2.1", 22, Protocol.TCP),
            trace("192.0.2.1", 30080, Protocol.UDP),
            trace("2001:db8::1", 30080, Protocol.TCP), // the node port is IPv4's
            trace("192.0.2.2", 30080, Protocol.TCP))) {
      assertThat(untouched).isEqualTo(new Verdict.NotAService());
    }
    assertRefused(trace("10.96.0.1", 30080, Protocol.TCP), "ECONNREFUSED", "this port");
  }

  @Test
  void aNodeAddressIsAWildcardOrAViolation() {
    fake.putForeign(frontend("192.0.2.1:80"), FrontendValue.NODE_ADDRESS);
    assertThat(violations())
        .containsExactly("192.0.2.1:80/tcp: is marked as a node address, but is no wildcard");
  }

  @Test
  void damageIsTracedAsRefusal() {
    fake.putForeign(frontend("10.96.0.5:80"), new FrontendValue.Foreign(2, 0x10));
    fake.putForeign(frontend("10.96.0.5:81"), new FrontendValue.Foreign(2, 0x11));
    fake.putForeign(frontend("10.96.0.5:82"), new FrontendValue.Foreign(-1, 0));
    lead("10.96.0.5:83", 6);
    publish(6, 31, 2);
    assertThat(trace("10.96.0.5", 80, Protocol.TCP)).isInstanceOf(Verdict.Candidates.class);
    assertRefused(trace("10.96.0.5", 81, Protocol.TCP), "ECONNREFUSED", "no Service has this port");
    assertRefused(trace("10.96.0.5", 82, Protocol.TCP), "ECONNREFUSED", "damaged: service -1");
    assertRefused(trace("10.96.0.5", 83, Protocol.TCP), "ECONNREFUSED", "damaged: range");
  }

  private static void assertRefused(Verdict verdict, String errno, String reason) {
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Verdict.Refused.class,
            refused -> {
              assertThat(refused.errno()).isEqualTo(errno);
              assertThat(refused.reason()).contains(reason);
            });
  }
}
