// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real DNS server, and real programs that ask one. */
public final class Dns {
  private Dns() {}

  /** Starts dnsmasq in a Pod, with options such as {@code --host-record=}. */
  public static Daemon serve(Pod pod, String... records) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "dnsmasq",
                "--no-daemon",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--pid-file=",
                "--bind-interfaces",
                "--interface=eth0"));
    command.addAll(List.of(records));
    return pod.start(command.toArray(String[]::new));
  }

  /** Runs {@code dig @SERVER +short MORE}. */
  public static Result dig(Pod client, String server, String... more) {
    List<String> command =
        new ArrayList<>(List.of("dig", "@" + server, "+short", "+noidnin", "+noidnout"));
    command.addAll(List.of(more));
    return client.exec(command.toArray(String[]::new));
  }

  /** Runs a command with a resolv.conf of its own. */
  public static Result withResolver(
      Pod client, String nameserver, String options, String... command) {
    Path file = client.node().lab().newDirectory("resolver").resolve("resolv.conf");
    try {
      Files.writeString(file, "nameserver " + nameserver + "\noptions " + options + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> line =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "/bin/sh",
                "-c",
                "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"",
                file.toString()));
    line.addAll(List.of(command));
    return client.exec(line.toArray(String[]::new));
  }
}
