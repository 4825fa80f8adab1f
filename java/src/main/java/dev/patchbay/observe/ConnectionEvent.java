// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened to a socket that wanted to reach a Service; a record of {@code
 * watcher_rings}.
 *
 * @param kind what happened
 * @param nanos when, in nanoseconds of {@code CLOCK_MONOTONIC}, the clock of {@link
 *     System#nanoTime}
 * @param socket the cookie of the socket: which events tell of one connection
 * @param statsId the Service port, {@link dev.patchbay.model.ServicePortKey#statsId}; 0 if there is
 *     none
 * @param duration nanoseconds since connect(); 0 but for {@link Kind#ESTABLISHED} and {@link
 *     Kind#FAILED}
 * @param caller who called; null if the kernel itself did: {@link Kind#ESTABLISHED}
 * @param protocol of the socket
 * @param address where the caller wanted to go
 * @param port belongs to {@code address}, 0 to 65535
 * @param backend where it was led; null if it was refused
 * @param backendPort belongs to {@code backend}; 0 without one
 * @param client own address of the socket; unspecified as long as the kernel has chosen none
 * @param clientPort belongs to {@code client}; 0 as long as there is none
 * @param netns the cookie of the socket's network namespace
 * @param error the errno that the caller sees; 0: none
 */
public record ConnectionEvent(
    Kind kind,
    long nanos,
    long socket,
    long statsId,
    long duration,
    @Nullable Caller caller,
    Protocol protocol,
    IpAddress address,
    int port,
    @Nullable IpAddress backend,
    int backendPort,
    IpAddress client,
    int clientPort,
    long netns,
    int error) {

  /** What can happen. */
  public enum Kind {
    /** connect() was led to a backend. */
    CONNECT,
    /** A datagram was led to a backend that was chosen for it. */
    SEND,
    /** connect() or a datagram was refused. */
    REFUSED,
    /** The TCP connection of a {@link #CONNECT} was established. */
    ESTABLISHED,
    /** It was closed and never established. */
    FAILED
  }

  /**
   * Who called.
   *
   * @param process the number of the process, in the initial PID namespace
   * @param command the name of the calling thread, at most 15 bytes; what is no printable character
   *     is replaced by {@code ?}, because the thread chose it itself
   * @param cgroup the kernel's number of the cgroup in the v2 hierarchy
   */
  public record Caller(int process, String command, long cgroup) {}
}
