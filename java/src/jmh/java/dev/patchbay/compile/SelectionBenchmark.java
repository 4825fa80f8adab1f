// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.forZones;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One Service: which of its endpoints are chosen, and the rows it compiles to. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class SelectionBenchmark {
  /** As many as the control plane puts into one slice. */
  private static final int SLICE = 100;

  @Param({"10", "1000"})
  public int endpoints;

  /** Whether each endpoint is hinted for one of three zones, of which this node is in none. */
  @Param({"false", "true"})
  public boolean hints;

  private final NodeFacts node = NodeFacts.named("node-1");
  private ServiceState state;

  @Setup
  public void build() {
    ServiceBuilder service = ServiceBuilder.service("shop/many").clusterIps("10.96.0.1").port(80);
    for (int from = 0; from < endpoints; from += SLICE) {
      Endpoint[] slice = new Endpoint[Math.min(SLICE, endpoints - from)];
      for (int i = 0; i < slice.length; i++) {
        int number = from + i;
        String address = IpAddress.ofIpv4(0x0a80_0000 + number).toString();
        Endpoint endpoint = on("node-" + number % 100, ready(address));
        slice[i] = hints ? forZones(endpoint, "zone-" + number % 3) : endpoint;
      }
      service.slice(8080, slice);
    }
    state = service.build();
  }

  /** For {@code explain}: with the reason for each endpoint. */
  @Benchmark
  public Selection selectWithReasons() {
    return EndpointSelection.select(
        state.service(), state.service().ports().getFirst(), IpFamily.IPV4, state.slices(), node);
  }

  /** For the maps. */
  @Benchmark
  public CompiledService compileService() {
    return ServiceCompiler.compile(state, node);
  }
}
