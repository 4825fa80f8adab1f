// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HealthStateTest {
  private final AtomicLong clock = new AtomicLong(1_000_000);
  private final HealthState state = new HealthState(clock::get);

  private Result result(Check check) {
    return state.results().stream()
        .filter(result -> result.name().equals(check.label()))
        .findFirst()
        .orElseThrow();
  }

  private List<String> red() {
    return state.results().stream().filter(Result::red).map(Result::name).toList();
  }

  @Test
  void isRedUntilItHasStarted() {
    assertThat(red()).containsExactly("start");
    state.ok(Check.START, "");
    assertThat(red()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"ROWS", "PROGRAMS", "CANARY_IPV4", "CANARY_IPV6", "OWNER", "CGROUP_ROOT"})
  void whatIsMendedAtOnceIsRedForOneProbeOfAKubelet(Check check) {
    state.ok(Check.START, "");
    state.failing(check, "broken");
    state.mended(check, "put back");
    assertThat(result(check))
        .isEqualTo(
            new Result(check.label(), true, Status.MENDED, 1_000_000, "put back; it was: broken"));
    clock.addAndGet(9_999);
    state.ok(check, "");
    assertThat(red()).containsExactly(check.label());
    clock.addAndGet(1);
    assertThat(red()).isEmpty();
    assertThat(result(check).status()).isEqualTo(Status.OK);
  }

  @Test
  void whatPassesByItselfIsHeldTooButNoLongerThanThat() {
    state.failing(Check.CANARY_IPV4, "lost");
    clock.addAndGet(3000);
    state.ok(Check.CANARY_IPV4, "");
    assertThat(result(Check.CANARY_IPV4).status()).isEqualTo(Status.MENDED);
    clock.addAndGet(7000);
    state.ok(Check.CANARY_IPV4, "fine");
    assertThat(result(Check.CANARY_IPV4).status()).isEqualTo(Status.OK);

    state.failing(Check.CANARY_IPV4, "lost");
    clock.addAndGet(60_000);
    state.ok(Check.CANARY_IPV4, "");
    assertThat(result(Check.CANARY_IPV4).status()).isEqualTo(Status.OK);
  }

  @Test
  void aFailureWhileMendedBeginsAnew() {
    state.failing(Check.ROWS, "one");
    state.mended(Check.ROWS, "put right");
    clock.addAndGet(9000);
    state.failing(Check.ROWS, "two");
    state.mended(Check.ROWS, "put right");
    clock.addAndGet(9000);
    assertThat(result(Check.ROWS).status()).isEqualTo(Status.MENDED);
    assertThat(state.incidents()).containsEntry("rows", 2L);
  }

  @Test
  void aFailureThatGoesOnIsOneIncidentWithTheLatestDetail() {
    state.failing(Check.PROGRAMS, "one");
    clock.addAndGet(3000);
    state.failing(Check.PROGRAMS, "two");
    assertThat(result(Check.PROGRAMS))
        .isEqualTo(new Result("programs", true, Status.FAILING, 1_000_000, "two"));
    assertThat(state.incidents()).containsEntry("programs", 1L);
  }

  @Test
  void nothingIsMendedThatDidNotFail() {
    state.ok(Check.ROWS, "");
    state.mended(Check.ROWS, "put right");
    assertThat(result(Check.ROWS).status()).isEqualTo(Status.OK);
  }

  @ParameterizedTest
  @EnumSource(names = {"APPLY", "CAPACITY", "SOURCE"})
  void whatGoesByTheLastResultTurnsAtOnce(Check check) {
    state.failing(check, "no");
    state.ok(check, "");
    assertThat(result(check).status()).isEqualTo(Status.OK);
  }

  @Test
  void aSourceThatIsAwayMakesNothingRed() {
    state.ok(Check.START, "");
    state.failing(Check.SOURCE, "connection refused");
    assertThat(red()).isEmpty();
    assertThat(result(Check.SOURCE).status()).isEqualTo(Status.FAILING);
  }

  @Test
  void whatIsNotMadeIsNotRed() {
    state.ok(Check.START, "");
    state.failing(Check.CANARY_IPV6, "lost");
    state.notRun(Check.CANARY_IPV6, "no room");
    assertThat(red()).isEmpty();
    assertThat(result(Check.CANARY_IPV6))
        .isEqualTo(new Result("canary-ipv6", true, Status.NOT_RUN, 1_000_000, "no room"));
  }

  @Test
  void onlyAnOwnerThatIsStuckForLongNeedsANewProcess() {
    for (Check check : Check.values()) {
      if (check != Check.OWNER) {
        state.failing(check, "broken");
      }
    }
    clock.addAndGet(3_600_000);
    assertThat(state.stuck()).isFalse();
    state.failing(Check.OWNER, "no answer");
    clock.addAndGet(59_999);
    assertThat(state.stuck()).isFalse();
    clock.addAndGet(1);
    assertThat(state.stuck()).isTrue();
    state.ok(Check.OWNER, "");
    assertThat(state.stuck()).isFalse();
  }
}
