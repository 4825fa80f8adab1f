// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the programs run where they should.
 *
 * @param programs one entry for each program, in the order of attaching
 */
public record AttachReport(List<ProgramLink> programs) {
  private static final Set<State> ATTACHED =
      EnumSet.of(State.EFFECTIVE, State.NOT_EFFECTIVE, State.HIDDEN);

  public AttachReport {
    programs = List.copyOf(programs);
  }

  /** What became of one program. */
  public enum State {
    /** Attached, and among the programs that run for sockets of its cgroup. */
    EFFECTIVE,
    /** Attached, but the kernel does not run it there. */
    NOT_EFFECTIVE,
    /** Attached to a cgroup that is not visible from here. */
    HIDDEN,
    /** Its link is pinned, but the cgroup it was attached to is gone. */
    CGROUP_GONE,
    /** No link is pinned. */
    NOT_ATTACHED
  }

  /**
   * One program.
   *
   * @param program its name
   * @param state what became of it
   * @param cgroupId the kernel's number of its cgroup; 0 if there is none
   * @param cgroup the directory with that number, if there is one
   * @param programId the kernel's number of the program; 0 if there is no link
   */
  public record ProgramLink(
      String program, State state, long cgroupId, Optional<Path> cgroup, int programId) {}

  /** Whether every program is {@link State#EFFECTIVE} on one and the same cgroup. */
  public boolean effective() {
    return programs.stream().allMatch(link -> link.state() == State.EFFECTIVE)
        && programs.stream().map(ProgramLink::cgroupId).distinct().count() == 1;
  }

  /** Whether any program is attached to a cgroup that lives. */
  public boolean attached() {
    return programs.stream().map(ProgramLink::state).anyMatch(ATTACHED::contains);
  }
}
