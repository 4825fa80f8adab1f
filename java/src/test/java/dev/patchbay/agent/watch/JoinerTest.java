// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.watch.Connection.Outcome;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.ConnectionEvent;
import dev.patchbay.observe.ConnectionEvent.Caller;
import dev.patchbay.observe.ConnectionEvent.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JoinerTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Caller CURL = new Caller(42, "curl", 7);
  private static final IpAddress SERVICE = IpAddress.of("10.96.0.1");
  private static final IpAddress BACKEND = IpAddress.of("10.1.0.1");
  private static final IpAddress NONE = IpAddress.of("0.0.0.0");
  private static final IpAddress CLIENT = IpAddress.of("10.1.0.9");

  private final List<Connection> told = new ArrayList<>();
  private final Joiner joiner = new Joiner(told::add);

  private static ConnectionEvent event(
      Kind kind,
      Protocol protocol,
      long socket,
      long nanos,
      long duration,
      @Nullable Caller caller,
      IpAddress client,
      int clientPort,
      int error) {
    boolean refused = kind == Kind.REFUSED;
    return new ConnectionEvent(
        kind,
        nanos,
        socket,
        5,
        duration,
        caller,
        protocol,
        SERVICE,
        80,
        refused ? null : BACKEND,
        refused ? 0 : 8080,
        client,
        clientPort,
        3,
        error);
  }

  private static ConnectionEvent connect(long socket, long nanos) {
    return event(Kind.CONNECT, Protocol.TCP, socket, nanos, 0, CURL, NONE, 0, 0);
  }

  private static ConnectionEvent established(long socket, long nanos, long duration) {
    return event(Kind.ESTABLISHED, Protocol.TCP, socket, nanos, duration, null, CLIENT, 40000, 0);
  }

  private static ConnectionEvent failed(long socket, long nanos, long duration) {
    return event(Kind.FAILED, Protocol.TCP, socket, nanos, duration, CURL, NONE, 0, 0);
  }

  @Test
  void aConnectionIsToldOnceWithWhatBothEventsKnow() {
    joiner.accept(connect(1, 1000));
    joiner.accept(connect(2, 1500));
    assertThat(told).isEmpty();

    joiner.accept(established(1, 1300, 300));

    assertThat(told)
        .containsExactly(
            new Connection(
                Outcome.ESTABLISHED,
                1000,
                CURL,
                Protocol.TCP,
                5,
                SERVICE,
                80,
                BACKEND,
                8080,
                CLIENT,
                40000,
                300,
                0));
    joiner.accept(failed(2, 2500, 1000));
    assertThat(told)
        .extracting(Connection::outcome)
        .containsExactly(Outcome.ESTABLISHED, Outcome.FAILED);
    joiner.end();
    assertThat(told).hasSize(2);
  }

  @Test
  void whatNeedsNoAnswerIsToldAtOnce() {
    joiner.accept(event(Kind.CONNECT, Protocol.UDP, 1, 1, 0, CURL, CLIENT, 5000, 0));
    joiner.accept(event(Kind.SEND, Protocol.UDP, 2, 2, 0, CURL, CLIENT, 5001, 0));
    joiner.accept(event(Kind.REFUSED, Protocol.TCP, 3, 3, 0, CURL, NONE, 0, 111));

    assertThat(told)
        .extracting(Connection::outcome)
        .containsExactly(Outcome.CONNECTED, Outcome.SENT, Outcome.REFUSED);
    assertThat(told.getLast().error()).isEqualTo(111);
    assertThat(told.getLast().backend()).isNull();
  }

  @Test
  void whatTakesLongIsToldTwice() {
    joiner.accept(connect(1, SECOND));
    joiner.accept(connect(2, 2 * SECOND));
    joiner.tick(2 * SECOND - 1);
    assertThat(told).isEmpty();

    joiner.tick(2 * SECOND);
    joiner.tick(2 * SECOND + 1);
    assertThat(told).singleElement().extracting(Connection::outcome).isEqualTo(Outcome.PENDING);

    joiner.accept(established(1, 4 * SECOND, 3 * SECOND));
    assertThat(told.getLast().outcome()).isEqualTo(Outcome.ESTABLISHED);
    assertThat(told.getLast().caller()).isEqualTo(CURL);
    joiner.end();
    assertThat(told)
        .extracting(Connection::outcome)
        .containsExactly(Outcome.PENDING, Outcome.ESTABLISHED, Outcome.PENDING);
  }

  @Test
  void anEndWithoutItsBeginningIsToldAsFarAsItIsKnown() {
    joiner.accept(established(9, 5 * SECOND, SECOND));

    assertThat(told)
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.caller()).isNull();
              assertThat(one.nanos()).isEqualTo(4 * SECOND);
              assertThat(one.tookNanos()).isEqualTo(SECOND);
              assertThat(one.client()).isEqualTo(CLIENT);
            });
  }

  @Test
  void aSocketThatConnectsAgainLeavesNothingBehind() {
    joiner.accept(connect(1, 1));
    joiner.accept(connect(1, 2));
    joiner.accept(established(1, 5, 3));

    assertThat(told)
        .extracting(Connection::outcome)
        .containsExactly(Outcome.PENDING, Outcome.ESTABLISHED);
    assertThat(told.getLast().nanos()).isEqualTo(2);
  }

  @Test
  void memoryIsBounded() {
    for (int i = 0; i < 100_010; i++) {
      joiner.accept(connect(i, i));
    }
    assertThat(told).hasSize(10);
    joiner.tick(400 * SECOND);
    joiner.end();
    assertThat(told).as("each once").hasSize(100_010);
  }
}
