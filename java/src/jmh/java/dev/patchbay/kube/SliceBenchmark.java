// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * EndpointSlices as an API server lists them, decoded and translated. Figures are for one slice, of
 * {@value SliceLists#SLICES} in a list.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(SliceLists.SLICES)
public class SliceBenchmark {
  @Param({"10", "100"})
  public int endpoints;

  private final SliceReader reader = new SliceReader();
  private final SliceTranslator translator = new SliceTranslator();
  private byte[] json;
  private byte[] proto;

  @Setup
  public void encode() throws IOException {
    json = SliceLists.json(endpoints);
    proto = SliceLists.proto(endpoints);
    if (!fromJson().equals(fromProto()) || fromJson().size() != SliceLists.SLICES) {
      throw new AssertionError(fromJson() + " " + fromProto());
    }
  }

  /** As lists are read. */
  @Benchmark
  public List<KubeObject> fromProto() throws IOException {
    List<KubeObject> all = new ArrayList<>(SliceLists.SLICES);
    ProtoObject.read(
        new ByteArrayInputStream(proto),
        (number, value) -> {
          if (number == 2) {
            all.add(translator.translate(reader.read(value)));
          }
        });
    return all;
  }

  /** As the objects of a watch are read. */
  @Benchmark
  public List<KubeObject> fromJson() throws IOException {
    List<KubeObject> all = new ArrayList<>(SliceLists.SLICES);
    try (JsonParser parser = ApiClient.JSON.createParser(json)) {
      while (!"items".equals(parser.currentName())) {
        parser.nextToken();
      }
      parser.nextToken();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        all.add(translator.translate(reader.read(parser)));
      }
    }
    return all;
  }
}
