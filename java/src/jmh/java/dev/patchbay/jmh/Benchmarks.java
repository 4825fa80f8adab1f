// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.jmh;

import dev.patchbay.scale.ChildJvm;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks. Arguments are those of JMH; what they do not say is: one fork with the JVM
 * options of the agent, three iterations of a second to warm up, five to measure, rates of
 * allocation, processor time, and failure if a benchmark fails.
 */
final class Benchmarks {
  /** What makes the agent's JVM leave the optimising compiler out. */
  private static final String C1_ONLY = "-XX:TieredStopAtLevel=1";

  private Benchmarks() {}

  public static void main(String[] args) throws Exception {
    CommandLineOptions arguments = new CommandLineOptions(args);
    if (arguments.shouldHelp()) {
      arguments.showHelp();
    } else if (arguments.shouldList() || arguments.shouldListWithParams()) {
      Runner runner = new Runner(arguments);
      if (arguments.shouldListWithParams()) {
        runner.listWithParams(arguments);
      } else {
        runner.list();
      }
    } else {
      run(args, agentOptions());
    }
  }

  /** The JVM options of the agent. */
  static List<String> agentOptions() {
    List<String> options = ChildJvm.launcherOptions();
    if (!options.contains(C1_ONLY)) {
      throw new AssertionError("the launcher does not say " + C1_ONLY + ": " + options);
    }
    return options;
  }

  /** The same, but with the optimising compiler. */
  static List<String> agentOptionsWithC2() {
    return agentOptions().stream().filter(option -> !option.equals(C1_ONLY)).toList();
  }

  /**
   * Runs benchmarks.
   *
   * @param args of JMH; they win
   * @param jvm options of the forks
   */
  static Collection<RunResult> run(String[] args, List<String> jvm)
      throws CommandLineOptionException, RunnerException {
    CommandLineOptions arguments = new CommandLineOptions(args);
    ChainedOptionsBuilder options = new OptionsBuilder().parent(arguments);
    if (!arguments.getJvmArgs().hasValue()) {
      options.jvmArgs(jvm.toArray(String[]::new));
    }
    if (!arguments.getForkCount().hasValue()) {
      options.forks(1);
    }
    if (!arguments.getWarmupIterations().hasValue()) {
      options.warmupIterations(3);
    }
    if (!arguments.getWarmupTime().hasValue()) {
      options.warmupTime(TimeValue.seconds(1));
    }
    if (!arguments.getMeasurementIterations().hasValue()) {
      options.measurementIterations(5);
    }
    if (!arguments.getMeasurementTime().hasValue()) {
      options.measurementTime(TimeValue.seconds(1));
    }
    if (arguments.getProfilers().isEmpty()) {
      options.addProfiler(GCProfiler.class).addProfiler(CpuProfiler.class);
    }
    if (!arguments.shouldFailOnError().hasValue()) {
      options.shouldFailOnError(true);
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    if (results.isEmpty()) {
      throw new NoBenchmarksException();
    }
    return results;
  }
}
