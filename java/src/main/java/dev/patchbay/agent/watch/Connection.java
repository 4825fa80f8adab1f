// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.ConnectionEvent;
import dev.patchbay.observe.ConnectionEvent.Caller;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What became of one attempt to reach a Service, without names.
 *
 * @param outcome what became of it
 * @param nanos when it began, in nanoseconds of {@code CLOCK_MONOTONIC}
 * @param caller who called; null if that was before anybody watched, or was lost
 * @param protocol of the socket
 * @param statsId the Service port; 0 if there is none
 * @param address where the caller wanted to go
 * @param port belongs to {@code address}
 * @param backend where it was led; null if it was refused
 * @param backendPort belongs to {@code backend}
 * @param client own address of the socket; unspecified if it is not known
 * @param clientPort belongs to {@code client}; 0 if it is not known
 * @param tookNanos from connect() to the outcome; 0 if there is nothing to measure
 * @param error the errno that the caller saw; 0: none
 */
public record Connection(
    Outcome outcome,
    long nanos,
    @Nullable Caller caller,
    Protocol protocol,
    long statsId,
    IpAddress address,
    int port,
    @Nullable IpAddress backend,
    int backendPort,
    IpAddress client,
    int clientPort,
    long tookNanos,
    int error) {

  /** What can become of it. */
  public enum Outcome {
    /** A TCP connection was established. */
    ESTABLISHED,
    /** A TCP connection was closed and never established. */
    FAILED,
    /** A TCP connection has neither been established nor failed within a second. */
    PENDING,
    /** A UDP socket was connected. */
    CONNECTED,
    /** A datagram of a UDP socket that is not connected was led to a backend chosen for it. */
    SENT,
    /** connect() or a datagram was refused. */
    REFUSED;

    /** The name for people and programs. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** As the call alone tells it. */
  static Connection of(Outcome outcome, ConnectionEvent call) {
    return new Connection(
        outcome,
        call.nanos() - call.duration(),
        call.caller(),
        call.protocol(),
        call.statsId(),
        call.address(),
        call.port(),
        call.backend(),
        call.backendPort(),
        call.client(),
        call.clientPort(),
        call.duration(),
        call.error());
  }

  /** As the call began it and another event ended it. */
  static Connection of(Outcome outcome, ConnectionEvent call, ConnectionEvent end) {
    boolean addressed = end.clientPort() != 0;
    return new Connection(
        outcome,
        call.nanos(),
        call.caller(),
        call.protocol(),
        call.statsId(),
        call.address(),
        call.port(),
        call.backend(),
        call.backendPort(),
        addressed ? end.client() : call.client(),
        addressed ? end.clientPort() : call.clientPort(),
        end.duration(),
        end.error());
  }
}
