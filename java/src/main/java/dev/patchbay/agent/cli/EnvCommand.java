// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.compile.ServiceEnvironment;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceState;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "env",
    description = "The Docker-style variables that a new Pod of a namespace would get.",
    sortOptions = false)
final class EnvCommand implements Callable<Integer> {
  @Option(
      names = "--namespace",
      paramLabel = "NS",
      required = true,
      description = "the namespace of the Pod")
  String namespace = "";

  @Mixin PathOptions paths = new PathOptions();
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws UserError {
    Snapshot snapshot = Reading.requireSnapshot(paths);
    PrintWriter out = spec.commandLine().getOut();
    List<Service> services =
        snapshot.cluster().services().values().stream().map(ServiceState::service).toList();
    ServiceEnvironment.variables(namespace, services)
        .forEach((name, value) -> out.println(name + "=" + value));
    out.flush();
    return 0;
  }
}
