// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.probe.ProbeResult;
import dev.patchbay.kernel.probe.Probes;
import dev.patchbay.kernel.sys.Libbpf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Whether the agent could run here, and what to do if not. Changes nothing. */
public final class Preflight {
  private static final int JDK = 25;
  private static final String KERNEL = "run Linux 5.10 or newer";

  private Preflight() {}

  /**
   * All checks, the most basic first.
   *
   * @param bpfDir where pins would go
   * @param cgroup where programs would be attached; empty for the root of the hierarchy
   */
  public static List<Check> run(Path bpfDir, Optional<Path> cgroup) {
    return List.of(
        jdk(Runtime.version().feature()),
        libbpf(),
        capabilities(),
        cgroup(cgroup),
        bpfFs(bpfDir),
        feature("socket address programs", Probes.sockAddrPrograms(), true),
        feature("getpeername hook", Probes.getpeername(), true),
        feature("socket storage", Probes.socketStorage(), true),
        feature("mapped arrays", Probes.mappedArrays(), true),
        feature("batched map access", Probes.batches(), true),
        feature("ring buffers", Probes.ringBuffers(), true),
        nodeNamespace(),
        setRetval(),
        socketDestruction(),
        otherNamespaces());
  }

  static Check jdk(int feature) {
    ProbeResult result =
        feature >= JDK ? ProbeResult.SUPPORTED : new ProbeResult.Unsupported("JDK " + JDK);
    String fix = feature >= JDK ? "" : "install JDK " + JDK + ", or point JAVA_HOME to one";
    return new Check("JDK", result, Runtime.version().toString(), fix, true);
  }

  private static Check libbpf() {
    Optional<String> problem = Libbpf.problem();
    return problem.isEmpty()
        ? new Check("libbpf", ProbeResult.SUPPORTED, Libbpf.version(), "", true)
        : new Check(
            "libbpf",
            new ProbeResult.Unsupported("libbpf 1.1"),
            Libbpf.version(),
            problem.get(),
            true);
  }

  private static Check capabilities() {
    String name = "capabilities";
    try {
      List<Capabilities> missing =
          Capabilities.missing(Files.readString(Path.of("/proc/self/status")));
      if (missing.isEmpty()) {
        return new Check(name, ProbeResult.SUPPORTED, "", "", true);
      }
      return new Check(
          name,
          new ProbeResult.Unsupported(missing.toString()),
          "missing " + missing,
          "run as root, or grant " + missing,
          true);
    } catch (IOException failed) {
      return unknown(name, String.valueOf(failed.getMessage()));
    }
  }

  private static Check cgroup(Optional<Path> wanted) {
    String name = "cgroup v2";
    try {
      Optional<Path> cgroup = wanted.isPresent() ? wanted : Cgroups.root();
      if (cgroup.isEmpty()) {
        return new Check(
            name,
            new ProbeResult.Unsupported("a mounted cgroup v2 hierarchy"),
            "not mounted",
            "mount -t cgroup2 none /sys/fs/cgroup/unified",
            true);
      }
      long id = Cgroups.id(cgroup.get());
      return new Check(name, ProbeResult.SUPPORTED, cgroup.get() + " (id " + id + ")", "", true);
    } catch (KernelException refused) {
      return new Check(
          name,
          new ProbeResult.Unsupported("a cgroup v2 directory"),
          refused.getMessage(),
          "name an existing cgroup v2 directory with --cgroup",
          true);
    }
  }

  private static Check bpfFs(Path bpfDir) {
    String name = "bpf file system";
    try {
      return switch (BpfFs.look(bpfDir)) {
        case BpfFs.State.Mounted(Path target) ->
            new Check(name, ProbeResult.SUPPORTED, "at " + target, "", true);
        case BpfFs.State.Mountable(Path target) ->
            new Check(
                name,
                ProbeResult.SUPPORTED,
                "not mounted yet; the agent mounts it at " + target,
                "",
                true);
        case BpfFs.State.Elsewhere(String type, Path target) ->
            new Check(
                name,
                new ProbeResult.Unsupported("a bpf file system"),
                bpfDir + " lies in " + type + " at " + target,
                BpfFs.mountCommand(bpfDir),
                true);
      };
    } catch (KernelException refused) {
      return unknown(name, refused.getMessage());
    }
  }

  private static Check nodeNamespace() {
    String name = "network namespace cookie";
    try {
      return NetworkNamespace.cookie().isPresent()
          ? new Check(name, ProbeResult.SUPPORTED, "", "", false)
          : new Check(
              name,
              new ProbeResult.Unsupported("Linux 5.14"),
              "node ports do not answer on loopback, and binding to one is not refused",
              "",
              false);
    } catch (KernelException refused) {
      ProbeResult result = new ProbeResult.Inconclusive(0, refused.getMessage());
      return new Check(name, result, refused.getMessage(), "", false);
    }
  }

  private static Check setRetval() {
    Check check = feature("bpf_set_retval", Probes.setRetval(), false);
    return switch (check.result()) {
      case ProbeResult.Unsupported _ ->
          new Check(
              check.name(),
              check.result(),
              "connections are refused by way of a closed port instead",
              check.fix(),
              false);
      case ProbeResult.Supported _, ProbeResult.Inconclusive _ -> check;
    };
  }

  private static Check socketDestruction() {
    String name = "socket destruction";
    if (!Files.exists(Path.of("/sys/kernel/btf/vmlinux"))) {
      return new Check(
          name,
          new ProbeResult.Unsupported("a kernel with BTF"),
          "sockets outlive their backend; needs a kernel with BTF",
          "",
          false);
    }
    ProbeResult result = Probes.socketDestruction();
    return result instanceof ProbeResult.Unsupported(String needs)
        ? new Check(name, result, "sockets outlive their backend; needs " + needs, "", false)
        : feature(name, result, false);
  }

  private static Check otherNamespaces() {
    String name = "other network namespaces";
    try {
      if (Capabilities.mayEnterNamespaces(Files.readString(Path.of("/proc/self/status")))) {
        return new Check(name, ProbeResult.SUPPORTED, "", "", false);
      }
      return new Check(
          name,
          new ProbeResult.Unsupported("CAP_SYS_ADMIN"),
          "sockets of Pods outlive their backend; those of the node do not",
          "grant CAP_SYS_ADMIN",
          false);
    } catch (IOException failed) {
      String cause = String.valueOf(failed.getMessage());
      return new Check(name, new ProbeResult.Inconclusive(0, cause), cause, "", false);
    }
  }

  private static Check feature(String name, ProbeResult result, boolean required) {
    return switch (result) {
      case ProbeResult.Supported _ -> new Check(name, result, "", "", required);
      case ProbeResult.Unsupported(String needs) ->
          new Check(name, result, "needs " + needs, required ? KERNEL : "", required);
      case ProbeResult.Inconclusive(int _, String cause) ->
          new Check(name, result, cause, "mend the lines above and check again", required);
    };
  }

  private static Check unknown(String name, String cause) {
    return new Check(name, new ProbeResult.Inconclusive(0, cause), cause, "", true);
  }
}
