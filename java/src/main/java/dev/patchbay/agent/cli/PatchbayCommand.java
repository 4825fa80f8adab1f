// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line: one subcommand per verb. */
@Command(
    name = "patchbay",
    description = "A Kubernetes Service dataplane: connect-time load balancing in the kernel.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RunCommand.class,
      CheckCommand.class,
      ValidateCommand.class,
      ServicesCommand.class,
      ExplainCommand.class,
      WatchCommand.class,
      StatusCommand.class,
      EnvCommand.class,
      CleanupCommand.class,
      VersionCommand.class,
      TrainCommand.class
    },
    footer = {"", "Exit codes: 0 done, 1 failed, 2 wrong usage."})
public final class PatchbayCommand implements Runnable {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "show this help and exit")
  boolean help;

  @Spec CommandSpec spec = CommandSpec.create();

  /** Without a subcommand: the help, and exit code 2. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
  }

  /**
   * Runs a command line.
   *
   * @return the exit code: 0 done, 1 failed, 2 wrong usage
   */
  public static int execute(PrintWriter out, PrintWriter err, String... args) {
    CommandLine line = new CommandLine(new PatchbayCommand());
    line.setOut(out);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(PatchbayCommand::failed);
    line.setParameterExceptionHandler(PatchbayCommand::misused);
    try {
      useConfigFile(line, args);
    } catch (UserError e) {
      err.println("patchbay: " + e.getMessage());
      err.flush();
      return 1;
    }
    return line.execute(args);
  }

  /** Lets the file behind {@code run --config}, if there is one, supply defaults. */
  private static void useConfigFile(CommandLine line, String[] args) throws UserError {
    CommandLine run = line.getSubcommands().get("run");
    if (args.length == 0 || !args[0].equals("run") || run == null) {
      return;
    }
    String file = null;
    for (int i = 1; i < args.length; i++) {
      if (args[i].equals("--config") && i + 1 < args.length) {
        file = args[i + 1];
      } else if (args[i].startsWith("--config=")) {
        file = args[i].substring("--config=".length());
      }
    }
    if (file != null) {
      ConfigFile config = ConfigFile.read(Path.of(file), run.getCommandSpec());
      config.warnings().forEach(warning -> line.getErr().println("patchbay: " + warning));
      line.getErr().flush();
      run.setDefaultValueProvider(config);
    }
  }

  private static int failed(Exception e, CommandLine line, @Nullable ParseResult result) {
    PrintWriter err = line.getErr();
    int code = 1;
    switch (e) {
      case UserError error -> {
        err.println("patchbay: " + error.getMessage());
        code = error.exitCode();
      }
      case InterruptedException _ -> err.println("patchbay: interrupted");
      default -> {
        err.println("patchbay: internal error: " + e + "; this is a defect, please report it");
        e.printStackTrace(err);
      }
    }
    err.flush();
    return code;
  }

  private static int misused(CommandLine.ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    PrintWriter err = line.getErr();
    err.println("patchbay: " + e.getMessage());
    err.println("usage: see `" + line.getCommandSpec().qualifiedName() + " --help`");
    err.flush();
    return 2;
  }
}
